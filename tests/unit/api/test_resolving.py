"""Where a seed leads, and where it must not."""

from __future__ import annotations

import pytest

from harvest.api.resolving import Resource, read_location
from harvest.errors import SeedError, UnexpectedReply
from harvest.things import THINGS

API = "https://api.soundcloud.com"
PAGE = "https://soundcloud.com/a/b"
TRACK = THINGS["track"]


@pytest.mark.parametrize(
    ("location", "resource"),
    [
        (f"{API}/tracks/5", Resource(TRACK, 5)),
        (f"{API}:443/tracks/5", Resource(TRACK, 5)),
        (f"{API}/tracks/soundcloud:tracks:5", Resource(TRACK, 5)),
        (f"{API}/tracks/soundcloud%3Atracks%3A5", Resource(TRACK, 5)),
        (f"{API}/tracks/5?secret_token=s-x&client_id=CID", Resource(TRACK, 5, "s-x")),
        ("/tracks/5", Resource(TRACK, 5)),
        (f"{API}/users/5", Resource(THINGS["user"], 5)),
        (f"{API}/users/soundcloud:users:5", Resource(THINGS["user"], 5)),
        (f"{API}/playlists/soundcloud:playlists:5?secret_token=s-x", Resource(THINGS["playlist"], 5, "s-x")),
    ],
)
def test_a_thing_is_found(location, resource):
    assert read_location(location, api_base=API, seed_url=PAGE) == resource


def test_a_base_with_a_path_is_understood():
    base = "http://127.0.0.1:8000/v1"
    assert read_location(f"{base}/tracks/5", api_base=base, seed_url=PAGE) == Resource(TRACK, 5)


@pytest.mark.parametrize(
    "location",
    [
        "http://api.soundcloud.com/tracks/5",
        "https://api.soundcloud.com:444/tracks/5",
        "https://evil.example/tracks/5",
        "https://api.soundcloud.com.evil.example/tracks/5",
        "https://user@api.soundcloud.com/tracks/5",
        "//evil.example/tracks/5",
        "https://[evil/tracks/5",
        "https://api.soundcloud.com:x/tracks/5",
        f"{API}/",
        f"{API}/tracks",
        f"{API}/tracks/5/favoriters",
        f"{API}/comments/5",
    ],
)
def test_any_other_place_is_unexpected(location):
    with pytest.raises(UnexpectedReply):
        read_location(location, api_base=API, seed_url=PAGE)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        (f"{API}/tracks/soundcloud:tracks:abc", "no number"),
        (f"{API}/users/soundcloud:users:abc", "no number"),
    ],
)
def test_what_has_no_number_is_no_seed(location, words):
    with pytest.raises(SeedError, match=words) as raised:
        read_location(location, api_base=API, seed_url=PAGE)
    assert PAGE in str(raised.value)


def test_a_secret_never_shows():
    with pytest.raises(SeedError) as raised:
        read_location(f"{API}/users/soundcloud:users:abc", api_base=API, seed_url=f"{PAGE}/s-TOPSECRET")
    assert "TOPSECRET" not in str(raised.value)
    with pytest.raises(UnexpectedReply) as unexpected:
        read_location("https://x/tracks/5?secret_token=s-TOPSECRET", api_base=API, seed_url=PAGE)
    assert "TOPSECRET" not in str(unexpected.value) + unexpected.value.reply
    assert "s-TOP" not in repr(Resource(TRACK, 5, "s-TOPSECRET"))
