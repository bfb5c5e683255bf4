"""Say, after a harvest of its seeds alone, how to go on from them and what that would cost. Asks nothing.

In: what was harvested. Out: lines. Never: a request; what the file holds tells, and where that is too little no figure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from harvest.api.seed_urls import public_address
from harvest.cli.output.formatting import about, quoted
from harvest.crawler.request import CrawlRequest
from harvest.models import Limits
from harvest.planning.cost import Speed, estimate
from harvest.planning.known import Known, look_into
from harvest.rules import depth_of, leads_of

_MOST_SEEDS = 50  # of more, the way on is named without what it costs
# What people lead to, in words, and the option that says so; the first way is the usual one.
_FROM_PEOPLE = (("around what they like", "likes"), ("around their own tracks", "uploads"))


def onward(request: CrawlRequest) -> list[str]:
    """Give a line for each way on; none where a harvest went further than its seeds, or where several were crawled."""
    if len(request.harvests) != 1 or len(request.harvests[0][0]) > _MOST_SEEDS:
        return []
    addresses, limits = request.harvests[0]
    with look_into(request.path) as file:
        seeds = [file.seed(address) for address in addresses] if file else []
        things = {seed.thing for seed in seeds if seed}
        if file is None or None in seeds or any(depth_of(thing, limits) > 0 for thing in things):
            return []
        return list(_lines(file, request, addresses, limits, things))


def _lines(
    file: Known, request: CrawlRequest, addresses: Sequence[str], limits: Limits, things: set[str]
) -> Iterator[str]:
    for words, further, option in _ways(limits, things):
        if not any(lead.to != "playlist" for thing in things for lead, _ in leads_of(thing, further)):
            continue
        conditions = request.conditions
        made = estimate(
            [(file.outlook(addresses, further), further)],
            Speed(conditions.delay, max_in_flight=conditions.max_in_flight, page_size=conditions.page_size),
        )
        if round(made.requests.high):
            most = float(f"{made.requests.high:.2g}")  # what lists have in common makes it less, and is not known yet
            cost = f"up to some {most:,.0f} requests, {about(made.seconds.high)}; `harvest plan` knows better"
            yield f"Go on {words} ({cost}): {_command(addresses, option, request.path)}"


def _ways(limits: Limits, things: set[str]) -> Iterator[tuple[str, Limits, str]]:
    """Give each way on in words, with the limits it means and its options."""
    if "user" not in things:
        words = "to those who like it" if things == {"track"} else "around them"
        yield words, replace(limits, depth=1), "--depth 1"
        return
    for words, via in _FROM_PEOPLE:
        usual = via in limits.via
        read = limits.read if via in limits.read else (*limits.read, via)
        further = replace(limits, depth=1, via=limits.via if usual else (via,), read=read)
        yield words, further, "--depth 1" if usual else f"--depth 1 --via {via}"


def _command(addresses: Sequence[str], option: str, path: Path) -> str:
    if len(addresses) > 1 or public_address(addresses[0]) != addresses[0]:
        return f"the same command with {option}"
    return f"harvest {quoted(addresses[0])} {option} --cache-path {quoted(path)}"
