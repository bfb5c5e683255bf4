"""Look at a file in milliseconds, however large it is: seeds, failures, requests, time. Reads only."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from harvest.store.queries import public_seed, retryable_failures
from harvest.store.status import Standing, Told, standing, told


@dataclass(frozen=True, slots=True)
class Seed:
    """One seed and how far it is."""

    seed: str
    track_id: int | None
    title: str | None
    state: str
    depth: int
    reason: str | None
    started_at: str
    finished_at: str | None
    lists_open: int


@dataclass(frozen=True, slots=True)
class Look:
    """What can be said of a file without counting."""

    standing: Standing
    told: Told | None
    seeds: tuple[Seed, ...]
    failures: dict[str, int]
    retryable_failures: int
    requests: dict[str, int]
    seconds: int
    waited_seconds: float
    last_activity: str | None
    stop_reason: str | None
    delay: float | None
    is_demo: bool  # crawled from the world inside this program, which only the demo serves


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
            told=told(connection),
            seeds=_seeds(connection),
            failures=_pairs(
                connection, "SELECT class, count(*) FROM failures WHERE resolved_at IS NULL GROUP BY class ORDER BY 1"
            ),
            retryable_failures=retryable_failures(connection),
            requests=_pairs(connection, "SELECT CAST(status AS TEXT), sum(n) FROM run_requests GROUP BY status"),
            seconds=int(_one(connection, _SECONDS) or 0),
            waited_seconds=(_one(connection, _WAITED) or 0) / 1000,
            last_activity=_last_activity(connection),
            stop_reason=stopped[0] if stopped else None,
            delay=stopped[1] if stopped else None,
            is_demo=bool(stopped and stopped[2]),
        )
    finally:
        connection.execute("ROLLBACK")


# A run that has not ended lasts, as far as anybody knows, until its last word.
_SECONDS = """
SELECT sum(unixepoch(coalesce(r.ended_at, p.told_at, r.started_at)) - unixepoch(r.started_at))
FROM runs AS r LEFT JOIN progress AS p ON p.run_id = r.id
"""
_WAITED = """
SELECT sum(CASE WHEN r.ended_at IS NULL THEN coalesce(p.waited_ms, 0) ELSE r.waited_ms END)
FROM runs AS r LEFT JOIN progress AS p ON p.run_id = r.id
"""
_OPEN_BY_SEED = """
SELECT w.harvest_id, count(*) FROM tasks AS t JOIN harvest_tasks AS w ON w.task_id = t.id
WHERE t.state <> 'ended' GROUP BY w.harvest_id
"""


def _seeds(connection: sqlite3.Connection) -> tuple[Seed, ...]:
    lists_open = dict(connection.execute(_OPEN_BY_SEED).fetchall())
    rows = connection.execute(
        """
        SELECT h.id, h.seed_url, h.seed_id, t.title, h.state, h.level, h.reason, h.started_at, h.finished_at
        FROM harvests AS h LEFT JOIN tracks AS t ON t.id = h.seed_id ORDER BY h.id
        """
    )
    return tuple(
        Seed(public_seed(r[1]), r[2], r[3], r[4], r[5], r[6], r[7], r[8], lists_open.get(r[0], 0)) for r in rows
    )


def _last_activity(connection: sqlite3.Connection) -> str | None:
    found: str | None = _one(
        connection,
        """
        SELECT max(at) FROM (
            SELECT fetched_at AS at FROM pages WHERE id = (SELECT max(id) FROM pages)
            UNION ALL SELECT max(ended_at) FROM runs
            UNION ALL SELECT told_at FROM progress
        )
        """,
    )
    return found


def _pairs(connection: sqlite3.Connection, sql: str) -> dict[str, int]:
    return {row[0]: int(row[1]) for row in connection.execute(sql)}


def _one(connection: sqlite3.Connection, sql: str) -> Any:
    return connection.execute(sql).fetchone()[0]
