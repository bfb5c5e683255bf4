"""Copy a file as it is at one moment, also while it is being crawled.

In: a path, and where the copy goes. Out: a file that appears only when whole, held by nobody. Never: a write to the
original, or over another file without being told to.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from harvest.errors import StorageFailed
from harvest.store import harvests
from harvest.store.database import open_to_read, storage_errors
from harvest.store.placing import check_target, put_in_place
from harvest.system.files import beside, write_through

_PAGES_AT_ONCE = 4096  # small enough for Ctrl-C to be heard


def take_snapshot(path: Path, out: Path, *, now: datetime, force: bool = False) -> int:
    """Copy a harvest database; give the size of the copy in bytes. Raises StoreError."""
    with storage_errors(out):
        if out.exists() and path.exists() and out.samefile(path):
            raise StorageFailed(f"{out} is the file itself: name another one for the copy.")
        check_target(out, force=force)
        with open_to_read(path) as source, beside(out) as part:
            with _blaming(out):
                _copy(source, part)
            size = part.stat().st_size
            put_in_place(part, out, force=force)
    return size


def _copy(source: sqlite3.Connection, part: Path) -> None:
    """Copy what one moment shows, and let go of what belongs to the process that crawls."""
    target = sqlite3.connect(part, isolation_level=None)
    try:
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # from here on this is the moment
        source.backup(target, pages=_PAGES_AT_ONCE, sleep=0)
        source.execute("COMMIT")
        target.execute("DELETE FROM lease")
        harvests.pause(target)
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # closing does the same, but says nothing when it cannot
    finally:
        target.close()
    write_through(part)


@contextlib.contextmanager
def _blaming(out: Path) -> Iterator[None]:
    """Say of the copy that it cannot be written: the original is only read."""
    try:
        yield
    except sqlite3.OperationalError as error:
        name = getattr(error, "sqlite_errorname", "")
        if name == "SQLITE_FULL" or (name.startswith("SQLITE_IOERR") and "READ" not in name):
            with storage_errors(out):
                raise
        raise
