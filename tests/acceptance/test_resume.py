"""Killed at any instant and resumed, a crawl ends as if nothing had happened."""

from __future__ import annotations

import random
import signal
import sqlite3
from collections import Counter
from dataclasses import asdict

import pytest

from harvest.models import Limits
from harvest.simulator import run_in_thread
from tests.crawling import Onlooker, assert_exact, assert_sound, crawl_world, graph_of, read
from tests.repetitions import slow_but
from tests.waiting import until

CAPS = ("--max-users", "25", "--max-user-likes", "20", "--page-size", "5", "--delay", "0")
LIMITS = Limits(max_users=25, max_user_likes=20)
IN_FLIGHT = 4


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, small_world):
    """The same crawl without a kill."""
    path = tmp_path_factory.mktemp("undisturbed") / "t.db"
    server = crawl_world(path, small_world, limits=LIMITS, page_size=5, max_in_flight=IN_FLIGHT)
    return graph_of(path), server.total


def kill_after(process, server, requests, more):
    """SIGKILL a crawl once the service has seen so many requests and some more; it cannot be over before."""
    server.hold_after(requests + 2 * IN_FLIGHT)
    until(lambda: server.total >= requests + more or process.poll() is not None, every=0.0005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    server.hold_after(None)


def crawl_with_kills(run, start, server, path, kill_points, chance):
    """Kill the crawl again and again, then let it finish; give how often each page was asked for."""
    arguments = [server.world.seed_url(), "--db", path, "--concurrency", str(IN_FLIGHT), *CAPS]
    kills = 0
    for point in kill_points:
        process = start(*arguments, server=server)
        kill_after(process, server, point, chance.randint(0, 2 * IN_FLIGHT))
        kills += process.returncode == -signal.SIGKILL
        arguments = ["resume", "--db", path] if path.exists() and read_or_nothing(path) else arguments
    done = run(*arguments, server=server)
    assert done.returncode == 0, done.stderr
    asked = Counter(logged.target for logged in server.requests if "/oauth" not in logged.target)
    return kills, asked


def read_or_nothing(path):
    try:
        return read(path, "SELECT 1 FROM harvests")
    except sqlite3.OperationalError:
        return []


def test_a_crawl_killed_again_and_again_equals_an_undisturbed_one(tmp_path, run, start, server, undisturbed):
    graph, requests = undisturbed
    path = tmp_path / "t.db"
    points = range(2, requests, max(1, requests // 4))
    kills, asked = crawl_with_kills(run, start, server, path, points, random.Random(1))
    assert kills >= 3
    assert graph_of(path) == graph
    assert_exact(path, server.world, limits=LIMITS, page_size=5)
    repeated = sum(asked.values()) - len(asked)
    refused = sum(logged.status == 403 for logged in server.requests)  # asked twice on purpose
    assert repeated <= kills * IN_FLIGHT + refused


@pytest.mark.parametrize("every", [pytest.param(5, marks=pytest.mark.slow), pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.timeout(3600)
def test_a_crawl_killed_at_one_request_after_the_other_equals_an_undisturbed_one(
    tmp_path, run, start, small_world, undisturbed, every
):
    graph, requests = undisturbed
    chance = random.Random(2)
    for point in range(1, requests + 1, every):
        path = tmp_path / f"{point}.db"
        with run_in_thread(small_world, keep_log=True) as server:
            kills, asked = crawl_with_kills(run, start, server, path, [point], chance)
            refused = sum(logged.status == 403 for logged in server.requests)
        assert graph_of(path) == graph, point
        assert_sound(path)
        assert sum(asked.values()) - len(asked) <= kills * IN_FLIGHT + refused, point


def test_a_second_run_asks_nothing_and_changes_no_row(tmp_path, run, server):
    path = tmp_path / "t.db"
    arguments = [server.world.seed_url(), "--db", path, *CAPS]
    assert run(*arguments, server=server).returncode == 0
    with sqlite3.connect(path) as connection:
        before = list(connection.iterdump())
    connection.close()
    asked = server.total
    again = run(*arguments, server=server)
    assert again.returncode == 0
    assert "complete" in again.stdout
    assert server.total == asked
    with sqlite3.connect(path) as connection:
        assert list(connection.iterdump()) == before
    connection.close()


def test_resume_of_a_complete_file_says_so_and_asks_nothing(tmp_path, run, server):
    """Peers run a finished crawl anew."""
    path = tmp_path / "t.db"
    assert run(server.world.seed_url(), "--db", path, *CAPS, server=server).returncode == 0
    asked = server.total
    again = run("resume", "--db", path, server=server)
    assert (again.returncode, server.total) == (0, asked)
    assert "Nothing to do" in again.stdout


def test_resume_takes_the_options_from_the_file(tmp_path, run, server, undisturbed):
    path = tmp_path / "t.db"
    process_options = [server.world.seed_url(), "--db", path, *CAPS]
    first = run(*process_options, server=server, HARVEST_CONCURRENCY="1")
    assert first.returncode == 0
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE harvests SET state = 'paused'")
        empty = "SELECT id FROM tasks WHERE kind = 'user_likes' AND collected = 0"
        connection.execute(f"UPDATE readings SET state = 'todo', outcome = NULL WHERE task_id IN ({empty})")
        connection.execute(f"UPDATE tasks SET outcome = NULL WHERE id IN ({empty})")
    connection.close()
    assert run("resume", "--db", path, server=server).returncode == 0
    assert_exact(path, server.world, limits=LIMITS, page_size=5)
    options = read(path, "SELECT options FROM runs ORDER BY id DESC LIMIT 1")[0][0]
    assert '"page_size": 5' in options
    assert '"delay": 0' in options


@pytest.mark.first_case
@pytest.mark.parametrize("stop_after", slow_but((1, 5, 60), (1, 2, 5, 20, 60)))
def test_a_crawl_stopped_and_resumed_equals_an_undisturbed_one(tmp_path, small_world, undisturbed, stop_after):
    import asyncio

    from harvest.simulator import serve
    from tests.crawling import crawl_into

    path = tmp_path / "t.db"

    async def twice():
        async with serve(small_world, gzip=False, keep_log=True) as server:
            onlooker = Onlooker(stop_after)
            how = {"limits": LIMITS, "page_size": 5, "max_in_flight": IN_FLIGHT}
            assert await crawl_into(path, server, onlooker=onlooker, **how) == "interrupted"
            assert read(path, "SELECT count(*) FROM readings WHERE state = 'doing'") == [(0,)]
            assert read(path, "SELECT state FROM harvests") == [("paused",)]
            assert await crawl_into(path, server, **how) == "drained"
            return Counter(logged.target for logged in server.requests if logged.status == 200)

    answered = asyncio.run(twice())
    assert graph_of(path) == undisturbed[0]
    assert [target for target, n in answered.items() if n > 1] == ["/oauth/token"]  # not one page twice


def test_two_seeds_one_after_the_other_equal_the_two_together(tmp_path, small_world):
    one, two = small_world.seed_urls(2)
    together, apart = tmp_path / "together.db", tmp_path / "apart.db"
    joint = crawl_world(together, small_world, [one, two], LIMITS, page_size=5)
    first = crawl_world(apart, small_world, [one], LIMITS, page_size=5)
    second = crawl_world(apart, small_world, [two], LIMITS, page_size=5)
    assert_exact(together, small_world, [one, two], LIMITS, page_size=5)
    assert graph_of(together) == graph_of(apart)
    assert first.total + second.total - 1 == joint.total  # a user's likes are read once; one more token


@pytest.mark.first_case
@pytest.mark.parametrize("step", [{"max_users": 40}, {"max_user_likes": 33}, {"max_listed": 28}, {"depth": 2}])
def test_a_larger_option_on_a_later_run_goes_on_to_the_same_end(tmp_path, small_world, step):
    small = Limits(max_users=10, max_user_likes=7, max_listed=12, max_tracks=2)
    large = Limits(**{**asdict(small), **step})
    path = tmp_path / "t.db"
    crawl_world(path, small_world, limits=small, page_size=5)
    asked = {row[0] for row in read(path, "SELECT request FROM pages")}
    server = crawl_world(path, small_world, limits=large, page_size=5)
    assert_exact(path, small_world, limits=large, page_size=5)
    again = Counter(logged.target for logged in server.requests if logged.target in asked)
    cut = read(
        path,
        "SELECT count(*) FROM pages p WHERE EXISTS (SELECT 1 FROM pages q WHERE q.task_id = p.task_id"
        " AND q.number < p.number AND q.request = p.request)",
    )[0][0]
    assert sum(again.values()) == cut  # only pages that the old cap had cut
