"""Make a page to pan, search and click through: which tracks are near each other, and why."""

from __future__ import annotations

from pathlib import Path

import click

from harvest.analysis.run import check_extra
from harvest.cli.options.crawl import cache_path, log_options
from harvest.cli.options.framing import framing_option
from harvest.cli.options.types import Place, whole
from harvest.cli.output.spinner import patience
from harvest.errors import SettingsError
from harvest.explorer.asked import LEAST, MOST, USUAL, Asked
from harvest.report.writing import check_target, usual_place
from harvest.store.database import open_to_read, reading_errors, storage_errors
from harvest.store.handouts import remember
from harvest.system.clock import SystemClock


@click.command()
@click.argument("files", metavar="[FILE]...", nargs=-1, type=Place(dir_okay=False))
@cache_path()
@click.option("-o", "--out", type=Place(), metavar="PAGE", help="Where the page goes.  [default: beside the file]")
@click.option(
    "--tracks",
    type=whole(LEAST, MOST),
    metavar="N",
    default=USUAL,
    show_default=True,
    help=f"Tracks on the page, those most liked, {LEAST} to {MOST:,}.",
)
@click.option("--people", is_flag=True, help="Name the ten who liked each track last; else people are only counted.")
@framing_option(default=None, usual="as analysed, else auto")
@click.option("--include-incomplete", is_flag=True, help="Use lists of likes that are not whole, as far as read.")
@click.option("--force", is_flag=True, help="Overwrite PAGE even if it is no such page of harvest.")
@click.option("--open", "show", is_flag=True, help="Show the page in the browser.")
@log_options
def explore(
    files: tuple[Path, ...],
    path: Path,
    out: Path | None,
    tracks: int,
    people: bool,
    framing: str | None,
    include_incomplete: bool,
    force: bool,
    show: bool,
) -> int:
    """Write a page to pan, search and click through.

    Tracks that the same people like are near each other, coloured by community. A click shows how many people like
    both and how many times more that is than chance; a path leads from one track to another; the lasso saves what it
    surrounds as CSV, M3U or JSPF. The page needs no network and contains no names of people. It needs no analysis
    first, but the extra `analysis`. `harvest serve` has the same page.

    \b
      harvest explore
      harvest explore data/cache/demo.db -o demo.html --open
      harvest explore one.db other.db --tracks 5000
    """
    if out is not None and len(files) > 1:
        raise SettingsError("-o names one page: leave it out to have one beside each file.")
    check_extra("harvest explore")
    from harvest.explorer.page import KIND, write  # numpy and scipy, which `--help` does without

    asked = Asked(tracks, people, framing, include_incomplete)
    for file in files or (path,):
        with reading_errors(file), open_to_read(file) as connection:
            target = out or usual_place(file, KIND)
            check_target(target, file, force=force, kind=KIND)
            with storage_errors(file, writes=False), patience(connection, "reading who likes what") as tell:
                write(connection, file.name, target, asked, tell)
        remember(file, "page", target, now=SystemClock().now())
        click.echo(target)
        if show:
            click.launch(target.resolve().as_uri())
    return 0
