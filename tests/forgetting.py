"""What a file must hold after something was forgotten in it, worked out from what it held before; and its bytes."""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from harvest.forgetting import writing as to_file
from harvest.store.database import open_to_read
from harvest.verify.checks import verify
from tests.crawling import read
from tests.dying import Hears, statements_in_a_child

Content = dict[str, Any]
_ENDS = {  # part -> the place of each kind of thing in its keys
    "engagements": {"user": (0,), "track": (1,)},
    "follows": {"user": (0, 1)},
    "playlist_engagements": {"user": (0,), "playlist": (1,)},
    "playlist_tracks": {"playlist": (0,)},
    "station_tracks": {"station": (0,)},
    "station_likes": {"user": (0,), "station": (1,)},
    "related": {"track": (0, 1)},
}
_STATIONS = {"artist-stations": "user", "track-stations": "track"}


def goes_with(content: Content, thing: str, thing_id: int) -> set[tuple[str, int]]:
    """Give what is forgotten with a thing: what a person made, and stations around any of it."""
    gone = {(thing, thing_id)}
    if thing == "user":
        gone |= {("track", i) for i, row in content["tracks"].items() if row["uploader_id"] == thing_id}
        gone |= {("playlist", i) for i, row in content["playlists"].items() if row["owner_id"] == thing_id}
    for i, row in content["stations"].items():
        _, kind, number = row["urn"].rsplit(":", 2)
        if (_STATIONS.get(kind), int(number) if number.isdigit() else 0) in gone:
            gone.add(("station", i))
    return gone


def without(content: Content, gone: set[tuple[str, int]]) -> Content:
    """Take things out of what a file holds; ranks keep their holes. The ledger and the visits are left out."""
    left = {part: copy.deepcopy(rows) for part, rows in content.items() if part not in ("lists", "visits")}
    for part, ends in _ENDS.items():
        left[part] = {
            key: row
            for key, row in left[part].items()
            if not any((thing, key[place]) in gone for thing, places in ends.items() for place in places)
        }
    for part in ("playlist_tracks", "station_tracks"):
        left[part] = {key: track for key, track in left[part].items() if ("track", track) not in gone}
    for part, thing in (("users", "user"), ("tracks", "track"), ("playlists", "playlist"), ("stations", "station")):
        left[part] = {i: row for i, row in left[part].items() if (thing, i) not in gone}
    left["tags"] = {i: tags for i, tags in left["tags"].items() if ("track", i) not in gone}
    left["comments"] = {
        i: row
        for i, row in left["comments"].items()
        if ("user", row["user_id"]) not in gone and ("track", row["track_id"]) not in gone
    }
    left["links"] = {i: row for i, row in left["links"].items() if ("user", row["user_id"]) not in gone}
    left["found"] = {key: rank for key, rank in left["found"].items() if not _is_found(key, gone)}
    return left


def _is_found(key: tuple[int, int], gone: set[tuple[str, int]]) -> bool:
    return any(("track", key[1]) == one or ("user", key[1]) == one or ("playlist", key[1]) == one for one in gone)


def texts_of(path: Path, thing: str, thing_id: int) -> list[str]:
    """Give what names a thing: its name, the address of its page, its picture unless everybody has it who has none, its
    URN.
    """
    columns = {"user": "username, permalink_url, avatar_url", "track": "permalink_url", "playlist": "permalink_url"}
    (row,) = read(path, f"SELECT {columns[thing]} FROM {thing}s WHERE id = ?", thing_id)
    return [
        *(text.removeprefix("https://") for text in row if text and "default_avatar" not in text),
        f"soundcloud:{thing}s:{thing_id}",
    ]


def bytes_beside(path: Path) -> bytes:
    """Give all bytes of the file and of what stands beside it."""
    return b"".join(one.read_bytes() for one in sorted(path.parent.glob(f"{path.name}*")) if one.is_file())


def contradictions(path: Path) -> dict[str, tuple[str, ...]]:
    """Give what `verify` finds wrong, by check."""
    with open_to_read(path) as connection:
        return {found.check.name: found.examples for found in verify(connection) if found.contradictions}


def rows_of(path: Path, *but_for: str) -> dict[str, list[tuple[Any, ...]]]:
    """Give every row of a file but for the index of words, and these tables."""
    tables = read(
        path,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'track_search%'"
        " AND name NOT LIKE '%sqlite%'",
    )
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: connection.execute(f"SELECT * FROM {table}").fetchall()
            for (table,) in tables
            if table not in but_for
        }


def taken_out_in_a_child(work: Callable[[], object], *, kill_at: int | None) -> int:
    """Take something out of a file in a process that is killed at its n-th statement; give how many it ran when it was
    not.
    """

    def heard(hear: Hears) -> None:
        opened = to_file.open_for_crawl

        def traced(path: Path) -> Any:
            db = opened(path)
            db.conn.set_trace_callback(hear)
            return db

        to_file.open_for_crawl = traced  # type: ignore[assignment]
        work()

    # What triggers and virtual tables run belongs to a statement of ours.
    return statements_in_a_child(heard, kill_at=kill_at, counts=lambda statement: not statement.startswith("--"))
