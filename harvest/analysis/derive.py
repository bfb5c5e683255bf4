"""Compute one table of pairs, for one or several measures of the same counts, block by block.

Everything is computed in the order of ids the first time, and again when the choices change; after that, only what a
grown file changes (`changes.py`). Each block is a transaction. Interrupted in order, the next run goes on after the
last block, if nothing else changed; interrupted while only some rows were redone, it redoes these. Either way the
result is that of one undisturbed computation from scratch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sqlite_utils import Database

from harvest.analysis import derivations, snapshots, tables
from harvest.analysis.changes import Snapshot, changed, fingerprint, snapshot, vanished
from harvest.analysis.derivations import Derivation
from harvest.analysis.kernel import Ints, Likes, Pairs, blocks, count, nearest
from harvest.analysis.methods import AGAINST_ALL, MEASURES, Choices

Told = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Setting:
    """Under which conditions tables are computed. `entries` bounds a block; `beat` is called after every step."""

    choices: Choices
    max_page_id: int | None
    entries: int
    now: Callable[[], str]
    told: Told
    beat: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done for a method: everything above `done_to`, or what differs from `before`."""

    method: str
    derivation_id: int
    done_to: int | None
    before: Snapshot | None

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for methods that can share their counts."""
        return self.done_to, self.before and self.before.digest()


def derive(db: Database, methods: Sequence[str], likes: Likes, setting: Setting, *, fresh: bool) -> dict[str, int]:
    """Bring methods that compare the same things up to date; give how many things were computed again for each."""
    now = snapshot(likes)
    computed = dict.fromkeys(methods, 0)
    shared: dict[tuple[object, ...], list[_Plan]] = {}
    for method in methods:
        plan = _plan(db, method, likes, setting, fresh=fresh)
        if plan is not None:
            shared.setdefault(plan.key, []).append(plan)
    for plans in shared.values():
        if plans[0].before is None:
            n = _all(db, plans, likes, setting)
        else:
            n = _some(db, plans, likes, now, plans[0].before, setting)
        computed.update({plan.method: n for plan in plans})
        with db.atomic():
            for plan in plans:
                _finish(db, plan, likes, now, setting)
    return computed


def _plan(db: Database, method: str, likes: Likes, setting: Setting, *, fresh: bool) -> _Plan | None:
    """Decide how much of a method must be computed, and mark it as unfinished; None when nothing must."""
    parameters = setting.choices.as_text()
    mark = fingerprint(likes, MEASURES[method])
    past = None if fresh else derivations.find(db.conn, method)
    if past is not None and past.parameters != parameters:
        past = None
    with db.atomic():
        if past is not None and past.fingerprint == mark:
            if past.state == "whole":
                derivations.still_holds(db.conn, past.id, setting.max_page_id, likes.people)
                return None
            before = None if past.done_to is not None else snapshots.recall(db.conn, past.id)
            return _Plan(method, past.id, past.done_to, before)
        before = snapshots.recall(db.conn, past.id) if past is not None and _can_grow(past, likes, method) else None
        number = derivations.begin(db.conn, method, parameters, mark, setting.now(), in_order=before is None)
        return _Plan(method, number, -1 if before is None else None, before)


def _can_grow(past: Derivation, likes: Likes, method: str) -> bool:
    """Say whether rows that nothing touched stay as they are: not where a score depends on the number of people."""
    return past.state == "whole" and (MEASURES[method] not in AGAINST_ALL or past.lists_used == likes.people)


def _all(db: Database, plans: Sequence[_Plan], likes: Likes, setting: Setting) -> int:
    """Compute every row, or those that an interrupted run left; give how many."""
    done_to = plans[0].done_to
    assert done_to is not None
    rows = np.flatnonzero(likes.ids > done_to)
    total, done = max(len(rows), 1), 0
    for block in blocks(likes, rows, setting.entries):
        pairs = count(likes, block, setting.choices.min_common)
        upto = int(likes.ids[block[-1]])
        with db.atomic():
            for plan in plans:
                tables.clear_between(db.conn, plan.method, done_to, upto)
                _write(db, plan, likes, pairs, setting)
                derivations.reach(db.conn, plan.derivation_id, upto)
        del pairs  # before the next block has its own
        done_to, done = upto, done + len(block)
        setting.beat()
        setting.told(plans[0].method, done / total)
    with db.atomic():
        for plan in plans:
            tables.clear_between(db.conn, plan.method, done_to, None)
    return len(rows)


def _some(db: Database, plans: Sequence[_Plan], likes: Likes, now: Snapshot, before: Snapshot, setting: Setting) -> int:
    """Compute the rows that changed, and those that a changed one stands in or belongs into; give how many."""
    news, gone = changed(now, before), vanished(now, before)
    redone = np.zeros(len(likes.ids), np.bool_)
    with db.atomic():
        for plan in plans:
            stale = tables.beside(db.conn, plan.method, np.concatenate([likes.ids[news], gone]))
            redone |= np.isin(likes.ids, stale)
            tables.clear(db.conn, plan.method, gone)
    # A frame's row rests on counts of the service, which may have changed. It belongs in no other row.
    first = np.flatnonzero(news | likes.frames)
    for pairs in _rows(db, plans, likes, first, setting):
        redone[pairs.column[(news & ~likes.frames)[pairs.row]]] = True
    redone[first] = False
    for _ in _rows(db, plans, likes, np.flatnonzero(redone), setting):
        pass
    return len(first) + int(redone.sum())


def _rows(db: Database, plans: Sequence[_Plan], likes: Likes, rows: Ints, setting: Setting) -> Iterator[Pairs]:
    """Compute some rows and put them in place of what stands there; yield the pairs of each block."""
    done = 0
    for block in blocks(likes, rows, setting.entries):
        pairs = count(likes, block, setting.choices.min_common)
        with db.atomic():
            for plan in plans:
                tables.clear(db.conn, plan.method, likes.ids[block])
                _write(db, plan, likes, pairs, setting)
        yield pairs
        del pairs
        done += len(block)
        setting.beat()
        setting.told(plans[0].method, done / len(rows))


def _write(db: Database, plan: _Plan, likes: Likes, pairs: Pairs, setting: Setting) -> None:
    found = nearest(likes, pairs, MEASURES[plan.method], setting.choices.neighbours)
    tables.write(db.conn, plan.method, plan.derivation_id, likes, found)


def _finish(db: Database, plan: _Plan, likes: Likes, now: Snapshot, setting: Setting) -> None:
    derivations.finish(
        db.conn,
        plan.derivation_id,
        max_page_id=setting.max_page_id,
        lists_used=likes.people,
        now=setting.now(),
    )
    snapshots.remember(db.conn, plan.derivation_id, now)
