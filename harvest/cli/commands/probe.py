"""Ask one page of every endpoint, and say where the service is other than what we read and what is described."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from harvest.cli.few_requests import Notices
from harvest.cli.options.budgets import requests_option
from harvest.cli.options.crawl import asked, delay_option, json_option, log_options
from harvest.cli.options.environment import own_settings
from harvest.cli.options.types import Place
from harvest.cli.output.formatting import about, counted
from harvest.cli.output.probed import page, since, where_it_is
from harvest.cli.output.spinner import spinner
from harvest.cli.output.summary import EXIT_BUDGET, EXIT_INTERRUPTED
from harvest.client.budget import Budget
from harvest.errors import Blocked, Halted, HarvestError
from harvest.probing.compare import changes
from harvest.probing.credentials import at_hand, clients
from harvest.probing.probe import APPLICATION, PERSON, Probe, how_it_ended, requests_planned
from harvest.probing.report import as_json as report_as_json
from harvest.probing.report import check_target, read_report, write_report
from harvest.settings import state_folder
from harvest.system.clock import SystemClock
from harvest.wiring import keeper_for

_USUAL_DELAY = 0.5


@click.command()
@click.argument("url", required=False)
@click.option("--out", type=Place(), metavar="FILE", help="Also keep what was learned, as JSON to share.")
@click.option("--compare", type=Place(), metavar="OLD", help="Show only what has changed since an older report.")
@click.option(
    "--as",
    "wanted",
    type=click.Choice([APPLICATION, PERSON]),
    help="Ask only as the app itself, or as the person who is signed in.  [default: as both, where both are there]",
)
@delay_option()
@requests_option()
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--dry-run", is_flag=True, help="Show how many requests it takes, and send nothing.")
@json_option("Print the report as JSON.")
@log_options
def probe(
    url: str | None,
    out: Path | None,
    compare: Path | None,
    wanted: str | None,
    delay: float | None,
    max_requests: int | None,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Request one page from every endpoint, and report differences from what harvest expects.

    Uses your own credentials, at the usual pace. Nothing about people, tracks and other content is stored or shown: a
    report contains names of fields and types, how lists continue, and what is learned about limits, so you can share
    it. Starts from URL, or else from a search. A refused endpoint is a result like any other; what was learned before
    Ctrl-C or a block is shown and stored.

    \b
      harvest probe
      harvest probe --out today.json
      harvest probe --compare today.json
    """
    old = read_report(compare) if compare else None
    if out is not None:
        check_target(out)
    settings = own_settings()
    keeper = keeper_for(settings)
    credentials = at_hand(settings, keeper, wanted or "")
    work: Probe = asked(Probe, credentials, url or "")
    delay = _USUAL_DELAY if delay is None else delay
    plan = _plan(credentials, delay)
    if dry_run:
        click.echo(plan)
        return 0
    click.echo(plan, err=True)
    if not yes and sys.stdin.isatty() and sys.stderr.isatty() and not click.confirm("Begin?", default=True, err=True):
        click.echo("Nothing was asked.", err=True)
        return 0
    budget, clock = Budget(max_requests=max_requests), SystemClock()
    with spinner("signing in") as tell:

        async def run() -> None:
            async with clients(
                credentials,
                settings,
                keeper,
                clock=clock,
                budget=budget,
                delay=delay,
                observer=Notices(),
                pace_folder=state_folder(),
            ) as opened:
                await work.run(opened, tell)

        error = _end_of(run)
    trouble = error if isinstance(error, HarvestError) else None
    if trouble is not None and not work.learned:
        raise trouble
    report = work.report(how_it_ended(error), budget.requests, clock.now())
    report.changes = changes(old, report) if old else None
    if as_json:
        click.echo(report_as_json(report).decode(), nl=False)
    else:
        click.echo("\n".join(since(report, old) if old else page(report)))
    if out is not None:
        write_report(report, out)
        if not as_json:
            click.echo(f"\n{where_it_is(out)}")
    if isinstance(trouble, Blocked):  # whose own words are about a crawl
        raise Blocked("SoundCloud keeps refusing us, or cannot be reached any more: probe again later.") from trouble
    if trouble is not None:
        raise trouble
    work.ensure_app_is_answered()
    return {"max_requests": EXIT_BUDGET, "interrupted": EXIT_INTERRUPTED}.get(report.ended, 0)


def _plan(credentials: list[str], delay: float) -> str:
    """Say what a probe takes."""
    n = requests_planned(credentials)
    time = f", {about(n * delay)} at this pace" if delay else ""
    whom = " and ".join(f"the {name}" for name in credentials)
    return f"To ask: {counted(n, 'request')} as {whom}{time}, and a few more where something is empty or refused."


def _end_of(run: Callable[[], Coroutine[Any, Any, None]]) -> BaseException | None:
    """Run it; give what it ended with before its end."""
    try:
        with _terminated_like_interrupted():
            asyncio.run(run())
    except (KeyboardInterrupt, Halted, HarvestError) as error:
        return error
    return None


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM be what Ctrl-C is."""
    before = None
    with suppress(ValueError):  # not in the main thread
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)
