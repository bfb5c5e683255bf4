"""What a person may type as a seed, and what is refused in one line."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest.api.seed_urls import Seed, normalise_seed, public_address
from harvest.errors import SeedError

PLAIN = "https://soundcloud.com/forss/flickermood"
STATIONS = "https://soundcloud.com/discover/sets"


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "http://soundcloud.com/forss/flickermood",
        "soundcloud.com/forss/flickermood",
        "www.soundcloud.com/forss/flickermood",
        "https://m.soundcloud.com/forss/flickermood",
        "HTTPS://SoundCloud.COM/forss/flickermood",
        "//soundcloud.com/forss/flickermood",
        "forss/flickermood",
        "forss/flickermood/?si=x",
        "  https://soundcloud.com/forss/flickermood/  ",
        "https://soundcloud.com/forss//flickermood",
        "https://soundcloud.com/forss/flickermood?si=abc&utm_source=clipboard&in=a/sets/b",
        "https://soundcloud.com/forss/flickermood#t=1:30",
        "https://soundcloud.com/forss/flicker%6Dood",
    ],
)
def test_one_track_has_one_spelling(text):
    assert normalise_seed(text) == Seed(PLAIN, "track")


def test_the_secret_of_a_private_link_is_kept():
    seed = normalise_seed("https://soundcloud.com/forss/demo/s-AbC123?si=x")
    assert (seed.url, seed.kind, seed.secret) == ("https://soundcloud.com/forss/demo/s-AbC123", "track", "s-AbC123")
    assert normalise_seed("forss/demo/s-AbC123") == seed
    assert "s-AbC123'" not in repr(seed).replace(seed.url, "")


def test_a_short_link_is_kept_for_the_service_to_resolve():
    assert normalise_seed("http://on.soundcloud.com/Ab9Z?x=1") == Seed("https://on.soundcloud.com/Ab9Z", "unknown")
    assert normalise_seed("on.soundcloud.com/Ab9Z/") == Seed("https://on.soundcloud.com/Ab9Z", "unknown")


def test_the_case_of_the_path_is_kept():
    assert normalise_seed("soundcloud.com/Forss/FlickerMood").url == "https://soundcloud.com/Forss/FlickerMood"


@pytest.mark.parametrize(
    ("text", "url", "kind"),
    [
        ("soundcloud:tracks:123", "soundcloud:tracks:123", "track"),
        (" soundcloud:users:5 ", "soundcloud:users:5", "user"),
        ("soundcloud%3Aplaylists%3A7", None, None),
        ("soundcloud:system-playlists:track-stations:5", "soundcloud:system-playlists:track-stations:5", "station"),
        ("soundcloud.com/discover/sets/track-stations:5?utm_source=x", f"{STATIONS}/track-stations:5", "station"),
        ("https://soundcloud.com/discover/sets/weekly::forss", f"{STATIONS}/weekly::forss", "station"),
        (
            "https://api.soundcloud.com/system-playlists/soundcloud%3Asystem-playlists%3Atrack-stations%3A5",
            "soundcloud:system-playlists:track-stations:5",
            "station",
        ),
        ("https://api.soundcloud.com/tracks/123", "soundcloud:tracks:123", "track"),
        ("api.soundcloud.com/tracks/soundcloud%3Atracks%3A123?access=playable", "soundcloud:tracks:123", "track"),
        ("https://api-v2.soundcloud.com/playlists/7", "soundcloud:playlists:7", "playlist"),
        ("https://api.soundcloud.com/users/soundcloud:users:5", "soundcloud:users:5", "user"),
        (
            "https://w.soundcloud.com/player/?url=https%3A//api.soundcloud.com/tracks/123&color=%23ff5500",
            "soundcloud:tracks:123",
            "track",
        ),
        ("https://w.soundcloud.com/player/?url=https%3A//soundcloud.com/forss/flickermood", PLAIN, "track"),
    ],
)
def test_a_urn_an_api_address_and_a_player_name_a_thing(text, url, kind):
    if url is None:
        with pytest.raises(SeedError):
            normalise_seed(text)
        return
    assert normalise_seed(text) == Seed(url, kind)


@pytest.mark.parametrize(
    ("text", "url", "reads"),
    [
        ("https://soundcloud.com/forss/likes", "https://soundcloud.com/forss", ("likes",)),
        ("forss/Tracks/?si=1", "https://soundcloud.com/forss", ("uploads",)),
        ("m.soundcloud.com/forss/reposts", "https://soundcloud.com/forss", ("reposts",)),
        ("forss/sets", "https://soundcloud.com/forss", ("playlists",)),
        ("forss/albums", "https://soundcloud.com/forss", ("playlists",)),
        ("forss/followers", "https://soundcloud.com/forss", ("followers",)),
        ("forss/following", "https://soundcloud.com/forss", ("followings",)),
        ("https://api.soundcloud.com/users/5/likes/tracks", "soundcloud:users:5", ("likes",)),
        ("https://api.soundcloud.com/users/soundcloud:users:5/followings", "soundcloud:users:5", ("followings",)),
        ("https://soundcloud.com/you/likes", "me", ("likes",)),
        ("https://api.soundcloud.com/me/reposts/tracks", "me", ("reposts",)),
    ],
)
def test_the_page_of_a_list_is_the_person_with_that_list(text, url, reads):
    assert normalise_seed(text) == Seed(url, "user", reads=reads)


def test_me_is_whoever_is_signed_in_with_what_is_theirs():
    seed = normalise_seed(" me ")
    assert (seed.url, seed.kind) == ("me", "user")
    assert normalise_seed("https://soundcloud.com/you/history").reads == ("recently-played",)
    assert normalise_seed("https://api.soundcloud.com/me/recently-played/tracks").reads == ("recently-played",)
    assert set(seed.reads) == {"uploads", "likes", "reposts", "playlists", "followings", "recently-played"}


def test_a_secret_token_is_the_secret_of_the_page():
    assert normalise_seed(f"{PLAIN}?secret_token=s-AbC123") == normalise_seed(f"{PLAIN}/s-AbC123")
    assert normalise_seed(f"{PLAIN}/s-AbC123?secret_token=s-AbC123") == normalise_seed(f"{PLAIN}/s-AbC123")


@pytest.mark.parametrize(
    ("text", "url", "kind", "secret"),
    [
        ("https://soundcloud.com/forss", "https://soundcloud.com/forss", "user", None),
        ("m.soundcloud.com/Forss/?si=1", "https://soundcloud.com/Forss", "user", None),
        ("forss/sets/soulhack", "https://soundcloud.com/forss/sets/soulhack", "playlist", None),
        ("forss/sets/soulhack/s-AbC", "https://soundcloud.com/forss/sets/soulhack/s-AbC", "playlist", "s-AbC"),
    ],
)
def test_people_and_playlists_are_seeds(text, url, kind, secret):
    assert normalise_seed(text) == Seed(url, kind, secret)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://soundcloud.com/a/b/s-Secret", "https://soundcloud.com/a/b/s-…"),
        ("https://soundcloud.com/a/sets/b/s-Secret", "https://soundcloud.com/a/sets/b/s-…"),
        ("https://soundcloud.com/a/s-track", "https://soundcloud.com/a/s-track"),
        ("https://soundcloud.com/a/sets/s-list", "https://soundcloud.com/a/sets/s-list"),
    ],
)
def test_an_address_is_shown_without_its_secret(address, shown):
    assert public_address(address) == shown


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("https://soundcloud.com", "names nothing"),
        ("https://soundcloud.com/", "names nothing"),
        ("https://soundcloud.com/forss/Popular-Tracks", "list that the API does not show"),
        ("https://soundcloud.com/forss/sets/soulhack/more", "below a playlist"),
        ("https://soundcloud.com/forss/flickermood/recommended", f"below a track; give {PLAIN}"),
        ("https://soundcloud.com/discover", "page of the site"),
        ("https://soundcloud.com/search?q=", "page of the site"),
        ("https://soundcloud.com/charts/top", "page of the site"),
        ("https://example.org/forss/flickermood", "not on soundcloud.com"),
        ("https://soundcloud.com.evil.org/forss/flickermood", "not on soundcloud.com"),
        ("https://soundcloud.com/forss/comments", "give the profile itself, https://soundcloud.com/artist"),
        ("https://soundcloud.com/forss/likes/more", "list that the API does not show"),
        ("https://soundcloud.com/you", "page of the site"),
        ("https://soundcloud.com/you/insights", "page of the site"),
        ("soundcloud:tracks:x", "is no URN of"),
        ("soundcloud:tracks:0", "is no URN of"),
        ("soundcloud:comments:5", "is no URN of"),
        ("soundcloud:tracks:99999999999999999999", "is no URN of"),
        ("https://api.soundcloud.com/", "no address of the API for"),
        ("https://api.soundcloud.com/tracks", "no address of the API for"),
        ("https://api.soundcloud.com/tracks/soundcloud:users:5", "no address of the API for"),
        ("https://api.soundcloud.com/comments/5", "no address of the API for"),
        ("https://api.soundcloud.com/tracks/5?secret_token=s-AbC", "private; give its private link"),
        ("https://w.soundcloud.com/player/?auto_play=true", "not on soundcloud.com"),
        ("https://w.soundcloud.com/player/?url=https%3A//example.org/a", "not on soundcloud.com"),
        ("https://on.soundcloud.com/", "short link"),
        ("https://on.soundcloud.com/a/b", "short link"),
        ("https://soundcloud.app.goo.gl/abc", "not on soundcloud.com"),
        ("https://me:pw@soundcloud.com/a/b", "login or a port"),
        ("https://soundcloud.com:444/a/b", "login or a port"),
        ("https://soundcloud.com:x/a/b", "not an address"),
        ("https://[soundcloud.com/a/b", "not an address"),
        ("ftp://soundcloud.com/a/b", "not a web address"),
        ("hello", "not a web address"),
        ("a b/c d", "blanks"),
        ("https://soundcloud.com/a/b\n", None),
        ("https://soundcloud.com/a\x1b[2J/b", "cannot be seen"),
        ("a/b/c", "page below a track; give https://soundcloud.com/a/b"),
        ("https://soundcloud.com/a/b%0Ac", "characters"),
        ("https://soundcloud.com/../b", "characters"),
        ("https://soundcloud.com/ä/b", "characters"),
        ("https://soundcloud.com/" + "a" * 3000, "too long"),
    ],
)
def test_what_is_no_track_is_refused_in_one_line(text, word):
    if word is None:
        assert normalise_seed(text).kind == "track"
        return
    with pytest.raises(SeedError) as refused:
        normalise_seed(text)
    message = str(refused.value)
    assert word in message
    assert message.isprintable()
    assert len(message) < 400


slugs = st.from_regex(r"[a-z0-9][a-z0-9_-]{2,20}", fullmatch=True)


@given(
    artist=slugs,
    track=slugs,
    secret=st.none() | st.from_regex(r"s-[A-Za-z0-9]{5,11}", fullmatch=True),
    scheme=st.sampled_from(["", "http://", "https://", "HTTP://", "//"]),
    host=st.sampled_from(["soundcloud.com", "www.soundcloud.com", "m.soundcloud.com", "SoundCloud.com"]),
    tail=st.sampled_from(["", "/", "?si=1&utm_source=x", "/?in=a/sets/b#t=3", "#x"]),
)
def test_spellings_meet_and_normalising_again_changes_nothing(artist, track, secret, scheme, host, tail):
    path = "/".join(part for part in (artist, track, secret) if part)
    try:
        seed = normalise_seed(f"https://soundcloud.com/{path}")
    except SeedError:
        with pytest.raises(SeedError):
            normalise_seed(f"{scheme}{host}/{path}{tail}")
        return
    assert normalise_seed(f"{scheme}{host}/{path}{tail}") == seed
    assert normalise_seed(seed.url) == seed


@given(st.text(max_size=80))
def test_any_text_is_a_seed_or_refused(text):
    refusal = ""
    try:
        seed = normalise_seed(text)
    except SeedError as refused:
        refusal = str(refused)
    assert refusal.isprintable()
    again = seed if refusal == "" and seed.url == "me" else None if refusal else normalise_seed(seed.url)
    assert refusal or replace(again, reads=seed.reads) == seed
