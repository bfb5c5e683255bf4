"""What is older than a file is to hold goes, list by list, and is not asked for again by itself."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest

from harvest.forgetting.purge import purge
from harvest.simulator import World
from harvest.store.refreshes import Refresh
from harvest.system.clock import SystemClock
from tests.crawling import contents, crawl_world, read
from tests.forgetting import bytes_beside, contradictions
from tests.refreshing import LIMITS
from tests.repetitions import slow_but

DAY = 86_400
WORLD = World(3, users=40, tracks=60, seed_likers=12, seed_reposters=3)
PARTS = ("engagements", "follows", "users", "tracks", "playlists", "comments", "links", "tags", "station_likes")


class Later(SystemClock):
    """Tells the time so many days from now."""

    def __init__(self, days: float) -> None:
        self._days = days

    def now(self):
        return super().now() + timedelta(days=self._days)


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    path = tmp_path_factory.mktemp("crawled") / "t.db"
    crawl_world(path, WORLD, limits=LIMITS)
    return path


@pytest.fixture
def path(crawled, tmp_path):
    return shutil.copy(crawled, tmp_path / "t.db")


def test_what_is_younger_stays_as_it_is(path):
    before = contents(path)
    done = purge(path, 30 * DAY, now=Later(20).now())
    assert (done.lists, done.things, done.rows, done.erased) == (0, 0, 0, True)
    assert contents(path) == before


@pytest.mark.parametrize("older_than", slow_but([30 * DAY], [30 * DAY, None]))
def test_all_of_it_goes_to_the_last_byte(path, older_than):
    names = [row[0] for row in read(path, "SELECT username FROM users WHERE length(username) > 5")]
    lists = read(path, "SELECT count(*) FROM tasks WHERE kind NOT IN ('resolve', 'lookup')")
    done = purge(path, older_than, now=Later(40).now())
    assert done.erased
    found = contents(path)
    assert {part: found[part] for part in PARTS} == {part: {} for part in PARTS}
    held = bytes_beside(path)
    assert [name for name in names if name.encode() in held] == []
    assert b"https://soundcloud.com" not in held
    purged = "SELECT count(*) FROM tasks WHERE kind NOT IN ('resolve', 'lookup') AND outcome = 'purged'"
    assert read(path, purged) == lists
    assert contradictions(path) == {}
    assert crawl_world(path, WORLD, ["forgotten:1"], LIMITS).total == 0
    assert contradictions(path) == {}


def test_lists_that_were_read_again_stay_with_all_they_name(path):
    before = contents(path)
    again = Refresh(older_than=1, read=("likes",))
    crawl_world(path, WORLD, limits=LIMITS, refresh=again, clock=Later(20))
    read_again = {row[0] for row in read(path, "SELECT DISTINCT task_id FROM readings WHERE number > 0")}
    done = purge(path, 30 * DAY, now=Later(40).now())
    assert done.lists > 0
    rows = read(path, "SELECT id, kind, outcome FROM tasks WHERE kind NOT IN ('resolve', 'lookup')")
    assert {row[0] for row in rows if row[2] == "complete"} <= read_again
    assert {row[1] for row in rows if row[2] == "purged"} >= {"user_followers", "track_likers", "playlist_tracks"}
    found = contents(path)
    kept = {key: ranks for key, ranks in before["engagements"].items() if ranks[0] is not None and key[2] == "like"}
    readers = {
        row[0] for row in read(path, "SELECT subject_id FROM tasks WHERE kind = 'user_likes' AND outcome <> 'purged'")
    }
    expected = {key: (ranks[0], None) for key, ranks in kept.items() if key[0] in readers}
    assert found["engagements"] == expected
    assert (found["follows"], found["comments"]) == ({}, {})
    named = {key[1] for key in expected}
    assert named <= set(found["tracks"])
    assert {row["uploader_id"] for row in found["tracks"].values()} - {None} <= set(found["users"])
    assert contradictions(path) == {}
    assert crawl_world(path, WORLD, limits=LIMITS).total == 0
    assert contradictions(path) == {}


def test_a_crawl_that_retains_purges_in_the_end(path):
    server = crawl_world(path, WORLD, limits=LIMITS, clock=Later(40), retain=30 * DAY)
    assert server.total == 0
    assert contents(path)["users"] == {}
    assert contradictions(path) == {}
