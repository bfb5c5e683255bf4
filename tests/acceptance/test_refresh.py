"""A refreshed file is true: it holds what stands now, says what came and went and why, and calls nothing gone that is
there.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import shutil
from collections import Counter
from dataclasses import replace

import pytest

from harvest.client.budget import Budget
from harvest.simulator import run_in_thread, serve
from harvest.store.database import open_to_read
from harvest.store.refreshes import Refresh
from harvest.verify.checks import verify
from tests.crawling import Onlooker, assert_sound, crawl_together, read
from tests.refreshing import (
    LIMITS,
    WorldClock,
    a_world,
    first,
    newest,
    reasons,
    refreshed,
    stream,
    tables,
    untrue,
)
from tests.repetitions import slow_but
from tests.replaying import assert_replays

SEEDS = slow_but([1], range(1, 25))
# Those that leave a list shorter, longer or otherwise than it is, and those that pass.
FAULTS = (
    "items_none=0.03", "href_cut=0.03", "bare_array=0.03", "items_null=0.1", "items_alien=0.1", "items_repeated=0.1",
    "items_reordered=0.1", "counts_hidden=0.1", "missing_json=0.02", "error_503_text=0.05", "broken_json=0.03",
    "href_loop_1=0.03", "shape_list=0.02",
)  # fmt: skip


def some_faults(seed, n):
    return ",".join(random.Random(seed).sample(FAULTS, n))


# Lists that the last refresh has not read, and whose subject it did not find to be gone.
NOT_READ_NOW = """
    SELECT t.kind, t.subject_id FROM tasks AS t
    WHERE t.kind NOT IN ('resolve', 'lookup') AND NOT EXISTS (
        SELECT 1 FROM readings AS r
        WHERE r.task_id = t.id AND r.refresh_id = (SELECT max(id) FROM refreshes)
            AND r.outcome IN ('complete', 'short', 'gone')
    )
