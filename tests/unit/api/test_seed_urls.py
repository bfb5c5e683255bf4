"""What a person may type as a seed, and what is refused in one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvest.api.seed_urls import Seed, normalise_seed, public_address
from harvest.errors import SeedError

PLAIN = "https://soundcloud.com/forss/flickermood"


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
        ("https://soundcloud.com/forss/likes", "list on a profile"),
        ("https://soundcloud.com/forss/reposts", "list on a profile"),
        ("https://soundcloud.com/forss/tracks", "list on a profile"),
        ("https://soundcloud.com/forss/Popular-Tracks", "list on a profile"),
        ("https://soundcloud.com/forss/sets", "list on a profile; give a playlist's page"),
        ("https://soundcloud.com/forss/sets/soulhack/more", "below a playlist"),
        ("https://soundcloud.com/forss/flickermood/recommended", f"below a track; give {PLAIN}"),
        ("https://soundcloud.com/you/likes", "page of the site"),
        ("https://soundcloud.com/discover", "page of the site"),
        ("https://soundcloud.com/discover/sets/weekly", "page of the site"),
        ("https://soundcloud.com/search?q=x", "page of the site"),
        ("https://soundcloud.com/charts/top", "page of the site"),
        ("https://example.org/forss/flickermood", "not on soundcloud.com"),
        ("https://soundcloud.com.evil.org/forss/flickermood", "not on soundcloud.com"),
        ("https://api.soundcloud.com/tracks/1", "address of the API"),
        ("https://api-v2.soundcloud.com/tracks/1", "address of the API"),
        ("https://on.soundcloud.com/", "short link"),
        ("https://on.soundcloud.com/a/b", "short link"),
        ("https://soundcloud.app.goo.gl/abc", "not on soundcloud.com"),
        ("https://me:pw@soundcloud.com/a/b", "login or a port"),
        ("https://soundcloud.com:444/a/b", "login or a port"),
        ("https://soundcloud.com:x/a/b", "not an address"),
        ("https://[soundcloud.com/a/b", "not an address"),
        ("ftp://soundcloud.com/a/b", "not a web address"),
        ("soundcloud:tracks:123", "not a web address"),
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
    assert refusal or normalise_seed(seed.url) == seed
