"""Run a crawl in front of somebody: display, signals, and the notice at the first real crawl."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from platformdirs import user_state_path

from harvest.cli.witnesses import EventWitness, LiveWitness
from harvest.clock import SystemClock
from harvest.crawl.engine import MAX_IN_FLIGHT, Engine
from harvest.crawl.session import Conditions, Seeds, crawl
from harvest.settings import Settings, read_settings
from harvest.wiring import Connection, connect

TERMS_NOTICE = (
    "Note: SoundCloud's API terms restrict storing what the API returns and forbid feeding it to AI; whether your use "
    "is allowed is for you to settle. See 'Responsible use' in the README. (This is said once.)"
)


def run_to_the_end(
    path: Path,
    wanted: Seeds,
    conditions: Mapping[str, Any],
    *,
    settings: Settings | None = None,
    service: str | None = None,
) -> str:
    """Crawl until drained or stopped, showing how it goes on stderr; give the reason of the stop.

    `service` names where the data comes from when that is not the address itself (a simulated world).
    """
    settings = settings or read_settings(os.environ)
    if settings.is_real_service:
        _say_terms_once()
    return asyncio.run(_run(path, wanted, conditions, settings, service or settings.api_url))


async def _run(path: Path, wanted: Seeds, conditions: Mapping[str, Any], settings: Settings, service: str) -> str:
    clock = SystemClock()
    witness = LiveWitness() if _is_terminal() else EventWitness()
    max_in_flight = conditions["concurrency"] or MAX_IN_FLIGHT
    async with connect(
        settings,
        clock=clock,
        delay=conditions["delay"],
        max_in_flight=max_in_flight,
        full_profiles=conditions["profiles"] == "full",
        observer=witness,
    ) as connection:
        witness.watch(connection)
        with contextlib.ExitStack() as stack:

            def started(engine: Engine) -> None:
                stack.enter_context(_signals(engine, connection))
                stack.enter_context(witness)

            return await crawl(
                path,
                wanted,
                client=connection,
                conditions=Conditions(
                    api_url=service,
                    credential_kind=connection.credential_kind,
                    options=dict(conditions),
                    max_in_flight=max_in_flight,
                    page_size=conditions["page_size"],
                ),
                witness=witness,
                clock=clock,
                on_start=started,
            )


@contextlib.contextmanager
def _signals(engine: Engine, connection: Connection) -> Iterator[None]:
    """First Ctrl-C (or SIGTERM): finish the pages on the wire. Second: at once."""
    calls = 0

    def on_signal() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            n = connection.in_flight
            what = "the request" if n == 1 else f"the {n} requests"
            click.echo(f"\nStopping after {what} in flight; Ctrl-C again to stop at once.", err=True)
            engine.stop()
        else:
            engine.abort()

    with _handling((signal.SIGINT, signal.SIGTERM), on_signal):
        yield


@contextlib.contextmanager
def _handling(signals: tuple[signal.Signals, ...], call: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    before = {
        number: signal.signal(number, lambda *_: loop.call_soon_threadsafe(call))  # add_signal_handler is Unix only
        for number in signals
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _say_terms_once() -> None:
    said = user_state_path("harvest") / "terms-notice-shown"
    if said.exists():
        return
    click.echo(TERMS_NOTICE, err=True)
    with contextlib.suppress(OSError):  # a home that cannot be written means it is said again, no more
        said.parent.mkdir(parents=True, exist_ok=True)
        said.touch()
