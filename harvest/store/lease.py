"""One crawl per file: the lease says who holds it.

Rules (docs/adr/0003-lease.md): a dead process on this host loses the lease at once, whatever its heartbeat says; a
process on another host loses it when its heartbeat is older than five minutes; a live one keeps it. What is held is
known by a random id: a process number says nothing about another host, and two threads of one process are two holders.
"""

from __future__ import annotations

import os
import secrets
import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harvest.errors import CrawlBusy
from harvest.system.clock import as_text
from harvest.system.processes import born, is_alive

EXPIRES_AFTER = timedelta(minutes=5)
HEARTBEAT_SECONDS = 60.0

_at_work: set[str] = set()  # the holders in this process, in any of its threads


class Lease:
    """The right to write into a file. Leaving the `with` ends it in this process, whatever the file says then."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._holder = secrets.token_hex(8)

    def __enter__(self) -> Lease:
        _at_work.add(self._holder)
        return self

    def __exit__(self, *error: object) -> None:
        _at_work.discard(self._holder)

    def take(self, connection: sqlite3.Connection, now: datetime, *, then: str = "run `harvest resume`") -> None:
        """Take the lease inside the caller's transaction. Raises CrawlBusy, which says what to do `then`, when somebody
        alive holds it.
        """
        check_free(connection, now, self._path, then=then)
        connection.execute(
            "INSERT OR REPLACE INTO lease (id, holder, host, pid, process_born, heartbeat_at)"
            " VALUES (1, ?, ?, ?, ?, ?)",
            (self._holder, socket.gethostname(), os.getpid(), born(os.getpid()) or "", as_text(now)),
        )

    def renew(self, connection: sqlite3.Connection, now: datetime) -> None:
        """Say that we are still at work. Raises CrawlBusy when somebody else has taken the lease over."""
        ours = connection.execute("UPDATE lease SET heartbeat_at = ? WHERE holder = ?", (as_text(now), self._holder))
        if not ours.rowcount:
            raise self._lost(connection)

    def check(self, connection: sqlite3.Connection) -> None:
        """Raise CrawlBusy when somebody else has taken the lease over."""
        if connection.execute("SELECT 1 FROM lease WHERE holder = ?", (self._holder,)).fetchone() is None:
            raise self._lost(connection)

    def give_back(self, connection: sqlite3.Connection) -> bool:
        """Let the next crawl have the file; False when somebody else has taken it already."""
        return connection.execute("DELETE FROM lease WHERE holder = ?", (self._holder,)).rowcount > 0

    def _lost(self, connection: sqlite3.Connection) -> CrawlBusy:
        taker = connection.execute("SELECT host, pid FROM lease").fetchone()
        who = f"process {taker[1]} on {taker[0]}" if taker else "another process"
        return CrawlBusy(
            f"{self._path} was taken over by {who} while this one gave no sign of life: "
            "it writes no more, and what it has kept is safe."
        )


def check_free(
    connection: sqlite3.Connection, now: datetime, path: Path, *, then: str = "run `harvest resume`"
) -> None:
    """Raise CrawlBusy when somebody alive holds the lease."""
    if (holder := holder_of(connection, now)) is not None:
        host, pid, heartbeat_at = holder
        where = "" if host == socket.gethostname() else f" on {host}"
        raise CrawlBusy(
            f"{path} is being crawled by process {pid}{where} (last seen {heartbeat_at}): "
            f"wait for it or stop it, then {then}."
        )


def holder_of(connection: sqlite3.Connection, now: datetime) -> tuple[str, int, str] | None:
    """Give host, process and last heartbeat of whoever is crawling into the file, None when nobody is."""
    row = connection.execute("SELECT holder, host, pid, process_born, heartbeat_at FROM lease").fetchone()
    if row is None or not _is_alive(*row, now=now):
        return None
    return row[1], row[2], row[4]


def _is_alive(holder: str, host: str, pid: int, born_at: str, heartbeat_at: str, *, now: datetime) -> bool:
    if host != socket.gethostname():
        seen = datetime.fromisoformat(heartbeat_at).replace(tzinfo=UTC)
        return now - seen < EXPIRES_AFTER
    if pid == os.getpid():
        return holder in _at_work  # else left by an earlier crawl of this very process, or of one with its number
    return is_alive(pid, born_at)
