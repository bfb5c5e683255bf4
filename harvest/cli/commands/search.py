"""Search for tracks, people or playlists, and go on from what is found."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from harvest.api.searches import MOST, SEARCHED
from harvest.cli.commands.crawl import harvest_request
from harvest.cli.commands.plan import show_plan
from harvest.cli.options.crawl import asked, cache_path, crawl_options, given, log_options
from harvest.cli.options.types import whole
from harvest.cli.output.rows import stdout_table
from harvest.cli.output.summary import show_summary
from harvest.crawler.request import to_crawl
from harvest.crawler.starts import starts_of_search
from harvest.explore.execute import Watch, ask
from harvest.explore.named import named_query
from harvest.store.database import open_to_read


@click.command()
@click.argument("words", nargs=-1)
@click.option(
    "--type", "what", type=click.Choice(SEARCHED), default="tracks", show_default=True, help="What to search."
)
@click.option("--genre", "genres", multiple=True, help="Tracks of this genre, or one of several. May be repeated.")
@click.option("--tag", "tags", multiple=True, help="Tracks with this tag, or one of several. May be repeated.")
@click.option("--bpm", metavar="FROM:TO", help="Tracks of this tempo: 120:128, 120: or :128.")
@click.option("--duration", metavar="FROM:TO", help="Tracks of this length: 3m:10m, 90s: or :10m.")
@click.option("--created", metavar="FROM:TO", help="Tracks uploaded in this time: 2026-11-01: or :2026-11-30.")
@click.option(
    "--limit", type=whole(1), metavar="N", help=f"Results kept; the service shows {MOST:,} at most.  [default: 200]"
)
@cache_path()
@crawl_options
@click.option("--dry-run", is_flag=True, help="Show what it would cost, without searching.")
@log_options
def search(
    words: tuple[str, ...],
    what: str,
    genres: tuple[str, ...],
    tags: tuple[str, ...],
    limit: int | None,
    path: Path,
    as_json: bool,
    dry_run: bool,
    **chosen: Any,
) -> int:
    """Search SoundCloud; store the results in their order, and show them.

    With --depth 1 the crawl continues from the results, as from the tracks of a playlist. The same search again
    requests nothing; with a higher --limit it continues.

    \b
      harvest search velvet drift
      harvest search --genre Techno --bpm 128:140 --created 2026-11-01:
      harvest search dj --type users --depth 1 --max-users 50
    """
    ranges = {name: chosen.pop(name) for name in ("bpm", "duration", "created")}
    start = starts_of_search(what, words, given(chosen), genres=genres, tags=tags, limit=limit, **ranges)
    (address,) = start.addresses
    request = asked(to_crawl, path, start.addresses, start.given)
    if dry_run:
        return show_plan(request, as_json=as_json)
    return harvest_request(request, as_json=as_json, show=_Found(address, deep=(request.harvests[0][1].depth or 0) > 0))


class _Found:
    """Shows what a search found, then how the crawl ended."""

    def __init__(self, address: str, *, deep: bool) -> None:
        self._address, self._deep = address, deep

    def __call__(self, path: Path, seeds: Sequence[str], *, as_json: bool, **ended: Any) -> int:
        """Print results and summary; give the exit code."""
        columns, found = self._results(path)
        if not as_json and not found:
            click.echo("Nothing was found.\n")
        if not as_json and found:
            told = [place for place in range(len(columns)) if any(row[place] is not None for row in found)]
            stdout_table()([columns[i] for i in told], [[row[i] for i in told] for row in found], sys.stdout)
            click.echo()
        results = [dict(zip(columns, row, strict=True)) for row in found]
        return show_summary(path, seeds, as_json=as_json, results=results, brief=not self._deep, **ended)

    def _results(self, path: Path) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        query = named_query("found")
        assert query is not None
        with open_to_read(path) as connection:
            answer = ask(connection, query.sql, {"search": self._address, "limit": "-1"}, watch=Watch(None))
            return answer.columns, list(answer.rows)
