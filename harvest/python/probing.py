"""Probe the service from Python: `harvest.probe(...)`, for notebooks and scripts.

In: options by the names of the command line. Out: a report of shapes, of nobody. Never: a word on stdout.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

from harvest.auth.token_store import MemoryKeeper
from harvest.client.budget import Budget
from harvest.environment import Environment
from harvest.errors import Halted
from harvest.probing.compare import changes
from harvest.probing.credentials import at_hand, clients
from harvest.probing.probe import Probe, how_it_ended
from harvest.probing.report import Report, check_target, read_report, write_report
from harvest.settings import Settings, read_settings, state_folder
from harvest.system.clock import SystemClock
from harvest.system.logs import configure_unless_done
from harvest.wiring import keeper_for


def probe(
    url: str = "",
    *,
    out: Path | str | None = None,
    compare: Path | str | None = None,
    credentials: str = "",
    delay: float = 0.5,
    max_requests: int | None = None,
    settings: Settings | None = None,
) -> Report:
    """Ask one page of every endpoint, as `harvest probe` does, and give the report.

    Its `differences` each have a `line`; `changes` are there with `compare`, an older report. `credentials` is
    'application' or 'person' to ask with these alone. Raises HarvestError; what was learned before is then in `out`.
    """
    old = read_report(Path(compare)) if compare is not None else None
    if out is not None:
        check_target(Path(out))
    configure_unless_done()
    own = settings is None  # settings that are passed in are nobody's own: no tokens kept, no pace shared
    asking = settings or read_settings(Environment.here())
    keeper = keeper_for(asking) if own else MemoryKeeper()
    with_whom = at_hand(asking, keeper, credentials)
    work, budget, clock = Probe(with_whom, url), Budget(max_requests=max_requests), SystemClock()

    async def run() -> None:
        folder = state_folder() if own else None
        async with clients(
            with_whom, asking, keeper, clock=clock, budget=budget, delay=delay, pace_folder=folder
        ) as opened:
            await work.run(opened)

    error = _in_a_thread(run)
    report = work.report(how_it_ended(error), budget.requests, clock.now())
    report.changes = changes(old, report) if old is not None else None
    if out is not None and work.learned:
        write_report(report, Path(out))
    if error is not None and not isinstance(error, Halted):
        raise error
    work.ensure_app_is_answered()
    return report


def _in_a_thread(run: Callable[[], Coroutine[Any, Any, None]]) -> BaseException | None:
    """Run it in a thread with a loop of its own, as the caller may have one running; give what it ended with."""
    ended: list[BaseException] = []
    begun: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        begun.append((asyncio.get_running_loop(), task))
        await run()

    def to_the_end() -> None:
        try:
            asyncio.run(work())
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=to_the_end, name="harvest", daemon=True)
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt as interrupted:
        with suppress(RuntimeError):  # the loop has just closed
            for loop, task in begun:
                loop.call_soon_threadsafe(task.cancel)
        thread.join()
        return interrupted
    return ended[0] if ended else None
