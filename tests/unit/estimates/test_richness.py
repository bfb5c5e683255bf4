"""Coverage of a sample, each formula computed by hand for five people, and held against the truth of made-up worlds."""

from __future__ import annotations

import random
from collections import Counter
from math import comb, sqrt

import pytest

from harvest.estimates.richness import CORE, SURE, Counted, at_least, core_seen, coverage, new_share

# Tracks 3 and 4 are liked by two, track 1 by four, tracks 2, 5, 6, 7 by one: U = 12, q1 = 4, q2 = 2, of n = 5.
LISTS = [[1, 2, 3], [1, 3, 4], [1, 4, 5, 6], [1, 7], []]


def test_the_new_share_by_hand():
    # q1 / U * (n - 1) q1 / ((n - 1) q1 + 2 q2) = 4 / 12 * 16 / (16 + 4)
    assert new_share(5, 12, 4, 2) == pytest.approx(4 / 15)
    # without a track that two like: q1 / U * (n - 1)(q1 - 1) / ((n - 1)(q1 - 1) + 2) = 4 / 12 * 12 / 14
    assert new_share(5, 12, 4, 0) == pytest.approx(2 / 7)
    assert new_share(5, 12, 1, 0) == pytest.approx(1 / 12)
    assert new_share(5, 12, 0, 3) == 0
    assert new_share(1, 12, 12, 0) is None
    assert new_share(5, 0, 0, 0) is None


def test_the_bound_of_distinct_tracks_by_hand():
    # 7 + 4^2 / (5 / 4 * 2 * 2 + (5 / 20) / (15 / 20) * 4) = 7 + 16 / (5 + 4 / 3)
    assert at_least(5, 20, 7, 4, 2) == pytest.approx(7 + 16 / (5 + 4 / 3))
    assert at_least(5, 5, 7, 4, 2) == 7  # everybody was read
    assert at_least(5, 20, 7, 0, 2) == 7


def test_what_is_seen_of_core_tracks_by_hand():
    # 1 - (15 * 14 * 13 * 12 * 11) / (20 * 19 * 18 * 17 * 16)
    assert core_seen(5, 20) == pytest.approx(1 - 360360 / 1860480) == pytest.approx(1 - comb(15, 5) / comb(20, 5))
    assert core_seen(20, 20) == 1
    assert core_seen(2, 3) == 1  # all of fewer than five


def test_a_sample_of_five_by_hand():
    found = coverage(LISTS, 20)
    assert (found.people, found.population, found.likes, found.tracks) == (5, 20, 12, 7)
    assert (found.once, found.twice, found.tracks_at_least) == (4, 2, round(7 + 16 / (5 + 4 / 3)))
    # Leaving one out after the other, (U, q1, q2) of the four others:
    without = [(9, 4, 1), (9, 6, 0), (8, 3, 1), (10, 3, 2), (12, 4, 2)]
    shares = [new_share(4, *sums) for sums in without]
    mean = sum(shares) / 5
    error = sqrt(4 / 5 * sum((share - mean) ** 2 for share in shares))
    reach = SURE * error * sqrt(20 / 15)
    assert found.new_share == pytest.approx(4 / 15)
    assert (found.low, found.high) == (max(0, 4 / 15 - reach), pytest.approx(min(1, 4 / 15 + reach)))


def test_leaving_one_out_is_what_a_sample_without_them_says():
    for place in range(5):
        rest = coverage(LISTS[:place] + LISTS[place + 1 :], 20)
        assert (rest.likes, rest.once, rest.twice) == [(9, 4, 1), (9, 6, 0), (8, 3, 1), (10, 3, 2), (12, 4, 2)][place]


def test_the_interval_is_how_the_share_moves_when_one_after_the_other_is_left_out():
    lists = [*LISTS, [3, 8, 9]]  # now three like track 3; without one of them two do
    found = coverage(lists, 60)
    others = [coverage(lists[:place] + lists[place + 1 :], 60) for place in range(6)]
    shares = [new_share(5, other.likes, other.once, other.twice) for other in others]
    reach = SURE * sqrt(5 / 6 * sum((share - sum(shares) / 6) ** 2 for share in shares) * 60 / 54)
    assert 0 < found.high - found.new_share == pytest.approx(reach)


def test_a_sample_that_grows_is_at_each_size_what_a_sample_of_that_size_is():
    lot, counted, said = random.Random(3), Counted(), set()
    lists = [lot.sample(range(40), lot.randrange(11)) for _ in range(30)]
    for n, one in enumerate(lists, start=1):
        counted.add(one)
        whole = coverage(lists[:n], 40)
        assert (counted.interval(40), counted.likes) == ((whole.new_share, whole.low, whole.high), whole.likes)
        for bound in (0.05, 0.2, 0.5, whole.high or 0.0, 1.01 * (whole.high or 0.0), 1.0):
            assert counted.is_below(bound, 40) == (whole.high is not None and whole.high < bound)
            said.add(counted.is_below(bound, 40))
        assert counted.is_below(0.001, n)  # nobody is left
    assert said == {True, False}


def test_whoever_has_read_everybody_has_nothing_new_to_expect():
    found = coverage(LISTS, 5)
    assert (found.new_share, found.low, found.high, found.tracks_at_least, found.core_at_least) == (0, 0, 0, 7, 1)


def test_a_sample_is_no_larger_than_its_population():
    with pytest.raises(ValueError, match="5 people out of 4"):
        coverage(LISTS, 4)


def test_one_person_says_nothing():
    found = coverage(LISTS[:1], 9)
    assert (found.new_share, found.low, found.high) == (None, None, None)


def a_population(lot, people, tracks, spread):
    """People of very different activity, who like tracks of very different fame."""
    fame = [1 / (place + 1) ** 0.8 for place in range(tracks)]
    return [
        sorted(set(lot.choices(range(tracks), fame, k=min(tracks, 1 + int(lot.lognormvariate(2.5, spread))))))
        for _ in range(people)
    ]


def test_intervals_hold_the_truth_at_least_at_their_rate():
    held, tried, more_core = 0, 0, []
    for number in range(40):
        lot = random.Random(number)
        people = a_population(lot, 230, 900, 0.6 + number % 3 / 3)
        for n in (50, 100, 150):
            chosen = lot.sample(range(230), n)
            sample, rest = [people[i] for i in chosen], [people[i] for i in set(range(230)) - set(chosen)]
            found = coverage(sample, 230)
            seen = set().union(*sample)
            new = sum(len(set(one) - seen) for one in rest) / sum(map(len, rest))
            held, tried = held + (found.low <= new <= found.high), tried + 1
            likers = Counter(track for one in people for track in one)
            core = {track for track, n in likers.items() if n >= CORE}
            more_core.append(len(core & seen) / len(core) - found.core_at_least)
            assert found.tracks_at_least <= 1.1 * len(set().union(*people))
    assert held / tried >= 0.91  # 95 % of 120, two standard errors below
    assert 0 < sum(more_core) / tried < 0.3  # it is a bound, and of some use
