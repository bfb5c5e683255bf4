"""Probe the service from Python: `harvest.probe(...)`, for notebooks and scripts.

In: options by the names of the command line. Out: a report of shapes, without people. Never: a word on stdout.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from harvest.auth.token_store import MemoryKeeper
from harvest.client.budget import Budget
from harvest.environment import Environment
from harvest.errors import Halted
from harvest.probing.compare import changes
from harvest.probing.credentials import at_hand, clients
from harvest.probing.probe import Probe, how_it_ended
from harvest.probing.report import Report, check_target, read_report, write_report
from harvest.python.threads import in_a_thread
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
    own = settings is None  # settings that are passed in: no tokens kept, no pace shared
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

    error = in_a_thread(run).error
    report = work.report(how_it_ended(error), budget.requests, clock.now())
    report.changes = changes(old, report) if old is not None else None
    if out is not None and work.learned:
        write_report(report, Path(out))
    if error is not None and not isinstance(error, Halted):
        raise error
    work.ensure_app_is_answered()
    return report


async def aprobe(
    url: str = "",
    *,
    out: Path | str | None = None,
    compare: Path | str | None = None,
    credentials: str = "",
    delay: float = 0.5,
    max_requests: int | None = None,
    settings: Settings | None = None,
) -> Report:
    """Do what `probe` does, beside whatever else the event loop does."""
    return await asyncio.to_thread(
        probe,
        url,
        out=out,
        compare=compare,
        credentials=credentials,
        delay=delay,
        max_requests=max_requests,
        settings=settings,
    )
