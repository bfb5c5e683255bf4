"""Look up people and tracks that the file knows, in batches: their counts, and who is gone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
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
from harvest.cli.output.formatting import about, counted, quoted
from harvest.cli.output.summary import exit_code, print_result
from harvest.cli.output.table import table
from harvest.cli.run import run_to_the_end
from harvest.client.budget import REASONS
from harvest.crawler.request import CrawlRequest, is_drained, to_count
from harvest.store import sweeps
from harvest.store.database import open_to_read
from harvest.store.sweeps import PARTS, Found, Mark, Sweep
from harvest.things import THINGS

WORDS = {"user": "people", "track": "tracks"}
_ONE = {"user": "person", "track": "track"}


def counts_options(command: Any) -> Any:
    """Add the options of the command."""
    return with_options(
        command,
        click.option(
            "--of",
            type=click.Choice([*PARTS]),
            help="What to update: artists (people who uploaded a track), people, tracks.  [default: all]",
        ),
        older_than_option("Also those whose counts were seen longer ago: 7d, 12h; who is gone is asked about again."),
        *asking_options(),
        click.option("--dry-run", is_flag=True, help="Say how many there are, and ask nothing."),
        json_option("Print what was found as one JSON object."),
    )


@click.command()
@cache_path()
@counts_options
@log_options
def counts(path: Path, as_json: bool, dry_run: bool, **chosen: Any) -> int:
    """Look up people and tracks in the file, 50 per request.

    Without --older-than, looks up those known only from inside others, such as the artist in a track, which come with
    few details; each is requested once. What a batch leaves out is requested on its own, and is gone if SoundCloud
    does not return it. If it is stopped or killed, run the same command to continue.

    \b
      harvest counts
      harvest counts --of artists --older-than 7d --max-requests 500
    """
    options = given(chosen)
    request = asked(to_count, path, options)
    assert request.sweep is not None
    with open_to_read(path) as connection:
        before = sweeps.present(connection)
    if dry_run or not as_json:
        click.echo(_to_do(request, request.sweep), err=not dry_run)
    if dry_run:
        return 0
    done = is_drained(request)
    stop_reason = "drained" if done else run_to_the_end(request)
    return _show(path, before, stop_reason, _again(path, options), as_json=as_json, asked_nothing=done)


def _to_do(request: CrawlRequest, sweep: Sweep) -> str:
    """Say how many things are to be looked up, and what that takes."""
    with open_to_read(request.path) as connection:
        fresh = {thing: len(ids) for thing, ids in sweeps.due(connection, sweep, datetime.now(UTC)).items()}
        begun, requests = sweeps.under_way(connection)
    things = {thing: fresh.get(thing, 0) + begun.get(thing, 0) for thing in WORDS}
    requests += sum(-(-n // THINGS[thing].at_once) for thing, n in fresh.items())
    if not requests:
        return "Nothing to look up."
    named = " and ".join(f"{n:,} {_ONE[thing] if n == 1 else WORDS[thing]}" for thing, n in things.items() if n)
    time = f", {about(requests * request.conditions.delay)} at the usual pace" if request.conditions.delay else ""
    return f"To look up: {named}: {counted(requests, 'request')}{time}, and one for each that is not shown."


def _show(path: Path, before: Mark, stop_reason: str, again: str, *, as_json: bool, asked_nothing: bool) -> int:
    """Print what was found, and give the exit code."""
    with open_to_read(path) as connection:
        found = {} if asked_nothing else sweeps.found(connection, before)
        failed = sweeps.failed(connection)
    code = exit_code(stop_reason, failed > 0)
    in_all = sum(found.values(), Found())
    if as_json:
        parts = {WORDS[thing]: asdict(one) for thing, one in found.items()}
        numbers = {"path": str(path), "stop_reason": stop_reason, "exit_code": code, "failed": failed}
        print_result(json.dumps({**numbers, **asdict(in_all), **parts}))
        return code
    rows = [("", *(name.replace("_", " ") for name in asdict(in_all)))]
    rows += [(WORDS[thing], *(f"{n:,}" for n in asdict(one).values())) for thing, one in found.items()]
    lines = [_headline(stop_reason, failed, asked_nothing=asked_nothing)]
    lines += ["", *table(rows, right=range(1, 5))] if found else []
    lines += ["", *_what_next(path, stop_reason, failed, again)]
    print_result("\n".join(lines))
    return code


def _headline(stop_reason: str, failed: int, *, asked_nothing: bool) -> str:
    if stop_reason in REASONS:
        return f"Stopped by your {REASONS[stop_reason]}; everything so far is in the file."
    if stop_reason != "drained":
        return "Stopped; everything so far is in the file."
    if failed:
        return f"Ended with gaps: {counted(failed, 'request')} failed."
    return "Nothing to do: all of them have been looked up." if asked_nothing else "All of them are looked up."


def _what_next(path: Path, stop_reason: str, failed: int, again: str) -> list[str]:
    if stop_reason != "drained":
        return [f"Go on with: {again}"]
    if failed:
        return [f"Try them again with: harvest retry --cache-path {quoted(path)}"]
    return [f"How counts moved: harvest sql user_counts --cache-path {quoted(path)} (track_counts likewise)"]


def _again(path: Path, options: Mapping[str, Any]) -> str:
    words = [f"--{name.replace('_', '-')} {options[name]}" for name in ("of", "older_than") if name in options]
    return " ".join(["harvest counts", *words, f"--cache-path {quoted(path)}"])
