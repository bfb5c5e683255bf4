"""How replies become pages of our own nouns."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest.api.parse import parse_page, parse_thing
from harvest.api.schemas import WireProfile, WireTrack, WireUser
from harvest.api.urns import id_of_text
from harvest.errors import ServerTrouble, UnexpectedReply
from harvest.lists import KINDS
from harvest.models import Comment, Playlist, SeenAs, Station, Track, User, WebProfile

LIKERS, LIKES = KINDS["track_likers"], KINDS["user_likes"]
NOBODY = (None,) * 5


def user(user_id, name, url, seen_as, counts, profile=NOBODY):
    avatar = f"https://i1.sndcdn.com/avatars-{user_id}-large.jpg"
    return User(user_id, url, "2014-03-02T10:11:12Z", *counts, name, avatar, None, *profile, seen_as)


ADA = user(11, "Ada Example", "https://soundcloud.com/ada-example", SeenAs.LIST, (12, 3, 0, 1, 450, 7))
UPLOADER = user(31, "Uploader One", "https://soundcloud.com/uploader-one", SeenAs.EMBEDDED, (None,) * 6)


def track(track_id, title, uploader_id, seen_as=SeenAs.LIST):
    # fmt: off
    return Track(
        track_id, uploader_id, f"https://soundcloud.com/x/{track_id}", "2020-05-06T07:08:09Z", "2020-05", None,
        215000, 1000, 90, 8, 0, None, None, True, title, "Techno", None, None, 124.5, "Am", None, "all-rights-reserved",
        "Made up.", f"https://i1.sndcdn.com/artworks-{track_id}-large.jpg", "playable", "public", *[None] * 5, seen_as,
    )
    # fmt: on


def likes(*entries, **more):
    return json.dumps({"collection": list(entries), **more}).encode()


def test_a_page_of_likers_is_users_in_order_with_repeats(sample):
    page, next_href = parse_page(sample("likers_first_page"), LIKERS)
    assert (page.items, page.received, page.skipped) == ((11, 12, 11), 3, 0)
    assert page.users[11] == ADA
    assert list(page.users) == [11, 12]
    assert next_href == (
        "https://api.soundcloud.com/tracks/soundcloud:tracks:123/favoriters"
        "?cursor=1637775162857218&linked_partitioning=true&page_size=200"
    )


def test_counts_of_listed_users_are_as_given(sample):
    page, next_href = parse_page(sample("likers_last_page"), LIKERS)
    assert page.users[13].likes_given_count == 0
    assert next_href is None


def test_personal_fields_come_only_when_asked_for(sample):
    body = sample("likers_first_page")
    assert parse_page(body, LIKERS).page.users[11][12:17] == NOBODY
    asked = parse_page(body, LIKERS, full_profiles=True).page.users[11]
    assert asked[12:17] == ("Invented Person", "Nowhere", "Utopia", None, None)
    assert asked._replace(full_name=None, city=None, country=None) == ADA


def test_odd_entries_are_skipped_and_odd_fields_unknown(sample):
    page, next_href = parse_page(sample("likes_page_with_odd_entries"), LIKES)
    assert (page.items, page.received, page.skipped) == ((201, 202, 204), 7, 4)
    assert page.tracks[201] == track(201, "Fine", 31)
    assert page.tracks[202] == track(202, "No user", None)
    assert page.tracks[204] == track(204, None, None)._replace(
        created_at=None, duration_ms=None, genre=None, bpm=None, playback_count=None, likes_count=17
    )
    assert page.tags == {201: ("rave", "deep house"), 202: ("rave", "deep house")}
    assert page.users == {31: UPLOADER}
    assert page.unsupported_urns == ("soundcloud:tracks:not-a-number",)
    assert next_href is None


def test_uploaders_without_a_name_do_not_spoil_a_page():
    page, _ = parse_page(likes({"urn": "soundcloud:tracks:1", "user": {}}), LIKES)
    assert (page.items, page.tracks[1].uploader_id) == ((1,), None)


def test_a_page_of_nulls_or_aliens_alone_is_a_page():
    assert parse_page(likes(None, None), LIKES).page.skipped == 2
    assert parse_page(likes({"kind": "playlist", "id": 5}), LIKES).page.skipped == 1
    assert parse_page(likes({"urn": "soundcloud:tracks:x"}), LIKES).page.unsupported_urns == ("soundcloud:tracks:x",)


def test_a_null_title_loses_nothing_else():
    """The predecessor dropped the rest of a user's list at the first null title."""
    entries = [
        {"kind": "track", "urn": f"soundcloud:tracks:{n}", "title": None if n == 4 else "x"} for n in range(1, 41)
    ]
    page, _ = parse_page(likes(*entries), LIKES)
    assert page.items == tuple(range(1, 41))
    assert page.tracks[4].title is None


