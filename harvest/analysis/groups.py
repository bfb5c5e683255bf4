"""Find the groups among a few tracks: which the same people like, where each stands on a map. Pure.

Tracks are compared by cosine, each is joined to its nearest, the graph is divided by Leiden, and laid out: the steps of
`harvest analyze`, for a few hundred tracks at once and without a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from harvest.analysis.kernel import Ints, Likes, Nearest, count, nearest
from harvest.analysis.layout import place
from harvest.analysis.partitions import divide

NEAREST = 5  # neighbours of each: a group of a few hundred tracks has some twenty, and more would join it to the others
APART = -1  # the community of a track that is in none


@dataclass(frozen=True, slots=True)
class Grouped:
    """The tracks that are joined to another one, by their `places` in what was asked for, which rise, as the lists do.

    `communities` go from 0, the largest, to APART; `points` lie in a square from 0 to `layout.SIDE`, `radii` are in the
    same unit, their areas go with the sizes. `lines` join two of `places`, the smaller first, by their cosine.
    """

    places: list[int]
    communities: list[int]
    points: list[tuple[int, int]]
    radii: list[int]
    lines: dict[tuple[int, int], float]


def grouped(
    tracks: Sequence[int],
    sizes: Sequence[int],
    likes: Sequence[tuple[int, int]],
    min_common: int,
    given: Mapping[int, int] | None = None,
) -> Grouped | None:
    """Group tracks by `likes`, pairs of a person and a track among them; None where no two are joined.

    `sizes` say how large each is to be drawn; `min_common` people at least like two that are joined. `given` holds the
    community of each track that has one, where these are known already. Needs graspologic-native.
    """
    order = np.argsort(np.array(tracks, np.int64))
    ids = np.array(tracks, np.int64)[order]
    near = _nearest(ids, np.array(likes, np.int64).reshape(-1, 2), min_common)
    joined = np.unique(np.concatenate([near.row, near.column]))
    if not len(joined):
        return None
    row, column = np.searchsorted(joined, near.row), np.searchsorted(joined, near.column)
    graph = sparse.coo_array((near.score, (row, column)), shape=(len(joined),) * 2).tocsr()
    graph = graph.maximum(graph.T).tocsr()
    graph.sort_indices()
    ids, order = ids[joined], order[joined]
    if given is None:
        labels = divide(graph, 1.0).labels
    else:
        labels = np.array([given.get(track, APART) for track in ids.tolist()], np.int64)
    upper = sparse.triu(graph, 1).tocoo()
    one, other = upper.row.astype(np.int64), upper.col.astype(np.int64)
    points, radii = place(ids, labels, one, other, upper.data, np.array(sizes, np.int64)[order])
    ends = np.sort(np.stack([order[one], order[other]], axis=1), axis=1)
    back = np.argsort(order)
    return Grouped(
        places=order[back].tolist(),
        communities=labels[back].tolist(),
        points=[(x, y) for x, y in points[back].tolist()],
        radii=radii[back].tolist(),
        lines={(a, b): score for (a, b), score in zip(ends.tolist(), upper.data.tolist(), strict=True)},
    )


def _nearest(ids: Ints, likes: Ints, min_common: int) -> Nearest:
    """Compare the tracks `ids`, which rise, by who likes them."""
    people, who = np.unique(likes[:, 0], return_inverse=True)
    what = np.searchsorted(ids, likes[:, 1])
    forth = sparse.coo_array((np.ones(len(who), np.int32), (what, who)), shape=(len(ids), len(people))).tocsr()
    n = len(ids)
    liked = Likes(
        ids=ids,
        sizes=np.bincount(what, minlength=n),
        forth=forth,
        back=forth.T.tocsr(),
        frames=np.zeros(n, np.bool_),
        counted=np.full(n, np.nan),
        people=len(people),
        marks=np.zeros(n, np.int64),
    )
    return nearest(liked, count(liked, np.arange(n), min_common), "cosine", NEAREST)
