"""People and tracks that the file knows, looked up again: their counts, who is gone, what profiles say."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import signal
import sqlite3
from collections import Counter
from dataclasses import asdict

import pytest

import harvest
from harvest.crawler.session import Conditions, crawl
from harvest.errors import SettingsError
from harvest.models import Limits
from harvest.simulator import World, run_in_thread, serve
from harvest.simulator.oracle import Oracle
from harvest.store.readings import judge
from harvest.store.sweeps import Found, Sweep
from harvest.system.clock import SystemClock
from harvest.wiring import connect
from tests.acceptance.conftest import ROOT
from tests.crawling import Onlooker, assert_holds, crawl_world, read, settings_for, told
from tests.faulty import assert_no_contradiction
from tests.repetitions import each_once, slow_but
from tests.waiting import until

OPTIONS = {"users": 600, "tracks": 900, "playlists": 60, "likes_per_user": 14, "seed_likers": 40, "forbidden": 0}
WORLD = World(7, gone=0.15, private=0.1, **OPTIONS)
LIMITS = Limits(max_users=25, max_user_likes=20, read=("likers", "comments", "likes", "playlists", "liked-playlists"))
USUAL = ("--db", "t.db", "--delay", "0", "-q")
GONE = tuple(one for one in (WORLD.id("user", index) for index in range(600)) if WORLD.is_gone(one))
PARTS = ("artists", "people", "tracks", "all")


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A harvested file, whose people and tracks are known in part from inside of others alone."""
    path = tmp_path_factory.mktemp("known") / "k.db"
    crawl_world(path, WORLD, limits=LIMITS)
    assert read(path, "SELECT count(*) > 60 FROM users WHERE seen_as = 'embedded'") == [(1,)]
    return path


@pytest.fixture
def path(known, tmp_path):
    """A copy of it."""
    (tmp_path / "t.db").write_bytes(known.read_bytes())
    return tmp_path / "t.db"


def truth(of="all", *, everything=False):
    """What the file must hold after the sweep."""
    oracle = Oracle(WORLD)
    oracle.crawl((WORLD.seed_url(), asdict(LIMITS)))
    oracle.count(of, everything=everything)
    return told(oracle.truth)


def grow_old(path):
    """Let everything in a file have been seen long ago."""
    with sqlite3.connect(path) as connection:
        for table in ("users", "tracks"):
            connection.execute(f"UPDATE {table} SET counts_seen_at = '2026-01-01T00:00:00Z'")
        connection.execute("UPDATE readings SET ended_at = '2026-01-02T00:00:00Z' WHERE kind = 'lookup'")
    connection.close()


def gone_now(path):
    return {
        (table, row[0])
        for table in ("users", "tracks")
        for row in read(path, f"SELECT id FROM {table} WHERE status = 'gone'")
    }


async def sweep_into(path, server, sweep, **options):
    """Look up what is due; give the reason of the stop."""
    onlooker = options.pop("onlooker", None) or Onlooker()
    async with connect(settings_for(server), clock=SystemClock(), delay=0.0, max_in_flight=4) as connection:
        return await crawl(
            path,
            [],
            client=connection.client,
            conditions=Conditions(server.url, connection.bearer.kind, max_in_flight=1, **options),
            witness=onlooker,
            clock=SystemClock(),
            on_start=onlooker.started,
            sweep=sweep,
        )


@pytest.mark.parametrize(("of", "everything"), each_once(PARTS, [False, True]))
def test_what_is_looked_up_equals_the_truth_and_a_second_run_asks_nothing(run, path, of, everything):
    sweep = ("counts", "--of", of, *(("--older-than", "7d") if everything else ()), *USUAL)
    if everything:
        grow_old(path)
    with run_in_thread(WORLD) as server:
        assert run(*sweep, server=server).returncode == 0
        before = server.total
        again = run(*sweep, server=server)
        assert (again.returncode, server.total - before) == (0, 0)
    assert again.stdout.startswith("Nothing to do: all of them have been looked up.")
    assert_holds(path, truth(of, everything=everything))
    assert_no_contradiction(path)


