"""End a sample where it has seen enough: people are drawn up to a mark, judged when all have been read, then up to the
next, until the upper end of the interval of what would be new lies below what was asked for (`--until-new`).

Nothing beyond a mark is asked before the mark is judged, and it is judged by what is stored: so where a sample ends
does not depend on what arrives first, nor on interruptions. Marks lie 50 people apart: a look after every person
would find the moment at which chance makes little look new.

In: a harvest whose open lists have ended. Out: more of its visits. Never: a commit of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import islice

from harvest.estimates.richness import Counted
from harvest.models import Limits
from harvest.store import rounds
from harvest.store.samples import Sample, likes_of, samples

STEP = 50


def first(limits: Limits) -> int | None:
    """Give how many people are drawn around each seed before the sample is judged; None where nothing ends it."""
    return STEP if limits.until_new is not None and limits.order == "random" else None


def go_further(connection: sqlite3.Connection, harvest_id: int, limits: Limits) -> bool:
    """Draw people up to the next mark, unless the sample has seen enough or has come to its bound; say whether."""
    mark = _mark(connection, harvest_id)
    if mark is None or mark >= limits.max_users or ends(connection, harvest_id, limits, [mark]):
        return False
    rounds.draw_more(connection, harvest_id, mark + STEP, limits)
    return True


def is_sated(connection: sqlite3.Connection, harvest_id: int, limits: Limits) -> bool:
    """Say whether a harvest that has ended did so before its bound, with people left to draw."""
    mark = _mark(connection, harvest_id)
    if mark is None or mark >= limits.max_users:
        return False
    return any(isinstance(one, Sample) and one.population > mark for one in samples(connection, harvest_id, limits))


def ends(connection: sqlite3.Connection, harvest_id: int, limits: Limits, marks: Iterable[int]) -> list[int]:
    """Give those of some rising marks at which the people are all there are, or have seen enough, around every seed.

    What each person likes is read once, however many the marks.
    """
    found = list(samples(connection, harvest_id, limits))
    drawn = [_Growing(connection, one) for one in found if isinstance(one, Sample)]
    if len(drawn) < len(found):
        return []
    return [mark for mark in marks if all(one.is_enough(mark, limits.until_new or 0.0) for one in drawn)]


class _Growing:
    """The people of a sample, counted up to one mark after the other."""

    def __init__(self, connection: sqlite3.Connection, sample: Sample) -> None:
        self._population = sample.population
        self._likes = likes_of(connection, sample)
        self._counted = Counted()

    def is_enough(self, mark: int, until_new: float) -> bool:
        if self._population <= mark:
            return True
        for likes in islice(self._likes, mark - len(self._counted.lists)):
            self._counted.add(likes)
        return len(self._counted.lists) == mark and self._counted.is_below(until_new, self._population)


def _mark(connection: sqlite3.Connection, harvest_id: int) -> int | None:
    (mark,) = connection.execute("SELECT mark FROM harvests WHERE id = ?", (harvest_id,)).fetchone()
    return None if mark is None else int(mark)
