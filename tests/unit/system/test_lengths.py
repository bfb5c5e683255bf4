"""Lengths of time, as people write them."""

from __future__ import annotations

import pytest

from harvest.system.lengths import parse_length


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
