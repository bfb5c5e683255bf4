"""Analyse a file: hold the lease, read the likes once, bring every method asked for up to date.

In: a path and choices. Out: the tables of pairs; what was done. Never: a word to the user.

numpy and scipy are an extra: what needs them is imported where it is used.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harvest.analysis import derivations, plugged, reasons
from harvest.analysis.methods import (
    FANS,
    METHODS,
    SIMILAR,
    SOURCES,
    USUAL,
    Choices,
)
from harvest.analysis.ours import Work
from harvest.analysis.quality import Quality, quality
from harvest.errors import ExtraMissing, SettingsError
from harvest.store.database import check_readable, fold_wal, immediately, open_for_crawl, storage_errors
from harvest.store.lease import HEARTBEAT_SECONDS, Lease
from harvest.store.schema import apply_schema
from harvest.system.clock import Clock, as_text

if TYPE_CHECKING:
    from sqlite_utils import Database

    from harvest.analysis.likes import Library

Told = Callable[[str, float], None]

_BASE_MB = 100  # Python, numpy, scipy, SQLite
_BYTES_PER_LIKE = 36  # the matrix, its transpose, and what making them takes
_SMALLEST_BLOCK = 200_000
_LARGEST_BLOCK = 1_000_000  # larger ones leave the caches of the processor, and Ctrl-C has to wait for them


@dataclass(frozen=True, slots=True)
class Done:
    """A method as it now stands: its rows, and how many things had to be computed again (None: all, as always).
    Communities say how good they are.
    """

    method: str
    table: str
    pairs: int
    computed: int | None
    communities: Quality | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """What an analysis used and made. `frames` of the tracks liked do not count; `reason` says what that left empty."""

    people: int
    likes: int
    lists_left_out: dict[str, int]
    methods: tuple[Done, ...]
    frames: int = 0
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return asdict(self)


def check_extra(command: str = "harvest analyze") -> None:
    """Raise ExtraMissing, with what helps, when a part of the extra that a command needs is missing."""
    try:
        import graspologic_native  # noqa: F401
        import numpy  # noqa: F401
        import scipy.sparse  # noqa: F401
    except ImportError as error:
        raise ExtraMissing(command, error.name or "scipy", "analysis") from error


def analyse(
    path: Path,
    methods: Sequence[str],
    choices: Choices,
    *,
    clock: Clock,
    memory_mb: int,
    fresh: bool = False,
    resolution: float = 1.0,
    told: Told = lambda method, share: None,
) -> Analysis:
    """Bring methods up to date; none named means the usual ones and those that are there already.

    `told` hears a method and how much of it is done, 0 to 1; a higher `resolution` gives more communities. Raises
    SettingsError when no list counts or the memory is too small, StoreError (CrawlBusy while another process crawls
    into the file). Interrupted, the next one goes on.
    """
    check_extra()
    check_readable(path)
    with storage_errors(path), Lease(path) as lease:
        db = open_for_crawl(path)
        try:
            for seconds in lease.watch(db.conn, clock.now()):
                time.sleep(seconds)
            with immediately(db):
                apply_schema(db)
                lease.take(db.conn, clock.now(), then="analyse again")
            try:
                beat = _Heartbeat(db, lease, clock)
                result = _analyse(db, methods, choices, clock, beat, memory_mb, fresh, resolution, told)
            finally:
                with db.atomic():
                    lease.give_back(db.conn)
            fold_wal(db.conn)
            return result
        finally:
            db.conn.close()


def _analyse(
    db: Database,
    methods: Sequence[str],
    choices: Choices,
    clock: Clock,
    beat: Callable[[], None],
    memory_mb: int,
    fresh: bool,
    resolution: float,
    told: Told,
) -> Analysis:
    from harvest.analysis.derive import Setting
    from harvest.analysis.likes import read_library

    wanted = _wanted(db.conn, methods)
    max_page_id = derivations.newest_page(db.conn)
    told("likes", 0.0)
    library = read_library(db.conn, choices)
    if any(method in METHODS for method in wanted):
        check_lists(library)
    db.conn.execute("PRAGMA foreign_keys = OFF")  # ids come from the file, and no other process may write
    setting = Setting(
        choices=choices,
        max_page_id=max_page_id,
        entries=_entries(library, memory_mb),
        now=lambda: as_text(clock.now()),
        told=told,
        beat=beat,
    )
    work = Work(db, library, setting, wanted, resolution, fresh, lambda method: _check_room(db.conn, method, memory_mb))
    plugged.bring_up_to_date(work)
    made = tuple(_done(db.conn, method, work.computed[method]) for method in wanted)
    framed, liked = library.frames_liked
    empty = framed and any(not done.pairs and done.method in (*SIMILAR, *FANS) for done in made)
    reason = reasons.frames_left_out(framed, liked) if empty else None
    return Analysis(library.people, library.size, library.lists_left_out, made, framed, reason)


def _wanted(connection: sqlite3.Connection, methods: Sequence[str]) -> list[str]:
    """Give the methods to bring up to date, in their order."""
    there = {row[0] for row in connection.execute("SELECT method FROM derivations")}
    wanted = set(methods) or {*USUAL, *there}
    wanted |= {source for method, source in SOURCES.items() if method in wanted}
    return [method for method in plugged.analyses() if method in wanted]


def check_lists(library: Library, work: str = "analyse") -> None:
    """Raise SettingsError where no likes count."""
    if not library.size:
        if not library.lists_left_out:
            raise SettingsError(
                f"Nothing to {work}: none of the lists of likes that were read holds a like. "
                "`harvest status` shows which lists are open, `harvest resume` reads them."
            )
        left_out = ", ".join(f"{n:,} {outcome}" for outcome, n in library.lists_left_out.items())
        raise SettingsError(
            f"Nothing to {work}: no list of likes is complete ({left_out}). "
            "Crawl with a higher --max-user-likes, or include lists that were cut with --include-incomplete."
        )


def _entries(library: Library, memory_mb: int) -> int:
    """Give how many pairs a block may hold, so that all of it stays within the memory."""
    from harvest.analysis.kernel import BYTES_PER_ENTRY

    fixed = _BASE_MB + library.size * _BYTES_PER_LIKE / 1e6
    entries = int((memory_mb - fixed) * 1e6 / BYTES_PER_ENTRY)
    if entries < _SMALLEST_BLOCK:
        least = int(fixed + _SMALLEST_BLOCK * BYTES_PER_ENTRY / 1e6) + 1
        raise SettingsError(f"{library.size:,} likes need more memory: say --memory {least} or more (in MB).")
    return min(entries, _LARGEST_BLOCK)


def _check_room(connection: sqlite3.Connection, method: str, memory_mb: int) -> None:
    """Raise SettingsError where a graph, which has to be in memory as a whole, needs more than there may be."""
    from harvest.analysis.communities import megabytes

    things, needed = megabytes(connection, method)
    if _BASE_MB + needed > memory_mb:
        raise SettingsError(
            f"The communities of {things:,} {method.partition('_')[2]} need more memory: say --memory"
            f" {_BASE_MB + needed} or more (in MB), or name the methods you want with --method. The rest is kept."
        )


def _done(connection: sqlite3.Connection, method: str, computed: int | None) -> Done:
    table = plugged.analyses()[method].analysis.table
    if method not in METHODS:
        (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - a name that is checked
        return Done(method, table, rows, computed)
    (pairs,) = connection.execute(f"SELECT count(*) FROM {table} WHERE method = ?", (method,)).fetchone()  # noqa: S608
    return Done(method, table, pairs, computed, quality(connection, method))


class _Heartbeat:
    """Says now and then that we are still at work."""

    def __init__(self, db: Database, lease: Lease, clock: Clock) -> None:
        self._db, self._lease, self._clock, self._last = db, lease, clock, clock.monotonic()

    def __call__(self) -> None:
        if self._clock.monotonic() - self._last >= HEARTBEAT_SECONDS:
            self._last = self._clock.monotonic()
            with immediately(self._db):
                self._lease.renew(self._db.conn, self._clock.now())
