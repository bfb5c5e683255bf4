"""Share SQLite files with other processes: open them, write into them, fold their logs.

SQLite's own timeout does not cover everything: a change of the journal mode, and the first and the last connection of
a file in WAL mode, are told "locked" at once (sqlite.org/wal.html, "Sometimes Queries Return SQLITE_BUSY In WAL Mode").
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import TypeVar

Opened = TypeVar("Opened")

PATIENCE_SECONDS = 5.0
_CACHE_KB = 8000


def open_patiently(opening: Callable[[], Opened]) -> Opened:
    """Open a file, again and again while others keep it locked; raise what SQLite says after five seconds of that."""
    patience = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return opening()
        except sqlite3.OperationalError as error:
            if not is_locked(error) or time.monotonic() >= patience:
                raise
        time.sleep(Random().uniform(0.001, 0.02))


@contextlib.contextmanager
def writing_in(connection: sqlite3.Connection) -> Iterator[None]:
    """Open a transaction that has the write lock from its beginning; inside another transaction it is a part of that
    one, which the outer caller ends and must not continue after an error.
    """
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def fold(connection: sqlite3.Connection, patience: float | None = None) -> bool:
    """Bring the log of a file back into it, both on the disk, and empty it; False when a reader prevents it for so many
    seconds, as many as opening takes at most unless said. Raises what SQLite raises when the disk fails.
    """
    seconds = PATIENCE_SECONDS if patience is None else patience
    connection.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError as error:
        if not is_locked(error):
            raise
        return False
    return not busy


def rewrite(connection: sqlite3.Connection) -> bool:
    """Write a file again, so that nothing is left in the free room of its pages; False when the file is locked.

    SQLite writes it into its temporary folder first, and from there back. Each page is read once, so that a cache would
    hold memory for nothing: the connection has a small one from then on.
    """
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
    connection.execute(f"PRAGMA busy_timeout = {PATIENCE_SECONDS * 1000:.0f}")
    try:
        connection.execute("VACUUM")
    except sqlite3.OperationalError as error:
        if not is_locked(error):
            raise
        return False
    return fold(connection)


def is_locked(error: Exception) -> bool:
    """Say whether another connection has locked the file."""
    code = getattr(error, "sqlite_errorcode", 0)  # what Python itself complains of has none
    return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
