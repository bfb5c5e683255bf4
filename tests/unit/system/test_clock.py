"""Times are read and written in one way, and what is no time is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from harvest.system.clock import as_text, parse_time


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026/08/07 14:18:05 +0000", "2026-08-07T14:18:05Z"),
        ("2026/08/07 14:18:05 -0230", "2026-08-07T16:48:05Z"),
        ("2026-08-07T14:18:05+02:00", "2026-08-07T12:18:05Z"),
        ("2026-08-07T14:18:05.999Z", "2026-08-07T14:18:05Z"),
        ("2026-08-07T14:18:05", "2026-08-07T14:18:05Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("2026/99/99 99:99:99 +0000", None),
        ("2026/02/31 14:18:05 +0000", None),
        ("2026/08/07 ab:cd:ef +0000", None),
        ("２０２６/08/07 14:18:05 +0000", None),  # digits, but not ours
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("0000/00/00 00:00:00 +0000", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_of_the_api_is_written_our_way(text, time):
    assert parse_time(text) == time


def test_a_moment_is_written_in_utc_to_the_second():
    moment = datetime(2026, 8, 7, 1, 2, 3, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert as_text(moment) == "2026-08-06T23:02:03Z"
    assert as_text(datetime(33, 1, 2, tzinfo=UTC)) == "0033-01-02T00:00:00Z"
