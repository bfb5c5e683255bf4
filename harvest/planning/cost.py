"""What a crawl would cost: requests, time, rows, disk, each as an interval that should hold nine times in ten. Pure.

The crawl is walked through in numbers many times (`walk.py`), each time with other guesses at what cannot be known
before; nine in ten of these walks end inside the intervals. Every walk comes out the same for the same replies.

In: what replies or the file say, and the limits. Out: a Plan. Never: a request, a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harvest.models import Limits
from harvest.planning.bites import Bites
from harvest.planning.ground import Ground, known_of
from harvest.planning.guess import Guess
from harvest.planning.outlook import Outlook
from harvest.planning.ranges import Range, nine_in_ten
from harvest.planning.samples import ends
from harvest.planning.walk import ROWS, Tally, Walk

_WALKS = 64
_AGAIN = 0.02  # share of requests that are one page more or have to be repeated, at most, while the service is well
_TOKEN_SECONDS = 3540
# Our own CPU, for a request, an entry, the start of a crawl and a new track: docs/performance.md, line c, on the
# computer that it was measured on.
_REQUEST_SECONDS, _ENTRY_SECONDS, _START_SECONDS, _TRACK_SECONDS = 0.005, 0.00004, 0.12, 0.0001
_BUSY = (0.75, 1.7)  # times as much, as pages differ
_LIKE_THE_OTHER = 0.5  # computers differ less in what a crawl does than in the work that tells how fast they are
_TRACK_BYTES = (440, 900)  # descriptions written by people are longer than the simulator's
_EDGE_BYTES, _USER_BYTES, _LIST_BYTES, _EMPTY_BYTES = 56, 280, 500, 600_000
# Of a reply that is kept, packed: an entry, from a person to a track with a long description; and what is noted of it.
_REPLY_ENTRY_BYTES, _REPLY_BYTES = (60, 220), 800


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast we may ask, and how much a page holds."""

    interval: float = 0.5  # seconds between two requests; 0: as fast as this computer and the service
    latency: float = 0.2
    max_in_flight: int = 32
    page_size: int = 200
    slowness: float = 1.0  # of this computer (computer.py)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a crawl would cost, and which of its caps would bite."""

    requests: Range
    seconds: Range
    rows: dict[str, Range]
    size_bytes: Range
    bites: list[str] = field(default_factory=list)
    deep: Range = field(default_factory=Range)  # the part of the requests that lies beyond depth 1


@dataclass(frozen=True, slots=True)
class _Cost:
    """What one walk through all harvests comes to."""

    requests: float
    seconds: float
    size_bytes: float
    deep: float
    rows: dict[str, float]


def estimate(harvests: Sequence[tuple[Outlook, Limits]], speed: Speed, *, keeps_replies: bool = False) -> Plan:
    """Estimate what it takes to crawl these harvests, each under its limits; what they share is not taken off.

    Where it `keeps_replies`, these count in what it takes on the disk.
    """
    if not harvests:
        return Plan(Range(), Range(), dict.fromkeys(ROWS, Range()), Range())
    grounds = [[Ground(*end, speed.page_size) for end in ends(outlook, limits)] for outlook, limits in harvests]
    costs, tallies = [], []
    for number in range(_WALKS):
        guess = Guess(number)
        tallies.append([Walk(ground[number % len(ground)], guess).go() for ground in grounds])
        costs.append(_cost(tallies[-1], speed, guess, keeps_replies=keeps_replies))
    return Plan(
        nine_in_ten([cost.requests for cost in costs]),
        nine_in_ten([cost.seconds for cost in costs]),
        {name: nine_in_ten([cost.rows[name] for cost in costs]) for name in ROWS},
        nine_in_ten([cost.size_bytes for cost in costs]),
        [bite for place, ground in enumerate(grounds) for bite in _bites(ground[-1], [one[place] for one in tallies])],
        nine_in_ten([cost.deep for cost in costs]),
    )


def _cost(tallies: Sequence[Tally], speed: Speed, guess: Guess, *, keeps_replies: bool) -> _Cost:
    """Put together what one walk through each harvest took."""
    rows = {name: sum(tally.rows[name] for tally in tallies) for name in ROWS}
    asked = sum(tally.requests for tally in tallies) * (1 + guess.chance.uniform(0, _AGAIN))
    busy = (
        sum(tally.entries for tally in tallies) * _ENTRY_SECONDS
        + asked * _REQUEST_SECONDS
        + rows["tracks"] * _TRACK_SECONDS
        + (_START_SECONDS if asked else 0)
    )
    seconds = _seconds(asked, busy * speed.slowness**_LIKE_THE_OTHER * guess.chance.uniform(*_BUSY), speed)
    requests = asked + (1 + seconds // _TOKEN_SECONDS if asked else 0)
    size_bytes = (
        rows["tracks"] * guess.chance.uniform(*_TRACK_BYTES)
        + rows["likes and reposts"] * _EDGE_BYTES
        + rows["users"] * _USER_BYTES
        + requests * _LIST_BYTES
        + _EMPTY_BYTES
    )
    if keeps_replies:
        entries = sum(tally.entries for tally in tallies)
        size_bytes += entries * guess.chance.uniform(*_REPLY_ENTRY_BYTES) + requests * _REPLY_BYTES
    return _Cost(requests, seconds, size_bytes, sum(tally.deep for tally in tallies), rows)


def _seconds(requests: float, busy: float, speed: Speed) -> float:
    """Say how long so many requests take that keep us busy so long, if the service never says stop."""
    each = speed.interval if speed.interval > 0 else speed.latency / max(1, speed.max_in_flight)
    return max(requests * each, busy) + (speed.latency if requests else 0)


def _bites(ground: Ground, tallies: Sequence[Tally]) -> list[str]:
    """Say which caps would cut something off."""
    bites = Bites(ground.limits)
    seeds = {thing: group.visits for thing, group in ground.outlook.rounds[0].items()}
    bites.of_seeds(seeds, ground.recipe)
    for ways in zip(*(tally.led for tally in tallies), strict=True):
        named, chosen = nine_in_ten([way.named for way in ways]), nine_in_ten([way.chosen for way in ways])
        bites.of_lead(ways[0].lead, named, chosen)
    bites.of_people(known_of(ground.outlook, "user"), ground.recipe)
    return bites.said