def test_an_embedded_zero_is_unknown_and_never_a_count():
    """The predecessor let the zeros of embedded users overwrite real counts."""
    counts = dict.fromkeys(
        [
            "followers_count",
            "followings_count",
            "public_favorites_count",
            "reposts_count",
            "track_count",
            "playlist_count",
        ],
        0,
    )
    page, _ = parse_page(likes({"urn": "soundcloud:tracks:1", "user": {"urn": "soundcloud:users:2", **counts}}), LIKES)
    assert page.users[2][3:9] == (None,) * 6


def test_embedded_counts_above_zero_are_kept():
    page, _ = parse_page(
        likes({"urn": "soundcloud:tracks:1", "user": {"urn": "soundcloud:users:2", "track_count": 5}}), LIKES
    )
    assert page.users[2].track_count == 5


def test_an_envelope_is_not_iterated_as_a_list_of_keys():
    """The predecessor extended a list by the keys of the envelope: 'Found 2 users'."""
    page, _ = parse_page(likes(), LIKERS)
    assert (page.items, page.received) == ((), 0)


def test_a_bare_array_is_the_last_page():
    page, next_href = parse_page(b'[{"kind": "user", "id": 5}, null]', LIKERS)
    assert (page.items, page.received, page.skipped, next_href) == ((5,), 2, 1, None)


def test_a_urn_without_an_id_is_enough():
    """The predecessor could not live without numeric ids."""
    assert parse_page(b'[{"urn": "soundcloud:users:5"}]', LIKERS).page.items == (5,)


def test_the_seed_is_seen_in_full_and_its_artist_embedded(sample):
    page = parse_thing(sample("track_full"), "track")
    assert (page.items, page.received, page.thing) == ((123,), 1, "track")
    assert page.tracks == {123: track(123, "The Seed", 31, SeenAs.FULL)}
    assert page.users[31].seen_as is SeenAs.EMBEDDED
    assert page.users[31].likes_given_count == 450


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"kind": "user", "urn": "soundcloud:users:1"}', b'{"errors": []}', b"3"]
)
def test_what_is_no_track_is_no_seed(body):
    with pytest.raises(UnexpectedReply):
        parse_thing(body, "track")


STATION = "soundcloud:system-playlists:track-stations:5"


def a_station(**changes):
    return {
        "kind": "system-playlist",
        "urn": STATION,
        "title": "Around it",
        "permalink_url": "https://soundcloud.com/discover/sets/track-stations:5?utm_source=x",
        "last_updated": "2026/10/30 08:00:00 +0000",
        "track_count": 3,
        **changes,
    }


@pytest.mark.parametrize("odd", [{}, {"track_count": "three", "title": "Around it\u0000"[:9], "likes_count": -1}])
def test_the_tracks_of_a_station_stand_inside_it(odd):
    tracks = [{"kind": "track", "urn": "soundcloud:tracks:7"}, None, {"id": 8, "kind": "track"}]
    page, next_href = parse_page(json.dumps(a_station(tracks=tracks, **odd)).encode(), KINDS["station_tracks"])
    assert (page.items, page.received, page.skipped, next_href) == ((7, 8), 3, 1, None)
    url, updated = "https://soundcloud.com/discover/sets/track-stations:5", "2026-10-30T08:00:00Z"
    count = None if odd else 3
    assert list(page.stations.values()) == [
        Station(id_of_text(STATION), STATION, url, updated, count, None, "Around it", None, None)
    ]


def test_the_tracks_of_a_station_may_come_as_any_other_list():
    page, next_href = parse_page(likes({"urn": "soundcloud:tracks:7"}, next_href="/x"), KINDS["station_tracks"])
    assert (page.items, page.stations, next_href) == ((7,), {}, "/x")


def test_a_station_without_tracks_is_no_list():
    with pytest.raises(UnexpectedReply):
        parse_page(json.dumps(a_station()).encode(), KINDS["station_tracks"])


def test_a_station_by_itself():
    page = parse_thing(json.dumps(a_station(urn=None, id=STATION)).encode(), "station")
    assert (page.thing, page.items, page.stations[id_of_text(STATION)].urn) == (
        "station",
        (id_of_text(STATION),),
        STATION,
    )


def test_a_playlist_page(sample):
    page, _ = parse_page(sample("playlists_page"), KINDS["user_playlists"])
    assert (page.items, page.received, page.skipped) == ((501, 502), 3, 1)
    # fmt: off
    assert page.playlists == {
        501: Playlist(501, 31, "https://soundcloud.com/x/sets/mix", "2021-01-01T00:00:00Z", 12, 3, 3600000, "album",
                      "Mix", None, None, "public", None, None),
        502: Playlist(502, 32, *(None,) * 12),
    }
    # fmt: on
    assert page.users == {31: UPLOADER}


