"""Which request a task becomes."""

from __future__ import annotations

import pytest

from harvest.api import endpoints
from harvest.errors import UnexpectedReply
from harvest.lists import KINDS
from harvest.models import Task
from harvest.things import THINGS


def ask(kind, **fields):
    if KINDS[kind].searches:
        fields = {"about": f"{THINGS[KINDS[kind].subject].prefix}q=a+b", **fields}
    return endpoints.request(Task(1, kind, 123, **fields), KINDS[kind]).path_and_query


PAGED = "limit=200&linked_partitioning=true"
ACCESS = "access=playable,preview,blocked"


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        ("track_likers", f"/tracks/soundcloud:tracks:123/favoriters?{PAGED}"),
        ("track_reposters", f"/tracks/soundcloud:tracks:123/reposters?{PAGED}"),
        ("track_comments", f"/tracks/soundcloud:tracks:123/comments?{PAGED}"),
        ("track_related", f"/tracks/soundcloud:tracks:123/related?{PAGED}&{ACCESS}"),
        ("user_likes", f"/users/soundcloud:users:123/likes/tracks?{PAGED}&{ACCESS}"),
        ("user_reposts", f"/users/soundcloud:users:123/reposts/tracks?{PAGED}&{ACCESS}"),
        ("user_tracks", f"/users/soundcloud:users:123/tracks?{PAGED}&{ACCESS}"),
        ("user_playlists", f"/users/soundcloud:users:123/playlists?{PAGED}&show_tracks=false"),
        ("user_playlist_likes", f"/users/soundcloud:users:123/likes/playlists?{PAGED}"),
        ("user_playlist_reposts", f"/users/soundcloud:users:123/reposts/playlists?{PAGED}"),
        ("user_station_likes", f"/users/soundcloud:users:123/likes/system-playlists?{PAGED}"),
        ("user_links", f"/users/soundcloud:users:123/web-profiles?{PAGED}"),
        ("recently_played", f"/me/recently-played/tracks?{PAGED}&{ACCESS}"),
        ("user_followers", f"/users/soundcloud:users:123/followers?{PAGED}"),
        ("user_followings", f"/users/soundcloud:users:123/followings?{PAGED}"),
        ("playlist_tracks", f"/playlists/soundcloud:playlists:123/tracks?{PAGED}&{ACCESS}"),
        ("playlist_reposters", f"/playlists/soundcloud:playlists:123/reposters?{PAGED}"),
        ("station_tracks", f"/system-playlists/soundcloud:system-playlists:123?{ACCESS}"),
        ("found_tracks", f"/tracks?{PAGED}&{ACCESS}&q=a+b"),
        ("found_users", f"/users?{PAGED}&q=a+b"),
        ("found_playlists", f"/playlists?{PAGED}&{ACCESS}&show_tracks=false&q=a+b"),
    ],
)
def test_the_first_page_comes_from_the_declaration(kind, first):
    assert ask(kind) == first


def test_every_list_is_declared_in_the_table_above():
    named = {name for mark in test_the_first_page_comes_from_the_declaration.pytestmark for name, _ in mark.args[1]}
    assert named == {kind.name for kind in KINDS.values() if not kind.looks_up}


def test_a_station_is_asked_for_by_its_whole_name():
    urn = "soundcloud:system-playlists:track-stations:5"
    assert ask("station_tracks", about=urn) == f"/system-playlists/{urn}?{ACCESS}"
    assert endpoints.thing(THINGS["station"], 123, urn=urn).path_and_query == f"/system-playlists/{urn}"


@pytest.mark.parametrize("kind", sorted(kind.name for kind in KINDS.values() if not (kind.looks_up or kind.inside)))
def test_the_limit_is_200_not_50(kind):
    """The predecessor asked for 50 where 200 are allowed."""
    assert "limit=200&" in ask(kind)


def test_likes_are_asked_with_all_three_values_of_access():
    """The predecessor left them out, and blocked tracks vanished."""
    assert "access=playable,preview,blocked" in ask("user_likes")


def test_no_dead_or_deprecated_path_is_asked():
    """The predecessor asked /users/x/favorites, /users/x/likes and /tracks/x/likes."""
    paths = {kind.path for kind in KINDS.values()}
    assert paths.isdisjoint({"/users/{urn}/favorites", "/users/{urn}/likes", "/tracks/{urn}/likes"})


def test_no_list_is_asked_by_offset():
    assert not any("offset" in ask(kind) for kind in {kind.name for kind in KINDS.values() if not kind.looks_up})


@pytest.mark.parametrize(("wanted", "asked"), [(1000, 200), (0, 1), (-3, 1), (50, 50)])
def test_a_page_size_is_clamped(wanted, asked):
    assert ask("track_likers", page_size=wanted).endswith(f"?limit={asked}&linked_partitioning=true")


def test_a_later_page_is_the_stored_cursor():
    cursor = "/tracks/soundcloud:tracks:123/favoriters?cursor=16&linked_partitioning=true&page_size=200"
    assert ask("track_likers", cursor=cursor) == cursor


def test_a_later_page_can_be_made_smaller():
    cursor = "/tracks/123/favoriters?cursor=16&page_size=200"
    assert ask("track_likers", cursor=cursor, page_size=50) == "/tracks/123/favoriters?cursor=16&page_size=50"


def test_a_stored_cursor_that_is_no_path_is_refused():
    with pytest.raises(UnexpectedReply):
        ask("track_likers", cursor="https://evil.example/tracks/1")


def test_a_seed_is_resolved_by_its_page():
    assert endpoints.resolve("https://soundcloud.com/a/b").path_and_query == (
        "/resolve?url=https%3A%2F%2Fsoundcloud.com%2Fa%2Fb"
    )


def test_a_track_is_asked_by_its_urn():
    assert endpoints.thing(THINGS["track"], 5).path_and_query == "/tracks/soundcloud:tracks:5"
    assert endpoints.thing(THINGS["track"], 5, "s-1").path_and_query == "/tracks/soundcloud:tracks:5?secret_token=s-1"


@pytest.mark.parametrize(
    ("request_", "shown"),
    [
        ("/tracks/1/favoriters?limit=2&cursor=3", "/tracks/1/favoriters?limit=2&cursor=3"),
        ("/tracks/1?secret_token=s-abc", "/tracks/1?secret_token=***"),
        ("/tracks/1?client_id=abc&x=1", "/tracks/1?client_id=***&x=1"),
        (
            endpoints.resolve("https://soundcloud.com/a/b/s-XyZ9").path_and_query,
            "/resolve?url=https%3A%2F%2Fsoundcloud.com%2Fa%2Fb%2Fs-***",
        ),
        (
            endpoints.resolve("https://soundcloud.com/a/b").path_and_query,
            endpoints.resolve("https://soundcloud.com/a/b").path_and_query,
        ),
    ],
)
def test_secrets_never_show(request_, shown):
    assert endpoints.redacted(request_) == shown


def test_the_secret_of_a_private_link_is_hidden_in_a_path_too():
    assert endpoints.redacted("/tracks/5/s-AbC123?limit=1") == "/tracks/5/s-***?limit=1"
    assert endpoints.redacted("/artist/track/s-AbC123") == "/artist/track/s-***"
