"""Shares of people, and of what people have, with intervals. Pure.

- Of people: the score interval (Wilson 1927, doi:10.1080/01621459.1927.10502953), which stays between 0 and 1 and holds
  in small samples; of a finite population, the variance is that of drawing without replacement (Cochran 1977, 2.8).
- Of likes, which come with people: a ratio of two sums over people. Its standard error is that of Taylor's
  linearisation (Särndal, Swensson & Wretman 1992, 5.6), its interval is made on the scale of log(p / (1 - p)), so that
  it stays between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, sqrt

from harvest.estimates.richness import SURE

Interval = tuple[float, float]


def share_of_people(part: int, people: int, population: int | None = None) -> Interval:
    """Give the 95 % interval of a share, `part` of `people` drawn by lot out of `population` (None: out of very many).

    Raises ValueError without people.
    """
    if people < 1:
        raise ValueError("a share of no people")
    share = part / people
    z2 = SURE * SURE * _left(people, population) / people
    middle = (share + z2 / 2) / (1 + z2)
    half = sqrt(z2 * (share * (1 - share) + z2 / 4)) / (1 + z2)
    return max(middle - half, 0.0) if part else 0.0, min(middle + half, 1.0) if part < people else 1.0


def spread_of_ratio(share: float, units: Sequence[tuple[float, float]]) -> float:
    """Say how far people are from a share of likes: the standard deviation of y - share x, by the mean of x.

    `units` are (y, x) of each of some people: likes of the kind in question, and likes in all. 0 of fewer than two.
    """
    whole = sum(x for _, x in units)
    if len(units) < 2 or not whole:
        return 0.0
    squares = sum((y - share * x) ** 2 for y, x in units)
    return sqrt(squares / (len(units) - 1)) / (whole / len(units))


def share_of_likes(share: float, spread: float, people: int, population: int | None = None) -> Interval:
    """Give the 95 % interval of a share of likes, from how far people are from it (`spread_of_ratio`)."""
    if not 0 < share < 1:
        return share, share
    error = spread * sqrt(_left(people, population) / people)
    half = SURE * error / (share * (1 - share))
    return tuple(1 / (1 + exp(-(log(share / (1 - share)) + way))) for way in (-half, half))  # type: ignore[return-value]


def _left(people: int, population: int | None) -> float:
    """Give the part of the variance that is left, since each person is drawn once at most."""
    if population is None or population <= 1:
        return 1.0
    return max(population - people, 0) / (population - 1)
