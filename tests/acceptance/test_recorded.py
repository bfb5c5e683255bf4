"""A file of kept replies is served as the world it came from, and a crawl of it finds the same."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from harvest.crawler.recorded import recorded
from harvest.errors import HarvestError
from harvest.models import Limits
from harvest.replies.recording import Recording
from harvest.simulator import World, serve
from harvest.simulator.world.examples import examples
from harvest.store.schema import APPLICATION_ID
from tests import copying
from tests.acceptance.conftest import environment
from tests.acceptance.test_ledger_worlds import a_mix, a_world
from tests.crawling import Onlooker, contents, crawl_together, read
from tests.faulty import QUICK, QuickClock
from tests.refreshing import EVERYTHING
from tests.repetitions import slow_but
from tests.waiting import PATIENCE

READ = ("likers", "reposters", "likes", "comments", "links")
LIMITS = Limits(max_users=8, max_user_likes=500, depth=1, read=READ)


async def crawl(path, server, session, **how):
    """Crawl once, however it ends."""
    how = {"clock": QuickClock(), **QUICK, **how}
    with contextlib.suppress(HarvestError):
        async with asyncio.timeout(PATIENCE):
            return await crawl_together(path, server, session, **how)
    return "failed"


async def crawl_recording(path, again, session, *, times=1, **how):
    """Crawl what was recorded beside a file, so many times; give what was asked for in vain."""
    missed = []
    with Recording.open(path.with_name(f"{path.stem}.replies.db")) as recording:
        world, _ = recorded(recording, tell=missed.append)
        async with serve(world) as server:
            for _ in range(times):
                await crawl(again, server, session, **how)
    return missed


def assert_same(path, again):
    there, found = contents(path), contents(again)
    assert there["engagements"]
    for part, content in there.items():
        assert found[part] == content, part


async def recorded_alike(number, folder):
    """Record a crawl of a world in which much goes wrong, and crawl the recording, with pages of another size."""
    world = a_world(number)
    session = [(world.seed_url(), LIMITS)]
    path, again = folder / "t.db", folder / "again.db"
    async with serve(world, gzip=False, faults=a_mix(number)) as server:
        await crawl(path, server, session, page_size=7, keep_replies=True, onlooker=Onlooker(number % 3 * 5 or None))
        await crawl(path, server, session, page_size=7, keep_replies=True)
    missed = await crawl_recording(path, again, session, times=2)
    return path, again, missed


@pytest.mark.parametrize("number", slow_but([0, 3], range(6)))
async def test_a_recorded_world_is_the_world_again(number, tmp_path):
    path, again, missed = await recorded_alike(number, tmp_path)
    assert_same(path, again)
    assert missed == []


@pytest.mark.soak
def test_two_hundred_recorded_worlds_are_the_worlds_again():
    for number in range(10, 210):
        with tempfile.TemporaryDirectory() as folder:
            path, again, _ = asyncio.run(recorded_alike(number, Path(folder)))
            there, found = contents(path), contents(again)
            # A list that was stopped in the middle of its trouble may come to another end, with the same in it, and so
            # whom it lists to another chance.
            without = {"lists": None, "visits": None}
            assert there | without == found | without, number


async def test_every_kind_of_seed_and_list_is_recorded(tmp_path):
    world = World(8, users=30, tracks=90, likes_per_user=8, seed_likers=5, private=0.1, gone=0.05)
    seeds = [*examples(world).values(), f"soundcloud:users:{world.id('user', 7)}", "search:tracks?q=velvet", "me"]
    seeds += [f"soundcloud:tracks:{world.id('track', index)}" for index in (10, 11)]
    limits = Limits(max_users=2, max_tracks=1, max_user_likes=20, depth=1, read=EVERYTHING, seed_read=EVERYTHING)
    session = [(seeds, limits)]
    path, again = tmp_path / "t.db", tmp_path / "again.db"
    async with serve(world) as server:
        await crawl(path, server, session, page_size=20, keep_replies=True, access_token=server.token(user=True))
    missed = await crawl_recording(path, again, session, access_token="any")
    assert_same(path, again)
    assert missed == []
    secret = next(address for address in seeds if "/s-" in address).rpartition("/s-")[2]
    assert secret.encode() not in (tmp_path / "t.replies.db").read_bytes()


async def test_failures_of_searches_and_stations_and_what_cannot_be_read_are_recorded(tmp_path):
    world = World(8, users=30, tracks=90, likes_per_user=8, seed_likers=5)
    limits = Limits(max_users=2, max_user_likes=20, depth=1, read=("likers", "likes"), seed_read=EVERYTHING)
    session = [([examples(world)["its station"], "search:tracks?q=velvet", world.seed_url()], limits)]
    path, again = tmp_path / "t.db", tmp_path / "again.db"
    faults = "missing_json[q=velvet],missing_json[/system-playlists/]@2*9,shape_no_collection[/likes/tracks]@2"
    async with serve(world, faults=faults) as server:
        await crawl(path, server, session, page_size=20, keep_replies=True)
    assert await crawl_recording(path, again, session) == []
    assert_same(path, again)
    ended = read(again, "SELECT kind, outcome FROM tasks WHERE outcome IN ('gone', 'unreadable') ORDER BY kind")
    assert ended == [("found_tracks", "gone"), ("station_tracks", "gone"), ("user_likes", "unreadable")]
    with Recording.open(tmp_path / "t.replies.db") as recording:
        (unread,) = [act for act in recording.acts() if act.what == "fail" and act.body is not None]
    assert unread.detail["kind"] == "user_likes"
    assert unread.body == b'{"next_href":null}'


async def test_what_was_recorded_together_is_found_by_itself_and_the_other_way_round(tmp_path):
    """Batches are filled as names come along, so another crawl asks for others."""
    world = World(9, users=40, tracks=120, likes_per_user=8, seed_likers=6)
    urns = [f"soundcloud:tracks:{world.id('track', index)}" for index in range(30)]
    limits = Limits(depth=0, read=("likers",), seed_read=("likers",))
    path, again, more = tmp_path / "t.db", tmp_path / "again.db", tmp_path / "more.db"
    async with serve(world) as server:
        await crawl(path, server, [(urns, limits)], keep_replies=True)
    missed = await crawl_recording(path, again, [(urns[:1], limits), (urns[5:20], limits), (urns[3:9], limits)])
    async with serve(world) as server:
        await crawl(more, server, [(urns[:1], limits), (urns[5:20], limits), (urns[3:9], limits)])
    assert contents(again)["tracks"] == contents(more)["tracks"]
    assert missed == []


async def test_what_was_not_recorded_is_named(tmp_path):
    world = World(9, users=40, tracks=120, likes_per_user=8, seed_likers=6)
    path, again = tmp_path / "t.db", tmp_path / "again.db"
    async with serve(world) as server:
        await crawl(path, server, [(world.seed_url(), LIMITS)], keep_replies=True)
    other = World(10, users=40, tracks=120, likes_per_user=8, seed_likers=6).seed_url()
    further = replace(LIMITS, read=(*READ, "followers"))
    missed = await crawl_recording(path, again, [(other, LIMITS), (world.seed_url(), further)])
    assert missed[0].startswith("/resolve?url=")
    lists = [request for request in missed if "/followers?" in request]
    alone = [request for request in missed if request.startswith("/users/") and "?" not in request]  # is anybody there?
    (people,) = read(path, "SELECT count(*) FROM tasks WHERE kind = 'user_likes'")[0]
    assert len(lists) == people
    assert sorted(missed) == sorted({missed[0], *lists, *alone})
    assert contents(again)["engagements"] == contents(path)["engagements"]


async def test_a_command_serves_a_recording(tmp_path, start):
    world = World(9, users=40, tracks=120, likes_per_user=8, seed_likers=6)
    path = tmp_path / "t.db"
    async with serve(world) as server:
        await crawl(path, server, [(world.seed_url(), LIMITS)], keep_replies=True)
    process = start("simulate", "--port", "0", "--from", "t.replies.db")
    told = ""
    while "--cache-path" not in told:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        told += line
    settings = dict(re.findall(r"(SOUNDCLOUD_\w+)=(\S+)", told))
    assert re.search(r"harvest (\S+)", told.partition("TOKEN=any")[2])[1] == world.seed_url()
    arguments = ["--max-users", "8", "--depth", "1", "--read", ",".join(READ), "--delay", "0"]
    done = await asyncio.to_thread(
        copying.run,
        [world.seed_url(), "--db", "again.db", *arguments],
        cwd=tmp_path,
        env=environment(**settings),
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert_same(path, tmp_path / "again.db")
    with Recording.open(tmp_path / "t.replies.db") as recording:
        assert read(tmp_path / "again.db", "SELECT world FROM runs") == [(f"recording {recording.facts.pair}",)]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--from", "missing.db"], 4, "There is no file missing.db"),
        (["--from", "t.db"], 4, "name t.replies.db"),
        (["--from", "."], 4, "is a folder"),
        (["--from", "words.db"], 4, "is not a SQLite database"),
        (["--from", "t.replies.db", "--users", "9"], 2, "--users makes a world up"),
        (["--from", "t.replies.db", "--at", "3"], 2, "--at makes a world up"),
    ],
)
def test_what_cannot_be_served_costs_one_line(tmp_path, run, arguments, code, words):
    (tmp_path / "words.db").write_text("no database at all, and long enough to be none" * 99)
    with closing(sqlite3.connect(tmp_path / "t.db")) as db:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("CREATE TABLE t (a)")
    done = run("simulate", "--port", "0", *arguments)
    assert done.returncode == code
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
