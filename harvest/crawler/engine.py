"""Claim, fetch, commit, until nothing is left or someone says stop.

Fetching is concurrent, committing is not: the event loop itself commits pages one after another. New lists are claimed
only when nobody is queued for a place in the pace, so no more is taken up than can be sent.

In: a frontier, a client, a committer. Out: why it stopped. Never: SQL, or a word of the API.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from harvest.client.budget import REASONS, Budget
from harvest.client.client import Client
from harvest.errors import (
    ApiError,
    BadRequest,
    Blocked,
    Halted,
    HarvestError,
    SeedError,
    TransientError,
)
from harvest.lists import RESOLVE
from harvest.models import Outcome, Page, Receipt, Task
from harvest.store.commit import PageCommitter
from harvest.store.frontier import Frontier
from harvest.system.clock import Clock, as_text

MAX_IN_FLIGHT = 32
_LONGEST_NAP = 10.0  # the clock on the wall may be set meanwhile


class Witness(Protocol):
    """Who is told what happens: the live display, the log, a notebook."""

    def page_committed(self, task: Task, page: Page, receipt: Receipt) -> None:
        """Hear of a page that is in the file."""

    def list_failed(self, task: Task, error: ApiError, outcome: Outcome) -> None:
        """Hear of a list that ended in a failure."""

    def level_begun(self) -> None:
        """Hear that the crawl goes a level deeper."""


@dataclass(slots=True)
class Hooks:
    """What the engine asks of the store besides pages."""

    spread_levels: Callable[[], bool]
    fail_seed: Callable[[Task, str], None]
    heartbeat: Callable[[], None]
    heartbeat_seconds: float


class Engine:
    """Runs one crawl."""

    def __init__(
        self,
        *,
        frontier: Frontier,
        client: Client,
        committer: PageCommitter,
        hooks: Hooks,
        witness: Witness,
        clock: Clock,
        max_in_flight: int = MAX_IN_FLIGHT,
        budget: Budget | None = None,
    ) -> None:
        self._frontier = frontier
        self._client = client
        self._committer = committer
        self._hooks = hooks
        self._witness = witness
        self._clock = clock
        self._max_in_flight = max_in_flight
        self._budget = budget or Budget()
        self._budget.on_end = self._stop_for_budget
        self._stop_reason: str | None = None
        self._reading: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._error: BaseException | None = None

    @property
    def in_flight(self) -> int:
        """How many lists are being read just now."""
        return len(self._reading)

    def stop(self, reason: str = "interrupted") -> None:
        """Finish the pages on the wire, then end; the first reason stays."""
        self._stop_reason = self._stop_reason or reason
        self._stopping.set()
        self._changed.set()
        self._client.halt()

    def fail(self, error: HarvestError) -> None:
        """Finish the pages on the wire, then end with this error, unless there is one already."""
        self._error = self._error or error
        self.stop()

    def abort(self) -> None:
        """End at once; pages on the wire are dropped, committed ones are safe."""
        self.stop()
        for reading in self._reading:
            reading.cancel()

    async def run(self) -> str:
        """Crawl until drained or stopped; give 'drained', 'interrupted' or the bound of the budget that was met.

        Raises what ended the crawl otherwise.
        """
        around = [asyncio.create_task(self._beat()), asyncio.create_task(self._watch_the_time())]
        if self._budget.reason:  # spent by earlier runs
            self._stop_for_budget()
        drained = False
        try:
            while not self._stopping.is_set() and not drained:
                drained = not await self._take_up_next()
        finally:
            for task in around:
                task.cancel()
            await self._let_finish()
            if self._error is not None:
                raise self._error
        reason = self._stop_reason or "drained"
        return "drained" if drained or (reason in REASONS and self._nothing_is_left()) else reason

    async def _take_up_next(self) -> bool:
        """Start reading one more list, or wait until something changes; False when all is done."""
        self._changed.clear()
        task = self._frontier.claim() if len(self._reading) < self._max_in_flight else None
        if task is not None:
            self._start(task)
            await self._unless_stopped(self._client.room())
        elif self._reading:
            await self._changed.wait()
        elif not self._hooks.spread_levels():
            return False
        else:
            self._witness.level_begun()
        return True

    def _start(self, task: Task) -> None:
        reading = asyncio.create_task(self._read(task), name=f"{task.kind} {task.subject_id}")
        self._reading.add(reading)
        reading.add_done_callback(self._finished)

    def _finished(self, reading: asyncio.Task[None]) -> None:
        self._reading.discard(reading)
        if not reading.cancelled() and (error := reading.exception()) is not None and self._error is None:
            self._error = error
            self.stop()
        self._changed.set()

    async def _read(self, task: Task) -> None:
        """Read a list page by page until it ends or we stop."""
        going: Task | None = task
        while going is not None:
            try:
                page = await self._client.fetch(going)
            except (ApiError, SeedError) as error:
                return self._fail(going, error)
            except Halted:
                return self._release(going)
            except (HarvestError, asyncio.CancelledError):
                self._release(going)
                raise
            receipt = self._committer.keep(going, page, self._client.take_tally())
            self._witness.page_committed(going, page, receipt)
            self._changed.set()
            going = receipt.task if receipt.outcome is None else None
            if going is not None and self._stopping.is_set():
                return self._release(going)
        return None

    def _release(self, task: Task) -> None:
        self._committer.release(task, self._client.take_tally())

    def _fail(self, task: Task, error: ApiError | SeedError) -> None:
        if task.kind == RESOLVE.name:
            return self._fail_seed(task, error)
        assert isinstance(error, ApiError)
        now = as_text(self._clock.now())
        outcome = self._committer.fail(task, error, now, self._client.take_tally())
        self._witness.list_failed(task, error, outcome)
        if outcome in (Outcome.FAILED, Outcome.UNREADABLE):
            self._budget.fail(task.id)
            if self._budget.reason:
                self._stop_for_budget()
        return None

    def _fail_seed(self, task: Task, error: ApiError | SeedError) -> None:
        if isinstance(error, TransientError):  # it may well be there: keep it for the next run
            self._release(task)
            raise Blocked(f"The service cannot answer for the seed ({error}): run `harvest resume` later.") from error
        failure = error if isinstance(error, ApiError) else BadRequest(str(error))
        outcome = self._committer.fail(task, failure, as_text(self._clock.now()), self._client.take_tally())
        self._hooks.fail_seed(task, str(error))
        self._witness.list_failed(task, failure, outcome)

    async def _unless_stopped(self, waiting: Awaitable[None]) -> None:
        """Wait for one thing, but not once we are to stop."""
        waiter = asyncio.ensure_future(waiting)
        stopper = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({waiter, stopper}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for future in (waiter, stopper):
                if not future.done():
                    future.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await future

    async def _let_finish(self) -> None:
        while self._reading:
            await asyncio.wait(self._reading)

    def _stop_for_budget(self) -> None:
        self.stop(self._budget.reason or "interrupted")

    async def _watch_the_time(self) -> None:
        """Stop when the time is up, also in the middle of a wait."""
        began = self._clock.monotonic()
        while (left := self._budget.seconds_left(self._clock.monotonic() - began, self._clock.now())) is not None:
            if left <= 0:
                return self._stop_for_budget()
            await self._clock.sleep(min(left, _LONGEST_NAP))
        return None

    def _nothing_is_left(self) -> bool:
        """Say whether the last request that was allowed happened to be the last one needed."""
        return self._frontier.is_empty() and not self._hooks.spread_levels()

    async def _beat(self) -> None:
        while True:
            await self._clock.sleep(self._hooks.heartbeat_seconds)
            self._hooks.heartbeat()
