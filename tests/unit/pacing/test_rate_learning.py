"""What refusals and acceptance teach about the rate."""

from __future__ import annotations

import pytest

from harvest.pacing.queue import Refusal, Turns
from harvest.pacing.rate_learning import Allowance
from tests.limiting import Bucket, Sliding, Window, crawl
from tests.repetitions import each_once


def run(turns, service, seconds, hold=1.0, begin=0.0, pause=0.02):
    """Ask as fast as the turns allow, one request at a time; give how many were accepted and refused."""
    now, accepted, refused = begin, 0, 0
    while True:
        place = turns.reserve(now, "we")
        now = max(now + pause, place.start)
        if now >= begin + seconds:
            turns.give_back(place, "we")
            return accepted, refused
        slot = turns.go(now)
        if service.asks(now):
            turns.accept(slot)
            turns.allowance.accept(1, now, turns.delay)
            accepted += 1
        else:
            turns.refuse(Refusal(None, "slow down", base=hold), slot, now)
            refused += 1


def test_without_a_refusal_the_delay_is_all():
    turns = Turns(delay=0.1)
    assert run(turns, Bucket(10), 60) == (599, 0)
    assert turns.allowance == Allowance()


def test_a_halved_limit_is_found_in_a_few_refusals_and_used():
    """At 10 requests a second the service goes down to 5: 90 % of that is used, few requests are refused."""
    turns, service = Turns(delay=0.1), Bucket(10, stock=10)
    run(turns, service, 60)
    service.rate = service.stock = 5
    accepted, refused = run(turns, service, 40, begin=60)
    assert accepted >= 0.9 * 5 * 40
    assert refused <= 0.04 * accepted


@pytest.mark.parametrize(("rate", "stock", "hold"), each_once([2.0, 3.3, 5.0, 7.0, 9.5], [2.0, 10.0], [0.1, 1.0, 30.0]))
def test_any_lower_limit_is_approached_from_below(rate, stock, hold):
    """However long a refusal holds us and however much is let through at once, nearly all of the limit is used."""
    turns, service = Turns(delay=0.1), Bucket(rate, stock)
    run(turns, service, 900, hold)
    accepted, refused = run(turns, service, 1800, hold, begin=900)
    assert accepted >= (0.97 if hold <= 1 else 0.92) * rate * 1800
    assert refused <= 0.01 * accepted


@pytest.mark.parametrize(("rate", "stock", "delay"), each_once([1.0, 3.3, 9.5], [2.0, 5.0, 30.0], [0.0, 0.05, 0.1]))
def test_holds_of_half_a_minute_are_rare_enough(rate, stock, delay):
    """Issue 3: after the first minute 90 % of a limit below ours is used, and next to nothing refused."""
    turns, service = Turns(delay=delay), Bucket(rate, stock)
    run(turns, service, 60, hold=30)
    accepted, refused = run(turns, service, 1800, hold=30, begin=60)
    assert accepted >= 0.9 * rate * 1800
    assert refused <= 0.01 * accepted


def test_without_a_delay_the_limit_is_still_found():
    turns, service = Turns(), Bucket(8, stock=10)
    run(turns, service, 60)
    accepted, refused = run(turns, service, 120, begin=60)
    assert accepted >= 0.9 * 8 * 120
    assert refused <= 0.03 * accepted


def test_a_quota_of_so_many_a_minute_is_respected_after_a_while():
    turns, service = Turns(delay=0.1), Window(50, 60.0)
    run(turns, service, 1200, hold=30)
    accepted, refused = run(turns, service, 1200, hold=30, begin=1200)
    assert accepted >= 0.75 * 50 * 20
    assert refused <= 0.05 * accepted


def test_a_limit_that_is_lifted_is_felt_in_time():
    turns, service = Turns(delay=0.1), Bucket(2)
    run(turns, service, 120)
    service.rate = 100
    run(turns, service, 600, begin=120)
    assert turns.interval == 0.1
    assert turns.allowance.rate == 0


def test_a_service_that_saves_up_a_lot_is_seen_through_in_a_few_refusals():
    """Five seconds' worth is let through at once: what is granted after a hold looks like more than the rate."""
    turns, service = Turns(delay=0.05), Bucket(10, stock=50)
    accepted, refused = run(turns, service, 600, hold=30)
    assert accepted >= 0.8 * 10 * 600
    assert refused <= 5


def test_steps_upwards_come_later_where_the_limit_was_met_again():
    turns, service = Turns(delay=0.1), Bucket(5, stock=5)
    refusals = [run(turns, service, 300, begin=300 * part)[1] for part in range(6)]
    assert refusals[-1] <= 1 < refusals[0]


def test_a_rate_that_is_not_used_is_not_raised():
    allowance = Allowance()
    allowance.refuse([(0, 0.0)], 0.1, 0.0, 1.0)
    before = allowance.rate
    for second in range(1000):
        allowance.accept(1, 2.0 + second, 0.1)
    assert allowance.rate == before


