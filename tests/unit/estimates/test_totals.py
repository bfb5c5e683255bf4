"""Each estimator computed by hand for a few people, and its intervals held against the truth of skewed populations."""

from __future__ import annotations

import random
from dataclasses import replace
from math import sqrt
from statistics import fmean, stdev

import pytest

from harvest.estimates.totals import Unit, hajek, ht, plain_error, ratio, regression

# Three people drawn, with the chances 1/2, 1/4 and 1/4; they like 4, 2 and 6, and claim 5, 4 and 8.
UNEQUAL = [Unit(2, 4, 5), Unit(4, 2, 4), Unit(4, 6, 8)]
# Four out of twelve.
EQUAL = [Unit(3, 4, 5), Unit(3, 2, 4), Unit(3, 6, 8), Unit(3, 12, 15)]


def test_horvitz_thompson_by_hand():
    assert ht(UNEQUAL, 0.3).value == 2 * 4 + 4 * 2 + 4 * 6 == 40
    assert ht(UNEQUAL, 0.3, factor=1 / 10).value == pytest.approx(4)
    found = ht(EQUAL, 4 / 12)
    assert found.value == 3 * 24
    # N^2 (1 - f) s^2 / n
    assert found.error == pytest.approx(12 * sqrt((1 - 4 / 12) / 4) * stdev([4, 2, 6, 12]))


def test_hajek_by_hand():
    assert hajek(UNEQUAL, 0.3).value == pytest.approx(40 / 10)
    found = hajek(EQUAL, 4 / 12)
    assert (found.value, found.people) == (6, 4)
    assert found.error == pytest.approx(sqrt((1 - 4 / 12) / 4) * stdev([4, 2, 6, 12]))
    assert hajek(EQUAL, 4 / 12, factor=12).value == 72


def test_the_ratio_by_hand():
    assert ratio(UNEQUAL, 0.3).value == pytest.approx(40 / (2 * 5 + 4 * 4 + 4 * 8))
    found = ratio(EQUAL, 4 / 12, known_mean=9)
    assert found.value == pytest.approx(9 * 24 / 32)
    left = [4 - 0.75 * 5, 2 - 0.75 * 4, 6 - 0.75 * 8, 12 - 0.75 * 15]
    assert found.error == pytest.approx(9 * sqrt((1 - 4 / 12) * 4 / 3 * sum(e**2 for e in left)) / 32)


def test_regression_by_hand():
    # x = 5, 4, 8, 15 with mean 8; y = 4, 2, 6, 12 with mean 6: slope = (6 + 16 + 0 + 42) / (9 + 16 + 0 + 49)
    found = regression(EQUAL, 4 / 12, known_mean=9)
    assert found.value == pytest.approx(6 + 64 / 74 * (9 - 8))
    left = [4 - 6 + 3 * 64 / 74, 2 - 6 + 4 * 64 / 74, 0, 12 - 6 - 7 * 64 / 74]
    assert found.error == pytest.approx(sqrt((1 - 4 / 12) * 4 / 2 * sum(e**2 for e in left)) / 4)


def test_stops_of_a_walk_by_hand():
    """Somebody with 8 ways on likes 4, somebody with 4 likes 2: (4 / 8 + 2 / 4) / (1 / 8 + 1 / 4)."""
    assert hajek([Unit(1 / 8, 4), Unit(1 / 4, 2)], 0.0).value == pytest.approx(8 / 3)


def test_people_who_are_certain_by_hand():
    """Two who were chosen for certain and like 4 and 2; of 12 others, 4 were drawn, who like 3, 1, 5 and 7."""
    units = [Unit(1, 4, certain=True), Unit(1, 2, certain=True), *(Unit(3, likes) for likes in (3, 1, 5, 7))]
    total = ht(units, 4 / 12)
    assert total.value == 4 + 2 + 3 * 16
    assert total.error == pytest.approx(12 * sqrt((1 - 4 / 12) / 4) * stdev([3, 1, 5, 7]))
    mean = hajek(units, 4 / 12)
    assert mean.value == pytest.approx(54 / 14)
    assert mean.error == pytest.approx(total.error / 14)
    share = ratio([replace(unit, known=2.0 if unit.certain else 1.0) for unit in units], 4 / 12)
    assert share.value == pytest.approx(54 / (4 + 12))
    assert share.error == pytest.approx(total.error / 16)
    assert hajek(units[:2], 1.0).value == 3
    assert hajek(units[:2], 0.5).low is None


