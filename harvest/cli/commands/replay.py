"""Make a file again from the replies that were kept of it."""

from __future__ import annotations

from pathlib import Path

import click

from harvest.cli.options.crawl import log_options
from harvest.cli.options.types import Place, whole
from harvest.cli.output.formatting import counted, quoted
from harvest.cli.output.spinner import spinner
from harvest.crawler.replay import Replayed
from harvest.crawler.replay import replay as replay_into


@click.command()
@click.argument("replies", type=Place(), metavar="REPLIES.db")
@click.option("-o", "--out", type=Place(), required=True, metavar="NEW.db", help="The file to make.")
@click.option(
    "--from-version",
    type=whole(1),
    metavar="V",
    help="Take the replies as kept by tables of this version, whatever they say.",
)
@click.option("--force", is_flag=True, help="Overwrite NEW.db if it exists.")
@log_options
def replay(replies: Path, out: Path, from_version: int | None, force: bool) -> int:
    """Rebuild a file from the replies that `--keep-replies` stored, without a request.

    Every reply is read again, so what a newer harvest stores of it is there too; times are those of the crawl. NEW.db
    appears only when it is complete. You can continue lists that are unfinished in it.

    \b
      harvest replay tracks.replies.db -o again.db
      harvest verify --cache-path again.db
    """
    with spinner("reading the replies") as tell:
        done = replay_into(
            replies,
            out,
            force=force,
            from_version=from_version,
            tell=lambda so_far: tell(f"{counted(so_far.pages, 'page')} replayed"),
        )
    click.echo(f"{out}: {counted(done.pages, 'page')} of {counted(done.runs, 'run')}, {done.bytes / 1e6:,.1f} MB.")
    for note in _notes(done):
        click.echo(f"Note: {note}", err=True)
    click.echo(f"Check it with: harvest verify --cache-path {quoted(out)}", err=True)
    return 0


def _notes(done: Replayed) -> list[str]:
    notes = []
    if done.left_out:
        notes.append(f"{done.left_out:,} replies are of lists that this version does not ask for, and were left out.")
    if done.unreadable:
        notes.append(f"{counted(done.unreadable, 'page')} could not be read: see harvest failures.")
    return notes
