"""The engine between a made-up client and a made-up store: what ends a crawl, and what is lost by its end (nothing)."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

from harvest.client.budget import Budget
from harvest.crawler.engine import BEAT_AGAIN_SECONDS, Engine, Hooks
from harvest.crawler.judge import Refused
from harvest.errors import Blocked, Halted, ServerTrouble, StorageFailed
from harvest.models import Outcome, Page, Receipt, Task

A_PAGE = Page("GET /", (), 0)


class Books:
    """The frontier, the committer, the hooks and the witness in one: lists of one page each, by number."""

    def __init__(self, *rounds):
        self.rounds = [list(lists) for lists in rounds]
        self.kept, self.failed, self.released = [], [], []
        self.rounds_begun = self.rounds_chosen = 0
        self.heartbeat_seconds = 60.0

    def claim(self):
        return Task(self.rounds[0].pop(0), "user_likes", 1) if self.rounds[0] else None

    def is_empty(self):
        return not self.rounds[0]

    def next_round(self):
        self.rounds_chosen += 1
        if len(self.rounds) == 1:
            return False
        del self.rounds[0]
        return True

    in_doubt = is_asking = False

    async def close_the_round(self):
        return []

    def turn(self):
        return 0

    def take_open(self, *, at_a_bound):
        return [], []

    def answered(self, kind, turn):
        return []

    async def weigh(self, task, error):
        return [Refused(task, error)]

    def heartbeat(self):
        """Nothing to renew."""

    def keep(self, task, page, tally, *, left_out=0):
        self.kept.append(task.id)
        return Receipt(task, 0, Outcome.COMPLETE)

    def fail(self, task, error, now, tally):
        self.failed.append(task.id)
        return Outcome.FAILED

    def release(self, task, tally):
        self.released.append(task.id)

    def page_committed(self, task, page, receipt):
        """The witness of every page; a test may put its own here."""

    def list_failed(self, task, error, outcome):
        """Nothing to see."""

    def level_begun(self):
        self.rounds_begun += 1


class Wire:
    """A client whose requests take ten seconds each, or fail as told; a halt lets those on the wire finish."""

    def __init__(self, clock, answers=None, seconds=10.0):
        self._clock, self._answers, self._seconds = clock, answers or {}, seconds
        self.halted = False

    async def fetch(self, task):
        if self.halted:
            raise Halted
        await self._clock.sleep(self._seconds)
        if task.id in self._answers:
            raise self._answers[task.id]
        return A_PAGE

    async def room(self):
        await asyncio.sleep(0)

    def halt(self):
        self.halted = True

    def take_tally(self):
        return {}


def engine_of(books, clock, *, client=None, budget=None, max_in_flight=1, **hooks):
    return Engine(
        frontier=books,
        client=client or Wire(clock),
        acts=books,
        hooks=Hooks(
            next_round=books.next_round,
            heartbeat=books.heartbeat,
            heartbeat_seconds=books.heartbeat_seconds,
            **hooks,
        ),
        judge=books,
        witness=books,
        clock=clock,
        max_in_flight=max_in_flight,
        budget=budget,
    )


def raising(error):
    def call(*_, **__):
        raise error

    return call


def locked():
    """What SQLite says while somebody else writes."""
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error


async def test_a_crawl_reads_round_after_round_until_there_is_no_next_one(clock):
    books = Books([1, 2], [3], [4])
    assert await engine_of(books, clock).run() == "drained"
    assert books.kept == [1, 2, 3, 4]
    assert (books.rounds_begun, books.rounds_chosen) == (2, 3)


async def test_the_heartbeat_goes_on_for_as_long_as_the_crawl(clock):
    books = Books(range(100))
    times = []

    def heartbeat():
        times.append(clock.seconds - 1000)
        if len(times) == 4:
            engine.stop()

    books.heartbeat = heartbeat
    engine = engine_of(books, clock)
    assert await engine.run() == "interrupted"
    assert times == [60, 120, 180, 240]


async def test_a_heartbeat_that_fails_ends_the_crawl_once_the_page_on_the_wire_is_kept(clock):
    """Else the lease would never be renewed again, and another process could take the file from under the crawl."""
    books = Books(range(1, 30))
    books.heartbeat_seconds = 25.0
    books.heartbeat = raising(StorageFailed("The disk is full."))
    with pytest.raises(StorageFailed, match=r"The disk is full\."):
        await engine_of(books, clock).run()
    assert (books.kept, books.released) == ([1, 2, 3], [])


async def test_a_heartbeat_that_finds_the_file_locked_is_tried_again_soon(clock):
    books = Books(range(30))
    found = iter([locked(), locked()])
    times = []

    def heartbeat():
        times.append(clock.seconds - 1000)
        if (error := next(found, None)) is not None:
            raise error

    books.heartbeat = heartbeat
    assert await engine_of(books, clock).run() == "drained"
    assert times[:3] == [60, 60 + BEAT_AGAIN_SECONDS, 60 + 2 * BEAT_AGAIN_SECONDS]
    assert times[3] == times[2] + 60


async def test_a_watch_of_the_time_that_fails_ends_the_crawl(clock):
    """Else a bound on the time would hold no more, and nobody would know."""

    class Broken(Budget):
        def seconds_left(self, running, now):
            raise ArithmeticError("no such time")

    books = Books(range(1, 30))
    with pytest.raises(ArithmeticError, match="no such time"):
        await engine_of(books, clock, budget=Broken()).run()
    assert books.kept == []


async def test_what_is_done_beside_the_crawl_ends_with_it_or_ends_it(clock):
    ended = []

    async def beside():
        try:
            await clock.sleep(1e6)
        finally:
            ended.append("beside")

    async def broken():
        await clock.sleep(15)
        raise OSError("nowhere to show it")

    assert await engine_of(Books([1]), clock).run(beside) == "drained"
    assert ended == ["beside"]
    books = Books(range(1, 30))
    with pytest.raises(OSError, match="nowhere to show it"):
        await engine_of(books, clock).run(broken, beside)
    assert (books.kept, ended) == ([1, 2], ["beside", "beside"])


async def test_what_fails_later_does_not_hide_what_failed_first(clock):
    """A list that cannot be taken up, and after it a page that cannot be kept: both are told."""
    books = Books([1, 2])
    claim = books.claim
    books.claim = lambda: claim() if len(books.rounds[0]) == 2 else raising(KeyError("claim"))()
    books.keep = raising(StorageFailed("The disk is full."))
    with pytest.raises(KeyError, match="claim") as caught:
        await engine_of(books, clock, max_in_flight=2).run()
    (note,) = caught.value.__notes__
    assert "StorageFailed: The disk is full." in note


async def test_an_error_that_reaches_several_lists_is_told_once(clock):
    blocked = Blocked("The service refuses us.")
    books = Books([1, 2, 3])
    client = Wire(clock, dict.fromkeys([1, 2, 3], blocked))
    with pytest.raises(Blocked) as caught:
        await engine_of(books, clock, client=client, max_in_flight=3).run()
    assert caught.value is blocked
    assert not hasattr(caught.value, "__notes__")
    assert sorted(books.released) == [1, 2, 3]


async def test_what_an_error_may_not_say_is_taken_from_it_before_it_is_written_down(clock):
    books, written = Books([1]), []
    books.fail = lambda task, error, now, tally: written.append(error.reply) or Outcome.FAILED

    def cut(error):
        error.reply = error.reply.replace("somebody", "")

    client = Wire(clock, {1: ServerTrouble(status=500, reply="no somebody")})
    await engine_of(books, clock, client=client, sift_error=cut).run()
    assert written == ["no "]


async def test_a_fault_of_ours_in_one_list_lets_the_others_keep_their_pages(clock):
    books = Books([1, 2, 3])
    with pytest.raises(ZeroDivisionError):
        await engine_of(books, clock, client=Wire(clock, {1: ZeroDivisionError()}), max_in_flight=3).run()
    assert (books.kept, books.released) == ([2, 3], [1])


async def test_a_list_that_is_halted_is_given_back_and_has_not_failed(clock):
    books = Books([1, 2])
    client = Wire(clock, {2: Halted()})
    engine = engine_of(books, clock, client=client, max_in_flight=2)
    books.page_committed = lambda *_: engine.stop()
    assert await engine.run() == "interrupted"
    assert (books.kept, books.released, books.failed) == ([1], [2], [])


async def test_an_abort_drops_what_is_on_the_wire_and_gives_the_lists_back(clock):
    books = Books([1, 2])
    engine = engine_of(books, clock, max_in_flight=2)

    async def impatient():
        await clock.sleep(5)
        engine.abort()

    assert await engine.run(impatient) == "interrupted"
    assert (books.kept, sorted(books.released)) == ([], [1, 2])


async def test_a_crawl_that_is_cancelled_leaves_nothing_running(clock):
    books = Books([1, 2])
    crawl = asyncio.create_task(engine_of(books, clock, max_in_flight=2).run())
    for _ in range(10):  # until both are on the wire
        await asyncio.sleep(0)
    crawl.cancel()
    with pytest.raises(asyncio.CancelledError):
        await crawl
    assert sorted(books.released) == [1, 2]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_bound_that_is_met_with_the_last_list_that_was_needed_is_no_stop(clock):
    books, budget = Books([1, 2]), Budget(max_failures=1)
    client = Wire(clock, {2: ServerTrouble()})
    assert await engine_of(books, clock, client=client, budget=budget).run() == "drained"
    assert (books.rounds_chosen, books.rounds_begun) == (1, 0)


async def test_a_bound_that_is_met_before_the_next_round_leaves_that_round_for_the_next_run(clock):
    """The round is chosen in the open, and told like any other."""
    books, budget = Books([1, 2], [3]), Budget(max_failures=1)
    client = Wire(clock, {2: ServerTrouble()})
    assert await engine_of(books, clock, client=client, budget=budget).run() == "max_failures"
    assert (books.rounds_chosen, books.rounds_begun) == (1, 1)
    assert (books.kept, books.rounds) == ([1], [[3]])


async def test_a_crawl_that_is_interrupted_chooses_nothing(clock):
    books = Books([1], [2])
    books.page_committed = lambda *_: engine.stop()
    engine = engine_of(books, clock)
    assert await engine.run() == "interrupted"
    assert books.rounds_chosen == 0
