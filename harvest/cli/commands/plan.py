"""What a crawl would cost, before it is begun."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click

from harvest.api.searches import SCHEME
from harvest.api.seed_urls import public_address
from harvest.cli.commands.refresh import show_plan as show_refresh
from harvest.cli.options.crawl import asked, cache_path, crawl_options, given, log_options, reads
from harvest.cli.options.environment import own_settings
from harvest.cli.options.seeds import Typed, seed_options
from harvest.cli.options.types import Place
from harvest.cli.output.coverage import coverage_lines, in_short
from harvest.cli.output.formatting import counted, duration, quoted
from harvest.cli.output.table import table
from harvest.crawler.bounds import Bounds
from harvest.crawler.request import CrawlRequest, to_crawl, to_refresh
from harvest.errors import StorageFailed
from harvest.models import Limits
from harvest.planning.computer import slowness
from harvest.planning.cost import Plan, Speed, estimate
from harvest.planning.known import HarvestStanding, Known, KnownSeed, is_enough, look_into
from harvest.planning.outlook import Outlook, outlook_of
from harvest.planning.ranges import Range
from harvest.planning.saved import digest, to_save
from harvest.planning.survey import Surveyed, survey
from harvest.settings import state_folder
from harvest.store.samples import Judged
from harvest.system.clock import SystemClock, as_text
from harvest.system.files import beside
from harvest.system.logs import printable
from harvest.things import THINGS, of_urn
from harvest.wiring import connect, keeper_for

_SEEDS_SHOWN = 5
_SEEDS_LOOKED_AROUND = 2
_SEEDS_ASKED = 20  # of one harvest; the others are taken to be like them


@click.command()
@seed_options
@cache_path()
@crawl_options
@click.option("--refresh", is_flag=True, help="What `harvest refresh` would cost; needs no URL.")
@click.option(
    "--save",
    type=Place(dir_okay=False),
    metavar="FILE",
    help="Also write the plan into a file that can be registered; harvest URL --plan FILE keeps its hash with the run.",
)
@log_options
@reads
def plan(typed: Typed, path: Path, as_json: bool, refresh: bool, save: Path | None, **chosen: Any) -> int:
    """Say what a crawl would cost: requests, time, rows and disk.

    Asks a few requests for a seed, sixteen at most (a token, the address, the thing itself, a page of what it leads to,
    and of a few lists around it), for 20 seeds at most, none for what the file knows already, and writes nothing. The
    options are those of the crawl, so that you see what they change. Nine times in ten the crawl ends inside the
    interval, unless the service makes us wait.

    \b
      harvest plan https://soundcloud.com/artist/track
      harvest plan https://soundcloud.com/artist --depth 1 --via uploads
      harvest plan artist/track --max-users 200 --max-user-likes 200
      harvest plan --refresh
    """
    if refresh and save is not None:
        raise click.UsageError("--save keeps the plan of a crawl: leave out --refresh.")
    if refresh:
        return show_refresh(asked(to_refresh, path, given(chosen)), as_json=as_json)
    start = typed.start(path, given(chosen))
    return show_plan(asked(to_crawl, path, start.addresses, start.given), as_json=as_json, save=save)


@dataclass(slots=True)
class _Wanted:
    """One harvest with what is known of it."""

    addresses: tuple[str, ...]
    limits: Limits
    standing: HarvestStanding | None = None
    complete: bool = False
    seeds: dict[str, KnownSeed | Surveyed] = field(default_factory=dict)
    outlook: Outlook | None = None
    judged: list[Judged] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked to find it out."""

    requests: int
    speed: Speed


def show_plan(request: CrawlRequest, *, as_json: bool, save: Path | None = None) -> int:
    """Work out the plan and print it; `save` it as well. Raises StorageFailed when it cannot be written."""
    wanted = [_Wanted(*harvest) for harvest in request.harvests]
    with look_into(request.path) as file:
        if file is not None:
            for one in wanted:
                _look_up(file, one, profiles=request.conditions.profiles)
        found = asyncio.run(_ask(request, wanted, file))
    outlooks = [(one.outlook, one.limits) for one in wanted if one.outlook is not None]
    made = estimate(outlooks, found.speed, keeps_replies=request.conditions.keep_replies)
    made.bites.extend(_budget_bites(made, request.budget))
    told = _as_json(request.path, wanted, made, found)
    saved = _save(save, request, told) if save is not None else None
    if as_json:
        click.echo(json.dumps({**told, **({"saved": saved} if saved else {})}))
    else:
        click.echo("\n".join(_lines(request.path, wanted, made, found)))
        if saved:
            click.echo(
                f"\nPlan saved as {saved['path']}, SHA-256 {saved['sha256']}. Crawl with --plan to keep that hash."
            )
    return 0


def _save(path: Path, request: CrawlRequest, told: dict[str, object]) -> dict[str, str]:
    """Write the plan, whole or not at all; give where, and its hash."""
    plan = to_save(request, told, as_text(SystemClock().now()))
    try:
        with beside(path) as part:
            part.write_bytes(plan)
            part.replace(path)
    except OSError as error:
        raise StorageFailed(f"The plan cannot be written to {path}: {error.strerror}.") from error
    return {"path": str(path), "sha256": digest(plan)}


