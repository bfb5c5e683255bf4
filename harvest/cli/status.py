"""Say where a file stands, in a few lines or as JSON; works beside a running crawl."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harvest.cli.options import cache_path, log_options


@click.command()
@cache_path()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@log_options
def status(path: Path, as_json: bool) -> int:
    """Say where we are: seeds, lists by outcome, failures, what to do next."""
    from harvest.cli.summary import as_numbers, columns, lists_table
    from harvest.clock import SystemClock
    from harvest.logs import printable
    from harvest.store.database import open_to_read
    from harvest.store.lease import holder_of
    from harvest.store.queries import overview

    connection = open_to_read(path)
    try:
        seen = overview(connection)
        holder = holder_of(connection, SystemClock().now())
    finally:
        connection.close()
    if as_json:
        running = {"host": holder[0], "pid": holder[1], "last_seen_at": holder[2]} if holder else None
        click.echo(json.dumps({"path": str(path), "crawled_by": running, **as_numbers(seen)}))
        return 0
    for harvest in seen.harvests:
        title = f"  “{printable(harvest.title)}”" if harvest.title else ""
        open_lists = f", {harvest.open_lists:,} lists to read" if harvest.open_lists else ""
        why = f": {printable(harvest.reason)}" if harvest.reason else ""
        click.echo(f"{harvest.seed}{title}\n  {harvest.state}{open_lists}{why}")
    click.echo()
    click.echo("\n".join(columns([(table, f"{n:,}") for table, n in seen.rows.items() if n])))
    if seen.lists:
        click.echo()
        click.echo("\n".join(lists_table(seen)))
    if seen.failures:
        click.echo()
        click.echo("\n".join(columns([("failures", "lists"), *((c, f"{n:,}") for c, n in seen.failures.items())])))
    click.echo(f"\nLast activity: {seen.last_activity or 'none'}")
    if holder:
        click.echo(f"Being crawled by process {holder[1]} on {holder[0]}.")
    elif any(h.open_lists and h.state != "failed" for h in seen.harvests):
        click.echo(f"Go on with: harvest resume --cache-path {path}")
    return 0
