"""Collect around tracks, people and playlists, and go on with what is unfinished."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from harvest.cli.commands.refresh import is_refreshing
from harvest.cli.commands.refresh import show as show_refresh
from harvest.cli.options.crawl import asked, cache_path, crawl_options, given, log_options
from harvest.cli.options.in_memory import Wanted, in_memory_options, wanted
from harvest.cli.options.seeds import Typed, seed_options
from harvest.cli.options.types import Place
from harvest.cli.output.onward import onward
from harvest.cli.output.summary import show_summary
from harvest.cli.run import run_to_the_end
from harvest.crawler.request import CrawlRequest, is_drained, to_crawl, to_go_on
from harvest.crawler.starts import Starts
from harvest.errors import HarvestError, NothingThere, SettingsError
from harvest.planning.saved import followed
from harvest.settings import Settings
from harvest.store import in_memory


@click.command()
@seed_options
@cache_path()
@crawl_options
@in_memory_options
@click.option(
    "--dry-run", is_flag=True, help="Show what the crawl would cost, without crawling; the same as `harvest plan`."
)
@click.option(
    "--plan",
    type=Place(dir_okay=False),
    metavar="FILE",
    help="The plan this crawl follows (from plan --save); other seeds or options are refused, and its hash is stored.",
)
@log_options
def crawl(typed: Typed, path: Path, as_json: bool, dry_run: bool, plan: Path | None, **chosen: Any) -> int:
    """Crawl the listening graph around tracks, people and playlists.

    URL is the address of a track, a person, a playlist or a station on soundcloud.com, one list of a person
    (artist/likes), an on.soundcloud.com short link, artist/track, a URN (soundcloud:tracks:5), an API address, or me,
    the account you are signed in to. - reads a list of seeds from standard input. Several URLs form one harvest. Run
    the same command again to continue: nothing that is stored is requested twice.

    \b
      harvest https://soundcloud.com/artist/track --max-users 2000
      harvest https://soundcloud.com/artist --depth 1 --via uploads
      harvest artist/track other/track --cache-path data/two.db
      harvest --from-file seeds.txt --depth 0
      harvest --from-sql "SELECT id FROM tracks WHERE genre = 'Dub'" --of tracks
      harvest artist/track --ephemeral --export listening --format csv
    """
    export = wanted(chosen)
    start = typed.start(path, given(chosen))
    if export is not None:
        return _harvest_in_memory(start, export, plan, as_json=as_json, dry_run=dry_run)
    request = _asked_for(start, path, plan)
    return _show_plan(request, as_json=as_json) if dry_run else harvest_request(request, as_json=as_json)


def _show_plan(request: CrawlRequest, *, as_json: bool) -> int:
    from harvest.cli.commands.plan import show_plan  # late: a crawl that is not only planned starts sooner

    return show_plan(request, as_json=as_json)


def _asked_for(start: Starts, path: Path, plan: Path | None) -> CrawlRequest:
    """Ask for what was typed, and hold it to the plan, if there is one."""
    request = asked(to_crawl, path, start.addresses, start.given)
    return request if plan is None else replace(request, plan=asked(followed, plan, request))


def _harvest_in_memory(start: Starts, export: Wanted, plan: Path | None, *, as_json: bool, dry_run: bool) -> int:
    """Harvest without a file; show what came of it, and export what there is, however it ended."""
    # late: they bring numpy, and few crawls export
    from harvest.cli.commands.export import write_export
    from harvest.export.exporter import check_wishes
    from harvest.export.folder import check_target

    if export.folder is not None:
        check_wishes(export.choices, export.folder, export.key_file)
        check_target(export.folder, force=False)
    with in_memory.only_here() as path:
        request = _asked_for(start, path, plan)
        if dry_run:
            return _show_plan(request, as_json=as_json)
        if export.folder is None:
            return harvest_request(request, as_json=as_json)
        write = partial(write_export, path, export.folder, export.choices, key_file=export.key_file, quiet=as_json)
        try:
            code = harvest_request(request, as_json=as_json)
        except HarvestError:
            with contextlib.suppress(SettingsError, NothingThere):  # there is nothing to export
                write()
            raise
        write()
        return code


@click.command()
@cache_path()
@crawl_options
@log_options
def resume(path: Path, as_json: bool, **chosen: Any) -> int:
    """Continue everything unfinished in the file, with the options it was started with.

    Options you pass here override those; credentials and addresses are always the current ones.

    \b
      harvest resume
      harvest resume --max-users 2000 --cache-path data/two.db
      harvest resume --until 06:00
    """
    request = asked(to_go_on, path, given(chosen))
    if not request.harvests and is_refreshing(path):
        return show_refresh(path, run_to_the_end(request), as_json=as_json)
    return harvest_request(request, as_json=as_json)


def harvest_seeds(path: Path, addresses: list[str], options: Mapping[str, Any], **shown: Any) -> int:
    """Harvest seeds into a file with the options given, the stored ones, or the usual; give the exit code.

    `shown` is what `harvest_request` takes besides.
    """
    return harvest_request(asked(to_crawl, path, addresses, options), **shown)


def harvest_request(
    request: CrawlRequest,
    *,
    as_json: bool,
    settings: Settings | None = None,
    service: str | None = None,
    go_on: str = "harvest resume",
    show: Callable[..., int] = show_summary,
) -> int:
    """Harvest what is asked for and `show` what came of it; give the exit code."""
    path, addresses = request.path, request.addresses
    if is_drained(request):
        return show(path, addresses, as_json=as_json, go_on=go_on, nothing_to_do=True, further=onward(request))
    stop_reason = run_to_the_end(request, settings=settings, service=service)
    go_on += " --no-total" if request.budget.total and stop_reason.startswith("max_") else ""
    further = onward(request) if stop_reason == "drained" else []
    return show(path, addresses, as_json=as_json, go_on=go_on, stop_reason=stop_reason, further=further)
