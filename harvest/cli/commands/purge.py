"""Take out of the file what the service has not shown for a while."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from harvest.cli.options.crawl import cache_path, json_option, log_options
from harvest.cli.options.types import Parsed
from harvest.cli.output.erasing import NOT_YET, left_over
from harvest.cli.output.formatting import counted
from harvest.forgetting.purge import purge as purge_file
from harvest.system.clock import SystemClock
from harvest.system.lengths import parse_length


@click.command()
@cache_path()
@click.option(
    "--older-than",
    type=Parsed("length", parse_length),
    metavar="LENGTH",
    help="What was last shown longer ago than this: 30d, 12h.",
)
@click.option("--all", "everything", is_flag=True, help="All of it; the ledger stays, with numbers that say nothing.")
@click.option("--yes", is_flag=True, help="Do not ask; without a terminal nothing is asked anyway.")
@json_option("Print what was done as one JSON object.")
@log_options
def purge(path: Path, older_than: float | None, everything: bool, yes: bool, as_json: bool) -> int:
    """Remove what SoundCloud has not returned for a while, or everything.

    Lists last read before then end as `purged`, and what is in no other list is removed; then people, tracks and
    playlists last seen before then that nothing left refers to. `harvest resume` requests none of it again. The file
    is rewritten, so that no old bytes remain. `--retain 30d` on a crawl or on `harvest tend` does this at the end of
    each run from then on.

    \b
      harvest purge --older-than 30d
      harvest purge --all --yes
    """
    if (older_than is None) != everything:
        raise click.UsageError("Say how old: --older-than 30d, or --all.")
    if not yes and sys.stdin.isatty() and not click.confirm("Purge? This cannot be taken back.", err=True):
        return 0
    done = purge_file(path, older_than, now=SystemClock().now())
    code = 0 if done.erased else NOT_YET
    if as_json:
        told = {"lists": done.lists, "things": done.things, "rows": done.rows, "erased": done.erased}
        click.echo(json.dumps({"path": str(path), "exit_code": code, **told}))
        return code
    if not (done.lists or done.things or done.rows or done.replies):
        click.echo("Nothing in the file is as old as that.")
        return code
    click.echo(f"Purged: {counted(done.lists, 'list')}, {counted(done.things, 'thing')}, {counted(done.rows, 'row')}.")
    for line in left_over(path, done.replies, erased=done.erased, word="from"):
        click.echo(line)
    return code
