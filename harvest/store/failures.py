"""What failed, and what of it may be tried again. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from harvest.things import label

# Of `failed_lists`.
COLUMNS = (
    "list",
    "subject_id",
    "subject",
    "class",
    "status",
    "outcome",
    "attempts",
    "retryable",
    "collected",
    "claimed",
    "first_at",
    "last_at",
    "resolved_at",
    "message",
)


def retryable_lists(connection: sqlite3.Connection) -> int:
    """Count the lists that failed and may be tried again, and the look-ups of seeds; other look-ups are no loss."""
    (n,) = connection.execute(
        """
        SELECT count(DISTINCT t.id)
        FROM tasks AS t JOIN failures AS f ON f.task_id = t.id AND f.retryable = 1 AND f.resolved_at IS NULL
        WHERE t.outcome = 'failed' AND (t.kind <> 'lookup' OR EXISTS (SELECT 1 FROM seeds AS s WHERE s.task_id = t.id))
        """
    ).fetchone()
    return int(n)


def lacking(connection: sqlite3.Connection) -> dict[str, int]:
    """Count the lists that did not fail and lack something all the same, by outcome."""
    return dict(
        connection.execute(
            """
            SELECT outcome, count(*) FROM tasks WHERE outcome IN ('short', 'loop', 'unreadable')
            GROUP BY outcome ORDER BY outcome
            """
        ).fetchall()
    )


def by_class(connection: sqlite3.Connection) -> dict[str, int]:
    """Count what stands failed, by class."""
    return dict(
        connection.execute(
            "SELECT class, count(*) FROM failures WHERE resolved_at IS NULL GROUP BY class ORDER BY class"
        ).fetchall()
    )


def failed_lists(
    connection: sqlite3.Connection, *, failure_class: str | None = None, also_resolved: bool = False
) -> Iterator[tuple[Any, ...]]:
    """Give what failed, oldest first: list, subject, reason and where the list stands."""
    return connection.execute(
        f"""
        SELECT t.kind, t.subject_id,
            {label("k.subject", "t.subject_id")},
            f.class, f.status, coalesce(r.outcome, r.state), f.attempts, f.retryable, r.collected, r.claimed,
            f.first_at, f.last_at, f.resolved_at, f.message
        FROM failures AS f
        JOIN tasks AS t ON t.id = f.task_id
        JOIN list_kinds AS k ON k.kind = t.kind
        JOIN readings AS r ON r.task_id = t.id
            AND r.number = (SELECT max(l.number) FROM readings AS l WHERE l.task_id = t.id)
        WHERE (?1 IS NULL OR f.class = ?1) AND (?2 OR f.resolved_at IS NULL)
        ORDER BY f.id
        """,  # noqa: S608 - built from our own declarations
        (failure_class, also_resolved),
    )
