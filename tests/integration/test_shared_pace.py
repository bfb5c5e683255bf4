"""Processes that use the same credentials stand in one line, whatever happens to one of them."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from harvest.errors import Blocked
from harvest.pacing.limiter import Busy, Pace
from harvest.pacing.shared import FILE_NAME, SharedLedger, _bury, _open, bucket_of
from harvest.simulator import World, run_in_thread
from harvest.system.processes import here
from tests.locking import being_made
from tests.waiting import until

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tiny_world():
    """Nobody looks at what it holds."""
    return World(1, users=10, tracks=10)


@pytest.fixture
def folder(tmp_path):
    """Where the processes meet."""
    return tmp_path / "state" / "harvest"


@pytest.fixture
def troubles():
    """What went wrong with the file."""
    return []


@pytest.fixture
def join(folder, clock, troubles):
    """Enter the line, as another process would."""
    paces = []

    def joined(delay=0.5, bucket="api#1", hold_seconds=10.0, **options):
        ledger = SharedLedger(folder, bucket, clock=clock, delay=delay, on_trouble=troubles.append)
        paces.append(Pace(clock=clock, ledger=ledger, delay=delay, hold_seconds=hold_seconds, **options))
        return paces[-1]

    yield joined
    for pace in paces:
        pace._ledger.close()


async def started(pace, clock):
    slot = await pace.slot()
    pace.succeeded(slot)
    return round(clock.monotonic() - 1000, 3)


def test_a_line_is_named_after_service_and_client_and_the_client_is_not_told():
    assert bucket_of("https://api.soundcloud.com", "abc") == "api.soundcloud.com#ba7816bf"
    assert bucket_of("https://API.soundcloud.com", None) == "api.soundcloud.com"
    assert bucket_of("http://127.0.0.1:8765", None) == "127.0.0.1:8765"


async def test_two_processes_take_turns(join, clock):
    one, other = join(), join()
    moments = await asyncio.gather(*(started(pace, clock) for pace in (one, other, one, other)))
    assert sorted(moments) == [0.0, 0.5, 1.0, 1.5]


async def test_four_processes_get_the_same_share_and_no_place_is_wasted(join, clock):
    """Each has four requests that want to start at any time; in every round each of the four starts one."""
    paces = [join(delay=0.5) for _ in range(4)]
    order = []

    async def ask(name):
        for _ in range(5):
            moment = await started(paces[name], clock)
            order.append((moment, name))
            await clock.sleep(0.7)

    await asyncio.gather(*(ask(name) for name in range(4) for _ in range(4)))
    order.sort()
    assert [moment for moment, _ in order] == [0.5 * n for n in range(80)]
    assert all(len({name for _, name in order[n : n + 4]}) == 4 for n in range(1, 74))  # the first one begins


async def test_a_late_start_of_one_moves_those_who_wait_already(join, clock):
    class Lazy:
        now, monotonic = clock.now, clock.monotonic

        async def sleep(self, seconds):
            await clock.sleep(seconds + 0.2)

    late, other = join(), join()
    late._clock = Lazy()
    await started(other, clock)
    assert await asyncio.gather(started(late, clock), started(other, clock)) == [0.7, 1.2]


async def test_other_clients_have_a_line_of_their_own(join, clock):
    one, other = join(), join(bucket="api#2")
    assert await asyncio.gather(started(one, clock), started(other, clock)) == [0.0, 0.0]


async def test_the_slowest_live_process_counts_until_it_leaves(join, clock):
    one, slow = join(delay=0.5), join(delay=3.0)
    assert [await started(one, clock) for _ in range(2)] == [0.0, 3.0]
    async with slow:
        pass
    assert [await started(one, clock) for _ in range(3)] == [6.0, 6.5, 7.0]


async def test_a_refusal_of_one_holds_the_other_and_one_goes_first(join, clock):
    waits = []
    one, other = join(), join(on_wait=lambda reason, seconds: waits.append((reason, round(seconds, 3))))
    one.hold(10, "slow down", slot=await one.slot())
    first, second = asyncio.create_task(one.slot()), asyncio.create_task(other.slot())
    alone = await first
    assert alone.alone
    assert clock.monotonic() == pytest.approx(1010, abs=1)
    await clock.sleep(5)
    assert not second.done()
    one.succeeded(alone)
    assert (await second).started > alone.started
    assert waits[0] == ("slow down", 10.0)
    assert other.waited_seconds == pytest.approx(10, abs=0.01)


async def test_six_holds_in_a_row_end_every_process_and_a_later_run_may_try_again(join, clock):
    one, other = join(), join()
    for _ in range(7):
        one.hold(1, "slow down", slot=await one.slot())
    for pace in (one, other):
        with pytest.raises(Blocked):
            await pace.slot()
        pace._ledger.close()
    assert (await join().slot()).alone


async def test_what_was_learned_survives_a_restart_and_a_day_of_rest_ends_it(join, clock, folder):
    async with join(delay=0.0, hold_seconds=1.0) as one:
        for _ in range(20):
            await started(one, clock)
        one.hold(1, "slow down", slot=await one.slot())
        learned = one.interval
    assert learned > 0
    async with join(delay=0.0) as later:
        await started(later, clock)
        assert later.interval == learned
    await clock.sleep(86_401)
    async with join(delay=0.0) as much_later:
        await started(much_later, clock)
        assert much_later.interval == 0


@pytest.mark.parametrize("seconds", [-7200.0, -90.0, 7200.0])
async def test_a_clock_that_jumps_stops_nobody(join, clock, monkeypatch, seconds):
    pace = join()
    await started(pace, clock)
    right = clock.now
    monkeypatch.setattr(clock, "now", lambda: right().fromtimestamp(right().timestamp() + seconds, tz=right().tzinfo))
    began = clock.monotonic()
    for _ in range(2):
        await started(pace, clock)
    assert clock.monotonic() - began <= 2.0


async def test_a_hold_outlives_a_clock_that_is_put_back(join, clock, monkeypatch):
    pace = join()
    pace.hold(10, "slow down", slot=await pace.slot())
    right = clock.now
    monkeypatch.setattr(clock, "now", lambda: right().fromtimestamp(right().timestamp() - 7200, tz=right().tzinfo))
    assert await started(pace, clock) == pytest.approx(10, abs=1.1)


async def test_a_place_far_ahead_without_a_hold_is_forgotten(join, clock):
    pace = join()
    pace._ledger.change(lambda turns, now: setattr(turns, "free_at", now + 5000))
    assert await started(pace, clock) == 0.0


async def test_who_is_cancelled_leaves_the_place_to_others(join, clock):
    one, other = join(), join()
    await started(one, clock)
    leaver = asyncio.create_task(one.slot())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leaver.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaver
    assert await started(other, clock) == 0.5


async def test_who_went_first_and_is_silent_is_not_waited_for(join, clock):
    one, other = join(), join()
    one.hold(1, "slow down", slot=await one.slot())
    assert (await one.slot()).alone
    assert (await other.slot()).alone
    assert 100 < clock.monotonic() - 1000 < 150


@pytest.mark.parametrize("content", [b"this is no database, and it is long enough to be sure of that" * 20, b""])
async def test_a_broken_file_is_put_aside(join, clock, folder, troubles, content):
    folder.mkdir(parents=True)
    (folder / FILE_NAME).write_bytes(content)
    one, other = join(), join()
    assert sorted(await asyncio.gather(started(one, clock), started(other, clock))) == [0.0, 0.5]
    assert troubles == []
    assert (folder / f"{FILE_NAME}.broken").exists() == bool(content)


async def test_a_folder_that_cannot_be_used_costs_one_line_and_no_crawl(join, clock, folder, troubles):
    folder.parent.mkdir(parents=True)
    folder.write_text("a file where the folder should be")
    pace = join()
    assert [await started(pace, clock) for _ in range(3)] == [0.0, 0.5, 1.0]
    assert len(troubles) == 1


async def test_a_file_that_breaks_meanwhile_costs_one_line_and_no_crawl(join, clock, folder, troubles):
    pace = join()
    await started(pace, clock)
    with sqlite3.connect(folder / FILE_NAME) as db:
        db.execute("DROP TABLE members")
    db.close()
    assert [await started(pace, clock) for _ in range(2)] == [0.5, 1.0]
    assert len(troubles) == 1


async def test_turns_that_another_version_wrote_count_as_nothing(join, clock, folder, troubles):
    pace = join()
    with sqlite3.connect(folder / FILE_NAME) as db:
        db.execute("UPDATE pace SET turns = CAST('{\"delay\": []}' AS BLOB)")
    db.close()
    assert await started(pace, clock) == 0.0
    assert troubles == []


async def test_a_busy_file_is_asked_again_and_nothing_is_lost(join, clock, folder, troubles):
    pace = join()
    slot = await pace.slot()
    blocker = sqlite3.connect(folder / FILE_NAME, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    pace.hold(10, "slow down", slot=slot)
    with pytest.raises(Busy):
        pace._ledger.change(lambda turns, now: None)
    waiting = asyncio.create_task(pace.slot())
    await clock.sleep(0.05)
    blocker.execute("ROLLBACK")
    blocker.close()
    assert (await waiting).alone
    assert clock.monotonic() >= 1010
    assert troubles == []


def test_who_begins_while_another_makes_the_file_shares_the_pace_with_it(join, folder, troubles):
    folder.mkdir(parents=True)
    with being_made(folder / FILE_NAME):
        join()
    with closing(sqlite3.connect(folder / FILE_NAME)) as db:
        assert db.execute("SELECT count(*) FROM members").fetchone() == (1,)
    assert troubles == []


def test_the_folder_and_the_file_are_private(join, folder):
    join()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / FILE_NAME).stat().st_mode & 0o777 == 0o600


# -- real processes ---------------------------------------------------------------------------------------------------


@pytest.fixture
def ask(folder):
    """Start processes that ask a server over and over; give them when they have begun."""
    running = []

    def begin(server, delays):
        script = [sys.executable, str(ROOT / "tests" / "paced.py"), server.url, str(folder)]
        processes = [
            subprocess.Popen(
                [*script, str(name), str(delay)], env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE
            )
            for name, delay in enumerate(delays, len(running))
        ]
        running.extend(processes)
        for process in processes:
            assert process.stdout.readline() == b"begun\n"
        return processes

    yield begin
    for process in running:
        process.kill()
        process.communicate()


class Start(NamedTuple):
    """When a request started, who sent it, how it was answered, how many were under way when it arrived."""

    moment: float
    name: str
    status: int
    in_flight: int


def starts(server, since=0.0):
    """Give what has arrived so far, in the order in which it started."""
    found = []
    for entry in list(server.requests):
        name, moment = re.fullmatch(r"/who\?name=(.)&at=(.*)", entry.target).groups()
        found.append(Start(float(moment), name, entry.status, entry.in_flight))
    return sorted(start for start in found if start.moment > since)


def names(found):
    return {start.name for start in found}


def gaps(found):
    return [after.moment - before.moment for before, after in pairwise(found)]


def after_the_hold(server, seconds):
    """Give what started after a hold of so many seconds, which began with a refusal."""
    refused = next((start.moment for start in starts(server) if start.status == 429), float("inf"))
    for before, after in pairwise(starts(server)):
        if after.moment > refused and after.moment - before.moment >= seconds:
            return starts(server, before.moment)
    return []


def looks_of_the_others(folder, count):
    """Wait until so many looks were taken at the line, each of which writes its moment into it."""
    moments = set()

    def look():
        with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
            moments.update(connection.execute("SELECT touched_at FROM pace"))
        return len(moments) > count

    until(look)


A_LITTLE = 1e-5  # moments are told with six digits


@pytest.mark.alone
@pytest.mark.parametrize(("delay", "enough"), [(0.05, 60), pytest.param(0.1, 200, marks=pytest.mark.soak)])
def test_four_processes_stay_under_one_limit_and_share_it(tiny_world, ask, delay, enough):
    """No two starts lie closer together than allowed, whoever they belong to; nobody is left behind."""
    with run_in_thread(tiny_world, latency=0.05, keep_log=True) as server:
        ask(server, [delay] * 4)
        began = time.time()
        until(lambda: len(starts(server, began)) >= enough)
        found = starts(server, began)[:enough]
    assert min(gaps(found)) >= delay - A_LITTLE
    shares = Counter(start.name for start in found)
    assert len(shares) == 4
    assert min(shares.values()) >= 0.4 * enough / 4, shares


def test_a_refusal_stops_all_processes_and_one_request_goes_first(tiny_world, ask, folder):
    with run_in_thread(tiny_world, latency=0.02, keep_log=True) as server:
        ask(server, [0.03] * 4)
        until(lambda: server.total > 20)
        server.use("throttled_gateway(2)@1")
        until(lambda: 429 in server.statuses)
        server.hold_after(server.total)
        until(lambda: after_the_hold(server, 2.0))
        looks_of_the_others(folder, 20)  # there is time for many more, and nobody uses it
        assert len(after_the_hold(server, 2.0)) == 1
        server.hold_after(None)
        until(lambda: names(after_the_hold(server, 2.0)) == set("0123"))


def test_a_process_that_is_killed_while_it_goes_first_holds_nobody_up(tiny_world, ask):
    with run_in_thread(tiny_world, latency=0.02, keep_log=True) as server:
        processes = ask(server, [0.03] * 3)
        until(lambda: server.total > 10)
        server.use("throttled_gateway(2)@1")
        until(lambda: 429 in server.statuses)
        server.hold_after(server.total)
        ((moment, first, *_),) = until(lambda: after_the_hold(server, 2.0))
        processes[int(first)].kill()
        processes[int(first)].wait()
        server.hold_after(None)
        until(lambda: names(starts(server, moment)) == set("012") - {first})


@pytest.mark.slow
def test_a_process_that_is_killed_in_the_line_holds_nobody_up(tiny_world, ask):
    with run_in_thread(tiny_world, latency=0.02, keep_log=True) as server:
        first, *_ = ask(server, [0.4, 0.4, 0.4])  # each has a place about a second ahead
        until(lambda: server.total > 2)
        first.kill()
        first.wait()
        killed = time.time()
        until(lambda: len(starts(server, killed)) >= 4)
        assert names(starts(server, killed)) == set("12")


@pytest.mark.slow
def test_different_delays_go_at_the_slowest_until_that_process_is_gone(tiny_world, ask):
    with run_in_thread(tiny_world, keep_log=True) as server:
        slow, _ = ask(server, [0.2, 0.02])
        began = time.time()
        until(lambda: len(starts(server, began)) > 8)
        assert min(gaps(starts(server, began))) >= 0.2 - A_LITTLE
        slow.kill()
        slow.wait()
        killed = time.time()
        until(lambda: min(gaps(starts(server, killed)), default=1.0) < 0.1)


def test_the_next_run_begins_at_the_pace_that_was_learned(tiny_world, ask):
    """A service with a limit of 5 a second: the first run is refused, the second one keeps to what it has learned."""
    with run_in_thread(tiny_world, keep_log=True, rate=5) as server:
        (first,) = ask(server, [0.0])
        until(lambda: 429 in server.statuses and 429 not in {entry.status for entry in server.requests[-6:]})
        first.kill()
        first.wait()
        assert min(gaps(starts(server))) < 0.1
        began = time.time()
        ask(server, [0.0])
        until(lambda: len(starts(server, began)) > 8)
        assert min(gaps(starts(server, began))) >= 0.1


def test_a_member_in_another_container_is_forgotten_when_it_is_silent_and_not_before(tmp_path):
    """Its number says nothing here: there is always a process 1."""
    with closing(_open(tmp_path / "pace.db")) as db:
        machine, boot, _ = here().split("/")
        for name, there, seen_at in (("lives", "theirs", 970.0), ("silent", "theirs", 930.0), ("dead", "", 999.0)):
            marked = f"1@{machine}/{boot}/{there}" if there else f"1@{here()}"
            row = (name, "service", socket.gethostname(), 1, marked, 0.5, seen_at)
            db.execute("INSERT INTO members VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        _bury(db, "service", socket.gethostname(), 1000.0)
        assert db.execute("SELECT id FROM members").fetchall() == [("lives",)]
