"""Connect for a command that sends a few requests while a person waits."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

import click

from harvest.auth.token_store import Keeper
from harvest.settings import Settings, state_folder
from harvest.system.clock import SystemClock
from harvest.wiring import Connection, connect

_UNHURRIED = 0.1  # seconds between two requests


class Notices:
    """Tells a person why nothing happens."""

    def sent(self, request: str) -> None:
        """Ignore it."""

    def answered(self, request: str, status: int, elapsed_ms: int, size_bytes: int) -> None:
        """Ignore it."""

    def waiting(self, reason: str, seconds: float) -> None:
        """Say so."""
        if seconds >= 1:
            click.echo(f"Waiting {seconds:,.0f} s: {reason}.", err=True)


def connect_briefly(
    settings: Settings, keeper: Keeper | None = None, *, fall_back: bool = True
) -> AbstractAsyncContextManager[Connection]:
    """Give the way to open and close a connection, which tells waits on stderr; arguments are those of `connect`."""
    return connect(
        settings,
        clock=SystemClock(),
        observer=Notices(),
        pace_folder=state_folder(),
        delay=_UNHURRIED,
        keeper=keeper,
        fall_back=fall_back,
    )
