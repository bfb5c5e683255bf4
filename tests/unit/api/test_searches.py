"""Searches: one spelling of each, what the service is asked, and what is refused."""

from __future__ import annotations

import pytest

from harvest.api.searches import MOST, read_search, search, search_of_page
from harvest.api.seed_urls import normalise_seed
from harvest.errors import SeedError
from harvest.lists import KINDS


@pytest.mark.parametrize(
    ("what", "wanted", "address", "parameters"),
    [
        ("tracks", {"q": "  velvet   drift "}, "search:tracks?q=velvet+drift", [("q", "velvet drift")]),
        ("users", {"q": "Björk & co"}, "search:users?q=Bj%C3%B6rk+%26+co", [("q", "Björk & co")]),
        ("playlists", {"q": "a/b?c#d"}, "search:playlists?q=a%2Fb%3Fc%23d", [("q", "a/b?c#d")]),
        (
            "tracks",
            {"tags": "dub, dub ,late  night", "q": "x", "genres": "Techno"},
            "search:tracks?genres=Techno&q=x&tags=dub,late+night",
            [("genres", "Techno"), ("q", "x"), ("tags", "dub,late night")],
        ),
        (
            "tracks",
            {"bpm": "0120:128"},
            "search:tracks?bpm=120:128",
            [("bpm[from]", "120"), ("bpm[to]", "128")],
        ),
        ("tracks", {"bpm": " 120 : "}, "search:tracks?bpm=120:", [("bpm[from]", "120")]),
        (
            "tracks",
            {"bpm": "120"},
            "search:tracks?bpm=120:120",
            [("bpm[from]", "120"), ("bpm[to]", "120")],
        ),
        (
            "tracks",
            {"duration": "3m:1h"},
            "search:tracks?duration=180s:3600s",
            [("duration[from]", "180000"), ("duration[to]", "3600000")],
        ),
        ("tracks", {"duration": ":90s"}, "search:tracks?duration=:90s", [("duration[to]", "90000")]),
        (
            "tracks",
            {"created": "2026-11-01:2026-11-30"},
            "search:tracks?created=2026-11-01:2026-11-30",
            [("created_at[from]", "2026-11-01 00:00:00"), ("created_at[to]", "2026-11-30 23:59:59")],
        ),
        ("tracks", {"q": "x", "bpm": "", "tags": " , "}, "search:tracks?q=x", [("q", "x")]),
    ],
)
def test_a_search_has_one_spelling_and_is_asked_by_it(what, wanted, address, parameters):
    found = search(what, wanted)
    assert (found.address, list(found.parameters)) == (address, parameters)
    assert read_search(address) == found
    assert normalise_seed(f" {address} ").url == address


def test_spellings_of_one_search_are_one():
    one, other = "search:tracks?q=velvet%20drift&bpm=120:128", "search:tracks?bpm=0120:128&q=velvet++drift"
    assert read_search(one) == read_search(other)
    assert read_search(one).id == read_search(other).id < 2**52
    assert read_search(one).id != read_search("search:users?q=velvet+drift").id


@pytest.mark.parametrize(
    ("what", "wanted", "why"),
    [
        ("tracks", {}, "needs words, or a filter"),
        ("users", {"q": "  "}, "needs words."),
        ("stations", {"q": "x"}, "cannot be searched"),
        ("users", {"q": "x", "bpm": "1:2"}, "users are found by their words alone"),
        ("tracks", {"speed": "1:2"}, "There is no filter 'speed'"),
        ("tracks", {"bpm": "fast"}, "write it like 120:128"),
        ("tracks", {"bpm": ":"}, "write it like 120:128"),
        ("tracks", {"bpm": "1:2:3"}, "write it like 120:128"),
        ("tracks", {"bpm": "٣:4"}, "write it like 120:128"),
        ("tracks", {"bpm": "128:120"}, "ends before it begins"),
        ("tracks", {"duration": "3:10"}, "write it like 3m:10m"),
        ("tracks", {"duration": "2h:90m"}, "ends before it begins"),
        ("tracks", {"created": "2026-02-30:"}, "write it like 2026-11-01"),
        ("tracks", {"created": "yesterday:"}, "write it like 2026-11-01"),
        ("tracks", {"q": "a\x1bb"}, "cannot be seen"),
        ("tracks", {"q": "x" * 501}, "more than 500 characters"),
    ],
)
def test_what_cannot_be_searched_for_is_refused_in_one_line(what, wanted, why):
    with pytest.raises(SeedError) as refused:
        search(what, wanted)
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("address", ["search:", "search:tracks", "search:tracks?", "search:tracks?q=a&q=b"])
def test_what_is_no_search_is_refused_with_an_example(address):
    with pytest.raises(SeedError, match=r"search:tracks\?q=velvet\+drift"):
        normalise_seed(address)


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("https://soundcloud.com/search?q=velvet%20drift", "search:tracks?q=velvet+drift"),
        ("soundcloud.com/search/sounds?q=velvet", "search:tracks?q=velvet"),
        ("https://m.soundcloud.com/search/people?q=dj", "search:users?q=dj"),
        ("https://soundcloud.com/search/sets?q=dub", "search:playlists?q=dub"),
    ],
)
def test_a_search_page_of_the_site_is_that_search(page, address):
    assert normalise_seed(page).url == address
    segments = (
        ["search"] if address.startswith("search:tracks") else ["search", page.split("/search/")[1].split("?")[0]]
    )
    assert search_of_page(segments, {"q": "x"}).page.startswith("https://soundcloud.com/search/")


@pytest.mark.parametrize("page", ["search", "search?q=", "search/everything?q=x", "search?q=x&filter.duration=long"])
def test_a_page_that_says_more_than_words_is_no_seed(page):
    with pytest.raises(SeedError, match="page of the site"):
        normalise_seed(f"https://soundcloud.com/{page}")


def test_a_default_cap_is_what_the_service_can_show():
    assert all(kind.cap <= MOST for kind in KINDS.values() if kind.searches)