def _look_up(file: Known, wanted: _Wanted, *, profiles: str) -> None:
    """Find out what is there already, and what that says of the rest."""
    wanted.standing = file.standing(wanted.addresses)
    wanted.judged = file.coverages(wanted.addresses)
    wanted.complete = file.is_drained(wanted.addresses, wanted.limits, profiles=profiles)
    wanted.seeds = {one: seed for one in wanted.addresses if (seed := file.seed(one)) is not None}
    if wanted.complete or len(wanted.seeds) < len(wanted.addresses):
        return
    outlook = file.outlook(wanted.addresses, wanted.limits)
    outlook = replace(outlook, urns=outlook.urns + file.profiles_missing(wanted.addresses, profiles))
    wanted.outlook = outlook if is_enough(outlook, wanted.limits) else None


async def _ask(request: CrawlRequest, wanted: Sequence[_Wanted], file: Known | None) -> _Asked:
    """Ask about the seeds of which the file does not tell enough."""
    conditions = request.conditions
    unknown = [one for one in wanted if one.outlook is None and not one.complete]
    sent, interval, latency = 0, conditions.delay, 0.2
    if unknown:
        settings = own_settings()
        async with connect(
            settings,
            clock=SystemClock(),
            delay=conditions.delay,
            keeper=keeper_for(settings),
            pace_folder=state_folder(),
        ) as connection:
            latencies = []
            for one in unknown:
                parts: list[Outlook] = []
                known = set(one.seeds)
                for address in _spread(one.addresses):
                    found = await survey(
                        connection.client,
                        address,
                        one.limits,
                        page_size=conditions.page_size,
                        file=file,
                        around=len(parts) < _SEEDS_LOOKED_AROUND,
                    )
                    one.seeds[address] = found
                    parts.append(found.outlook)
                    latencies.append(found.latency)
                urns = sum(of_urn(address) is not None for address in one.addresses if address not in known)
                searches = sum(address.startswith(SCHEME) for address in one.addresses if address not in known)
                pages = len(one.addresses) - len(known) - urns - searches
                one.outlook = outlook_of(parts, of=len(one.addresses), look_ups=pages, urns=urns)
            gauge = connection.client.gauge()
            sent, interval, latency = gauge.sent, gauge.interval, max(latencies)
    return _Asked(sent, Speed(interval, latency, conditions.max_in_flight, conditions.page_size, slowness()))


def _spread(addresses: Sequence[str]) -> Sequence[str]:
    """Take a few of many, evenly."""
    n = min(len(addresses), _SEEDS_ASKED)
    return [addresses[place * len(addresses) // n] for place in range(n)]


def _budget_bites(made: Plan, bounds: Bounds) -> list[str]:
    """Say which bounds would end the crawl before it is done."""
    said = []
    for bound, option, need in (
        (bounds.max_requests, "--max-requests", made.requests),
        (bounds.for_seconds, "--for", made.seconds),
    ):
        if bound is not None and bound < need.high:
            said.append(
                f"{option} would end it after about {min(1.0, bound / max(need.likely, 1)):.0%}; what is read stays,"
                " and `harvest resume` goes on."
            )
    return said


def _as_json(path: Path, wanted: Sequence[_Wanted], made: Plan, asked: _Asked) -> dict[str, object]:
    return {
        "path": str(path),
        "seeds": [_seed_as_json(address, one) for one in wanted for address in one.addresses],
        "asked": asked.requests,
        "requests": made.requests.whole(),
        "beyond_depth_1": made.deep.whole(),
        "seconds": made.seconds.whole(),
        "interval_seconds": asked.speed.interval,
        "rows": {name.replace("likes and reposts", "user_engagements"): n.whole() for name, n in made.rows.items()},
        "bytes": made.size_bytes.whole(),
        "bites": made.bites,
    }


def _seed_as_json(address: str, wanted: _Wanted) -> dict[str, object]:
    seed, standing = wanted.seeds.get(address), wanted.standing
    thing, thing_id = (seed.thing, seed.thing_id) if seed else (None, None)
    return {
        "seed": public_address(address),
        "thing": thing,
        "thing_id": thing_id,
        "track_id": thing_id if thing == "track" else None,
        "title": seed.title if seed else None,
        "likes_count": seed.likes_count if seed else None,
        "reposts_count": seed.reposts_count if seed else None,
        "complete": wanted.complete,
        **in_short([one for one in wanted.judged if thing == "track" and one.track_id == thing_id]),
        "in_the_file": standing
        and {"state": standing.state, "lists_read": standing.lists_read, "lists_open": standing.lists_open},
    }


def _lines(path: Path, wanted: Sequence[_Wanted], made: Plan, asked: _Asked) -> list[str]:
    lines = [line for one in wanted for line in _harvest_lines(one)]
    if all(one.complete for one in wanted):
        return [*lines, "", f"Nothing to do. Look at it with: harvest status --cache-path {quoted(path)}"]
    lines += ["", *_table(made), "", _pace_line(asked.speed)]
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
    n = f"{asked.requests} request{'' if asked.requests == 1 else 's'}" if asked.requests else "No request"
    return [
        *lines,
        "",
        f"{n} asked, nothing written. {start}",
    ]


def _harvest_lines(wanted: _Wanted) -> list[str]:
    lines = [line for address in wanted.addresses[:_SEEDS_SHOWN] for line in _seed_lines(address, wanted)]
    if len(wanted.addresses) > _SEEDS_SHOWN:
        lines.append(f"and {len(wanted.addresses) - _SEEDS_SHOWN:,} other seeds")
    if wanted.complete:
        lines.append("  in the file: all of it, under these options")
    elif wanted.standing:
        read, still_open = wanted.standing.lists_read, wanted.standing.lists_open
        lines.append(f"  in the file: {counted(read, 'list')} read, {still_open:,} to go; below is what remains")
    return [*lines, *coverage_lines(wanted.judged)]


def _seed_lines(address: str, wanted: _Wanted) -> list[str]:
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
