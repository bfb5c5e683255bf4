"""What two tracks would have in common if people liked by lot, as many as they do, tracks as often as they are. Pure.

The stochastic degree sequence model (Neal 2014, doi:10.1016/j.socnet.2014.06.001): who likes what is drawn by lot, each
like by itself; averaged over all draws, each person likes and each track is liked as often as in the data. The
chance of a like is that of the bipartite configuration model (Saracco et al. 2015, doi:10.1038/srep10595), which Neal,
Domagalski and Sagan 2021 (doi:10.1038/s41598-021-03238-3) find the best for it:

    p(i, k) = x(i) y(k) / (1 + x(i) y(k))

with x and y such that the sums of p are the numbers of likes. Tracks k and l then have X in common, each person i with
the chance p(i, k) p(i, l): a Poisson binomial variable. An edge of c in common has

    alpha = P(X >= c)

worked out from the characteristic function of X (Hong 2013, doi:10.1016/j.csda.2012.10.006). All people who like
equally many tracks are one class, and so are all tracks liked equally often, so that large graphs take little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_ROUNDS = 20_000
_CLOSE = 1e-9  # how far a sum of chances may be from the number of likes, as a share of it
_FAR = 1e-3  # no model, beyond that
_AT_ONCE = 2**21  # complex numbers


@dataclass(frozen=True, slots=True)
class Model:
    """The chance of a like for each class of rows (people) and of columns (tracks), how many rows each class has, and
    the class of every column.
    """

    chances: Floats
    rows: Floats
    column_class: Ints

    def alphas(self, ends: Ints, common: Ints) -> Floats:
        """Give P(X >= common) for pairs of columns, a row of two places each."""
        classes = np.sort(self.column_class[ends], axis=1)
        kinds, place = np.unique(classes, axis=0, return_inverse=True)
        largest, result = int(common.max(initial=0)), np.empty(len(ends))
        each = max(1, _AT_ONCE // self._length(float((self.chances.max(axis=1, initial=0) ** 2) @ self.rows), largest))
        for begin in range(0, len(kinds), each):
            both = kinds[begin : begin + each]
            tails = self._tails(self.chances[:, both[:, 0]] * self.chances[:, both[:, 1]], largest)
            some = (begin <= place) & (place < begin + each)
            result[some] = tails[place[some] - begin, common[some]]
        return result

    def _length(self, mean: float, largest: int) -> int:
        """Give how many values of X are told apart: those above come up with a chance too small to count."""
        return int(min(max(mean + 12 * np.sqrt(mean) + 40, largest), self.rows.sum())) + 1

    def _tails(self, chances: Floats, largest: int) -> Floats:
        """Give P(X >= c) for c = 0, 1, ... of each column of chances, which hold for so many rows of each class."""
        length = self._length(float((self.rows @ chances).max()), largest)
        turns = np.exp(2j * np.pi * np.arange(length // 2 + 1) / length) - 1
        logs = np.zeros((chances.shape[1], len(turns)), np.complex128)
        for rows, row in zip(self.rows, chances, strict=True):
            logs += rows * np.log1p(row[:, None] * turns)
        mass = np.maximum(np.fft.irfft(np.conj(np.exp(logs)), n=length, axis=1), 0.0)
        tails: Floats = np.minimum(mass[:, ::-1].cumsum(axis=1)[:, ::-1], 1.0)
        return np.pad(tails, ((0, 0), (0, max(0, largest + 1 - length))))


def fit(rows: Any, columns: Any) -> Model | None:
    """Fit the model to how many ones each row and each column has; None where there is no such model."""
    of_rows, many_rows = np.unique(np.asarray(rows, np.float64), return_counts=True)
    of_columns, place, many_columns = np.unique(
        np.asarray(columns, np.float64), return_inverse=True, return_counts=True
    )
    chances, off = _fitted(of_rows, many_rows, of_columns, many_columns)
    return Model(chances, many_rows.astype(np.float64), place.astype(np.int64)) if off <= _FAR else None


def _fitted(of_rows: Floats, many_rows: Any, of_columns: Floats, many_columns: Any) -> tuple[Floats, float]:
    """Find x and y by fixed-point iteration; give the chances, and how far their sums are off at most, as a share."""
    total = float(of_rows @ many_rows)
    if not total:
        return np.zeros((len(of_rows), len(of_columns))), 0.0
    x, y = of_rows / np.sqrt(total), of_columns / np.sqrt(total)
    off = np.inf
    for _ in range(_ROUNDS):
        below = 1 + np.outer(x, y)
        sums = x * ((y / below) @ many_columns)
        off = float(np.max(np.abs(sums - of_rows) / np.maximum(of_rows, 1e-300), where=of_rows > 0, initial=0.0))
        if off <= _CLOSE:
            break
        x = of_rows / ((y / below) @ many_columns)
        y = of_columns / (many_rows @ (x[:, None] / (1 + np.outer(x, y))))
    ways = np.outer(x, y)
    return ways / (1 + ways), off
