"""Divisions of graphs: figures as somebody computes them on paper, and graphs whose communities are plain to see."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.communities import shared_information as brute_information

np = pytest.importorskip("numpy")
sparse = pytest.importorskip("scipy.sparse")
pytest.importorskip("graspologic_native")

from harvest.analysis.partitions import adjusted_rand, by_size, divide, modularity, shared_information  # noqa: E402


def graph_of(edges, n):
    """Put edges {(one, other): weight} into a symmetric matrix."""
    rows = [(a, b, w) for (one, other), w in edges.items() for a, b, w in ((one, other, w), (other, one, w))]
    one, other, weights = zip(*rows, strict=True)
    made = sparse.coo_array((np.array(weights, float), (one, other)), shape=(n, n)).tocsr()
    made.sort_indices()
    return made


TRIANGLES = dict.fromkeys([(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5), (2, 3)], 1.0)  # two, joined by an edge


def test_the_modularity_of_two_joined_triangles():
    """7 edges, 3 inside each triangle; the ends of edges are 7 and 7 of 14: 2 (3/7 - (7/14)^2) = 5/14."""
    found = modularity(graph_of(TRIANGLES, 6), np.array([0, 0, 0, 1, 1, 1]))
    assert found == pytest.approx(5 / 14)
    assert modularity(graph_of(TRIANGLES, 6), np.zeros(6, int)) == pytest.approx(0)
    assert modularity(graph_of(TRIANGLES, 6), np.array([0, 0, 0, 1, 1, 1]), 2.0) == pytest.approx(6 / 7 - 1)


def test_weights_count_and_not_edges():
    """Weights 3 inside, 1 across: m = 4; 3/4 - (7/8)^2 - (1/8)^2 = -1/32."""
    found = modularity(graph_of({(0, 1): 3.0, (1, 2): 1.0}, 3), np.array([0, 0, 1]))
    assert found == pytest.approx(-1 / 32)


def test_the_agreement_of_two_divisions_of_six():
    """Together in both: {1}, {4, 5}, so 1 pair of the 15; in the one 2 x 3 pairs, in the other 1 + 3. By chance
    6 * 4 / 15 = 1.6, at most (6 + 4) / 2 = 5: (2 - 1.6) / (5 - 1.6) = 2 / 17.
    """
    one, other = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 1, 2, 2, 1])
    assert adjusted_rand(one, other) == pytest.approx(2 / 17)
    assert adjusted_rand(one, one) == adjusted_rand(one, 1 - one) == 1


def test_the_information_that_two_divisions_share():
    """Halves against halves of each half: the finer says all about the coarser. I = H = ln 2, H' = ln 4: 2/3."""
    one, other = np.array([0, 0, 1, 1]), np.array([0, 1, 2, 3])
    assert shared_information(one, other) == pytest.approx(2 * math.log(2) / (math.log(2) + math.log(4)))
    assert shared_information(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])) == pytest.approx(0)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=4, max_size=30))
def test_shared_information_is_that_of_plain_counting(pairs):
    one, other = (by_size(np.array(labels)) for labels in zip(*pairs, strict=True))
    if len(set(one.tolist())) + len(set(other.tolist())) > 2:
        assert shared_information(one, other) == pytest.approx(brute_information(one.tolist(), other.tolist()))


def test_communities_are_numbered_by_size_and_then_by_their_first_member():
    assert by_size(np.array([7, 3, 3, 9, 9, 9, 5, 5])).tolist() == [3, 1, 1, 0, 0, 0, 2, 2]


def test_two_joined_triangles_are_two_communities_whatever_the_seed():
    found = divide(graph_of(TRIANGLES, 6), 1.0)
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert (found.communities, found.seed, found.rand, found.information) == (2, 0, 1.0, 1.0)
    assert found.modularity == pytest.approx(5 / 14)


def test_a_higher_resolution_gives_more_communities():
    """A ring of 30 triangles: joining two gains 1/120 of inside weight and costs R * 2 * 8 * 8 / 240^2, so from
    R = 3.75 on they stay single.
    """
    edges = {}
    for clique in range(30):
        members = range(3 * clique, 3 * clique + 3)
        edges |= {(a, b): 1.0 for a in members for b in members if a < b}
        edges[3 * clique, (3 * clique + 5) % 90] = 1.0
    counts = [divide(graph_of(edges, 90), resolution).communities for resolution in (0.2, 1.0, 5.0)]
    assert counts == sorted(counts)
    assert counts[0] < 30 == counts[2]


def test_a_graph_without_structure_says_so():
    """Every seed ends elsewhere: that is what the agreement is for."""
    chance = random.Random(3)
    edges = {tuple(sorted(chance.sample(range(200), 2))): 1.0 for _ in range(700)}
    found = divide(graph_of(edges, 200), 1.0)
    assert found.rand < 0.5
    assert found.rand < found.information < 1


def test_no_edge_no_community():
    found = divide(sparse.csr_array((0, 0)), 1.0)
    assert (found.labels.tolist(), found.communities, found.modularity, found.rand) == ([], 0, None, None)
