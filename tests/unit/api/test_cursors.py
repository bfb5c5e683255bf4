"""Where a list goes on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest.api.cursors import canonical, cursor_time, follow, resized
from harvest.errors import UnexpectedReply

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ASKED = "/users/soundcloud:users:7/likes/tracks?limit=200&linked_partitioning=true&access=playable,preview,blocked"
FIRST = (("limit", "200"), ("linked_partitioning", "true"), ("access", "playable,preview,blocked"))


def go_on(next_href, asked=ASKED, parameters=FIRST):
    return follow(next_href, asked=asked, parameters=parameters, api_base="https://api.soundcloud.com")


@pytest.mark.parametrize("end", [None, ""])
def test_null_missing_and_empty_end_the_list(end):
    assert go_on(end) is None


def test_path_and_query_are_followed_as_given():
    query = (
        "access=playable%2Cpreview%2Cblocked&cursor=2024-06-01T16%3A23%3A38.001Z%2Cx&linked_partitioning=1&page_size=9"
    )
    path = "/users/soundcloud:users:7/likes/tracks"
    assert go_on(f"https://api.soundcloud.com{path}?{query}") == f"{path}?{query}"


@pytest.mark.parametrize(
    "host",
    [
        "https://http.api.prod.api-public.srv.db.s-cloud.net",
        "http://api.soundcloud.com:8080",
        "https://user:pw@evil.example",
        "",
    ],
)
def test_host_scheme_and_port_are_ignored(host):
    """Issues 309 and 368: next_href has named an internal host."""
    assert go_on(f"{host}/users/7/likes/tracks?cursor=1&page_size=200", parameters=()) == (
        "/users/7/likes/tracks?cursor=1&page_size=200"
    )


def test_lost_parameters_are_put_back():
    """Issue 58: access got lost."""
    assert go_on("https://api.soundcloud.com/users/7/likes/tracks?cursor=1&page_size=200") == (
        "/users/7/likes/tracks?cursor=1&page_size=200&linked_partitioning=true&access=playable,preview,blocked"
    )


def test_the_limit_is_put_back_only_when_no_size_is_there():
    assert go_on("/users/7/likes/tracks?cursor=1", parameters=(("limit", "200"),)) == (
        "/users/7/likes/tracks?cursor=1&limit=200"
    )
    assert go_on("/users/7/likes/tracks?limit=50&offset=50", parameters=(("limit", "200"),)) == (
        "/users/7/likes/tracks?limit=50&offset=50"
    )


def test_credentials_are_dropped():
    href = "https://api.soundcloud.com/users/7/likes/tracks?client_id=A&oauth_token=B&cursor=1&page_size=200"
    assert go_on(href, parameters=()) == "/users/7/likes/tracks?cursor=1&page_size=200"


@pytest.mark.parametrize(
    "next_href",
    [
        7,
        True,
        ["x"],
        {"href": "x"},
        "not an address",
        "https://api.soundcloud.com",
        "https://api.soundcloud.com/",
        "https://api.soundcloud.com/collection?page_size=10&cursor=1234567",
        "https://api.soundcloud.com/users/../oauth/token",
        "https://api.soundcloud.com/users/%2e%2e/x",
        "/users/7/likes/tracks?cursor=\x00",
        "/users/7/likes/tracks?cursor= 1",
        "//evil.example",
        "https://[evil/users/7",
        "/users/7/likes/tracks?cursor=" + "1" * 5000,
    ],
)
def test_what_is_no_page_of_the_api_is_an_unexpected_reply(next_href):
    with pytest.raises(UnexpectedReply):
        go_on(next_href)


def test_the_list_of_somebody_else_is_no_continuation():
    with pytest.raises(UnexpectedReply):
        go_on("https://api.soundcloud.com/users/8/likes/tracks?cursor=1")
    with pytest.raises(UnexpectedReply):
        go_on("https://api.soundcloud.com/tracks/7/favoriters?cursor=1")


@pytest.mark.parametrize("listed", ["tracks", "reposts/tracks", "likes/playlists", "followers", "reposts%2Ftracks"])
def test_another_list_of_the_same_person_is_no_continuation(listed):
    with pytest.raises(UnexpectedReply):
        go_on(f"https://api.soundcloud.com/users/7/{listed}?cursor=1")


def test_a_new_name_of_the_list_itself_is_followed():
    assert go_on("/users/7/favorites?cursor=1", parameters=()) == "/users/7/favorites?cursor=1"


def test_a_base_with_a_path_is_understood():
    assert follow("http://x/v1/users/7/tracks?cursor=1", asked="/users/7/tracks", api_base="http://127.0.0.1:9/v1") == (
        "/users/7/tracks?cursor=1"
    )


def test_a_page_is_resized_under_its_own_name():
    assert resized("/a/1?page_size=200&cursor=1", 50) == "/a/1?page_size=50&cursor=1"
    assert resized("/a/1?limit=200", 50) == "/a/1?limit=50"
    assert resized("/a/1?cursor=1", 50) == "/a/1?cursor=1&limit=50"


@pytest.mark.parametrize(
    "other",
    [
        "/users/7/likes/tracks?cursor=1,2&linked_partitioning=true&page_size=200",
        "/users/soundcloud%3Ausers%3A7/likes/tracks?page_size=200&cursor=1%2C2&linked_partitioning=1",
        "/users/soundcloud:users:7/likes/tracks/?limit=200&linked_partitioning=true&cursor=1,2",
        "/users/7/likes/tracks?client_id=X&cursor=1,2&linked_partitioning=true&page_size=200",
    ],
)
def test_spellings_of_one_page_are_one(other):
    assert canonical(other) == "/users/7/likes/tracks?cursor=1,2&linked_partitioning=true"


def test_a_page_of_another_size_is_the_same_place():
    """After trouble pages are smaller; a list that goes round in them is no less a loop."""
    assert canonical("/users/7/tracks?cursor=1&limit=100") == canonical("/users/7/tracks?cursor=1&page_size=200")


def test_other_pages_are_other():
    assert canonical("/users/7/tracks?cursor=1") != canonical("/users/7/tracks?cursor=2")


@pytest.mark.parametrize(
    ("cursor", "time"),
    [
        ("1637775162857218", "2021-11-24T17:32:42Z"),
        ("1567684271000", "2019-09-05T11:51:11Z"),
        ("2024-06-01T16%3A23%3A38.001Z%2Cuser-track-likes%2C000-00000000000147753238-0", "2024-06-01T16:23:38Z"),
        ("2024-01-09T21%3A10%3A04.000Z%2Ctracks%2C01712964786", "2024-01-09T21:10:04Z"),
        ("2024-01-09T21:10:04", "2024-01-09T21:10:04Z"),
        ("2024-01-09T23:10:04%2B02:00,x", "2024-01-09T21:10:04Z"),
        ("1234567", None),
        ("163777516285721", None),
        ("9999999999999999", None),
        ("0000000000000001", None),
        ("1100000000000", None),
        ("2030-01-01T00:00:00Z,x", None),
        ("2024-13-01T00:00:00Z,x", None),
        ("0b7e4b04-2ae5-11ec-8001-9d5b0cbd3b1f", None),
        ("", None),
    ],
)
def test_a_cursor_is_a_time_only_when_it_plausibly_is_one(cursor, time):
    assert cursor_time(f"/tracks/1/favoriters?cursor={cursor}&page_size=2", now=NOW) == time


def test_no_cursor_has_no_time():
    assert cursor_time(None, now=NOW) is None
    assert cursor_time("/tracks/1/favoriters?offset=200&limit=200", now=NOW) is None


@given(
    st.one_of(st.none(), st.text(), st.integers(), st.from_regex(r"(https?://[a-z.]+)?/users/7/[a-z/]*\?[a-z=&%0-9]*"))
)
def test_any_next_href_is_followed_on_our_host_or_refused(next_href):
    try:
        cursor = go_on(next_href)
    except UnexpectedReply:
        return
    assert cursor is None or (cursor.startswith("/users/7/") and "client_id=" not in cursor)
    if cursor:
        assert go_on(cursor) == cursor
        assert canonical(canonical(cursor)) == canonical(cursor)
