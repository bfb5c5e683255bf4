"""Crawl from Python: `harvest.crawl(...)` and what belongs to it, for notebooks and scripts.

A crawl runs in a thread with an event loop of its own, so it does not matter whether the caller has one running, as
Jupyter does. What it tells arrives in the caller's thread, page after page as they are committed.

In: seeds and options by the names they have on the command line. Out: a file that can be read (`reading.py`).
Never: a word on stdout.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple, TypedDict, Unpack

from dotenv import dotenv_values

from harvest import terms
from harvest.api.seed_urls import normalise_seed
from harvest.auth.token_store import FileKeeper, MemoryKeeper
from harvest.crawler.engine import MAX_IN_FLIGHT, Engine
from harvest.crawler.session import Conditions, Seeds
from harvest.crawler.session import crawl as run_session
from harvest.errors import ApiError, SeedError, SettingsError
from harvest.models import DEEPEST, LONGEST_DELAY, MOST, ORDERS, Limits, Outcome, Page, Receipt, Task
from harvest.python.results import DEFAULT_PATH, File
from harvest.settings import Settings, read_settings
from harvest.store import harvests, queries
from harvest.store.database import holds_something, open_to_read
from harvest.system.clock import SystemClock
from harvest.system.logs import configure_unless_done
from harvest.wiring import connect, keeper_for, state_folder

_CONDITIONS: dict[str, Any] = {"delay": 0.5, "concurrency": None, "page_size": 200, "profiles": "minimal"}
_LIMITS = tuple(field.name for field in fields(Limits))


class Options(TypedDict, total=False):
    """What a crawl can be told; whatever is left out is as this seed was last crawled, else as usual."""

    max_users: int
    max_user_likes: int
    max_listed: int
    max_tracks: int
    depth: int
    order: str
    sample: int
    sample_seed: int
    delay: float
    concurrency: int
    page_size: int
    profiles: str


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


def crawl(
    *seeds: str,
    path: Path | str = DEFAULT_PATH,
    progress: Callable[[Progress], object] | None = None,
    settings: Settings | None = None,
    **options: Unpack[Options],
) -> File:
    """Harvest tracks into a file, go on with what is there already, and give the file.

    `progress` hears of every page once it is committed. Credentials come from the environment and `.env`, unless
    `settings` are given. Raises HarvestError; what was committed before stays, and the same call goes on from there.
    """
    for page in pages(*seeds, path=path, settings=settings, **options):
        if progress is not None:
            progress(page)
    return File(path)


def resume(
    path: Path | str = DEFAULT_PATH,
    *,
    progress: Callable[[Progress], object] | None = None,
    settings: Settings | None = None,
    **options: Unpack[Options],
) -> File:
    """Go on with whatever is unfinished in a file, with the options it was started with."""
    with File(path).connection() as connection:
        seeds = [seed for seed, _ in harvests.unfinished(connection)]
    return crawl(*seeds, path=path, progress=progress, settings=settings, **options) if seeds else File(path)


def pages(
    *seeds: str, path: Path | str = DEFAULT_PATH, settings: Settings | None = None, **options: Unpack[Options]
) -> Iterator[Progress]:
    """Harvest as `crawl` does, and give every page as it is committed. To leave the loop is to stop the crawl."""
    if not seeds:
        raise SettingsError("Name at least one track to start from.")
    urls = list(dict.fromkeys(normalise_seed(seed).url for seed in seeds))
    return _pages(_plan(Path(path), urls, _translated(options)), settings)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be crawled, into which file, under which conditions."""

    path: Path
    seeds: Seeds
    conditions: Mapping[str, Any]


def _translated(options: Mapping[str, Any]) -> dict[str, Any]:
    """Check the names of options; a sample is a bound and an order."""
    known = {*_LIMITS, *_CONDITIONS, "sample"}
    unknown = sorted(set(options) - known)
    if unknown:
        raise SettingsError(f"There is no option {', '.join(unknown)}; there are {', '.join(sorted(known))}.")
    chosen = {name: value for name, value in options.items() if value is not None}
    sample = chosen.pop("sample", None)
    if sample is not None:
        if chosen.get("order", "random") != "random":
            raise SettingsError(f"A sample is drawn at random: leave out order={chosen['order']!r}.")
        if chosen.get("max_users", sample) != sample:
            raise SettingsError(f"A sample of {sample} follows so many: leave out max_users={chosen['max_users']}.")
        chosen.update(order="random", max_users=sample)
    if chosen.get("order", ORDERS[0]) not in ORDERS:
        raise SettingsError(f"order is one of {', '.join(ORDERS)}, not {chosen['order']!r}.")
    for name, most in {**dict.fromkeys(known, MOST), "depth": DEEPEST, "delay": LONGEST_DELAY}.items():
        value = chosen.get(name)
        if isinstance(value, int | float) and not 0 <= value <= most:
            raise SettingsError(f"{name} must be a number from 0 to {most:,.0f}, not {value}.")
    return chosen