def test_who_is_not_shown_is_asked_for_alone_and_is_gone(run, path):
    before = gone_now(path)
    embedded = [row[0] for row in read(path, "SELECT id FROM users WHERE seen_as = 'embedded'")]
    lost = {person for person in embedded if WORLD.is_gone(person)}
    with run_in_thread(WORLD, keep_log=True) as server:
        found = json.loads(run("counts", "--of", "people", "--json", *USUAL, server=server).stdout)
        asked = [entry.target.partition("?")[0] for entry in server.requests if not entry.target.startswith("/oauth")]
    alone = {f"/users/soundcloud:users:{person}" for person in lost}
    assert Counter(asked) == Counter([*alone, *["/users"] * -(-len(embedded) // 50)])
    assert gone_now(path) == before | {("users", person) for person in lost}
    new = {("users", person) for person in lost} - before
    assert found["people"] == {"looked_up": len(embedded), "changed": 0, "gone": len(new), "came_back": 0}
    assert lost


def test_it_says_before_what_it_takes_and_shows_after_what_it_found(run, path):
    (people,) = read(path, "SELECT count(*) FROM users WHERE seen_as = 'embedded'")[0]
    line = f"To look up: {people} people: {-(-people // 50)} requests"
    with run_in_thread(WORLD) as server:
        dry = run("counts", "--of", "people", "--dry-run", "--db", "t.db", server=server)
        assert (dry.stdout.startswith(line), server.total) == (True, 0)
        done = run("counts", "--of", "people", *USUAL, server=server)
    assert done.stderr.startswith(line)
    assert re.search(rf"^ +looked up +changed +gone +came back\n +people +{people} +0 +\d+ +0\n", done.stdout, re.M)


@pytest.mark.parametrize("stop_after", slow_but((1, 4, 7), range(1, 8)))
def test_stopped_after_any_page_it_goes_on(path, stop_after):
    async def sweeps():
        async with serve(WORLD, gzip=False) as server:
            first = await sweep_into(path, server, Sweep(), onlooker=Onlooker(stop_after))
            assert_no_contradiction(path)
            assert await sweep_into(path, server, Sweep()) == "drained"
            return first

    assert asyncio.run(sweeps()) in ("interrupted", "drained")
    assert_holds(path, truth())
    assert_no_contradiction(path)


@pytest.mark.first_case
@pytest.mark.parametrize("kill_at", slow_but((2, 5), (2, 3, 5, 9)))
def test_killed_anywhere_it_goes_on_and_repeats_at_most_what_was_in_flight(run, start, path, kill_at):
    with run_in_thread(WORLD, keep_log=True) as server:
        server.hold_after(kill_at)
        process = start("counts", "--concurrency", "1", *USUAL, server=server)
        until(lambda: server.total >= kill_at)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        server.hold_after(None)
        assert process.returncode == -signal.SIGKILL
        assert_no_contradiction(path)
        assert run("resume" if kill_at % 2 else "counts", *USUAL, server=server).returncode == 0
        assert run("counts", *USUAL, server=server).returncode == 0
        asked = Counter(entry.target for entry in server.requests if not entry.target.startswith("/oauth"))
    assert sum(asked.values()) - len(asked) <= 1
    assert_holds(path, truth())
    assert_no_contradiction(path)


def test_a_bound_stops_it_and_says_how_to_go_on(run, path):
    with run_in_thread(WORLD) as server:
        grow_old(path)
        done = run("counts", "--older-than", "7d", "--max-requests", "3", *USUAL, server=server)
        assert (done.returncode, server.total) == (7, 3)
        assert "Go on with: harvest counts --older-than 7d --cache-path t.db" in done.stdout
        assert "harvest counts --cache-path t.db" in run("status", "--db", "t.db").stdout
        assert run("counts", *USUAL, server=server).returncode == 0
    assert_holds(path, truth(everything=True))
    assert_no_contradiction(path)


def test_what_moved_who_went_and_who_came_back_is_counted(run, path, tmp_path):
    later = World(7, gone=0.4, private=0.1, **OPTIONS)
    later.name = WORLD.name  # the same world at another time
    everybody = {row[0] for row in read(path, "SELECT id FROM users")}
    old = ("counts", "--older-than", "7d", "--of", "people", "--json", *USUAL)
    grow_old(path)
    with run_in_thread(WORLD) as server:
        assert run(*old, server=server).returncode == 0
    first = {person for person in everybody if WORLD.is_gone(person)}
    then = {person for person in everybody if later.is_gone(person)}
    assert first < then < everybody
    moved = everybody - then
    grow_old(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE users SET followers_count = followers_count + 1")
        connection.execute("DELETE FROM user_counts")
    connection.close()
    with run_in_thread(later) as server:
        found = json.loads(run(*old, server=server).stdout)["people"]
        assert found == {
            "looked_up": len(everybody), "changed": len(moved), "gone": len(then - first), "came_back": 0
        }  # fmt: skip
        assert_no_contradiction(path)
        assert {one for table, one in gone_now(path) if table == "users"} == then
    grow_old(path)
    with run_in_thread(WORLD) as server:
        found = json.loads(run(*old, server=server).stdout)["people"]
    back = len(then - first)
    assert found == {"looked_up": len(everybody), "changed": back, "gone": 0, "came_back": back}
    assert {one for table, one in gone_now(path) if table == "users"} == first
    stands = "SELECT count(*) FROM failures WHERE resolved_at IS NULL AND class = 'gone' AND task_id IN (SELECT id FROM"
    assert read(path, f"{stands} tasks WHERE kind = 'lookup')") == [(len(first),)]
    assert_no_contradiction(path)


def test_older_than_asks_for_what_was_seen_before_that_and_no_other(run, path):
    with run_in_thread(WORLD) as server:
        run("counts", *USUAL, server=server)
        before = server.total
        assert run("counts", "--older-than", "1d", *USUAL, server=server).returncode == 0
        assert server.total == before
        wrong = run("counts", "--older-than", "7", "--db", "t.db", server=server)
    assert (wrong.returncode, "'7' needs a unit: 7s, 7m or 7h" in wrong.stderr) == (2, True)
    assert run("counts", "--db", "none.db").returncode == 4


@pytest.mark.first_case
@pytest.mark.parametrize("way", ["crawl", "counts"])
def test_profiles_of_people_already_read_are_looked_up_once(run, path, way):
    people = "SELECT v.thing_id FROM visits AS v WHERE v.thing = 'user' AND v.thing_id NOT IN " + str(GONE)
    profile = "SELECT count(*) FROM users WHERE description IS NOT NULL OR city IS NOT NULL"
    assert read(path, profile) == [(0,)]
    full = {
        "crawl": (WORLD.seed_url(), "--profiles", "full", *USUAL),
        "counts": ("counts", "--of", "people", "--profiles", "full", *USUAL),
    }[way]
    fresh = path.with_name("fresh.db")
    with run_in_thread(WORLD) as server:
        if way == "crawl":
            told = json.loads(run("plan", *full[:-3], "--json", server=server).stdout)
            assert told["requests"]["low"] >= 1
            assert server.total == 0
        assert run(*full, server=server).returncode == 0
        before = server.total
        assert run(*full, server=server).returncode == 0
        assert server.total == before
        given = ("--max-users", "25", "--max-user-likes", "20", "--read", ",".join(LIMITS.read), "--db", fresh)
        made = run(WORLD.seed_url(), "--profiles", "full", *given, "--delay", "0", "-q", server=server)
        assert made.returncode == 0
    columns = "SELECT id, full_name, city, country, description, website FROM users"
    known = read(path, f"{columns} WHERE id IN ({people}) ORDER BY id")
    assert known == read(fresh, f"{columns} WHERE id IN ({people}) ORDER BY id")
    assert any(row[1:] != (None,) * 5 for row in known)
    assert_no_contradiction(path)


def test_python_counts_as_well(path):
    embedded = read(path, "SELECT count(*) FROM users WHERE seen_as = 'embedded'")[0][0]
    pages = []
    with run_in_thread(WORLD) as server:
        usual = {"settings": settings_for(server), "delay": 0}
        found = harvest.counts(path, of="people", progress=pages.append, **usual)
        assert (found["user"].looked_up, found["track"]) == (embedded, Found())
        assert {page.kind for page in pages} == {"lookup"}
        assert harvest.counts(path, of="people", **usual)["user"] == Found()
        for wrong in ({"of": "everybody"}, {"older_than": "7"}, {"depth": 3}):
            with pytest.raises(SettingsError):
                harvest.counts(path, **wrong, **usual)
    assert_no_contradiction(path)


def test_the_lines_of_the_page_run(run, path):
    shown = [
        line
        for line in (ROOT / "docs" / "crawling.md").read_text("utf-8").splitlines()
        if line.startswith("harvest counts")
    ]
    lines = [shlex.split(line, comments=True)[1:] for line in shown]
    assert len(lines) == 2
    with run_in_thread(WORLD) as server:
        for words in lines:
            assert run(*words, *USUAL, server=server).returncode == 0


def test_batches_that_fail_are_gaps_and_can_be_tried_again(run, path):
    with run_in_thread(WORLD, faults="error_500_html[/users?]*100000") as server:
        done = run("counts", *USUAL, server=server)
        assert done.returncode == 6, done.stderr
        assert done.stdout.startswith("Ended with gaps: ")
        assert "Try them again with: harvest retry --cache-path t.db" in done.stdout
        before = server.total
        assert run("counts", *USUAL, server=server).returncode == 6
        assert server.total == before
    assert_no_contradiction(path)
    with run_in_thread(WORLD) as server:
        assert run("retry", *USUAL, server=server).returncode == 0
        assert run("counts", *USUAL, server=server).returncode == 0
    assert_holds(path, truth())
    assert_no_contradiction(path)


def test_a_batch_that_is_refused_as_a_whole_makes_nobody_gone(run, path):
    with run_in_thread(WORLD, faults="missing_json[/users?]*100000") as server:
        assert run("counts", *USUAL, server=server).returncode == 0
    assert_holds(path, truth())
    assert {one for table, one in gone_now(path) if table == "users"} <= set(GONE)
    assert_no_contradiction(path)


def test_a_first_crawl_with_profiles_asks_no_more_than_one_without(run, tmp_path):
    look_ups = "SELECT count(*) FROM tasks WHERE kind = 'lookup'"
    given = (WORLD.seed_url(), "--max-users", "25", "--read", "likers,likes", "--delay", "0", "-q")
    with run_in_thread(WORLD) as server:
        for profiles in ("minimal", "full"):
            assert run(*given, "--profiles", profiles, "--db", f"{profiles}.db", server=server).returncode == 0
    nothing_said = "coalesce(full_name, city, country, description, website) IS NULL AND seen_as = 'list'"
    assert read(tmp_path / "full.db", f"SELECT count(*) > 0 FROM users WHERE {nothing_said}") == [(1,)]
    assert read(tmp_path / "full.db", look_ups) == read(tmp_path / "minimal.db", look_ups)


def test_who_is_asked_about_again_stays_as_they_are_until_the_answer(run, path):
    with run_in_thread(WORLD) as server:
        assert run("counts", *USUAL, server=server).returncode == 0
        gone = gone_now(path)
        grow_old(path)
        assert run("counts", "--older-than", "7d", "--max-requests", "2", *USUAL, server=server).returncode == 7
    with sqlite3.connect(path) as connection:
        for (one,) in connection.execute("SELECT id FROM users").fetchall():
            judge(connection, "user", one)
    connection.close()
    assert gone
    assert gone_now(path) == gone
    assert_no_contradiction(path)
