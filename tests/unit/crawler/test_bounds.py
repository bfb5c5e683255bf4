"""What a crawl may spend: how it is read, and what of it is kept."""

from __future__ import annotations

import time as time_of_the_system
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from harvest.crawler.bounds import Bounds, bounds, next_moment, parse_time_of_day
from harvest.errors import SettingsError


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
        # 02:30, which the clocks leap over, is 03:30; and the one that they show twice comes twice
        (datetime(2026, 3, 29, 1, 30, tzinfo=BERLIN), time(2, 30), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (datetime(2026, 3, 28, 23, 0, tzinfo=BERLIN), time(2, 30), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (datetime(2026, 3, 29, 4, 0, tzinfo=BERLIN), time(2, 30), datetime(2026, 3, 30, 0, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 1, 30, tzinfo=BERLIN), time(2, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 2, 40, tzinfo=BERLIN), time(2, 30), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 2, 40, fold=1, tzinfo=BERLIN), time(2, 30), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("local", [False, True], ids=["zone", "local"])
def test_the_next_time_the_clock_shows_it(now, at, then, local, monkeypatch):
    if local:  # the same without a zone, on a computer that stands in Berlin
        monkeypatch.setenv("TZ", "Europe/Berlin")
        now = now.replace(tzinfo=None)
    time_of_the_system.tzset()
    try:
        assert next_moment(at, now) == then
    finally:
        monkeypatch.undo()
        time_of_the_system.tzset()


def test_bounds_are_kept_for_later_runs_only_as_a_total():
    kept = {"max_requests": 10, "until": "06:00", "total": True}
    assert bounds({}, {"max_requests": 10}) == Bounds()
    assert bounds({"delay": 0.0}, kept) == Bounds(max_requests=10, total=True)
    assert bounds({"max_requests": 3}, kept) == Bounds(max_requests=3)
    assert bounds({"total": True}, kept) == Bounds(max_requests=10, total=True)
    assert bounds({"total": False}, kept) == Bounds()
    assert bounds({"total": True, "for_": "1h"}, kept).dump() == {"for_seconds": 3600, "total": True}


def test_a_length_is_a_text_or_seconds():
    assert bounds({"for_": "10m"}, None) == bounds({"for_": 600}, None) == Bounds(for_seconds=600)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"total": True}, "--max-requests"),
        ({"for_": "soon"}, "1h30m"),
        ({"for_": 0}, "above 0"),
        ({"until": "25:00"}, "06:00"),
        ({"max_requests": 0}, "--max-requests is a whole number from 1 on"),
        ({"max_failures": 1.5}, "--max-failures"),
    ],
)
def test_a_bound_that_makes_no_sense_is_refused(given, says):
    with pytest.raises(SettingsError, match=says):
        bounds(given, None)
