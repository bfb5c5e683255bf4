"""Tell a person what a long work is at, and let Ctrl-C end it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.status import Status

_STEPS_BETWEEN_CALLS = 100_000  # of SQLite's own; some milliseconds


def is_watched() -> bool:
    """Say whether stderr is a terminal that can be drawn on, and --quiet is not set."""
    context = click.get_current_context(silent=True)
    quiet = context is not None and context.meta.get("quiet")
    return sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown") and not quiet


@contextlib.contextmanager
def spinner(step: str, *, after: float = 2.0) -> Iterator[Callable[[str], None]]:
    """Give a function that is told each further step; who watches sees them once `after` seconds have passed."""
    status: Status | None = None

    def show() -> None:
        nonlocal status
        from rich.console import Console  # 45 ms that a command which is over by then can do without

        status = Console(stderr=True).status(step)
        status.start()

    def tell(next_step: str) -> None:
        nonlocal step
        step = next_step
        if status is not None:
            status.update(step)

    timer = threading.Timer(after, show)
    if is_watched():
        timer.start()
    try:
        yield tell
    finally:
        timer.cancel()
        if timer.ident is not None:  # it has been started, and may be about to show something
            timer.join()
        if status is not None:
            status.stop()


@contextlib.contextmanager
def patience(connection: sqlite3.Connection, step: str = "starting") -> Iterator[Callable[[str], None]]:
    """The same for a look at a file: SQLite calls back while it works, which is when Ctrl-C is heard."""
    connection.set_progress_handler(lambda: 0, _STEPS_BETWEEN_CALLS)
    try:
        with spinner(step) as tell:
            yield tell
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise KeyboardInterrupt from None
        raise
    finally:
        connection.set_progress_handler(None, 0)
