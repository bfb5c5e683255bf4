"""Make graphs and matrices of rows that join two things: likes, follows, tracks near one another.

In: pages of pairs of ids, with a weight. Out: what scipy, NetworkX, igraph or PyTorch work with. None of these is a
part of harvest: each is imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from harvest.errors import QueryError
from harvest.python.frames import Page
from harvest.python.needed import needed

if TYPE_CHECKING:
    import igraph
    import networkx
    import numpy as np
    import numpy.typing as npt
    import scipy.sparse
    import torch

# What an id is of, by the name of its column; a name that is not here is of a kind of its own.
_OF = {
    **dict.fromkeys(("user_id", "other_user_id", "follower_id", "followee_id", "uploader_id", "owner_id"), "user"),
    **dict.fromkeys(("artist_id", "other_artist_id"), "user"),
    **dict.fromkeys(("track_id", "related_track_id", "item_id"), "track"),
    **dict.fromkeys(("source_id", "target_id"), "thing"),
    "playlist_id": "playlist",
    "station_id": "station",
}


class Matrix(NamedTuple):
    """A sparse matrix of float64, and which id stands at which row and column. Where both are of one kind, people or
    tracks, it is square, and the ids of both are the same array.
    """

    matrix: scipy.sparse.csr_array
    row_ids: npt.NDArray[np.int64]
    column_ids: npt.NDArray[np.int64]


class EdgeIndex(NamedTuple):
    """Edges for PyTorch: `edge_index` is 2 x edges, of places in `source_ids` and `target_ids`; `weight` is float32."""

    edge_index: torch.Tensor
    weight: torch.Tensor
    source_ids: torch.Tensor
    target_ids: torch.Tensor


@dataclass(frozen=True, slots=True)
class Ends:
    """Which columns hold the two ends of an edge, and its weight (None: 1)."""

    source: str
    target: str
    weight: str | None = None

    @property
    def columns(self) -> list[str]:
        """The columns that are read."""
        return [self.source, self.target, *([self.weight] if self.weight else [])]

    @property
    def kinds(self) -> tuple[str, str]:
        """What the ends are: user, track, ..."""
        return _OF.get(self.source, self.source), _OF.get(self.target, self.target)

    @property
    def is_square(self) -> bool:
        """Whether both are of one kind."""
        return self.kinds[0] == self.kinds[1]


def ends_of(columns: Sequence[str], source: str | None, target: str | None, weight: str | None) -> Ends:
    """Find the ends of an edge among the columns: those named, else the first two that are called `..._id`.

    Raises QueryError where there are no such columns.
    """
    ids = [name for name in columns if name.endswith("_id")]
    first = source or next((name for name in ids if name != target), None)
    second = target or next((name for name in ids if name != first), None)
    wanted = [name for name in (first, second, weight) if name is not None]
    if first is None or second is None or set(wanted) - set(columns):
        raise QueryError(
            f"An edge takes two columns of ids, by default the first two called ..._id: name them as source and"
            f" target. There are {', '.join(columns)}."
        )
    return Ends(first, second, weight)


@dataclass(frozen=True, slots=True)
class _Edges:
    """Edges by place: where each end stands among its ids."""

    source: npt.NDArray[np.int64]
    target: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]
    source_ids: npt.NDArray[np.int64]
    target_ids: npt.NDArray[np.int64]


def _edges(ends: Ends, pages: Iterable[Page]) -> _Edges:
    """Read all edges into arrays; those with an unknown end are left out, an unknown weight is 0."""
    np = needed("numpy")
    parts: list[Any] = []
    for page in pages:
        rows = [row for row in page if row[0] is not None and row[1] is not None]
        ids = np.array([row[:2] for row in rows], np.int64).reshape(-1, 2)
        weights = np.array([row[2] or 0 for row in rows], np.float64) if ends.weight else np.ones(len(rows))
        parts.append((ids, weights))
    ids = np.concatenate([ids for ids, _ in parts]) if parts else np.empty((0, 2), np.int64)
    weights = np.concatenate([weights for _, weights in parts]) if parts else np.empty(0)
    if ends.is_square:
        known, places = np.unique(ids, return_inverse=True)
        places = places.reshape(-1, 2)
        return _Edges(places[:, 0], places[:, 1], weights, known, known)
    source_ids, source = np.unique(ids[:, 0], return_inverse=True)
    target_ids, target = np.unique(ids[:, 1], return_inverse=True)
    return _Edges(source, target, weights, source_ids, target_ids)


def to_scipy(ends: Ends, pages: Iterable[Page]) -> Matrix:
    """Give a matrix; the weights of several rows of one pair are added up."""
    sparse = needed("scipy.sparse")
    edges = _edges(ends, pages)
    shape = (len(edges.source_ids), len(edges.target_ids))
    matrix = sparse.coo_array((edges.weight, (edges.source, edges.target)), shape=shape).tocsr()
    return Matrix(matrix, edges.source_ids, edges.target_ids)


def to_torch(ends: Ends, pages: Iterable[Page]) -> EdgeIndex:
    """Give tensors, as PyTorch Geometric and DGL take them."""
    np, torch = needed("numpy"), needed("torch")
    edges = _edges(ends, pages)
    index = torch.from_numpy(np.stack([edges.source, edges.target]).astype(np.int64))
    weight = torch.from_numpy(edges.weight.astype(np.float32))
    return EdgeIndex(index, weight, torch.from_numpy(edges.source_ids), torch.from_numpy(edges.target_ids))


def to_networkx(ends: Ends, pages: Iterable[Page], *, directed: bool) -> networkx.Graph[Any]:
    """Give a graph whose nodes are (kind, id) with the attribute `kind`, and whose edges have a `weight`."""
    networkx = needed("networkx")
    graph = networkx.DiGraph() if directed else networkx.Graph()
    one, other = ends.kinds
    for page in pages:
        edges = [
            ((one, row[0]), (other, row[1]), (row[2] or 0) if ends.weight else 1)
            for row in page
            if row[0] is not None and row[1] is not None
        ]
        graph.add_nodes_from((end for edge in edges for end in edge[:1]), kind=one)
        graph.add_nodes_from((end for edge in edges for end in edge[1:2]), kind=other)
        graph.add_weighted_edges_from(edges)
    return graph


def to_igraph(ends: Ends, pages: Iterable[Page], *, directed: bool) -> igraph.Graph:
    """Give a graph whose vertices have `id` and `kind`, and whose edges have a `weight`; `type` tells the two sides of
    a graph of two kinds apart, as igraph has it.
    """
    np, igraph = needed("numpy"), needed("igraph")
    edges = _edges(ends, pages)
    one, other = ends.kinds
    shift = 0 if ends.is_square else len(edges.source_ids)
    ids = edges.source_ids.tolist() + ([] if ends.is_square else edges.target_ids.tolist())
    pairs = np.stack([edges.source, edges.target + shift], axis=1)
    graph = igraph.Graph(len(ids), pairs.tolist(), directed=directed)
    graph.vs["id"] = ids
    graph.vs["kind"] = [one] * len(edges.source_ids) + [other] * (len(ids) - len(edges.source_ids))
    if not ends.is_square:
        graph.vs["type"] = [False] * shift + [True] * (len(ids) - shift)
    graph.es["weight"] = edges.weight.tolist()
    return graph
