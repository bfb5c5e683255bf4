"""Put lists back and go on: those that failed, or those that ended in one way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from harvest.cli.commands.crawl import harvest_request
from harvest.cli.commands.failures import CLASSES
from harvest.cli.options.crawl import asked, cache_path, crawl_options, given, log_options
from harvest.cli.options.types import Parsed
from harvest.cli.output.formatting import counted, quoted
from harvest.crawler.request import to_go_on
from harvest.crawler.session import put_back
from harvest.models import Outcome
from harvest.store.database import check_readable, open_to_read, storage_errors
from harvest.store.failures import lacking
from harvest.system.clock import SystemClock


def parse_outcomes(text: str) -> list[str]:
    """Read outcomes with commas between them; raise ValueError with those there are."""
    names = [name.strip() for name in text.split(",")]
    known = [outcome.value for outcome in Outcome]
    wrong = [name for name in names if name not in known]
    if wrong:
        raise ValueError(f"no list ends {wrong[0]!r}; there are {', '.join(known)}")
    return names


@click.command()
@cache_path()
@click.option(
    "--class",
    "failure_class",
    type=CLASSES,
    metavar="CLASS",
    help="Only this class, even if trying again seemed useless: forbidden, gone, withdrawn, ...",
)
@click.option(
    "--outcome",
    "outcomes",
    type=Parsed("outcomes", parse_outcomes),
    metavar="OUTCOME,...",
    help="Read all lists with these outcomes again, from the beginning: short, loop, unreadable, forbidden, gone, ...",
)
@crawl_options
@log_options
def retry(path: Path, failure_class: str | None, outcomes: list[str] | None, as_json: bool, **chosen: Any) -> int:
    """Read failed lists again, from where each of them stopped.

    Without --class, these are the lists that failed for a temporary reason. Lists that an unfinished harvest still has
    to read are read as well, as with `harvest resume`.

    \b
      harvest retry
      harvest retry --class forbidden --cache-path data/two.db
      harvest retry --outcome short,loop
    """
    if failure_class and outcomes:
        raise click.UsageError("--class continues lists, --outcome reads them from the beginning: give one of them.")
    options = given(chosen)
    check_readable(path)  # refuses what is missing or not ours
    before = asked(to_go_on, path, options)  # refuses options that make no sense before anything is changed
    lists = put_back(
        path,
        SystemClock().now(),
        failure_class=failure_class,
        outcomes=outcomes or [],
        keep_replies=before.conditions.keep_replies,
    )
    click.echo(f"{counted(lists, 'list')} put back." if lists else f"Nothing to retry.{_others(path)}", err=True)
    request = asked(to_go_on, path, options)
    return harvest_request(request if lists else replace(request, harvests=()), as_json=as_json)


def _others(path: Path) -> str:
    """Say which lists did not fail, but lack something that another reading may bring."""
    with storage_errors(path), open_to_read(path) as connection:
        found = lacking(connection)
    if not found:
        return ""
    lists = counted(sum(found.values()), "list")
    again = f"harvest retry --outcome {','.join(found)} --cache-path {quoted(path)}"
    return f" {lists} ended as {' or '.join(found)}: `{again}` reads them again."