def test_a_comment_page(sample):
    page, _ = parse_page(sample("comments_page"), KINDS["track_comments"])
    assert page.items == (701, 702, 703)
    assert page.comments == {
        701: Comment(701, 123, 31, "2022-02-02T02:02:02Z", 4960, "Nice."),
        702: Comment(702, 123, 33, None, 61000, None),
        703: Comment(703, None, None, None, None, None),
    }
    assert page.users == {31: UPLOADER}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", ServerTrouble),
        (b"<html>", ServerTrouble),
        (b'{"collection": [', ServerTrouble),
        (b'{"collection": [{"kind": "us', ServerTrouble),
        (b"[" * 100_000, ServerTrouble),
        (b"{}", UnexpectedReply),
        (b"null", UnexpectedReply),
        (b'"text"', UnexpectedReply),
        (b'{"collection": null}', UnexpectedReply),
        (b'{"collection": {"kind": "user"}}', UnexpectedReply),
        (b'{"errors": [{"error_message": "no"}]}', UnexpectedReply),
        (b"[[], []]", UnexpectedReply),
        (b'{"collection": ["a", 5]}', UnexpectedReply),
        (b'{"collection": [{"gid": "users/5", "name": "renamed"}, null]}', UnexpectedReply),
    ],
)
def test_a_reply_without_a_list_is_an_error_never_an_empty_list(body, error):
    """The predecessor turned every error into an empty list."""
    with pytest.raises(error) as raised:
        parse_page(body, LIKERS)
    assert str(raised.value).isprintable()
    assert len(raised.value.reply) <= 2000


@pytest.mark.parametrize(
    "title",
    [rb"a\u0000b", rb"a\ud83db", b"a\xffb", b"a\x00b", rb"a\udc00b"],
    ids=["nul escape", "lone high surrogate", "bad utf-8", "raw nul", "lone low surrogate"],
)
def test_text_that_sqlite_cannot_hold_is_replaced(title):
    body = b'{"collection": [{"urn": "soundcloud:tracks:1", "title": "%b", "genre": "ok"}]}' % title
    found = parse_page(body, LIKES).page.tracks[1]
    assert (found.title, found.genre) == ("a\ufffdb", "ok")


def test_escaped_emoji_survive():
    body = rb'{"collection": [{"urn": "soundcloud:tracks:1", "title": "\ud83d\ude00\u0000"}]}'
    assert parse_page(body, LIKES).page.tracks[1].title == "😀\ufffd"


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("playback_count", 10**15, 10**15),
        ("playback_count", 10**15 + 1, None),
        ("playback_count", 2**63, None),
        ("playback_count", 10**400, None),
        ("playback_count", -1, None),
        ("playback_count", 7.0, 7),
        ("playback_count", 7.5, None),
        ("playback_count", True, None),
        ("playback_count", "12", 12),
        ("bpm", 120, 120.0),
        ("bpm", "fast", None),
        ("bpm", "nan", None),
        ("bpm", "inf", None),
        ("bpm", 1e300, None),
        ("bpm", 0, None),
        ("bpm", -1, None),
        ("title", 5, None),
        ("title", "null", "null"),
        ("title", "", None),
        ("permalink_url", "javascript:alert(1)", None),
        ("permalink_url", "http://soundcloud.com/a/b?x=1#y", "https://soundcloud.com/a/b"),
        ("permalink_url", "https://soundcloud.com/a/b/s-Xy12?x=1", "https://soundcloud.com/a/b"),
        ("permalink_url", "https://soundcloud.com/a/sets/b/s-Xy12", "https://soundcloud.com/a/sets/b"),
        ("permalink_url", "https://soundcloud.com/a/sets/s-club", "https://soundcloud.com/a/sets/s-club"),
        ("created_at", "yesterday", None),
        ("created_at", "2024-06-01T16:23:38+02:00", "2024-06-01T14:23:38Z"),
    ],
)
@pytest.mark.parametrize("odd", [{}, {"title": ["odd"]}], ids=["fast", "slow"])
def test_one_bad_field_is_unknown_and_the_rest_is_kept(field, value, kept, odd):
    """The slow path, which a second odd entry forces, reads exactly like the fast one."""
    entry = {"urn": "soundcloud:tracks:1", "genre": "ok", field: value}
    page, _ = parse_page(likes(entry, {"urn": "soundcloud:tracks:2", **odd}), LIKES)
    assert getattr(page.tracks[1], field) == kept
    assert page.tracks[1].genre == "ok"


