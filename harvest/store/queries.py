"""Answer questions about what is kept. Reads only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

COUNTED_TABLES = (
    "users",
    "tracks",
    "tags",
    "track_tags",
    "user_engagements",
    "user_follows",
    "playlists",
    "playlist_tracks",
    "playlist_engagements",
    "comments",
    "tasks",
    "pages",
    "failures",
)


@dataclass(frozen=True, slots=True)
class Lists:
    """How many lists stand how, and what the service claimed of the ended ones against what we fetched."""

    kind: str
    todo: int
    doing: int
    outcomes: dict[str, int]
    claimed: int
    collected: int


@dataclass(frozen=True, slots=True)
class Harvest:
    """One seed and how far it is."""

    seed: str
    track_id: int | None
    title: str | None
    state: str
    level: int
    reason: str | None
    options: dict[str, int | str]
    started_at: str
    finished_at: str | None
    open_lists: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What a file holds; every number is counted from its rows."""

    rows: dict[str, int]
    likes: int
    reposts: int
    lists: list[Lists]
    outcomes: dict[str, int]
    harvests: list[Harvest]
    failures: dict[str, int]
    requests: dict[str, int]
    seconds: int
    waited_seconds: float
    last_activity: str | None
    retryable_failures: int = 0

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return asdict(self)


def overview(connection: sqlite3.Connection) -> Overview:
    """Count everything a summary shows."""
    rows = {table: _one(connection, f"SELECT count(*) FROM {table}") for table in COUNTED_TABLES}  # noqa: S608
    reposts = _one(connection, "SELECT count(*) FROM user_engagements WHERE engagement_type = 'repost'")
    lists = _lists(connection)
    outcomes: dict[str, int] = {}
    for kind in lists:
        for outcome, n in kind.outcomes.items():
            outcomes[outcome] = outcomes.get(outcome, 0) + n
    return Overview(
        rows=rows,
        likes=rows["user_engagements"] - reposts,
        reposts=reposts,
        lists=lists,
        outcomes=outcomes,
        harvests=_harvests(connection),
        failures=_pairs(
            connection, "SELECT class, count(*) FROM failures WHERE resolved_at IS NULL GROUP BY class ORDER BY class"
        ),
        requests=_pairs(
            connection, "SELECT CAST(status AS TEXT), sum(n) FROM run_requests GROUP BY status ORDER BY status"
        ),
        seconds=_one(
            connection,
            """
            SELECT coalesce(sum(unixepoch(coalesce(ended_at, last_page, started_at)) - unixepoch(started_at)), 0)
            FROM (
                SELECT r.started_at, r.ended_at,
                    (SELECT max(fetched_at) FROM pages WHERE r.ended_at IS NULL AND run_id = r.id) AS last_page
                FROM runs AS r
            )
            """,
        ),
        waited_seconds=_one(connection, "SELECT coalesce(sum(waited_ms), 0) FROM runs") / 1000,
        last_activity=connection.execute(
            "SELECT max(at) FROM (SELECT fetched_at AS at FROM pages WHERE id = (SELECT max(id) FROM pages)"
            " UNION ALL SELECT max(ended_at) FROM runs)"
        ).fetchone()[0],
        retryable_failures=retryable_failures(connection),
    )


def retryable_failures(connection: sqlite3.Connection) -> int:
    """Count the lists that failed and may be tried again."""
    return _one(
        connection,
        """
        SELECT count(DISTINCT t.id)
        FROM tasks AS t JOIN failures AS f ON f.task_id = t.id AND f.retryable = 1 AND f.resolved_at IS NULL
        WHERE t.outcome = 'failed'
        """,
    )


def failed_lists(
    connection: sqlite3.Connection, *, failure_class: str | None = None, also_resolved: bool = False
) -> Iterator[tuple[Any, ...]]:
    """Give what failed, oldest first: list, subject, reason and where the list stands."""
    return connection.execute(
        """
        SELECT t.kind, t.subject_id,
            CASE k.subject
                WHEN 'track' THEN (SELECT title FROM tracks WHERE id = t.subject_id)
                WHEN 'user' THEN (SELECT username FROM users WHERE id = t.subject_id)
            END,
            f.class, f.status, coalesce(t.outcome, t.state), f.attempts, f.retryable, t.collected, t.claimed,
            f.first_at, f.last_at, f.resolved_at, f.message
        FROM failures AS f
        JOIN tasks AS t ON t.id = f.task_id
        JOIN list_kinds AS k ON k.kind = t.kind
        WHERE (?1 IS NULL OR f.class = ?1) AND (?2 OR f.resolved_at IS NULL)
        ORDER BY f.id
        """,
        (failure_class, also_resolved),
    )


def _lists(connection: sqlite3.Connection) -> list[Lists]:
    kinds: dict[str, Lists] = {}
    for kind, state, outcome, n, claimed, collected in connection.execute(
        """
        SELECT t.kind, t.state, t.outcome, count(*),
            coalesce(sum(t.claimed) FILTER (WHERE t.state = 'ended'), 0),
            coalesce(sum(t.collected), 0)
        FROM tasks AS t JOIN list_kinds AS k ON k.kind = t.kind AND k.subject <> 'harvest'
        GROUP BY t.kind, t.state, t.outcome
        ORDER BY min(t.id)
        """
    ):
        known = kinds.get(kind, Lists(kind, 0, 0, {}, 0, 0))
        kinds[kind] = Lists(
            kind,
            known.todo + (n if state == "todo" else 0),
            known.doing + (n if state == "doing" else 0),
            known.outcomes | ({outcome: n} if outcome else {}),
            known.claimed + claimed,
            known.collected + collected,
        )
    return list(kinds.values())


def _harvests(connection: sqlite3.Connection) -> list[Harvest]:
    rows = connection.execute(
        """
        SELECT h.seed_url, h.seed_id, t.title, h.state, h.level, h.reason, h.options, h.started_at, h.finished_at,
            (SELECT count(*) FROM tasks AS o WHERE o.state <> 'ended' AND EXISTS (
                SELECT 1 FROM harvest_tasks AS w WHERE w.harvest_id = h.id AND w.task_id = o.id))
        FROM harvests AS h LEFT JOIN tracks AS t ON t.id = h.seed_id
        ORDER BY h.id
        """
    )
    return [Harvest(public_seed(r[0]), r[1], r[2], r[3], r[4], r[5], json.loads(r[6]), r[7], r[8], r[9]) for r in rows]


def public_seed(seed_url: str) -> str:
    """Give a seed's address without the secret of a private link."""
    head, slash, last = seed_url.rpartition("/")
    return f"{head}/s-…" if slash and last.startswith("s-") and head.count("/") >= 4 else seed_url


def _pairs(connection: sqlite3.Connection, sql: str) -> dict[str, int]:
    return {row[0]: int(row[1]) for row in connection.execute(sql)}


def _one(connection: sqlite3.Connection, sql: str) -> int:
    return int(connection.execute(sql).fetchone()[0] or 0)
