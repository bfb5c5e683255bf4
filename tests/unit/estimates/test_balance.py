"""Differences and raked weights as somebody computes them on paper."""

from __future__ import annotations

from collections import Counter
from math import log1p, sqrt
from statistics import fmean, pstdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harvest.estimates.balance import Spread, standardised
from harvest.estimates.raking import ROUNDS, rake


def spread(values, *, counts=False):
    made = Spread(counts)
    for value in values:
        made.add(value)
    return made


def test_the_difference_of_one_of_four():
    """0, 0, 1, 1 have a mean and a standard deviation of 1/2; 1 is one of these away."""
    everybody = spread([0, 0, 1, 1])
    assert standardised(spread([1]), everybody) == pytest.approx(1)
    assert standardised(spread([0, 1]), everybody) == pytest.approx(0)
    assert standardised(spread([]), everybody) is None
    assert standardised(spread([3, 3]), spread([3, 3, 3])) is None


def test_counts_are_compared_by_their_logarithm_and_shown_as_they_are():
    values = [0, 3, 40, 50_000]
    logs = [log1p(value) for value in values]
    everybody, group = spread(values, counts=True), spread([40, 50_000, None], counts=True)
    assert standardised(group, everybody) == pytest.approx((fmean(logs[2:]) - fmean(logs)) / pstdev(logs))
    assert (group.n, group.mean) == (2, 25_020)


def test_two_divisions_of_four_people():
    found = rake([(0, 0), (0, 1), (1, 0), (1, 1)], [{0: 3, 1: 1}, {0: 2, 1: 2}], [1, 1, 1, 1])
    assert found.weights == pytest.approx((1.5, 1.5, 0.5, 0.5))
    assert (found.rounds, found.converged) == (1, True)


def test_a_table_of_two_by_two_in_which_one_corner_is_empty():
    """Weights a, b, c in (0, 0), (0, 1), (1, 0): c is 4, so a is 1, so b is 2."""
    found = rake([(0, 0), (0, 1), (1, 0)], [{0: 3, 1: 4}, {0: 5, 1: 2}], [1, 1, 1])
    assert found.weights == pytest.approx((1, 2, 4), rel=1e-6)


def test_sums_that_no_weights_have_are_said_not_to_fit():
    """Both divisions are the same, and want other sums."""
    found = rake([(0, 0), (1, 1)], [{0: 3, 1: 1}, {0: 1, 1: 3}], [1, 1])
    assert (found.converged, found.rounds, found.off > 0.1) == (False, ROUNDS, True)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40), st.randoms())
def test_weights_that_a_population_really_has_are_found_to_its_sums(people, chance):
    """The people listed are those of the sample, each several times: so weights exist."""
    listed = [person for person in people for _ in range(chance.randint(1, 5))]
    sizes = [Counter(person[division] for person in listed) for division in (0, 1)]
    found = rake(people, sizes, [1.0] * len(people))
    for division in (0, 1):
        sums = Counter()
        for person, weight in zip(people, found.weights, strict=True):
            sums[person[division]] += weight
        assert dict(sums) == pytest.approx(dict(sizes[division]), rel=1e-3)
    assert sqrt(min(found.weights)) > 0
