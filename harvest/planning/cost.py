"""What a crawl would cost: requests, time, rows, disk, each as an interval that should hold nine times in ten. Pure.

It goes round by round as the crawl does (harvest/rules.py), with numbers in place of things.

Rule 1. Whoever is seen on a page says themselves how long their lists are, so their pages are counted, not guessed.
Rule 2. Who is not seen yet is taken to be like those who are, give or take the spread among them and a little more.
Rule 3. A profile counts playlists and hidden tracks as likes too, so a person's list is a little shorter than claimed.
Rule 4. How much of what several lists name is the same is not known before they are read: anything from none to all.
Rule 5. Where nothing has been seen, the interval is wide, and says so.

In: what replies or the file say, and the limits. Out: a Plan. Never: a request, a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from math import ceil, sqrt

from harvest.lists import KINDS, ListKind
from harvest.models import Limits
from harvest.planning.bites import Bites
from harvest.planning.outlook import UNKNOWN, Listed, Outlook, Visit
from harvest.planning.ranges import Range, Seen, exactly, like_those, seen, total, united
from harvest.rules import RULES, Lead, RecipeLine, leads_of, recipe
from harvest.things import THINGS

_CLAIMED = (0.9, 1.0, 1.01)  # of what the service claims, so much is listed: at least, likely, at most
_CLAIMED_BY_PEOPLE = (0.9, 0.97, 1.0)  # of what a profile counts as likes, so much is tracks that can be listed
_GOES_ON = 0.03  # share of lists that take a page more than they should
_HICCUPS = 0.02  # share of requests that have to be repeated, at most, while the service is well
_TOKEN_SECONDS = 3540
_LOOK_UP = 2  # requests that tell what an address leads to
_DIFFERENT = (0.68, 0.93, 1.0)  # of n tracks named by many, n to this power are different ones
_UPLOADERS = (0.0, 0.3, 0.8)  # of the tracks, so many are by people not seen elsewhere
_SHARED = 0.9  # of the people around several tracks, so many are around one of them only, likely
_TRACK_BYTES = (440, 480, 900)  # descriptions written by people are longer than the simulator's
_EDGE_BYTES, _USER_BYTES, _LIST_BYTES = 56, 280, 500
# The list that is named first where a thing leads on, by those that are named after it: they are rarely longer.
_FIRST = {
    kind: lead.of[0] for rule in RULES.values() for lead in rule.leads if not lead.in_common for kind in lead.of[1:]
}


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast we may ask, and how much a page holds."""

    interval: float = 0.5  # seconds between two requests; 0: as fast as the service answers
    latency: float = 0.2
    max_in_flight: int = 32
    page_size: int = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """What a crawl would cost, and which of its caps would bite."""

    requests: Range
    seconds: Range
    rows: dict[str, Range]
    size_bytes: Range
    bites: list[str] = field(default_factory=list)
    deep: Range = field(default_factory=Range)  # the part of the requests that lies beyond depth 1


