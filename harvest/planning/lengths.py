"""How long lists are, of things that are known and of others that are like them. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import ceil, sqrt
from operator import add, mul

from harvest.lists import KINDS, ListKind
from harvest.planning.outlook import UNKNOWN, Visit
from harvest.planning.ranges import Range, exactly
from harvest.rules import RULES, RecipeLine

_CLAIMED = (0.95, 1.0, 1.01)  # of what the service claims, so much is listed: at least, likely, at most
_CLAIMED_BY_PEOPLE = (0.88, 0.96, 1.0)  # of what a profile counts as likes, so much is tracks that can be listed
# The list that is named first where a thing leads on, by those that are named after it: they are rarely longer.
_FIRST = {
    kind: lead.of[0] for rule in RULES.values() for lead in rule.leads if not lead.in_common for kind in lead.of[1:]
}


def says(visit: Visit, kind: ListKind) -> bool:
    """Say whether it is known how long a list is."""
    listed = visit.get(kind.name, UNKNOWN)
    return listed.claim is not None or listed.read


def length(visit: Visit, kind: ListKind, cap: float) -> Range:
    """Say how many entries of a list there are to be read, up to a cap."""
    listed = visit.get(kind.name, UNKNOWN)
    if listed.read:
        return exactly(min(listed.collected, cap))
    least = max(listed.least, listed.collected)
    if listed.claim is None:
        first = _FIRST.get(kind.name)
        most = max(1.0, least, length(visit, KINDS[first], cap).high if first and first in visit else cap)
        return Range(least, sqrt(max(least, 1) * most), most).at_most(cap)
    if listed.counted:
        return exactly(listed.claim).at_most(cap)
    shares = _CLAIMED_BY_PEOPLE if kind.subject == "user" else _CLAIMED
    return Range(*(max(listed.claim * share, least) for share in shares)).at_most(cap)


class Lengths:
    """Pages and entries that lists of one kind still take, of some visits one after the other.

    `told` is what each of those takes that say how long their list is, as is likely, by the place of the visit.
    """

    def __init__(self, visits: Sequence[Visit], line: RecipeLine, size: int, skipped: float) -> None:
        entries = line.cap / (1 - min(skipped, 0.5))
        rows: list[tuple[float, ...]] = []
        self.told: dict[int, tuple[float, float]] = {}
        for place, visit in enumerate(visits):
            pages, items = _left(visit, line, size, entries)
            held = float(visit.get(line.kind.name, UNKNOWN).collected)
            if says(visit, line.kind):
                self.told[place] = pages.likely, items.likely
                rows.append((*pages, *items, *_NOTHING, held))
            else:
                rows.append((*_NOTHING, *pages, *items, held))
        nothing: tuple[float, ...] = (0.0,) * 13
        self._sums = list(accumulate(rows, _added, initial=nothing))

    def of_first(self, n: int, level: float, unknown: float) -> tuple[float, float, float]:
        """Give pages and entries of the first n visits, and entries that are held of them already.

        A level of 0 is the least they may be, 1 what is likely, 2 the most; `unknown` is that of those who say nothing.
        """
        sums = self._sums[n]
        return (
            at_level(sums[0:3], level) + at_level(sums[6:9], unknown),
            at_level(sums[3:6], level) + at_level(sums[9:12], unknown),
            sums[12],
        )


_NOTHING = (0.0,) * 6


def _left(visit: Visit, line: RecipeLine, size: int, entries: float) -> tuple[Range, Range]:
    """Say what a list still takes: pages, and entries up to its cap."""
    listed = visit.get(line.kind.name, UNKNOWN)
    if listed.read:
        return Range(), Range()
    pages = length(visit, line.kind, entries).without(listed.collected)
    return pages.each(lambda n: max(1, ceil(n / size))), length(visit, line.kind, line.cap).without(listed.collected)


def _added(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(map(add, one, other))


def at_level(three: Iterable[float], level: float) -> float:
    """Give what lies between the least (0), what is likely (1) and the most (2)."""
    low, likely, high = three
    return low + (likely - low) * level if level < 1 else likely + (high - likely) * (level - 1)


class Like:
    """What many others may take who are like those seen: how far off the mean may be is guessed once for all lists."""

    def __init__(self, chance: random.Random, unlike: float) -> None:
        self._apart, self._shift = chance.gauss(0, 1), chance.gauss(0, unlike)
        self._short = chance.random() ** 3  # of those about which nothing is known

    def sum_of(
        self, seen: Sequence[float], n: float, bounds: tuple[float, float], weights: Sequence[float] | None = None
    ) -> float:
        """Guess a sum over n others; `bounds` are the least and the most of one of them."""
        least, most = bounds
        if n <= 0:
            return 0.0
        if not seen:
            longer: float = (most - least + 1) ** self._short - 1
            return n * (least + longer)
        if weights is None or sum(weights) <= 0:
            weights = [1.0] * len(seen)
        whole = sum(weights)
        mean = sum(map(mul, weights, seen)) / whole
        spread = sqrt(sum(w * (value - mean) ** 2 for w, value in zip(weights, seen, strict=True)) / whole)
        many = whole**2 / sum(w * w for w in weights)
        if many < 10:  # few say little about many
            spread = max(spread, mean / 2)
        each: float = mean + self._apart * spread * sqrt(1 / max(n, 1) + 1 / many) + self._shift * mean
        return n * min(max(each, least), most)
