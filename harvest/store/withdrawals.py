"""End a kind of list that the service shows no more, once: every open list of it, and those that were blamed for it.

One row in `failures` says why. In: a kind. Out: rows of `readings`, `tasks`, `failures`. Never: a commit of its own.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from harvest.lists import KINDS
from harvest.models import Outcome, Task
from harvest.store import readings

_BLAMED = """
SELECT DISTINCT t.id FROM tasks AS t
CROSS JOIN failures AS f ON f.task_id = t.id AND f.resolved_at IS NULL AND f.status = :status AND f.retryable = 0
WHERE t.kind = :kind AND t.outcome IN ('forbidden', 'gone', 'failed') AND f.first_at >= :since
"""
# What a page could not hold, with status 200, is true of it nonetheless; the one row that says why stays.
_FORGET = """
DELETE FROM failures WHERE task_id = ? AND resolved_at IS NULL AND status <> 200 AND class <> 'withdrawn'
"""
# Uses readings_open.
_OPEN = "SELECT task_id FROM readings WHERE state <> 'ended' AND state = 'todo' AND kind = :kind"
_LAST = """
SELECT t.id, t.kind, t.subject_id, r.number, r.pages_read, r.barren, r.collected, r.claimed, r.next_cursor
FROM tasks AS t CROSS JOIN readings AS r ON r.task_id = t.id
WHERE t.id = ? ORDER BY r.number DESC LIMIT 1
"""


def withdraw(connection: sqlite3.Connection, tasks: Iterable[Task], status: int, since: str, now: str) -> None:
    """End as withdrawn the lists of a kind that are not being read, and `tasks`; what was said of others of
    that kind `since` then, with the same status, is taken back.
    """
    tasks = list(tasks)
    kind = tasks[0].kind
    named = {"kind": kind, "status": status, "since": since}
    blamed = [row[0] for row in connection.execute(_BLAMED, named)]
    for task_id in [*blamed, *(task.id for task in tasks)]:
        connection.execute(_FORGET, (task_id,))
    end(connection, [*blamed, *(task.id for task in tasks), *(row[0] for row in connection.execute(_OPEN, named))], now)


def being_read(connection: sqlite3.Connection, kind: str) -> list[int]:
    """Give the subjects whose lists of a kind are being read just now."""
    # Uses readings_open.
    rows = connection.execute(
        """
        SELECT t.subject_id FROM readings AS r CROSS JOIN tasks AS t ON t.id = r.task_id
        WHERE r.state <> 'ended' AND r.state = 'doing' AND r.kind = ?
        """,
        (kind,),
    )
    return [row[0] for row in rows]


def mark_as_read(connection: sqlite3.Connection, kind: str, subjects: Iterable[int]) -> None:
    """Mark the open lists of a kind as being read that are those of these subjects, and no others."""
    connection.execute(
        """
        UPDATE readings SET state = iif(
            task_id IN (
                SELECT t.id FROM json_each(?2) AS s CROSS JOIN tasks AS t ON t.kind = ?1 AND t.subject_id = s.value
            ),
            'doing', 'todo'
        )
        WHERE state <> 'ended' AND kind = ?1
        """,
        (kind, json.dumps(list(subjects))),
    )


def end_open(connection: sqlite3.Connection, kinds: Iterable[str], now: str) -> None:
    """End the lists of these kinds that were wanted since."""
    for kind in kinds:
        end(connection, [row[0] for row in connection.execute(_OPEN, {"kind": kind})], now)


def end(connection: sqlite3.Connection, task_ids: Iterable[int], now: str) -> None:
    """End lists as withdrawn."""
    for task_id in dict.fromkeys(task_ids):
        row = connection.execute(_LAST, (task_id,)).fetchone()
        task = Task(
            row[0], row[1], row[2], row[8], reading=row[3], page_number=row[4], barren=row[5], collected=row[6],
            claimed=row[7],
        )  # fmt: skip
        readings.end(connection, task, KINDS[task.kind], Outcome.WITHDRAWN, now)
