"""Signals, power cuts and a service that goes away: everything stops cleanly, and goes on."""

from __future__ import annotations

import asyncio
import os
import pty
import random
import re
import select
import shutil
import signal
import subprocess
import sys
from collections import Counter

import pytest

from harvest.crawler.session import Conditions, crawl
from harvest.errors import StorageFailed
from harvest.models import Limits
from harvest.simulator import run_in_thread, serve
from harvest.system.clock import SystemClock
from harvest.wiring import connect
from tests.acceptance.conftest import environment
from tests.crawling import Onlooker, assert_exact, assert_sound, crawl_world, graph_of, read, settings_for
from tests.faulty import assert_no_contradiction
from tests.repetitions import slow_but
from tests.waiting import PATIENCE, quiet_port, read_until, until

CAPS = ("--max-users", "20", "--max-user-likes", "20", "--page-size", "5")
LIMITS = Limits(max_users=20, max_user_likes=20)


def exact(path, server):
    assert_exact(path, server.world, limits=LIMITS, page_size=5)


def assert_last_word_is_that_of_the_file(stderr, path):
    (told,) = [line for line in stderr.splitlines() if "crawl.ended" in line]
    numbers = dict(re.findall(r"(\w+)=(\d+)", told))
    (pages,), (requests,) = read(path, "SELECT count(*) FROM pages UNION ALL SELECT sum(n) FROM run_requests")
    assert (int(numbers["pages"]), int(numbers["requests"])) == (pages, requests)


@pytest.mark.parametrize("number", slow_but([signal.SIGTERM], [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]))
def test_a_signal_finishes_what_is_in_flight_and_says_how_to_go_on(run, start, small_world, tmp_path, number):
    path = tmp_path / "t.db"
    with run_in_thread(small_world, keep_log=True) as server:
        server.hold_after(16)  # past the lists of the seed: many are read at once then
        process = start(server.world.seed_url(), "--db", path, "--delay", "0.02", *CAPS, server=server)
        until(lambda: server.in_flight >= 4)
        process.send_signal(number)
        read_until(process.stderr, "Ctrl-C again")
        server.hold_after(None)
        out, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert "harvest resume --cache-path" in out
        asked = [logged for logged in server.requests if logged.status == 200 and "/oauth" not in logged.target]
        assert read(path, "SELECT count(*) FROM pages")[0][0] == len(asked)  # all that was in flight is kept
        assert read(path, "SELECT stop_reason FROM runs") == [("interrupted",)]
        assert read(path, "SELECT count(*) FROM lease") == [(0,)]
        assert run("resume", "--db", path, "--delay", "0", server=server).returncode == 0
        exact(path, server)


def test_a_second_ctrl_c_stops_at_once(run, start, small_world, tmp_path):
    """The replies that are under way would take hours."""
    path = tmp_path / "t.db"
    with run_in_thread(small_world, faults="trickle(1)[/likes/tracks]") as server:
        process = start(
            server.world.seed_url(), "--db", path, "--delay", "0", *CAPS, server=server, HARVEST_REQUEST_SECONDS="3000"
        )
        until(lambda: server.in_flight >= 2)
        process.send_signal(signal.SIGINT)
        read_until(process.stderr, "Ctrl-C again")
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert_sound(path)
        server.use("")
        assert run("resume", "--db", path, "--delay", "0", server=server).returncode == 0
        exact(path, server)


def test_a_closed_terminal_is_the_first_ctrl_c_however_often_it_is_told(run, small_world, tmp_path):
    """The terminal goes, and with it all that could be said; what is in flight is kept all the same."""
    path = tmp_path / "t.db"
    with run_in_thread(small_world, keep_log=True) as server:
        server.hold_after(16)
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(tmp_path)
            arguments = [server.world.seed_url(), "--db", str(path), "--delay", "0.02", *CAPS]
            os.execve(sys.executable, [sys.executable, "-m", "harvest", *arguments], environment(server, TERM="xterm"))
        until(lambda: select.select([terminal], [], [], 0)[0] and os.read(terminal, 65536) and server.in_flight >= 4)
        os.close(terminal)
        os.kill(pid, signal.SIGHUP)
        os.kill(pid, signal.SIGHUP)
        assert os.waitpid(pid, os.WNOHANG) == (0, 0)
        server.hold_after(None)
        os.waitpid(pid, 0)
        asked = [logged for logged in server.requests if logged.status == 200 and "/oauth" not in logged.target]
        assert read(path, "SELECT count(*) FROM pages")[0][0] == len(asked)
        assert read(path, "SELECT stop_reason FROM runs") == [("interrupted",)]
        assert run("resume", "--db", path, "--delay", "0", server=server).returncode == 0
        exact(path, server)


