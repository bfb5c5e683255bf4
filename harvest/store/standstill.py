"""Begin again what has stood still too long to go on: readings again, and a refresh with what it has counted.

A first reading goes on however long it stood still: it calls nothing gone. What is read again is compared with what
stood before, and with counts, so all of it has to be of one moment (proof.py).

In: a file in which nothing is being read. Out: readings that have ended as stale, and others begun. Never: a commit of
its own.
"""

from __future__ import annotations

import sqlite3

from harvest.lists import KINDS
from harvest.models import Outcome, Task
from harvest.store import proof, readings, refreshes
from harvest.store.refreshes import Refresh

# Uses readings_open. A reading without a page has its claim alone.
STALE = """
SELECT r.task_id, t.kind, t.subject_id, r.next_cursor, r.number, r.pages_read, r.barren, r.collected, r.claimed,
    r.mode = 'head', r.cap, r.refresh_id
FROM readings AS r CROSS JOIN tasks AS t ON t.id = r.task_id
WHERE r.state <> 'ended' AND r.number > 0 AND r.kind <> 'lookup' AND (r.refresh_id IS :refresh AND :refresh OR coalesce(
    (SELECT p.fetched_at FROM pages AS p WHERE p.task_id = r.task_id AND p.reading = r.number ORDER BY p.number DESC),
    r.claimed_at
) < :mark)
"""


def begin_anew(connection: sqlite3.Connection, now: str) -> tuple[int, Refresh | None]:
    """End re-readings that have stood still for longer than a moment lasts, and begin them again; end a refresh that
    has, with all of its readings. Give how many readings, and what is to be refreshed again, None without such a one.
    """
    mark = proof.a_moment_before(now)
    refresh_id, refresh = refreshes.stale(connection, mark) or (None, None)
    rows = connection.execute(STALE, {"refresh": refresh_id, "mark": mark}).fetchall()
    for row in rows:
        task_id, kind, subject_id, cursor, number, pages, barren, collected, claimed, head, cap, of_refresh = row
        task = Task(
            task_id, kind, subject_id, cursor, reading=number, page_number=pages, barren=barren, collected=collected,
            claimed=claimed,
        )  # fmt: skip
        readings.end(connection, task, KINDS[kind], Outcome.STALE, now)
        if refresh_id is None or of_refresh != refresh_id:
            readings.begin_again(connection, task_id, now, head=bool(head), cap=cap, refresh_id=of_refresh)
    if refresh_id is not None:
        refreshes.end(connection, refresh_id, now)
    return len(rows), refresh
