"""Show the edges between tracks, or people, that are more than chance would give."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from harvest.analysis.run import check_extra
from harvest.cli.options.crawl import cache_path, reading_log_options, reads
from harvest.cli.options.types import Real, whole
from harvest.cli.output import rows
from harvest.cli.output.spinner import patience
from harvest.store.database import open_to_read

METHODS = ("disparity", "sdsm")
_NAMED = {
    "tracks": "SELECT title FROM tracks WHERE id = ?",
    "people": "SELECT username FROM users WHERE id = ?",
}
_COLUMNS = ("one", "other", "one_name", "other_name", "score", "common", "shared", "alpha")


@click.command()
@cache_path()
@click.option("--of", type=click.Choice(tuple(_NAMED)), default="tracks", show_default=True, help="What is joined.")
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default=METHODS[0],
    show_default=True,
    help="The null model: disparity, each end spreads its scores at random; sdsm, people like tracks at random, with "
    "the same number of likes per person and per track.",
)
@click.option(
    "--level",
    type=Real(0, 1),
    default=0.05,
    show_default=True,
    metavar="ALPHA",
    help="Edges whose chance is below it; 1: all.",
)
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(("table", "csv", "json", "ndjson")),
    default="table",
    show_default=True,
    help="How to write rows.",
)
@click.option("-n", "--limit", type=whole(0), metavar="N", help="Edges at most; 0: all.  [as a table: 50]")
@reading_log_options
@reads
def backbone(path: Path, of: str, method: str, level: float, form: str, limit: int | None) -> int:
    """Show the edges between tracks, or people, that are beyond chance.

    The graph is that of communities, each node joined to its nearest neighbours, as found by harvest analyze; the
    least likely edges come first. Formulas: docs/analysis.md. harvest export --graph tracks writes all of it.

    \b
      harvest backbone
      harvest backbone --of people --method sdsm --level 0.01 -f csv > edges.csv
    """
    check_extra()
    from harvest.analysis.projections import edges

    writers = {"csv": rows.write_csv, "json": rows.write_json, "ndjson": rows.write_ndjson}
    writer = writers.get(form) or rows.stdout_table()
    most = (50 if form == "table" else 0) if limit is None else limit
    with open_to_read(path) as connection:
        with patience(connection, "comparing"):
            found = list(edges(connection, of, method=method, level=None if level == 1 else level))
        found.sort(key=lambda edge: (edge.alpha, -edge.score, edge.one, edge.other))
        shown = found[:most] if most else found
        writer(_COLUMNS, _rows(connection, of, shown), sys.stdout)
    if not found:
        click.echo(f"No edge between {of} has a chance below {level:g}: a higher --level keeps more.", err=True)
    elif len(shown) < len(found):
        click.echo(f"{len(found):,} edges in all; --limit 0 shows them.", err=True)
    return 0


def _rows(connection: sqlite3.Connection, of: str, found: Any) -> Iterator[tuple[Any, ...]]:
    def name(number: int) -> str | None:
        row = connection.execute(_NAMED[of], (number,)).fetchone()
        return None if row is None else row[0]

    for edge in found:
        score, shared = round(edge.score, 6), round(edge.shared, 6)
        yield (
            edge.one,
            edge.other,
            name(edge.one),
            name(edge.other),
            score,
            edge.common,
            shared,
            float(f"{edge.alpha:.4g}"),
        )
