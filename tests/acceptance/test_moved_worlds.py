"""A crawl of a world that has moved holds exactly what the service has at that moment."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from harvest.api.searches import search
from harvest.lists import BY_NAME
from harvest.models import Limits
from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Drift, Server, World, run_in_thread
from harvest.simulator.server.connection import Sending
from harvest.simulator.service.replies import SimRequest
from tests.acceptance.conftest import Started
from tests.crawling import assert_exact, assert_sound, crawl_into, crawl_world, read
from tests.repetitions import slow_but
from tests.waiting import PATIENCE, read_until, until

BUSY = Drift.parse(
    "come=0.03,go=0.02,people_go=0.02,tracks_go=0.02,playlists_go=0.02,away_days=4,uploads=0.02,renames=0.02,edits=0.1"
)
ODD = {"null_entries": 0.05, "gone": 0.04, "forbidden": 0.03, "private": 0.05, "hidden_stats": 0.1}
TOWN = World(12, users=70, tracks=160, playlists=40, likes_per_user=9, follows_per_user=6, drift=BUSY, **ODD).at(11)
PAGE = 7
SMALL = Limits(max_users=5, max_user_likes=8, max_tracks=3, read=tuple(BY_NAME))


def hit_of(world: World) -> tuple[str, int]:
    return "track_likers", world.seed_ids(1)[0]


def served_likers(process: Started, world: World) -> Callable[[], tuple[int, ...]]:
    """Return a function that asks a simulator which has just begun for the likers of the hit."""
    url = re.search(r"SOUNDCLOUD_API_URL=(\S+)", read_until(process.stdout, "SOUNDCLOUD_API_URL"))[1]
    grant = httpx.post(
        f"{url}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET),
    ).json()

    def likers() -> tuple[int, ...]:
        page = httpx.get(
            f"{url}/tracks/{hit_of(world)[1]}/favoriters?limit=200",
            headers={"Authorization": f"OAuth {grant['access_token']}"},
        )
        assert page.headers["x-harvest-world"] == world.name
        return tuple(int(user["urn"].rpartition(":")[2]) for user in page.json())

    return likers


def most_of(kind: str, thing: str, n: int = 1) -> list[int]:
    """The things with the longest lists of a kind."""
    there = [index for index in range(TOWN.facts.ids[thing].count) if not TOWN.facts.away(thing, index)]
    return sorted((TOWN.id(thing, i) for i in there), key=lambda one: (-len(TOWN.listing(kind, one)), one))[:n]


NEW = [i for i in range(TOWN.options.tracks, TOWN.facts.ids["track"].count) if not TOWN.facts.hidden(i)]
SEEDS = {
    "the hit": TOWN.seed_url(),
    "a new track": TOWN.track_url(
        max((TOWN.id("track", i) for i in NEW), key=lambda one: len(TOWN.listing("track_likers", one)))
    ),
    "a person": TOWN.user_url(most_of("user_tracks", "user")[0]),
    "somebody with stations": TOWN.user_url(most_of("user_station_likes", "user")[0]),
    "a playlist": TOWN.playlist_url(most_of("playlist_tracks", "playlist")[0]),
    "a station": TOWN.station_url("user", most_of("user_tracks", "user")[0]),
    "a search": search("tracks", {"q": "a"}).address,
    "a URN": f"soundcloud:tracks:{most_of('track_likers', 'track', 3)[-1]}",
}


@pytest.mark.first_case
@pytest.mark.parametrize("depth", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("seed", slow_but([*SEEDS.values()][::3], SEEDS.values()))
def test_a_crawl_of_a_moved_world_equals_its_truth(tmp_path, seed, depth):
    limits = replace(SMALL, depth=depth)
    crawl_world(tmp_path / "t.db", TOWN, [seed], limits, page_size=PAGE)
    assert_exact(tmp_path / "t.db", TOWN, [seed], limits, page_size=PAGE)
    assert read(tmp_path / "t.db", "SELECT count(*) > 10 FROM tasks WHERE outcome IS NOT NULL") == [(1,)]


@pytest.mark.parametrize(
    "gone",
    [
        f"soundcloud:users:{TOWN.id('user', next(i for i in range(70) if TOWN.facts.away('user', i)))}",
        TOWN.playlist_url(TOWN.id("playlist", next(i for i in range(40) if TOWN.facts.away("playlist", i)))),
        TOWN.facts.url("track", next(i for i in range(160) if TOWN.facts.away("track", i))),
    ],
    ids=["person", "playlist", "track"],
)
def test_what_is_away_is_no_seed(run, tmp_path, gone):
    with run_in_thread(TOWN) as server:
        assert run(gone, "--db", str(tmp_path / "t.db"), server=server).returncode == 2


def test_faults_strike_a_moved_world_too_and_leave_no_trace(tmp_path):
    faults = "error_503_text=0.05,reset_before_headers=0.05,error_500_html=0.05"
    server = crawl_world(tmp_path / "t.db", TOWN, limits=SMALL, page_size=PAGE, server_options={"faults": faults})
    assert len(server.plan.fired) == 3
    assert_exact(tmp_path / "t.db", TOWN, limits=SMALL, page_size=PAGE)


class Restless(Server):
    """Moves on by a tenth of a day with each request."""

    def _answer(self, request: SimRequest, target: str) -> Sending:
        self.move(self.total / 10)
        return super()._answer(request, target)


def test_a_crawl_of_a_world_that_moves_meanwhile_ends_and_is_sound(run, tmp_path):
    async def crawl() -> tuple[str, float]:
        server = Restless(TOWN.at(0), gzip=False)
        await server.start()
        try:
            return await crawl_into(tmp_path / "t.db", server, limits=SMALL, page_size=PAGE), server.world.moment
        finally:
            await server.stop()

    ended, moment = asyncio.run(crawl())
    assert ended == "drained"
    assert moment > 5
    assert_sound(tmp_path / "t.db")
    assert run("verify", "--db", "t.db").returncode == 0


@pytest.mark.slow
def test_the_simulator_serves_a_later_day_and_lets_days_pass(start):
    size = ("--users", "60", "--tracks", "90", "--drift", "edges=0.2")
    world = World(1, 60, 90, likes_per_user=60.0, drift=Drift.edges(0.2))
    process = start("simulate", "--port", "0", *size, "--at", "5", "--day-lasts", "2000")
    likers = served_likers(process, world)
    assert likers() == world.at(5).listing(*hit_of(world)) != world.listing(*hit_of(world))
    process = start("simulate", "--port", "0", *size, "--at", "5", "--day-lasts", "1")
    likers = served_likers(process, world)
    seen = {likers()}
    until(lambda: seen.add(likers()) or len(seen) == 3)
    assert seen <= {world.at(5 + day).listing(*hit_of(world)) for day in range(int(PATIENCE))}


@pytest.mark.slow
@pytest.mark.parametrize("number", range(24))
def test_any_world_at_any_moment_equals_its_truth(tmp_path, number):
    world = World(
        number,
        users=(12, 40, 90)[number % 3],
        tracks=(20, 80, 200)[number // 3 % 3],
        likes_per_user=8,
        follows_per_user=4,
        drift=BUSY if number % 4 else Drift(),
        **{name: share * (number % 5) for name, share in ODD.items()},
    ).at((0.3, 4, 25, 90)[number % 4])
    limits = replace(SMALL, depth=1 + number % 2, read=tuple(BY_NAME)[number % 4 :: 1 + number % 3])
    crawl_world(tmp_path / "t.db", world, limits=limits, page_size=PAGE)
    assert_exact(tmp_path / "t.db", world, limits=limits, page_size=PAGE)
