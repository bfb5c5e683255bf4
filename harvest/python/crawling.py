"""Crawl from Python: `harvest.crawl(...)` and what belongs to it, for notebooks and scripts.

A crawl runs in a thread with an event loop of its own, so it does not matter whether the caller has one running, as
Jupyter does. What it tells arrives in the caller's thread, page after page as they are committed.

In: seeds and options by the names they have on the command line. Out: a file that can be read (`file.py`).
Never: a word on stdout.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple, TypedDict, Unpack

from harvest import terms
from harvest.api.seed_urls import public_address
from harvest.auth.token_store import FileKeeper, MemoryKeeper
from harvest.crawler.engine import Engine
from harvest.crawler.request import CrawlRequest, is_drained, parse_retention, to_count, to_crawl, to_go_on, to_refresh
from harvest.crawler.seed_lists import seeds_in
from harvest.crawler.session import Conditions
from harvest.crawler.session import crawl as run_session
from harvest.crawler.starts import starts
from harvest.environment import Environment
from harvest.errors import ApiError, SeedError, SettingsError
from harvest.explore.seed_queries import seeds_from
from harvest.models import Outcome, Page, Receipt, Task
from harvest.python.file import File
from harvest.settings import DEFAULT_PATH, Settings, read_settings, state_folder
from harvest.store import in_memory, refreshes, status, sweeps
from harvest.store.sweeps import Found
from harvest.system.clock import SystemClock
from harvest.system.logs import configure_unless_done
from harvest.wiring import connect, keeper_for


class RunOptions(TypedDict, total=False):
    """How whatever is asked for is asked, and how much: bounds (`max_requests`, `for_` in seconds or as '10m', `until`,
    `max_failures`) are of this crawl alone, unless `total` keeps them for later ones.
    """

    profiles: str
    delay: float
    concurrency: int
    keep_replies: bool
    retain: str
    max_requests: int
    for_: float | str
    until: str
    max_failures: int
    total: bool


class Options(RunOptions, total=False):
    """What a crawl can be told, by the names of the command line; whatever is left out is as these seeds were last
    crawled, else as usual.
    """

    max_users: int
    max_user_likes: int
    max_listed: int
    max_tracks: int
    max_playlists: int
    depth: int
    order: str
    sample: int
    sample_seed: int
    control: int
    until_new: float | str
    read: str | Iterable[str]
    seed_read: str | Iterable[str]
    via: str | Iterable[str]
    cap: str | Iterable[str] | Mapping[str, int]
    everything: bool
    page_size: int


class SeedOptions(Options, total=False):
    """Where to start besides, and the options of a crawl: lists in files, one seed a line, and the first column of a
    query over the file, or over `from_db`; `of` says what its plain ids are: 'tracks', 'users' or 'playlists'.
    `ephemeral` keeps everything in memory, for as long as the process lives.
    """

    from_file: Path | str | Iterable[Path | str]
    from_sql: str
    of: str
    from_db: Path | str
    ephemeral: bool


class CountOptions(RunOptions, total=False):
    """What `counts` can be told: `of` 'artists', 'people', 'tracks' or 'all' (the default), `older_than` seconds or a
    text like '7d'; the others are those of a crawl.
    """

    of: str
    older_than: float | str


class RefreshOptions(RunOptions, total=False):
    """What `refresh` can be told: `full` reads every list again, whole; `read` these lists alone; `older_than`, seconds
    or a text like '30d', also those read longer ago. The others are those of a crawl.
    """

    full: bool
    older_than: float | str
    read: str | Iterable[str]
    page_size: int


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
    **options: Unpack[SeedOptions],
) -> File:
    """Harvest around tracks, people and playlists into a file, go on with what is there already, and give the file.

    With `ephemeral` the file is in memory: leave out `path` and `keep_replies`. `progress` hears of every page once it
    is committed. Credentials come from the environment and `.env`, unless `settings` are given. Raises HarvestError;
    what was committed before stays, and the same call goes on from there.
    """
    if options.pop("ephemeral", False):
        if path != DEFAULT_PATH:
            raise SettingsError("ephemeral keeps everything in memory: leave out path.")
        if options.get("keep_replies"):
            raise SettingsError("ephemeral keeps everything in memory: leave out keep_replies.")
        path = in_memory.new()
    _go_through(pages(*seeds, path=path, settings=settings, **options), progress)
    return File(path)


def resume(
    path: Path | str = DEFAULT_PATH,
    *,
    progress: Callable[[Progress], object] | None = None,
    settings: Settings | None = None,
    **options: Unpack[Options],
) -> File:
    """Go on with whatever is unfinished in a file, with the options it was started with."""
    _go_through(_pages(to_go_on(Path(path), _known(options)), settings), progress)
    return File(path)


def counts(
    path: Path | str = DEFAULT_PATH,
    *,
    progress: Callable[[Progress], object] | None = None,
    settings: Settings | None = None,
    **options: Unpack[CountOptions],
) -> dict[str, Found]:
    """Look people and tracks of a file up in batches, as `harvest counts` does; give what was found, by kind of thing.

    Raises HarvestError; what was committed before stays, and the same call goes on from there.
    """
    request = to_count(Path(path), _known(options, CountOptions))
    with File(path).connection() as connection:
        before = sweeps.present(connection)
    _go_through(_pages(request, settings), progress)
    with File(path).connection() as connection:
        return sweeps.found(connection, before)


def refresh(
    path: Path | str = DEFAULT_PATH,
    *,
    progress: Callable[[Progress], object] | None = None,
    settings: Settings | None = None,
    **options: Unpack[RefreshOptions],
) -> refreshes.Found:
    """Read again what has changed, as `harvest refresh` does; give what was found.

    What changed, one by one, is in `File.changes`. Raises HarvestError; what was committed before stays, and the same
    call goes on from there.
    """
    _go_through(_pages(to_refresh(Path(path), _known(options, RefreshOptions)), settings), progress)
    with File(path).connection() as connection:
        found = refreshes.found(connection)
    assert found is not None
    return found


def pages(
    *seeds: str, path: Path | str = DEFAULT_PATH, settings: Settings | None = None, **options: Unpack[SeedOptions]
) -> Iterator[Progress]:
    """Harvest as `crawl` does, and give every page as it is committed. To leave the loop is to stop the crawl."""
    given = dict(_known(options, SeedOptions))
    typed = [*seeds, *_listed(given, Path(path))]
    if not typed:
        raise SettingsError("Name at least one track, person or playlist to start from.")
    start = starts(typed, given)
    return _pages(to_crawl(Path(path), start.addresses, start.given), settings)


def _listed(given: dict[str, Any], path: Path) -> Iterator[str]:
    """Take where to start besides out of the options, and give those seeds. Raises SeedError, QueryError."""
    files, sql = given.pop("from_file", ()), given.pop("from_sql", None)
    of, db = given.pop("of", None), given.pop("from_db", None)
    if sql is None and (of or db):
        raise SettingsError("of and from_db go with from_sql.")
    for file in [files] if isinstance(files, str | Path) else files:
        yield from seeds_in(Path(file))
    if sql is not None:
        yield from seeds_from(Path(db or path), sql, of).seeds


def _known(options: Mapping[str, Any], there: type = Options) -> Mapping[str, Any]:
    """Refuse options that there are not. Raises SettingsError."""
    unknown = sorted(set(options) - set(there.__annotations__))
    if unknown:
        there_are = ", ".join(sorted(there.__annotations__))
        raise SettingsError(f"There is no option {', '.join(unknown)}; there are {there_are}.")
    return options


def _go_through(pages: Iterable[Progress], progress: Callable[[Progress], object] | None) -> None:
    for page in pages:
        if progress is not None:
            progress(page)


def _pages(request: CrawlRequest, settings: Settings | None) -> Iterator[Progress]:
    if not is_drained(request):
        worker = _Worker(request, settings)
        try:
            yield from worker
        finally:
            worker.end()
    _raise_for_seeds(request)


def _raise_for_seeds(request: CrawlRequest) -> None:
    """Say which of the seeds asked for could not be found."""
    asked = {public_address(address) for address in request.addresses}
    with File(request.path).connection() as connection:
        seeds = [seed for harvest in status.look(connection).harvests for seed in harvest.seeds]
    lost = {seed.address: seed.reason for seed in seeds if seed.address in asked and seed.reason}
    if lost:
        raise SeedError(f"This could not be found: {'; '.join(f'{seed}: {reason}' for seed, reason in lost.items())}")


class _Worker:
    """A crawl in a thread of its own, and what it tells."""

    def __init__(self, request: CrawlRequest, settings: Settings | None) -> None:
        self._request, self._given = request, settings
        self._told: SimpleQueue[Progress | None] = SimpleQueue()
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._error: BaseException | None = None
        self._stopping = False
        self._pages = self._kept = 0
        configure_unless_done()
        self._settings = settings or read_settings(Environment.here())
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
        request, clock = self._request, SystemClock()
        asking = request.conditions
        budget = request.budget.budget(datetime.now())
        own = self._given is None  # settings that are passed in are nobody's own: no tokens kept, no pace shared
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
