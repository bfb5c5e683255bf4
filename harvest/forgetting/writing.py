"""Write into a file whose old bytes must not stay, and note in it what was taken out.

In: a path. Out: a connection that overwrites what it deletes. Never: a row of the graph.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from harvest.errors import StorageFailed
from harvest.store.database import immediately, open_for_crawl
from harvest.store.schema import apply_schema
from harvest.system.clock import as_text
from harvest.system.sqlite_busy import fold
from harvest.system.sqlite_temp import CHOSEN_BY, temporary_folder

_CACHE_KB = 64_000  # rows that go lie scattered over the indexes; more would be as much more memory


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
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_FULL:
            raise
        raise StorageFailed(
            f"There is no room to rewrite {path}: that takes its size again, beside it and in"
            f" {temporary_folder()}, until it is done. Free some space, or name another folder in {CHOSEN_BY},"
            " then run this command again; where `harvest status` says that old bytes are left, `harvest forget"
            " --finish` ends it."
        ) from error
    finally:
        db.conn.close()


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
