"""One crawl per file: the lease says who holds it.

Rules (docs/adr/0003-lease.md): a dead process of this machine loses the lease at once, whatever its heartbeat says; one
that is not ours to see, on another machine or in another container, loses it when its heartbeat has not moved for five
minutes; a live one keeps it. What is held is known by a random id: a process number says nothing about another host,
and two threads of one process are two holders.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harvest.errors import CrawlBusy
from harvest.store.database import immediately
from harvest.system.clock import as_text
from harvest.system.held_files import HeldFile
from harvest.system.processes import is_alive, is_of_this_system, mark

if TYPE_CHECKING:
    from sqlite_utils import Database

EXPIRES_AFTER = timedelta(minutes=5)
HEARTBEAT_SECONDS = 60.0
WATCH_SECONDS = 2.5 * HEARTBEAT_SECONDS
_LOOK_SECONDS = 1.0
_HELD = "+held"  # ends the mark of who also holds the file `...-lease`

_at_work: set[str] = set()  # the holders in this process, in any of its threads


class Holder(NamedTuple):
    """The row of the table `lease`."""

    holder: str
    host: str
    pid: int
    mark: str
    heartbeat_at: str


class Lease:
    """The right to write into a file. Leaving the `with` ends it in this process, whatever the file says then."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.holder = secrets.token_hex(8)
        self._file = _file_of(path)
        self._silent: Holder | None = None  # the holder whose heartbeat did not move while we looked

    def __enter__(self) -> Lease:
        _at_work.add(self.holder)
        return self

    def __exit__(self, *error: object) -> None:
        _at_work.discard(self.holder)
        self._file.let_go()

    def watch(self, connection: sqlite3.Connection, now: datetime) -> Iterator[float]:
        """Look whether a heartbeat moves that is too old by our clock, or comes from the future: another clock may have
        written it. Gives the seconds to sleep between two looks.
        """
        try:
            seen = _row(connection)
        except sqlite3.OperationalError:  # no such table: a file that is being made
            return
        if seen is None or _is_alive(seen, connection) is not None or abs(_age(seen, now)) < EXPIRES_AFTER:
            return
        for _ in range(round(WATCH_SECONDS / _LOOK_SECONDS)):
            yield _LOOK_SECONDS
            if _row(connection) != seen:
                return
        self._silent = seen

    def take(self, connection: sqlite3.Connection, now: datetime, *, then: str = "run `harvest resume`") -> None:
        """Take the lease inside the caller's transaction. Raises CrawlBusy, which says what to do `then`, when a living
        process holds it.
        """
        check_free(connection, self._path, then=then, silent=self._silent)
        marked = mark() + _HELD * self._file.take()
        connection.execute(
            "INSERT OR REPLACE INTO lease (id, holder, host, pid, process_born, heartbeat_at)"
            " VALUES (1, ?, ?, ?, ?, ?)",
            (self.holder, socket.gethostname(), os.getpid(), marked, as_text(now)),
        )

    def renew(self, connection: sqlite3.Connection, now: datetime) -> None:
        """Say that we are still at work. Raises CrawlBusy when another process has taken the lease over."""
        ours = connection.execute("UPDATE lease SET heartbeat_at = ? WHERE holder = ?", (as_text(now), self.holder))
        if not ours.rowcount:
            raise self._lost(connection)

    def check(self, connection: sqlite3.Connection) -> None:
        """Raise CrawlBusy when another process has taken the lease over."""
        if connection.execute("SELECT 1 FROM lease WHERE holder = ?", (self.holder,)).fetchone() is None:
            raise self._lost(connection)

    def give_back(self, connection: sqlite3.Connection) -> bool:
        """Let the next crawl have the file; False when another process has taken it already."""
        return connection.execute("DELETE FROM lease WHERE holder = ?", (self.holder,)).rowcount > 0

    def _lost(self, connection: sqlite3.Connection) -> CrawlBusy:
        taker = connection.execute("SELECT host, pid FROM lease").fetchone()
        who = f"process {taker[1]} on {taker[0]}" if taker else "another process"
        return CrawlBusy(
            f"{self._path} was taken over by {who} while this one gave no sign of life: "
            "it writes no more, and what it has kept is safe."
        )


@contextlib.contextmanager
def writing(db: Database, lease: Lease | None) -> Iterator[None]:
    """Write all of it or nothing, and nothing into a file that is no longer ours."""
    with immediately(db):
        if lease is not None:
            lease.check(db.conn)
        yield


def check_free(
    connection: sqlite3.Connection, path: Path, *, then: str = "run `harvest resume`", silent: Holder | None = None
) -> None:
    """Raise CrawlBusy when the holder of the lease lives, or may live: only `silent` is known to be gone."""
    row = _row(connection)
    if row is None or row == silent or _is_alive(row, connection) is False:
        return
    where = "" if row.host == socket.gethostname() else f" on {row.host}"
    raise CrawlBusy(
        f"{path} is being crawled by process {row.pid}{where} (last seen {row.heartbeat_at}): "
        f"wait for it or stop it, then {then}."
    )


def holder_of(connection: sqlite3.Connection, now: datetime) -> tuple[str, int, str] | None:
    """Give host, number and last heartbeat of the process that crawls into the file, None when none does, as far as can
    be told at a glance.
    """
    row = _row(connection)
    if row is None:
        return None
    alive = _is_alive(row, connection)
    if alive is None:
        alive = abs(_age(row, now)) < EXPIRES_AFTER
    return (row.host, row.pid, row.heartbeat_at) if alive else None


def _row(connection: sqlite3.Connection) -> Holder | None:
    row = connection.execute("SELECT holder, host, pid, process_born, heartbeat_at FROM lease").fetchone()
    return Holder(*row) if row else None


def _is_alive(row: Holder, connection: sqlite3.Connection) -> bool | None:
    """Say whether a holder lives; None when only its heartbeat can tell."""
    if row.holder in _at_work:
        return True
    marked = row.mark.removesuffix(_HELD)
    is_held = marked != row.mark and is_of_this_system(marked)
    alive = is_alive(row.pid, marked) if row.host == socket.gethostname() else None
    if alive is None and is_held:  # in another container of this machine
        files = [row[2] for row in connection.execute("PRAGMA database_list") if row[2]]  # main may be in memory
        return _file_of(Path(files[0])).is_held()
    return alive and row.pid != os.getpid()  # with our number: left by an earlier crawl of this very process


def _age(row: Holder, now: datetime) -> timedelta:
    return now - datetime.fromisoformat(row.heartbeat_at).replace(tzinfo=UTC)


def _file_of(path: Path) -> HeldFile:
    return HeldFile(path.with_name(f"{path.name}-lease"))
