"""Plan a crawl: what the file knows of its seeds, else what a few requests tell, and what that comes to.

In: what is to be crawled. Out: a plan with what it rests on. Never: a row, or a word to the user.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harvest.api.searches import SCHEME
from harvest.api.seed_urls import public_address
from harvest.auth.token_store import MemoryKeeper
from harvest.crawler.bounds import Bounds
from harvest.crawler.request import CrawlRequest
from harvest.errors import StorageFailed
from harvest.models import Limits
from harvest.planning.computer import slowness
from harvest.planning.cost import Plan, Speed, estimate
from harvest.planning.known import HarvestStanding, Known, KnownSeed, is_enough, look_into
from harvest.planning.outlook import Outlook, outlook_of
from harvest.planning.saved import digest, to_save
from harvest.planning.survey import Surveyed, survey
from harvest.settings import Settings, state_folder
from harvest.store.samples import Judged, in_short
from harvest.system.clock import SystemClock, as_text
from harvest.system.files import beside
from harvest.things import of_urn
from harvest.wiring import connect, keeper_for

_SEEDS_LOOKED_AROUND = 2
_SEEDS_ASKED = 20  # of one harvest; the others are taken to be like them


@dataclass(slots=True)
class Wanted:
    """One harvest with what is known of it."""

    addresses: tuple[str, ...]
    limits: Limits
    standing: HarvestStanding | None = None
    complete: bool = False
    seeds: dict[str, KnownSeed | Surveyed] = field(default_factory=dict)
    outlook: Outlook | None = None
    judged: list[Judged] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Planned:
    """What a crawl would cost, what was known of its seeds, and how many requests it took to find that out."""

    path: Path
    harvests: tuple[Wanted, ...]
    plan: Plan
    requests: int
    speed: Speed

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        made = self.plan
        return {
            "path": str(self.path),
            "seeds": [_seed_as_json(address, one) for one in self.harvests for address in one.addresses],
            "asked": self.requests,
            "requests": made.requests.whole(),
            "beyond_depth_1": made.deep.whole(),
            "seconds": made.seconds.whole(),
            "interval_seconds": self.speed.interval,
            "rows": {name.replace("likes and reposts", "user_engagements"): n.whole() for name, n in made.rows.items()},
            "bytes": made.size_bytes.whole(),
            "bites": made.bites,
        }


async def plan(
    request: CrawlRequest,
    own_settings: Callable[[], Settings],
    *,
    settings: Settings | None = None,
    is_over: Callable[[], int] | None = None,
) -> Planned:
    """Plan a crawl. Seeds of which the file does not tell enough are asked about, with our own settings, or with
    `settings`, which belong to no user: no token of theirs is kept, and no pace shared. Raises HarvestError, OutOfTime
    once `is_over` says so while the file is read.
    """
    wanted = [Wanted(*harvest) for harvest in request.harvests]
    with look_into(request.path, is_over) as file:
        if file is not None:
            for one in wanted:
                _look_up(file, one, profiles=request.conditions.profiles)
        requests, speed = await _ask(request, wanted, file, own_settings, settings)
    outlooks = [(one.outlook, one.limits) for one in wanted if one.outlook is not None]
    made = estimate(outlooks, speed, keeps_replies=request.conditions.keep_replies)
    made.bites.extend(_budget_bites(made, request.budget))
    return Planned(request.path, tuple(wanted), made, requests, speed)


def save(planned: Planned, request: CrawlRequest, path: Path) -> str:
    """Write a plan into a file that can be registered, whole or not at all; give its hash. Raises StorageFailed."""
    content = to_save(request, planned.as_json(), as_text(SystemClock().now()))
    try:
        with beside(path) as part:
            part.write_bytes(content)
            part.replace(path)
    except OSError as error:
        raise StorageFailed(f"The plan cannot be written to {path}: {error.strerror}.") from error
    return digest(content)


def _look_up(file: Known, wanted: Wanted, *, profiles: str) -> None:
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


async def _ask(
    request: CrawlRequest,
    wanted: Sequence[Wanted],
    file: Known | None,
    own_settings: Callable[[], Settings],
    given: Settings | None,
) -> tuple[int, Speed]:
    """Ask about the seeds of which the file does not tell enough; give how many requests that took, and how fast."""
    conditions = request.conditions
    unknown = [one for one in wanted if one.outlook is None and not one.complete]
    sent, interval, latency = 0, conditions.delay, 0.2
    if unknown:
        settings = given or own_settings()
        async with connect(
            settings,
            clock=SystemClock(),
            delay=conditions.delay,
            keeper=MemoryKeeper() if given else keeper_for(settings),
            pace_folder=None if given else state_folder(),
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
    return sent, Speed(interval, latency, conditions.max_in_flight, conditions.page_size, slowness())


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


def _seed_as_json(address: str, wanted: Wanted) -> dict[str, object]:
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
