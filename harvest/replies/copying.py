"""Copy a file of replies as far as a copy of its main file goes, also while it is being written.

In: a path, and an act. Out: a file that ends with that act. Never: a write to the original.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from harvest.replies import files
from harvest.replies.keeper import drop_later
from harvest.system.file_uris import uri_of
from harvest.system.files import write_through

_PAGES_AT_ONCE = 4096  # small enough for Ctrl-C to be heard


def copy(path: Path, part: Path, *, pair: str, last: int) -> bool:
    """Copy the replies of the main file that says `pair`, up to an act; say whether they were there, and reached it.

    Raises StoreError where one of the two files cannot be used.
    """
    if not path.exists():
        return False
    with files.complaints(path), contextlib.closing(_open(path)) as source:
        found = source.execute("SELECT pair, (SELECT max(number) FROM acts) FROM facts").fetchone()
        if found is None or found[0] != pair or (found[1] or 0) < last:
            return False
        with files.complaints(part), contextlib.closing(sqlite3.connect(part, isolation_level=None)) as target:
            source.backup(target, pages=_PAGES_AT_ONCE, sleep=0)
            drop_later(target, last)
            target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    write_through(part)
    return True


def _open(path: Path) -> sqlite3.Connection:
    """Open it as a reader that waits for no other process and keeps none waiting."""
    with contextlib.closing(files.open_to_read(path)):
        pass  # it is ours, and as it should be
    if not (os.access(path, os.W_OK) and os.access(path.resolve().parent, os.W_OK)):
        return files.open_to_read(path)
    connection = sqlite3.connect(f"{uri_of(path.resolve())}?mode=rw", uri=True, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    return connection
