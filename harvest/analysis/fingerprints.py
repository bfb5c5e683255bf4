"""Give each set of ids a number, so that a set that changed is seen without keeping the old one. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_AT_ONCE = 1_000_000  # entries looked at together


def marks(ids: npt.NDArray[np.int64], pointers: Any, indices: Any) -> npt.NDArray[np.int64]:
    """Mark the rows of a CSR matrix by the ids of its columns: the sum of well-mixed numbers, in 64 bits.

    Two different sets agree once in 2 ** 64.
    """
    mixed = _mixed(ids)
    result = np.zeros(len(pointers) - 1, np.uint64)
    first = 0
    while first < len(result):
        last = int(np.searchsorted(pointers, pointers[first] + _AT_ONCE, side="right")) - 1
        last = min(max(last, first + 1), len(result))
        sums = np.zeros(pointers[last] - pointers[first] + 1, np.uint64)
        np.cumsum(mixed[indices[pointers[first] : pointers[last]]], out=sums[1:])  # wraps around, as differences do
        result[first:last] = np.diff(sums[pointers[first : last + 1] - pointers[first]])
        first = last
    return result.view(np.int64)


def _mixed(ids: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Spread numbers over 64 bits (the finish of splitmix64)."""
    z = ids.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
