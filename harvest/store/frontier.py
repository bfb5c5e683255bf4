"""Hand out tasks and remember how far each one got.

Only lists that a running harvest wants are handed out, first those a process before us had begun, then in the order
of their birth. Handing out is bounded in memory: ids are looked up a few at a time.
"""

from __future__ import annotations

import sqlite3
from collections import deque

from harvest.models import Task
from harvest.store.lease import Lease

_LOOK_AHEAD = 64

# Uses tasks_open: the predicate stands here as it stands in the index.
OPEN_TASKS = """
SELECT t.id FROM tasks AS t
WHERE t.state <> 'ended' AND t.state = ?
    AND EXISTS (
        SELECT 1 FROM harvest_tasks AS w JOIN harvests AS h ON h.id = w.harvest_id AND h.state = 'running'
        WHERE w.task_id = t.id
    )
ORDER BY t.id LIMIT ?
"""

_READ_TASK = """
SELECT t.id, t.kind, t.subject_id, t.argument, t.next_cursor, t.reading, t.pages_read, t.collected, t.claimed,
    max(w.cap), CASE t.kind WHEN 'resolve' THEN h.seed_url END, count(*) - count(w.cap)
FROM tasks AS t
JOIN harvest_tasks AS w ON w.task_id = t.id
JOIN harvests AS h ON h.id = w.harvest_id AND h.state = 'running'
WHERE t.id = ? AND t.state <> 'ended'
"""


class Frontier:
    """The lists still to be read, as this process takes them up."""

    def __init__(self, connection: sqlite3.Connection, *, page_size: int = 200, lease: Lease | None = None) -> None:
        self._connection = connection
        self._lease = lease
        self._page_size = page_size
        self._left_over: deque[int] = deque(row[0] for row in connection.execute(OPEN_TASKS, ("doing", -1)))
        self._ahead: deque[int] = deque()

    def is_empty(self) -> bool:
        """Say whether no list is left that a running harvest wants read."""
        return not any(self._connection.execute(OPEN_TASKS, (state, 1)).fetchone() for state in ("todo", "doing"))

    def claim(self) -> Task | None:
        """Take up the next list and mark it as being read; None when there is none to take.

        Raises CrawlBusy when the lease has become somebody else's.
        """
        if self._lease is not None:
            self._lease.check(self._connection)
        while (task_id := self._next_id()) is not None:
            task = self._read(task_id)
            if task is not None:
                self._connection.execute(
                    "UPDATE tasks SET state = 'doing', attempts = attempts + 1 WHERE id = ?", (task.id,)
                )
                return task
        return None

    def _next_id(self) -> int | None:
        if self._left_over:
            return self._left_over.popleft()
        if not self._ahead:
            self._ahead.extend(row[0] for row in self._connection.execute(OPEN_TASKS, ("todo", _LOOK_AHEAD)))
        return self._ahead.popleft() if self._ahead else None

    def _read(self, task_id: int) -> Task | None:
        row = self._connection.execute(_READ_TASK, (task_id,)).fetchone()
        if row is None or row[0] is None:
            return None
        return Task(
            id=row[0],
            kind=row[1],
            subject_id=row[2],
            argument=row[3],
            cursor=row[4],
            reading=row[5],
            page_number=row[6],
            collected=row[7],
            claimed=row[8],
            cap=row[9] if row[11] == 0 else None,  # somebody wants all of it
            page_size=self._page_size,
            seed_url=row[10],
        )
