"""Ask a file something that is no query of a page, for as long as a page may take. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from harvest.explore.execute import Watch
from harvest.store.database import open_to_read

Found = TypeVar("Found")
_STEPS = 100_000  # of SQLite between two looks at the clock


def look(path: Path, seconds: float, ask: Callable[[sqlite3.Connection], Found]) -> Found | None:
    """Give what `ask` finds with a connection of its own, None where that takes longer than so many seconds."""
    watch = Watch(seconds)
    with open_to_read(path) as connection:
        connection.row_factory = None
        connection.set_progress_handler(watch.look, _STEPS)
        watch.go_on()
        try:
            return ask(connection)
        except sqlite3.OperationalError:
            if watch.is_over:
                return None
            raise
