"""What a crawl would cost, before it is begun."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harvest.cli.options.crawl import cache_path, crawl_options, log_options
from harvest.cli.options.merge import CONDITIONS, LIMITS, given, stored_options

if TYPE_CHECKING:
    from harvest.models import Limits
    from harvest.planning.cost import Conditions, Outlook, Plan, Range
    from harvest.planning.known import Holding


@click.command()
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@cache_path()
@crawl_options
@log_options
def plan(urls: tuple[str, ...], path: Path, as_json: bool, **chosen: Any) -> int:
    """Say what a crawl would cost: requests, time, rows and disk.

    Asks two to four requests for a seed (a token, the address, the track, one page of likers), none for what the file
    knows already, and writes nothing. The options are those of the crawl, so that you see what they change. Nine times
    in ten the crawl ends inside the interval, unless the service makes us wait.

    \b
      harvest plan https://soundcloud.com/artist/track
      harvest plan artist/track --max-users 200 --max-user-likes 200
    """
    from harvest.api.seed_urls import normalise_seed

    seeds = list(dict.fromkeys(normalise_seed(url).url for url in urls))
    return show_plan(path, seeds, given(chosen), as_json=as_json)


@dataclass(slots=True)
class _Seed:
    """A seed with what is known of it."""

    url: str
    limits: Limits
    held: Holding | None = None
    complete: bool = False
    title: str | None = None
    track_id: int | None = None
    outlook: Outlook | None = None


def show_plan(path: Path, seeds: Sequence[str], chosen: Mapping[str, Any], *, as_json: bool) -> int:
    """Work out the plan and print it."""
    from harvest.crawler.engine import MAX_IN_FLIGHT
    from harvest.models import Limits
    from harvest.planning.cost import Conditions, estimate

    stored, conditions = stored_options(path, list(seeds))
    conditions = {**CONDITIONS, **conditions, **{k: v for k, v in chosen.items() if k in CONDITIONS}}
    wishes = {k: v for k, v in chosen.items() if k in LIMITS}
    wanted = [_Seed(url, replace(stored.get(url, Limits()), **wishes)) for url in seeds]
    _look_into_the_file(path, wanted)
    asked, interval, latency = _ask(path, wanted, conditions)
    around = Conditions(
        interval=interval,
        latency=latency,
        max_in_flight=conditions["concurrency"] or MAX_IN_FLIGHT,
        page_size=conditions["page_size"],
    )
    open_seeds = [(seed.outlook, seed.limits) for seed in wanted if seed.outlook is not None]
    made = estimate([outlook for outlook, _ in open_seeds], [limits for _, limits in open_seeds], around)
    made.bites.extend(_budget_bites(made, chosen))
    if as_json:
        click.echo(json.dumps(_as_json(path, wanted, made, asked, around)))
    else:
        click.echo("\n".join(_lines(path, wanted, made, asked, around, chosen)))
    return 0


def _look_into_the_file(path: Path, wanted: Sequence[_Seed]) -> None:
    """Find out what is there already, and what that says of the rest."""
    from harvest.planning.cost import Outlook, Person
    from harvest.planning.known import holding
    from harvest.store.database import holds_something, open_to_read
    from harvest.store.harvests import is_drained

    if not holds_something(path):
        return
    connection = open_to_read(path)
    try:
        for seed in wanted:
            seed.held = held = holding(connection, seed.url, seed.limits)
            seed.complete = is_drained(connection, seed.url, seed.limits)
            if held is None:
                continue
            seed.title, seed.track_id = held.title, held.track_id
            if held.listed and not seed.complete:
                people = [Person(one.claim, one.collected, one.read) for one in held.followed]
                extra = max(0, min(seed.limits.max_users, held.people) - len(people))
                seed.outlook = Outlook(
                    held.likes_count, held.reposts_count, people, True, held.pages_around, chosen=True, extra=extra
                )
    finally:
        connection.close()


def _ask(path: Path, wanted: Sequence[_Seed], conditions: Mapping[str, Any]) -> tuple[int, float, float]:
    """Ask about the seeds that the file cannot tell of; give requests sent, the pace in seconds, a reply's length."""
    unknown = [seed for seed in wanted if seed.outlook is None and not seed.complete]
    if not unknown:
        return 0, float(conditions["delay"]), 0.2
    return asyncio.run(_survey(path, unknown, conditions))


async def _survey(path: Path, unknown: Sequence[_Seed], conditions: Mapping[str, Any]) -> tuple[int, float, float]:
    from harvest.planning.known import read_before
    from harvest.planning.probe import survey
    from harvest.settings import read_settings
    from harvest.store.database import holds_something, open_to_read
    from harvest.system.clock import SystemClock
    from harvest.wiring import connect, keeper_for, state_folder

    settings = read_settings(os.environ)
    latencies = []
    file = open_to_read(path) if holds_something(path) else None
    try:
        async with connect(
            settings,
            clock=SystemClock(),
            delay=conditions["delay"],
            keeper=keeper_for(settings),
            pace_folder=state_folder(),
        ) as connection:
            for seed in unknown:
                limits = seed.limits
                found = await survey(
                    connection.client,
                    seed.url,
                    page_size=conditions["page_size"],
                    pages_held=seed.held.pages_around if seed.held else 0,
                    read_before=lambda users, limits=limits: read_before(file, users, limits) if file else set(),  # type: ignore[misc]
                )
                seed.title, seed.track_id, seed.outlook = found.track.title, found.track.id, found.outlook
                latencies.append(found.latency)
            gauge = connection.client.gauge()
            return gauge.sent, gauge.interval, max(latencies)
    finally:
        if file is not None:
            file.close()


