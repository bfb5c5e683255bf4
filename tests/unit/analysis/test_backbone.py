"""The disparity filter as somebody computes it on paper."""

from __future__ import annotations

import pytest

np = pytest.importorskip("numpy")
sparse = pytest.importorskip("scipy.sparse")

from harvest.analysis.backbone import significance  # noqa: E402


def alphas(edges, n):
    both = [way for one, other, weight in edges for way in ((one, other, weight), (other, one, weight))]
    rows, columns, weights = zip(*both, strict=True)
    graph = sparse.coo_array((np.array(weights, float), (rows, columns)), shape=(n, n)).tocsr()
    graph.sort_indices()
    places = np.repeat(np.arange(n), np.diff(graph.indptr)).tolist()
    return dict(zip(zip(places, graph.indices.tolist(), strict=True), significance(graph).tolist(), strict=True))


def test_a_star_keeps_its_strong_edge():
    """Weights 8, 1, 1 at the middle: (1 - 8/10)^2 = 0.04, (1 - 1/10)^2 = 0.81; its ends have one edge each, so 1."""
    found = alphas([(0, 1, 8), (0, 2, 1), (0, 3, 1)], 4)
    assert found == pytest.approx({(0, 1): 0.04, (1, 0): 0.04, **dict.fromkeys([(0, 2), (2, 0), (0, 3), (3, 0)], 0.81)})


def test_the_end_that_has_less_counts():
    """A path of 3, 1: the middle gives (1 - 3/4) and (1 - 1/4); an end that has one edge alone says nothing."""
    assert alphas([(0, 1, 3), (1, 2, 1)], 3) == pytest.approx({(0, 1): 0.25, (1, 0): 0.25, (1, 2): 0.75, (2, 1): 0.75})
