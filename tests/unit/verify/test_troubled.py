"""Files of troubled crawls: failures, retries, interruptions and seeds found late are no contradiction."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harvest.lists import BY_NAME
from harvest.models import Limits
from harvest.store.database import immediately, open_for_crawl, open_to_read
from harvest.store.harvests import is_drained, put_back
from harvest.system.clock import as_text
from tests.crawling import Onlooker, read
from tests.faulty import WORLD, path_of, play, victim
from tests.repetitions import slow_but

SMALL = Limits(max_users=4, max_user_likes=6, max_tracks=2)
EVERY = replace(SMALL, read=tuple(BY_NAME), depth=2, max_users=3, max_tracks=1)
TRACK, OTHER_TRACK = WORLD.seed_urls(2)
SOMEBODY = WORLD.user_url(WORLD.id("user", 3))
PLAYLIST = WORLD.playlist_url(WORLD.id("playlist", 1))
LIKERS = f"/tracks/soundcloud:tracks:{WORLD.seed_ids(1)[0]}/favoriters"


def read_anew(path, *outcomes):
    database = open_for_crawl(path)
    try:
        with immediately(database):
            return put_back(database.conn, as_text(datetime.now(UTC)), outcomes=outcomes)
    finally:
        database.conn.close()


@pytest.mark.parametrize("order", slow_but(("random",), ("newest", "random", "popular")))
@pytest.mark.parametrize(
    "faults",
    slow_but(
        ["error_503_json=0.2"],
        [f"error_503_json[{LIKERS}]", f"forbidden_json[{path_of(victim())}]", "error_503_json=0.2"],
    ),
)
def test_lists_that_fail_and_are_mended(faults, order, tmp_path):
    async def scene(s):
        s.limits = replace(SMALL, order=order, depth=2)
        await s.crawl()
        s.server.use("")
        s.put_back()
        await s.crawl()
        assert s.ended == "drained"
        s.put_back("forbidden")
        await s.crawl()

    play(tmp_path / "t.db", scene, faults=faults)


@pytest.mark.parametrize("page", slow_but((20,), (1, 3, 8, 20, 40)))
def test_a_crawl_that_is_interrupted_and_goes_on(page, tmp_path):
    async def scene(s):
        s.limits = EVERY
        await s.crawl([TRACK, SOMEBODY], onlooker=Onlooker(stop_after_pages=page))
        s.limits = replace(EVERY, max_users=5)
        await s.crawl([TRACK], onlooker=Onlooker(stop_after_pages=page))
        await s.crawl([TRACK, SOMEBODY], onlooker=Onlooker(stop_after_pages=page))
        assert await s.crawl([TRACK, SOMEBODY]) == "drained"

    play(tmp_path / "t.db", scene)


@pytest.mark.parametrize("page", slow_but((4,), (1, 4, 12, 30)))
def test_a_reading_anew_that_is_interrupted_or_fails(page, tmp_path):
    async def scene(s):
        s.limits = replace(SMALL, read=tuple(BY_NAME))
        assert await s.crawl([[TRACK, SOMEBODY], OTHER_TRACK]) == "drained"
        assert read_anew(s.path, "complete", "capped") > 0
        await s.crawl([[TRACK, SOMEBODY]], onlooker=Onlooker(stop_after_pages=page))
        s.limits = replace(s.limits, max_user_likes=9)
        s.server.use("error_503_json=0.3")
        await s.crawl([OTHER_TRACK])
        read_anew(s.path, "complete", "capped", "failed")
        await s.crawl([OTHER_TRACK])
        s.server.use("")
        s.put_back()
        assert await s.crawl([[TRACK, SOMEBODY], OTHER_TRACK]) == "drained"

    play(tmp_path / "t.db", scene)


def test_a_reading_anew_after_one_that_failed_halfway(tmp_path):
    """What the failed one has seen goes into the list before the next begins, and the list says so."""

    async def scene(s):
        s.limits, s.page_size = replace(SMALL, max_listed=5), 3
        assert await s.crawl() == "drained"
        read_anew(s.path, "capped")
        s.limits = replace(SMALL, max_listed=9)
        s.server.use(f"error_503_json[{LIKERS}]@3*99")
        await s.crawl()
        ends = [("capped",), ("failed",), ("failed",)]
        assert read(s.path, "SELECT outcome FROM readings WHERE kind = 'track_likers' ORDER BY number") == ends
        assert read(s.path, "SELECT collected FROM tasks WHERE kind = 'track_likers'") == [(6,)]
        s.server.use("")
        assert await s.crawl() == "drained"

    play(tmp_path / "t.db", scene)


def test_somebody_gone_whose_list_then_fails_is_not_called_gone(tmp_path):
    async def scene(s):
        s.server.use(f"missing_json[{path_of(victim())}]")
        await s.crawl()
        assert (victim(),) in read(s.path, "SELECT id FROM users WHERE status = 'gone'")
        s.server.use(f"error_503_json[{path_of(victim())}]")
        assert read_anew(s.path, "gone") > 0
        await s.crawl()
        assert (victim(),) not in read(s.path, "SELECT id FROM users WHERE status = 'gone'")

    play(tmp_path / "t.db", scene)


@pytest.mark.parametrize("alone", slow_but([True], [False, True]))
def test_a_seed_that_is_found_late(alone, tmp_path):
    """Found by the harvest itself or by another one: the next run visits it like any other seed."""

    async def scene(s):
        s.limits = replace(SMALL, depth=2)
        s.server.use(f"missing_json[url=https%3A%2F%2F{SOMEBODY.removeprefix('https://').replace('/', '%2F')}]")
        assert await s.crawl([[TRACK, SOMEBODY]]) == "drained"
        assert read(s.path, "SELECT count(*) FROM visits WHERE round = 0") == [(1,)]
        assert await s.crawl([[TRACK, SOMEBODY]]) == "drained"
        s.server.use("")
        if alone:
            assert await s.crawl([SOMEBODY]) == "drained"
            with open_to_read(s.path) as connection:
                assert not is_drained(connection, [TRACK, SOMEBODY], s.limits)
        assert await s.crawl([[TRACK, SOMEBODY]]) == "drained"
        assert read(s.path, "SELECT count(*) FROM visits WHERE round = 0 AND harvest_id = 1") == [(2,)]

    play(tmp_path / "t.db", scene)


def test_two_addresses_of_one_thing(tmp_path):
    short = WORLD.short_url(WORLD.seed_ids(1)[0])

    async def scene(s):
        s.limits = SMALL
        assert await s.crawl([[TRACK, SOMEBODY]]) == "drained"
        assert await s.crawl([short]) == "drained"
        assert await s.crawl([[short, SOMEBODY], OTHER_TRACK]) == "drained"
        assert read(s.path, "SELECT seed_kind FROM harvests ORDER BY id") == [(None,), ("track",), ("track",)]

    play(tmp_path / "t.db", scene)
