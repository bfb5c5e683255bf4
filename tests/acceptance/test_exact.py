"""The file holds exactly the graph the service has."""

from __future__ import annotations

import random
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harvest.api.searches import search
from harvest.crawler.request import limits_of
from harvest.lists import BY_NAME
from harvest.models import ORDERS, Limits
from harvest.simulator import World
from harvest.simulator.oracle import seed_of
from tests.crawling import assert_exact, assert_union, crawl_sessions, crawl_world, read

EVERY = tuple(BY_NAME)
TOWN = World(12, users=70, tracks=160, playlists=40, likes_per_user=9, follows_per_user=6, null_entries=0.05, gone=0.04)
PAGE = 7


def most_of(kind: str, thing: str, n: int = 1) -> list[int]:
    """The things with the longest lists of a kind, as far as they are there."""
    size = {"user": TOWN.options.users, "track": TOWN.options.tracks, "playlist": TOWN.options.playlist_count}[thing]
    return sorted((TOWN.id(thing, i) for i in range(size)), key=lambda one: (-len(TOWN.listing(kind, one)), one))[:n]


TRACK, TRACK_2 = TOWN.seed_urls(2)
PERSON = TOWN.user_url(most_of("user_tracks", "user")[0])
LISTENER = TOWN.user_url(most_of("user_likes", "user", 12)[-1])  # likes tracks whose people also like the playlist's
PLAYLIST, PLAYLIST_2 = map(TOWN.playlist_url, most_of("playlist_tracks", "playlist", 2))
STATION = TOWN.station_url("user", most_of("user_tracks", "user")[0])
SMALL = Limits(max_users=5, max_user_likes=8, max_tracks=3)


def test_a_crawl_with_every_quirk_equals_the_truth(tmp_path):
    world = World(7, users=300, tracks=1500, likes_per_user=60, null_entries=0.03, gone=0.05, forbidden=0.03)
    crawl_world(tmp_path / "t.db", world, server_options={"gzip": True})
    assert_exact(tmp_path / "t.db", world)


def test_a_deeper_crawl_equals_the_truth(tmp_path):
    world = World(3, users=200, tracks=800, likes_per_user=25)
    limits = Limits(max_users=15, max_user_likes=40, max_tracks=4, depth=3)
    crawl_world(tmp_path / "t.db", world, limits=limits, page_size=20)
    assert_exact(tmp_path / "t.db", world, limits=limits, page_size=20)


def test_a_crawl_of_everything_without_a_bound_equals_the_truth(tmp_path):
    village = World(12, users=30, tracks=60, playlists=12, likes_per_user=9, follows_per_user=6)
    person = village.user_url(village.id("user", 3))
    limits = limits_of({"everything": True, "read": "all", "depth": 1}, Limits())
    crawl_world(tmp_path / "t.db", village, [person], limits)
    assert_exact(tmp_path / "t.db", village, [person], limits)
    assert read(tmp_path / "t.db", "SELECT count(*) FROM tasks WHERE outcome = 'capped'") == [(0,)]


FROM_ANYTHING = [
    (PERSON, {}),
    (PERSON, {"depth": 1}),
    (PERSON, {"depth": 2}),
    (PERSON, {"depth": 1, "via": ("uploads",)}),
    (PERSON, {"depth": 1, "via": ("uploads", "reposts", "likes"), "without": ("playlists",)}),
    (PERSON, {"depth": 1, "via": ("followings",)}),
    (PERSON, {"depth": 3, "via": ("followings",), "read": ("likes",), "max_users": 12}),
    (PERSON, {"depth": 2, "via": ("followers", "likes"), "max_users": 9}),
    (PERSON, {"depth": 2, "seed_read": ("followers", "liked-playlists"), "via": ("reposts",)}),
    (PERSON, {"seed_read": ("followers", "reposts"), "without": ("reposts", "uploads")}),
    (PLAYLIST, {}),
    (PLAYLIST, {"depth": 1}),
    (PLAYLIST, {"depth": 2, "read": ("comments", "likes", "reposters")}),
    (PERSON, {"read": ("playlist-tracks",), "max_playlists": 2}),
    (PERSON, {"read": ("liked-playlists", "playlists", "playlist-reposters", "likes"), "depth": 1}),
    (TRACK, {"read": ("likers", "playlists", "playlist-tracks"), "max_playlists": 1}),
    (STATION, {}),
    (STATION, {"depth": 1, "caps": (("station-tracks", 9),)}),
    (TRACK, {"read": EVERY}),
    (TRACK, {"read": EVERY, "depth": 2, "via": ("uploads",)}),
    (TRACK, {"read": EVERY, "depth": 0}),
    (TRACK, {"read": ("comments", "likes")}),
    (TRACK, {"read": EVERY, "caps": tuple((name, 2) for name in EVERY)}),
    (TRACK, {"read": EVERY, "caps": (("likes", 0), ("followers", 0), ("comments", 0), ("likers", 0))}),
    (TRACK, {"read": ("likers",), "via": (), "depth": 3}),
    (TRACK, {"via": ("uploads",), "read": ("likers",), "caps": (("uploads", 0),), "depth": 2}),
    ((TRACK, PERSON), {}),
    ((TRACK, TRACK_2), {"depth": 2}),
    ((PERSON, TRACK, PLAYLIST), {"depth": 2}),
    ((PLAYLIST, PLAYLIST_2), {"depth": 1}),
    ((PERSON, PLAYLIST), {"depth": 1, "via": ("uploads", "likes")}),
    ((LISTENER, PLAYLIST), {"depth": 1, "max_tracks": 12, "max_users": 4}),
]


