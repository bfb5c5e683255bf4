"""Read again what is worth it, and say what changed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from harvest.cli.options.crawl import (
    asked,
    asking_options,
    cache_path,
    given,
    json_option,
    log_options,
    older_than_option,
    with_options,
)
from harvest.cli.options.types import Parsed
from harvest.cli.output.changed import summed_up
from harvest.cli.output.formatting import about, counted, quoted
from harvest.cli.output.summary import exit_code, print_result
from harvest.cli.run import run_to_the_end
from harvest.client.budget import REASONS
from harvest.crawler.recipes import parse_recipe
from harvest.crawler.request import CrawlRequest, to_refresh
from harvest.lists import BY_NAME
from harvest.planning.refresh_cost import RefreshCost, refresh_cost
from harvest.store import refreshes
from harvest.store.database import open_to_read
from harvest.store.failures import retryable_lists
from harvest.store.refreshes import Found


def refresh_options(command: Any) -> Any:
    """Add the options of the command."""
    return with_options(
        command,
        click.option(
            "--full", is_flag=True, help="Read every list again completely, also those of people who are gone."
        ),
        older_than_option("Also lists read longer ago than this, whether their counts have moved or not: 30d, 12h."),
        click.option(
            "--read",
            type=Parsed("recipe", lambda text: parse_recipe(text, usual=list(BY_NAME)), as_typed=True),
            metavar="LISTS",
            help="These lists alone: likes, -followers, likers,reposters.  [default: all that the file has]",
        ),
        *asking_options(),
        click.option("--dry-run", is_flag=True, help="Show what it would cost, and send nothing."),
        json_option("Print what was found as one JSON object."),
    )


@click.command()
@cache_path()
@refresh_options
@log_options
def refresh(path: Path, as_json: bool, dry_run: bool, **chosen: Any) -> int:
    """Re-read what has changed, and report what appeared and what disappeared.

    First, this looks up the people and tracks whose lists are in the file, 50 per request; lists whose counts have
    changed are due. Of a list that grew only the head is read, of one that shrank all of it. A tenth of the reading
    goes to lists whose counts did not change, to measure how much the counts miss. What disappeared is looked up, to
    find out why. If it is stopped or killed, run `harvest resume` to continue.

    \b
      harvest refresh
      harvest refresh --max-requests 500
      harvest refresh --read likes --older-than 30d
    """
    options = given(chosen)
    request = asked(to_refresh, path, options)
    if dry_run:
        return show_plan(request, as_json=as_json)
    if not as_json:
        click.echo("\n".join(_to_do(request, refresh_cost(request))), err=True)
    return show(path, run_to_the_end(request), as_json=as_json)


def show_plan(request: CrawlRequest, *, as_json: bool) -> int:
    """Print what a refresh takes, and give the exit code."""
    expected = refresh_cost(request)
    print_result(json.dumps(asdict(expected)) if as_json else "\n".join(_to_do(request, expected)))
    return 0


def _to_do(request: CrawlRequest, expected: RefreshCost) -> list[str]:
    """Say what a refresh takes, as far as can be told before anything is looked up."""
    delay = request.conditions.delay
    time = f", {about(expected.lookups * delay)} at the usual pace" if delay else ""
    lines = [f"To look up: {counted(expected.lookups, 'request')}{time}; then whatever has moved."]
    if expected.lists:
        lines.append(
            f"Known to be due already: {counted(expected.lists, 'list')}, {counted(expected.requests, 'request')}."
        )
    return lines


def show(path: Path, stop_reason: str, *, as_json: bool, tending: bool = False) -> int:
    """Print what a refresh found, and give the exit code. Where it was part of `tending` the file, a bound that has
    ended it is no failure, and lists of harvests that failed are.
    """
    with open_to_read(path) as connection:
        found = refreshes.found(connection)
        requests = connection.execute(
            "SELECT coalesce(sum(n), 0) FROM run_requests WHERE run_id = (SELECT max(id) FROM runs)"
        ).fetchone()[0]
        failed = tending and retryable_lists(connection) > 0
    assert found is not None
    code = 0 if tending and stop_reason in REASONS else exit_code(stop_reason, failed or found.failed > 0)
    if as_json:
        told = {"path": str(path), "stop_reason": stop_reason, "exit_code": code, "requests": requests}
        print_result(json.dumps({**told, **asdict(found)}))
        return code
    lines = [_headline(stop_reason, found), *_read(found, requests), "", *summed_up(found.changes, found.reasons)]
    following = _what_next(path, stop_reason, found)
    lines += ["", *following] if following else []
    print_result("\n".join(lines))
    return code


def is_refreshing(path: Path) -> bool:
    """Say whether a refresh of the file was begun and is not done."""
    with open_to_read(path) as connection:
        return refreshes.is_open(connection)


def _headline(stop_reason: str, found: Found) -> str:
    if stop_reason in REASONS:
        return f"Stopped by your {REASONS[stop_reason]}; everything so far is in the file."
    if stop_reason != "drained":
        return "Stopped; everything so far is in the file."
    if found.failed:
        return f"Refreshed, with gaps: {counted(found.failed, 'list')} could not be read."
    return "Refreshed."


def _read(found: Found, requests: int) -> list[str]:
    """Say what was asked, and what of it counts had not told."""
    whole = found.lists - found.heads
    lines = [
        f"{found.looked_up:,} looked up, {counted(found.lists, 'list')} read again ({found.heads:,} the head,"
        f" {whole:,} whole), {counted(requests, 'request')}."
    ]
    if found.unmoved:
        share = 100 * found.unmoved_changed / found.unmoved
        lines.append(
            f"Of {counted(found.unmoved, 'list')} whose count had not moved, {found.unmoved_changed:,} had changed all"
            f" the same ({share:.0f} %): so much is missed where counts alone are looked at."
        )
    if found.left_out:
        lines.append(f"{counted(found.left_out, 'list')} that had moved found no room within your bound.")
    return lines


def _what_next(path: Path, stop_reason: str, found: Found) -> list[str]:
    file = quoted(path)
    if stop_reason != "drained":
        return [f"Go on with: harvest resume --cache-path {file}"]
    lines = [f"What changed, one by one: harvest changes --cache-path {file}"] if any(found.changes.values()) else []
    if found.failed:
        lines.append(f"Try again what failed: harvest retry --cache-path {file}")
    return lines
