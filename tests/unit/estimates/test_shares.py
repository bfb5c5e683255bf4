"""Intervals of shares: they hold the truth as often as they say, in populations that are known."""

from __future__ import annotations

import random
from math import comb

import pytest

from harvest.estimates.shares import share_of_likes, share_of_people, spread_of_ratio


@pytest.mark.parametrize(("people", "population"), [(40, 200), (100, 2_000), (150, 160)])
def test_the_share_of_a_population_lies_inside_about_19_times_in_20(people, population):
    """Exactly, by the chance of each sample: for every share there can be, and on average."""
    rates = []
    for having in range(population // 20, population - population // 20, max(population // 40, 1)):
        inside = 0.0
        for part in range(max(0, people - population + having), min(people, having) + 1):
            low, high = share_of_people(part, people, population)
            chance = comb(having, part) * comb(population - having, people - part) / comb(population, people)
            inside += chance * (low <= having / population <= high)
        rates.append(inside)
    assert min(rates) > 0.85
    assert 0.93 < sum(rates) / len(rates) < 0.98


def test_what_everybody_or_nobody_has_stays_a_share():
    assert share_of_people(0, 20)[0] == 0.0
    assert share_of_people(0, 20)[1] == pytest.approx(0.161, abs=0.001)  # Newcombe 1998, method 3
    assert share_of_people(20, 20)[1] == 1.0
    assert share_of_people(81, 263) == pytest.approx((0.2553, 0.3662), abs=0.0001)  # the same
    assert share_of_people(3, 9, 9) == pytest.approx((1 / 3, 1 / 3))
    with pytest.raises(ValueError, match="no people"):
        share_of_people(0, 0)


def test_the_share_of_likes_lies_inside_about_19_times_in_20_although_people_have_a_taste():
    chance = random.Random(4)
    everybody = []
    for _ in range(1_500):
        likes = int(chance.lognormvariate(3, 0.8)) + 1
        taste = chance.betavariate(0.4, 1.6)
        everybody.append((sum(chance.random() < taste for _ in range(likes)), likes))
    truth = sum(y for y, _ in everybody) / sum(x for _, x in everybody)
    held = naive = 0
    for _ in range(300):
        drawn = chance.sample(everybody, 120)
        part, whole = (sum(column) for column in zip(*drawn, strict=True))
        low, high = share_of_likes(part / whole, spread_of_ratio(part / whole, drawn), 120, 1_500)
        held += low <= truth <= high
        low, high = share_of_people(part, whole)
        naive += low <= truth <= high
    assert 0.9 < held / 300 < 0.98
    assert naive / 300 < 0.7  # what likes drawn one by one would give


def test_of_nothing_there_is_no_spread():
    assert spread_of_ratio(0.5, []) == spread_of_ratio(0.5, [(1, 2)]) == spread_of_ratio(0.5, [(0, 0), (0, 0)]) == 0.0
    assert share_of_likes(0.0, 1.0, 10) == (0.0, 0.0)
