"""The edges that come after the first day: computed from either end, never stored. Pure.

Rule 1. Edges come at an even pace. Time is cut into parts, in each of which come an eighth as many as there were on
        the first day.
Rule 2. The edges of a part are stubs in a row. Each left node owns a stretch of them, as long as it is active; a
        shuffle puts them on a line, of which each right node owns a stretch, as long as it is popular. From either end:
        stretch, stubs, owners. They always agree.
Rule 3. There is one such row for all people, and one for each community. The hit has its own: some of all left nodes.
Rule 4. The moment of a birth, and all else about it, is drawn for its stub.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from harvest.simulator.world.bipartite import BUSIEST, Layout, Popularity, first_place, members
from harvest.simulator.world.prng import MASK, Shuffle, mix, salt, share_of, threshold

_PARTS = 8  # for as many births as there are edges on the first day


class Birth(NamedTuple):
    """An edge that comes: its other end, when in days, and 64 bits of chance about it."""

    node: int
    days: float
    chance: int


class Births:
    """The births of one graph until a moment; `layout` is that of its first day."""

    def __init__(self, layout: Layout, chance: int, rate: float, days: float) -> None:
        self.layout = layout
        self._chance = chance
        self._length = 1 / (rate * _PARTS) if rate > 0 else 0.0
        self._parts = ceil(days / self._length) if rate > 0 else 0
        self._last = threshold(days / self._length - (self._parts - 1)) if rate > 0 else 0
        self._rows: dict[tuple[int, int], Row] = {}
        self._fans: dict[int, Shuffle] = {}
        self._active: dict[int, Popularity] = {}
        self._popular: dict[tuple[int, bool], Popularity] = {}

    def rights(self, node: int) -> Iterator[Birth]:
        """Yield what a left node comes to be joined to; one may come often."""
        layout, count = self.layout, self.layout.communities
        own, rank, others_hit = node % count, node // count, layout.hit is None
        for part in range(self._parts):
            until = self._until(part)
            if layout.habit.share_local > 0:
                for right, chance in self._row(part, own).rights(rank, until):
                    if own + right > 0 or others_hit:
                        yield self._at(part, own + count * right, chance)
            for right, chance in self._row(part, -1).rights(node, until):
                if right > 0 or others_hit:
                    yield self._at(part, right, chance)
            if layout.hit is not None and (place := self._shuffle(part).to(node)) < self._joined_to_hit(part):
                chance = mix(salt(self._chance, "hit", part), place)
                if chance < until:
                    yield self._at(part, 0, chance)

    def lefts(self, node: int) -> Iterator[Birth]:
        """Yield what a right node comes to be joined to; one may come often."""
        layout, count = self.layout, self.layout.communities
        own, rank = node % count, node // count
        for part in range(self._parts):
            until = self._until(part)
            if layout.hit is not None and node == 0:
                hit, fans = salt(self._chance, "hit", part), self._shuffle(part)
                for place in range(self._joined_to_hit(part)):
                    if (chance := mix(hit, place)) < until:
                        yield self._at(part, fans.back(place), chance)
                continue
            if layout.habit.share_local > 0:
                for left, chance in self._row(part, own).lefts(rank, until):
                    yield self._at(part, own + count * left, chance)
            for left, chance in self._row(part, -1).lefts(node, until):
                yield self._at(part, left, chance)

    def _until(self, part: int) -> int:
        """Return the bound of chance under which a birth of a part has come."""
        return MASK + 1 if part < self._parts - 1 else self._last

    def _at(self, part: int, node: int, chance: int) -> Birth:
        return Birth(node, (part + share_of(chance)) * self._length, chance)

    def _shuffle(self, part: int) -> Shuffle:
        """Return in which order left nodes come to the hit."""
        fans = self._fans.get(part)
        if fans is None:
            fans = self._fans[part] = Shuffle(self.layout.left, salt(self._chance, "fans", part))
        return fans

    def _joined_to_hit(self, part: int) -> int:
        return _portion(part, (self.layout.hit or 0) / _PARTS)

    def _row(self, part: int, community: int) -> Row:
        """Return the row of a part for one community; -1 means all communities together."""
        row = self._rows.get((part, community))
        if row is None:
            layout = self.layout
            left, right, share = layout.left, layout.right, 1 - layout.habit.share_local
            if community >= 0:
                left, right = (members(size, community, layout.communities) for size in (left, right))
                share = layout.habit.share_local
            width = _portion(part, left * layout.habit.mean * share / _PARTS)
            chance = salt(self._chance, part, community + 1)
            row = self._rows[part, community] = Row(
                width, self._activity(left), self._popularity(right, community >= 0), chance
            )
        return row

    def _activity(self, size: int) -> Popularity:
        curve = self._active.get(size)
        if curve is None:
            top = (1 + (BUSIEST - 1) * self.layout.habit.spread) / max(size, 1)
            curve = self._active[size] = Popularity(size, min(top, 0.5))
        return curve

    def _popularity(self, size: int, local: bool) -> Popularity:
        curve = self._popular.get((size, local))
        if curve is None:
            curve = self._popular[size, local] = self.layout.habit.popularity(size, local=local)
        return curve


class Row:
    """Stubs in a row, and a line that they are shuffled to."""

    __slots__ = ("_active", "_chance", "_phase", "_popular", "_shift", "_shuffle", "_width")

    def __init__(self, width: int, active: Popularity, popular: Popularity, chance: int) -> None:
        self._width, self._active, self._popular, self._chance = width, active, popular, chance
        self._shuffle = Shuffle(width, chance)
        self._phase, self._shift = share_of(salt(chance, "phase")), share_of(salt(chance, "shift"))

    def rights(self, node: int, until: int) -> Iterator[tuple[int, int]]:
        """Yield the right ranks that a left node is joined to, with chance, which is below `until`."""
        for stub in self._stretch(self._active, node, self._shift):
            if (chance := mix(self._chance, stub)) < until:
                yield self._popular.owner(self._shuffle.to(stub), self._width, self._phase), chance

    def lefts(self, node: int, until: int) -> Iterator[tuple[int, int]]:
        """Yield the left ranks that a right node is joined to, with chance, which is below `until`."""
        for place in self._stretch(self._popular, node, self._phase):
            stub = self._shuffle.back(place)
            if (chance := mix(self._chance, stub)) < until:
                yield self._active.owner(stub, self._width, self._shift), chance

    def _stretch(self, curve: Popularity, node: int, phase: float) -> range:
        low, high = curve.stretch(node)
        return range(first_place(low, self._width, phase), first_place(high, self._width, phase))


def _portion(part: int, size: float) -> int:
    """Return how many of `size` per part fall into one, in whole numbers that add up."""
    return int((part + 1) * size) - int(part * size)
