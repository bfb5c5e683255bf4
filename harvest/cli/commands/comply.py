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
    """Look everything up, and empty what the service no longer shows.

    People and tracks are asked for 50 in a request, playlists one by one; what a batch leaves out is asked for by
    itself before it is called gone. Private playlists, stations, comments and links cannot be looked up. Of what is
    gone the id, the status and the dates stay, and its likes and other edges; names, texts, addresses and counts go,
    and harvest changes tells of each. Stopped by a bound, it empties what is known to be gone by then.

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
