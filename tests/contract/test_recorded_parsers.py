"""Every recorded reply gives exactly what is written here; the recordings themselves live outside this repository."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from harvest.api.cursors import cursor_time, follow
from harvest.api.parse import parse_page, parse_thing
from harvest.api.resolving import Resource, read_location
from harvest.api.responses import Reply, redirect, success
from harvest.auth.grants import InvalidGrant, Token, read_token
from harvest.errors import (
    Challenged,
    Forbidden,
    Gone,
    RateLimited,
    ServerTrouble,
    Unauthorized,
    UnexpectedReply,
)
from harvest.lists import KINDS
from harvest.models import Comment, Playlist, SeenAs, Track, User
from harvest.things import THINGS

RECORDED = Path(__file__).parents[2].parent / "shared" / "recorded"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
API = "https://api.soundcloud.com"

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="no recordings beside the checkout")


def exchange(name):
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


def reply(name):
    answer = exchange(name)["response"]
    body = answer["body_text"] if "body_text" in answer else json.dumps(answer["body"], ensure_ascii=False)
    return Reply(answer["status"], httpx.Headers(answer["headers"]), body.encode())


def body(name):
    return success(reply(name), now=NOW)


def person(user_id, name, url, avatar, created=None, counts=(None,) * 6, profile=(None,) * 5, seen_as=SeenAs.EMBEDDED):
    return User(user_id, url, created, *counts, name, avatar, None, *profile, seen_as)


TRACK_COLUMNS = [
    "id",
    "uploader_id",
    "title",
    "permalink_url",
    "created_at",
    "duration_ms",
    "genre",
    "label_name",
    "isrc",
    "bpm",
    "key_signature",
    "metadata_artist",
    "license",
    "release_date",
    "description",
    "artwork_url",
    "playback_count",
    "likes_count",
    "reposts_count",
    "comment_count",
    "download_count",
    "access",
    "sharing",
    "seen_as",
]
PLAYLIST_COLUMNS = [
    "id",
    "owner_id",
    "title",
    "permalink_url",
    "created_at",
    "track_count",
    "likes_count",
    "duration_ms",
    "playlist_type",
    "genre",
    "label_name",
    "sharing",
    "artwork_url",
    "description",
]


def a_track(*values, **more):
    return Track(
        **{
            **dict.fromkeys(Track._fields),
            "downloadable": False,
            **dict(zip(TRACK_COLUMNS, values, strict=True)),
            **more,
        }
    )


def a_playlist(*values):
    return Playlist(**dict(zip(PLAYLIST_COLUMNS, values, strict=True)))


def following(name, asked, parameters=()):
    href = exchange(name)["response"]["body"]["next_href"]
    cursor = follow(href, asked=asked, parameters=parameters, api_base=API)
    return cursor, cursor_time(cursor, now=NOW)


# Failures

FAILURES = {
    "cloudfront_403_html_2025": (
        Challenged,
        "SoundCloud blocks this client for now (403: ERROR: The request could not be satisfied).",
    ),
    "waf_challenge_202_empty_2026": (Challenged, "SoundCloud blocks this client for now (202)."),
    "gateway_429_2026": (RateLimited, "SoundCloud asks us to slow down (429: Rate Limit Exceeded)."),
    "doc_429": (RateLimited, "SoundCloud asks us to slow down (429: Detailed message of errors, when available)."),
    "token_429_quota_meta_2022": (RateLimited, "SoundCloud asks us to slow down (429)."),
    "likes_tracks_504_text_2024": (ServerTrouble, "SoundCloud has trouble (504: upstream request timeout)."),
    "me_playlists_403_2024": (Forbidden, "SoundCloud does not allow this (403)."),
    "resolve_401_2021": (Unauthorized, "SoundCloud does not accept the token (401)."),
    "user_404_2021": (Gone, "SoundCloud has no such thing (404: 404 - Not Found)."),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_recorded_failure_is_named(name):
    meaning, message = FAILURES[name]
    with pytest.raises(meaning) as raised:
        body(name)
    assert type(raised.value) is meaning
    assert str(raised.value) == message


def test_a_reset_time_is_read_relative_to_now():
    with pytest.raises(RateLimited) as raised:
        success(reply("token_429_quota_meta_2022"), now=datetime(2022, 5, 26, 16, 0, 0, tzinfo=UTC))
    assert raised.value.wait_seconds == 31 * 60 + 52


# Resolving


def test_a_resolved_track():
    location = redirect(reply("resolve_track_302_2025"), now=NOW)
    assert read_location(location, api_base=API, seed_url="https://soundcloud.com/a/b") == Resource(
        THINGS["track"], 2088703866
    )


def test_a_resolved_playlist():
    location = redirect(reply("resolve_set_302_2018"), now=NOW)
    found = read_location(location, api_base=API, seed_url="https://soundcloud.com/yndihalda/sets/dash-and-blast")
    assert found.thing is THINGS["playlist"]
    assert str(found.number) in location


# Tokens


def test_token_replies():
    def read(name):
        return read_token(reply(name).status, reply(name).body)

    assert read("doc_token") == Token("some string", "some string", 3599.0)
    with pytest.raises(InvalidGrant):
        read("token_400_invalid_grant_2025")
    with pytest.raises(InvalidGrant):
        read("token_401_invalid_grant_2021")


# One track


def test_track_of_2022():
    page = parse_thing(body("track_13158665_2022"), "track")
    # fmt: off
    assert page.tracks == {13158665: a_track(
        13158665, 3699101, "Munching at Tiannas house",
        "https://soundcloud.com/alex-stevenson/munching-at-tiannas-house",
        "2011-04-06T15:37:43Z", 18109, None, None, None, None, None, None, "all-rights-reserved", None, None, None,
        17319,
        5, 1, 7, 134, "playable", "public", SeenAs.FULL,
        waveform_url="https://wave.sndcdn.com/fxguEjG4ax6B_m.png",
    )}
    # fmt: on
    assert page.tags == {13158665: ("soundcloud:source=iphone-record",)}
    avatar = "https://i1.sndcdn.com/avatars-000004193858-jnf2pd-large.jpg"
    counts = (None, None, 1, None, None, None)
    assert page.users == {
        3699101: person(
            3699101, "Alex Stevenson", "https://soundcloud.com/alex-stevenson", avatar, "2011-03-17T09:03:40Z", counts
        )
    }


def test_track_of_2020():
    page = parse_thing(body("track_762635683_2020"), "track")
    # fmt: off
    assert page.tracks == {762635683: a_track(
        762635683, 1817, "Matthias Kunze | La Península", "https://soundcloud.com/matthias-kunze/la-peninsula",
        "2020-02-18T12:32:51Z", 4197460, "Storytelling", None, None, None, None, None, "all-rights-reserved",
        "2020-02-20", "Description text.",
        "https://i1.sndcdn.com/artworks-RcCusqcAdPXZWi89-PILVUw-large.jpg", 3462, 231,
        60, 27, 0, None, "public", SeenAs.FULL,
        waveform_url="https://wave.sndcdn.com/83vWmyoh176V_m.png",
    )}
    # fmt: on
    assert page.tags == {762635683: ("Melodic", "Deep", "Dreaming", "Hamburg", "Deep House")}
    avatar = "https://i1.sndcdn.com/avatars-000604228797-shabm8-large.jpg"
    assert page.users == {1817: person(1817, "Matthias Kunze", "https://soundcloud.com/matthias-kunze", avatar)}


def test_track_of_2015_with_quoted_tags():
    page = parse_thing(body("track_170437996_2015_tags"), "track")
    # fmt: off
    assert page.tracks == {170437996: a_track(
        170437996, 43343336, "I Want What You Got", "https://soundcloud.com/palaceband/i-want-what-you-got-1",
        "2014-10-03T07:56:07Z", 242542, "Alternative", "Beatnik Creative", None, None, None, None,
        "all-rights-reserved",
        None, None, "https://i1.sndcdn.com/artworks-000093407127-lbrqre-large.jpg", 105780, 2685, None, 51, 0, None,
        "public", SeenAs.FULL,
        purchase_url="https://itunes.apple.com/gb/album/lost-in-the-night-ep/id897218271", purchase_title="Download",
        waveform_url="https://w1.sndcdn.com/TfZm9cOj91AM_m.png",
    )}
    # fmt: on
    assert page.tags == {
        170437996: (
            "Alternative Rock",
            "Blues",
            "palace",
            "i want what you got",
            "beatnik",
            "bitter",
            "veins",
            "beatnik creative",
        )
    }  # fmt: skip
    avatar = "https://i1.sndcdn.com/avatars-000105651191-gp0mea-large.jpg"
    assert page.users == {43343336: person(43343336, "Palace___", "https://soundcloud.com/palaceband", avatar)}


DOC_USER = person(
    12345, "some.user", "https://soundcloud.com/permalink", "https://i1.sndcdn.com/avatars.jpg", "2018-01-01T12:08:25Z",
    (None, None, None, 3, 20, None),
)  # fmt: skip
# fmt: off
DOC_TRACK = a_track(
    1234, 12345, "Some title", "https://soundcloud.com/userPermalink/trackPermalink", "2019-01-15T15:40:49Z", 40000,
    "Rock",
    "some label", None, None, None, None, "all-rights-reserved", "2019-08-22", None,
    "https://i1.sndcdn.com/artworks-large.jpg", 8027, 271, 18, 4, 0, "playable", "public", SeenAs.FULL,
    reveal_stats=True, waveform_url="https://wave.sndcdn.com/someString.png",
)
# fmt: on


def test_the_documented_track():
    page = parse_thing(body("doc_track"), "track")
    assert (page.tracks, page.users, page.tags) == ({1234: DOC_TRACK}, {12345: DOC_USER}, {1234: ()})
    full = parse_thing(body("doc_track"), "track", full_profiles=True).users[12345]
    assert full[12:17] == ("Full Name", "City", "Country", None, None)


# Pages whose documentation example has an object where the schema says array: refused, their objects readable

DOC_PAGES = {
    "doc_users_page": KINDS["track_likers"],
    "doc_tracks_page": KINDS["user_likes"],
    "doc_comments_page": KINDS["track_comments"],
}


def repaired(name):
    value = exchange(name)["response"]["body"]
    return json.dumps({**value, "collection": [value["collection"]]}).encode()


@pytest.mark.parametrize("name", DOC_PAGES)
def test_a_documented_page_with_an_object_for_a_list_is_unexpected(name):
    with pytest.raises(UnexpectedReply):
        parse_page(body(name), DOC_PAGES[name])


def test_the_objects_inside_the_documented_pages():
    users, href = parse_page(repaired("doc_users_page"), DOC_PAGES["doc_users_page"])
    listed = DOC_USER._replace(
        seen_as=SeenAs.LIST, followers_count=0, followings_count=0, track_count=0, reposts_given_count=0
    )
    assert users.users == {12345: listed}
    tracks, _ = parse_page(repaired("doc_tracks_page"), DOC_PAGES["doc_tracks_page"])
    assert tracks.tracks == {1234: DOC_TRACK._replace(seen_as=SeenAs.LIST)}
    comments, _ = parse_page(repaired("doc_comments_page"), DOC_PAGES["doc_comments_page"])
    assert comments.comments == {1234: Comment(1234, 123456, 12345, "2007-09-11T15:40:24Z", 4960, "Comment text.")}
    assert comments.users[12345].followers_count == 138  # its urn is misspelt in the source, its uri is not
    with pytest.raises(UnexpectedReply):
        follow(href, asked="/tracks/soundcloud:tracks:1234/favoriters")


def test_the_documented_user_stands_in_a_bare_array():
    value = [exchange("doc_user")["response"]["body"]]
    page, _ = parse_page(json.dumps(value).encode(), KINDS["track_likers"])
    assert page.items == (12345,)


def test_web_profiles_are_no_users():
    page, _ = parse_page(body("doc_web_profiles"), KINDS["track_likers"])
    assert (page.items, page.received, page.skipped) == ((), 1, 1)


# Pages


def test_followings_of_2018():
    page, href = parse_page(body("me_followings_page_2018"), KINDS["user_followings"])
    assert page.items == (
        992503, 1710483, 422725, 2944360, 3299556, 17276731, 4648693, 47385026, 27945548, 1739693,
    )  # fmt: skip
    assert (page.received, page.skipped, len(page.users)) == (10, 0, 10)
    assert page.users[992503] == person(
        992503,
        "Young Legionnaire",
        "https://soundcloud.com/young-legionnaire",
        "https://i1.sndcdn.com/avatars-000232898451-r63qse-large.jpg",
        None,
        (13953, 0, 16, 0, 0, 0),
        seen_as=SeenAs.LIST,
    )
    assert href == f"{API}/me/followings?client_id=CLIENT_ID&page_size=10&cursor=1375867131926"
    assert following("me_followings_page_2018", "/me/followings", (("linked_partitioning", "true"),)) == (
        "/me/followings?page_size=10&cursor=1375867131926&linked_partitioning=true",
        "2013-08-07T09:18:51Z",
    )


def test_a_composed_page_of_likers():
    page, _ = parse_page(body("composed_favoriters_page"), KINDS["track_likers"])
    assert page.received == 5
    assert page.items[:3] == (992503, 1710483, 422725)
    assert page.users[1710483] == person(
        1710483,
        "Tall Ships",
        "https://soundcloud.com/tallships",
        "https://i1.sndcdn.com/avatars-000141133100-0g48l7-large.jpg",
        None,
        (2185, 1, 29, 3, 0, 0),
        seen_as=SeenAs.LIST,
    )
    asked = "/tracks/soundcloud:tracks:1234567890/favoriters?limit=5&linked_partitioning=true"
    assert following("composed_favoriters_page", asked) == (
        "/tracks/soundcloud:tracks:1234567890/favoriters?cursor=1637775162857218&linked_partitioning=true&page_size=5",
        "2021-11-24T17:32:42Z",
    )


def test_a_composed_page_of_likes():
    page, _ = parse_page(body("composed_likes_tracks_page"), KINDS["user_likes"])
    assert (page.received, page.skipped) == (3, 0)
    # fmt: off
    assert page.tracks[179495375] == a_track(
        179495375, 27945548, "The Wait", "https://soundcloud.com/pelican-song/04-the-wait", "2014-12-01T19:22:45Z",
        361463,
        "Pelican", None, None, None, None, None, "all-rights-reserved", None, None,
        "https://i1.sndcdn.com/artworks-000098998046-y46afp-large.jpg", 2718, 91, 15, 0, 0, "playable", "public",
        SeenAs.LIST, purchase_url="http://pelicansl.bandcamp.com/releases",
        waveform_url="https://w1.sndcdn.com/PpvLSQBiNAx2_m.png",
    )
    # fmt: on
    avatar = "https://i1.sndcdn.com/avatars-000134520973-k3ipht-large.jpg"
    pelican = person(27945548, "Pelican Song", "https://soundcloud.com/pelican-song", avatar)
    assert page.users == {27945548: pelican}
    _, time = following("composed_likes_tracks_page", "/users/soundcloud:users:147753238/likes/tracks")
    assert time == "2024-06-01T16:23:38Z"


@pytest.mark.parametrize(
    ("name", "count", "first", "users"),
    [("user_tracks_bare_array_2018", 10, 179495375, 1), ("search_tracks_bare_array_2018", 10, 395433357, 6)],
)
def test_a_bare_array_of_tracks(name, count, first, users):
    page, href = parse_page(body(name), KINDS["user_tracks"])
    assert (page.received, page.skipped, page.items[0], href) == (count, 0, first, None)
    assert len(page.tracks) == count
    assert len(page.users) == users
    assert all(track.likes_count is not None and track.uploader_id in page.users for track in page.tracks.values())


def test_a_playlist_of_2018():
    value = exchange("playlist_446283_2018")["response"]["body"]
    page, _ = parse_page(json.dumps([value]).encode(), KINDS["user_playlists"])
    # fmt: off
    assert page.playlists == {446283: a_playlist(
        446283, 2262610, "enjoy eternal bliss", "https://soundcloud.com/yndihalda/sets/dash-and-blast",
        "2010-11-28T12:54:52Z", 4, None, 3943833, None, None, "Big Scary Monsters / Burnt Toast Vinyl / XTAL", "public",
        "https://i1.sndcdn.com/artworks-000003283417-7bxhxh-large.jpg", None,
    )}
    # fmt: on
    inner, _ = parse_page(json.dumps(value["tracks"]).encode(), KINDS["playlist_tracks"])
    assert (inner.received, inner.skipped, len(inner.tracks)) == (4, 0, 4)


def test_an_embedded_user_of_2025():
    user = exchange("search_track_embedded_user_2025_partial")["response"]["body"]
    page, _ = parse_page(json.dumps([{"urn": "soundcloud:tracks:1", "user": user}]).encode(), KINDS["user_tracks"])
    avatar = "https://i1.sndcdn.com/avatars-YK1Y0oqePcrYujrl-WLFFpw-large.jpg"
    assert page.users == {
        65674057: person(
            65674057,
            "SugarMama.music",
            "https://soundcloud.com/anna-hofman-1",
            avatar,
            "2013-11-09T10:53:36Z",
            (None, None, 14, None, None, None),
        )
    }


def test_empty_pages_that_go_on():
    for name in (
        "me_likes_tracks_next_href_2024",
        "search_empty_page_with_next_href_2026",
        "user_tracks_next_href_wrong_host_2024",
    ):
        page, href = parse_page(body(name), KINDS["user_tracks"])
        assert (page.items, page.received, bool(href)) == ((), 0, True)


def test_a_next_page_on_an_internal_host_is_followed_on_ours():
    assert following("user_tracks_next_href_wrong_host_2024", "/users/soundcloud:users:1098233644/tracks") == (
        "/users/1098233644/tracks?cursor=2024-01-09T21%3A10%3A04.000Z%2Ctracks%2C01712964786"
        "&linked_partitioning=1&page_size=50",
        "2024-01-09T21:10:04Z",
    )
    assert following("search_empty_page_with_next_href_2026", "/tracks?q=Daft%20Punk") == (
        "/tracks?linked_partitioning=1&limit=50&offset=1050&q=Daft%20Punk",
        None,
    )
    assert following("me_likes_tracks_next_href_2024", "/me/likes/tracks")[1] == "2024-06-01T16:23:38Z"


def test_every_recording_is_looked_at_here():
    source = Path(__file__).read_text(encoding="utf-8")
    assert [path.stem for path in RECORDED.glob("*.json") if f'"{path.stem}"' not in source] == []
