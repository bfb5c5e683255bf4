"""Run a crawl from the command line: display, signals, and the notice at the first real crawl."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from harvest import terms
from harvest.auth.token_store import Keeper, MemoryKeeper
from harvest.cli.options.environment import own_settings
from harvest.cli.output.display import LiveDisplay
from harvest.cli.output.events import EventWitness
from harvest.cli.output.observers import Watcher, Watchers
from harvest.cli.output.spinner import is_watched
from harvest.client.client import Client
from harvest.crawler.engine import Engine
from harvest.crawler.request import CrawlRequest, parse_retention
from harvest.crawler.session import Conditions, crawl
from harvest.settings import Settings, state_folder
from harvest.store.database import import_without_numpy
from harvest.store.handouts import LOG, remember
from harvest.store.visited import Visited
from harvest.system.clock import SystemClock
from harvest.system.logs import file_log
from harvest.wiring import connect, keeper_for

HANGUP: int | None = getattr(signal, "SIGHUP", None)  # the terminal was closed; Windows has none


def run_to_the_end(
    request: CrawlRequest,
    *,
    settings: Settings | None = None,
    service: str | None = None,
) -> str:
    """Crawl until drained or stopped, showing how it goes on stderr; give the reason of the stop.

    `service` names where the data comes from when that is not the address itself (a simulated world). The
    tokens of settings that are passed in are not kept, and their pace is not shared.
    """
    import_without_numpy()
    is_own = settings is None
    settings = settings or own_settings()
    keeper = keeper_for(settings) if is_own else MemoryKeeper()
    pace_folder = state_folder() if is_own else None
    if settings.is_real_service:
        terms.say_once(state_folder(), lambda text: click.echo(text, err=True))
    return asyncio.run(_run(request, settings, service or settings.api_url, keeper, pace_folder))


def _look_for_circles_rarely() -> None:
    """Python looks through new objects for circles of references; a page is thousands of them and never has one.

    Rarely is enough, and without the imported modules, which stay: a twentieth of the CPU of a crawl.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


async def _run(
    request: CrawlRequest,
    settings: Settings,
    service: str,
    keeper: Keeper,
    pace_folder: Path | None,
) -> str:
    _look_for_circles_rarely()
    clock = SystemClock()
    witness = Watchers(*_watchers(click.get_current_context().meta))
    asking = request.conditions
    budget = request.budget.budget(datetime.now())
    async with connect(
        settings,
        clock=clock,
        delay=asking.delay,
        max_in_flight=asking.max_in_flight,
        profiles=asking.profiles,
        observer=witness,
        keeper=keeper,
        pace_folder=pace_folder,
        budget=budget,
    ) as connection:
        with contextlib.ExitStack() as stack:

            def started(engine: Engine) -> None:
                if log_file := click.get_current_context().meta.get("log_file"):
                    remember(request.path, LOG, log_file, now=clock.now())
                stack.enter_context(_signals(engine, connection.client))
                stack.enter_context(witness)

            return await crawl(
                request.path,
                request.harvests,
                client=connection.client,
                conditions=Conditions(
                    api_url=service,
                    credential_kind=connection.bearer.kind,
                    options=request.options(),
                    max_in_flight=asking.max_in_flight,
                    page_size=asking.page_size,
                    keep_replies=asking.keep_replies,
                    retain=parse_retention(asking.retain),
                ),
                witness=witness,
                clock=clock,
                on_start=started,
                on_progress=witness.progressed,
                budget=budget,
                sweep=request.sweep,
                refresh=request.refresh,
                on_visited=_visits_teller(click.get_current_context().meta),
            )


@contextlib.contextmanager
def _signals(engine: Engine, client: Client) -> Iterator[None]:
    """First Ctrl-C (or SIGTERM): finish the pages on the wire. Second: at once.

    A terminal that is closed (SIGHUP) is the first Ctrl-C and never the second: it comes from the terminal and from the
    shell, and the repetition means nothing.
    """
    calls = 0

    def on_signal() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            n = client.in_flight
            when = "" if not n else " after the request in flight" if n == 1 else f" after the {n} requests in flight"
            _say(f"Stopping{when}; Ctrl-C again to stop at once.")
            engine.stop()
        else:
            engine.abort()

    def on_hangup() -> None:
        if not calls:
            on_signal()

    with _handling({signal.SIGINT: on_signal, signal.SIGTERM: on_signal, HANGUP: on_hangup}):
        yield


def _say(text: str) -> None:
    """Write a line to whatever stderr is now: the display puts itself in its place, and click would pass it by."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextlib.contextmanager
def _handling(calls: Mapping[int | None, Callable[[], None]]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    before = {}
    for number, call in calls.items():
        if number is not None and not (number == HANGUP and signal.getsignal(number) is signal.SIG_IGN):  # nohup
            # add_signal_handler is Unix only
            before[number] = signal.signal(number, lambda *_, call=call: loop.call_soon_threadsafe(call))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _visits_teller(meta: Mapping[str, Any]) -> Callable[[Visited], None] | None:
    """Give who tells of every thing that was read: to those who named a level of logging, and into the log file."""
    if meta.get("tells_visits"):
        return EventWitness().visited
    return EventWitness(file_log()).visited if meta.get("log_file") else None


def _watchers(meta: Mapping[str, Any]) -> Iterator[Watcher]:
    """Choose who watches: the display on a terminal, events elsewhere; events go above it with -v, and into a file."""
    display = is_watched()
    if display:
        yield LiveDisplay()
    if not display or meta.get("log_level") == "debug":
        yield EventWitness()
    elif meta.get("log_file"):
        yield EventWitness(file_log())
