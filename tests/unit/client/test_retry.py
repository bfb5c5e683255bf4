"""What is asked again, when, and when not."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from harvest.client.retry import Retry
from harvest.errors import (
    BadRequest,
    Blocked,
    Challenged,
    Forbidden,
    Gone,
    RateLimited,
    ServerTrouble,
    Unauthorized,
    UnexpectedReply,
    Unreachable,
)
from harvest.pacing.limiter import Pace


class Highest(Random):
    """No luck: every wait is as long as it may be."""

    def uniform(self, a, b):
        return b


@pytest.fixture
def pace(clock):
    """A pace nobody is bound by."""
    return Pace(clock=clock, delay=0)


@pytest.fixture
def retry(pace, clock):
    """The usual patience with the longest waits."""
    return Retry(pace=pace, clock=clock, random=Highest())


def script(*outcomes):
    """An attempt that ends as told, one outcome after the other."""
    seen = []

    async def attempt(failures):
        seen.append(failures)
        outcome = outcomes[len(seen) - 1]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return attempt, seen


async def test_an_answer_is_given_at_once(retry, clock):
    attempt, seen = script("page")
    assert await retry.run(attempt) == "page"
    assert (seen, clock.naps) == ([0], [])


async def test_trouble_is_asked_again_after_growing_waits(retry, clock):
    attempt, seen = script(*[ServerTrouble(str(n)) for n in range(4)], "page")
    assert await retry.run(attempt) == "page"
    assert (seen, clock.naps) == ([0, 1, 2, 3, 4], [1, 2, 4, 8])


async def test_the_fifth_failure_is_final_and_says_how_often_we_asked(retry):
    attempt, seen = script(*[ServerTrouble(str(n)) for n in range(9)])
    with pytest.raises(ServerTrouble, match="4") as raised:
        await retry.run(attempt)
    assert (len(seen), raised.value.attempts) == (5, 5)


async def test_waits_are_jittered_over_their_whole_length(pace, clock):
    retry = Retry(pace=pace, clock=clock, random=Random(7), base_seconds=2)
    pauses = [retry.pause(10) for _ in range(500)]
    assert 0 <= min(pauses) < 2
    assert 30 < max(pauses) <= 32


@pytest.mark.parametrize("error", [Gone(), BadRequest(), UnexpectedReply(), Unauthorized(), Blocked(), ValueError()])
async def test_what_is_final_is_asked_once(retry, clock, error):
    """The predecessor asked for a deleted user ten times, over a minute."""
    attempt, seen = script(error, "never")
    with pytest.raises(type(error)):
        await retry.run(attempt)
    assert (seen, clock.naps) == ([0], [])


async def test_a_forbidden_is_believed_the_second_time(retry, clock):
    attempt, seen = script(Forbidden(), Forbidden(), "never")
    with pytest.raises(Forbidden):
        await retry.run(attempt)
    assert (seen, clock.naps) == ([0, 0], [4])
    attempt, _ = script(Forbidden(), "page")
    assert await retry.run(attempt) == "page"


@pytest.mark.parametrize("refusal", [RateLimited, Challenged])
async def test_refusals_use_up_no_attempt(retry, clock, refusal):
    """The predecessor counted a 429 as an attempt."""
    attempt, seen = script(*[refusal() for _ in range(50)], "page")
    assert await retry.run(attempt) == "page"
    assert (len(seen), clock.naps) == (51, [])


async def test_a_service_that_was_never_reached_ends_the_run(retry):
    attempt, seen = script(*[Unreachable("no such host.") for _ in range(9)])
    with pytest.raises(Blocked, match="cannot be reached: no such host"):
        await retry.run(attempt)
    assert len(seen) == 5


async def test_a_service_that_answered_before_costs_one_list_only(retry):
    await retry.run(script("page")[0])
    with pytest.raises(Unreachable):
        await retry.run(script(*[Unreachable() for _ in range(5)])[0])


async def test_any_status_counts_as_reached(retry):
    attempt, _ = script(ServerTrouble(), *[Unreachable() for _ in range(5)])
    with pytest.raises(Unreachable):
        await retry.run(attempt)


async def there():
    return True


async def test_lists_that_never_answer_are_to_blame_where_the_service_answers_something_else(retry, pace):
    await retry.run(script("page")[0])
    for _ in range(12):
        with pytest.raises(Unreachable) as raised:
            await retry.run(script(*[Unreachable() for _ in range(5)])[0], is_there=there)
        assert raised.value.attempts == 5
    assert not pace.holding


async def test_the_first_list_of_a_run_may_be_the_one_that_never_answers(retry):
    with pytest.raises(Unreachable):
        await retry.run(script(*[Unreachable() for _ in range(5)])[0], is_there=there)


async def test_a_reply_that_breaks_off_is_no_silence(retry, pace):
    for _ in range(12):
        with pytest.raises(Unreachable):
            await retry.run(script(*[Unreachable(status=200) for _ in range(5)])[0])
    assert not pace.holding


async def test_something_else_is_asked_once_for_all_that_are_silent_together(retry):
    await retry.run(script("page")[0])
    asked = []

    async def is_there():
        asked.append(1)
        await asyncio.sleep(0)
        return True

    lists = [retry.run(script(*[Unreachable() for _ in range(5)])[0], is_there=is_there) for _ in range(8)]
    assert [type(end) for end in await asyncio.gather(*lists, return_exceptions=True)] == [Unreachable] * 8
    assert 1 <= len(asked) <= 2


async def test_in_an_outage_one_request_goes_at_a_time_until_the_service_is_back(retry, pace, clock):
    await retry.run(script("page")[0])
    outcomes = [Unreachable() for _ in range(4 * 5)]

    async def attempt(failures):
        slot = await pace.slot()
        with pace.judged(slot):
            if outcomes:
                raise outcomes.pop()
            return "page"

    for _ in range(3):
        with pytest.raises(Unreachable):
            await retry.run(attempt)
    began = clock.seconds
    assert await retry.run(attempt) == "page"
    assert pace.hold_reason is None
    assert 30 <= clock.seconds - began <= 60
    assert pace.interval == 0  # an outage says nothing about the rate


async def test_an_outage_that_does_not_end_is_exit_5(retry, pace):
    await retry.run(script("page")[0])

    async def attempt(failures):
        slot = await pace.slot()
        with pace.judged(slot):
            raise Unreachable

    for _ in range(3):
        with pytest.raises(Unreachable):
            await retry.run(attempt)
    with pytest.raises(Blocked, match="cannot be reached; 6 pauses in a row did not help"):
        await retry.run(attempt)
