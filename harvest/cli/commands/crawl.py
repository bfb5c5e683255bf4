"""Collect around tracks, and go on with what is unfinished."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harvest.cli.options.budgets import wanted_budget
from harvest.cli.options.crawl import cache_path, crawl_options, log_options
from harvest.cli.options.merge import CONDITIONS, LIMITS, given, stored_options
from harvest.models import Limits

if TYPE_CHECKING:
    from harvest.crawler.session import Seeds
    from harvest.settings import Settings


@click.command()
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@cache_path()
@crawl_options
@click.option(
    "--dry-run", is_flag=True, help="Say what it would cost, and collect nothing; the same as `harvest plan`."
)
@log_options
def crawl(urls: tuple[str, ...], path: Path, as_json: bool, dry_run: bool, **chosen: Any) -> int:
    """Collect the listening graph around tracks.

    URL is the address of a track on soundcloud.com, an on.soundcloud.com short link, or artist/track. What is there
    already is not asked for again: running the same command twice resumes, or says that all is done.

    \b
      harvest https://soundcloud.com/artist/track --max-users 2000
      harvest artist/track other/track --cache-path data/two.db
    """
    from harvest.api.seed_urls import normalise_seed

    seeds = list(dict.fromkeys(normalise_seed(url).url for url in urls))
    if dry_run:
        from harvest.cli.commands.plan import show_plan

        return show_plan(path, seeds, given(chosen), as_json=as_json)
    return harvest_seeds(path, seeds, given(chosen), as_json=as_json)


@click.command()
@cache_path()
@crawl_options
@log_options
def resume(path: Path, as_json: bool, **chosen: Any) -> int:
    """Go on with whatever is unfinished in the file, with the options it was started with.

    Options given here override those; credentials and addresses are always today's.

    \b
      harvest resume
      harvest resume --max-users 2000 --cache-path data/two.db
      harvest resume --until 06:00
    """
    from harvest.store.database import open_to_read
    from harvest.store.harvests import unfinished

    with open_to_read(path) as connection:
        seeds = [seed for seed, _ in unfinished(connection)]
    connection.close()
    return harvest_seeds(path, seeds, given(chosen), as_json=as_json)


def harvest_seeds(
    path: Path,
    seeds: list[str],
    chosen: Mapping[str, Any],
    *,
    as_json: bool,
    settings: Settings | None = None,
    service: str | None = None,
    go_on: str = "harvest resume",
) -> int:
    """Harvest seeds into a file with the options given, the stored ones, or the usual; give the exit code."""
    from harvest.cli.output.summary import show_summary
    from harvest.cli.run import run_to_the_end

    stored, conditions = stored_options(path, seeds)
    conditions = {**CONDITIONS, **conditions, **{k: v for k, v in chosen.items() if k in CONDITIONS}}
    budget = wanted_budget(chosen, conditions.pop("budget", None))
    if budget:
        conditions["budget"] = budget
    wishes = {k: v for k, v in chosen.items() if k in LIMITS}
    wanted: Seeds = [(seed, replace(stored.get(seed, Limits()), **wishes)) for seed in seeds]
    if _all_drained(path, wanted):
        return show_summary(path, seeds, as_json=as_json, go_on=go_on, nothing_to_do=True)
    stop_reason = run_to_the_end(path, wanted, conditions, settings=settings, service=service)
    go_on += " --no-total" if budget.get("total") and stop_reason.startswith("max_") else ""
    return show_summary(path, seeds, as_json=as_json, go_on=go_on, stop_reason=stop_reason)


def _all_drained(path: Path, wanted: Seeds) -> bool:
    from harvest.store.database import holds_something, open_to_read
    from harvest.store.harvests import is_drained

    if not holds_something(path):
        return False
    connection: sqlite3.Connection = open_to_read(path)
    try:
        return all(is_drained(connection, seed, limits) for seed, limits in wanted)
    finally:
        connection.close()
