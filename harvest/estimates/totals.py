"""Means, shares and totals of a population from a sample of its people, with intervals. Pure.

Each person of the sample has a weight, one over the chance with which they were drawn.

- Horvitz and Thompson (1952): the total is the sum of w y; the mean is that over the known N.
- Hájek (1971): the mean is sum(w y) / sum(w), which does better where chances differ or some did not answer.
- Ratio (Cochran 1977, ch. 6): sum(w y) / sum(w x), times the mean of x, known of the whole population.
- Regression (Cochran 1977, ch. 7; Särndal, Swensson & Wretman 1992, ch. 6): what a line through the sample says of the
  whole population, whose mean of x is known, plus the mean of what it leaves.

The first three are ratios R of two sums; their standard error is that of Taylor's linearisation, for people drawn
without replacement (Särndal et al., 5.6): sqrt((1 - f) n / (n - 1) sum(e^2)), e = (w y - R w x) / sum(w x). The
interval is that of the bootstrap over people, studentised (Efron & Tibshirani 1993, 12.5): in skewed samples it holds
the truth at its nominal rate where estimate and two standard errors do not.

People chosen for certain, beside a sample by lot of the others, stand for themselves: they add to the sums, but not to
the standard error, n being the others, whose e are taken from their mean, and they are not drawn again (a stratum of
which all are taken; Cochran 1977, 5.9).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

DRAWS = 999  # of a bootstrap, at most
_WORK = 2_000_000  # people drawn again in all; more of them take seconds and change nothing that is shown
_FEWEST = 199
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Unit:
    """A person of the sample: weight, value, what is known of the whole population, and whether they were chosen for
    certain.
    """

    weight: float
    value: float
    known: float = 1.0
    certain: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate between `low` and `high` (95 %), its standard error, how many people it is of.

    `design_effect` is its variance over that of the plain mean of as many people, drawn alike. Without two people that
    differ there is no interval: the three are None.
    """

    value: float
    low: float | None
    high: float | None
    error: float | None
    people: int
    design_effect: float | None


def ht(units: Sequence[Unit], fraction: float, *, factor: float = 1.0, seed: int = 0) -> Estimate:
    """Estimate the total, times `factor`, from a `fraction` of the population, or of its part that is drawn from; the
    mean with a factor of 1 / N.
    """
    n = len(units)
    plain = plain_error(units) * sum(unit.weight for unit in units)
    return _estimated(units, [1 / n] * n, fraction, factor, seed, plain)


def hajek(units: Sequence[Unit], fraction: float, *, factor: float = 1.0, seed: int = 0) -> Estimate:
    """Estimate the mean, times `factor`; the total with a factor of N."""
    return _estimated(units, [unit.weight for unit in units], fraction, factor, seed, plain_error(units))


def ratio(
    units: Sequence[Unit],
    fraction: float,
    *,
    known_mean: float = 1.0,
    factor: float = 1.0,
    seed: int = 0,
    plain: float | None = None,
) -> Estimate:
    """Estimate the mean as value per known value, times the mean of what is known of the population, times `factor`.

    With people's own numbers of likes as `known`, and a mean of 1, it is a share of all likes, or a mean over likes;
    `plain` is then the standard error that as many likes would have, drawn one by one.
    """
    beside = plain_error(units) / abs(known_mean) if plain is None and known_mean else plain
    below = [unit.weight * unit.known for unit in units]
    return _estimated(units, below, fraction, known_mean * factor, seed, beside or 0.0)


def regression(
    units: Sequence[Unit], fraction: float, *, known_mean: float, factor: float = 1.0, seed: int = 0
) -> Estimate:
    """Estimate the mean by a line through values and known values, whose mean is known, times `factor`."""

    sure = [unit for unit in units if unit.certain]

    def fitted(drawn: Sequence[int]) -> tuple[float, float]:
        again = [units[place] for place in drawn]
        some = sure + again
        weights = sum(unit.weight for unit in some)
        mean = sum(unit.weight * unit.value for unit in some) / weights
        centre = sum(unit.weight * unit.known for unit in some) / weights
        spread = sum(unit.weight * (unit.known - centre) ** 2 for unit in some)
        both = sum(unit.weight * (unit.known - centre) * (unit.value - mean) for unit in some)
        slope = both / spread if spread else 0.0
        left = [unit.weight * (unit.value - mean - slope * (unit.known - centre)) for unit in again]
        n = len(left)
        error = sqrt(n / max(n - 2, 1) * max(0.0, sum(one**2 for one in left) - sum(left) ** 2 / max(n, 1))) / weights
        return mean + slope * (known_mean - centre), error

    return _interval(fitted, _drawn(units), len(units), fraction, factor, seed, plain_error(units))


