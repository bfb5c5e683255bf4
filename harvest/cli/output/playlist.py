"""Save the tracks of an answer as a list for players, where --to asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from harvest.cli.options.types import Place
from harvest.cli.output.formatting import counted
from harvest.cli.output.rows import Rows, Writer
from harvest.errors import QueryError
from harvest.export.playlists import write
from harvest.store.database import open_to_read
from harvest.store.handouts import remember
from harvest.system.clock import SystemClock, as_text

Command = Callable[..., Any]
_URN = "soundcloud:tracks:"


def to_option(command: Command) -> Command:
    """Add --to, as `target`."""
    return click.option(
        "-o",
        "--to",
        "target",
        type=Place(dir_okay=False),
        metavar="FILE",
        help="Save the tracks as a playlist too: FILE.m3u, FILE.jspf or FILE.csv.",
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
        names = [name.lower() for name in columns]
        place = next((names.index(name) for name in ("track_id", "urn") if name in names), None)
        if place is None:
            raise QueryError("A playlist is made of a column track_id: SELECT id AS track_id FROM tracks, or urn.")
        return save(path, (_id(row[place]) for row in rows), target, title=title)

    return written


def _id(value: Any) -> Any:
    """Give the id that a value says: itself, or the number in a URN of a track."""
    number = value.removeprefix(_URN) if isinstance(value, str) else ""
    return int(number) if number.isascii() and number.isdigit() and len(number) < 19 else value
