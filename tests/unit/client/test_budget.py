"""What a crawl may spend."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from harvest.client.budget import Budget

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)


def test_without_bounds_there_is_no_end():
    budget = Budget()
    assert all(budget.spend() for _ in range(1000))
    assert (budget.reason, budget.seconds_left(1e9, NOW)) == (None, None)


def test_exactly_so_many_requests_and_not_one_more():
    budget = Budget(max_requests=3)
    assert [budget.spend() for _ in range(5)] == [True, True, True, False, False]
    assert (budget.requests, budget.reason) == (3, "max_requests")


def test_a_list_that_failed_twice_is_one_failed_list():
    budget = Budget(max_failures=2)
    budget.fail(7)
    budget.fail(7)
    assert budget.reason is None
    budget.fail(8)
    assert budget.reason == "max_failures"


def test_time_ends_it_whichever_bound_comes_first():
    budget = Budget(for_seconds=3600, until=NOW + timedelta(minutes=30))
    assert budget.seconds_left(0, NOW) == 1800
    assert budget.seconds_left(3000, NOW) == 600
    assert budget.reason is None
    assert budget.seconds_left(10, NOW + timedelta(hours=1)) == 0
    assert budget.reason == "until"
    short = Budget(for_seconds=10)
    assert short.seconds_left(10.5, NOW) == 0
    assert short.reason == "max_time"


def test_the_first_bound_that_is_met_names_the_end():
    budget = Budget(max_requests=1, for_seconds=5)
    budget.spend()
    budget.seconds_left(9, NOW)
    assert budget.reason == "max_requests"


def test_earlier_runs_count_only_in_a_total():
    this_run = Budget(max_requests=10, for_seconds=100, max_failures=2)
    this_run.count_before(50, 500.0, [1, 2, 3])
    assert (this_run.reason, this_run.seconds_left(0, NOW)) == (None, 100)
    total = Budget(max_requests=60, for_seconds=600, max_failures=5, total=True)
    total.count_before(50, 500.0, [1, 2, 3])
    assert (total.reason, total.requests, total.seconds_left(0, NOW)) == (None, 50, 100)
    spent = Budget(max_requests=50, total=True)
    spent.count_before(50, 500.0, [])
    assert spent.reason == "max_requests"
    assert not spent.spend()


@pytest.mark.parametrize(
    ("left", "in_flight", "allowed"), [(None, 99, True), (1, 0, True), (1, 1, False), (3, 2, True), (3, 3, False)]
)
def test_a_list_is_begun_only_while_each_of_those_in_flight_may_be_asked_for_again(left, in_flight, allowed):
    assert Budget(max_requests=left).allows_another(in_flight) is allowed