@pytest.mark.parametrize(
    ("parts", "date"),
    [
        ((2020, 2, 9), "2020-02-09"),
        ((2020, 2, None), "2020-02"),
        ((2020, None, 9), "2020"),
        ((2020, 13, 9), "2020"),
        ((2020, 2, 40), "2020-02"),
        ((2020, 2, 29), "2020-02-29"),
        ((2021, 2, 29), "2021-02"),
        ((2021, 4, 31), "2021-04"),
        ((2021, 12, 31), "2021-12-31"),
        ((2021, 12, 0), "2021-12"),
        ((None, 2, 9), None),
        ((0, 0, 0), None),
        ((20200, 1, 1), None),
    ],
)
def test_a_release_date_is_as_long_as_it_is_known(parts, date):
    entry = dict(zip(("release_year", "release_month", "release_day"), parts, strict=True), urn="soundcloud:tracks:1")
    assert parse_page(likes(entry), LIKES).page.tracks[1].release_date == date


def test_of_two_entries_about_one_thing_the_first_is_kept():
    first, second = ({"urn": "soundcloud:tracks:1", "title": title, "tag_list": title} for title in "ab")
    page, _ = parse_page(likes(first, second), LIKES)
    assert (page.items, page.tracks[1].title, page.tags) == ((1, 1), "a", {1: ("a",)})


def test_an_unsupported_uploader_is_unknown_and_named():
    entry = {"urn": "soundcloud:tracks:1", "user": {"urn": "soundcloud:users:abc"}}
    page, _ = parse_page(likes(entry, entry), LIKES)
    assert page.tracks[1].uploader_id is None
    assert page.unsupported_urns == ("soundcloud:users:abc",)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from(
    list(Track._fields) + list(User._fields) + ["urn", "kind", "uri", "user", "duration", "tag_list"]
)
entries = st.dictionaries(fields, json_values) | json_values


@given(
    st.sampled_from(sorted(kind.name for kind in KINDS.values() if not kind.looks_up)),
    st.lists(entries, max_size=5),
    json_values,
)
def test_any_list_is_read_without_losing_count(name, collection, next_href):
    readable = {"station": {"urn": STATION}, "link": {"url": "https://x.example"}}.get(KINDS[name].item, {"id": 5})
    collection = [*collection, readable]  # a page without one readable entry is an error
    body = json.dumps({"collection": collection, "next_href": next_href}).encode()
    page, found = parse_page(body, KINDS[name])
    assert page.received == len(collection)
    assert len(page.items) + page.skipped == page.received
    assert all(0 < item < 2**63 for item in page.items)
    assert found == next_href
    made = {"station": id_of_text(STATION), "link": id_of_text("0  https://x.example")}
    assert made.get(KINDS[name].item, 5) in page.items


LINKS = KINDS["user_links"]


def test_the_links_of_a_person_are_told_apart_by_where_they_lead():
    """In the official example they carry the URN of the person."""
    ours = {"kind": "web-profile", "urn": "soundcloud:users:7", "service": "bandcamp", "url": "https://a.example"}
    entries = [ours, {**ours, "url": "https://b.example", "title": "", "username": "b"}, None, ours, {"kind": "track"}]
    page, _ = parse_page(json.dumps(entries).encode(), LINKS, 7)
    first, second = id_of_text("7 bandcamp https://a.example"), id_of_text("7 bandcamp https://b.example")
    assert (page.items, page.skipped) == ((first, second, first), 2)
    assert list(page.links.values()) == [
        WebProfile(first, 7, None, "https://a.example", "bandcamp", None, None),
        WebProfile(second, 7, None, "https://b.example", "bandcamp", None, "b"),
    ]
    assert parse_page(json.dumps([ours]).encode(), LINKS, 8).page.items != (first,)


@given(st.dictionaries(fields, json_values), st.integers(1, 10**12))
def test_an_odd_entry_never_costs_a_good_one(odd, number):
    good = {"kind": "track", "urn": f"soundcloud:tracks:{number}", "title": "Good"}
    page, _ = parse_page(likes(odd, good), LIKES)
    assert number in page.items
    if odd.get("urn") != good["urn"] and odd.get("id") != number:
        assert page.tracks[number].title == "Good"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_page_or_an_error(body):
    with suppress(ServerTrouble, UnexpectedReply):
        parse_page(body, LIKES)


@pytest.mark.parametrize(("kind", "thing", "shape"), [("user", User, WireUser), ("track", Track, WireTrack)])
def test_columns_taken_as_they_stand_are_in_the_order_of_the_reply(kind, thing, shape):
    """A text added to one and not to the other, or in another place, would land in the wrong column."""
    first = "username" if kind == "user" else "title"
    columns = thing._fields[thing._fields.index(first) : -1]
    fields = (WireProfile if kind == "user" else shape).__struct_fields__
    assert fields[fields.index(first) :] == columns
