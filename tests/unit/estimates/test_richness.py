"""Coverage of a sample, each formula computed by hand for five people, and held against the truth of made-up worlds."""

from __future__ import annotations

import random
from collections import Counter
from math import comb, sqrt

import pytest

from harvest.estimates.richness import CORE, Counted, at_least, core_seen, coverage, new_share, student

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
    # What each likes alone, less 4 / 12 of all they like: 1 - 1, 0 - 1, 2 - 4 / 3, 1 - 2 / 3, 0 - 0.
    off = [0, -1, 2 / 3, 1 / 3, 0]
    squares, fourths = 1 + 4 / 9 + 1 / 9, 1 + 16 / 81 + 1 / 81
    # Track 3 is liked by the first and the second alone, track 4 by the second and the third.
    error = sqrt(5 / 4 * squares + 2 * (1 + 1)) / 12 * sqrt(20 / 15)
    freedom = 2 * 5 / (5 * fourths / squares**2 - 1)
    assert sum(one**2 for one in off) == pytest.approx(squares)
    root, reach = sqrt(4 / 15), student(freedom) * error / (2 * sqrt(4 / 15))
    assert found.new_share == pytest.approx(4 / 15)
    assert (found.low, found.high) == (max(0, root - reach) ** 2, pytest.approx(min(1, (root + reach) ** 2)))


def test_two_tracks_of_one_pair_weigh_as_much_as_four_of_four_pairs():
    # Of six people, the first two alone like tracks 1 and 2; the others one track each, and everybody likes track 9.
    found = coverage([[1, 2, 9], [1, 2, 9], [3, 9], [4, 9], [5, 9], [6, 9]], 60)
    off = [-4 / 14 * 3] * 2 + [1 - 4 / 14 * 2] * 4
    squares, fourths = sum(one**2 for one in off), sum(one**4 for one in off)
    error = sqrt(6 / 5 * squares + 2 * 2**2) / 14 * sqrt(60 / 54)
    reach = student(12 / (6 * fourths / squares**2 - 1)) * error
    root = sqrt(found.new_share)
    assert found.high == pytest.approx(min(1, (root + reach / (2 * root)) ** 2))


def test_where_nothing_is_liked_by_one_alone_the_pairs_say_how_sure_that_is():
    all_like = range(10, 20)
    found = coverage([[1, 2, *all_like]] * 2 + [[3, *all_like]] * 2, 40)
    assert (found.new_share, found.low) == (0, 0)
    assert found.high == pytest.approx(student(1e9) * sqrt(2 * (2**2 + 1**2)) / 46 * sqrt(40 / 36))


@pytest.mark.parametrize(("freedom", "point"), [(2, 4.303), (5, 2.571), (10, 2.228), (30, 2.042), (1e9, 1.960)])
def test_errors_to_either_side_are_those_of_tables_of_student(freedom, point):
    assert student(freedom) == pytest.approx(point, rel=0.035 if freedom == 2 else 0.002)


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
