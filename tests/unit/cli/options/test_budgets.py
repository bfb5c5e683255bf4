"""How lengths and times of day are read."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import click
import pytest

from harvest.cli.options.budgets import next_moment, parse_length, parse_time_of_day, wanted_budget


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2h", 7200), ("90m", 5400), ("1h30m", 5400), ("45s", 45), ("1H 30M", 5400), ("1d", 86_400), ("1h0m5s", 3605)],
)
def test_a_length_of_time(text, seconds):
    assert parse_length(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "-1h", "0s", "1.5h", "30m1h", "2 hours", "٣h", "99999999h", "1h1h"])
def test_what_is_no_length_is_refused_with_what_to_write(text):
    with pytest.raises(ValueError, match=r"\dm|\ds"):
        parse_length(text)


def test_a_time_of_day():
    assert parse_time_of_day("06:00") == parse_time_of_day("6:00") == time(6)
    assert parse_time_of_day("18:30:15") == time(18, 30, 15)


@pytest.mark.parametrize("text", ["", "6", "24:00", "06:60", "six", "6am", "-1:00", "06:00Z"])
def test_what_is_no_time_of_day_is_refused(text):
    with pytest.raises(ValueError, match="06:00"):
        parse_time_of_day(text)


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("now", "at", "then"),
    [
        (datetime(2026, 11, 21, 2, 0, tzinfo=BERLIN), time(6), datetime(2026, 11, 21, 5, 0, tzinfo=UTC)),
        (datetime(2026, 11, 21, 6, 0, tzinfo=BERLIN), time(6), datetime(2026, 11, 22, 5, 0, tzinfo=UTC)),
        (datetime(2026, 12, 31, 23, 0, tzinfo=BERLIN), time(6), datetime(2027, 1, 1, 5, 0, tzinfo=UTC)),
        # the clocks go back an hour in the night, and forward in another one
        (datetime(2026, 10, 24, 22, 0, tzinfo=BERLIN), time(6), datetime(2026, 10, 25, 5, 0, tzinfo=UTC)),
        (datetime(2026, 3, 28, 22, 0, tzinfo=BERLIN), time(6), datetime(2026, 3, 29, 4, 0, tzinfo=UTC)),
    ],
)
def test_the_next_time_the_clock_shows_it(now, at, then):
    assert next_moment(at, now) == then


def test_bounds_are_kept_for_later_runs_only_as_a_total():
    kept = {"max_requests": 10, "until": "06:00", "total": True}
    assert wanted_budget({}, {"max_requests": 10}) == {}
    assert wanted_budget({"delay": 0.0}, kept) == {"max_requests": 10, "total": True}
    assert wanted_budget({"max_requests": 3}, kept) == {"max_requests": 3}
    assert wanted_budget({"total": True}, kept) == {"max_requests": 10, "total": True}
    assert wanted_budget({"total": False}, kept) == {"total": False}


def test_a_total_of_nothing_is_refused():
    with pytest.raises(click.UsageError, match="--max-requests"):
        wanted_budget({"total": True}, None)
