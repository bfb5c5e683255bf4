"""Open SQLite files that other processes open at the same moment.

SQLite's own timeout does not cover everything: a change of the journal mode, and the first and the last connection of
a file in WAL mode, are told "locked" at once (sqlite.org/wal.html, "Sometimes Queries Return SQLITE_BUSY In WAL Mode").
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from random import Random
from typing import TypeVar

Opened = TypeVar("Opened")

PATIENCE_SECONDS = 5.0


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


def is_locked(error: Exception) -> bool:
    """Say whether somebody else has the file just now."""
    code = getattr(error, "sqlite_errorcode", 0)  # what Python itself complains of has none
    return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
