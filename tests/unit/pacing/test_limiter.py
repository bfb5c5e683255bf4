"""Requests start in their turn, and stop together."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from harvest.errors import Blocked, Challenged, Gone, RateLimited, ServerTrouble
from harvest.pacing.limiter import Pace
from harvest.pacing.queue import Turns


@pytest.fixture
def waits():
    """What was said about waiting."""
    return []


@pytest.fixture
def pace(clock, waits):
    """Half a second between requests, holds of 30 s, no jitter to speak of."""
    return Pace(
        clock=clock, delay=0.5, random=Random(1), on_wait=lambda reason, seconds: waits.append((reason, seconds))
    )


async def starts(pace, clock, count):
    begun = []

    async def one(number):
        slot = await pace.slot()
        begun.append((number, slot.started - 1000))
        pace.succeeded(slot)

    await asyncio.gather(*(one(number) for number in range(count)))
    return begun


async def test_requests_start_one_delay_apart_in_the_order_they_came(pace, clock):
    assert await starts(pace, clock, 4) == [(0, 0.0), (1, 0.5), (2, 1.0), (3, 1.5)]


async def test_no_stock_of_unused_time_is_built_up(pace, clock):
    await starts(pace, clock, 1)
    await clock.sleep(10)
    assert [at for _, at in await starts(pace, clock, 3)] == [10.0, 10.5, 11.0]


async def test_a_late_start_moves_the_next_one(clock):
    class Lazy:
        now, monotonic = clock.now, clock.monotonic

        async def sleep(self, seconds):
            await clock.sleep(seconds + 0.2)

    lazy = Pace(clock=Lazy(), delay=0.5)
    assert [round(at, 3) for _, at in await starts(lazy, clock, 3)] == [0.0, 0.7, 1.4]


async def test_zero_delay_waits_for_nothing(clock):
    assert [at for _, at in await starts(Pace(clock=clock, delay=0), clock, 3)] == [0.0, 0.0, 0.0]
    assert clock.naps == []


async def test_a_waiter_who_leaves_takes_nobodys_place(pace, clock):
    pace.succeeded(await pace.slot())
    leaver, stayer = asyncio.create_task(pace.slot()), asyncio.create_task(pace.slot())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert pace.waiting == 2
    leaver.cancel()
    assert (await stayer).started == 1000.5
    assert pace.waiting == 0


async def test_a_hold_stops_everybody_and_one_goes_first(pace, clock, waits):
    first, late = await pace.slot(), await pace.slot()
    pace.hold(10, "slow down", slot=first)
    waiting = [asyncio.create_task(pace.slot()) for _ in range(3)]
    alone = await waiting[0]
    assert alone.started == pytest.approx(1010.5)
    pace.succeeded(late)  # it started before the hold, so it says nothing
    await clock.sleep(30)
    assert not waiting[1].done()
    pace.succeeded(alone)
    assert (await waiting[1]).started == 1040.5
    assert (await waiting[2]).started > 1040.5
    assert waits == [("slow down", 10)]
    assert pace.waited_seconds == pytest.approx(10)


async def test_a_first_one_that_fails_lets_another_one_try_alone(pace, clock):
    pace.hold(10, "slow down")
    waiting = [asyncio.create_task(pace.slot()) for _ in range(3)]
    pace.failed(await waiting[0])
    second = await waiting[1]
    await clock.sleep(5)
    assert not waiting[2].done()
    pace.succeeded(second)
    await waiting[2]


async def test_a_shorter_hold_never_shortens_a_longer_one(pace, clock):
    slot, late = await pace.slot(), await pace.slot()
    pace.hold(100, "long", slot=slot)
    until = pace.hold_until
    pace.hold(5, "short", slot=late)
    assert pace.hold_until == until
    pace.hold(200, "longer", slot=late)
    assert pace.hold_until == until + 100
    assert pace.waited_seconds == pytest.approx(0)
    await pace.slot()
    assert pace.waited_seconds == pytest.approx(200)


async def test_refusals_of_one_burst_are_one_hold(pace):
    slots = [await pace.slot() for _ in range(10)]
    for slot in slots:
        pace.hold(None, "slow down", slot=slot)
    pace.succeeded(await pace.slot())


async def test_own_holds_double_to_a_quarter_of_an_hour(clock, waits):
    pace = Pace(clock=clock, hold_seconds=100, on_wait=lambda reason, seconds: waits.append(seconds), random=Random(3))
    for _ in range(6):
        pace.hold(None, "slow down", slot=await pace.slot())
    for seconds, base in zip(waits, [100, 200, 400, 800, 900, 900], strict=True):
        assert base <= seconds <= 1.2 * base


async def test_six_holds_in_a_row_are_waited_out_and_the_next_refusal_ends_the_run(pace, clock):
    for _ in range(6):
        pace.hold(1, "slow down", slot=await pace.slot())
    slot = await pace.slot()
    waiter = asyncio.create_task(pace.slot())
    pace.hold(1, "slow down", slot=slot)
    for blocked in (waiter, pace.slot()):
        with pytest.raises(Blocked, match=r"6 pauses in a row did not help.*kept.*harvest resume") as raised:
            await blocked
        assert raised.value.exit_code == 5


async def test_who_goes_first_and_is_refused_teaches_nothing_about_the_rate(pace):
    for _ in range(6):
        pace.hold(1, "slow down", slot=await pace.slot())
    assert pace.interval == 1.0


async def test_without_a_known_limit_requests_open_gently(clock):
    """Two are out at first, and one more for each two that were accepted."""
    pace = Pace(clock=clock, delay=0)
    waiting = [asyncio.create_task(pace.slot()) for _ in range(200)]
    out = []
    for accepted in range(100):
        for _ in range(10):
            await asyncio.sleep(0)
        out.append(sum(task.done() for task in waiting) - accepted)
        pace.succeeded(waiting[accepted].result())
    assert out[:6] == [2, 2, 3, 3, 4, 4]
    for task in waiting[100:]:
        pace.succeeded(await task)


async def test_a_success_begins_the_row_anew(pace):
    for _ in range(20):
        pace.hold(1, "slow down", slot=await pace.slot())
        pace.succeeded(await pace.slot())


async def test_the_services_word_is_taken_twice_and_then_doubled(pace, waits):
    for _ in range(5):
        pace.hold(8, "slow down", slot=await pace.slot())
    assert [seconds for _, seconds in waits] == pytest.approx([8, 8, 16, 32, 64])


async def test_a_wish_for_hours_ends_the_run_and_says_so(pace):
    pace.hold(12 * 3600, "slow down", slot=await pace.slot())
    with pytest.raises(Blocked, match="for 720 minutes"):
        await pace.slot()


async def test_a_hold_that_begins_while_the_next_one_sleeps_is_seen(pace, clock):
    slot = await pace.slot()
    waiter = asyncio.create_task(pace.slot())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    pace.hold(10, "slow down", slot=slot)
    assert (await waiter).started == 1010.0


@pytest.mark.parametrize(
    ("error", "holds", "interval"),
    [
        (RateLimited(wait_seconds=3.0), 3.0, 1.0),
        (Challenged(), 30.0, 1.0),
        (ServerTrouble(), 0.0, 0.5),
        (Gone(), 0.0, 0.5),
    ],
)
async def test_every_end_of_a_request_is_judged(pace, clock, error, holds, interval):
    slot = await pace.slot()
    with pytest.raises(type(error)), pace.judged(slot):
        raise error
    assert holds <= max(0.0, pace.hold_until - clock.monotonic()) <= 1.2 * holds
    assert pace.interval == interval


def test_places_are_given_back_only_while_they_are_the_last():
    turns = Turns(delay=1.0)
    first, second = turns.reserve(10.0, "a"), turns.reserve(10.0, "b")
    turns.give_back(first, "a")
    assert turns.reserve(10.0, "a").start == 12.0
    turns = Turns(delay=1.0)
    first, second = turns.reserve(10.0, "a"), turns.reserve(10.0, "b")
    turns.give_back(second, "b")
    assert turns.reserve(10.0, "a").start == 11.0
