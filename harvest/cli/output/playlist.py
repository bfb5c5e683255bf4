"""Save the tracks of an answer as a list for players, where --to asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from harvest.cli.options.types import Place
from harvest.cli.output.formatting import counted
from harvest.cli.output.rows import Rows, Writer
from harvest.export.playlists import tracks_of, write
from harvest.store.database import open_to_read
from harvest.store.handouts import remember
from harvest.system.clock import SystemClock, as_text

Command = Callable[..., Any]


def to_option(command: Command) -> Command:
    """Add --to, as `target`."""
    return click.option(
        "-o",
        "--to",
        "target",
        type=Place(dir_okay=False),
        metavar="FILE",
        help="Save the tracks as a playlist: FILE.m3u, FILE.jspf or FILE.csv.",
    )(command)


def save(path: Path, ids: Iterable[Any], target: Path, *, title: str) -> int:
    """Save tracks of a file, say so on stderr, and give how many. Raises SettingsError, StorageFailed."""
    now = SystemClock().now()
    with open_to_read(path) as connection:
        n = write(connection, ids, target, title=title, now=as_text(now))
    remember(path, "playlist", target, now=now)
    click.echo(f"{counted(n, 'track')} saved in {target}.", err=True)
    return n


def playlist_writer(path: Path, target: Path, *, title: str) -> Writer:
    """Make the writer of rows that saves what stands in their column `track_id`, or `urn`, and shows nothing."""

    def written(columns: Sequence[str], rows: Rows, _: Any) -> int:
        return save(path, tracks_of(columns, rows), target, title=title)

    return written