def _estimated(
    units: Sequence[Unit], below: Sequence[float], fraction: float, factor: float, seed: int, plain: float
) -> Estimate:
    """Estimate the sum of w y over the sum of what stands below it."""
    above = [unit.weight * unit.value for unit in units]
    squares = [a * a for a in above], [a * b for a, b in zip(above, below, strict=True)], [b * b for b in below]
    sure_above = sum(one for one, unit in zip(above, units, strict=True) if unit.certain)
    sure_below = sum(one for one, unit in zip(below, units, strict=True) if unit.certain)

    def divided(drawn: Sequence[int]) -> tuple[float, float]:
        others_above, others_below = sum(map(above.__getitem__, drawn)), sum(map(below.__getitem__, drawn))
        total = others_below + sure_below
        if not total:
            return 0.0, 0.0
        value = (others_above + sure_above) / total
        aa, ab, bb = (sum(map(column.__getitem__, drawn)) for column in squares)
        n = len(drawn)
        off = (others_above - value * others_below) ** 2 / max(n, 1) if sure_below else 0.0
        left = max(0.0, aa - 2 * value * ab + value * value * bb - off)
        return value, sqrt(n / (n - 1) * left) / abs(total) if n > 1 else 0.0

    return _interval(divided, _drawn(units), len(units), fraction, factor, seed, plain)


def _drawn(units: Sequence[Unit]) -> list[int]:
    """Give the places of those who were drawn, and were not certain."""
    return [place for place, unit in enumerate(units) if not unit.certain]


def _interval(
    of: Callable[[Sequence[int]], tuple[float, float]],
    drawn: Sequence[int],
    n: int,
    fraction: float,
    factor: float,
    seed: int,
    plain: float,
) -> Estimate:
    """Give the estimate with its studentised interval: `of` gives value and error of those `drawn`, drawn again."""
    if not drawn:
        return Estimate(of(drawn)[0] * factor, None, None, None, n, None)
    value, error = of(drawn)
    sure = sqrt(max(0.0, 1 - fraction))
    effect = (error / plain) ** 2 if plain and error else None
    if fraction >= 1:
        return Estimate(value * factor, value * factor, value * factor, 0.0, n, effect)
    if error <= 1e-12 * abs(value):
        return Estimate(value * factor, None, None, None, n, effect)
    lots = random.Random(seed)
    off = []
    for _ in range(max(_FEWEST, min(DRAWS, _WORK // len(drawn)))):
        again, spread = of(lots.choices(drawn, k=len(drawn)))
        if spread > 1e-12 * abs(again):
            off.append((again - value) / spread)
    off.sort()
    if not off:
        return Estimate(value * factor, None, None, None, n, effect)
    down, up = _quantile(off, (1 + _LEVEL) / 2), _quantile(off, (1 - _LEVEL) / 2)
    low, high = value - down * error * sure, value - up * error * sure
    return Estimate(value * factor, low * factor, high * factor, error * sure * abs(factor), n, effect)


def plain_error(units: Sequence[Unit]) -> float:
    """Give the standard error of the plain mean of as many people, or 0 where they do not differ."""
    n, weights = len(units), sum(unit.weight for unit in units)
    if n < 2 or not weights:
        return 0.0
    mean = sum(unit.weight * unit.value for unit in units) / weights
    spread = sum(unit.weight * (unit.value - mean) ** 2 for unit in units) / weights
    return sqrt(spread / (n - 1))


def _quantile(rising: Sequence[float], share: float) -> float:
    """Give the value below which a share lies: the (B + 1) share-th of B, as is usual for bootstraps."""
    place = share * (len(rising) + 1) - 1
    below = min(max(int(place), 0), len(rising) - 1)
    above = min(below + 1, len(rising) - 1)
    return rising[below] + (rising[above] - rising[below]) * min(max(place - below, 0.0), 1.0)
