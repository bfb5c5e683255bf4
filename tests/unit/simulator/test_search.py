from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

import pytest

from harvest.simulator import World
from harvest.simulator.oracle import search
from harvest.simulator.service.replies import SimRequest

ALL = "access=playable,preview,blocked&linked_partitioning=true"
Y2020, Y2022 = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1000 for year in (2020, 2022))


def ids(page) -> list[int]:
    return [int(entry["urn"].rpartition(":")[2]) for entry in page["collection"] if entry is not None]


def found(caller, target: str) -> list[int]:
    """Follow a search to its end, or to its first empty page."""
    everything: list[int] = []
    while target:
        page = caller.json(target)
        everything += ids(page)
        parts = urlsplit((page["collection"] and page.get("next_href")) or "")
        target = f"{parts.path}?{parts.query}" if parts.path else ""
    return everything


def every_track(caller) -> dict[int, dict]:
    """Return all public tracks as they answer on their own, by id."""
    world = caller.world
    shown = [world.id("track", index) for index in range(world.options.tracks) if not world.facts.private(index)]
    return {track: caller.json(f"/tracks/{track}") for track in shown}


def moment(text: str) -> int:
    return int(datetime.strptime(text, "%Y/%m/%d %H:%M:%S %z").timestamp()) * 1000


SEARCHES = {
    "one word": ({"q": "NOVA"}, lambda t: "nova" in heading(t)),
    "two words": ({"q": "drift paper"}, lambda t: "drift" in heading(t) and "paper" in heading(t)),
    "genres": ({"genres": "techno,Hip hop"}, lambda t: (t["genre"] or "").lower() in ("techno", "hip hop")),
    "tags": ({"tags": "deep house"}, lambda t: "deep house" in t["tag_list"].lower()),
    "bpm": ({"bpm[from]": 93, "bpm[to]": 140}, lambda t: t["bpm"] is not None and 93 <= t["bpm"] <= 140),
    "bpm from": ({"bpm[from]": 140}, lambda t: t["bpm"] is not None and t["bpm"] >= 140),
    "duration": ({"duration[from]": 60_000, "duration[to]": 90_000}, lambda t: 60_000 <= t["duration"] <= 90_000),
    "created": (
        {"created_at[from]": "2020-01-01 00:00:00", "created_at[to]": "2022-01-01 00:00:00"},
        lambda t: Y2020 <= moment(t["created_at"]) <= Y2022,
    ),
    "all at once": (
        {"q": "a", "genres": "House,Pop,Trap", "duration[to]": 400_000, "created_at[from]": "2020-01-01 00:00:00"},
        lambda t: (
            "a" in heading(t)
            and t["genre"] in ("House", "Pop", "Trap")
            and t["duration"] <= 400_000
            and moment(t["created_at"]) >= Y2020
        ),
    ),
    "nothing": ({"q": "no such words anywhere"}, lambda t: False),
}


def heading(track: dict) -> str:
    return f"{track['title'] or ''} {(track['user'] or {}).get('username', '')}".lower()


@pytest.fixture(scope="module")
def plain(call):
    """A world whose titles are plain, so that lower case is all there is to fold."""
    return call(World(6, 300, 600, quirks=False, private=0.05, blocked=0.2, gone=0.05, null_users=0.05))


@pytest.fixture(scope="module")
def tracks(plain):
    return every_track(plain)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_finds_what_its_filters_say_and_nothing_else(plain, tracks, name):
    query, fits = SEARCHES[name]
    expected = {track for track, said in tracks.items() if fits(said)}
    listed = found(plain, f"/tracks?{urlencode(query)}&limit=7&{ALL}")
    assert len(listed) == len(set(listed))
    assert set(listed) == expected
    assert bool(expected) == (name != "nothing")


def test_the_truth_of_a_search_is_what_its_pages_say(call):
    caller = call(World(3, 200, 700, null_entries=0.2, gone=0.1, private=0.1))
    world = caller.world
    for what, target, filters in (
        ("tracks", "/tracks?q=a&genres=House,Techno", {"q": "a", "genres": "House,Techno"}),
        ("tracks", "/tracks?bpm[from]=100&bpm[to]=150", {"bpm": (100, 150)}),
        ("tracks", "/tracks?created_at[from]=2020-01-01+00:00:00", {"created_at": (Y2020, None)}),
        ("tracks", "/tracks?duration[to]=90000&tags=techno,dnb", {"duration": (None, 90_000), "tags": "techno,dnb"}),
        ("users", "/users?q=nova", {"q": "nova"}),
        ("playlists", "/playlists?q=garden", {"q": "garden"}),
    ):
        truth = search(world, what, **filters)
        assert tuple(found(caller, f"{target}&limit=9&{ALL}")) == truth
        assert truth, target
    with pytest.raises(KeyError):
        search(world, "comments")


def test_people_and_playlists_are_found_by_name_and_never_the_gone(plain):
    world, objects = plain.world, plain.service.objects
    people = {
        world.id("user", index)
        for index in range(300)
        if "drift" in objects.user(index)["username"].lower() and not world.facts.gone(index)
    }
    assert set(found(plain, f"/users?q=Drift&limit=2&{ALL}")) == people
    assert len(people) > 2
    lists = [objects.playlist(index) for index in range(world.options.playlist_count)]
    named = {entry["urn"] for entry in lists if "nova" in f"{entry['title']} {entry['user']['username']}".lower()}
    assert {f"soundcloud:playlists:{number}" for number in found(plain, f"/playlists?q=nova&{ALL}")} == named
    assert named


def test_null_entries_take_a_place_in_a_search(call):
    caller = call(World(3, 200, 700, null_entries=0.2))
    first = caller.json(f"/tracks?limit=50&{ALL}")["collection"]
    assert len(first) == 50
    assert None in first


def test_the_access_filter_works_after_the_cut(plain):
    shown = plain.json("/tracks?limit=50&linked_partitioning=true")["collection"]
    assert 0 < len(shown) < 50
    assert {track["access"] for track in shown} <= {"playable", "preview", None}


def test_a_search_ends_at_a_thousand_but_never_says_so(call):
    caller = call(World(3, 2000, 1500))
    beyond = caller.json(f"/users?limit=200&offset=1000&{ALL}")
    assert beyond["collection"] == []
    assert "offset=1200" in beyond["next_href"]
    assert len(found(caller, f"/users?limit=200&{ALL}")) == 1000 == len(search(caller.world, "users"))


def test_some_shorter_searches_go_on_for_ever_too_but_not_without_quirks(call):
    odd, plain = (call(World(3, 200, 400, quirks=quirks)) for quirks in (True, False))
    words = [f"/tracks?q={letter}&limit=200&offset=400&{ALL}" for letter in "abcdefgh"]
    assert {bool(odd.json(target).get("next_href")) for target in words} == {True, False}
    assert not any(plain.json(target).get("next_href") for target in words)


def test_pages_keep_every_filter(plain):
    target = "/tracks?q=a&genres=House,Pop&tags=techno,dnb&duration[to]=600000&created_at[from]=2018-01-01+00:00:00"
    page = plain.json(f"{target}&limit=1&{ALL}")
    assert SimRequest.of("GET", target).query.items() <= SimRequest.of("GET", page["next_href"]).query.items()


@pytest.mark.parametrize(
    "query",
    ["bpm[from]=fast", "duration[to]=-1", "created_at[from]=2020-01-01", "created_at[to]=2020/01/01 00:00:00 +0000"],
)
def test_bad_filters_are_refused(plain, query):
    assert plain.get(f"/tracks?{query}").status == 400
