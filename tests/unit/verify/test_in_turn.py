"""Whatever is asked of one file in turn, and wherever each crawl stops, nothing in it is wrong."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from pathlib import Path

import pytest

from harvest.lists import BY_NAME
from harvest.models import ORDERS, Limits
from harvest.simulator import serve
from harvest.store import harvests
from harvest.store.database import immediately, open_for_crawl
from harvest.system.clock import SystemClock, as_text
from tests.crawling import Onlooker, crawl_into, crawl_world, read
from tests.faulty import QUICK, WORLD, QuickClock, path_of, victim
from tests.repetitions import slow_but

from .test_checks import told_of

TRACK, OTHER = WORLD.seed_urls(2)
PERSON, SOMEBODY = (WORLD.user_url(WORLD.id("user", index)) for index in (0, 3))
SEEDS = (TRACK, OTHER, PERSON, SOMEBODY, WORLD.playlist_url(WORLD.id("playlist", 0)))


def any_limits(chance: random.Random) -> Limits:
    return Limits(
        max_users=chance.choice([1, 3, 8, 1000]),
        max_user_likes=chance.choice([0, 4, 9, 500]),
        max_listed=chance.choice([3, 8, 20_000]),
        max_tracks=chance.choice([1, 3]),
        depth=chance.choice([None, 0, 1, 2]),
        order=chance.choice(ORDERS),
        sample_seed=chance.randint(0, 3),
        read=tuple(chance.sample(tuple(BY_NAME), chance.randint(1, 6))),
        via=tuple(chance.sample(["likes", "reposts", "uploads", "followings", "followers"], chance.randint(1, 2))),
        caps=(("followers", 6), ("followings", 6)),
    )


def put_back(path: Path, **which: object) -> int:
    database = open_for_crawl(path)
    try:
        with immediately(database):
            return harvests.put_back(database.conn, as_text(SystemClock().now()), **which)
    finally:
        database.conn.close()


@pytest.mark.parametrize(
    "number", slow_but((13,), (2, 13, 25, 167))
)  # four of a thousand in which something was wrong once
def test_nothing_is_found_after_whatever_was_asked_for(number, tmp_path):
    chance = random.Random(number)
    path = tmp_path / "t.db"

    async def crawls() -> None:
        async with serve(WORLD, gzip=False) as server:
            for _ in range(4):
                seeds = [tuple(chance.sample([*SEEDS], chance.randint(1, 3)))]
                onlooker = Onlooker(stop_after_pages=chance.choice([None, 3, 10, 40]))
                how = {"onlooker": onlooker, "page_size": chance.choice([3, 5, 200])}
                await crawl_into(path, server, seeds, any_limits(chance), **how)
                assert told_of(path) == {}
                if chance.random() < 0.4:
                    put_back(path, outcomes=chance.sample(["complete", "capped", "gone", "short"], 2))
                    assert told_of(path) == {}

    asyncio.run(crawls())


def test_nothing_is_found_after_failures_and_retries_and_readings_that_fail(tmp_path):
    path = tmp_path / "t.db"

    async def scene() -> None:
        faults = f"bad_request_html[{path_of(victim())}]@2*999"
        async with serve(WORLD, gzip=False, faults=faults) as server:

            async def crawl() -> None:
                limits = Limits(max_user_likes=6, max_tracks=2, max_users=30)
                await crawl_into(path, server, [TRACK], limits, clock=QuickClock(), page_size=3, **QUICK)
                assert told_of(path) == {}

            await crawl()
            assert put_back(path, failure_class="bad_request") == 1
            assert told_of(path) == {}
            await crawl()
            assert put_back(path, outcomes=["failed", "complete"]) > 3
            await crawl()
            server.use("")
            assert put_back(path, failure_class="bad_request") == 1
            await crawl()

    asyncio.run(scene())
    assert read(path, "SELECT max(number) FROM readings") == [(1,)]


def test_a_round_is_not_judged_after_a_list_of_one_before_it_was_read_anew_for_another_harvest(tmp_path):
    """What people like in common is no longer what it was when their likes led on, in their round and in later ones."""
    path = tmp_path / "t.db"
    crawl_world(path, WORLD, [TRACK], Limits(max_users=3, max_user_likes=4, max_tracks=2, depth=3))
    connection = sqlite3.connect(path, isolation_level=None)
    theirs = """
        FROM tasks AS t JOIN visits AS v ON v.thing = 'user' AND v.thing_id = t.subject_id AND v.round = 1
        WHERE t.kind = 'user_likes'
    """
    connection.execute(
        f"""
        INSERT OR REPLACE INTO user_engagements (user_id, track_id, engagement_type, user_list_rank, first_page_id)
        SELECT t.subject_id, (SELECT max(id) FROM tracks WHERE id NOT IN (SELECT thing_id FROM visits)), 'like', 0, 1
        {theirs}
        """
    )
    assert {line[:18] for line in told_of(path)["visits.chosen"]} == {"harvest 1, round 2", "harvest 1, round 4"}
    connection.execute(
        "INSERT INTO readings (task_id, number, kind, state, outcome) SELECT t.id, 1, t.kind, 'ended', 'complete'"
        f" {theirs}"
    )
    connection.execute(
        f"""
        INSERT INTO pages (task_id, reading, number, run_id, request, first_rank, received, skipped, kept, fetched_at,
            elapsed_ms, bytes)
        SELECT t.id, 1, 0, 1, '/', 0, 0, 0, 0, '2027', 0, 0 {theirs}
        """
    )
    assert "visits.chosen" not in told_of(path)
    connection.close()
