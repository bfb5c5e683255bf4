"""Hand out tasks and remember how far each one got.

Only lists that a running harvest wants are handed out, in the order in which they were first wanted. Handing out is
bounded in memory: ids are looked up a few at a time.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from functools import cache

from harvest.lists import KINDS
from harvest.models import Outcome, Task
from harvest.store.harvests import LOOKED_UP, WANTED
from harvest.store.lease import Lease
from harvest.store.lookups import URNS
from harvest.things import THINGS

_LOOK_AHEAD = 64

# Uses readings_open: the predicate stands here as it stands in the index.
OPEN_READINGS = f"""
SELECT r.task_id FROM readings AS r
WHERE r.state <> 'ended' AND r.state = ?
    AND CASE WHEN r.kind IN ('resolve', 'lookup') THEN {LOOKED_UP.format(task="r.task_id")}
        ELSE r.collected < coalesce(r.cap, {WANTED.format(task="r.task_id")}) END
ORDER BY r.task_id LIMIT ?
"""  # noqa: S608 - our own text

_NAMED = " ".join(
    f"WHEN '{kind.name}' THEN {THINGS[kind.subject].urn_of('t.subject_id')}"
    for kind in KINDS.values()
    if kind.subject in THINGS and THINGS[kind.subject].by_name
)
_READ_TASK = f"""
SELECT t.id, t.kind, t.subject_id, r.next_cursor, r.number, r.pages_read, r.barren, r.collected, r.claimed,
    coalesce(r.cap, {WANTED.format(task="r.task_id")}), r.mode = 'head',
    (
        SELECT sum(p.received) FROM readings AS b
        CROSS JOIN pages AS p ON p.task_id = b.task_id AND p.reading = b.number
        WHERE b.task_id = r.task_id AND b.number = r.number - 1 AND b.unproven > 0
    ),
    CASE t.kind
        WHEN 'resolve' THEN (SELECT address FROM seeds WHERE id = t.subject_id)
        WHEN 'lookup' THEN {URNS.format(batch="t.subject_id")}
        {_NAMED}
    END
FROM readings AS r JOIN tasks AS t ON t.id = r.task_id
WHERE r.task_id = ? AND r.state <> 'ended'
"""  # noqa: S608 - our own text


_ANSWERED_BEFORE = f"""
SELECT t.id, t.kind, t.subject_id, CASE t.kind {_NAMED} END FROM tasks AS t
WHERE t.kind = ? AND t.outcome = ? AND t.collected > 0 ORDER BY t.claimed DESC, t.collected DESC LIMIT ?
"""  # noqa: S608 - our own text


_REFUSED = f"""
SELECT t.id, t.kind, t.subject_id, CASE t.kind {_NAMED} END, f.status, f.message, f.last_at
FROM failures AS f CROSS JOIN tasks AS t ON t.id = f.task_id AND t.outcome IN ('forbidden', 'gone', 'failed')
WHERE f.resolved_at IS NULL AND f.retryable = 0 AND f.class IN ('forbidden', 'gone', 'bad_request')
    AND t.kind NOT IN ({", ".join(f"'{kind.name}'" for kind in KINDS.values() if kind.looks_up)})
