"""Write into a file whose old bytes must not stay, and get rid of them.

In: a path. Out: a connection; a file without old bytes, unless a reader is in the way. Never: a row of the graph.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from harvest.store.database import apply_schema, immediately, open_for_crawl
from harvest.system.clock import as_text
from harvest.system.sqlite_busy import is_locked

_CACHE_KB = 200_000  # rows that go lie scattered over the indexes
_PATIENCE_MS = 5000  # how long a reader is waited for


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file to take rows out of it: what is deleted is overwritten, and no reference holds it back. Raises
    StoreError.
    """
    db = open_for_crawl(path)
    try:
        for pragma in ("secure_delete = ON", "synchronous = FULL", "foreign_keys = OFF", f"cache_size = -{_CACHE_KB}"):
            db.conn.execute(f"PRAGMA {pragma}")
        with immediately(db):
            apply_schema(db)
        yield db.conn
    finally:
        db.conn.close()


@contextlib.contextmanager
def immediately_in(connection: sqlite3.Connection) -> Iterator[None]:
    """Open a transaction that has the write lock from its beginning."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def fold(connection: sqlite3.Connection) -> bool:
    """Bring the log back into the file and empty it; False when a reader prevents it."""
    connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError as error:
        if not is_locked(error):
            raise
        return False
    return not busy


def rewrite(connection: sqlite3.Connection) -> bool:
    """Write the file anew, so that nothing is left in the free room of its pages; False when a reader prevents it."""
    try:
        connection.execute("VACUUM")
    except sqlite3.OperationalError as error:
        if not is_locked(error):
            raise
        return False
    return fold(connection)


def note_erased(connection: sqlite3.Connection, now: datetime) -> bool:
    """Note that no old bytes are left; False when a reader prevents it."""
    connection.execute("UPDATE forgettings SET erased_at = ? WHERE erased_at IS NULL", (as_text(now),))
    return fold(connection)


def write_down(connection: sqlite3.Connection, things: int, rows: int, now: str) -> None:
    """Note that something was forgotten, also among the changes: who reads those on learns that what they have read may
    be more than there is now.
    """
    cursor = connection.execute(
        """
        INSERT INTO changes (at, what, "table", ids)
        SELECT ?1, 'forgotten', 'forgettings', '{"id":' || (coalesce(max(id), 0) + 1) || '}' FROM forgettings
        """,
        (now,),
    )
    connection.execute(
        "INSERT INTO forgettings (at, version, things, rows) VALUES (?, ?, ?, ?)", (now, cursor.lastrowid, things, rows)
    )
