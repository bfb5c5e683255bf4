"""Divide a graph into communities, and say how good and how stable the division is. Pure.

Communities are found by the Leiden algorithm (Traag, Waltman and van Eck 2019, doi:10.1038/s41598-019-41695-z), in
graspologic-native. It begins with a seed, and another seed may end elsewhere: so several are tried, the division of
highest modularity is kept, and how much they agree is told.

For a graph with edges of weight w, of which m is the sum, d(i) the sum of those at i, and communities C:

    modularity   sum over C of  w(C) / m - resolution * (d(C) / 2m)^2

where w(C) is the weight inside and d(C) the sum of d in it (Newman 2004, doi:10.1103/PhysRevE.69.066133; the
resolution is that of Reichardt and Bornholdt 2006, doi:10.1103/PhysRevE.74.016110). Two divisions are compared by the
adjusted Rand index (Hubert and Arabie 1985, doi:10.1007/BF01908075) and by normalised mutual information,
2 I / (H + H').
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Ints = npt.NDArray[np.int64]

SEEDS = 10  # divisions that are compared
_ITERATIONS = 2  # of each; further ones hardly ever change anything


@dataclass(frozen=True, slots=True)
class Partition:
    """A division: the community of each node, 0 the largest; the seed that gave it, and the means over every two of the
    seeds' divisions. `modularity` is None for a graph without edges.
    """

    labels: Ints
    communities: int
    modularity: float | None
    seed: int
    rand: float | None
    information: float | None


def divide(graph: Any, resolution: float, told: Callable[[float], None] = lambda share: None) -> Partition:
    """Divide a graph, a symmetric CSR matrix of weights above 0 with sorted columns and an empty diagonal.

    The same graph gives the same division. `told` hears after each seed how much is done, 0 to 1. Needs
    graspologic-native.
    """
    if not graph.nnz:
        return Partition(np.zeros(0, np.int64), 0, None, 0, None, None)
    found = []
    for seed in range(SEEDS):
        found.append(by_size(_leiden(graph, resolution, seed)))
        told((seed + 1) / SEEDS)
    quality = [modularity(graph, labels, resolution) for labels in found]
    best = int(np.argmax(np.round(quality, 12)))  # of equals the first
    pairs = list(combinations(found, 2))
    return Partition(
        labels=found[best],
        communities=int(found[best].max()) + 1,
        modularity=quality[best],
        seed=best,
        rand=float(np.mean([adjusted_rand(one, other) for one, other in pairs])),
        information=float(np.mean([shared_information(one, other) for one, other in pairs])),
    )


def _leiden(graph: Any, resolution: float, seed: int) -> Ints:
    from graspologic_native import leiden_csr

    n = graph.shape[0]
    _, found = leiden_csr(
        graph.indptr.astype(np.int64, copy=False),
        graph.indices.astype(np.int32, copy=False),
        graph.data.astype(np.float64, copy=False),
        n,
        resolution=resolution,
        iterations=_ITERATIONS,
        seed=seed,
    )
    return np.fromiter((found[node] for node in range(n)), np.int64, n)


def by_size(labels: Ints) -> Ints:
    """Number communities again: 0 the largest, of equals the one whose first member comes first."""
    _, first, place, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    number = np.empty(len(sizes), np.int64)
    number[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    result: Ints = number[place]
    return result


def modularity(graph: Any, labels: Ints, resolution: float = 1.0) -> float:
    """Say how much more weight lies inside communities than by chance, -1 to 1."""
    twice = graph.sum()  # each edge stands both ways
    rows = np.repeat(np.arange(graph.shape[0]), np.diff(graph.indptr))
    inside = graph.data[labels[rows] == labels[graph.indices]].sum()
    degrees = np.bincount(labels, weights=np.asarray(graph.sum(axis=1)).ravel())
    return float(inside / twice - resolution * ((degrees / twice) ** 2).sum())


def adjusted_rand(one: Ints, other: Ints) -> float:
    """Compare two divisions: 1 the same, 0 as much alike as by chance."""
    table = _table(one, other)
    both, ours, theirs = (
        _pairs(counts) for counts in (table.data, np.asarray(table.sum(axis=1)), np.asarray(table.sum(axis=0)))
    )
    expected = ours * theirs / _pairs(np.array([len(one)]))
    most = (ours + theirs) / 2
    return 1.0 if most == expected else float((both - expected) / (most - expected))


def shared_information(one: Ints, other: Ints) -> float:
    """Compare two divisions: 1 the same, 0 when the one says nothing about the other."""
    table = _table(one, other).tocoo()
    share = table.data / len(one)
    ours, theirs = (np.asarray(table.sum(axis=axis)).ravel() / len(one) for axis in (1, 0))
    mutual = (share * np.log(share / (ours[table.row] * theirs[table.col]))).sum()
    entropies = -(ours * np.log(ours)).sum() - (theirs * np.log(theirs)).sum()
    return 1.0 if entropies == 0 else float(2 * mutual / entropies)


def _table(one: Ints, other: Ints) -> Any:
    """Count how many are in each community of the one and of the other: CSR. Labels go from 0 without a gap."""
    return sparse.coo_array((np.ones(len(one)), (one, other))).tocsr()


def _pairs(counts: Any) -> float:
    return float((counts * (counts - 1) / 2).sum())
