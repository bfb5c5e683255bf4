"""Numbers that are not known: at least, likely, at most. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from statistics import fmean, pstdev

_Z = 1.645  # nine in ten of a normal distribution lie within so many standard deviations
_UNSEEN = 0.05  # who is not seen differs from who is by about so much


@dataclass(frozen=True, slots=True)
class Range:
    """At least, likely, at most."""

    low: float = 0.0
    likely: float = 0.0
    high: float = 0.0

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.likely + other.likely, self.high + other.high)

    def __iter__(self) -> Iterator[float]:
        return iter((self.low, self.likely, self.high))

    def each(self, change: Callable[[float], float]) -> Range:
        """Change all three."""
        return Range(*(change(n) for n in self))

    def times(self, low: float, likely: float | None = None, high: float | None = None) -> Range:
        """Multiply; one factor for all, or one for each."""
        return Range(
            self.low * low,
            self.likely * (low if likely is None else likely),
            self.high * (low if high is None else high),
        )

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


def total(ranges: Iterable[Range]) -> Range:
    """Add up."""
    return sum(ranges, Range())


def united(ranges: Sequence[Range]) -> Range:
    """Say how many different things several lists name, which may be the same ones: anything from none to all are."""
    if not ranges:
        return Range()
    whole, largest = total(ranges), max(one.likely for one in ranges)
    return Range(max(one.low for one in ranges), largest + (whole.likely - largest) / 2, whole.high)


@dataclass(frozen=True, slots=True)
class Seen:
    """Numbers that were seen, summed up: how many, their mean, standard deviation and least."""

    n: int = 0
    mean: float = 0.0
    spread: float = 0.0
    least: float = 0.0


def seen(numbers: Sequence[float]) -> Seen:
    """Sum up numbers."""
    return Seen(len(numbers), fmean(numbers), pstdev(numbers), min(numbers)) if numbers else Seen()


def like_those(those: Seen, others: Range, bounds: tuple[float, float]) -> Range:
    """Sum something over others who are like those seen; `bounds` are the least and the most of one of them."""
    least, most = bounds
    if not others.high:
        return Range()
    if not those.n:
        return Range(others.low * least, others.likely * (least + most) / 2, others.high * most)
    n, mean, spread = those.n, those.mean, those.spread
    if n < 10:  # few say little about many
        spread = max(spread, (most - least) / 4)
    width = (others.high - others.low) / sqrt(12)
    doubt = sqrt(
        others.high * spread**2
        + (others.high * spread) ** 2 / n
        + (others.high * mean * _UNSEEN) ** 2
        + (mean * width) ** 2
    )
    likely = mean * others.likely
    low, high = min(likely - _Z * doubt, mean * others.low), max(likely + _Z * doubt, mean * others.high)
    return Range(max(low, others.low * min(least, those.least)), likely, max(likely, min(high, others.high * most)))
