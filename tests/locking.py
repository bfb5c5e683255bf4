"""Be another process that has a file at a bad moment."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def being_made(path: Path, seconds: float = 0.3) -> Iterator[None]:
    """Make a database, and let go of it after so many seconds.

    Until then SQLite answers whoever changes the journal mode with "locked", at once and whatever its timeout is.
    """
    maker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    maker.execute("BEGIN IMMEDIATE")
    letting_go = threading.Timer(seconds, lambda: maker.execute("ROLLBACK"))
    letting_go.start()
    try:
        yield
    finally:
        letting_go.join()
        maker.close()
