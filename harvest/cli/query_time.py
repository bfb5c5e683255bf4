"""End the process where a query outlasts its time and SQLite does not hear of it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

import click

from harvest.explore.execute import Watch

_GRACE_SECONDS = 1.0  # in which a query should have ended by itself


@contextlib.contextmanager
def ended_in_time(watch: Watch) -> Iterator[None]:
    """End the process where SQLite is deaf: a single function or comparison may take minutes, and hears nothing
    meanwhile. Nothing is lost by it, since nothing is written.
    """
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.1):
            if watch.seconds is not None and watch.worked > watch.seconds + _GRACE_SECONDS:
                over = watch.over()
                click.echo(f"harvest: {over}", err=True)
                os._exit(over.exit_code)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield
    finally:
        done.set()
        looking.join()
