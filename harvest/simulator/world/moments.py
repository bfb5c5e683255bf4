"""A moment, and when something happens to a thing: events at a rate, absences between them. Pure.

In: a stream of chance and a rate per day. Out: what has happened until a moment, in days, the same whenever asked.
Most things have seen nothing yet, and one hash says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, log

from harvest.simulator.world.facts import DAY_MS
from harvest.simulator.world.prng import MASK, mix, threshold

_WHOLE = MASK + 1


@dataclass(frozen=True, slots=True)
class Moment:
    """So many days after the first one, whose time is `first_ms`."""

    days: float
    first_ms: int

    @property
    def now_ms(self) -> int:
        """Return the time of this moment."""
        return self.time(self.days)

    def time(self, days: float) -> int:
        """Return the time, in milliseconds, after so many days."""
        return self.first_ms + int(days * DAY_MS)


def passed(rate: float, days: float) -> int:
    """Return the bound under which 64 bits of chance have come to pass within so many days."""
    return threshold(1 - exp(-rate * days))


class Events:
    """Events that come to each thing at one rate, until a moment."""

    __slots__ = ("_bound", "_chance", "_days", "_rate")

    def __init__(self, chance: int, rate: float, days: float) -> None:
        self._chance, self._rate, self._days = chance, rate, days
        self._bound = passed(rate, days)

    def of(self, index: int) -> Iterator[tuple[float, int]]:
        """Yield what has happened to a thing: when, in days, and 64 bits of chance about it; the first one first."""
        chance = mix(self._chance, index)
        if chance >= self._bound:
            return
        first, at, place = chance, 0.0, 0
        while (at := at + wait(chance, self._rate)) <= self._days:
            yield at, mix(first, place + 1)
            place += 2
            chance = mix(first, place)


class Absences:
    """Things that go at one rate, and some of them come back."""

    __slots__ = ("_away", "_bound", "_chance", "_days", "_rate", "_returning")

    def __init__(self, chance: int, rate: float, days: float, *, return_share: float, away_days: float) -> None:
        self._chance, self._rate, self._days = chance, rate, days
        self._away, self._returning = away_days, threshold(return_share)
        self._bound = passed(rate, days)

    def away(self, index: int) -> bool:
        """Say whether a thing is away at the moment."""
        chance = mix(self._chance, index)
        if chance >= self._bound:
            return False
        first, at, place = chance, 0.0, 1
        while (at := at + wait(chance, self._rate)) <= self._days:
            if mix(first, place) >= self._returning:
                return True
            at += wait(mix(first, place + 1), 1 / self._away)
            if at > self._days:
                return True
            place += 3
            chance = mix(first, place - 1)
        return False


def wait(chance: int, rate: float) -> float:
    """Return after how many days something happens whose chance says so; it agrees with `passed`."""
    return -log(1 - min(chance / _WHOLE, 1 - 2**-53)) / rate
