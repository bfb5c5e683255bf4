"""What refusals and acceptance teach about the rate."""

from __future__ import annotations

import pytest

from harvest.api.allowance import Allowance


class Bucket:
    """A service that grants `rate` requests a second on top of a small stock."""

    def __init__(self, rate: float, stock: float = 2.0) -> None:
        self.rate, self.stock, self.tokens, self.at = rate, stock, stock, 0.0

    def asks(self, now: float) -> bool:
        self.tokens = min(self.stock, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Window:
    """A service that grants so many requests in each window of time."""

    def __init__(self, count: int, seconds: float) -> None:
        self.count, self.seconds, self.window, self.used = count, seconds, -1, 0

    def asks(self, now: float) -> bool:
        if now // self.seconds != self.window:
            self.window, self.used = now // self.seconds, 0
        self.used += 1
        return self.used <= self.count


def run(allowance, service, seconds, hold=1.0, begin=0.0, pause=0.02):
    """Ask as fast as the allowance says; give how many were accepted and refused."""
    now, accepted, refused = begin, 0, 0
    while now < begin + seconds:
        if service.asks(now):
            allowance.accepted(now)
            accepted += 1
        else:
            allowance.refused(now, now, hold)
            refused += 1
            now += hold
        now += max(allowance.interval, pause)
    return accepted, refused


def test_it_starts_at_the_delay_that_was_asked_for():
    assert Allowance(0.5).interval == 0.5
    assert Allowance(0.5, learned=2.0).interval == 2.0
    assert Allowance(0.5, learned=0.1).interval == 0.5


def test_a_halved_limit_is_found_in_a_few_refusals_and_used():
    """At 10 requests a second the service goes down to 5: 90 % of that is used, few requests are refused."""
    allowance, service = Allowance(0.1), Bucket(10)
    assert run(allowance, service, 60) == (600, 0)
    service.rate = 5
    accepted, refused = run(allowance, service, 40, begin=60)
    assert accepted >= 0.9 * 5 * 40
    assert refused <= 0.05 * (accepted + refused)


@pytest.mark.parametrize("rate", [2.0, 3.3, 5.0, 7.0, 9.5])
def test_any_lower_limit_is_approached_from_below(rate):
    allowance, service = Allowance(0.1), Bucket(10)
    run(allowance, service, 60)
    service.rate = rate
    run(allowance, service, 120, begin=60)
    accepted, refused = run(allowance, service, 300, begin=180)
    assert accepted >= 0.9 * rate * 300
    assert refused <= 0.02 * accepted


def test_without_a_delay_the_limit_is_still_found():
    allowance, service = Allowance(0.0), Bucket(8, stock=10)
    run(allowance, service, 60)
    accepted, refused = run(allowance, service, 120, begin=60)
    assert accepted >= 0.9 * 8 * 120
    assert refused <= 0.03 * accepted


def test_a_quota_of_so_many_a_minute_is_respected_after_a_while():
    allowance, service = Allowance(0.1), Window(50, 60.0)
    run(allowance, service, 1200, hold=30)
    accepted, refused = run(allowance, service, 1200, hold=30, begin=1200)
    assert accepted >= 0.8 * 50 * 20
    assert refused <= 0.05 * accepted


def test_a_limit_that_is_lifted_is_felt_in_time():
    allowance, service = Allowance(0.1), Bucket(2)
    run(allowance, service, 120)
    service.rate = 100
    run(allowance, service, 1800, begin=120)
    assert allowance.interval < 0.25


def test_it_is_never_faster_than_the_delay():
    allowance = Allowance(0.5)
    allowance.refused(10.0, 10.0, 1.0)
    for second in range(10_000):
        allowance.accepted(float(second))
    assert allowance.interval == 0.5


def test_it_never_stops_altogether():
    allowance = Allowance(0.5)
    for _ in range(100):
        allowance.refused(1.0, 1.0, 30.0)
    assert allowance.interval == 60.0


def test_one_refusal_changes_the_rate_by_half_at_most():
    allowance = Allowance(0.1)
    allowance.refused(1.0, 1.0, 1.0)
    assert allowance.interval == pytest.approx(0.2)