def test_the_design_effect_by_hand():
    assert hajek(EQUAL, 4 / 12).design_effect == pytest.approx(1)
    assert ht(EQUAL, 4 / 12).design_effect == pytest.approx(1)
    assert plain_error(EQUAL) == pytest.approx(stdev([4, 2, 6, 12]) / 2)
    lean = ratio(EQUAL, 4 / 12, known_mean=8)
    assert lean.design_effect == pytest.approx((lean.error / hajek(EQUAL, 4 / 12).error) ** 2)
    assert lean.design_effect < 0.05


def test_errors_of_people_drawn_with_different_chances_by_hand():
    found = hajek(UNEQUAL, 0.3)
    left = [2 * (4 - 4), 4 * (2 - 4), 4 * (6 - 4)]  # weight times what the mean, 4, leaves
    assert found.error == pytest.approx(sqrt(0.7 * 3 / 2 * sum(e**2 for e in left)) / 10)
    plain = sqrt((2 * 0**2 + 4 * 2**2 + 4 * 2**2) / 10 / 2)
    assert plain_error(UNEQUAL) == pytest.approx(plain)
    assert found.design_effect == pytest.approx(found.error**2 / 0.7 / plain**2)


@pytest.mark.parametrize("estimator", [hajek, ht, ratio])
def test_of_many_who_are_not_skewed_the_interval_is_that_of_the_normal_distribution(estimator):
    lot = random.Random(4)
    units = [Unit(3, lot.gauss(50, 10), lot.gauss(20, 1)) for _ in range(300)]
    found = estimator(units, 0.3)
    assert (found.value - found.low) / found.error == pytest.approx(1.96, abs=0.2)
    assert (found.high - found.value) / found.error == pytest.approx(1.96, abs=0.2)


def test_an_estimate_of_a_sample_that_is_everybody_has_no_doubt():
    found = hajek([Unit(1, y) for y in (1, 2, 6)], 1.0)
    assert (found.value, found.low, found.high, found.error) == (3, 3, 3, 0)


@pytest.mark.parametrize("units", [[Unit(1, 3)], [Unit(1, 3), Unit(1, 3)]])
def test_people_who_do_not_differ_give_no_interval(units):
    found = hajek(units, 0.1)
    assert (found.value, found.low, found.high) == (3, None, None)


def test_the_same_seed_gives_the_same_interval_and_another_one_another():
    units = [Unit(3, y * y) for y in range(30)]
    assert hajek(units, 0.3, seed=1) == hajek(units, 0.3, seed=1) != hajek(units, 0.3, seed=2)


def held_by(name, populations):
    """In how many of so many populations the interval of a sample of 80 of 400 held the mean."""
    held = 0
    for number in range(populations):
        lot = random.Random(number)
        claims = [5 + lot.lognormvariate(2.5, 1) for _ in range(400)]
        people = [Unit(400 / 80, claim * lot.uniform(0.7, 1), claim) for claim in claims]
        truth, known_mean = fmean(one.value for one in people), fmean(claims)
        sample = lot.sample(people, 80)
        found = {
            "hajek": lambda drawn: hajek(drawn, 0.2),
            "ht": lambda drawn: ht(drawn, 0.2, factor=1 / 400),
            "ratio": lambda drawn, mean=known_mean: ratio(drawn, 0.2, known_mean=mean),
            "regression": lambda drawn, mean=known_mean: regression(drawn, 0.2, known_mean=mean),
        }[name](sample)
        held += found.low <= truth <= found.high
    return held


@pytest.mark.first_case
@pytest.mark.parametrize("name", ["hajek", "regression"])
def test_intervals_of_skewed_populations_hold_the_truth(name):
    assert held_by(name, 25) >= 21  # 95 % of 25, two and a half standard errors below


@pytest.mark.soak
@pytest.mark.parametrize("name", ["hajek", "ht", "ratio", "regression"])
def test_intervals_of_many_skewed_populations_hold_the_truth_at_their_nominal_rate(name):
    assert 273 <= held_by(name, 300) <= 297  # 95 % of 300, three standard errors around
