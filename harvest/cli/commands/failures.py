"""What failed and why."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from harvest.cli.options.crawl import cache_path, json_option, log_options, reads
from harvest.cli.output.formatting import counted, quoted
from harvest.cli.output.rows import write_csv, write_ndjson
from harvest.errors import failure_classes
from harvest.store.database import open_to_read
from harvest.store.failures import COLUMNS, failed_lists
from harvest.system.logs import printable

# What a failure is called: the names of errors, and that of an entry whose URN no table can hold.
CLASSES = click.Choice([*failure_classes(), "unsupported_urn"])


@click.command()
@cache_path()
@click.option("--class", "failure_class", type=CLASSES, metavar="CLASS", help="Only this class.")
@click.option("--all", "also_resolved", is_flag=True, help="Also failures of lists that were read later.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@json_option("Print JSON, one object per line.")
@log_options
@reads
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


def _print_lines(rows: Iterator[tuple[Any, ...]], path: Path) -> None:
    nothing, hopeful = True, False
    for row in rows:
        nothing = False
        told = dict(zip(COLUMNS, row, strict=True))
        hopeful |= bool(told["retryable"]) and not told["resolved_at"]
        who = f" ({printable(told['subject'])})" if told["subject"] else ""
        again = "" if told["retryable"] else ", not worth asking again"
        mended = f", read after all at {told['resolved_at']}" if told["resolved_at"] else ""
        click.echo(printable(f"{told['list']} {told['subject_id']}{who}: {told['class']}{again}{mended}"))
        click.echo(printable(f"  {told['message']} [{counted(told['attempts'], 'attempt')}, last {told['last_at']}]"))
    if nothing:
        click.echo("Nothing failed.")
    elif hopeful:
        click.echo(f"\nTry again with: harvest retry --cache-path {quoted(path)}", err=True)
