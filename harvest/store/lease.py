"""One crawl per file: the lease says who holds it.

Rules (design 10.8): a dead process on this host loses the lease at once, whatever its heartbeat says; a process on
another host loses it when its heartbeat is older than five minutes; a live one keeps it.
"""

from __future__ import annotations

import os
import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harvest.errors import CrawlBusy
from harvest.system.clock import as_text
from harvest.system.processes import born, is_alive

EXPIRES_AFTER = timedelta(minutes=5)
HEARTBEAT_SECONDS = 60.0


def take(connection: sqlite3.Connection, now: datetime, path: Path, *, then: str = "run `harvest resume`") -> None:
    """Take the lease inside the caller's transaction. Raises CrawlBusy, which says what to do `then`, when somebody
    alive holds it.
    """
    check_free(connection, now, path, then=then)
    connection.execute(
        "INSERT OR REPLACE INTO lease (id, host, pid, process_born, heartbeat_at) VALUES (1, ?, ?, ?, ?)",
        (socket.gethostname(), os.getpid(), born(os.getpid()) or "", as_text(now)),
    )


def check_free(
    connection: sqlite3.Connection, now: datetime, path: Path, *, then: str = "run `harvest resume`"
) -> None:
    """Raise CrawlBusy when somebody alive holds the lease."""
    holder = connection.execute("SELECT host, pid, process_born, heartbeat_at FROM lease").fetchone()
    if holder is not None and _is_alive(*holder, now=now):
        host, pid, _, heartbeat_at = holder
        where = "" if host == socket.gethostname() else f" on {host}"
        raise CrawlBusy(
            f"{path} is being crawled by process {pid}{where} (last seen {heartbeat_at}): "
            f"wait for it or stop it, then {then}."
        )


def renew(connection: sqlite3.Connection, now: datetime) -> None:
    """Say that we are still at work."""
    connection.execute("UPDATE lease SET heartbeat_at = ? WHERE pid = ?", (as_text(now), os.getpid()))


def give_back(connection: sqlite3.Connection) -> None:
    """Let the next crawl have the file."""
    connection.execute("DELETE FROM lease WHERE pid = ? AND host = ?", (os.getpid(), socket.gethostname()))


def holder_of(connection: sqlite3.Connection, now: datetime) -> tuple[str, int, str] | None:
    """Give host, process and last heartbeat of whoever is crawling into the file, None when nobody is."""
    holder = connection.execute("SELECT host, pid, process_born, heartbeat_at FROM lease").fetchone()
    if holder is None or not _is_alive(*holder, now=now):
        return None
    return holder[0], holder[1], holder[3]


def _is_alive(host: str, pid: int, born: str, heartbeat_at: str, *, now: datetime) -> bool:
    if host != socket.gethostname():
        seen = datetime.fromisoformat(heartbeat_at).replace(tzinfo=UTC)
        return now - seen < EXPIRES_AFTER
    if pid == os.getpid():
        return False  # left by an earlier crawl of this very process
    return is_alive(pid, born)
