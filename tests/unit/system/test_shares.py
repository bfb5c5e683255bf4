"""Shares as people write them."""

from __future__ import annotations

import pytest

from harvest.system.shares import parse_share


@pytest.mark.parametrize(
    ("text", "share"),
    [("5%", 0.05), (" 12.5 % ", 0.125), ("0.05", 0.05), (".5", 0.5), ("0", 0), (0.02, 0.02), ("0%", 0)],
)
def test_a_share_is_read_either_way(text, share):
    assert parse_share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "%", "5", "1", "100%", "-1%", "nan", "inf", "5 per cent", "1e-3", "٥%"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(ValueError, match="no share of less than everything"):
        parse_share(text)
