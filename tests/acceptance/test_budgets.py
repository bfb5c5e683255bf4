"""Bounds on what a crawl may spend: kept to the request, ended cleanly, gone on from."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta

import pytest

from harvest.client.budget import Budget
from harvest.crawler.session import Conditions, crawl
from harvest.models import Limits
from harvest.simulator import run_in_thread, serve
from harvest.system.clock import SystemClock
from harvest.wiring import connect
from tests.crawling import Onlooker, assert_exact, read, settings_for
from tests.repetitions import each_once

CAPS = ("--max-users", "20", "--max-user-likes", "20", "--page-size", "5", "--delay", "0")
LIMITS = Limits(max_users=20, max_user_likes=20)
LONG_HOLDS = {"HARVEST_HOLD_SECONDS": "1000"}


async def crawl_within(path, server, budget, **options):
    """Crawl with a budget, in this process."""
    clock, onlooker = SystemClock(), Onlooker()
    async with connect(settings_for(server), clock=clock, delay=0.0, max_in_flight=8, budget=budget) as connection:
        return await crawl(
            path,
            [([server.world.seed_url()], LIMITS)],
            client=connection.client,
            conditions=Conditions(server.url, connection.bearer.kind, max_in_flight=8, page_size=5),
            witness=onlooker,
            clock=clock,
            on_start=onlooker.started,
            budget=budget,
        )


@pytest.mark.parametrize(
    ("n", "faults"), each_once([1, 2, 3, 9, 40], ["", "error_500_html=0.1,throttled_gateway=0.05"])
)
def test_exactly_so_many_requests_leave_and_all_are_counted(tmp_path, small_world, n, faults):
    """Retries, refusals and the token request are requests like any other."""
    path = tmp_path / "t.db"

    async def both():
        async with serve(small_world, faults=faults, keep_log=True, latency=0.002) as server:
            reason = await crawl_within(path, server, Budget(max_requests=n))
            return server.total, reason

    assert asyncio.run(both()) == (n, "max_requests")
    assert read(path, "SELECT sum(n) FROM run_requests") == [(n,)]
    assert read(path, "SELECT stop_reason FROM runs") == [("max_requests",)]
    assert read(path, "SELECT count(*) FROM readings WHERE state = 'doing'") == [(0,)]


def test_portion_by_portion_it_becomes_the_same_file(tmp_path, small_world):
    path = tmp_path / "t.db"

    async def portions():
        async with serve(small_world) as server:
            ended, before = [], 0
            while not ended or ended[-1][0] != "drained":
                reason = await crawl_within(path, server, Budget(max_requests=11))
                ended.append((reason, server.total - before))
                before = server.total
            return ended

    *ended, (_, last) = asyncio.run(portions())
    assert ended == [("max_requests", 11)] * len(ended)
    assert len(ended) > 5
    assert last <= 11
    assert_exact(path, small_world, limits=LIMITS, page_size=5)


def test_a_budget_that_is_just_enough_is_no_stop(tmp_path, small_world):
    async def need(name, budget):
        async with serve(small_world) as server:
            reason = await crawl_within(tmp_path / name, server, budget)
            return server.total, reason

    total, _ = asyncio.run(need("a.db", Budget()))
    assert asyncio.run(need("b.db", Budget(max_requests=total))) == (total, "drained")
    assert asyncio.run(need("c.db", Budget(max_requests=total - 1))) == (total - 1, "max_requests")


def test_the_summary_says_which_bound_ended_it_and_how_to_go_on(run, server, tmp_path):
    done = run(server.world.seed_url(), "--db", "t.db", *CAPS, "--max-requests", "25", server=server)
    assert (done.returncode, server.total) == (7, 25)
    assert "Stopped by your --max-requests" in done.stdout
    assert "Go on with: harvest resume --cache-path t.db" in done.stdout
    assert "Traceback" not in done.stderr
    told = json.loads(run("resume", "--db", "t.db", "--max-requests", "5", "--json", server=server).stdout)
    assert (told["stop_reason"], told["exit_code"], told["api_calls"]) == ("max_requests", 7, 30)
    assert run("resume", "--db", "t.db", server=server).returncode == 0  # a bound is for one run
    assert_exact(tmp_path / "t.db", server.world, limits=LIMITS, page_size=5)


def test_a_total_counts_all_runs_of_the_file_and_is_kept(run, server, tmp_path):
    url = server.world.seed_url()
    assert run(url, "--db", "t.db", *CAPS, "--max-requests", "10", server=server).returncode == 7
    assert run(url, "--db", "t.db", *CAPS, "--max-requests", "30", "--total", server=server).returncode == 7
    assert server.total == 30
    again = run("resume", "--db", "t.db", server=server)
    assert (again.returncode, server.total) == (7, 30)
    assert "harvest resume --no-total" in again.stdout
    assert run("resume", "--db", "t.db", "--no-total", server=server).returncode == 0
    assert read(tmp_path / "t.db", "SELECT sum(n) FROM run_requests") == [(server.total,)]


def test_time_ends_it_with_what_is_in_flight_kept(run, small_world, tmp_path):
    """Without the bound it would take 16 seconds."""
    with run_in_thread(small_world, latency=0.3, keep_log=True) as server:
        done = run(server.world.seed_url(), "--db", "t.db", *CAPS, "--delay", "0.2", "--for", "2s", server=server)
        assert done.returncode == 7
        assert "--for" in done.stdout
        good = [logged for logged in server.requests if logged.status == 200 and "/oauth" not in logged.target]
        assert read(tmp_path / "t.db", "SELECT count(*) FROM pages") == [(len(good),)]
        assert read(tmp_path / "t.db", "SELECT stop_reason FROM runs") == [("max_time",)]


def test_time_is_up_in_the_middle_of_a_wait_too(run, small_world):
    """Of a wait that nobody here has the time for."""
    with run_in_thread(small_world, faults="throttled_gateway@6*1000") as server:
        done = run(server.world.seed_url(), "--db", "t.db", *CAPS, "--for", "1s", server=server, **LONG_HOLDS)
        assert done.returncode == 7


@pytest.mark.slow
def test_until_a_time_of_day(run, small_world):
    """A process that begins after that time takes it for tomorrow's: it is started anew, with more time."""
    with run_in_thread(small_world, faults="throttled_gateway@6*1000") as server:
        for seconds in (2, 10, 50):
            at = (datetime.now() + timedelta(seconds=seconds)).strftime("%H:%M:%S")
            bounds = ("--until", at, "--for", f"{2 * seconds}s")
            done = run(server.world.seed_url(), "--db", f"{seconds}.db", *CAPS, *bounds, server=server, **LONG_HOLDS)
            if "--until" in done.stdout:
                break
        assert done.returncode == 7
        assert "Stopped by your --until" in done.stdout


