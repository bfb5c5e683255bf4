"""Keep what the person who works with a file thinks of its tracks, and say it.

In: tracks, a verdict, the time. Out: rows of `judgments`, one for each track whose verdict changes. Never: a request,
or a change of anything that the service said.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from harvest.errors import SeedError
from harvest.store.database import back_up_before_migrating, check_readable, immediately, open_for_crawl, storage_errors
from harvest.store.provenance import find
from harvest.store.schema import apply_schema
from harvest.system.clock import as_text

VERDICTS = ("liked", "not_interested", "not_quite")
TAKEN_BACK = "none"

# The verdict of one track, NULL where there is none or it was taken back.
_VERDICT_OF = """(
    SELECT nullif(j.verdict, 'none') FROM judgments AS j WHERE j.track_id = {track} ORDER BY j.id DESC LIMIT 1
)"""


@dataclass(frozen=True, slots=True)
class Judgment:
    """What was judged: so many tracks in all, of which `changed` had another verdict before, or none."""

    verdict: str
    tracks: int
    changed: int

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return asdict(self)


def verdict_of(connection: sqlite3.Connection, track: str, *, schema: str = "main") -> str:
    """Write the SQL that gives the verdict of a track, whose id is the SQL `track`."""
    return _VERDICT_OF.format(track=track) if _has_judgments(connection, schema) else "NULL"


def liked(connection: sqlite3.Connection) -> list[str]:
    """Give the ids of the tracks that are judged liked, the latest first."""
    if not _has_judgments(connection):
        return []
    rows = connection.execute("SELECT track_id FROM verdicts WHERE verdict = 'liked' ORDER BY judged_at DESC, track_id")
    return [str(row[0]) for row in rows]


def _has_judgments(connection: sqlite3.Connection, schema: str = "main") -> bool:
    """Say whether a file has the table: one of an older version lacks it until this version writes into it."""
    sql = "SELECT 1 FROM pragma_table_list WHERE schema = ? AND name = 'judgments'"
    return connection.execute(sql, (schema,)).fetchone() is not None


def tracks_named(connection: sqlite3.Connection, wanted: Iterable[str]) -> list[int]:
    """Give the tracks of a file that ids, URNs and addresses name, each once: tracks, and playlists for what they hold,
    in their order. A number alone is a track.

    Raises SeedError with the first that is not in the file, or a playlist of which no track is.
    """
    found: dict[int, None] = {}
    missing: list[str] = []
    for one in wanted:
        tracks = _tracks_of(connection, one)
        found.update(dict.fromkeys(tracks))
        if not tracks:
            missing.append(one)
    if missing:
        others = len(missing) - 1
        raise SeedError(
            f"There is no track or playlist {missing[0]} with its tracks in this file"
            + (f", nor {others:,} other{'s' * (others > 1)} of these" if others else "")
            + ": `harvest URL --depth 0` collects it; an id, a URN or the page's address names one, and "
            "`harvest sql search WORDS` finds it by its title."
        )
    return list(found)


def _tracks_of(connection: sqlite3.Connection, wanted: str) -> Sequence[int]:
    try:
        return (find(connection, "track", wanted)[0],)
    except SeedError:
        pass
    try:
        playlist, _, _ = find(connection, "playlist", wanted)
    except SeedError:
        return ()
    rows = connection.execute(
        "SELECT track_id FROM playlist_tracks WHERE playlist_id = ? ORDER BY position", (playlist,)
    )
    return [row[0] for row in rows]


def judge(path: Path, wanted: Sequence[str], verdict: str, *, now: datetime) -> Judgment:
    """Judge tracks, all of them or none; what had this verdict already gets no further row.

    Raises SeedError where one is not in the file, StoreError.
    """
    check_readable(path)
    back_up_before_migrating(path)
    with storage_errors(path):
        db = open_for_crawl(path)
        try:
            with immediately(db):
                apply_schema(db)
                tracks = tracks_named(db.conn, wanted)
                changed = db.conn.executemany(
                    f"""
                    INSERT INTO judgments (track_id, verdict, at)
                    SELECT ?1, ?2, ?3 WHERE coalesce({_VERDICT_OF.format(track="?1")}, '{TAKEN_BACK}') <> ?2
                    """,
                    ((track, verdict, as_text(now)) for track in tracks),
                ).rowcount
        finally:
            db.conn.close()
    return Judgment(verdict, len(tracks), changed)
