"""What a crawl would cost, before it is begun."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import click

from harvest.api.seed_urls import public_address
from harvest.cli.commands.refresh import show_plan as show_refresh
from harvest.cli.options.crawl import asked, cache_path, crawl_options, given, log_options, reads
from harvest.cli.options.environment import own_settings
from harvest.cli.options.seeds import Typed, seed_options
from harvest.cli.options.types import Place
from harvest.cli.output.coverage import coverage_lines
from harvest.cli.output.formatting import counted, duration, quoted
from harvest.cli.output.table import table
from harvest.crawler.request import CrawlRequest, to_crawl, to_refresh
from harvest.planning.cost import Plan, Speed
from harvest.planning.planned import Planned, Wanted
from harvest.planning.planned import plan as make_plan
from harvest.planning.planned import save as save_plan
from harvest.planning.ranges import Range
from harvest.system.logs import printable
from harvest.things import THINGS

_SEEDS_SHOWN = 5


@click.command()
@seed_options
@cache_path()
@crawl_options
@click.option("--refresh", is_flag=True, help="Estimate `harvest refresh` instead; needs no URL.")
@click.option(
    "--save",
    type=Place(dir_okay=False),
    metavar="FILE",
    help="Also write the plan to a file you can register; harvest URL --plan FILE stores its hash with the run.",
)
@log_options
@reads
def plan(typed: Typed, path: Path, as_json: bool, refresh: bool, save: Path | None, **chosen: Any) -> int:
    """Estimate what a crawl would cost: requests, time, rows and disk.

    Sends at most sixteen requests per seed (a token, the address, the thing itself, a page of what it leads to, and of
    a few lists around it), for at most 20 seeds, and none for what the file already answers. Writes nothing. Takes the
    options of a crawl, so you can see what they change. Nine times in ten the crawl ends inside the interval, unless
    SoundCloud makes it wait.

    \b
      harvest plan https://soundcloud.com/artist/track
      harvest plan https://soundcloud.com/artist --depth 1 --via uploads
      harvest plan artist/track --max-users 200 --max-user-likes 200
      harvest plan --refresh
    """
    if refresh and save is not None:
        raise click.UsageError("--save stores the plan of a crawl; leave out --refresh.")
    if refresh:
        return show_refresh(asked(to_refresh, path, given(chosen)), as_json=as_json)
    start = typed.start(path, given(chosen))
    return show_plan(asked(to_crawl, path, start.addresses, start.given), as_json=as_json, save=save)


def show_plan(request: CrawlRequest, *, as_json: bool, save: Path | None = None) -> int:
    """Work out the plan and print it; `save` it as well. Raises StorageFailed when it cannot be written."""
    planned = asyncio.run(make_plan(request, own_settings))
    saved = {"path": str(save), "sha256": save_plan(planned, request, save)} if save is not None else {}
    if as_json:
        click.echo(json.dumps({**planned.as_json(), **({"saved": saved} if saved else {})}))
    else:
        click.echo("\n".join(_lines(planned)))
        if saved:
            click.echo(
                f"\nPlan saved as {saved['path']}, SHA-256 {saved['sha256']}. Crawl with --plan to keep that hash."
            )
    return 0


def _lines(planned: Planned) -> list[str]:
    path, wanted, made = planned.path, planned.harvests, planned.plan
    lines = [line for one in wanted for line in _harvest_lines(one)]
    if all(one.complete for one in wanted):
        return [*lines, "", f"Nothing to do. Look at it with: harvest status --cache-path {quoted(path)}"]
    lines += ["", *_table(made), "", _pace_line(planned.speed)]
    if made.deep.high:
        lines.append(f"Of the requests, {_interval(made.deep, _number)} lie beyond depth 1, which nobody has seen yet.")
    if made.bites:
        lines += ["", "What would cut it short:", *(f"  {bite}" for bite in made.bites)]
    lines += room(path, made)
    addresses = [address for one in wanted for address in one.addresses]
    few = len(addresses) <= _SEEDS_SHOWN and all(public_address(address) == address for address in addresses)
    few = few and all(one.limits.seed_read is None for one in wanted)  # such an address may have named the list
    command = f"harvest {' '.join(map(quoted, addresses))} --cache-path {quoted(path)}"
    start = f"Start it with the same options: {command}" if few else "Start it with the same command, without `plan`."
    n = counted(planned.requests, "request") if planned.requests else "No request"
    return [
        *lines,
        "",
        f"{n} asked, nothing written. {start}",
    ]


def _harvest_lines(wanted: Wanted) -> list[str]:
    lines = [line for address in wanted.addresses[:_SEEDS_SHOWN] for line in _seed_lines(address, wanted)]
    if len(wanted.addresses) > _SEEDS_SHOWN:
        lines.append(f"and {len(wanted.addresses) - _SEEDS_SHOWN:,} other seeds")
    if wanted.complete:
        lines.append("  in the file: all of it, under these options")
    elif wanted.standing:
        read, still_open = wanted.standing.lists_read, wanted.standing.lists_open
        lines.append(f"  in the file: {counted(read, 'list')} read, {still_open:,} to go; below is what remains")
    return [*lines, *coverage_lines(wanted.judged)]


def _seed_lines(address: str, wanted: Wanted) -> list[str]:
    seed = wanted.seeds.get(address)
    if seed is None:
        return [public_address(address), "  not asked"]
    if THINGS[seed.thing].prefix:  # a search is called what it says
        return [public_address(address)]
    title = f"  “{printable(seed.title)}”" if seed.title else ""
    counts = [f"{_count(seed.likes_count)} likes"]
    counts += [] if seed.thing == "playlist" else [f"{_count(seed.reposts_count)} reposts"]
    return [f"{public_address(address)}{title}", f"  {', '.join(counts)}, as SoundCloud counts"]


def _table(made: Plan) -> list[str]:
    rows = [("", "likely", "nine times in ten")]
    rows.append(("requests", _number(made.requests.likely), _interval(made.requests, _number)))
    rows.append(("time", duration(made.seconds.likely), _interval(made.seconds, duration)))
    rows += [(name, _number(n.likely), _interval(n, _number)) for name, n in made.rows.items()]
    rows.append(("disk", _size(made.size_bytes.likely), _interval(made.size_bytes, _size)))
    return list(table(rows, right=(1,)))


def _pace_line(speed: Speed) -> str:
    if speed.interval:
        return f"At {1 / speed.interval:.3g} requests a second, as now; waits that the service asks for come on top."
    return "As fast as this computer, if the service keeps up (--delay 0); waits that it asks for come on top."


def room(path: Path, made: Plan) -> list[str]:
    """Warn where the file may not find room."""
    folder = next(p for p in path.absolute().parents if p.exists())
    free = shutil.disk_usage(folder).free
    if made.size_bytes.high <= free:
        return []
    return [
        "",
        f"Not enough disk, maybe: {_size(free)} are free in {folder}, and up to {_size(made.size_bytes.high)} come.",
    ]


def _interval(number: Range, shown: Any) -> str:
    return f"{shown(number.low)} to {shown(number.high)}"


def _number(n: float) -> str:
    return f"{round(n):,}" if n < 10_000 else f"{round(n, -2):,.0f}"


def _size(n: float) -> str:
    return f"{n / 1e6:,.1f} MB" if n < 1e9 else f"{n / 1e9:,.1f} GB"


def _count(n: int | None) -> str:
    return "?" if n is None else f"{n:,}"
