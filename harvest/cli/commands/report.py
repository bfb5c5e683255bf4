"""Make one HTML page about the file: what was harvested, how complete it is, what stands out."""

from __future__ import annotations

from pathlib import Path

import click

from harvest.cli.options.crawl import cache_path, log_options, reads
from harvest.cli.options.types import Place
from harvest.cli.output.spinner import patience
from harvest.report.facts import gather
from harvest.report.page import page
from harvest.report.writing import check_target, usual_place, write
from harvest.store.database import open_to_read, storage_errors
from harvest.store.handouts import remember
from harvest.system.clock import SystemClock


@click.command()
@click.argument("out", required=False, type=Place())
@cache_path()
@click.option("--force", is_flag=True, help="Overwrite OUT even if it is not a harvest report.")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
@log_options
@reads
def report(out: Path | None, path: Path, force: bool, show: bool) -> int:
    """Write one HTML page about the file.

    How complete it is, what is around the seed, what the people followed like, how they were chosen, what failed,
    where it comes from. The page needs no network and holds no script. Who likes a track is counted, not named.

    Without OUT it goes beside the file, as tracks.report.html. An earlier report is replaced, anything else is not.

    \b
      harvest report
      harvest report around-my-track.html --cache-path data/cache/tracks.db --open
    """
    with open_to_read(path) as connection:
        target = out or usual_place(path)
        check_target(target, path, force=force)
        with storage_errors(path, writes=False), patience(connection) as tell:
            facts = gather(connection, path.name, tell)
    write(page(facts), target)
    remember(path, "report", target, now=SystemClock().now())
    click.echo(target)
    if show:
        click.launch(target.resolve().as_uri())
    return 0