@pytest.mark.parametrize(
    ("seeds", "limits", "order"),
    [
        pytest.param(*start, order, marks=[pytest.mark.slow] if row % 4 or (row // 4 + place) % len(ORDERS) else [])
        for row, start in enumerate(FROM_ANYTHING)
        for place, order in enumerate(ORDERS)
    ],
)
def test_a_harvest_from_anything_equals_the_truth(tmp_path, seeds, limits, order):
    limits = replace(SMALL, **{"order": order, "read": ("likers", "reposters", "comments", "likes"), **limits})
    crawl_world(tmp_path / "t.db", TOWN, [seeds], limits, page_size=PAGE)
    assert_exact(tmp_path / "t.db", TOWN, [seeds], limits, page_size=PAGE)


DRAWN = replace(SMALL, order="random", sample_seed=3)


@pytest.mark.parametrize(
    "sessions",
    [
        pytest.param([[(TRACK, DRAWN)], [(TRACK, replace(DRAWN, read=(*DRAWN.read, "reposts")))]], id="reposts later"),
        pytest.param(
            [[(TRACK, DRAWN)], [(TRACK, replace(DRAWN, sample_seed=4, read=(*DRAWN.read, "reposts")))]],
            id="another draw, reposts later",
        ),
        pytest.param(
            [[(TRACK, SMALL)], [(TRACK, replace(SMALL, depth=2, max_users=9))]], id="deeper", marks=pytest.mark.slow
        ),
        pytest.param(
            [[(TRACK, replace(SMALL, depth=3))], [(TRACK, replace(SMALL, read=EVERY))]],
            id="less deep",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            [[(PERSON, SMALL)], [(PERSON, replace(SMALL, depth=1, via=("uploads",)))]], id="go on from a person"
        ),
        pytest.param(
            [
                [(TRACK, replace(SMALL, read=EVERY, caps=tuple((name, cap) for name in EVERY)))]
                for cap in (1, 4, 2, 0, 30)
            ],
            id="caps up and down",
        ),
        pytest.param([[(TRACK, SMALL), (PERSON, replace(SMALL, depth=1))]], id="two together"),
        pytest.param(
            [
                [(TRACK, replace(SMALL, max_user_likes=2)), (TRACK_2, replace(SMALL, max_user_likes=6, max_listed=4))],
                [((TRACK, TRACK_2), replace(SMALL, depth=2, max_user_likes=4))],
                [(TRACK, replace(SMALL, max_user_likes=4, read=("comments",))), (PLAYLIST, replace(SMALL, depth=1))],
                [(TRACK_2, replace(SMALL, max_users=15)), ((PERSON, PLAYLIST), SMALL)],
            ],
            id="interleaved",
        ),
    ],
)
def test_a_file_of_many_harvests_is_their_union(tmp_path, sessions):
    crawl_sessions(tmp_path / "t.db", TOWN, *sessions, page_size=PAGE)
    assert_union(tmp_path / "t.db", TOWN, *sessions, page_size=PAGE)
    again = [[one] for one in last_words(sessions)]
    assert sum(crawl_sessions(tmp_path / "t.db", TOWN, *again, page_size=PAGE)) == 0


def last_words(sessions):
    """Each harvest with the options it was last crawled with."""
    return list({str(seeds): (seeds, limits) for together in sessions for seeds, limits in together}.values())


def test_people_drawn_once_are_read_on_and_nobody_else(tmp_path):
    path, more = tmp_path / "t.db", replace(DRAWN, read=(*DRAWN.read, "reposts"))
    crawl_sessions(path, TOWN, [(TRACK, DRAWN)], [(TRACK, more)], page_size=PAGE)
    of = "SELECT subject_id FROM tasks WHERE kind = ? ORDER BY 1"
    assert read(path, of, "user_reposts") == read(path, of, "user_likes")


def test_the_playlists_of_a_round_lead_to_so_many_tracks_together(tmp_path):
    limits = replace(SMALL, depth=1, max_tracks=2)
    crawl_world(tmp_path / "t.db", TOWN, [(PLAYLIST, PLAYLIST_2)], limits, page_size=PAGE)
    assert read(tmp_path / "t.db", "SELECT count(*) FROM visits WHERE thing = 'track'") == [(2,)]


def test_a_playlist_that_was_cut_goes_on_where_it_was_cut(tmp_path):
    sessions = [[(PLAYLIST, replace(SMALL, caps=(("playlist-tracks", cap),)))] for cap in (2, 4, 40)]
    crawl_sessions(tmp_path / "t.db", TOWN, *sessions, page_size=PAGE)
    assert_union(tmp_path / "t.db", TOWN, *sessions, page_size=PAGE)


def worlds_of(users: int, tracks: int, likes: int) -> st.SearchStrategy[World]:
    """Worlds of up to so many."""
    return st.builds(
        World,
        seed=st.integers(1, 10_000),
        users=st.integers(5, users),
        tracks=st.integers(5, tracks),
        likes_per_user=st.floats(1, likes),
        null_entries=st.sampled_from([0.0, 0.05, 0.3]),
        gone=st.sampled_from([0.0, 0.1]),
        forbidden=st.sampled_from([0.0, 0.05]),
        blocked=st.sampled_from([0.05, 0.5]),
        hidden_stats=st.sampled_from([0.0, 0.3]),
        numeric_ids=st.booleans(),
    )


def limits_to(users: int, likes: int, listed: int) -> st.SearchStrategy[Limits]:
    """Limits of up to so many, with which worlds of twice as many are sometimes cut and sometimes not."""
    return st.builds(
        Limits,
        max_users=st.integers(0, users),
        max_user_likes=st.integers(1, likes),
        max_listed=st.integers(1, listed),
        max_tracks=st.integers(1, 4),
        depth=st.integers(1, 3),
        order=st.sampled_from(ORDERS),
        sample_seed=st.integers(0, 3),
        control=st.sampled_from([0, 0, 2, 9]),
    )


worlds, limits_ = worlds_of(120, 400, 40), limits_to(80, 60, 100)
small_worlds, small_limits = worlds_of(50, 160, 15), limits_to(30, 22, 40)  # as cut or whole, for a third of the pages


@given(
    world=small_worlds,
    limits=small_limits,
    page_size=st.sampled_from([1, 3, 10, 50, 200]),
    in_flight=st.integers(1, 16),
)
@settings(max_examples=10, deadline=None)
def test_any_world_under_any_options_equals_its_truth(world, limits, page_size, in_flight):
    equals_its_truth(world, limits, page_size, in_flight)


@pytest.mark.slow
@given(world=worlds, limits=limits_, page_size=st.sampled_from([1, 7, 200]), in_flight=st.integers(1, 32))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_the_same_thirty_worlds_equal_their_truth(world, limits, page_size, in_flight):
    equals_its_truth(world, limits, page_size, in_flight)


@pytest.mark.soak
@given(world=worlds, limits=limits_, page_size=st.sampled_from([1, 7, 200]), in_flight=st.integers(1, 32))
@settings(max_examples=150, deadline=None)
@pytest.mark.timeout(3600)
def test_many_more_worlds_equal_their_truth(world, limits, page_size, in_flight):
    equals_its_truth(world, limits, page_size, in_flight)


def equals_its_truth(world, limits, page_size, in_flight):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.db"
        crawl_world(path, world, limits=limits, page_size=page_size, max_in_flight=in_flight)
        assert_exact(path, world, limits=limits, page_size=page_size)


def any_world(chance: random.Random) -> World:
    return World(
        chance.randrange(10_000),
        users=chance.choice([12, 40, 90]),
        tracks=chance.choice([20, 80, 200]),
        likes_per_user=chance.choice([3, 8, 15]),
        follows_per_user=chance.choice([2, 8]),
        **{odd: chance.choice([0.0, 0.1, 0.3]) for odd in ("null_entries", "gone", "forbidden", "private")},
        **{odd: chance.choice([0.01, 0.3]) for odd in ("hidden_stats", "null_users", "overclaimed")},
    )


def any_seeds(chance: random.Random, world: World) -> tuple[str, ...]:
    people = [i for i in range(world.options.users) if not world.facts.gone(i)]
    tracks, playlists = range(min(20, world.options.tracks)), range(world.options.playlist_count)
    stations = [i for i in tracks if world.facts.station(i)]
    pages = {
        "track": lambda: world.track_url(world.id("track", chance.choice(tracks))),
        "user": lambda: world.user_url(world.id("user", chance.choice(people))),
        "playlist": lambda: world.playlist_url(world.id("playlist", chance.choice(playlists))),
        "station": lambda: world.facts.url("station", chance.choice(stations)),
        "search": lambda: any_search(chance, world),
    }
    kinds = chance.choices([*pages, "track"], k=chance.choice([1, 1, 1, 2, 3]))
    return tuple(dict.fromkeys(pages[kind]() for kind in kinds))


def any_search(chance: random.Random, world: World) -> str:
    """A search by a word of some title or name, or for tracks by a filter."""
    what = chance.choice(["tracks", "tracks", "users", "playlists"])
    filters = {"bpm": chance.choice(["", "90:130", ":120"]), "created": chance.choice(["", "2015-01-01:2020-12-31"])}
    words = chance.choice(["", "a", "harbour", "signal", "velvet"])
    return search(what, {"q": words or "e", **(filters if what == "tracks" else {})}).address


def any_limits(chance: random.Random) -> Limits:
    """Any options. Playlists are never cut: see above what becomes of one that was."""

    def some(share: float) -> tuple[str, ...]:
        return tuple(name for name in EVERY if chance.random() < share)

    leading = ("likes", "reposts", "uploads", "followings", "followers")
    return Limits(
        max_users=chance.choice([0, 1, 3, 8, 20]),
        max_user_likes=chance.choice([1, 3, 10, 500]),
        max_listed=chance.choice([2, 7, 20_000]),
        max_tracks=chance.choice([0, 1, 2, 4]),
        max_playlists=chance.choice([0, 1, 2, 4]),
        depth=chance.choice([None, 0, 1, 1, 2, 2, 3]),
        order=chance.choice(ORDERS),
        sample_seed=chance.randrange(3),
        read=some(0.4),
        seed_read=chance.choice([None, None, some(0.5)]),
        without=chance.choice([(), some(0.2)]),
        via=tuple(chance.sample(leading, chance.choice([0, 1, 1, 1, 2, 3]))),
        caps=tuple((name, chance.choice([0, 1, 2, 5, 50])) for name in some(0.15)),
    )


def any_sessions(chance: random.Random, world: World) -> list[list[tuple[tuple[str, ...], Limits]]]:
    """One to three sessions of one or two harvests; some harvests come again with other options."""
    known = [any_seeds(chance, world) for _ in range(2)]
    sessions = []
    for _ in range(chance.choice([1, 1, 2, 3])):
        starts = [chance.choice([*known, any_seeds(chance, world)]) for _ in range(chance.choice([1, 1, 2]))]
        apart = {frozenset(seed_of(world, seed) for seed in seeds): seeds for seeds in starts}
        sessions.append([(seeds, any_limits(chance)) for seeds in apart.values()])
    return sessions


def assert_union_of_any_harvests(folder, number):
    chance = random.Random(number)
    world, page_size, path = any_world(chance), chance.choice([1, 3, 10, 200]), folder / f"{number}.db"
    sessions = any_sessions(chance, world)
    crawl_sessions(path, world, *sessions, page_size=page_size, max_in_flight=chance.choice([1, 5, 16]))
    assert_union(path, world, *sessions, page_size=page_size)


@pytest.mark.slow
@pytest.mark.parametrize("hundred", range(3))
@pytest.mark.timeout(3600)
def test_any_file_of_any_world_is_the_union_of_its_harvests(tmp_path, hundred):
    for number in range(100 * hundred, 100 * hundred + 100):
        assert_union_of_any_harvests(tmp_path, number)


@pytest.mark.soak
@pytest.mark.fresh
def test_any_file_of_any_new_world_assert_union_of_any_harvests(tmp_path, fresh_seed):
    for number in range(20):
        assert_union_of_any_harvests(tmp_path, 1000 * fresh_seed + number)