def estimate(harvests: Sequence[tuple[Outlook, Limits]], speed: Speed) -> Plan:
    """Estimate what it takes to crawl these harvests, each under its limits; what they share is not taken off."""
    walks = [_Walk(outlook, limits, speed.page_size) for outlook, limits in harvests]
    for walk in walks:
        walk.go()
    requests = total(walk.requests for walk in walks)
    deep = total(walk.deep for walk in walks)
    seconds = _seconds(requests, speed)
    tokens = Range(0, 1 + seconds.likely // _TOKEN_SECONDS, 2 + seconds.high // _TOKEN_SECONDS)
    requests = requests.times(1, 1, 1 + _HICCUPS) + (tokens if requests.high else Range())
    rows = {name: total(walk.rows()[name] for walk in walks) for name in ("users", "tracks", "likes and reposts")}
    bites = [bite for walk in walks for bite in walk.bites.said]
    return Plan(requests, _seconds(requests, speed), rows, _bytes(rows, requests), bites, deep)


@dataclass(frozen=True, slots=True)
class _Visits:
    """Visits of one round to one kind of thing: how many, and which of them are known."""

    n: Range
    known: Sequence[Visit] = ()
    depth: int = 0

    @property
    def unseen(self) -> Range:
        return self.n.without(len(self.known))


class _Walk:
    """The rounds of one harvest, walked through in numbers."""

    def __init__(self, outlook: Outlook, limits: Limits, page_size: int) -> None:
        self._outlook, self._limits, self._size = outlook, limits, page_size
        self._recipe = recipe(limits)
        self._seen = _everybody(outlook)
        self._judged: dict[tuple[object, ...], Seen] = {}
        self._chosen: dict[str, Range] = {}
        self.requests = exactly(_LOOK_UP * outlook.look_ups)
        self.deep = Range()
        self.items: dict[str, Range] = {}
        self.bites = Bites(limits)

    def go(self) -> None:
        """Add up round by round until nothing leads on."""
        seeds = self._outlook.rounds[0]
        going = {t: _Visits(exactly(group.n), group.visits, group.depth) for t, group in seeds.items()}
        for number in count():
            for thing, visits in going.items():
                self._read(number, thing, visits)
            if number == 0:
                self.bites.of_seeds({t: group.visits for t, group in seeds.items()}, self._recipe)
            going = self._next(number, going)
            if not going:
                self.bites.of_people(self._seen.get("user", ()), self._recipe)
                return

    def rows(self) -> dict[str, Range]:
        """Say how many rows come with what is read."""
        engagements, tracks = [], []
        for name, items in self.items.items():
            edge = KINDS[name].edge
            if edge is not None and edge.engagement_type and edge.table == "user_engagements":
                engagements.append(self._once(KINDS[name], items))
            if KINDS[name].item == "track":
                tracks.append(items)
        people = united([items for name, items in self.items.items() if KINDS[name].item in ("user", "comment")])
        named = total(tracks)
        different = Range(*(n**power if n > 1 else n for n, power in zip(named, _DIFFERENT, strict=True)))
        return {
            "users": people + different.times(*_UPLOADERS),
            "tracks": different,
            "likes and reposts": total(engagements),
        }

    def _once(self, kind: ListKind, items: Range) -> Range:
        """Take off what stands in two lists: whoever is visited has what they are listed for in their own list too."""
        if kind.subject != "track" or not any(
            line.kind.edge and kind.edge and line.kind.subject == "user" and not line.seeds_only
            and line.kind.edge.engagement_type == kind.edge.engagement_type
            for line in self._recipe
        ):  # fmt: skip
            return items
        again = min(items.likely, self._chosen.get("user", Range()).likely)
        return Range(max(0.0, items.low - again), items.likely - again / 2, items.high)

    def _read(self, number: int, thing: str, visits: _Visits) -> None:
        """Add what the lists of these visits take."""
        for line in self._recipe:
            if line.kind.subject != thing or (line.seeds_only and number):
                continue
            entries = line.cap / (1 - min(self._outlook.skipped, 0.5))
            most = ceil(entries / self._size)
            in_pages, in_items = partial(self._pages, line=line, entries=entries), partial(_left, line=line)
            pages = self._over(visits, thing, line, (1, most), in_pages, "pages")
            if number:
                unread = sum(not visit.get(line.kind.name, UNKNOWN).read for visit in visits.known)
                pages = pages + Range(0, 0, ceil(_GOES_ON * unread))
            items = self._over(visits, thing, line, (0, line.cap), in_items, "items")
            self.requests = self.requests + pages
            self.items[line.kind.name] = self.items.get(line.kind.name, Range()) + items
            if visits.depth + (thing == "track") > 1:
                self.deep = self.deep + pages

    def _pages(self, visit: Visit, line: RecipeLine, entries: float) -> Range:
        listed = visit.get(line.kind.name, UNKNOWN)
        if listed.read:
            return Range()
        left = _size(visit, line.kind, entries).without(listed.collected)
        return left.each(lambda n: max(1, ceil(n / self._size)))

    def _over(
        self,
        visits: _Visits,
        thing: str,
        line: RecipeLine,
        bounds: tuple[float, float],
        of: Callable[[Visit], Range],
        *what: object,
    ) -> Range:
        """Sum something over visits: the known ones as they are, the others as those that say how long the list is.

        `what` tells apart what is summed: everybody seen is judged by it once, however many rounds there are.
        """
        key = (thing, line.kind.name, *what)
        if key not in self._judged:
            sure = [of(v).likely for v in self._seen.get(thing, ()) if _says(v.get(line.kind.name, UNKNOWN))]
            self._judged[key] = seen(sure)
        return total(map(of, visits.known)) + like_those(self._judged[key], visits.unseen, bounds)

    def _next(self, number: int, going: Mapping[str, _Visits]) -> dict[str, _Visits]:
        """Give the visits of the round after this one."""
        following: dict[str, _Visits] = {}
        for thing, visits in going.items():
            for lead, lists in leads_of(thing, self._limits, visits.depth) if visits.n.high else ():
                lines = [line for line in self._recipe if line.kind in lists and not (line.seeds_only and number)]
                if lines:
                    led = self._led_to(number, visits, lead, lines)
                    before = following.get(lead.to)
                    following[lead.to] = led if before is None else _joined(before, led)
        place = number + 1
        if place < len(self._outlook.rounds):
            exact = self._outlook.rounds[place]
            following = {t: _Visits(exactly(g.n), g.visits, g.depth) for t, g in exact.items()}
        for thing, visits in following.items():
            self._chosen[thing] = self._chosen.get(thing, Range()) + visits.n
        return {thing: visits for thing, visits in following.items() if visits.n.high}

    def _led_to(self, number: int, visits: _Visits, lead: Lead, lines: Sequence[RecipeLine]) -> _Visits:
        """Say whom or what these visits lead to."""
        most = float(getattr(self._limits, lead.most))
        thing = lines[0].kind.subject
        depth = visits.depth + THINGS[lead.to].steps
        if lead.in_all:
            most = max(0.0, most - self._chosen.get(lead.to, Range()).likely)
        longest = max(line.cap for line in lines)
        alone = visits.n.high <= 1
        names = tuple(line.kind.name for line in lines)

        def named(visit: Visit) -> Range:
            return united([_size(visit, line.kind, line.cap) for line in lines])

        def chosen(visit: Visit) -> Range:
            return named(visit).at_most(most)

        if lead.in_common:
            whole = self._over(visits, thing, lines[0], (0, longest), named, names)
            if not alone:
                whole = Range(*(n**power if n > 1 else n for n, power in zip(whole, _DIFFERENT, strict=True)))
            n = whole.at_most(most)
        else:
            whole = self._over(visits, thing, lines[0], (0, longest * len(lines)), named, names)
            n = self._over(visits, thing, lines[0], (0, min(most, longest * len(lines))), chosen, names, most)
            if not alone:  # those around several are counted once
                largest = max((chosen(visit).low for visit in visits.known), default=0.0)
                n = Range(min(n.low, largest), n.likely * _SHARED, n.high)
        if number == 0:
            self.bites.of_lead(lead, whole, n)
        return self._seen_of(number, lead, whole, replace(visits, n=n, known=(), depth=depth), most)

    def _seen_of(self, number: int, lead: Lead, whole: Range, led: _Visits, most: float) -> _Visits:
        """Say which of those led to are known: the first ones of a list, where it is read in its order or not cut."""
        place = number + 1 - len(self._outlook.rounds)
        if not 0 <= place < len(self._outlook.ahead):
            return led
        cut = whole.high > most
        if cut and (lead.in_common or self._limits.order != "newest" or lead.to != "user"):
            return led  # those seen are the newest, and not those who will be chosen
        return replace(led, known=self._outlook.ahead[place].get(lead.to, ())[: int(led.n.low)])


def _says(listed: Listed) -> bool:
    return listed.claim is not None or listed.read


def _everybody(outlook: Outlook) -> dict[str, list[Visit]]:
    """Give all visits that were seen, by kind of thing: those that others are taken to be like."""
    seen: dict[str, list[Visit]] = {}
    for level in (*({t: g.visits for t, g in r.items()} for r in outlook.rounds), *outlook.ahead):
        for thing, visits in level.items():
            seen.setdefault(thing, []).extend(visits)
    return seen


def _joined(one: _Visits, other: _Visits) -> _Visits:
    return _Visits(one.n + other.n, [*one.known, *other.known], min(one.depth, other.depth))


def _size(visit: Visit, kind: ListKind, cap: float) -> Range:
    """Say how many entries of a list there are to be read, up to a cap."""
    listed = visit.get(kind.name, UNKNOWN)
    if listed.read:
        return exactly(min(listed.collected, cap))
    least = max(listed.least, listed.collected)
    if listed.claim is None:
        first = _FIRST.get(kind.name)
        most = max(1.0, least, _size(visit, KINDS[first], cap).high if first and first in visit else cap)
        return Range(least, sqrt(max(least, 1) * most), most).at_most(cap)
    if listed.counted:
        return exactly(listed.claim).at_most(cap)
    if kind.subject == "user":
        return Range(*(listed.claim * share for share in _CLAIMED_BY_PEOPLE)).each(lambda n: max(n, least)).at_most(cap)
    low, likely, high = (listed.claim * share for share in _CLAIMED)
    return Range(low - 2, likely, high + 1).each(lambda n: max(n, least)).at_most(cap)


def _left(visit: Visit, line: RecipeLine) -> Range:
    listed = visit.get(line.kind.name, UNKNOWN)
    return Range() if listed.read else _size(visit, line.kind, line.cap).without(listed.collected)


def _seconds(requests: Range, speed: Speed) -> Range:
    """Say how long so many requests take, if the service never says stop."""
    if speed.interval > 0:
        return requests.times(speed.interval) + exactly(speed.latency if requests.high else 0)
    each = speed.latency / max(1, speed.max_in_flight)
    return requests.times(each / 2, each, min(each * 4, speed.latency))


def _bytes(rows: dict[str, Range], requests: Range) -> Range:
    return (
        rows["tracks"].times(*_TRACK_BYTES)
        + rows["likes and reposts"].times(_EDGE_BYTES)
        + rows["users"].times(_USER_BYTES)
        + requests.times(_LIST_BYTES)
        + exactly(200_000)
    )
