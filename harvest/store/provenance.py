"""Say how a user or a track came into the file: page, list, the list that led there, up to the seed. Reads only."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from harvest.api.seed_urls import public_address
from harvest.errors import SeedError

_NAME = {"track": "title", "user": "username", "playlist": "title"}
_URN = re.compile(r"soundcloud:(users|tracks):(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Step:
    """One list on the way to the seed; `place` is its subject's place among those chosen."""

    task_id: int
    kind: str
    what: str
    subject_id: int
    subject: str | None
    depth: int
    place: int | None


@dataclass(frozen=True, slots=True)
class Because:
    """A like or repost with the page that brought it, and the lists from there up to the seed."""

    user_id: int
    username: str | None
    engagement_type: str
    track_id: int
    title: str | None
    place: int | None
    page: int
    request: str
    fetched_at: str
    seed: str
    chain: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A harvest that reads this person's likes; chance is None where nothing was drawn by chance."""

    seed: str
    depth: int
    place: int | None
    chance: float | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is in the file. `because` holds the first ones of `total`."""

    thing: str
    id: int
    name: str | None
    url: str | None
    seed_of: tuple[str, ...]
    uploaded: tuple[int, ...]
    chosen: tuple[Chosen, ...]
    total: int
    because: tuple[Because, ...]

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return asdict(self)


def why(connection: sqlite3.Connection, thing: str, wanted: str, *, limit: int = 3) -> Reason:
    """Tell why a user or track, named by id, URN or page address, is here. Raises SeedError when it is not."""
    number, name, url = find(connection, thing, wanted)
    uploaded: tuple[int, ...] = ()
    if thing == "user":
        found = "e.user_id = :id AND k.subject = 'track'"
        uploaded = tuple(
            row[0] for row in connection.execute("SELECT id FROM tracks WHERE uploader_id = ? ORDER BY id", (number,))
        )
    else:
        found = "e.track_id = :id"
    total, because = _edges(connection, found, number, limit)
    if not total and uploaded:
        tracks = "SELECT id FROM tracks WHERE uploader_id = :id"
        total, because = _edges(connection, f"e.track_id IN ({tracks})", number, limit)
    return Reason(
        thing,
        number,
        name,
        url,
        _seeds(connection, thing, number),
        uploaded[:limit],
        _chosen(connection, number) if thing == "user" else (),
        total,
        because,
    )


def find(connection: sqlite3.Connection, thing: str, wanted: str) -> tuple[int, str | None, str | None]:
    """Give id, name and address of the user or track that an id, URN or address names. Raises SeedError."""
    column, value = _key(thing, wanted.strip())
    row = connection.execute(
        f"SELECT id, {_NAME[thing]}, permalink_url FROM {thing}s WHERE {column} = ?",  # noqa: S608 - our own words
        (value,),
    ).fetchone()
    if row is None:
        raise SeedError(f"There is no {thing} {wanted} in this file; an id, a URN or the page's address names one.")
    return row[0], row[1], row[2]


def _key(thing: str, wanted: str) -> tuple[str, int | str]:
    """Give the column that names the thing, and its value."""
    urn = _URN.fullmatch(wanted)
    if urn and urn[1] == f"{thing}s":
        return "id", int(urn[2])
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 19:
        return "id", int(wanted)
    address = urlsplit(wanted if "://" in wanted else f"https://{wanted}")
    path = address.path.rstrip("/")
    host = (address.hostname or "").removeprefix("www.").removeprefix("m.")
    if host != "soundcloud.com":
        path = f"/{wanted.strip('/')}"
    return "permalink_url", f"https://soundcloud.com{path}"


def _edges(connection: sqlite3.Connection, found: str, number: int, limit: int) -> tuple[int, tuple[Because, ...]]:
    """Count the likes and repost that brought something, and tell the first of them."""
    joins = """
        FROM user_engagements AS e
        JOIN pages AS p ON p.id = e.first_page_id
        JOIN tasks AS t ON t.id = p.task_id
        JOIN list_kinds AS k ON k.kind = t.kind
    """
    (total,) = connection.execute(f"SELECT count(*) {joins} WHERE {found}", {"id": number}).fetchone()
    first = connection.execute(
        f"""
        SELECT e.user_id, e.track_id, e.engagement_type,
            CASE k.subject WHEN 'user' THEN e.user_list_rank ELSE e.track_list_rank END, p.number
        {joins} WHERE {found} ORDER BY e.first_page_id, 4 LIMIT :limit
        """,
        {"id": number, "limit": limit},
    ).fetchall()
    return int(total), tuple(reason for edge in first for reason in _reasons(connection, tuple(edge)))


def _reasons(connection: sqlite3.Connection, edge: tuple[Any, ...]) -> Iterator[Because]:
    """Follow one like or repost up to the seed, once per harvest that led to it."""
    user_id, track_id, deed, place, page = edge
    for row in connection.execute(
        """
        SELECT y.request, y.fetched_at, h.seed_url, y.chain, u.username, t.title
        FROM why AS y
        JOIN harvests AS h ON h.id = y.harvest_id
        JOIN users AS u ON u.id = y.user_id
        JOIN tracks AS t ON t.id = y.track_id
        WHERE y.user_id = ? AND y.track_id = ? AND y.engagement_type = ?
        ORDER BY y.harvest_id
        """,
        (user_id, track_id, deed),
    ).fetchall():
        chain = tuple(_step(connection, step) for step in json.loads(row[3]))
        seed = public_address(row[2])
        yield Because(user_id, row[4], deed, track_id, row[5], place, page, row[0], row[1], seed, chain)


def _step(connection: sqlite3.Connection, step: dict[str, Any]) -> Step:
    """Name the list and its subject."""
    subject, what = connection.execute(
        "SELECT subject, title FROM list_kinds WHERE kind = ?", (step["kind"],)
    ).fetchone()
    name = None
    if subject in _NAME:
        row = connection.execute(
            f"SELECT {_NAME[subject]} FROM {subject}s WHERE id = ?",  # noqa: S608 - our own words
            (step["subject_id"],),
        ).fetchone()
        name = row and row[0]
    return Step(step["task_id"], step["kind"], what, step["subject_id"], name, step["depth"], step["listed_rank"])


def _seeds(connection: sqlite3.Connection, thing: str, number: int) -> tuple[str, ...]:
    if thing != "track":
        return ()
    rows = connection.execute("SELECT seed_url FROM harvests WHERE seed_id = ? ORDER BY id", (number,))
    return tuple(public_address(row[0]) for row in rows)


def _chosen(connection: sqlite3.Connection, user_id: int) -> tuple[Chosen, ...]:
    rows = connection.execute(
        """
        SELECT h.seed_url, w.depth, w.listed_rank, w.chance, coalesce(t.outcome, t.state)
        FROM tasks AS t
        JOIN harvest_tasks AS w ON w.task_id = t.id
        JOIN harvests AS h ON h.id = w.harvest_id
        WHERE t.kind = 'user_likes' AND t.subject_id = ? AND t.argument = ''
        ORDER BY h.id
        """,
        (user_id,),
    )
    return tuple(Chosen(public_address(row[0]), *tuple(row)[1:]) for row in rows)
