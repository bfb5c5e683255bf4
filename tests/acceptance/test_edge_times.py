"""Every interval of `edge_times_estimate` holds the hidden time of its like, or is NULL."""

from __future__ import annotations

import asyncio
import random
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harvest.models import Limits
from harvest.simulator import World, serve
from harvest.simulator.faults.base import EFFECTS
from harvest.system.clock import SystemClock
from tests.crawling import crawl_into, read
from tests.repetitions import one_in

# The world stands still on 2026-11-01; a page fetched before that would bound likes of its future.
AFTER_ALL = datetime(2026, 11, 2, tzinfo=UTC)


class LateClock(SystemClock):
    """The real clock, on a day when all of the world has happened."""

    def now(self):
        return AFTER_ALL


def moment(text):
    return datetime.fromisoformat(text) if text else None


def crawl_twice(path, world, first, then, *, page_sizes=(200, 200), faults=""):
    async def both():
        async with serve(world, gzip=False, faults=faults) as server:
            for limits, size in zip((first, then), page_sizes, strict=True):
                await crawl_into(path, server, limits=limits, page_size=size, clock=LateClock())

    asyncio.run(both())


def wrong(path, world):
    """The intervals that do not hold the truth, and how many bounds there are."""
    rows = read(
        path, "SELECT user_id, track_id, engagement_type, engaged_after, engaged_before FROM edge_times_estimate"
    )
    false = []
    for user, track, deed, after, before in rows:
        truth = (world.liked_at if deed == "like" else world.reposted_at)(user, track)
        if (after and moment(after) > truth) or (before and moment(before) < truth):
            false.append((user, track, deed, after, before, truth))
    return false, sum(bool(row[3]) for row in rows), sum(bool(row[4]) for row in rows), len(rows)


worlds = st.builds(
    World,
    seed=st.integers(1, 10_000),
    users=st.integers(5, 80),
    tracks=st.integers(5, 200),
    likes_per_user=st.floats(1, 30),
    null_entries=st.sampled_from([0.0, 0.2]),
    seed_likers=st.integers(1, 40),
    newcomers_differ=st.sampled_from([0.0, 0.7]),
)
caps = st.builds(
    Limits,
    max_users=st.integers(1, 30),
    max_user_likes=st.integers(1, 40),
    max_listed=st.integers(1, 50),
    max_tracks=st.integers(1, 3),
    depth=st.integers(1, 2),
)
sizes = st.tuples(st.sampled_from([1, 3, 7, 200]), st.sampled_from([1, 3, 7, 200]))


def check(world, first, then, page_sizes):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.db"
        crawl_twice(path, world, first, then, page_sizes=page_sizes)
        assert wrong(path, world)[0] == []


@given(world=worlds, first=caps, then=caps, page_sizes=sizes)
@settings(max_examples=4, deadline=None)
def test_every_interval_holds_the_truth_also_after_caps_are_raised(world, first, then, page_sizes):
    check(world, first, then, page_sizes)


@pytest.mark.slow
@given(world=worlds, first=caps, then=caps, page_sizes=sizes)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_every_interval_holds_the_truth_in_the_same_forty_worlds(world, first, then, page_sizes):
    check(world, first, then, page_sizes)


@pytest.mark.soak
@given(world=worlds, first=caps, then=caps, page_sizes=sizes)
@settings(max_examples=200, deadline=None)
@pytest.mark.timeout(3600)
def test_every_interval_holds_the_truth_in_many_more_worlds(world, first, then, page_sizes):
    check(world, first, then, page_sizes)


ORDERLY = sorted(name for name, effect in EFFECTS.items() if "ranks" not in effect.changes)


def a_faulty_crawl(path, number):
    chance = random.Random(number)
    world = World(number, users=40, tracks=120, likes_per_user=20, seed_likers=20, seed_reposters=6)
    mixed = ",".join(f"{name}[{place}]={rate}" for name, place, rate in faults_of(chance))
    crawl_twice(path, world, Limits(max_users=15), Limits(max_users=15), page_sizes=(5, 5), faults=mixed)
    return world


def faults_of(chance):
    names = [name for name in ORDERLY if name.startswith(("href", "items"))]
    for name in chance.sample(names, 3):
        yield name, chance.choice(["/likes/tracks", "/favoriters"]), chance.choice([0.1, 0.4])


@pytest.mark.parametrize("number", one_in(2, range(4)))
def test_lists_that_loop_repeat_or_break_off_give_no_false_interval(tmp_path, number):
    world = a_faulty_crawl(tmp_path / "t.db", number)
    assert wrong(tmp_path / "t.db", world)[0] == []


@pytest.mark.parametrize("fault", ["href_loop_1@4*2", "href_loop_3@7*2", "href_backwards@6*2"])
def test_a_cursor_that_does_not_lead_back_in_time_bounds_nothing(tmp_path, fault):
    path = tmp_path / "t.db"
    world = World(3, users=60, tracks=100, likes_per_user=5, seed_likers=50)
    crawl_twice(path, world, Limits(max_users=0), Limits(max_users=0), page_sizes=(5, 5), faults=fault)
    assert "loop" in {row[0] for row in read(path, "SELECT outcome FROM tasks")}
    assert wrong(path, world)[0] == []


@pytest.mark.parametrize(
    "numbers",
    [pytest.param(range(4, 24), marks=pytest.mark.slow), pytest.param(range(100), marks=pytest.mark.soak)],
    ids=["twenty", "hundred"],
)
@pytest.mark.timeout(3600)
def test_no_mix_of_faults_gives_a_false_interval(tmp_path, numbers):
    for number in numbers:
        world = a_faulty_crawl(tmp_path / f"{number}.db", number)
        assert wrong(tmp_path / f"{number}.db", world)[0] == [], number


@pytest.mark.soak
@pytest.mark.fresh
def test_no_new_mix_of_faults_gives_a_false_interval(tmp_path, fresh_seed):
    for number in range(1000 * fresh_seed, 1000 * fresh_seed + 5):
        world = a_faulty_crawl(tmp_path / f"{number}.db", number)
        assert wrong(tmp_path / f"{number}.db", world)[0] == [], number


def test_most_likes_have_both_bounds_where_pages_are_small(tmp_path):
    world = World(4, users=30, tracks=300, likes_per_user=40, seed_likers=15)
    crawl_twice(tmp_path / "t.db", world, Limits(), Limits(), page_sizes=(5, 5))
    false, after, before, n = wrong(tmp_path / "t.db", world)
    assert false == []
    assert after > 0.8 * n  # all but the last page of each list
    assert before == n
