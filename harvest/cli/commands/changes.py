"""Tell what changed in a file, for people and for programs."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

import click

from harvest.cli.options.crawl import cache_path, json_option, reading_log_options, reads
from harvest.cli.options.types import Parsed, whole
from harvest.cli.output.changed import summed_up
from harvest.cli.output.encoding import write_utf8
from harvest.cli.output.formatting import quoted
from harvest.explore import changes as told
from harvest.store.database import open_to_read
from harvest.system.logs import printable


@click.command()
@cache_path()
@click.option(
    "--since",
    type=Parsed("moment", told.parse_since, as_typed=True),
    metavar="DATE|7d|VERSION",
    help="Only what is later than a day, a length of time ago, or a version.  [default: since the last refresh began]",
)
@click.option("--of", metavar="URL", help="Only what concerns one track, person, playlist or station.")
@click.option(
    "--limit", type=whole(1), metavar="N", help="Maximum changes.  [default: 100 for people, all with --json]"
)
@json_option("One JSON object a line; the last has the version to go on from.")
@reading_log_options
@reads
def changes(path: Path, since: str | None, of: str | None, limit: int | None, as_json: bool) -> int:
    """Show what appeared, disappeared and was renamed, and why.

    Every change has a version, which only grows: a program that has read up to a version continues with --since that
    version. What a list contained when it was first read is not a change.

    \b
      harvest changes
      harvest changes --since 7d --of https://soundcloud.com/artist/track
      harvest changes --since 1200 --json
    """
    with open_to_read(path) as connection:
        version = _version(connection, told.parse_since(since) if since is not None else None, everything=as_json)
        about = told.thing_at(connection, of) if of else None
        if as_json:
            _stream(connection, version, about, limit)
        else:
            _page(connection, path, version, about, limit or 100)
    return 0


def _version(connection: sqlite3.Connection, since: int | str | None, *, everything: bool) -> int:
    if since is None:
        last = None if everything else told.last_refresh(connection)
        return last[0] if last else 0
    return told.version_at(connection, since)


def _stream(connection: sqlite3.Connection, version: int, about: tuple[str, int] | None, limit: int | None) -> None:
    """Write the changes for programs."""
    out = write_utf8(sys.stdout)
    for change in told.changes(connection, version, of=about, limit=limit):
        out.write(json.dumps(change._asdict()) + "\n")


def _page(connection: sqlite3.Connection, path: Path, version: int, about: tuple[str, int] | None, limit: int) -> None:
    """Write the changes for people: how many of each, then the newest of them."""
    summary = told.summed(connection, version, of=about)
    if summary.first_at is None:
        click.echo("Nothing has changed" + (" since then." if version else ": nothing was read a second time yet."))
        return
    n = sum(summary.counts.values())
    newest = told.last(connection, version, limit, of=about)
    lines = summed_up(summary.counts, summary.reasons)
    click.echo("\n".join([f"{n:,} changes, {summary.first_at} to {newest[-1].at}:", *lines, ""]))
    for change in newest:
        said = told.in_words(connection, change)
        why = f" ({change.reason})" if change.reason else ""
        link = f"  {said.url}" if said.url else ""
        click.echo(printable(f"{change.at}  {change.what:<9} {said.text}{why}{link}"))
    if n > limit:
        click.echo(f"\nThe last {limit:,} of {n:,}; --limit shows more of them.")
    click.echo(f"\nGo on from here with: harvest changes --since {newest[-1].version} --cache-path {quoted(path)}")
