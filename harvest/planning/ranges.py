"""Numbers that are not known: at least, likely, at most. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, exp, log

_NINE_IN_TEN = 0.05, 0.5, 0.95
_FARTHER = 1.2  # times as far, by the campaign of tests/bench/plans.py
_SURE = 0.02  # a doubt of this share of a number does not matter
_WIDEST = 2.95  # times as much at most as at least
_LEAST = 0.5


@dataclass(frozen=True, slots=True)
class Range:
    """At least, likely, at most."""

    low: float = 0.0
    likely: float = 0.0
    high: float = 0.0

    def __iter__(self) -> Iterator[float]:
        return iter((self.low, self.likely, self.high))

    def each(self, change: Callable[[float], float]) -> Range:
        """Change all three."""
        return Range(*(change(n) for n in self))

    def at_most(self, bound: float) -> Range:
        """Cut off what a bound forbids."""
        return self.each(lambda n: min(n, bound))

    def without(self, n: float) -> Range:
        """Take off what is known; nothing is less than nothing."""
        return self.each(lambda whole: max(whole - n, 0.0))

    def whole(self) -> dict[str, int]:
        """Give it as whole numbers."""
        return {"low": int(self.low), "likely": round(self.likely), "high": ceil(self.high - 1e-9)}


def exactly(n: float) -> Range:
    """Give a range without doubt."""
    return Range(n, n, n)


def nine_in_ten(guesses: Sequence[float]) -> Range:
    """Say between which numbers nine in ten will lie, and which is in their middle; no wider than is of use.

    Guesses leave some doubt out, so both ends are put a little farther off.
    """
    rising = sorted(guesses)
    low, likely, high = (_at(rising, share * (len(rising) - 1)) for share in _NINE_IN_TEN)
    if high - low <= _SURE * high / 2:
        return Range(low, likely, high)
    middle = max(likely, _LEAST)
    down, up = (_FARTHER * log(far) + _SURE for far in (middle / max(low, _LEAST), max(high, middle) / middle))
    narrower = min(1.0, log(_WIDEST) / (down + up))
    return Range(middle * exp(-down * narrower), middle, middle * exp(up * narrower))


def _at(rising: Sequence[float], place: float) -> float:
    below = int(place)
    above = min(below + 1, len(rising) - 1)
    return rising[below] + (rising[above] - rising[below]) * (place - below)
