"""How far some people are from all of them, in standard deviations. Pure.

The standardised difference of a group is the mean of the group less that of all people, by the standard deviation of
all: it has no unit, and does not grow with the number of people as a test would. Above 0.1 either way it is taken
to matter (Austin 2009, doi:10.1002/sim.3697; there between two groups, by their common standard deviation). Counts are
spread over many sizes, and a few very large ones would hide all else: of counts it is that of log(1 + n).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log1p, sqrt

MATTERS = 0.1


@dataclass(slots=True)
class Spread:
    """Sums over people, gone through one by one: of values, and of what they are compared by."""

    counts: bool
    n: int = 0
    weights: float = 0.0
    total: float = 0.0
    compared: float = 0.0
    squares: float = 0.0

    def add(self, value: float | None, weight: float = 1.0) -> None:
        """Take in a person who stands for this many; None is not known, and left out."""
        if value is None:
            return
        size = log1p(max(value, 0.0)) if self.counts else value
        self.n += 1
        self.weights += weight
        self.total += weight * value
        self.compared += weight * size
        self.squares += weight * size * size

    @property
    def mean(self) -> float | None:
        """Give the mean; None where no value is known."""
        return self.total / self.weights if self.weights else None


def standardised(group: Spread, everybody: Spread) -> float | None:
    """Give the standardised difference; None where the group is empty, or all people are alike."""
    if not group.n or not everybody.n:
        return None
    mean = everybody.compared / everybody.weights
    variance = everybody.squares / everybody.weights - mean * mean
    if variance <= 1e-12 * max(1.0, mean * mean):
        return None
    return (group.compared / group.weights - mean) / sqrt(variance)