def test_it_never_stops_altogether():
    allowance = Allowance()
    for number in range(100):
        allowance.refuse([(0, 0.0)], max(allowance.interval, 0.5), 30.0 * number, 30.0)
    assert allowance.interval == 60.0


def test_one_early_refusal_halves_the_rate_and_no_more():
    allowance = Allowance()
    allowance.refuse([(0, 0.0)], 0.1, 1.0, 1.0)
    assert allowance.interval == pytest.approx(0.2)


def test_a_first_refusal_takes_a_seconds_worth_for_what_is_let_through_at_once():
    allowance = Allowance()
    allowance.refuse([(9, 0.8)], 0.1, 0.8, 30.0)
    assert allowance.rate == pytest.approx(5.0)


def test_a_second_refusal_from_a_full_stock_tells_the_rate():
    """Five a second, and ten at once: 20 in 2 s, and 70 in 12 s."""
    allowance = Allowance()
    allowance.refuse([(20, 2.0)], 0.1, 2.0, 30.0)
    assert allowance.rate > 6
    allowance.refuse([(70, 12.0)], allowance.interval, 44.0, 30.0)
    assert 0.9 * 5 < allowance.rate < 5 < allowance.bad < 1.1 * 5


def test_after_a_hold_too_short_to_fill_the_stock_two_refusals_are_not_solved():
    """Five a second, and ten at once, but a hold of a second brings back five: solved, that would be 3.3 a second."""
    allowance = Allowance()
    allowance.refuse([(20, 2.0)], 0.1, 2.0, 1.0)
    allowance.refuse([(30, 5.0)], allowance.interval, 8.0, 1.0)
    assert allowance.rate == pytest.approx(30 / 6)


@pytest.mark.parametrize(("seconds", "rate"), [(7.5, 50 / 10 * 0.97), (17.5, 50 / (17.5 + 30)), (310, 50 / (310 + 30))])
def test_the_same_number_again_is_the_number_of_a_window(seconds, rate):
    """The window is taken for one of ten seconds, of a minute or of five, or at no less than a hold gives back."""
    allowance = Allowance()
    allowance.refuse([(50, 5.0)], 0.1, 5.0, 30.0)
    allowance.refuse([(50, seconds)], seconds / 50, 42.5, 30.0)
    assert allowance.rate == pytest.approx(rate)


@pytest.mark.parametrize("rate", [2, 3.3])
def test_a_minute_that_is_used_up_twice_is_seen_through(rate):
    """A window of 60 s without a word of how long: most of it is used once it was met again, and little is refused."""
    seen = crawl(Sliding(round(60 * rate), 60.0), 1800, delay=0.1)
    assert seen.used(rate, 300, 1800) >= 0.95
    assert seen.share_refused(60, 1800) <= 0.02


def test_the_fullest_stretch_is_compared_with_a_later_refusal():
    """Four requests came one by one before we asked in earnest: they are no part of what was let through at once."""
    allowance = Allowance()
    allowance.refuse([(10, 1.0), (14, 3.0)], 0.1, 3.0, 30.0)
    assert (allowance.count, allowance.length) == (10, 1.0)


def test_stretches_reach_back_to_a_hold_and_to_steps_and_follow_the_clock():
    turns = Turns(delay=0.1)
    slots = []
    for number in range(400):
        if number in (100, 200):
            turns.allowance.stepped_at = 10.0 + number / 10
        slots.append(turns.go(10.0 + number / 10))
    turns.shift(-5.0)
    assert turns.levels == [(5.0, 1), (15.0, 101), (25.0, 201)]
    assert (200, pytest.approx(19.9)) in turns._stretches(turns.go(44.9))
    assert turns._stretches(turns.go(45.0))[-1] == (401, pytest.approx(40.0))
    turns.refuse(Refusal(None, "slow down"), turns.go(45.1), 45.2)
    assert turns.levels == turns.marks == []


def test_a_refused_step_is_taken_back_and_no_more():
    allowance = Allowance()
    allowance.refuse([(0, 0.0)], 0.1, 0.0, 1.0)
    for second in range(1, 200):
        if allowance.steps:
            break
        allowance.accept(5, 1.0 + second, 0.1)
    before = allowance.good
    allowance.refuse([(3, 0.5), (80, 16.0)], allowance.interval, 300.0, 1.0)
    assert allowance.rate == pytest.approx(before * 0.99)


def test_the_fullest_stretch_before_a_refusal_tells_the_rate():
    """Ten requests within a second were let through, although in the long run we asked for few."""
    allowance = Allowance()
    allowance.refuse([(10, 0.1), (11, 10.0)], 0.0, 10.0, 1.0)
    assert allowance.rate == pytest.approx(10 / 1.1)