@pytest.mark.slow
def test_nohup_lets_a_crawl_go_on(start, small_world, tmp_path):
    path = tmp_path / "t.db"
    with run_in_thread(small_world) as server:
        server.hold_after(5)
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what nohup does, and a process inherits
        try:
            process = start(server.world.seed_url(), "--db", path, "--delay", "0.02", *CAPS, server=server)
        finally:
            signal.signal(signal.SIGHUP, before)
        until(lambda: server.in_flight >= 1)
        process.send_signal(signal.SIGHUP)
        server.hold_after(None)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 0


# Sends itself a signal when a module is looked for, or at the very end: moments that a clock would not find again.
AT_THAT_MOMENT = """
import atexit, os, sys
_, number, moment, *sys.argv[1:] = sys.argv
def send():
    os.kill(os.getpid(), int(number))
class Finder:
    def find_spec(name, path=None, target=None):
        if name == moment:
            send()
if moment == "the end":
    atexit.register(send)
sys.meta_path.insert(0, Finder)
from harvest.__main__ import main
main()
"""


@pytest.mark.parametrize(
    ("moment", "arguments"),
    [
        pytest.param("click", ["--help"], marks=pytest.mark.slow),
        ("harvest.cli.main", ["status"]),
        pytest.param("harvest.cli.commands.status", ["status"], marks=pytest.mark.slow),
        pytest.param("harvest.store", ["status"], marks=pytest.mark.slow),
        pytest.param("harvest.explore", ["sql", "SELECT 1"], marks=pytest.mark.slow),
        pytest.param("harvest.cli.commands.crawl", ["a/b"], marks=pytest.mark.slow),
        ("httpx", ["a/b"]),
        pytest.param("rich", ["demo"], marks=pytest.mark.slow),
        pytest.param("harvest.simulator", ["demo"], marks=pytest.mark.slow),
        pytest.param("harvest.cli.commands.auth", ["auth", "status"], marks=pytest.mark.slow),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_while_a_command_starts_gets_one_line(tmp_path, moment, arguments, number):
    done = subprocess.run(
        [sys.executable, "-c", AT_THAT_MOMENT, str(int(number)), moment, *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(),
        timeout=PATIENCE,
        check=False,
    )
    early = number == signal.SIGHUP and moment in ("click", "harvest.cli.main")  # nothing is open: the system ends it
    assert (done.returncode, done.stderr.strip()) == ((-number, "") if early else (130, "Interrupted."))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_when_all_is_done_changes_nothing(tmp_path, number):
    done = subprocess.run(
        [sys.executable, "-c", AT_THAT_MOMENT, str(int(number)), "the end", "--version"],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout.split()[0], done.stderr) == (0, "harvest", "")


def test_ctrl_c_in_a_hold_stops_at_once(start, small_world, tmp_path):
    path = tmp_path / "t.db"
    with run_in_thread(small_world, faults="throttled_gateway@6*1000") as server:
        process = start(
            server.world.seed_url(), "--db", path, "--delay", "0", *CAPS, server=server, HARVEST_HOLD_SECONDS="1000"
        )
        read_until(process.stderr, "slow down")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert "harvest resume" in out


@pytest.mark.slow
def test_a_service_that_goes_away_for_good_ends_with_exit_5_and_can_be_resumed(run, start, small_world, tmp_path):
    path, port = tmp_path / "t.db", quiet_port()
    with run_in_thread(small_world, port) as server:
        server.hold_after(20)
        process = start(
            server.world.seed_url(), "--db", path, "--delay", "0.02", *CAPS, server=server, HARVEST_HOLD_SECONDS="0.05"
        )
        until(lambda: server.total > 20)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 5, err
    assert "harvest resume" in err
    assert_sound(path)
    assert read(path, "SELECT count(*) FROM failures WHERE resolved_at IS NULL")[0][0] == 0  # no list is to blame
    with run_in_thread(small_world, port) as server:
        assert run("resume", "--db", path, "--delay", "0", server=server).returncode == 0
        exact(path, server)


@pytest.mark.slow
def test_a_service_that_blocks_us_for_good_ends_with_exit_5_and_can_be_resumed(run, small_world, tmp_path):
    path = tmp_path / "t.db"
    arguments = [small_world.seed_url(), "--db", path, "--delay", "0", *CAPS]
    with run_in_thread(small_world, faults="waf_challenge@12*100000") as server:
        blocked = run(*arguments, server=server, HARVEST_HOLD_SECONDS="0.02")
        assert blocked.returncode == 5
        assert "harvest resume" in blocked.stderr
        assert_last_word_is_that_of_the_file(blocked.stderr, path)
        assert read(path, "SELECT state FROM harvests") == [("paused",)]
        server.use("")
        assert run("resume", "--db", path, server=server).returncode == 0
        exact(path, server)


def test_a_power_cut_leaves_an_earlier_page_and_never_half_of_one(run, start, server, tmp_path):
    """What a power cut does to a file in WAL mode: the tail of the WAL was never written."""
    path = tmp_path / "t.db"
    server.hold_after(40)
    process = start(server.world.seed_url(), "--db", path, "--delay", "0.01", *CAPS, server=server)
    until(lambda: server.total > 40)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    server.hold_after(None)
    wal = path.with_name("t.db-wal")
    whole = wal.read_bytes()
    chance = random.Random(3)
    for cut in sorted(chance.sample(range(len(whole)), 2)):
        copy = tmp_path / f"cut{cut}.db"
        shutil.copy(path, copy)
        copy.with_name(f"{copy.name}-wal").write_bytes(whole[:cut])
        tables = read(copy, "SELECT count(*) FROM sqlite_schema WHERE name = 'tasks'")[0][0]
        assert_sound(copy)
        arguments = ["resume", "--db", copy] if tables else [server.world.seed_url(), "--db", copy, *CAPS]
        assert run(*arguments, "--delay", "0", server=server).returncode == 0
        exact(copy, server)
        assert_no_contradiction(copy)


def test_a_display_that_fails_ends_the_crawl_at_once_and_the_books_are_closed(small_world, tmp_path):
    path = tmp_path / "t.db"

    servers = []

    def heard(progress):
        if progress.standing.asked:
            servers[-1].hold_after(None)  # what is on the wire is waited for
            raise OSError("nowhere to show it")

    async def crawling():
        clock = SystemClock()
        async with (
            serve(small_world) as server,
            connect(settings_for(server), clock=clock, delay=0) as connection,
        ):
            servers.append(server)
            server.hold_after(10)  # in the middle, however late it is shown
            await crawl(
                path,
                [([small_world.seed_url()], LIMITS)],
                client=connection.client,
                conditions=Conditions(server.url, connection.bearer.kind, page_size=5),
                witness=Onlooker(),
                clock=clock,
                on_progress=heard,
            )

    with pytest.raises(StorageFailed, match="nowhere to show it"):
        asyncio.run(crawling())
    assert read(path, "SELECT stop_reason, ended_at IS NOT NULL FROM runs") == [("OSError", 1)]
    assert read(path, "SELECT state FROM harvests") == [("paused",)]
    assert read(path, "SELECT count(*) FROM lease") == [(0,)]
    assert read(path, "SELECT count(*) FROM readings WHERE state = 'doing'") == [(0,)]
    assert read(path, "SELECT count(*) FROM readings WHERE state = 'todo'") != [(0,)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, small_world):
    path = tmp_path_factory.mktemp("undisturbed") / "t.db"
    crawl_world(path, small_world, limits=LIMITS, page_size=5, max_in_flight=4)
    return graph_of(path)


@pytest.mark.parametrize(
    "instants", [pytest.param(25, marks=pytest.mark.slow), pytest.param(200, marks=pytest.mark.soak)]
)
@pytest.mark.timeout(3600)
def test_killed_at_random_instants_it_equals_an_undisturbed_crawl(start, small_world, tmp_path, undisturbed, instants):
    killed_at_random(start, small_world, tmp_path, undisturbed, instants, random.Random(5))


@pytest.mark.soak
@pytest.mark.fresh
def test_killed_at_new_instants_it_equals_an_undisturbed_crawl(start, small_world, tmp_path, undisturbed, fresh_seed):
    killed_at_random(start, small_world, tmp_path, undisturbed, 5, random.Random(fresh_seed))


def killed_at_random(start, world, folder, undisturbed, instants, chance):
    kills = trial = 0
    while kills < instants:
        trial += 1
        path = folder / f"{trial}.db"
        with run_in_thread(world, latency=(0.0, 0.01), keep_log=True) as server:
            kills_now = crawl_killed_at_random(start, server, path, chance)
            asked = Counter(logged.target for logged in server.requests if logged.status == 200)
        del asked["/oauth/token"]
        assert sum(asked.values()) - len(asked) <= kills_now * 4  # the pages in flight, no more
        assert graph_of(path) == undisturbed
        kills += kills_now


def crawl_killed_at_random(start, server, path, chance):
    """Kill a crawl at random instants of its work until it gets through; give how often."""
    arguments = [server.world.seed_url(), "--db", path, "--concurrency", "4", "--delay", "0.02", *CAPS]
    kills = 0
    while True:
        process = start(*arguments, server=server)
        seen = server.total
        until(lambda seen=seen, process=process: server.total > seen or process.poll() is not None)
        try:
            process.wait(timeout=chance.uniform(0.0, 0.4))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.communicate()
        if process.returncode == 0:
            return kills
        assert process.returncode == -signal.SIGKILL
        if path.exists() and read(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'harvests'") == [(1,)]:
            arguments = ["resume", "--db", path]
