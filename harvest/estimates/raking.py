"""Bring weights into line with what is known of all people: raking, or iterative proportional fitting. Pure.

Each person is in one class of each of several divisions (by likes claimed, by followers), whose sizes are known. The
weights of a class are multiplied by its size over their sum, division after division, until every sum is right (Deming
and Stephan 1940, doi:10.1214/aoms/1177731829; Deville, Särndal and Sautory 1993, doi:10.1080/01621459.1993.10476369).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ROUNDS = 200
_ENOUGH = 1e-9  # of a class: how far its sum may be off, as a share of its size


@dataclass(frozen=True, slots=True)
class Raked:
    """Weights, after how many rounds, and by how much the worst class is still off, as a share of its size."""

    weights: tuple[float, ...]
    rounds: int
    off: float

    @property
    def converged(self) -> bool:
        """Say whether every class has its size."""
        return self.off <= _ENOUGH


def rake(classes: Sequence[Sequence[int]], sizes: Sequence[Mapping[int, float]], weights: Sequence[float]) -> Raked:
    """Rake: `classes` hold each person's class in every division, `sizes` what the classes of each must sum to.

    An empty class cannot be filled: leave it out of `sizes`, and scale the others to the same sum.
    """
    fitted = list(weights)
    off = _off(classes, sizes, fitted)
    done = 0
    while off > _ENOUGH and done < ROUNDS:
        for division, wanted in enumerate(sizes):
            sums = _sums(classes, division, fitted)
            fitted = [
                weight * wanted[person[division]] / sums[person[division]]
                for weight, person in zip(fitted, classes, strict=True)
            ]
        done += 1
        off = _off(classes, sizes, fitted)
    return Raked(tuple(fitted), done, off)


def _sums(classes: Sequence[Sequence[int]], division: int, weights: Sequence[float]) -> dict[int, float]:
    sums: dict[int, float] = {}
    for person, weight in zip(classes, weights, strict=True):
        sums[person[division]] = sums.get(person[division], 0.0) + weight
    return sums


def _off(classes: Sequence[Sequence[int]], sizes: Sequence[Mapping[int, float]], weights: Sequence[float]) -> float:
    return max(
        (
            abs(sums.get(one, 0.0) / size - 1)
            for division, wanted in enumerate(sizes)
            for sums in (_sums(classes, division, weights),)
            for one, size in wanted.items()
        ),
        default=0.0,
    )
