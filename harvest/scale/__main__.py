"""Run the co-likes over an export: `python -m harvest.scale EXPORT OUT`."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import traceback
from typing import Any

import click

from harvest.errors import HarvestError
from harvest.scale import engines
from harvest.scale.colikes import colikes


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("export", required=False)
@click.argument("out", required=False)
@click.option("--engine", type=click.Choice(["duckdb", "spark"]), default="duckdb", show_default=True, help="Who runs.")
@click.option("--top", type=click.IntRange(1, 32767), default=50, show_default=True, help="Neighbours kept of each.")
@click.option("--min-common", type=click.IntRange(1), default=3, show_default=True, help="People a pair must share.")
@click.option("--max-likes", type=click.IntRange(1), default=1000, show_default=True, help="Newest likes per person.")
@click.option("--include-incomplete", is_flag=True, help="Count people whose list is not whole, too.")
@click.option(
    "--frames",
    "framing",
    type=click.Choice(["auto", "all", "none"]),
    default="auto",
    show_default=True,
    help="Leave out tracks whose likers were listed: unless the export is of a whole graph, always, never.",
)
@click.option("--memory", default="4GB", show_default=True, help="What DuckDB may hold; the rest goes to disk.")
@click.option("--sql", "dialect", metavar="DIALECT", help="Only print it as SQL: trino, bigquery, clickhouse, ...")
def command(
    export: str | None, out: str | None, engine: str, framing: str, memory: str, dialect: str | None, **options: Any
) -> None:
    """Find the tracks that the same people like, over the folder EXPORT that `harvest export` made, into OUT.

    OUT is a Parquet file (a folder of them with Spark) with the columns of item_item.parquet.
    """
    frames = engines.has_frames(export) if framing == "auto" and export is not None else framing != "none"
    expression = functools.partial(colikes, frames=frames, **options)
    if dialect:
        click.echo(engines.sql(expression, dialect))
        return
    if export is None or out is None:
        raise click.UsageError("Name the export and the file to write: python -m harvest.scale EXPORT OUT")
    if engine == "spark":
        rows = engines.run_spark(expression, export, out)
    else:
        with _shown("DuckDB joins the likes with themselves ..."):
            rows = engines.run_duckdb(expression, export, out, memory=memory)
    if engines.hides_seeds(export):
        click.echo(
            "This export has pseudonyms, and does not tell which tracks people were found by: these are compared like "
            "any other, and stand near to everything.",
            err=True,
        )
    if not rows:
        why = "; tracks whose likers were listed do not count, --frames none lets them" if frames else ""
        least = options["min_common"]
        click.echo(f"{out} is empty: no two tracks have {least} people with whole lists in common{why}.", err=True)
    click.echo(f"{out} written.", err=True)


@contextlib.contextmanager
def _shown(what: str) -> Any:
    """Show on a terminal that something goes on. (Spark draws a bar of its own.)"""
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


def main() -> None:
    """Run, and turn what goes wrong into one line and an exit code."""
    try:
        command.main(prog_name="python -m harvest.scale", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except HarvestError as error:
        click.echo(f"harvest: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        if os.environ.get("HARVEST_TRACEBACK"):
            traceback.print_exc()
        click.echo(f"harvest: unexpected {type(error).__name__}: {str(error).partition(chr(10))[0]}", err=True)
        sys.exit(HarvestError.exit_code)


if __name__ == "__main__":
    main()
