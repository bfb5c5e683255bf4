"""What was forgotten is cut from a reply, however it stands in it; all else stays as it came."""

from __future__ import annotations

import json

import pytest

from harvest.forgetting.bodies import numbers_in, without_gone

GONE = {("user", 7), ("track", 70), ("playlist", 700)}
OTHER = {"kind": "track", "id": 71, "title": "by 7 and 70", "user": {"kind": "user", "id": 8}, "duration": 1.5}
_LISTED = [
    {"kind": "user", "id": 7},
    {"urn": "soundcloud:users:7", "username": "x"},
    {"id": "soundcloud:users:7", "kind": "user"},
    {"kind": "track", "id": 70, "user": {"kind": "user", "id": 8}},
    {"kind": "track", "id": 72, "user": {"kind": "user", "id": 7}},
    {"kind": "track", "id": 72, "user_id": 7},
    {"kind": "track", "id": 72, "user_urn": "soundcloud:users:7"},
    {"kind": "track", "id": 72, "uri": "https://api.soundcloud.com/tracks/soundcloud%3Atracks%3A70"},
    {"kind": "comment", "id": 1, "track_id": 70, "body": "hm"},
    {"kind": "comment", "id": 1, "user": {"id": 7}},
    {"type": "repost", "track": {"id": 70}},
    {"kind": "system-playlist", "urn": "soundcloud:system-playlists:artist-stations:7"},
    {"id": 700},
]


@pytest.mark.parametrize("entry", _LISTED)
def test_what_leads_to_it_leaves_a_hole_in_its_list(entry):
    body = {"collection": [OTHER, entry, None], "next_href": None}
    cut = without_gone(json.dumps(body).encode(), GONE.__contains__)
    assert json.loads(cut) == {"collection": [OTHER, None, None], "next_href": None}


def test_what_holds_it_in_a_list_of_its_own_stays():
    body = {"kind": "playlist", "id": 701, "user": {"kind": "user", "id": 8}, "tracks": [{"kind": "track", "id": 70}]}
    assert json.loads(without_gone(json.dumps(body).encode(), GONE.__contains__)) == {**body, "tracks": [None]}


@pytest.mark.parametrize(
    "body", [b'{"kind":"user","id":7}', b'{"kind":"track","id":1,"user":{"id":7}}', b"\xff no JSON"]
)
def test_of_a_reply_about_it_alone_nothing_stays(body):
    assert without_gone(body, GONE.__contains__) is None


@pytest.mark.parametrize(
    "body",
    [
        b'{ "collection" : [ {"kind":"track","id":7,"likes_count":70} ] }',
        b'[{"kind":"user","id":70,"track_count":7}]',
        b'{"kind":"user","id":77}',
        b"[]",
        b"",
    ],
)
def test_what_names_nothing_of_it_stays_to_the_byte(body):
    assert without_gone(body, GONE.__contains__) == body


def test_numbers_are_seen_in_a_body_unless_it_may_hide_them():
    assert numbers_in(b'{"id":70,"urn":"soundcloud:users:7"}') == {7, 70}
    assert numbers_in(b'{"urn":"soundcloud:users:\\u0037"}') is None
