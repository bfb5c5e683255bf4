"""What failed and why, and trying it again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from harvest.cli.options.crawl import cache_path, crawl_options, log_options
from harvest.cli.output.rows import write_csv, write_ndjson
from harvest.errors import failure_classes
from harvest.store.database import open_to_read
from harvest.store.failures import failed_lists
from harvest.system.logs import printable

COLUMNS = (
    "list",
    "subject_id",
    "subject",
    "class",
    "status",
    "outcome",
    "attempts",
    "retryable",
    "collected",
    "claimed",
    "first_at",
    "last_at",
    "resolved_at",
    "message",
)

# What a failure is called: the names of errors, and that of an entry whose URN no table can hold.
_CLASSES = click.Choice([*failure_classes(), "unsupported_urn"])


@click.command()
@cache_path()
@click.option("--class", "failure_class", type=_CLASSES, metavar="CLASS", help="Only this class.")
@click.option("--all", "also_resolved", is_flag=True, help="Also failures of lists that were read after all.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object per line.")
@log_options
def failures(path: Path, failure_class: str | None, also_resolved: bool, as_csv: bool, as_json: bool) -> int:
    """List what failed and why: one line per list and reason."""
    with open_to_read(path) as connection:
        rows = failed_lists(connection, failure_class=failure_class, also_resolved=also_resolved)
        if as_csv:
            write_csv(COLUMNS, rows, sys.stdout)
        elif as_json:
            write_ndjson(COLUMNS, rows, sys.stdout)
        else:
            _print_lines(rows, path)
    return 0


@click.command()
@cache_path()
@click.option(
    "--class",
    "failure_class",
    type=_CLASSES,
    metavar="CLASS",
    help="Only this class, and even if asking again seemed useless.",
)
@crawl_options
@log_options
def retry(path: Path, failure_class: str | None, as_json: bool, **chosen: Any) -> int:
    """Put failed lists back and go on from where each of them stopped.

    Without --class these are the lists that failed for a passing reason. Lists that an unfinished harvest has still to
    read are read as well, as `harvest resume` would.

    \b
      harvest retry
      harvest retry --class forbidden --cache-path data/two.db
    """
    import sqlite3

    from harvest.cli.commands.crawl import harvest_seeds
    from harvest.cli.options.merge import given
    from harvest.store import lease
    from harvest.store.database import immediately, open_for_crawl, open_to_read, storage_errors
    from harvest.store.harvests import put_back, unfinished
    from harvest.system.clock import SystemClock

    open_to_read(path).close()  # refuses what is missing or not ours
    with storage_errors(path):
        db = open_for_crawl(path)
        try:
            with immediately(db):
                lease.check_free(db.conn, SystemClock().now(), path)
                lists = put_back(db.conn, failure_class)
            seeds = [seed for seed, _ in unfinished(db.conn)]
        finally:
            connection: sqlite3.Connection = db.conn
            connection.close()
    click.echo(f"{lists:,} lists put back." if lists else "Nothing to retry.", err=True)
    return harvest_seeds(path, seeds if lists else [], given(chosen), as_json=as_json)


def _print_lines(rows: Iterator[tuple[Any, ...]], path: Path) -> None:
    nothing, hopeful = True, False
    for row in rows:
        nothing = False
        told = dict(zip(COLUMNS, row, strict=True))
        hopeful |= bool(told["retryable"]) and not told["resolved_at"]
        who = f" ({printable(told['subject'])})" if told["subject"] else ""
        again = "" if told["retryable"] else ", not worth asking again"
        mended = f", read after all at {told['resolved_at']}" if told["resolved_at"] else ""
        click.echo(f"{told['list']} {told['subject_id']}{who}: {told['class']}{again}{mended}")
        click.echo(f"  {printable(told['message'])} [{told['attempts']} attempts, last {told['last_at']}]")
    if nothing:
        click.echo("Nothing failed.")
    elif hopeful:
        click.echo(f"\nTry again with: harvest retry --cache-path {path}", err=True)
