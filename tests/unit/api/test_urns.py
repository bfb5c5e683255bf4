"""Who a thing is, whatever way its name is written."""

from __future__ import annotations

import pytest

from harvest.api.urns import LARGEST_ID, Unsupported, id_of_text, identify, station_urn


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ({"urn": "soundcloud:tracks:12"}, 12),
        ({"urn": "soundcloud%3Atracks%3A12"}, 12),
        ({"urn": "soundcloud:tracks:12", "kind": "track", "number": 99}, 12),
        ({"kind": "track", "number": 13}, 13),
        ({"number": 13}, 13),
        ({"kind": "track", "uri": "https://api.soundcloud.com/tracks/14"}, 14),
        ({"uri": "https://api.soundcloud.com/tracks/soundcloud:tracks:14"}, 14),
        ({"uri": "https://api.soundcloud.com/tracks/soundcloud%3Atracks%3A14?secret_token=s-x"}, 14),
        ({"urn": "souncloud:tracks:1", "uri": "https://api.soundcloud.com/tracks/15"}, 15),
        ({"urn": f"soundcloud:tracks:{LARGEST_ID}"}, LARGEST_ID),
        ({"urn": f"soundcloud:tracks:{LARGEST_ID + 1}"}, Unsupported(f"soundcloud:tracks:{LARGEST_ID + 1}")),
        ({"urn": "soundcloud:tracks:abc"}, Unsupported("soundcloud:tracks:abc")),
        ({"urn": "soundcloud:tracks:0"}, Unsupported("soundcloud:tracks:0")),
        ({"urn": "soundcloud:tracks:-5"}, Unsupported("soundcloud:tracks:-5")),
        ({"kind": "track", "number": -5}, Unsupported("soundcloud:tracks:-5")),
        ({"uri": "https://api.soundcloud.com/tracks/x"}, Unsupported("soundcloud:tracks:x")),
        ({"urn": "soundcloud:users:12"}, "alien"),
        ({"urn": "soundcloud:system-playlists:12"}, "alien"),
        ({"urn": "soundcloud:tracks:12", "kind": "playlist"}, "alien"),
        ({"uri": "https://api.soundcloud.com/users/14"}, "alien"),
        ({"uri": "https://api.soundcloud.com/tracks/soundcloud:users:14"}, "alien"),
        ({}, "unreadable"),
        ({"kind": "track"}, "unreadable"),
        ({"uri": "14"}, "unreadable"),
        ({"urn": ""}, "unreadable"),
    ],
)
def test_a_track_is_identified(names, found):
    verdict = identify("track", **names)
    assert (verdict, type(verdict)) == (found, type(found))


AROUND_5 = "soundcloud:system-playlists:track-stations:5"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ({"urn": AROUND_5}, id_of_text(AROUND_5)),
        ({"urn": "soundcloud%3Asystem-playlists%3Atrack-stations%3A5"}, id_of_text(AROUND_5)),
        ({"urn": AROUND_5, "kind": "whatever it calls itself"}, id_of_text(AROUND_5)),
        ({"uri": f"https://api.soundcloud.com/system-playlists/{AROUND_5}?x=1"}, id_of_text(AROUND_5)),
        ({"urn": "soundcloud:system-playlists:"}, "unreadable"),
        ({"urn": f"soundcloud:system-playlists:{'x' * 301}"}, Unsupported(f"soundcloud:system-playlists:{'x' * 200}")),
        ({"urn": "soundcloud:playlists:5"}, "alien"),
        ({"uri": "https://api.soundcloud.com/playlists/5"}, "alien"),
        ({"kind": "system-playlist"}, "unreadable"),
    ],
)
def test_a_station_is_identified_by_its_name(names, found):
    verdict = identify("station", **names)
    assert (verdict, type(verdict)) == (found, type(found))


def test_the_id_of_a_station_is_made_of_its_urn_and_fits_into_any_program():
    around_a_track, around_an_artist = id_of_text(AROUND_5), id_of_text("soundcloud:system-playlists:artist-stations:5")
    assert (around_a_track, around_an_artist) == (2715172384655680, 1888813521650601)
    assert max(around_a_track, around_an_artist) < 2**53


def test_the_urn_of_a_station_is_the_first_that_is_one():
    assert station_urn(None, "5", f"https://api.soundcloud.com/system-playlists/{AROUND_5}") == AROUND_5
    assert station_urn(None, "soundcloud:tracks:5") is None
