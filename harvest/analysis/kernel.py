"""Compare things by who likes them: counts in common, scores, the nearest of each. Pure.

Rows of (things x people) times (people x things), a block of rows at a time, so that memory is bounded by the block and
not by the result. Within a block: counts, at least `min_common` of them, score, round, sort, keep the nearest; ties go
to the lower id, so the result is the same on every machine and for every size of block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harvest.analysis.formulas import score
from harvest.analysis.methods import AGAINST_ALL

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

Places = npt.NDArray[np.int32]

BYTES_PER_ENTRY = 100  # of a block: one pair of things, through counting, scoring and sorting


@dataclass(frozen=True, slots=True)
class Likes:
    """Things, and who likes them.

    `ids` of the things rise; `sizes` says how much each has in all, which may be more than stands in the matrix.
    `forth` is things x inputs, `back` its transpose, both CSR with ones. `frames` are things for which the people were
    chosen; `counted` is how many like a thing says the service, NaN where it does not. `people` is how many were asked.
    `marks` are numbers that change when the people who like a thing do.
    """

    ids: Ints
    sizes: Ints
    forth: Any
    back: Any
    frames: Bools
    counted: Floats
    people: int
    marks: Ints


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of places in `Likes.ids`, row by row, with how many inputs the two have in common."""

    row: Places
    column: Places
    common: Places


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest of each row, in the order of row and rank; `by_service` where the service's counts were used."""

    row: Places
    column: Places
    common: Places
    score: Floats
    rank: Ints
    by_service: Bools


def blocks(likes: Likes, rows: Ints, entries: int) -> Iterator[Ints]:
    """Cut rows into runs whose counts have no more than `entries` entries (or a single row, which may have more)."""
    if not len(rows):
        return
    steps = np.diff(likes.back.indptr).astype(np.int64)
    most = np.minimum((likes.forth @ steps)[rows], len(likes.ids)) + 1
    upto = np.cumsum(most)
    first, spent = 0, 0
    while first < len(rows):
        last = max(int(np.searchsorted(upto, spent + entries, side="right")), first + 1)
        yield rows[first:last]
        first, spent = last, int(upto[last - 1])


def count(likes: Likes, rows: Ints, min_common: int) -> Pairs:
    """Count what the rows have in common with everything else, `min_common` at least."""
    found = likes.forth[rows] @ likes.back
    kept = np.flatnonzero(found.data >= min_common)
    row = rows.astype(np.int32)[np.searchsorted(found.indptr, kept, side="right") - 1]
    column, common = found.indices[kept].astype(np.int32, copy=False), found.data[kept]
    del found, kept
    other = row != column
    return Pairs(row[other], column[other], common[other])


def nearest(likes: Likes, pairs: Pairs, measure: str, neighbours: int) -> Nearest:
    """Score pairs and keep the nearest of each row.

    A frame (see `Likes`) is compared by the service's own counts, and only in its own row: in the rows of others its
    place would tell how people were chosen, not what they like.
    """
    framed = likes.frames[pairs.row]
    usable = framed | ~likes.frames[pairs.column]
    if measure == "npmi":
        usable &= pairs.common < likes.people
    if framed.any():
        usable &= ~framed | _can_be_estimated(likes, pairs, measure)
    row, column, common = pairs.row[usable], pairs.column[usable], pairs.common[usable]
    by_service = framed[usable]
    scores = score(measure, common.astype(np.float64), likes.sizes[row], likes.sizes[column], likes.people, np)
    if by_service.any():
        scores[by_service] = _by_service(likes, row[by_service], column[by_service], common[by_service], measure)
    near = _near_enough(row, scores, neighbours)
    order = near[np.lexsort((column[near], -scores[near], row[near]))]
    row = row[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    best = rank < neighbours
    order = order[best]
    return Nearest(row[best], column[order], common[order], scores[order], rank[best], by_service[order])


def _near_enough(row: Places, scores: Floats, neighbours: int) -> Ints:
    """Find the pairs that reach the lowest score kept in their row, so that few are left to sort."""
    near = np.ones(len(row), np.bool_)
    bounds = np.flatnonzero(np.diff(row, prepend=-1, append=-1))
    for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if last - first > neighbours:
            some = scores[first:last]
            near[first:last] = some >= np.partition(some, last - first - neighbours)[last - first - neighbours]
    return np.flatnonzero(near)


def _can_be_estimated(likes: Likes, pairs: Pairs, measure: str) -> Bools:
    """Say where the service's counts allow an estimate; lift and NPMI would need to know how many people it has."""
    if measure in AGAINST_ALL:
        return np.zeros(len(pairs.row), np.bool_)
    known: Bools = (likes.counted[pairs.row] > 0) & (likes.counted[pairs.column] > 0)  # false beside NaN
    return known


def _by_service(likes: Likes, row: Places, column: Places, common: Places, measure: str) -> Floats:
    """Score pairs with a frame: how many of the whole service like both is estimated from those who were read.

    Where both are frames there are two estimates, one from either side; the geometric mean is the same both ways.
    """
    one, other = likes.counted[row], likes.counted[column]
    share = common / likes.sizes[row]
    from_here = share * one
    from_there = np.where(likes.frames[column], common / likes.sizes[column] * other, from_here)
    both = np.where(likes.frames[column], np.sqrt(from_here * from_there), from_here)
    both = np.minimum(both, np.minimum(one, other))
    result: Floats = score(measure, both, one, other, likes.people, np)
    return result
