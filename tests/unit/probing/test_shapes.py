"""Shapes keep paths and types, and no value; keys that may be somebody's are withheld."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest.probing.onward import GoesOn, goes_on, kind_of, limits_told, place_of
from harvest.probing.shapes import known_names, shape_of

API = "https://api.soundcloud.com"


def test_every_path_is_counted_by_type():
    page = {
        "collection": [
            {"title": "a", "bpm": 92.5, "user": None, "downloadable": True, "available_country_codes": ["DE", None]},
            {"title": None, "bpm": 128, "user": {"username": "b"}},
            None,
        ],
        "next_href": "x",
    }
    assert shape_of(page) == {
        "": {"object": 1},
        "collection": {"array": 1},
        "collection[]": {"object": 2, "null": 1},
        "collection[].title": {"string": 1, "null": 1},
        "collection[].bpm": {"number": 1, "integer": 1},
        "collection[].user": {"null": 1, "object": 1},
        "collection[].user.username": {"string": 1},
        "collection[].downloadable": {"boolean": 1},
        "collection[].available_country_codes": {"array": 1},
        "collection[].available_country_codes[]": {"string": 1, "null": 1},
        "next_href": {"string": 1},
    }


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        ("mood", "mood"),
        ("is_explicit", "is_explicit"),
        ("trackUrn", "trackUrn"),
        ("soundcloud:users:5", "*"),
        ("12345", "*"),
        ("anna-hofman-1", "*"),
        ("user65674057", "*"),
        ("Anna", "*"),
        ("a b", "*"),
        ("x" * 60, "*"),
        ("\x1b[2j", "*"),
        ("", "*"),
        ("ünicode", "*"),
    ],
)
def test_a_new_key_is_told_where_it_looks_like_the_name_of_a_field(key, kept):
    assert set(shape_of({key: 1})) == {"", kept}


def test_a_key_that_is_what_somebody_is_called_is_withheld():
    reply = {
        "collection": [{"username": "Hofman Anna", "permalink": "annah", "title": "drift"}],
        "by_person": {"anna": 5, "annah": 6, "drift": 7, "hofman": {"seen": 1}, "others": 8},
    }
    assert {path for path in shape_of(reply) if path.startswith("by_person.")} == {
        *("by_person.*", "by_person.*.seen", "by_person.others")
    }


def test_a_field_that_is_known_is_told_whatever_texts_say():
    assert set(shape_of({"title": "genre", "genre": "title"})) == {"", "title", "genre"}


def test_an_object_with_more_new_keys_than_any_is_a_map():
    letters = [f"{a}{b}" for a in "abcdef" for b in "abcdef"]
    assert shape_of({"names": dict.fromkeys(letters, 1), "title": "x"})["names.*"] == {"integer": len(letters)}


def test_no_reply_is_too_deep():
    deep: Any = 1
    for _ in range(500):
        deep = {"part": [deep]}
    assert len(shape_of(deep)) < 20


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(min_size=3),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text(min_size=3), parts, max_size=4),
    max_leaves=20,
)


@given(value=VALUES)
def test_of_any_reply_only_known_names_and_names_of_fields_are_left(value):
    told = json.loads(json.dumps(shape_of(value)))
    types = {"null", "boolean", "integer", "number", "string", "array", "object"}
    assert {kind for counted in told.values() for kind in counted} <= types
    parts = {part.replace("[]", "") for path in told for part in path.split(".")} - {"", "*"}
    assert all(part in known_names() or (part.isascii() and part.isidentifier()) for part in parts)
    assert parts.isdisjoint({text for text in _texts(value) if text not in known_names()})


def _texts(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {text for part in value.values() for text in _texts(part)}
    if isinstance(value, list):
        return {text for part in value for text in _texts(part)}
    return {value} if isinstance(value, str) else set()


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("1637775162857218", "16 digits"),
        ("1567684271000", "13 digits"),
        ("50", "number"),
        ("2024-01-09T21:10:04.000Z,tracks,01234567890", "time,word,11 digits"),
        (
            "2024-06-01T16:23:38.001Z,user-track-likes,000-00000000000147753238-00000000000213040837",
            "time,word,3 digits-20 digits-20 digits",
        ),
        ("6f1c9a52-0b7e-4d3a-9c41-2e8d5b7a1f60", "uuid"),
        ("true", "boolean"),
        ("soundcloud:users:5", "URN"),
        ("Anna Hofman", "text"),
        ("anna", "word"),
        ("eyJhIjoxfQ==", "text"),
        ("", "nothing"),
    ],
)
def test_a_value_is_told_by_what_it_looks_like(value, kind):
    assert kind_of(value) == kind


def test_where_a_page_goes_on_is_told_without_its_values():
    asked = "/users/soundcloud:users:5/likes/tracks?limit=20&linked_partitioning=true"
    href = f"{API}/users/soundcloud%3Ausers%3A5/likes/tracks?cursor=1567684271000&page_size=10&linked_partitioning=true"
    on = goes_on(href, asked=asked, api_base=API)
    assert on == GoesOn({"cursor": "13 digits", "linked_partitioning": "boolean", "page_size": "number"}, size=10)
    assert place_of(on, frozenset({"limit", "linked_partitioning"})) == {"cursor": "13 digits"}


@pytest.mark.parametrize(
    ("href", "on"),
    [
        (None, None),
        ("", None),
        (5, None),
        ("https://evil.example/tracks/5/x?offset=5", GoesOn({"offset": "number"}, host=False)),
        (f"{API}/tracks/7/x?offset=5", GoesOn({"offset": "number"}, path=False)),
        (f"{API}/tracks/5/x?annahofman65674057=1", GoesOn({"*": "number"})),
        ("http://[::1", GoesOn({}, host=False, path=False)),
    ],
)
def test_an_address_that_is_another_is_told_so(href, on):
    assert goes_on(href, asked="/tracks/5/x?limit=20", api_base=API) == on


def test_headers_of_limits_are_told_with_amounts_alone():
    headers = {
        "X-RateLimit-Limit": "-1",
        "RateLimit-Policy": "600;w=60",
        "Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT",
        "x-ratelimit-user": "anna",
        "x-ratelimit-of-user": "65674057",
        "content-type": "application/json",
        "x-quota-remaining": "5",
    }
    assert limits_told(headers) == {
        "x-ratelimit-limit": "-1",
        "ratelimit-policy": "600;w=60",
        "retry-after": "text",
        "x-ratelimit-user": "text",
        "x-ratelimit-of-user": "text",
        "x-quota-remaining": "5",
    }
