"""How long the rest takes, with a clock that is a number."""

from __future__ import annotations

import pytest

from harvest.crawler.eta import Estimator


def fed(estimator, until, done_at, step=1.0, start=0.0):
    now = start
    while now <= until:
        estimator.note(now, done_at(now))
        now += step
    return estimator


def test_nothing_is_said_before_some_requests_were_answered():
    estimator = fed(Estimator(), 3, lambda now: int(now))
    assert estimator.seconds_left(3, 3, 100) is None


def test_nothing_left_takes_no_time():
    assert Estimator().seconds_left(0, 0, 0) == 0.0


def test_a_steady_crawl_takes_what_is_left_over_its_rate():
    estimator = fed(Estimator(), 100, lambda now: int(2 * now))
    assert estimator.seconds_left(100, 200, 300) == pytest.approx(150, rel=0.02)


def test_waits_count_into_the_time():
    """A minute of work at 4/s, ten seconds of waiting, over and over, for two hours."""
    estimator = Estimator()
    for now in range(7001):
        estimator.note(now, now // 70 * 240 + min(now % 70, 60) * 4, now // 70 * 10 + max(now % 70 - 60, 0))
    assert estimator.seconds_left(7000, 24_000, 24_000, waited=1000) == pytest.approx(7000, rel=0.02)


def test_one_wait_in_the_beginning_makes_no_habit():
    estimator = Estimator()
    for now in range(21):
        estimator.note(now, 4 * max(now - 5, 0), min(now, 5))
    assert estimator.seconds_left(20, 60, 400, waited=5) == pytest.approx(100, rel=0.1)


def test_a_wait_just_now_does_not_upset_the_rate():
    estimator = Estimator()
    for now in range(13):
        estimator.note(now, 4 * min(now, 8), max(now - 8, 0))
    assert estimator.seconds_left(12, 32, 400, waited=4, hold_seconds=1) == pytest.approx(105, rel=0.1)


def test_what_is_left_of_a_wait_comes_on_top():
    estimator = fed(Estimator(), 100, lambda now: int(2 * now))
    without = estimator.seconds_left(100, 200, 300)
    assert estimator.seconds_left(100, 200, 300, hold_seconds=42) == without + 42


def test_a_service_that_slows_down_is_believed_after_a_while():
    estimator = fed(Estimator(), 300, lambda now: int(4 * min(now, 100) + max(now - 100, 0)))
    assert estimator.seconds_left(300, 600, 100) == pytest.approx(100, rel=0.02)


def test_a_slow_start_is_forgotten():
    estimator = fed(Estimator(), 100, lambda now: int(max(now - 20, 0) * 5))
    assert estimator.seconds_left(100, 400, 500) == pytest.approx(100, rel=0.02)


def test_memory_is_bounded_and_a_long_crawl_is_still_estimated_well():
    estimator = fed(Estimator(), 50_000, lambda now: int(2 * now))
    assert len(estimator._seen) <= 512
    assert estimator.seconds_left(50_000, 100_000, 10_000) == pytest.approx(5000, rel=0.02)


def test_a_rate_of_late_is_zero_when_all_stands_still():
    estimator = fed(Estimator(), 100, lambda now: int(min(now, 50)))
    assert estimator.rate(100, 50, seconds=15) == 0.0
