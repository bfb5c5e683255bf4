"""Refresh a file: which lists are read again, in which order, how, and what that found.

1. The subjects of its lists are looked up in batches: a list is due when what the service counts has moved since the
   list was read last, or when it is older than was asked for.
2. Due lists are read in the order of the new edges to be expected per request. A tenth of the lists read are those
   read longest ago among the others: a like and an un-like leave a count as it was, and how often that happens is
   measured so.
3. Where a count rose and the list was whole, its head is read, until a whole page is known. Where it fell, or where the
   head brought more than it rose by, something went: the whole list is read.

A refresh stands in the file while it goes on, so `harvest resume` continues it.

In: a file, what to refresh. Out: look-ups and readings to be made. Never: a commit of its own.
"""

from __future__ import annotations

import heapq
import json
import sqlite3
from array import array
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from math import ceil

from harvest.lists import KINDS, ListKind
from harvest.models import Outcome
from harvest.store import changes, lookups, readings
from harvest.store.lookups import OF_THING
from harvest.store.rounds import READERS
from harvest.system.clock import as_text
from harvest.things import THINGS

UNMOVED_SHARE = 0.1  # of the lists read: those that nothing speaks for
_RESERVE = 0.9  # of the requests left: the rest is for what vanished, what fails, what is read once more
# Who is gone costs a request each, so a few are asked about each time: at least so many, or such a share of the others.
_GONE_AT_LEAST, _GONE_SHARE = 5, 0.002
_AT_MOST = 200  # edges that one request can bring


