"""Keep a file true from Python: look up counts, read again what has changed, empty what is gone, fill what was shared;
each with a twin that is awaited.

In: the path of a file, options by the names they have on the command line. Out: what was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from harvest.crawler.request import to_count, to_hydrate, to_refresh, to_tend
from harvest.crawler.seed_lists import seeds_in
from harvest.crawler.starts import starts
from harvest.forgetting.comply import check, empty_what_is_gone
from harvest.python import jobs
from harvest.python.answers import EmptiedThings, Refreshed
from harvest.python.jobs import Heard, Job
from harvest.python.options import CountOptions, RefreshOptions, RunOptions, TendOptions, known, paths
from harvest.python.shown import ByKind, shown
from harvest.settings import DEFAULT_PATH, Settings
from harvest.sharing import hydrate as filling
from harvest.sharing.hydrate import Persistence
from harvest.store import refreshes, sweeps
from harvest.store.database import open_to_read
from harvest.store.sweeps import ALL_SHOWN, Found
from harvest.system.clock import SystemClock, as_text

_JUST_NOW = 1.0  # seconds: whatever was looked up longer ago is looked up again


def counts(
    path: Path | str = DEFAULT_PATH,
    *,
    progress: Heard | None = None,
    settings: Settings | None = None,
    **options: Unpack[CountOptions],
) -> ByKind[Found]:
    """Look people and tracks of a file up in batches, as `harvest counts` does; give what was found, by kind of thing.

    Raises HarvestError; what was committed before stays, and the same call goes on from there.
    """
    return jobs.run(_counting(path, settings, options), progress)


async def acounts(
    path: Path | str = DEFAULT_PATH,
    *,
    progress: Heard | None = None,
    settings: Settings | None = None,
    **options: Unpack[CountOptions],
) -> ByKind[Found]:
    """Do what `counts` does, awaited."""
    return await jobs.arun(_counting(path, settings, options), progress)


def refresh(
    path: Path | str = DEFAULT_PATH,
    *,
    progress: Heard | None = None,
    settings: Settings | None = None,
    **options: Unpack[RefreshOptions],
) -> Refreshed:
    """Read again what has changed, as `harvest refresh` does; give what was found.

    What changed, one by one, is in `File.changes`. Raises HarvestError; what was committed before stays, and the same
    call goes on from there.
    """
    return jobs.run(_refreshing(path, settings, options), progress)


async def arefresh(
    path: Path | str = DEFAULT_PATH,
    *,
    progress: Heard | None = None,
    settings: Settings | None = None,
    **options: Unpack[RefreshOptions],
) -> Refreshed:
    """Do what `refresh` does, awaited."""
    return await jobs.arun(_refreshing(path, settings, options), progress)


def tend(
    path: Path | str = DEFAULT_PATH,
    *,
    progress: Heard | None = None,
    settings: Settings | None = None,
    **options: Unpack[TendOptions],
) -> Refreshed:
    """Go on with what is unfinished, harvest what is new in a watch list, and read again what has changed, as
    `harvest tend` does; give what was found. A bound that ends it is no failure.
    """
    return jobs.run(_tending(path, settings, dict(options)), progress)


async def atend(
    path: Path | str = DEFAULT_PATH,
    *,
    progress: Heard | None = None,
    settings: Settings | None = None,
    **options: Unpack[TendOptions],
) -> Refreshed:
    """Do what `tend` does, awaited."""
    return await jobs.arun(_tending(path, settings, dict(options)), progress)


def comply(
    path: Path | str = DEFAULT_PATH,
    *,
    progress: Heard | None = None,
    settings: Settings | None = None,
    **options: Unpack[RunOptions],
) -> EmptiedThings:
    """Look everything up, and empty what the service no longer shows, as `harvest comply` does; give what that was."""
    return jobs.run(_complying(path, settings, options), progress)


async def acomply(
    path: Path | str = DEFAULT_PATH,
    *,
    progress: Heard | None = None,
    settings: Settings | None = None,
    **options: Unpack[RunOptions],
) -> EmptiedThings:
    """Do what `comply` does, awaited."""
    return await jobs.arun(_complying(path, settings, options), progress)


def hydrate(
    folder: Path | str,
    path: Path | str,
    *,
    key: Path | str | None = None,
    progress: Heard | None = None,
    settings: Settings | None = None,
    **options: Unpack[RunOptions],
) -> ByKind[Persistence]:
    """Make a file of a folder that was shared without content, and ask the service for the rest, as `harvest hydrate`
    does; give what became of it, by kind of thing. `key` is the file with the key of its pseudonyms.
    """
    return jobs.run(_hydrating(folder, path, key, settings, options), progress)


async def ahydrate(
    folder: Path | str,
    path: Path | str,
    *,
    key: Path | str | None = None,
    progress: Heard | None = None,
    settings: Settings | None = None,
    **options: Unpack[RunOptions],
) -> ByKind[Persistence]:
    """Do what `hydrate` does, awaited."""
    return await jobs.arun(_hydrating(folder, path, key, settings, options), progress)


def _counting(path: Path | str, settings: Settings | None, options: Mapping[str, Any]) -> Job[ByKind[Found]]:
    request = to_count(Path(path), known(options, CountOptions))
    with open_to_read(Path(path)) as connection:
        before = sweeps.present(connection)

    def result() -> ByKind[Found]:
        with open_to_read(Path(path)) as connection:
            return ByKind(sweeps.found(connection, before))

    return Job(request, settings, result)


def _refreshing(path: Path | str, settings: Settings | None, options: Mapping[str, Any]) -> Job[Refreshed]:
    request = to_refresh(Path(path), known(options, RefreshOptions))
    return Job(request, settings, lambda: _refreshed(Path(path)))


def _tending(path: Path | str, settings: Settings | None, options: dict[str, Any]) -> Job[Refreshed]:
    known(options, TendOptions)
    start = starts([seed for file in paths(options.pop("from_file", ())) for seed in seeds_in(file)], options)
    request = to_tend(Path(path), start.addresses, start.given)
    return Job(request, settings, lambda: _refreshed(Path(path)))


def _refreshed(path: Path) -> Refreshed:
    with open_to_read(path) as connection:
        found = refreshes.found(connection)
    assert found is not None
    return shown(Refreshed, found)


def _complying(path: Path | str, settings: Settings | None, options: Mapping[str, Any]) -> Job[EmptiedThings]:
    wanted = {**known(options, RunOptions), "of": ALL_SHOWN, "older_than": _JUST_NOW}
    request = to_count(Path(path), wanted)
    check(Path(path))
    return Job(request, settings, lambda: shown(EmptiedThings, empty_what_is_gone(Path(path), now=SystemClock().now())))


def _hydrating(
    source: Path | str,
    path: Path | str,
    key: Path | str | None,
    settings: Settings | None,
    options: Mapping[str, Any],
) -> Job[ByKind[Persistence]]:
    known(options, RunOptions)
    folder = filling.read_folder(Path(source))
    if not filling.is_made(Path(path), folder):
        secret, people = filling.key_of(folder, Path(key) if key is not None else None)
        filling.make(Path(path), folder, now=as_text(SystemClock().now()), key=secret, people=people)

    def result() -> ByKind[Persistence]:
        with open_to_read(Path(path)) as connection:
            return ByKind(filling.persistence(connection))

    return Job(to_hydrate(Path(path), options), settings, result)
