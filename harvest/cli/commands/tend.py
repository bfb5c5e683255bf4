"""Keep a file true: go on with what is unfinished, read again what has changed, say what that was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from harvest.cli.commands.refresh import show
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
from harvest.cli.options.seeds import from_file_option
from harvest.cli.run import run_to_the_end
from harvest.crawler.request import to_tend
from harvest.crawler.seed_lists import seeds_in
from harvest.crawler.starts import starts


def tend_options(command: Any) -> Any:
    """Add the options of the command."""
    return with_options(
        command,
        from_file_option("Watch what a list names, one address a line: what is new in it is harvested first."),
        older_than_option("Read lists again that were read longer ago, whether their counts have moved or not: 30d."),
        *asking_options(),
        json_option("Print what was found as one JSON object."),
    )


@click.command()
@cache_path()
@tend_options
@log_options
def tend(path: Path, from_file: tuple[Path, ...], as_json: bool, **chosen: Any) -> int:
    """Keep the file up to date, from cron or systemd.

    Continues what is unfinished, harvests what is new in the watch list, re-reads what has changed, and reports what
    appeared and disappeared. One budget limits all of it; using it up is not a failure. Needs no terminal and no home
    directory.

    \b
      harvest tend --max-requests 2000 --for 50m
      harvest tend --from-file watch.txt --cache-path /srv/music.db
    """
    options = given(chosen)
    start = starts([seed for one in from_file for seed in seeds_in(one)], options)
    request = asked(to_tend, path, start.addresses, start.given)
    return show(path, run_to_the_end(request), as_json=as_json, tending=True)
