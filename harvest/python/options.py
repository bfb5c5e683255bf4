"""What can be told of a crawl from Python, by the names of the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypedDict

from harvest.errors import SettingsError


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
    `ephemeral` keeps everything in memory, for as long as the process lives. `plan` is a plan that was saved before:
    its hash is kept with the run, and seeds or options that differ from it are refused.
    """

    from_file: Path | str | Iterable[Path | str]
    from_sql: str
    of: str
    from_db: Path | str
    ephemeral: bool
    plan: Path | str


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


class TableOptions(TypedDict, total=False):
    """What of the graph leaves, by the names of `harvest export`."""

    kind: str
    complete_users_only: bool
    min_users: int
    min_items: int
    kcore: int
    k: int
    split: str
    seed: int
    ids: str
    include_incomplete: bool
    lists: bool
    texts: bool
    frames: str
    without_frames: bool
    ego: str
    radius: int


class ExportOptions(TableOptions, total=False):
    """The same, and in which `format` it is written: parquet, csv, jsonl, recbole, tsv, csr, hf, graphml, gexf, m3u,
    jspf. Of graphml and gexf, which `graph`: all, follows, tracks, people; of the last two by which `backbone`
    (disparity, sdsm) and below which `level` of chance.
    """

    format: str
    graph: str
    backbone: str
    level: float


def known(options: Mapping[str, Any], there: type = Options) -> Mapping[str, Any]:
    """Refuse options that there are not. Raises SettingsError."""
    unknown = sorted(set(options) - set(there.__annotations__))
    if unknown:
        there_are = ", ".join(sorted(there.__annotations__))
        raise SettingsError(f"There is no option {', '.join(unknown)}; there are {there_are}.")
    return options


class SearchOptions(Options, total=False):
    """What a search can be told besides its words: `of` is 'tracks' (the default), 'users' or 'playlists'; ranges are
    texts as '120:128', '3m:10m', '2026-11-01:'; `limit` is how many results are kept. The others are those of a crawl.
    """

    of: str
    genre: str | Iterable[str]
    tag: str | Iterable[str]
    bpm: str
    duration: str
    created: str
    limit: int


class RetryOptions(Options, total=False):
    """What is read again: lists that failed so (`failure_class`), or all that ended so (`outcomes`, 'short', ...)."""

    failure_class: str
    outcomes: str | Iterable[str]


class TendOptions(RunOptions, total=False):
    """What keeping a file true can be told: a watch list in files, whose new seeds are harvested first, and how old a
    list may be that is read again though its count has not moved.
    """

    from_file: Path | str | Iterable[Path | str]
    older_than: float | str


def paths(files: Path | str | Iterable[Path | str]) -> list[Path]:
    """Give one path or several as a list."""
    return [Path(file) for file in ([files] if isinstance(files, str | Path) else files)]


def several(given: str | Iterable[str]) -> list[str]:
    """Give one text or several as a list."""
    return [given] if isinstance(given, str) else list(given)
