"""JSON in the clear is the same JSON, and nothing in it hides."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest.system.escapes import in_the_clear


@pytest.mark.parametrize(
    ("body", "clear"),
    [
        (rb'{"\u0063ity":"Pl\u0061nted"}', '{"city":"Planted"}'),
        (rb'"https:\/\/a.example\/x"', '"https://a.example/x"'),
        (rb'"\ud83d\ude00 \ud83d \u00e9"', '"\U0001f600 \ufffd é"'),
        (rb'"a \u0022 b \u005c c \\u0061 \n \u000a"', r'"a \u0022 b \u005c c \\u0061 \n \u000a"'),
        ("é".encode(), "é"),
        (rb'{"city":"cut \u00', '{"city":"cut \\u00'),
        ('{"city":"x"}'.encode("utf-16"), '{"city":"x"}'),
        ('{"city":"x"}'.encode("utf-32-be"), '{"city":"x"}'),
        (b"\xef\xbb\xbf{}", "{}"),
        (b"\xff\x00x", "\ufffd\x00x"),
        (b"", ""),
    ],
)
def test_what_is_escaped_without_need_is_read(body, clear):
    assert in_the_clear(body) == clear


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5))
def test_it_stays_the_json_that_it_was(value):
    assert json.loads(in_the_clear(json.dumps(value).encode())) == value
