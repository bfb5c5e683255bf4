"""Claim, fetch, commit, until nothing is left or someone says stop.

Fetching is concurrent, committing is not: the event loop itself commits pages one after another. New lists are claimed
only when no request is queued for a place in the pace, so no more is taken up than can be sent.

In: a frontier, a client, the acts of a run. Out: why it stopped. Never: SQL, or a word of the API.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from harvest.client.budget import REASONS, Budget
from harvest.client.client import Client
from harvest.crawler.judge import Judge, Refused
from harvest.crawler.sieve import Sift, whole
from harvest.errors import (
    ApiError,
    BadRequest,
    Blocked,
    Halted,
    SeedError,
)
from harvest.lists import RESOLVE
from harvest.models import Outcome, Page, Receipt, Task
from harvest.store.acts import Acts
from harvest.store.frontier import Frontier
from harvest.system.clock import Clock, as_text
from harvest.system.sqlite_busy import is_locked

Work = Callable[[], Awaitable[None]]

MAX_IN_FLIGHT = 32
BEAT_AGAIN_SECONDS = 5.0  # after a heartbeat that found the file locked
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

    next_round: Callable[[], bool]  # choose it; False when there is none
    heartbeat: Callable[[], None]
    heartbeat_seconds: float
    list_ended: Callable[[Task], None] = lambda task: None
    sift: Sift = whole
    sift_error: Callable[[ApiError], None] = lambda error: None


class Engine:
    """Runs one crawl."""

    def __init__(
        self,
        *,
        frontier: Frontier,
        client: Client,
        acts: Acts,
        hooks: Hooks,
        judge: Judge,
        witness: Witness,
        clock: Clock,
        max_in_flight: int = MAX_IN_FLIGHT,
        budget: Budget | None = None,
    ) -> None:
        self._frontier = frontier
        self._client = client
        self._acts = acts
        self._hooks = hooks
        self._judge = judge
        self._witness = witness
        self._clock = clock
        self._max_in_flight = max_in_flight
        self._budget = budget or Budget()
        self._budget.on_end = self._stop_for_budget
        self._stop_reason: str | None = None
        self._drained = False
        self._reading: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._errors: list[Exception] = []

    def stop(self, reason: str = "interrupted") -> None:
        """Finish the pages on the wire, then end; the first reason stays."""
        self._stop_reason = self._stop_reason or reason
        self._stopping.set()
        self._changed.set()
        self._client.halt()

    def abort(self) -> None:
        """End at once; pages on the wire are dropped, committed ones are safe."""
        self.stop()
        for reading in self._reading:
            reading.cancel()

    async def run(self, *beside: Work) -> str:
        """Crawl until drained or stopped; give 'drained', 'interrupted' or the bound of the budget that was met.

        What is to be done `beside` it ends with it. Whatever fails, here or there, ends the crawl when the pages on the
        wire are in the file; the first error is raised as it is, with what failed after it in its notes.
        """
        if self._budget.reason:  # spent by earlier runs
            self._stop_for_budget()
        async with asyncio.TaskGroup() as group:
            aside = [group.create_task(self._guarded(work)) for work in (self._beat, self._watch_the_time, *beside)]
            await self._guarded(lambda: self._take_up_all(group))
            while self._reading:
                await asyncio.wait(self._reading)
            for task in aside:
                task.cancel()
        self._leave()
        if self._errors:
            raise self._first_error()
        if self._stop_reason in REASONS and not (self._drained or self._judge.in_doubt) and self._frontier.is_empty():
            self._begin_round()  # it costs no request, and the last one allowed may have been the last one needed
        return "drained" if self._drained else self._stop_reason or "drained"

    async def _guarded(self, work: Work) -> None:
        """Do it; a failure ends the crawl in its own time, so the task group never cancels a page on the wire."""
        try:
            await work()
        except Exception as error:
            self._errors.append(error)
            self.stop()

    def _first_error(self) -> Exception:
        first, *others = dict.fromkeys(self._errors)  # one failure may have reached several who waited for it
        for told in dict.fromkeys("".join(traceback.format_exception(other)) for other in others):
            first.add_note(f"After that, this failed as well:\n{told}")
        return first

    async def _take_up_all(self, group: asyncio.TaskGroup) -> None:
        with suppress(Halted):  # nothing more is to be asked
            while not self._stopping.is_set() and not self._drained:
                await self._take_up_next(group)

    async def _take_up_next(self, group: asyncio.TaskGroup) -> None:
        """Start reading one more list, or wait until something changes, or begin the next round."""
        self._changed.clear()
        in_flight = len(self._reading)
        free = in_flight < self._max_in_flight and self._budget.allows_another(in_flight) and not self._judge.is_asking
        task = self._frontier.claim() if free else None
        if task is not None:
            self._start(task, group)
            await self._client.room()
        elif self._reading:
            await self._changed.wait()
        else:
            self._give_up(await self._judge.close_the_round())
            self._begin_round()

    def _begin_round(self) -> None:
        """Have the next round chosen, now that no list is left to read; without one, all is drained."""
        self._drained = not self._hooks.next_round()
        if not self._drained:
            self._witness.level_begun()

    def _start(self, task: Task, group: asyncio.TaskGroup) -> None:
        reading = group.create_task(self._guarded(lambda: self._read(task)), name=f"{task.kind} {task.subject_id}")
        self._reading.add(reading)
        reading.add_done_callback(self._finished)

    def _finished(self, reading: asyncio.Task[None]) -> None:
        self._reading.discard(reading)
        self._changed.set()

    async def _read(self, task: Task) -> None:
        """Read a list page by page until it ends or we stop."""
        going: Task | None = task
        while going is not None:
            turn = self._judge.turn()
            try:
                page = await self._client.fetch(going)
            except (ApiError, SeedError) as error:
                return await self._fail(going, error)
            except Halted:
                return self._release(going)
            except BaseException:
                self._release(going)
                raise
            page, left_out = self._hooks.sift(going, page)
            receipt = self._acts.keep(going, page, self._client.take_tally(), left_out=left_out)
            self._witness.page_committed(going, page, receipt)
            if receipt.outcome is not None:
                self._hooks.list_ended(going)
            self._give_up(self._judge.answered(going.kind, turn))
            self._changed.set()
            going = receipt.task if receipt.outcome is None else None
            if going is not None and self._stopping.is_set():
                return self._release(going)
        return None

    def _release(self, task: Task) -> None:
        self._acts.release(task, self._client.take_tally())

    async def _fail(self, task: Task, error: ApiError | SeedError) -> None:
        if task.kind == RESOLVE.name:
            return await self._fail_seed(task, error)
        assert isinstance(error, ApiError)
        try:
            failed = await self._judge.weigh(task, error)
        except Halted:  # what is not known by then is given back at the end
            return None
        except BaseException:
            self._release(task)
            raise
        return self._give_up(failed)

    def _give_up(self, failed: Iterable[Refused]) -> None:
        """Write down that lists have failed for good."""
        for one in failed:
            self._hooks.sift_error(one.error)
            outcome = self._acts.fail(one.task, one.error, as_text(self._clock.now()), self._client.take_tally())
            self._witness.list_failed(one.task, one.error, outcome)
            self._hooks.list_ended(one.task)
            if outcome in (Outcome.FAILED, Outcome.UNREADABLE):
                self._budget.fail(one.task.id)
                if self._budget.reason:
                    self._stop_for_budget()

    def _leave(self) -> None:
        """Write down the lists that are believed to be refused, and give back those about which nothing is known."""
        believed, unknown = self._judge.take_open(at_a_bound=self._stop_reason in REASONS and not self._errors)
        self._give_up(believed)
        for one in unknown:
            self._release(one.task)

    async def _fail_seed(self, task: Task, error: ApiError | SeedError) -> None:
        if isinstance(error, ApiError) and error.retryable:  # it may well be there: keep it for the next run
            self._release(task)
            raise Blocked(f"The service cannot answer for the seed ({error}): run `harvest resume` later.") from error
        failure = error if isinstance(error, ApiError) else BadRequest(str(error))
        try:
            await self._judge.seed_refused(failure)
        except BaseException:
            self._release(task)
            raise
        self._give_up([Refused(task, failure)])

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

    async def _beat(self) -> None:
        """Renew the lease for as long as the crawl goes on."""
        pause = self._hooks.heartbeat_seconds
        while True:
            await self._clock.sleep(pause)
            try:
                self._hooks.heartbeat()
                pause = self._hooks.heartbeat_seconds
            except Exception as error:
                # A process that writes into the file just now is waited for: the lease outlasts several heartbeats.
                # All else ends the crawl: a lease that another process has taken, a disk that is full, a fault of ours.
                if not is_locked(error):
                    raise
                pause = BEAT_AGAIN_SECONDS
