"""Doubt lists that come back empty against what is known of them: an outage may answer so (soundcloud/api issue 69).

Known is what the service claims, and, where it hides its counts, what other lists have told: who stands among the
likers of a track likes something. A list that comes back empty is asked once more at the end of its round. When many
were empty both times, some that were not empty before are asked: if they are empty now, this is an outage, and all that
was empty in this run is to be read again.

In: lists and their pages. Out: `readings.doubted`. Never: a commit of its own.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from harvest.lists import KINDS, ListKind
from harvest.models import Page, Task
from harvest.store import edges, readings


@dataclass(frozen=True, slots=True)
class Emptied:
    """How the lists of a kind came back in a run: empty twice against what is known, empty where nothing is claimed,
    and not empty.
    """

    kind: str
    against: int
    hidden: int
    answered: int


def count(connection: sqlite3.Connection, kind: ListKind, task: Task, page: Page) -> int:
    """Say how often the first page of a reading was empty against what is known, the page just in included."""
    if task.cursor is not None or page.received or task.collected or kind.claimed is None or kind.edge is None:
        return 0
    if page.next_cursor is not None and not kind.by_offset:
        return 0  # it goes on, maybe to what is missing
    if not (task.claimed or (task.claimed is None and edges.are_known(connection, kind.edge, task.subject_id))):
        return 0
    (before,) = connection.execute(
        "SELECT doubted FROM readings WHERE task_id = ? AND number = ?", (task.id, task.reading)
    ).fetchone()
    return min(int(before) + 1, 2)


# Readings whose last page came in this run: by the primary key of `pages`, and one seek each.
_OF_THIS_RUN = """
FROM pages AS p
CROSS JOIN readings AS r ON r.task_id = p.task_id AND r.number = p.reading AND r.pages_read = p.number + 1
WHERE p.id > :since AND r.state = 'ended'
"""
EMPTIED = f"""
SELECT r.kind,
    count(*) FILTER (WHERE r.doubted = 2),
    count(*) FILTER (WHERE r.doubted = 0 AND r.collected = 0 AND r.claimed IS NULL),
    count(*) FILTER (WHERE r.collected > 0)
{_OF_THIS_RUN} GROUP BY r.kind
"""


def emptied(connection: sqlite3.Connection, since: int) -> list[Emptied]:
    """Count how lists came back in this run, for every kind of which lengths are claimed; `since` is the newest page
    before the run.
    """
    rows = connection.execute(EMPTIED, {"since": since}).fetchall()
    return [Emptied(*row) for row in rows if KINDS[row[0]].claimed is not None]


def put_back(connection: sqlite3.Connection, kind: str, since: int) -> int:
    """Put every list of a kind back that was empty in this run, but for those that are said to be; give how many.

    Their pages stand, and are asked for again.
    """
    rows = connection.execute(
        f"""
        SELECT r.task_id, r.number {_OF_THIS_RUN}
            AND r.kind = :kind AND r.collected = 0 AND r.claimed IS NOT 0 AND r.outcome IN ('complete', 'short')
            AND {readings.AT_REST.format(task="r.task_id")}
        """,
        {"since": since, "kind": kind},
    ).fetchall()
    connection.executemany("UPDATE pages SET asks = NULL, next_cursor = NULL WHERE task_id = ? AND reading = ?", rows)
    connection.executemany("UPDATE readings SET doubted = 0, next_cursor = NULL WHERE task_id = ? AND number = ?", rows)
    readings.reopen(connection, rows)
    for task_id, _ in rows:
        (subject_id,) = connection.execute("SELECT subject_id FROM tasks WHERE id = ?", (task_id,)).fetchone()
        readings.judge(connection, KINDS[kind].subject, subject_id)
    return len(rows)
