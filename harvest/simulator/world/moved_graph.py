"""Who is joined to what at a moment: the edges of the first day that are still there, and those that came since.

In: a graph of the first day and the births since. Out: for either end the other ends, each with the time of its birth.
Never: two answers; an edge stands or does not, and both ends agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from harvest.simulator.world.births import Birth, Births
from harvest.simulator.world.engagements import EDGE, Graph, place_within
from harvest.simulator.world.facts import DAY_MS
from harvest.simulator.world.moments import Moment, passed
from harvest.simulator.world.newcomers import Newcomers
from harvest.simulator.world.prng import mix

FIRST_DAY = 0  # in place of the time of a birth


class MovedGraph:
    """One graph at a moment.

    An edge that comes while it stands is as one withdrawn and done again: the last birth counts. One birth in four goes
    to the twin of its right node, where one of `newcomers` is there by then. No two births of one list have the same
    time: `grain` milliseconds hold one of each pair, `real` being the number that a right node goes by. Where `fixed`
    says so of left and right node, nothing comes or goes.
    """

    def __init__(
        self,
        first: Graph,
        births: Births,
        moment: Moment,
        *,
        chance: int,
        go: float,
        grain: int,
        real: Callable[[int], int],
        fixed: Callable[[int, int], bool],
        newcomers: Newcomers | None,
    ) -> None:
        self._first, self._births, self._moment = first, births, moment
        self._chance, self._go, self._real, self._newcomers = chance, go, real, newcomers
        self._fixed = fixed
        self._grain, self._now = 2 * grain, moment.now_ms
        self._next = moment.first_ms // self._grain + 1
        self._ended = passed(go, moment.days)

    def rights(self, node: int) -> dict[int, int]:
        """Return what a left node is joined to, with the time of birth or `FIRST_DAY`."""
        ended, chance, base, fixed = self._ended, self._chance, node * EDGE, self._fixed
        found = {
            right: FIRST_DAY
            for right in self._first.rights(node)
            if mix(chance, base + right) >= ended or fixed(node, right)
        }
        came = []
        for birth in self._births.rights(node):
            target, time = self._told(node, birth.node, birth)
            if time <= self._now and not fixed(node, birth.node):
                came.append((target, time, birth.chance))
        return self._with(found, came)

    def lefts(self, node: int) -> dict[int, int]:
        """Return what a right node is joined to, with the time of birth or `FIRST_DAY`."""
        ended, chance, fixed = self._ended, self._chance, self._fixed
        season, base = self._newcomers.home(node) if self._newcomers is not None else (0, node)
        found = {}
        if season == 0:
            found = {
                left: FIRST_DAY
                for left in self._first.lefts(node)
                if mix(chance, left * EDGE + node) >= ended or fixed(left, node)
            }
        came = []
        for birth in self._births.lefts(base):
            target, time = self._told(birth.node, base, birth)
            if target == node and time <= self._now and not fixed(birth.node, base):
                came.append((birth.node, time, birth.chance))
        return self._with(found, came)

    def _told(self, left: int, right: int, birth: Birth) -> tuple[int, int]:
        """Return which right node a birth goes to, and its time."""
        target = None
        if self._newcomers is not None and birth.chance & 3 == 0:
            target = self._newcomers.twin(right, birth.days)
        coarse = self._next - -int(birth.days * DAY_MS) // self._grain  # rounded up: never before it comes
        place = place_within(self._grain, left, 2 * self._real(right) + (target is not None))
        return right if target is None else target, coarse * self._grain + place

    def _with(self, found: dict[int, int], came: Iterable[tuple[int, int, int]]) -> dict[int, int]:
        """Put the births to the edges of the first day: the last one of each edge counts, if it has not ended."""
        latest: dict[int, tuple[int, int]] = {}
        for node, time, chance in came:
            latest[node] = max(latest.get(node, (0, 0)), (time, chance))
        for node, (time, chance) in latest.items():
            lasts = mix(chance, 1)
            if lasts >= self._ended or lasts >= passed(self._go, (self._now - time) / DAY_MS):
                found[node] = time
            else:
                found.pop(node, None)
        return found