ORDER BY f.id
"""  # noqa: S608 - our own text
_WITHDRAWN = """
SELECT t.kind, f.status, f.message, f.last_at
FROM failures AS f CROSS JOIN tasks AS t ON t.id = f.task_id
WHERE f.resolved_at IS NULL AND f.retryable = 0 AND f.class = 'withdrawn'
ORDER BY f.id
"""
_LOOKED_BACK = 100_000  # pages at most
_LAST_ANSWER = """
SELECT p.fetched_at FROM pages AS p CROSS JOIN tasks AS t ON t.id = p.task_id AND t.kind = ?
WHERE p.id > (SELECT max(id) FROM pages) - ? ORDER BY p.id DESC LIMIT 1
"""


def answered_before(connection: sqlite3.Connection, kind: str, most: int) -> list[Task]:
    """Give some lists of a kind that brought something, to be asked only to see whether they still do."""
    found: list[Task] = []
    for outcome in (outcome for outcome in Outcome if outcome.answered):
        rows = connection.execute(_ANSWERED_BEFORE, (kind, outcome, most - len(found)))
        found += [Task(row[0], row[1], row[2], about=row[3]) for row in rows]
    return found


def other_answered(connection: sqlite3.Connection, task: Task) -> Task | None:
    """Give another list of the same kind that brought something before, None where there is none."""
    return next((one for one in answered_before(connection, task.kind, 2) if one.id != task.id), None)


def refused_before(connection: sqlite3.Connection) -> Iterator[tuple[Task, int, str]]:
    """Give the lists that are down as refused and with none of their kind answered since, each with status and message.

    A run believes few, but those of several runs may speak of their kind.
    """
    since = _since_answered(connection)
    for task_id, kind, subject_id, about, status, message, at in connection.execute(_REFUSED):
        if since(kind, at):
            yield Task(task_id, kind, subject_id, about=about), status, message


def withdrawn_before(connection: sqlite3.Connection) -> Iterator[tuple[str, int, str]]:
    """Return the kinds of lists that are down as withdrawn, with none answered since, each with status and message."""
    since = _since_answered(connection)
    for kind, status, message, at in connection.execute(_WITHDRAWN):
        if since(kind, at):
            yield kind, status, message


def _since_answered(connection: sqlite3.Connection) -> Callable[[str, str], bool]:
    """Return what says whether a moment is later than the last answer to a list of that kind."""

    @cache
    def answered(kind: str) -> str:
        row = connection.execute(_LAST_ANSWER, (kind, _LOOKED_BACK)).fetchone()
        return row[0] if row else ""

    return lambda kind, at: at > answered(kind)


def open_list(connection: sqlite3.Connection, kind: str, subject_id: int, about: str | None = None) -> Task | None:
    """Give an open list as it stands, None where there is none; one that looks up is the one that asks `about` this."""
    row = connection.execute("SELECT id FROM tasks WHERE kind = ? AND subject_id = ?", (kind, subject_id)).fetchone()
    task = _read(connection, row[0]) if row else None
    if about is None or (task is not None and task.about == about):
        return task
    rows = connection.execute("SELECT task_id FROM readings WHERE state <> 'ended' AND kind = ?", (kind,))
    tasks = (_read(connection, row[0]) for row in rows.fetchall())
    return next((task for task in tasks if task is not None and task.about == about), None)


class Frontier:
    """The lists still to be read, as this process takes them up."""

    def __init__(self, connection: sqlite3.Connection, *, page_size: int = 200, lease: Lease | None = None) -> None:
        self._connection = connection
        self._lease = lease
        self._page_size = page_size
        self._ahead: deque[int] = deque()

    def is_empty(self) -> bool:
        """Say whether no list is left that a running harvest wants read."""
        return not any(self._connection.execute(OPEN_READINGS, (state, 1)).fetchone() for state in ("todo", "doing"))

    def claim(self) -> Task | None:
        """Take up the next list and mark it as being read; None when there is none to take.

        Raises CrawlBusy when another process has taken the lease over.
        """
        if self._lease is not None:
            self._lease.check(self._connection)
        while (task_id := self._next_id()) is not None:
            task = _read(self._connection, task_id, self._page_size)
            if task is not None:
                self._mark(task)
                return task
        return None

    def _mark(self, task: Task) -> None:
        """Mark a list as being read, by one statement that looks itself whether the file is still ours."""
        marked = self._connection.execute(
            """
            UPDATE readings SET state = 'doing', attempts = attempts + 1
            WHERE task_id = ?1 AND number = ?2 AND (?3 IS NULL OR EXISTS (SELECT 1 FROM lease WHERE holder = ?3))
            """,
            (task.id, task.reading, self._lease.holder if self._lease else None),
        )
        if not marked.rowcount and self._lease is not None:
            self._lease.check(self._connection)

    def _next_id(self) -> int | None:
        if not self._ahead:
            self._ahead.extend(row[0] for row in self._connection.execute(OPEN_READINGS, ("todo", _LOOK_AHEAD)))
        return self._ahead.popleft() if self._ahead else None


def _read(connection: sqlite3.Connection, task_id: int, page_size: int = 200) -> Task | None:
    row = connection.execute(_READ_TASK, (task_id,)).fetchone()
    if row is None:
        return None
    return Task(
        id=row[0],
        kind=row[1],
        subject_id=row[2],
        cursor=row[3],
        reading=row[4],
        page_number=row[5],
        barren=row[6],
        collected=row[7],
        claimed=row[8],
        cap=row[9],
        page_size=_uneven(page_size, row[11]),
        head=bool(row[10]),
        about=row[12],
    )


def _uneven(page_size: int, length: int | None) -> int:
    """Give the size of pages for a list that is read once more to see whether it was cut after so many entries: one
    that leaves the last page short, for a list that ends by itself ends there all the same. Without a length the usual.
    """
    if not length:
        return page_size
    return next((size for size in range(page_size, 1, -1) if length % size), page_size)