def _budget_bites(made: Plan, chosen: Mapping[str, Any]) -> list[str]:
    """Say which bounds would end the crawl before it is done."""
    said = []
    for name, option, need in (
        ("max_requests", "--max-requests", made.requests),
        ("for_seconds", "--for", made.seconds),
    ):
        bound = chosen.get(name)
        if bound is not None and bound < need.high:
            said.append(
                f"{option} would end it after about {min(1.0, bound / max(need.likely, 1)):.0%}; what is read stays,"
                " and `harvest resume` goes on."
            )
    return said


def _as_json(path: Path, wanted: Sequence[_Seed], made: Plan, asked: int, conditions: Conditions) -> dict[str, object]:
    return {
        "path": str(path),
        "seeds": [_seed_as_json(seed) for seed in wanted],
        "asked": asked,
        "requests": made.requests.whole(),
        "beyond_depth_1": made.deep.whole(),
        "seconds": made.seconds.whole(),
        "interval_seconds": conditions.interval,
        "rows": {name.replace("likes and reposts", "user_engagements"): n.whole() for name, n in made.rows.items()},
        "bytes": made.size_bytes.whole(),
        "bites": made.bites,
    }


def _seed_as_json(seed: _Seed) -> dict[str, object]:
    from harvest.store.queries import public_seed

    held = seed.held
    return {
        "seed": public_seed(seed.url),
        "track_id": seed.track_id,
        "title": seed.title,
        "likes_count": seed.outlook.likes_count if seed.outlook else held and held.likes_count,
        "reposts_count": seed.outlook.reposts_count if seed.outlook else held and held.reposts_count,
        "complete": seed.complete,
        "in_the_file": held and {"state": held.state, "lists_read": held.lists_read, "lists_open": held.lists_open},
    }


def _lines(
    path: Path,
    wanted: Sequence[_Seed],
    made: Plan,
    asked: int,
    conditions: Conditions,
    chosen: Mapping[str, Any],
) -> list[str]:
    from harvest.store.queries import public_seed

    lines = [line for seed in wanted for line in _seed_lines(seed)]
    if all(seed.complete for seed in wanted):
        return [*lines, "", f"Nothing to do. Look at it with: harvest status --cache-path {path}"]
    lines += ["", *_table(made), "", _pace_line(conditions)]
    if made.deep.high:
        lines.append(f"Of the requests, {_interval(made.deep, _number)} lie beyond depth 1, which nobody has seen yet.")
    if made.bites:
        lines += ["", "What would cut it short:", *(f"  {bite}" for bite in made.bites)]
    seeds = " ".join(public_seed(seed.url) for seed in wanted)
    n = f"{asked} request{'' if asked == 1 else 's'}" if asked else "No request"
    return [
        *lines,
        "",
        f"{n} asked, nothing written. Start it with the same options: harvest {seeds} --cache-path {path}",
    ]


def _seed_lines(seed: _Seed) -> list[str]:
    from harvest.store.queries import public_seed
    from harvest.system.logs import printable

    told = seed.outlook or seed.held
    title = f"  “{printable(seed.title)}”" if seed.title else ""
    counts = (
        f"  {_count(told.likes_count)} likes, {_count(told.reposts_count)} reposts, as SoundCloud counts"
        if told
        else "  not asked"
    )
    lines = [f"{public_seed(seed.url)}{title}", counts]
    if seed.complete:
        lines.append("  in the file: all of it, under these options")
    elif seed.held:
        lines.append(
            f"  in the file: {seed.held.lists_read:,} lists read, {seed.held.lists_open:,} to go; below is what remains"
        )
    return lines


def _table(made: Plan) -> list[str]:
    from harvest.cli.output.summary import duration

    rows = [("", "likely", "nine times in ten")]
    rows.append(("requests", _number(made.requests.likely), _interval(made.requests, _number)))
    rows.append(("time", duration(made.seconds.likely), _interval(made.seconds, duration)))
    rows += [(name, _number(n.likely), _interval(n, _number)) for name, n in made.rows.items()]
    rows.append(("disk", _size(made.size_bytes.likely), _interval(made.size_bytes, _size)))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return [f"  {row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]}".rstrip() for row in rows]


def _pace_line(conditions: Conditions) -> str:
    if conditions.interval:
        return (
            f"At {1 / conditions.interval:.3g} requests a second, as now; waits that the service asks for come on top."
        )
    return "As fast as the service answers (--delay 0); waits that it asks for come on top."


def _interval(number: Range, shown: Any) -> str:
    return f"{shown(number.low)} to {shown(number.high)}"


def _number(n: float) -> str:
    return f"{round(n):,}" if n < 10_000 else f"{round(n, -2):,.0f}"


def _size(n: float) -> str:
    return f"{n / 1e6:,.1f} MB" if n < 1e9 else f"{n / 1e9:,.1f} GB"


def _count(n: int | None) -> str:
    return "?" if n is None else f"{n:,}"
