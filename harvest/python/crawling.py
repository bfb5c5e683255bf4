"""Crawl from Python: `harvest.crawl(...)` and what belongs to it, for notebooks and scripts; each with a twin that is
awaited, `await harvest.acrawl(...)`.

What is told arrives in the caller's thread, page after page as they are committed.

In: seeds and options by the names they have on the command line. Out: a file that can be read (`file.py`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from harvest.api.searches import SEARCHED
from harvest.crawler.request import CrawlRequest, to_crawl, to_go_on
from harvest.crawler.seed_lists import seeds_in
from harvest.crawler.session import put_back
from harvest.crawler.starts import starts, starts_of_search
from harvest.errors import SettingsError, failure_classes
from harvest.explore.seed_queries import seeds_from
from harvest.models import Outcome
from harvest.planning.saved import followed
from harvest.python import jobs
from harvest.python.file import File
from harvest.python.jobs import Heard, Job
from harvest.python.options import (
    Options,
    RetryOptions,
    SearchOptions,
    SeedOptions,
    known,
    paths,
    several,
)
from harvest.python.worker import Progress
from harvest.settings import DEFAULT_PATH, Settings
from harvest.store import in_memory
from harvest.store.database import check_readable
from harvest.system.clock import SystemClock

# A track, person, playlist or search by its address; a file with one a line, as a Path; or several of these.
Seed = str | Path | Iterable[str | Path]


def crawl(
    *seeds: Seed,
    path: Path | str = DEFAULT_PATH,
    progress: Heard | None = None,
    settings: Settings | None = None,
    **options: Unpack[SeedOptions],
) -> File:
    """Harvest around tracks, people and playlists into a file, go on with what is there already, and give the file.

    A seed is an address, a Path to a file with one a line, or several of these. With `ephemeral` the file is in memory:
    leave out `path` and `keep_replies`. `progress` hears of every page once it is committed. Credentials come from the
    environment and `.env`, unless `settings` are given. Raises HarvestError; what was committed before stays, and the
    same call goes on from there.
    """
    return jobs.run(_crawling(seeds, path, settings, dict(options)), progress)


async def acrawl(
    *seeds: Seed,
    path: Path | str = DEFAULT_PATH,
    progress: Heard | None = None,
    settings: Settings | None = None,
    **options: Unpack[SeedOptions],
) -> File:
    """Do what `crawl` does, beside whatever else the event loop does. To cancel it is to stop: the file is whole."""
    return await jobs.arun(_crawling(seeds, path, settings, dict(options)), progress)


def pages(
    *seeds: Seed, path: Path | str = DEFAULT_PATH, settings: Settings | None = None, **options: Unpack[SeedOptions]
) -> Iterator[Progress]:
    """Harvest as `crawl` does, and give every page as it is committed. To leave the loop is to stop the crawl."""
    return jobs.steps(_crawling(seeds, path, settings, dict(options)))


def apages(
    *seeds: Seed, path: Path | str = DEFAULT_PATH, settings: Settings | None = None, **options: Unpack[SeedOptions]
) -> AsyncGenerator[Progress, None]:
    """Do what `pages` does, for `async for`."""
    return jobs.asteps(_crawling(seeds, path, settings, dict(options)))


def resume(
    path: Path | str = DEFAULT_PATH,
    *,
    progress: Heard | None = None,
    settings: Settings | None = None,
    **options: Unpack[Options],
) -> File:
    """Go on with whatever is unfinished in a file, with the options it was started with."""
    return jobs.run(_resuming(path, settings, options), progress)


async def aresume(
    path: Path | str = DEFAULT_PATH,
    *,
    progress: Heard | None = None,
    settings: Settings | None = None,
    **options: Unpack[Options],
) -> File:
    """Do what `resume` does, awaited."""
    return await jobs.arun(_resuming(path, settings, options), progress)


def search(
    *words: str,
    path: Path | str = DEFAULT_PATH,
    progress: Heard | None = None,
    settings: Settings | None = None,
    **options: Unpack[SearchOptions],
) -> File:
    """Search for tracks, people or playlists, as `harvest search` does, and keep what is found, in its order.

    `.sql("found")` gives the results of the file's last search. With `depth=1` the crawl goes on from them.
    """
    return jobs.run(_searching(words, path, settings, dict(options)), progress)


async def asearch(
    *words: str,
    path: Path | str = DEFAULT_PATH,
    progress: Heard | None = None,
    settings: Settings | None = None,
    **options: Unpack[SearchOptions],
) -> File:
    """Do what `search` does, awaited."""
    return await jobs.arun(_searching(words, path, settings, dict(options)), progress)


def retry(
    path: Path | str = DEFAULT_PATH,
    *,
    progress: Heard | None = None,
    settings: Settings | None = None,
    **options: Unpack[RetryOptions],
) -> File:
    """Put failed lists back and go on, as `harvest retry` does: those that failed for a passing reason, else those of a
    `failure_class`; or, from the beginning, all lists that ended as `outcomes` say.
    """
    return jobs.run(_retrying(path, settings, dict(options)), progress)


async def aretry(
    path: Path | str = DEFAULT_PATH,
    *,
    progress: Heard | None = None,
    settings: Settings | None = None,
    **options: Unpack[RetryOptions],
) -> File:
    """Do what `retry` does, awaited."""
    return await jobs.arun(_retrying(path, settings, dict(options)), progress)


def request_of(seeds: Iterable[Seed], path: Path | str, options: Mapping[str, Any]) -> CrawlRequest:
    """Give what is to be crawled of seeds and options. Raises SettingsError, SeedError, QueryError."""
    given = dict(known(options, SeedOptions))
    plan = given.pop("plan", None)
    typed = [*_typed(seeds), *_listed(given, Path(path))]
    if not typed:
        raise SettingsError("Name at least one track, person or playlist to start from.")
    start = starts(typed, given)
    request = to_crawl(Path(path), start.addresses, start.given)
    return request if plan is None else replace(request, plan=followed(Path(plan), request))


def _crawling(seeds: Iterable[Seed], path: Path | str, settings: Settings | None, options: dict[str, Any]) -> Job[File]:
    if options.pop("ephemeral", False):
        if path != DEFAULT_PATH:
            raise SettingsError("ephemeral keeps everything in memory: leave out path.")
        if options.get("keep_replies"):
            raise SettingsError("ephemeral keeps everything in memory: leave out keep_replies.")
        path = in_memory.new()
    return Job(request_of(seeds, path, options), settings, lambda: File(path))


def _resuming(path: Path | str, settings: Settings | None, options: Mapping[str, Any]) -> Job[File]:
    return Job(to_go_on(Path(path), known(options)), settings, lambda: File(path))


def _searching(words: Iterable[str], path: Path | str, settings: Settings | None, options: dict[str, Any]) -> Job[File]:
    known(options, SearchOptions)
    of = options.pop("of", SEARCHED[0])
    if of not in SEARCHED:
        raise SettingsError(f"of is one of {', '.join(SEARCHED)}, not {of!r}.")
    genres, tags = several(options.pop("genre", ())), several(options.pop("tag", ()))
    filters = {name: options.pop(name, None) for name in ("limit", "bpm", "duration", "created")}
    start = starts_of_search(of, words, options, genres=genres, tags=tags, **filters)
    return Job(to_crawl(Path(path), start.addresses, start.given), settings, lambda: File(path))


def _retrying(path: Path | str, settings: Settings | None, options: dict[str, Any]) -> Job[File]:
    known(options, RetryOptions)
    failure_class, outcomes = options.pop("failure_class", None), several(options.pop("outcomes", ()))
    classes, ends = [*failure_classes(), "unsupported_urn"], [outcome.value for outcome in Outcome]
    if failure_class is not None and outcomes:
        raise SettingsError("failure_class continues lists, outcomes reads them from the beginning: give one of them.")
    if failure_class is not None and failure_class not in classes:
        raise SettingsError(f"failure_class is one of {', '.join(classes)}, not {failure_class!r}.")
    if wrong := [one for one in outcomes if one not in ends]:
        raise SettingsError(f"No list ends {wrong[0]!r}; there are {', '.join(ends)}.")
    check_readable(Path(path))
    before = to_go_on(Path(path), options)
    lists = put_back(
        Path(path),
        SystemClock().now(),
        failure_class=failure_class,
        outcomes=outcomes,
        keep_replies=before.conditions.keep_replies,
    )
    request = to_go_on(Path(path), options)
    return Job(request if lists else replace(request, harvests=()), settings, lambda: File(path))


def _typed(seeds: Iterable[Seed]) -> Iterator[str]:
    """Give the seeds one by one, those of files too. Raises SeedError."""
    for seed in seeds:
        if isinstance(seed, str):
            yield seed
        elif isinstance(seed, Path):
            yield from seeds_in(seed)
        else:
            yield from _typed(seed)


def _listed(given: dict[str, Any], path: Path) -> Iterator[str]:
    """Take where to start besides out of the options, and give those seeds. Raises SeedError, QueryError."""
    files, sql = given.pop("from_file", ()), given.pop("from_sql", None)
    of, db = given.pop("of", None), given.pop("from_db", None)
    if sql is None and (of or db):
        raise SettingsError("of and from_db go with from_sql.")
    for file in paths(files):
        yield from seeds_in(file)
    if sql is not None:
        yield from seeds_from(Path(db or path), sql, of).seeds
