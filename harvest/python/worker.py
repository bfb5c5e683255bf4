"""A crawl in a thread of its own, with an event loop of its own: the caller may have one running, as Jupyter does.

In: what is to be crawled. Out: what is told of it, page by page. Never: a word on stdout.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from harvest import terms
from harvest.auth.token_store import FileKeeper, MemoryKeeper
from harvest.crawler.engine import Engine
from harvest.crawler.request import CrawlRequest, parse_retention
from harvest.crawler.session import Conditions
from harvest.crawler.session import crawl as run_session
from harvest.environment import Environment
from harvest.errors import ApiError
from harvest.models import Outcome, Page, Receipt, Task
from harvest.settings import Settings, read_settings, state_folder
from harvest.system.clock import SystemClock
from harvest.system.logs import configure_unless_done
from harvest.wiring import connect, keeper_for


class Progress(NamedTuple):
    """One page that is in the file, or one list that ended without; `pages` and `kept_in_all` count this crawl."""

    kind: str
    subject_id: int
    number: int
    kept: int
    collected: int
    claimed: int | None
    outcome: str | None
    pages: int
    kept_in_all: int


class Worker:
    """A crawl that is told of: `tell` hears of each page in the crawl's thread, and of None when it has ended."""

    def __init__(
        self, request: CrawlRequest, settings: Settings | None, tell: Callable[[Progress | None], object]
    ) -> None:
        self._request, self._given, self._tell_of = request, settings, tell
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._error: BaseException | None = None
        self._stopping = False
        self._pages = self._kept = 0
        configure_unless_done()
        self._settings = settings or read_settings(Environment.here())
        if self._settings.is_real_service:
            terms.say_once(state_folder(), lambda text: builtins.print(text, file=sys.stderr))  # noqa: T201
        self._thread = threading.Thread(target=self._run, name="harvest", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the pages in flight, if the crawl goes on; before its first request, at once."""
        self._stopping = True
        self._call(self._stop_here)

    def abort(self) -> None:
        """Stop at once: pages in flight are dropped, committed ones are safe."""
        self._stopping = True
        self._call(lambda: self._engine.abort() if self._engine else self._stop_here())

    def join(self) -> None:
        """Wait for the end."""
        if self._thread.ident is not None:
            self._thread.join()

    def raise_what_ended_it(self) -> None:
        """Raise what ended the crawl, if anything did."""
        if self._error is not None:
            raise self._error

    def page_committed(self, task: Task, page: Page, receipt: Receipt) -> None:
        """Tell of a page that is in the file."""
        self._pages += 1
        self._kept += receipt.kept
        self._tell(task, receipt.kept, receipt.task.collected, receipt.outcome)

    def list_failed(self, task: Task, error: ApiError, outcome: Outcome) -> None:
        """Tell of a list that ended in a failure."""
        self._tell(task, 0, task.collected, outcome)

    def level_begun(self) -> None:
        """A deeper level shows in its pages."""

    def _tell(self, task: Task, kept: int, collected: int, outcome: Outcome | None) -> None:
        ended = outcome.value if outcome else None
        subject, number = task.subject_id, task.page_number
        self._tell_of(
            Progress(task.kind, subject, number, kept, collected, task.claimed, ended, self._pages, self._kept)
        )

    def _call(self, what: Callable[[], object]) -> None:
        if self._loop is not None and self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # the loop has just closed
                self._loop.call_soon_threadsafe(what)

    def _stop_here(self) -> None:
        if self._engine is not None:
            self._engine.stop()
        elif self._task is not None:  # it signs in, or waits for the file: nothing is begun yet
            self._task.cancel()

    def _run(self) -> None:
        try:
            asyncio.run(self._crawl())
        except BaseException as error:
            self._error = error
        finally:
            self._tell_of(None)

    async def _crawl(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        request, clock = self._request, SystemClock()
        asking = request.conditions
        budget = request.budget.budget(datetime.now())
        own = self._given is None  # settings that are passed in: no tokens kept, no pace shared
        keeper: FileKeeper | MemoryKeeper = keeper_for(self._settings) if own else MemoryKeeper()  # type: ignore[assignment]
        async with connect(
            self._settings,
            clock=clock,
            delay=asking.delay,
            max_in_flight=asking.max_in_flight,
            profiles=asking.profiles,
            keeper=keeper,
            pace_folder=state_folder() if own else None,
            budget=budget,
        ) as connection:
            await run_session(
                request.path,
                request.harvests,
                client=connection.client,
                conditions=Conditions(
                    api_url=self._settings.api_url,
                    credential_kind=connection.bearer.kind,
                    options=request.options(),
                    max_in_flight=asking.max_in_flight,
                    page_size=asking.page_size,
                    keep_replies=asking.keep_replies,
                    retain=parse_retention(asking.retain),
                ),
                witness=self,
                clock=clock,
                on_start=self._started,
                budget=budget,
                sweep=request.sweep,
                refresh=request.refresh,
            )

    def _started(self, engine: Engine) -> None:
        self._engine = engine
        if self._stopping:
            engine.stop()
