"""Weigh a reading that lacks something: whether that has vanished.

Vanished is what a reading lacks that ended `complete`, if nothing speaks against it: lists are cut without a word,
pages are lost, entries come as null. The first that holds (docs/adr/0005-vanished.md):

1. The service counts no more than the reading brought, by a count that the same refresh has looked up: all that it
   lacks has vanished. A list may always have lacked some of its count; but not where it ends as one that was cut, with
   a full page or an empty one.
2. As many entries were unreadable as the time before, all is in the order that is known, and an older entry stands
   behind: a list that is cut lacks its end.
3. The reading before was complete and lacked it too, nothing was added since, what is counted says no more than usual,
   and the list does not end as one that was cut.

A count that is a day older than the reading, and a reading that took longer than a day, prove nothing.

In: a reading that has ended. Out: what is proven. Never: a row written.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from harvest.lists import ListKind
from harvest.models import Outcome, Task
from harvest.store import edges
from harvest.store.lookups import OF_THING
from harvest.system.clock import as_text

# How old a count may be, and how long a reading may take or stand still, to be of one moment with the rest of a list:
# within a day cursors live and little moves. What took longer proves nothing.
A_MOMENT = timedelta(days=1)
_SIZE = re.compile(r"[?&](?:limit|page_size)=([0-9]{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Proof:
    """What proves that something has vanished: all that is missing, or what stood before or behind a place."""

    of_all: bool = False
    before: int | None = None
    behind: int | None = None

    def holds(self, place: int) -> bool:
        """Say whether it is proven for what stood at a place."""
        return (
            self.of_all
            or (self.before is not None and place < self.before)
            or (self.behind is not None and place >= self.behind)
        )


@dataclass(frozen=True, slots=True)
class Ended:
    """A reading that was answered, as far as it weighs."""

    number: int
    outcome: str
    claimed: int | None
    collected: int
    skipped: int
    refresh_id: int | None
    unproven: int
    suppressed: int

    @property
    def shown(self) -> int:
        """How much the service showed: what was kept, and what was not because it was forgotten."""
        return self.collected + self.suppressed


def a_moment_before(now: str) -> str:
    """Give the time before which whatever was seen is of another moment than `now`."""
    return as_text(datetime.fromisoformat(now) - A_MOMENT)


def weigh(connection: sqlite3.Connection, task: Task, kind: ListKind, shown: Sequence[int]) -> Proof:
    """Weigh a reading that lacks something; `shown` are the known places of what it shows, in its own order."""
    edge = kind.edge
    if kind.computed or edge is None:
        return Proof(of_all=True)
    skipped, repeated, pages, suppressed, first_at, last_at = connection.execute(
        """
        SELECT sum(skipped), sum(received - kept - skipped - suppressed), count(*), sum(suppressed),
            min(fetched_at), max(fetched_at)
        FROM pages WHERE task_id = ? AND reading = ?
        """,
        (task.id, task.reading),
    ).fetchone()
    collected = task.collected + suppressed
    if first_at < a_moment_before(last_at):
        return Proof()
    before = before_of(connection, task)
    usual = before is not None and before.skipped == skipped
    if kind.by_offset and pages > 1 and repeated:  # it moved while it was read, and may have moved the other way
        usual = False
    in_order = usual and all(one < other for one, other in pairwise(shown))
    cut_off = shown[-1] if shown and in_order else None
    may_be_cut = _may_be_cut(connection, task)
    again = (
        not may_be_cut
        and before is not None
        and before.number > 0
        and before.outcome == Outcome.COMPLETE
        and not _has_grown_since(connection, task, before.number)
    )
    if task.claimed is not None and _is_fresh(connection, task, kind):
        lacking = [
            max(0, one.claimed - one.shown)
            for one in readings_before(connection, task)
            if one.outcome in (Outcome.COMPLETE, Outcome.SHORT) and one.claimed is not None and one.skipped == skipped
        ]
        if collected + (0 if may_be_cut else min(lacking, default=0)) >= task.claimed:
            return Proof(of_all=True)
        again = again and collected + max(lacking, default=0) >= task.claimed
    if edge.repeats:  # an unproven reading has left no trace in the list but its length
        return Proof(of_all=again and before is not None and before.shown == collected, before=cut_off)
    return Proof(before=cut_off, behind=before.collected if again and before is not None else None)


def _has_grown_since(connection: sqlite3.Connection, task: Task, number: int) -> bool:
    """Say whether readings between that one and this, of the head or not answered, have added to the list: what they
    added may stand behind, as what that one lacked does.
    """
    row = connection.execute(
        "SELECT 1 FROM readings WHERE task_id = ? AND number > ? AND number < ? AND came > 0",
        (task.id, number, task.reading),
    ).fetchone()
    return row is not None


def _may_be_cut(connection: sqlite3.Connection, task: Task) -> bool:
    """Say whether a reading ends as one that was cut: with a page of as many entries as were asked for, or with one of
    none after a page that said the list goes on.
    """
    request, received, number = connection.execute(
        "SELECT request, received, number FROM pages WHERE task_id = ? AND reading = ? ORDER BY number DESC LIMIT 1",
        (task.id, task.reading),
    ).fetchone()
    asked = _SIZE.search(request)
    return (asked is not None and received >= int(asked[1])) or (number > 0 and not received)


def _is_fresh(connection: sqlite3.Connection, task: Task, kind: ListKind) -> bool:
    """Say whether the subject was looked up in the refresh that reads its list, a moment ago at most: only then is its
    count as young.
    """
    (at,) = connection.execute(
        "SELECT fetched_at FROM pages WHERE task_id = ? AND reading = ? ORDER BY number DESC LIMIT 1",
        (task.id, task.reading),
    ).fetchone()
    row = connection.execute(
        f"""
        SELECT 1 FROM readings AS r CROSS JOIN refreshes AS f ON f.id = r.refresh_id
        WHERE r.task_id = ?2 AND r.number = ?3 AND EXISTS (
            SELECT 1 FROM {OF_THING.format(thing=kind.subject, thing_id="?1")} AND i.shown = 1 AND EXISTS (
                SELECT 1 FROM pages AS p WHERE p.task_id = l.id AND p.id > f.first_page_id AND p.fetched_at >= ?4
            )
        )
        """,  # noqa: S608 - built from our own declarations
        (task.subject_id, task.id, task.reading, a_moment_before(at)),
    ).fetchone()
    return row is not None


def is_emptied(connection: sqlite3.Connection, task: Task, kind: ListKind) -> bool:
    """Say whether a re-reading has brought nothing of a list that holds something, and no count that its refresh has
    looked up says that there is nothing: an outage answers so (soundcloud/api issue 69). In a refresh, which tells what
    has changed, it is enough that something is counted; in a crawl it is not, so that a list ends alike however often
    it is read.
    """
    edge = kind.edge
    if edge is None or not task.reading:
        return False
    counted = bool(task.claimed) and _is_of_refresh(connection, task)
    if not counted and not edges.are_known(connection, edge, task.subject_id):
        return False
    return not (task.claimed == 0 and _is_fresh(connection, task, kind))


def _is_of_refresh(connection: sqlite3.Connection, task: Task) -> bool:
    row = connection.execute(
        "SELECT refresh_id FROM readings WHERE task_id = ? AND number = ?", (task.id, task.reading)
    ).fetchone()
    return row is not None and row[0] is not None


def is_whole(ended: Ended) -> bool:
    """Say whether a reading has shown the whole list, for all that is known: an empty answer where something is counted
    may be that of an outage, however little is counted.
    """
    return ended.outcome == Outcome.COMPLETE and (ended.collected > 0 or not ended.claimed)


def before_of(connection: sqlite3.Connection, task: Task) -> Ended | None:
    """Give the reading before that was answered, not only as far as it was known; None where there is none."""
    return next(readings_before(connection, task), None)


def readings_before(connection: sqlite3.Connection, task: Task) -> Iterator[Ended]:
    """Give the readings before that were answered, not only as far as they were known, the last one first."""
    rows = connection.execute(
        """
        SELECT r.number, r.outcome, r.claimed, r.collected, r.skipped, r.refresh_id, r.unproven, r.suppressed
        FROM readings AS r JOIN outcomes AS o ON o.outcome = r.outcome AND o.answered = 1
        WHERE r.task_id = ? AND r.number < ? AND r.outcome <> 'caught_up'
        ORDER BY r.number DESC
        """,
        (task.id, task.reading),
    )
    return (Ended(*row) for row in rows.fetchall())
