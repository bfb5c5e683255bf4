"""A file holds one service: the real one, or one simulated world, on whatever port it is."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from harvest.errors import StoreError
from harvest.models import Limits
from harvest.simulator import World, run_in_thread
from tests.crawling import crawl_into, crawl_world, read

SIZE = {"users": 40, "tracks": 120, "seed_likers": 8, "seed_reposters": 2}
ONE, OTHER = World(3, **SIZE), World(4, **SIZE)
EVERYTHING = [
    "SELECT * FROM users ORDER BY id",
    "SELECT * FROM tracks ORDER BY id",
    "SELECT * FROM user_engagements ORDER BY user_id, track_id, engagement_type",
    "SELECT id, task_id, fetched_at FROM pages ORDER BY id",
    "SELECT count(*) FROM failures",
]


def nameless() -> World:
    """Return the first world, served without a name, as the real service is."""
    world = World(3, **SIZE)
    world.name = ""
    return world


def test_a_name_is_that_of_the_people_and_deeds_whatever_the_time():
    others = [World(4, **SIZE), World(3, **{**SIZE, "users": 41}), World(3, **SIZE, likes_per_user=29.0)]
    assert len({world.name for world in (ONE, *others)}) == 4
    assert World(3, **SIZE).name == World(3, **SIZE, cache=99).name == World(3, **SIZE, now_ms=1).name == ONE.name


def test_every_reply_names_its_world_whatever_goes_wrong():

    with run_in_thread(ONE, faults="blocked_html@2,error_503_html@3") as server:
        replies = [httpx.get(f"{server.url}/tracks") for _ in range(4)]
    assert {reply.headers["x-harvest-world"] for reply in replies} == {ONE.name}


def test_another_world_is_refused_before_anything_is_stored(run, tmp_path):
    path = tmp_path / "t.db"
    crawl_world(path, ONE, limits=Limits(max_users=2))
    before = [read(path, sql) for sql in EVERYTHING]
    with run_in_thread(OTHER) as server:
        mixed = run(OTHER.seed_url(), "--db", "t.db", server=server)
    assert mixed.returncode == 4
    assert [read(path, sql) for sql in EVERYTHING] == before
    told = [line for line in mixed.stderr.splitlines() if "one file holds one service" in line]
    assert len(told) == 1
    assert ONE.name in told[0]
    assert OTHER.name in told[0]
    assert read(path, "SELECT world FROM runs ORDER BY id") == [(ONE.name,), (None,)]


def test_the_same_world_goes_on_at_another_port(run, tmp_path):
    crawl_world(tmp_path / "t.db", ONE, limits=Limits(max_users=2))
    with run_in_thread(World(3, **SIZE)) as server:
        assert run(ONE.seed_url(), "--db", "t.db", "--max-users", "3", server=server).returncode == 0
    assert read(tmp_path / "t.db", "SELECT world, count(DISTINCT api_url) FROM runs GROUP BY 1") == [(ONE.name, 2)]


@pytest.mark.parametrize(("first", "second"), [(ONE, nameless()), (nameless(), ONE)])
def test_a_service_without_a_name_and_a_world_do_not_mix(tmp_path, first, second):
    path = tmp_path / "t.db"
    crawl_world(path, first, limits=Limits(max_users=2))
    before = [read(path, sql) for sql in EVERYTHING]
    with run_in_thread(second) as server, pytest.raises(StoreError, match="one file holds one service"):
        asyncio.run(crawl_into(path, server, limits=Limits(max_users=3)))
    assert [read(path, sql) for sql in EVERYTHING] == before


def test_a_world_that_changes_in_the_middle_of_a_crawl_ends_it(tmp_path):
    """As when somebody restarts the simulator with another seed at the same port."""
    path, world = tmp_path / "t.db", World(3, **SIZE)

    def after_four(request) -> float:
        server.service.name = ONE.name if server.total < 4 else OTHER.name
        return 0.0

    expected = pytest.raises(StoreError, match="one file holds one service")
    with run_in_thread(world, latency=after_four) as server, expected:
        asyncio.run(crawl_into(path, server, limits=Limits(max_users=3), max_in_flight=1))
    assert read(path, "SELECT world, stop_reason FROM runs") == [(ONE.name, "StoreError")]
    assert read(path, "SELECT count(*) BETWEEN 1 AND 3 FROM pages") == [(1,)]