@dataclass(frozen=True, slots=True)
class Refresh:
    """What is refreshed: `full` every list, whole; `older_than` seconds also those read before that; `read` only these
    lists, by name, () for all.
    """

    full: bool = False
    older_than: float | None = None
    read: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """A list that may be read again: how, for how many requests, and how many new edges may be expected; whether it is
    worth it, and whether that is because its count has moved.
    """

    task_id: int
    cap: int
    head: bool
    requests: int
    expected: float
    worth_it: bool
    moved: bool
    read_at: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a refresh found, or has found so far. Of the `lists` read again, `heads` were read no further than they were
    known; `unmoved` ones were read although their count stood still, and `unmoved_changed` of these had changed all the
    same: the blind spot of counts.
    """

    state: str
    looked_up: int
    lists: int
    heads: int
    unmoved: int
    unmoved_changed: int
    failed: int
    left_out: int
    changes: dict[str, int]
    reasons: dict[str, int]


def begin(connection: sqlite3.Connection, refresh: Refresh, now: str, *, room: int | None = None) -> None:
    """Begin a refresh, or go on with the one that was stopped, and want the subjects of its lists looked up; with
    `room` for so many requests, half of it at most goes into that.
    """
    options = json.dumps(asdict(refresh))
    if not connection.execute("UPDATE refreshes SET options = ? WHERE state <> 'done'", (options,)).rowcount:
        connection.execute(
            """
            INSERT INTO refreshes (options, state, begun_at, first_version, first_page_id)
            SELECT ?, 'counting', ?, (SELECT coalesce(max(version), 0) FROM changes), coalesce(max(id), 0) FROM pages
            """,
            (options, now),
        )
    left = None if room is None else room // 2
    for thing, ids in subjects(connection, refresh).items():
        at_once = THINGS[thing].at_once
        for _ in lookups.ask_in_batches(connection, thing, ids if left is None else ids[: left * at_once]):
            left = None if left is None else left - 1


def subjects(connection: sqlite3.Connection, refresh: Refresh) -> dict[str, array[int]]:
    """Give the ids of those whose lists may be read again and who can be looked up in batches, by kind of thing; whose
    counts were seen longest ago come first, and last a few of those who are gone or may not be seen: they may be back.
    Who is looked up in the refresh that is open is not among them.
    """
    kinds, found = _kinds(refresh), {}
    for thing in sorted({kind.subject for kind in kinds if THINGS[kind.subject].at_once > 1}):
        rows = connection.execute(_subjects_sql(thing, kinds)).fetchall()
        there, gone = ([row[0] for row in rows if bool(row[1]) is is_gone] for is_gone in (False, True))
        most = len(gone) if refresh.full else max(_GONE_AT_LEAST, int(len(there) * _GONE_SHARE))
        found[thing] = array("q", [*there, *gone[:most]])
    return found


def go_on(connection: sqlite3.Connection, now: str, *, page_size: int, room: int | None = None) -> bool:
    """Begin the readings that are due now, as many as there is `room` for in requests; say whether there are any.
    Without any the refresh is done. To be called when nothing is being read.
    """
    row = connection.execute("SELECT id, options FROM refreshes WHERE state <> 'done'").fetchone()
    if row is None:
        return False
    refresh_id, options = row
    chosen, left_out = choose(connection, _loaded(options), now, page_size=page_size, room=room, refresh_id=refresh_id)
    for due in chosen:
        readings.begin_again(connection, due.task_id, now, head=due.head, cap=due.cap, refresh_id=refresh_id)
    if chosen:
        connection.execute("UPDATE refreshes SET state = 'reading' WHERE id = ?", (refresh_id,))
    else:
        end(connection, refresh_id, now, left_out)
    return bool(chosen)


def stale(connection: sqlite3.Connection, mark: str) -> tuple[int, Refresh] | None:
    """Give number and options of the refresh that was stopped if nothing was asked since `mark`; None without one."""
    row = connection.execute(
        """
        SELECT id, options FROM refreshes
        WHERE state <> 'done'
            AND max(begun_at, coalesce((SELECT fetched_at FROM pages ORDER BY id DESC LIMIT 1), '')) < ?
        """,
        (mark,),
    ).fetchone()
    return None if row is None else (row[0], _loaded(row[1]))


def end(connection: sqlite3.Connection, refresh_id: int, now: str, left_out: int | None = None) -> None:
    """Say that a refresh is done; `left_out` is None where that is not known."""
    connection.execute(
        "UPDATE refreshes SET state = 'done', ended_at = ?, left_out = ? WHERE id = ?", (now, left_out, refresh_id)
    )


def is_open(connection: sqlite3.Connection) -> bool:
    """Say whether a refresh was begun and is not done."""
    return connection.execute("SELECT 1 FROM refreshes WHERE state <> 'done'").fetchone() is not None


def choose(
    connection: sqlite3.Connection,
    refresh: Refresh,
    now: str,
    *,
    page_size: int,
    room: int | None = None,
    refresh_id: int | None = None,
) -> tuple[list[Due], int]:
    """Choose what a refresh reads next, one that is under way or, without an id, one that is to be planned; give it
    with the number of lists whose count has moved that are left out for want of `room`.
    """
    worth_it: list[Due] = []
    others: list[Due] = []
    for due in _due(connection, refresh, now, page_size, refresh_id):
        (worth_it if due.worth_it else others).append(due)
    worth_it.sort(key=lambda due: (-due.expected / due.requests, due.read_at, due.task_id))
    begun = connection.execute("SELECT 1 FROM refreshes WHERE state = 'reading' AND id = ?", (refresh_id,)).fetchone()
    share = len(worth_it) if room is None else min(len(worth_it), int(room * _RESERVE))
    most = 0 if begun else max(1, ceil(share * UNMOVED_SHARE / (1 - UNMOVED_SHARE)))
    oldest = heapq.nsmallest(most, others, key=lambda due: (due.read_at, due.task_id))
    if room is None:
        return worth_it + oldest, 0
    left, chosen = room * _RESERVE, []
    for due in (*oldest, *worth_it):
        if due.requests <= left:
            left -= due.requests
            chosen.append(due)
    return chosen, sum(due.moved for due in worth_it) - sum(due.moved for due in chosen)


def found(connection: sqlite3.Connection) -> Found | None:
    """Give what the last refresh found; None where there was none."""
    row = connection.execute(
        "SELECT id, state, first_version, first_page_id, coalesce(left_out, 0) FROM refreshes ORDER BY id DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    refresh_id, state, version, page_id, left_out = row
    (looked_up,) = connection.execute(
        """
        SELECT count(*) FROM batch_items AS i JOIN tasks AS t ON t.kind = 'lookup' AND t.subject_id = i.batch_id
        WHERE EXISTS (SELECT 1 FROM pages AS p WHERE p.task_id = t.id AND p.id > ?)
        """,
        (page_id,),
    ).fetchone()
    lists, heads, unmoved, unmoved_changed, failed = connection.execute(
        """
        SELECT count(*), count(*) FILTER (WHERE heads = readings), count(*) FILTER (WHERE unmoved),
            count(*) FILTER (WHERE unmoved AND changed), count(*) FILTER (WHERE failed)
        FROM (
            SELECT count(*) AS readings, sum(r.mode = 'head') AS heads, max(r.came + r.went) > 0 AS changed,
                max(r.claimed = b.claimed AND b.refresh_id IS NOT r.refresh_id) AS unmoved,
                max(o.retryable = 1 OR r.outcome IN ('unreadable', 'withdrawn')) AS failed
            FROM readings AS r
            JOIN readings AS b ON b.task_id = r.task_id AND b.number = r.number - 1
            JOIN outcomes AS o ON o.outcome = r.outcome
            WHERE r.number > 0 AND r.refresh_id = ?
            GROUP BY r.task_id
        )
        """,
        (refresh_id,),
    ).fetchone()
    changed = changes.summed(connection, version)
    return Found(
        state, looked_up, lists, heads, unmoved, unmoved_changed, failed, left_out,
        changed.counts, changed.reasons,
    )  # fmt: skip


def _kinds(refresh: Refresh) -> list[ListKind]:
    return [kind for kind in KINDS.values() if kind.edge and (not refresh.read or kind.option in refresh.read)]


def _loaded(options: str) -> Refresh:
    told = json.loads(options)
    return Refresh(bool(told["full"]), told["older_than"], tuple(told["read"]))


def _due(
    connection: sqlite3.Connection, refresh: Refresh, now: str, page_size: int, refresh_id: int | None
) -> Iterator[Due]:
    """Go through the lists that may be read again; of those that are not worth it, 0 new edges are expected."""
    mark = None
    if refresh.older_than is not None:
        mark = as_text(datetime.fromisoformat(now) - timedelta(seconds=refresh.older_than))
    for kind in _kinds(refresh):
        for row in connection.execute(_due_sql(kind, refresh)):
            last = _Last(*row)
            due = _weigh(kind, last, refresh, mark, page_size, refresh_id)
            if due is not None:
                yield due


@dataclass(frozen=True, slots=True)
class _Last:
    """How a list was read last, and what the service counts now."""

    task_id: int
    outcome: str | None
    collected: int
    cap: int
    claimed: int | None
    claimed_now: int | None
    ended_at: str
    refresh_id: int | None
    mode: str
    answered: int
    came: int
    claimed_before: int | None
    readings: int
    changed: int


def _weigh(
    kind: ListKind, last: _Last, refresh: Refresh, mark: str | None, page_size: int, refresh_id: int | None
) -> Due | None:
    """Say what reading a list again is worth; None where it was read in this refresh, and nothing went that its head
    does not show.
    """
    by = None if last.claimed is None or last.claimed_now is None else last.claimed_now - last.claimed
    assert kind.edge is not None
    can_head = last.outcome == Outcome.COMPLETE and not kind.edge.repeats and not kind.computed and not refresh.full
    can_head = can_head and (last.claimed_now or 0) <= last.cap and last.answered == 1
    if refresh_id is not None and last.refresh_id == refresh_id:
        rose = (last.claimed or 0) - (last.claimed_before or 0)
        if not (last.mode == "head" and last.answered and last.claimed is not None and last.came > max(0, rose)):
            return None
        by = -(last.came - rose)
    if by is not None and by < 0:
        can_head = False
    length = max(last.collected, min(last.claimed_now or 0, last.cap))
    requests = 1 if can_head or kind.whole or kind.inside else max(1, ceil(length / page_size))
    rate = (last.changed + 1) / (last.readings + 2)  # of readings that brought anything
    if by:
        expected = float(min(abs(by), _AT_MOST))
    elif refresh.full or kind.own or not last.answered or (mark is not None and last.ended_at < mark):
        expected = rate
    else:
        return Due(last.task_id, last.cap, can_head, requests, 0.0, False, False, last.ended_at)
    return Due(last.task_id, last.cap, can_head, requests, expected, True, bool(by), last.ended_at)


def _subjects_sql(thing: str, kinds: list[ListKind]) -> str:
    """Write the query for the subjects of lists, each with whether it is not there: those come last, and first among
    them who was asked about longest ago.
    """
    names = ", ".join(f"'{kind.name}'" for kind in kinds if kind.subject == thing)
    look_ups = OF_THING.format(thing=thing, thing_id="x.id")
    return f"""
        SELECT x.id, x.status <> 'ok' FROM {THINGS[thing].table} AS x
        WHERE x.status <> 'forgotten' AND EXISTS (
            SELECT 1 FROM tasks AS t WHERE t.subject_id = x.id AND t.kind IN ({names}) AND t.outcome IS NOT NULL
        ) AND NOT EXISTS (
            SELECT 1 FROM refreshes AS f, {look_ups} AND f.state <> 'done' AND (
                l.outcome IS NULL OR EXISTS (SELECT 1 FROM pages AS p WHERE p.task_id = l.id AND p.id > f.first_page_id)
            )
        )
        ORDER BY x.status <> 'ok', iif(x.status <> 'ok', (SELECT max(i.batch_id) FROM {look_ups}), NULL),
            x.counts_seen_at, x.id
    """  # noqa: S608 - built from our own declarations


def _due_sql(kind: ListKind, refresh: Refresh) -> str:
    """Write the query for the lists of a kind that may be read again: those that some harvest reads, that were
    answered, and whose subject is there; of all of them where every list is wanted.
    """
    there = "" if refresh.full else "AND u.answered = 1 AND x.status = 'ok'"
    return f"""
        SELECT t.id, t.outcome, coalesce(t.collected, 0),
            (SELECT max(c.cap) FROM (SELECT 1) {READERS}) AS wanted,
            l.claimed, {readings.claim_of(kind, "t.subject_id")}, l.ended_at, l.refresh_id, l.mode, o.answered, l.came,
            b.claimed,
            (SELECT count(*) FROM readings AS r WHERE r.task_id = t.id AND r.number > 0),
            (SELECT count(*) FROM readings AS r WHERE r.task_id = t.id AND r.number > 0 AND r.came + r.went > 0)
        FROM tasks AS t
        CROSS JOIN readings AS l ON l.task_id = t.id AND l.state = 'ended'
            AND l.number = (SELECT max(m.number) FROM readings AS m WHERE m.task_id = t.id)
        LEFT JOIN readings AS b ON b.task_id = t.id AND b.number = l.number - 1
        LEFT JOIN outcomes AS o ON o.outcome = l.outcome
        LEFT JOIN outcomes AS u ON u.outcome = t.outcome
        CROSS JOIN {THINGS[kind.subject].table} AS x ON x.id = t.subject_id
        WHERE t.kind = '{kind.name}' AND x.status <> 'forgotten' {there} AND wanted IS NOT NULL
    """  # noqa: S608 - built from our own declarations
