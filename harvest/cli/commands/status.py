"""Say where a file stands, in a few lines or as JSON; works beside a running crawl, and takes milliseconds."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harvest.cli.options.crawl import cache_path, json_option, reading_log_options, reads
from harvest.cli.output.status import Scene, as_lines, in_json
from harvest.store.database import open_to_read
from harvest.store.lease import holder_of
from harvest.store.samples import coverages
from harvest.store.status import look
from harvest.system.clock import SystemClock

if TYPE_CHECKING:
    import sqlite3

    from harvest.inference.bias import Bias

_SECONDS_BETWEEN_LOOKS = 2.0


@click.command()
@cache_path()
@json_option("Print one JSON object; with --watch, one line per look.")
@click.option("--watch", is_flag=True, help="Refresh every two seconds until the crawl ends.")
@reading_log_options
@reads
def status(path: Path, as_json: bool, watch: bool) -> int:
    """Show seeds, lists by outcome, what is left, failures, and what to do next.

    Works during a crawl, from another terminal, at any file size. For a random sample it also shows how much of the
    next person's likes would be new, which takes two seconds per million of their likes. --json without --watch also
    compares the people followed with all who are listed.

    \b
      harvest status
      harvest status --watch
      harvest status --json | jq .requests_left
    """
    scenes = _scenes(path) if watch else iter([_scene(path, compared=as_json)])
    if as_json:
        for scene in scenes:
            click.echo(json.dumps(in_json(scene)))
    elif watch and sys.stdout.isatty():
        _redraw(scenes)
    else:
        for scene in scenes:
            click.echo("\n".join(as_lines(scene)) + ("\n" if watch else ""))
    return 0


def _scene(path: Path, *, compared: bool = False) -> Scene:
    with open_to_read(path) as connection:
        now, differ = SystemClock().now(), _compared(connection) if compared else None
        return Scene(path, look(connection), holder_of(connection, now), now, coverages(connection), differ)


def _compared(connection: sqlite3.Connection) -> Sequence[Bias]:
    from harvest.inference.bias import biases  # late: a look in words does without

    return biases(connection)


def _scenes(path: Path) -> Iterator[Scene]:
    """Look until no process crawls into the file; the last look shows that."""
    while True:
        scene = _scene(path)
        yield scene
        if scene.holder is None:
            return
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _redraw(scenes: Iterator[Scene]) -> None:
    """Show look after look in the same place; the last one stays."""
    from rich.console import Console  # for `--watch` alone: a look without it takes milliseconds
    from rich.live import Live
    from rich.text import Text

    console = Console(highlight=False)
    with Live(console=console, auto_refresh=False) as live:
        for scene in scenes:
            text = Text("\n".join(as_lines(scene)), no_wrap=True, overflow="ellipsis")
            live.update(text, refresh=True)