"""


@pytest.mark.parametrize("seed", SEEDS)
def test_a_full_refresh_equals_the_truth_of_the_moment_and_says_why_what_went_has_gone(tmp_path, seed):
    path, world = tmp_path / "t.db", a_world(seed)

    async def all_of_it():
        told = []
        async with serve(world, gzip=False) as server:
            await first(path, server)
            for before, after in ((0, 3), (3, 10)):
                version = newest(path)
                assert await refreshed(path, server, after, Refresh(full=True)) == "drained"
                assert untrue(path, world.at(after)) == []
                assert read(path, NOT_READ_NOW) == []
                told += reasons(path, world.at(before), world.at(after), version)
                assert_sound(path)
        return told

    told = asyncio.run(all_of_it())
    assert len(told) > 50
    assert [one for one in told if one[2] == "there"] == []
    assert [one for one in told if one[1] != one[2] and one[2] != "before"] == []


def removals_under_faults(path, seed):
    """Crawl and refresh a world with faults of many kinds; give what went and was there, and what had other reasons."""
    world, chance = a_world(seed), random.Random(seed)

    async def all_of_it():
        told, fired = [], 0
        async with serve(world, gzip=False) as server:
            await first(path, server, some_faults(seed, 3))
            fired += sum(server.plan.fired.values())
            for after in (3, 10):
                version = newest(path)
                await refreshed(path, server, after, Refresh(full=chance.random() < 0.5), some_faults(-seed, 5))
                told += [(after, *one) for one in reasons(path, world.at(0), world.at(after), version)]
                fired += sum(server.plan.fired.values())
        assert fired > 0
        assert_sound(path)
        return told

    return asyncio.run(all_of_it())


@pytest.mark.parametrize("seed", slow_but([101], range(101, 131)))
def test_nothing_that_is_there_is_called_vanished_whatever_goes_wrong(tmp_path, seed):
    told = removals_under_faults(tmp_path / "t.db", seed)
    assert [one for one in told if one[3] == "there"] == []


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_nothing_is_called_vanished_in_a_thousand_worlds(tmp_path):
    """Takes hours: `--log-file` tells how far it is."""
    told = Counter()
    for seed in range(1000, 2000):
        path = tmp_path / "t.db"
        of_this = removals_under_faults(path, seed)
        for file in tmp_path.iterdir():
            file.unlink()
        wrong = [one for one in of_this if one[2] != one[3] != "before"]
        logging.getLogger(__name__).warning("world %d: %d went, wrong %s", seed, len(of_this), wrong)
        told.update((reason, true) for _, _, reason, true in of_this)
    assert sum(n for (_, true), n in told.items() if true == "there") == 0
    known = {key: n for key, n in told.items() if key[1] != "before"}
    assert sum(n for (reason, true), n in known.items() if reason == true) >= 0.99 * sum(known.values())


@pytest.mark.parametrize("seed", slow_but([3], range(3, 8)))
def test_a_refresh_stopped_at_every_page_ends_as_one_that_was_not(tmp_path, seed):
    whole, cut, world = tmp_path / "whole.db", tmp_path / "cut.db", a_world(seed)

    async def both():
        async with serve(world, gzip=False) as server:
            await first(whole, server)
        shutil.copy(whole, cut)  # of one crawl, since what a refresh asks for follows from the order of its pages
        async with serve(world, gzip=False) as server:
            await refreshed(whole, server, 5, Refresh())
        async with serve(world, gzip=False) as server:
            stops = 0
            onlooker = Onlooker(stop_after_pages=1)
            while await refreshed(cut, server, 5, Refresh(), onlooker=onlooker, max_in_flight=1) == "interrupted":
                stops += 1
                onlooker = Onlooker(stop_after_pages=1 + stops % 3)
        return stops

    assert asyncio.run(both()) > 20
    assert tables(cut) == tables(whole)
    assert stream(cut) == stream(whole)
    assert_sound(cut)


@pytest.mark.parametrize("seed", slow_but([2], range(2, 8)))
@pytest.mark.parametrize(
    "bidden", [pytest.param(False, id="resumed"), pytest.param(True, id="tended", marks=pytest.mark.slow)]
)
@pytest.mark.slow
def test_a_refresh_that_stood_still_for_weeks_is_begun_anew_and_mixes_no_two_moments(tmp_path, seed, bidden):
    path, world = tmp_path / "t.db", a_world(seed)

    async def stopped_and_resumed():
        async with serve(world, gzip=False) as server:
            how = {"page_size": 5, "clock": WorldClock(server), "keep_replies": True}
            await crawl_together(path, server, [(world.seed_url(), LIMITS)], **how)
            server.move(3)
            onlooker = Onlooker(stop_after_pages=60)
            stopped = await crawl_together(path, server, [], refresh=Refresh(full=True), onlooker=onlooker, **how)
            under_way = read(path, "SELECT count(*) FROM readings WHERE state <> 'ended' AND number * pages_read > 0")
            server.move(24)
            again = Refresh(full=True) if bidden else None
            return stopped, under_way[0][0], await crawl_together(path, server, [], refresh=again, **how)

    stopped, under_way, resumed = asyncio.run(stopped_and_resumed())
    assert (stopped, resumed) == ("interrupted", "drained")
    assert under_way > 0
    assert untrue(path, world.at(24)) == []
    assert read(path, NOT_READ_NOW) == []
    there = [
        {ids for ids, _, true in reasons(path, world.at(0), world.at(day), 0) if true == "there"} for day in (3, 24)
    ]
    assert there[0] & there[1] == set()  # what went by the third day may be back
    assert read(path, "SELECT id, state, json(options) ->> 'full' FROM refreshes") == [(1, "done", 1), (2, "done", 1)]
    assert read(
        path, "SELECT count(*) FROM readings WHERE outcome = 'stale' AND refresh_id = 1 AND pages_read > 0"
    ) == [(under_way,)]
    assert contradictions(path) == []
    assert_sound(path)
    assert_replays(path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", slow_but([1], range(1, 7)))
def test_wherever_a_refresh_stops_the_file_contradicts_itself_nowhere(tmp_path, seed):
    path, world = tmp_path / "t.db", a_world(seed)
    limits = replace(LIMITS, max_listed=4, caps=(("user_likes", 3), ("user_followers", 4)))

    async def stopped():
        found, stops = [], 0
        async with serve(world, gzip=False) as server:
            await crawl_together(path, server, [(world.seed_url(), limits)], page_size=5)
            for moment in (20, 40):
                onlooker = Onlooker(stop_after_pages=5)
                while await refreshed(path, server, moment, Refresh(), onlooker=onlooker) == "interrupted":
                    found += contradictions(path)
                    onlooker, stops = Onlooker(stop_after_pages=5), stops + 1
                found += contradictions(path)
        return found, stops

    found, stops = asyncio.run(stopped())
    assert stops > 3
    assert found == []


def contradictions(path):
    """Give what `verify` finds, as the name of the check and examples."""
    with open_to_read(path) as connection:
        return [(one.check.name, one.examples) for one in verify(connection) if one.contradictions]


@pytest.mark.slow
def test_a_second_refresh_changes_nothing(tmp_path):
    path, world = tmp_path / "t.db", a_world(4)

    async def twice():
        async with serve(world, gzip=False) as server:
            await first(path, server)
            await refreshed(path, server, 5, Refresh())
            await refreshed(path, server, 5, Refresh(full=True))  # what counts do not tell is found now
            before = tables(path), stream(path)
            await refreshed(path, server, 5, Refresh(full=True))
            return before

    before = asyncio.run(twice())
    assert before == (tables(path), stream(path))
    assert {what for what, *_ in before[1]} >= {"came", "went", "edited", "renamed", "moved", "gone"}


def test_what_does_not_move_costs_the_looking_up_and_one_old_list(tmp_path):
    path, world = tmp_path / "t.db", a_world(5)

    async def still():
        async with serve(world, gzip=False) as server:
            await first(path, server)
            before = server.total
            await refreshed(path, server, 0, Refresh())
            return server.total - before

    requests = asyncio.run(still())
    looked_up = read(path, "SELECT count(*) FROM tasks WHERE kind = 'lookup' AND id > (SELECT max(t.id) FROM tasks t"
                     " WHERE t.kind <> 'lookup')")[0][0]  # fmt: skip
    assert read(path, "SELECT count(*) FROM readings WHERE number > 0 AND kind <> 'lookup'") == [(1,)]
    assert requests == looked_up + 2  # the token, and the list
    assert stream(path) == []


@pytest.mark.slow
def test_a_small_bound_holds_and_goes_to_the_lists_that_promise_most(tmp_path):
    world = a_world(6)

    async def of_all_and_of_thirty():
        spent = []
        for name, bound in (("all.db", None), ("thirty.db", Budget(30))):
            path = tmp_path / name
            async with serve(world, gzip=False) as server:
                await first(path, server)
                before = server.total
                ended = await refreshed(path, server, 10, Refresh(), budget=bound)
                spent.append((ended, server.total - before))
        return spent

    whole, bounded = asyncio.run(of_all_and_of_thirty())
    assert whole[0] == "drained"
    assert whole[1] > 60
    assert bounded == ("max_requests", 30)
    found = "SELECT 1.0 * sum(came) / count(*) FROM readings WHERE refresh_id IS NOT NULL AND kind = 'user_likes'"
    all_in_all, of_the_best = (read(tmp_path / name, found)[0][0] for name in ("all.db", "thirty.db"))
    assert of_the_best > all_in_all > 0


def test_from_the_command_line_it_says_what_it_takes_and_what_it_found(run, tmp_path):
    world, file = a_world(7), tmp_path / "t.db"
    with run_in_thread(world, gzip=False) as server:
        everything = ("--read", "all", "--max-users", "10", "--delay", "0", "--page-size", "20")
        assert run(world.seed_url(), "--db", file, *everything, server=server).returncode == 0
        server.move(8)
        total = server.total
        planned = run("plan", "--refresh", "--db", file, server=server)
        assert planned.stdout.startswith("To look up: ")
        assert server.total == total
        done = run("refresh", "--db", file, server=server)
        assert done.returncode in (0, 6)
        assert "looked up" in done.stdout
        assert "came" in done.stdout
        told = json.loads(run("refresh", "--db", file, "--json", server=server).stdout)
        assert told["stop_reason"] == "drained"
        words = run("changes", "--db", file, "--since", "0")
        versions = [json.loads(line)["version"] for line in run("changes", "--db", file, "--json").stdout.splitlines()]
    assert versions == list(range(1, newest(file) + 1))
    assert f"{len(versions):,} changes" in words.stdout
    assert f"--since {versions[-1]}" in words.stdout


def test_tend_begins_a_watch_list_goes_on_and_says_what_changed(run, tmp_path):
    world, file, watch = a_world(8), tmp_path / "t.db", tmp_path / "watch.txt"
    watch.write_text(f"# what we watch\n{world.seed_url()}\n")
    command = ["tend", "--from-file", watch, "--db", file, "--delay", "0"]
    with run_in_thread(world, gzip=False) as server:
        bounded = run(*command, "--max-requests", "12", server=server)
        assert bounded.returncode == 0  # a bound that is used up is no failure
        assert read(file, "SELECT state FROM harvests") == [("paused",)]
        assert run(*command, server=server).returncode in (0, 6)
        assert read(file, "SELECT state FROM harvests") == [("drained",)]
        still = run(*command, server=server).stdout
        assert ("Nothing has changed." in still, "What changed, one by one" in still) == (True, False)
        server.move(9)
        done = run(*command, "--json", server=server)
        told = json.loads(done.stdout)
        assert (told["state"], told["exit_code"]) == ("done", done.returncode)
        assert told["changes"]["came"] > 0
        assert told["changes"]["went"] == sum(told["reasons"].values())
    assert_sound(file)


@pytest.mark.slow
def test_a_killed_refresh_goes_on_with_resume(run, start, tmp_path):
    world, file = a_world(9), tmp_path / "t.db"
    with run_in_thread(world, gzip=False) as server:
        run(world.seed_url(), "--db", file, "--delay", "0", "--page-size", "20", server=server)
        server.move(12)
        server.hold_after(server.total + 8)
        process = start("refresh", "--db", file, "--delay", "0", server=server)
        while read(file, "SELECT count(*) FROM refreshes")[0][0] == 0 or server.in_flight == 0:
            assert process.poll() is None
        process.kill()
        process.wait()
        server.hold_after(None)
        assert read(file, "SELECT state FROM refreshes") != [("done",)]
        done = run("resume", "--db", file, server=server)
        assert done.returncode in (0, 6)
        assert "looked up" in done.stdout
    assert read(file, "SELECT state FROM refreshes") == [("done",)]
    assert_sound(file)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["refresh", "--read", "nothing"], "nothing"),
        (["refresh", "--older-than", "soon"], "length of time"),
        (["changes", "--since", "yesterday"], "2026-11-01 or 7d"),
        (["changes", "--of", "https://soundcloud.com/no/body"], "nothing at"),
        (["tend", "--from-file", "missing.txt"], "missing.txt"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_line(run, tmp_path, arguments, said):
    file = tmp_path / "t.db"
    with run_in_thread(a_world(1), gzip=False) as server:
        run(server.world.seed_url(), "--depth", "0", "--db", file, "--delay", "0", server=server)
        done = run(*arguments, "--db", file, server=server)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