def test_so_many_failed_lists_end_it(run, small_world, tmp_path):
    with run_in_thread(small_world, faults="error_500_html@25*100000") as server:
        done = run(server.world.seed_url(), "--db", "t.db", *CAPS, "--max-failures", "3", server=server)
        assert done.returncode == 7, done.stderr
        assert "--max-failures" in done.stdout
        (failed,) = read(tmp_path / "t.db", "SELECT count(*) FROM tasks WHERE outcome = 'failed'")[0]
        assert 3 <= failed < 20
        server.use("")
        assert run("retry", "--db", "t.db", server=server).returncode == 0
        assert_exact(tmp_path / "t.db", server.world, limits=LIMITS, page_size=5)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--for", "2"], "2h"),
        (["--for", "soon"], "1h30m"),
        (["--until", "25:00"], "06:00"),
        (["--max-requests", "0"], "--max-requests"),
        (["--max-failures", "x"], "--max-failures"),
        (["--total"], "--max-requests"),
    ],
)
def test_a_bound_that_makes_no_sense_is_refused_with_what_to_write(run, server, tmp_path, arguments, says):
    done = run(server.world.seed_url(), "--db", "t.db", *arguments, server=server)
    assert (done.returncode, server.total) == (2, 0)
    assert says in done.stderr
    assert not (tmp_path / "t.db").exists()
