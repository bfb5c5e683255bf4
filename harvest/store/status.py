"""Say where a file stands: seeds, lists, failures, requests, time, in milliseconds. Reads only."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

from harvest.api.seed_urls import public_address
from harvest.lists import KINDS
from harvest.store.failures import by_class, retryable_lists
from harvest.store.gaps import Gap, gaps
from harvest.store.progress import ProgressRow, read_progress
from harvest.store.standing import LISTS_OPEN, Standing, standing
from harvest.things import THINGS, label

# Every table that a list fills, and what is derived from them: those the file keeps count of, and those it does not.
_TOTALLED = ("users", "tracks", "user_engagements", "pages")
_TABLES = tuple(
    dict.fromkeys(
        (
            *("users", "tracks", "tags", "track_tags"),
            *(kind.edge.table for kind in KINDS.values() if kind.edge),
            *(thing.table for thing in THINGS.values()),
            *("user_similarity", "artist_relationships", "track_counts", "user_counts"),
            *("tasks", "pages", "failures"),
        )
    )
)
# Said even of a file that has none: a script that counts on such a line finds it.
ALWAYS = frozenset(
    (
        *("users", "tracks", "tags", "track_tags", "user_engagements", "playlists", "playlist_tracks", "comments"),
        *("user_follows", "related_tracks", "user_similarity", "artist_relationships", "tasks", "pages", "failures"),
    )
)


@dataclass(frozen=True, slots=True)
class SeedLook:
    """One seed of a harvest: where it is, what it is, why it could not be found if it could not."""

    address: str
    thing: str | None
    thing_id: int | None
    title: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class HarvestLook:
    """One harvest and how far it is; `seed`, `track_id` and `title` tell of its first seed."""

    seed: str
    track_id: int | None
    title: str | None
    state: str
    depth: int
    reason: str | None
    started_at: str
    finished_at: str | None
    lists_open: int
    round: int
    options: dict[str, Any]
    seeds: tuple[SeedLook, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """What can be said of a file without counting."""

    standing: Standing
    progress: ProgressRow | None
    harvests: tuple[HarvestLook, ...]
    failures: dict[str, int]
    retryable_failures: int
    gaps: tuple[Gap, ...]
    requests: dict[str, int]
    seconds: int
    waited_seconds: float
    last_activity: str | None
    stop_reason: str | None
    delay: float | None
    is_unerased: bool  # something was forgotten, and its old bytes may still be there
    is_demo: bool  # crawled from the world inside this program, which only the demo serves


@dataclass(frozen=True, slots=True)
class Overview:
    """A look, with the number of rows in each table: what the summary of a crawl shows."""

    look: Look
    rows: dict[str, int]

    @property
    def told_rows(self) -> dict[str, int]:
        """Give the tables that hold anything, and those that are always told of."""
        return {table: n for table, n in self.rows.items() if n or table in ALWAYS}

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        look, seen = self.look, self.look.standing
        return {
            "rows": self.rows,
            "likes": seen.likes,
            "reposts": seen.reposts,
            "lists": [
                {
                    "kind": kind.kind,
                    "todo": kind.todo,
                    "doing": kind.doing,
                    "outcomes": dict(kind.outcomes),
                    "claimed": kind.claimed,
                    "collected": kind.kept,
                }
                for kind in seen.lists
                if not KINDS[kind.kind].looks_up
            ],
            "outcomes": seen.outcomes,
            "harvests": [
                {**asdict(harvest), "level": harvest.depth, "open_lists": harvest.lists_open}
                for harvest in look.harvests
            ],
            "failures": look.failures,
            "requests": look.requests,
            "seconds": look.seconds,
            "waited_seconds": look.waited_seconds,
            "last_activity": look.last_activity,
            "retryable_failures": look.retryable_failures,
            "gaps": [asdict(gap) for gap in look.gaps],
        }


def look(connection: sqlite3.Connection) -> Look:
    """Look at a file, in one transaction, so that the numbers belong together."""
    connection.execute("BEGIN")
    try:
        seen = standing(connection)
        stopped = connection.execute(
            "SELECT stop_reason, json_extract(options, '$.delay'), api_url LIKE 'simulator:%' FROM runs"
            " ORDER BY id DESC LIMIT 1"
        ).fetchone()
        return Look(
            standing=seen,
            progress=read_progress(connection),
            harvests=_harvests(connection),
            failures=by_class(connection),
            retryable_failures=retryable_lists(connection),
            gaps=gaps(connection, seen),
            requests=dict(
                connection.execute(
                    "SELECT CAST(status AS TEXT), sum(n) FROM run_requests GROUP BY status ORDER BY status"
                ).fetchall()
            ),
            seconds=int(_one(connection, _SECONDS) or 0),
            waited_seconds=(_one(connection, _WAITED) or 0) / 1000,
            last_activity=_one(connection, _LAST_ACTIVITY),
            stop_reason=stopped[0] if stopped else None,
            delay=stopped[1] if stopped else None,
            is_unerased=_is_unerased(connection),
            is_demo=bool(stopped and stopped[2]),
        )
    finally:
        connection.execute("ROLLBACK")


def _is_unerased(connection: sqlite3.Connection) -> bool:
    if not _one(connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'forgettings'"):
        return False  # made by an older version, and not brought over yet
    return bool(_one(connection, "SELECT count(*) FROM forgettings WHERE erased_at IS NULL"))


def overview(connection: sqlite3.Connection) -> Overview:
    """Look at a file and count the rows of its tables."""
    looked = look(connection)
    seen = looked.standing
    known = dict(zip(_TOTALLED, (seen.users, seen.tracks, seen.likes + seen.reposts, seen.pages), strict=True))
    rows = {
        table: known[table] if table in known else _one(connection, f"SELECT count(*) FROM {table}")  # noqa: S608 - ours
        for table in _TABLES
    }
    return Overview(looked, rows)


# A run that has not ended lasts, as far as the file shows, until its last word.
_SECONDS = """
SELECT sum(unixepoch(coalesce(r.ended_at, p.told_at, r.started_at)) - unixepoch(r.started_at))
FROM runs AS r LEFT JOIN progress AS p ON p.run_id = r.id
"""
_WAITED = """
SELECT sum(CASE WHEN r.ended_at IS NULL THEN coalesce(p.waited_ms, 0) ELSE r.waited_ms END)
FROM runs AS r LEFT JOIN progress AS p ON p.run_id = r.id
"""
_LAST_ACTIVITY = """
SELECT max(at) FROM (
    SELECT fetched_at AS at FROM pages WHERE id = (SELECT max(id) FROM pages)
    UNION ALL SELECT max(ended_at) FROM runs
    UNION ALL SELECT told_at FROM progress
)
"""


def _harvests(connection: sqlite3.Connection) -> tuple[HarvestLook, ...]:
    lists_open = dict(connection.execute(LISTS_OPEN).fetchall())
    seeds: dict[int, list[SeedLook]] = {}
    for harvest_id, address, *told_of in connection.execute(
        f"""
        SELECT h.harvest_id, s.address, f.thing, f.thing_id, {label("f.thing", "f.thing_id")}, s.reason
        FROM harvest_seeds AS h
        JOIN seeds AS s ON s.id = h.seed_id
        LEFT JOIN seeds AS f ON f.id = s.id AND f.resolved_at IS NOT NULL -- a URN says what it is before it is found
        ORDER BY h.harvest_id, h.place
        """  # noqa: S608 - built from our own declarations
    ):
        seeds.setdefault(harvest_id, []).append(SeedLook(public_address(address), *told_of))
    rows = connection.execute(
        "SELECT id, state, level, reason, started_at, finished_at, round, options FROM harvests ORDER BY id"
    ).fetchall()
    return tuple(
        HarvestLook(
            seed=seeds[r[0]][0].address,
            track_id=seeds[r[0]][0].thing_id if seeds[r[0]][0].thing == "track" else None,
            title=seeds[r[0]][0].title,
            state=r[1],
            depth=r[2],
            reason=r[3],
            started_at=r[4],
            finished_at=r[5],
            lists_open=lists_open.get(r[0], 0),
            round=r[6],
            options=json.loads(r[7]),
            seeds=tuple(seeds[r[0]]),
        )
        for r in rows
    )


def _one(connection: sqlite3.Connection, sql: str) -> Any:
    return connection.execute(sql).fetchone()[0]