def _plan(path: Path, urls: list[str], chosen: dict[str, Any]) -> _Plan:
    """Look up what these seeds were last crawled with, and put today's wishes over it."""
    stored: dict[str, Limits] = {}
    last: dict[str, Any] = {}
    if holds_something(path):
        with contextlib.closing(open_to_read(path)) as connection:
            stored = {url: known for url in urls if (known := harvests.stored_limits(connection, url)) is not None}
            last = harvests.last_conditions(connection) if stored else {}
    wishes = {name: value for name, value in chosen.items() if name in _LIMITS}
    conditions = {name: chosen.get(name, last.get(name, usual)) for name, usual in _CONDITIONS.items()}
    return _Plan(path, [(url, replace(stored.get(url, Limits()), **wishes)) for url in urls], conditions)


def _pages(plan: _Plan, settings: Settings | None) -> Iterator[Progress]:
    if not _is_drained(plan):
        worker = _Worker(plan, settings)
        try:
            yield from worker
        finally:
            worker.end()
    _raise_for_seeds(plan)


def _is_drained(plan: _Plan) -> bool:
    if not holds_something(plan.path):
        return False
    with contextlib.closing(open_to_read(plan.path)) as connection:
        return all(harvests.is_drained(connection, url, limits) for url, limits in plan.seeds)


def _raise_for_seeds(plan: _Plan) -> None:
    """Say which of the seeds asked for could not be found."""
    asked = {queries.public_seed(url) for url, _ in plan.seeds}
    with File(plan.path).connection() as connection:
        rows = connection.execute("SELECT seed_url, reason FROM harvests WHERE state = 'failed'").fetchall()
    failed = [f"{url}: {row[1]}" for row in rows if (url := queries.public_seed(row[0])) in asked]
    if failed:
        raise SeedError(f"This could not be found: {'; '.join(failed)}")


class _Worker:
    """A crawl in a thread of its own, and what it tells."""

    def __init__(self, plan: _Plan, settings: Settings | None) -> None:
        self._plan, self._given = plan, settings
        self._told: SimpleQueue[Progress | None] = SimpleQueue()
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._error: BaseException | None = None
        self._stopping = False
        self._pages = self._kept = 0
        configure_unless_done()
        self._settings = settings or _own_settings()
        if self._settings.is_real_service:
            terms.say_once(state_folder(), lambda text: builtins.print(text, file=sys.stderr))  # noqa: T201
        self._thread = threading.Thread(target=self._run, name="harvest", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Progress]:
        """Give what is told until the crawl ends, then raise what ended it, if anything did."""
        while (told := self._told.get()) is not None:
            yield told
        self._thread.join()
        if self._error is not None:
            raise self._error

    def end(self) -> None:
        """Stop after the pages in flight if the crawl goes on; interrupted once more, stop at once."""
        self._stopping = True
        try:
            self._call(lambda engine: engine.stop())
            self._thread.join()
        except KeyboardInterrupt:
            self._call(lambda engine: engine.abort())
            self._thread.join()
            raise

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
        self._told.put(
            Progress(task.kind, subject, number, kept, collected, task.claimed, ended, self._pages, self._kept)
        )

    def _call(self, what: Callable[[Engine], None]) -> None:
        if self._loop is not None and self._engine is not None and self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # the loop has just closed
                self._loop.call_soon_threadsafe(what, self._engine)

    def _run(self) -> None:
        try:
            asyncio.run(self._crawl())
        except BaseException as error:
            self._error = error
        finally:
            self._told.put(None)

    async def _crawl(self) -> None:
        self._loop = asyncio.get_running_loop()
        conditions, clock = self._plan.conditions, SystemClock()
        max_in_flight = conditions["concurrency"] or MAX_IN_FLIGHT
        own = self._given is None  # settings that are passed in are nobody's own: no tokens kept, no pace shared
        keeper: FileKeeper | MemoryKeeper = keeper_for(self._settings) if own else MemoryKeeper()  # type: ignore[assignment]
        async with connect(
            self._settings,
            clock=clock,
            delay=conditions["delay"],
            max_in_flight=max_in_flight,
            full_profiles=conditions["profiles"] == "full",
            keeper=keeper,
            pace_folder=state_folder() if own else None,
        ) as connection:
            await run_session(
                self._plan.path,
                self._plan.seeds,
                client=connection.client,
                conditions=Conditions(
                    api_url=self._settings.api_url,
                    credential_kind=connection.bearer.kind,
                    options=dict(conditions),
                    max_in_flight=max_in_flight,
                    page_size=conditions["page_size"],
                ),
                witness=self,
                clock=clock,
                on_start=self._started,
            )

    def _started(self, engine: Engine) -> None:
        self._engine = engine
        if self._stopping:
            engine.stop()


def _own_settings() -> Settings:
    """Read settings as the command line does: the environment first, then `.env` in the working directory."""
    from_file = {name: value for name, value in dotenv_values(Path(".env")).items() if value is not None}
    return read_settings({**from_file, **os.environ})
