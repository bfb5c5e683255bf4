"""The disparity filter and the stochastic degree sequence model as somebody computes them on paper."""

from __future__ import annotations

from math import comb

import pytest

np = pytest.importorskip("numpy")
sparse = pytest.importorskip("scipy.sparse")

from harvest.analysis.backbone import significance  # noqa: E402
from harvest.analysis.degree_model import fit  # noqa: E402


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


def test_everybody_likes_two_of_four_tracks():
    """Then every like has the chance 1/2, and each of four people likes two given tracks with 1/4."""
    model = fit([2, 2, 2, 2], [2, 2, 2, 2])
    assert model.chances.tolist() == [[pytest.approx(0.5)]]
    none, one = 0.75**4, 4 * 0.25 * 0.75**3
    found = model.alphas(np.array([[0, 1], [0, 1], [2, 1], [3, 0]]), np.array([0, 1, 2, 4]))
    assert found.tolist() == pytest.approx([1, 1 - none, 1 - none - one, 0.25**4])


def test_people_and_tracks_that_are_unlike():
    """x = 1, 2 and y = 1, 1/2 give 1/2, 1/3 and 2/3, 1/2, with sums of 5/6, 7/6 and 7/6, 5/6. Both tracks are liked by
    the one with 1/2 * 1/3, by the other with 2/3 * 1/2.
    """
    model = fit([5 / 6, 7 / 6], [7 / 6, 5 / 6])
    assert model.chances[:, model.column_class].ravel().tolist() == pytest.approx([1 / 2, 1 / 3, 2 / 3, 1 / 2])
    found = model.alphas(np.array([[0, 1], [1, 0]]), np.array([1, 2]))
    assert found.tolist() == pytest.approx([1 - 5 / 6 * 2 / 3, 1 / 6 * 1 / 3])


def test_a_chance_that_is_small_is_told_as_well_as_a_large_one():
    """Of 200 people each likes 10 of 100 tracks: two have so many in common as a binomial variable says."""
    model = fit([10] * 200, [20] * 100)
    found = model.alphas(np.array([[0, 1], [0, 1]]), np.array([2, 9]))
    exact = [sum(comb(200, k) * 0.01**k * 0.99 ** (200 - k) for k in range(c, 201)) for c in (2, 9)]
    assert found.tolist() == pytest.approx(exact, rel=1e-6)
    assert exact[1] < 3e-4
    assert fit([], []).alphas(np.empty((0, 2), int), np.empty(0, int)).tolist() == []
