"""Tell a person what a long look at a file is at, and let Ctrl-C end it."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator

_SECONDS_IN_SILENCE = 2.0
_STEPS_BETWEEN_CALLS = 100_000  # of SQLite's own; some milliseconds


@contextlib.contextmanager
def patience(connection: sqlite3.Connection, *, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Give a function that is told each step; on a terminal, steps show on stderr once two seconds have passed.

    SQLite calls back while it works, which is also when Ctrl-C is heard.
    """
    from rich.console import Console

    console = Console(stderr=True)
    status = console.status("starting")
    began, shown, doing = time.monotonic(), False, "starting"
    interrupted = False

    def look() -> int:
        nonlocal shown, interrupted
        try:
            if not shown and not quiet and sys.stderr.isatty() and time.monotonic() - began > _SECONDS_IN_SILENCE:
                shown = True
                status.update(doing)
                status.start()
        except KeyboardInterrupt:  # SQLite would swallow it
            interrupted = True
            return 1
        return 0

    def tell(step: str) -> None:
        nonlocal doing
        doing = step
        if shown:
            status.update(step)

    connection.set_progress_handler(look, _STEPS_BETWEEN_CALLS)
    try:
        yield tell
    except sqlite3.OperationalError as error:
        if interrupted or error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise KeyboardInterrupt from None
        raise
    finally:
        connection.set_progress_handler(None, 0)
        if shown:
            status.stop()
