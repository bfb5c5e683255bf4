"""Copy a file while it is being crawled."""

from __future__ import annotations

from pathlib import Path

import click

from harvest.cli.options.crawl import cache_path, log_options, reads
from harvest.cli.options.types import Place
from harvest.cli.output.formatting import quoted
from harvest.replies.files import kept_of
from harvest.store.handouts import remember
from harvest.store.snapshot import take_snapshot
from harvest.system.clock import SystemClock


@click.command()
@click.argument("out", type=Place())
@cache_path()
@click.option("--force", is_flag=True, help="Overwrite OUT if it exists.")
@log_options
@reads
def snapshot(out: Path, path: Path, force: bool) -> int:
    """Copy the file to OUT as it is at one moment, even during a crawl.

    The crawl continues meanwhile. OUT appears only when it is complete; you can read, verify and share it, and
    continue crawling in it. Replies stored beside the file are copied beside OUT, up to the same moment.

    \b
      harvest snapshot monday.db
      harvest snapshot backup/tracks.db --cache-path data/cache/tracks.db --force
    """
    made = take_snapshot(path, out, now=SystemClock().now(), force=force)
    remember(path, "snapshot", out, now=SystemClock().now())
    if made.replies_size is not None:
        remember(path, "snapshot", kept_of(out), now=SystemClock().now())
    replies = "" if made.replies_size is None else f", its replies beside it, {made.replies_size / 1e6:,.1f} MB"
    click.echo(f"{out}: a copy of {path}, {made.size / 1e6:,.1f} MB{replies}.")
    if made.lost:
        click.echo(f"Note: the replies of {path} are not there, or are not its own; the copy keeps none.", err=True)
    click.echo(f"Check it with: harvest verify --cache-path {quoted(out)}", err=True)
    return 0
