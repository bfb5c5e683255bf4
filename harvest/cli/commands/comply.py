"""Look everything up, and empty what the service no longer shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from harvest.cli.options.crawl import asked, asking_options, cache_path, given, json_option, log_options, with_options
from harvest.cli.output.erasing import NOT_YET, left_over
from harvest.cli.output.summary import exit_code, print_result
from harvest.cli.run import run_to_the_end
from harvest.crawler.request import to_count
from harvest.forgetting.comply import check, empty_what_is_gone
from harvest.store.sweeps import ALL_SHOWN
from harvest.system.clock import SystemClock

_JUST_NOW = 1.0  # seconds: whatever was looked up longer ago is looked up again


def comply_options(command: Any) -> Any:
    """Add the options of the command."""
    return with_options(command, *asking_options(), json_option("Print what was done as one JSON object."))


@click.command()
@cache_path()
@comply_options
@log_options
def comply(path: Path, as_json: bool, **chosen: Any) -> int:
    """Look everything up, and empty what SoundCloud no longer returns.

    People and tracks are requested 50 at a time, playlists one by one; what a batch leaves out is requested on its own
    before it counts as gone. Private playlists, stations, comments and links cannot be looked up. Of what is gone, the
    id, the status, the dates, its likes and other edges stay; names, texts, addresses and counts are removed, and
    harvest changes lists each. If a bound stops it, it empties what it has found to be gone so far.

    \b
      harvest comply
      harvest comply --max-requests 2000
    """
    options = given(chosen)
    request = asked(to_count, path, {**options, "of": ALL_SHOWN, "older_than": _JUST_NOW})
    check(path)
    stop_reason = run_to_the_end(request)
    done = empty_what_is_gone(path, now=SystemClock().now())
    code = exit_code(stop_reason, False) or (0 if done.erased else NOT_YET)
    if as_json:
        told = {"path": str(path), "stop_reason": stop_reason, "exit_code": code, "erased": done.erased}
        print_result(json.dumps({**told, "emptied": done.things}))
        return code
    lines = [f"{n:,} of {table} are gone, and empty now." for table, n in done.things.items() if n]
    lines = lines or ["The service shows everything that has content here."]
    print_result("\n".join([*lines, *left_over(path, done.replies, erased=done.erased, word="from")]))
    return code
