"""Walk through the rounds of a harvest in numbers, as it may go. Pure.

It goes round by round as the crawl does (harvest/rules.py). What is known is counted; what is not is guessed once for
each walk, so that many walks show how far it may go either way.

Rule 1. A person seen on a page comes with the lengths of their lists, so their pages are counted, not guessed.
Rule 2. People not seen yet are taken to be like those who are, give or take the spread among them and a little more.
Rule 3. A profile counts playlists and hidden tracks as likes too, so a person's list is a little shorter than claimed.
Rule 4. How much lists have in common is told by excerpts of some of them (`evidence.py`).
Rule 5. Where nothing has been seen, guesses lie far apart, and so the interval is wide.

In: an outlook, limits, guesses. Out: what one walk takes. Never: a request, a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, exp
from typing import NamedTuple

from harvest.lists import KINDS, ListKind
from harvest.planning.evidence import Artists, Sighting, inverse_of, named_by
from harvest.planning.ground import MOST_LISTS, Ground, Pool
from harvest.planning.guess import Guess
from harvest.planning.lengths import Like, at_level
from harvest.planning.outlook import Outlook, Visit
from harvest.planning.weights import by_turn, by_votes
from harvest.rules import Lead, RecipeLine, leads_of
from harvest.things import THINGS

ROWS = "users", "tracks", "likes and reposts"
# Requests that tell what an address leads to; of `me` one, and one is for the list that only we ourselves have.
_LOOK_UP = 2
_FARTHEST = 8  # rounds that are walked through
_OF_STEPS = 200  # where each round takes steps, and so is as small as the one before
_NEAR, _FARTHER = 0.05, 0.12  # who is not seen differs from who is by about so much, around the seeds and farther off
_OFF = 0.1  # how far what is told of overlaps may be off
_OVERLAP = 3.0  # lists have so many times as much in common as entries by themselves, where nothing tells how much


class Led(NamedTuple):
    """How many things a way on from the seeds names, and to how many of them it leads."""

    lead: Lead
    named: float
    chosen: float


@dataclass(slots=True)
class Tally:
    """What a walk took, and where it led from the seeds."""

    requests: float = 0.0
    deep: float = 0.0
    entries: float = 0.0
    rows: dict[str, float] = field(default_factory=dict)
    led: list[Led] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Group:
    """Visits of one round to one kind of thing: how many, the first of them, and what the others are like."""

    n: float
    known: Sequence[Visit] = ()
    depth: int = 0
    like: Pool = field(default_factory=lambda: Pool(()))
    weights: Sequence[float] | None = None


class Walk:
    """One walk."""

    def __init__(self, ground: Ground, guess: Guess) -> None:
        self._ground, self._guess = ground, guess
        self._limits, self._outlook = ground.limits, ground.outlook
        self._commons = ground.commons(guess)
        self._shared = guess.chance.betavariate(*ground.shared)
        self._off = exp(guess.chance.gauss(0, _OFF))
        self._entries: dict[str, float] = {}  # of all lists that name things of a kind, those in the file included
        self._held: dict[str, float] = {}  # of those in the file alone
        self._longest: dict[str, float] = {}  # entries of the longest list that names them, of like lists on average
        self._all: dict[str, float] = {}  # that things to visit were chosen from
        self._aim: dict[str, float] = {}  # that were chosen, by one list or several
        self._visited: dict[str, float] = {}
        self._items: dict[str, float] = {}
        self._listed, self._followed = 0.0, 0.0  # people named by tracks, and those of them that each leads to
        self.tally = Tally(requests=float(_look_ups(ground.outlook, guess)))

    def go(self) -> Tally:
        """Add up round by round until nothing leads on."""
        going = {
            thing: _Group(
                group.n, group.visits, group.depth, Pool([Sighting(visit) for visit in group.visits[:MOST_LISTS]])
            )
            for thing, group in self._outlook.rounds[0].items()
        }
        for number in range(_OF_STEPS if self._limits.order == "walk" else _FARTHEST):
            before = self.tally.requests
            for thing, group in going.items():
                self._visited[thing] = self._visited.get(thing, 0.0) + group.n
                self._read(number, thing, group)
            depth = min((group.depth for group in going.values()), default=0)
            going = self._next(number, going)
            if not going:
                break
        else:  # those after it are like it
            self.tally.requests += max(0, (self._limits.depth or 0) - depth) * (self.tally.requests - before)
        self.tally.rows = self._rows()
        return self.tally

    def _read(self, number: int, thing: str, group: _Group) -> None:
        """Add what the lists of these visits take."""
        like = Like(self._guess.chance, _FARTHER if number > 1 else _NEAR)
        for line in self._ground.recipe:
            if line.kind.subject != thing or (line.seeds_only and number):
                continue
            pages, items, held = self._over(group, line, like)
            self.tally.requests += pages
            self.tally.entries += items
            self.tally.deep += pages if group.depth + (thing == "track") > 1 else 0
            self._items[line.kind.name] = self._items.get(line.kind.name, 0.0) + items
            thing_named = named_by(line.kind)
            self._note(self._entries, thing_named, items + held, group.n)
            self._note(self._held, thing_named, held, group.n)
            each = (items + held) / max(group.n, 1.0)
            self._longest[thing_named] = max(self._longest.get(thing_named, 0.0), each)

    def _over(self, group: _Group, line: RecipeLine, like: Like) -> tuple[float, float, float]:
        """Give pages and entries of one kind of list of all these visits, and the entries that are held."""
        guess, ground = self._guess, self._ground
        n = min(len(group.known), round(group.n))
        level = guess.level[line.kind.subject]
        pages, items, held = ground.lengths(group.known, line).of_first(n, level, guess.unknown)
        others = group.n - n
        if others > 0:
            told = ground.lengths(group.like.visits, line).told
            weights = None if group.weights is None else [group.weights[place] for place in told]
            bounds = 1.0, float(ceil(line.cap / ground.size))
            pages += like.sum_of([one[0] for one in told.values()], others, bounds, weights)
            items += like.sum_of([one[1] for one in told.values()], others, (0, line.cap), weights)
        if line.kind.subject == "user" and self._limits.depth != 0:
            items *= 1 - guess.gone
        return pages, items, held

    def _note(self, entries: dict[str, float], thing: str, items: float, lists: float) -> None:
        """Add the entries of so many lists, each of which names nothing twice."""
        entries[thing] = entries.get(thing, 0.0) + self._drawn(thing, items, lists)

    def _drawn(self, thing: str, items: float, lists: float) -> float:
        commons = self._commons.get(thing)
        n = max(lists, 1.0)
        return items if commons is None else n * commons.entries_for(items / n)

    def _different(self, thing: str, entries: float) -> float:
        """Say how many different things so many entries name."""
        commons = self._commons.get(thing)
        if commons is not None:
            return commons.different(entries)
        return entries**self._guess.power if entries > 1 else entries

    def _in_all(self, thing: str, entries: float) -> float:
        """Say how many different things so many entries of several lists name: no list names one twice."""
        longest = min(self._longest.get(thing, 0.0), entries)
        if self._commons.get(thing) is not None or longest < 1:
            return min(max(self._different(thing, entries) * self._off, longest), entries)
        return float(longest * (entries / longest) ** (1 - _OVERLAP * (1 - self._guess.power)))

    def _next(self, number: int, going: Mapping[str, _Group]) -> dict[str, _Group]:
        """Give the visits of the round after this one."""
        following: dict[str, _Group] = {}
        for thing, group in going.items():
            for lead, lists in leads_of(thing, self._limits, group.depth) if group.n else ():
                lines = [
                    line for line in self._ground.recipe if line.kind in lists and not (line.seeds_only and number)
                ]
                if lines:
                    led = self._led_to(number, group, lead, lines)
                    before = following.get(lead.to)
                    following[lead.to] = led if before is None else replace(led, n=led.n + before.n)
        place = number + 1
        if place < len(self._outlook.rounds):
            exact = self._outlook.rounds[place]
            following = {t: _Group(g.n, g.visits, g.depth) for t, g in exact.items()}
        return {thing: group for thing, group in following.items() if group.n > 0}

    def _led_to(self, number: int, group: _Group, lead: Lead, lines: Sequence[RecipeLine]) -> _Group:
        """Say which people or things these visits lead to."""
        most = float(getattr(self._limits, lead.most))
        if number == 0 and lines[0].kind.subject == "track" and lead.to == "user":
            most += self._limits.controls
        if lead.in_all:
            most = max(0.0, most - self._visited.get(lead.to, 0.0))
        alone = group.n <= 1
        named, chosen = self._named(group, lines, most)
        weights: Sequence[float] | None = None
        pool, commons = self._ground.pool(lead.to, number + 1), self._commons.get(lead.to)
        if lead.step:
            walkers = min(group.n * (1 - self._guess.gone), named)
            there = n = walkers if commons is None else min(walkers, commons.different(walkers))
        elif lead.in_common:
            there = (
                named
                if alone
                else self._different(lead.to, self._entries.get(lead.to, 0.0)) - self._visited.get(lead.to, 0)
            )
            n = min(max(there, 0.0), most)
            if not alone and commons is not None and pool.sightings:
                weights = by_votes(pool.sightings, commons, self._entries.get(lead.to, 0.0), n)
        else:
            n = self._each(lead.to, named, chosen, group.n)
            n = n if lead.to == "user" else min(n, most)
            there = named
            self._listed, self._followed = self._listed + named, self._followed + chosen
            if not alone and commons is not None:
                weights = by_turn(pool.sightings, commons, self._aim[lead.to])
        if number == 0:
            self.tally.led.append(Led(lead, there, n))
        known = self._known(number, lead, n, cut=there > n + 0.5, alone=alone)
        return _Group(n, known, group.depth + THINGS[lead.to].steps, pool, weights)

    def _each(self, thing: str, named: float, chosen: float, lists: float) -> float:
        """Say how many different things are chosen of so many lists, so many of those that each names.

        Where each list has an order of its own, the first of each have as much in common as any; where the same people
        come first everywhere, they have all in common that they can. Newest first is nearer to the former.
        """
        before, found = self._all.get(thing, 0.0), self._aim.get(thing, 0.0)
        self._all[thing] = before + self._drawn(thing, named, lists)
        self._aim[thing] = found + self._drawn(thing, chosen, lists)
        if lists <= 1:
            return chosen
        apart = self._different(thing, self._aim[thing]) - self._different(thing, found)
        share = chosen / max(named, 1e-9)
        had = min(share * self._different(thing, before), self._visited.get(thing, 0.0))
        together = max(share * self._different(thing, self._all[thing]) - had, 0.0)
        alike = self._guess.alike if thing != "user" or self._limits.order == "newest" else 1.0
        return apart + alike * (min(together, apart) - apart)

    def _named(self, group: _Group, lines: Sequence[RecipeLine], most: float) -> tuple[float, float]:
        """Say how many the lists of these visits name, each list by itself, and up to so many of each thing."""
        level, unknown = self._guess.level[lines[0].kind.subject], self._guess.unknown

        def summed(
            visits: Sequence[Visit], share: float, n: float, weights: Sequence[float] | None
        ) -> tuple[float, float]:
            told = self._ground.named(visits, lines)
            whole = [
                at_level(first, level if is_told else unknown) + at_level(rest, unknown) * (1 - self._shared)
                for is_told, first, rest in told[: max(1, round(share * len(told)))]
            ]
            use = weights or [1.0] * len(whole)
            each = n / max(sum(use[: len(whole)]), 1e-9)
            return (
                each * sum(w * one for w, one in zip(use, whole, strict=False)),
                each * sum(w * min(one, most) for w, one in zip(use, whole, strict=False)),
            )

        n = min(len(group.known), round(group.n))
        named, chosen = summed(group.known, n / len(group.known), n, None) if n else (0.0, 0.0)
        others = group.n - n
        if others > 0 and group.like.visits:
            more, of_more = summed(group.like.visits, 1.0, others, group.weights)
            return named + more, chosen + of_more
        if others > 0:
            each = sum(line.cap for line in lines) * self._guess.chance.random() ** 2
            return named + others * each, chosen + others * min(each, most)
        return named, chosen

    def _known(self, number: int, lead: Lead, n: float, *, cut: bool, alone: bool) -> Sequence[Visit]:
        """Say which of those led to are known: the first ones of a list, where it is read in its order or not cut."""
        place = number + 1 - len(self._outlook.rounds)
        if not 0 <= place < len(self._outlook.ahead):
            return ()
        if cut and not alone and (lead.in_common or lead.to != "user"):
            return ()  # those seen are not those who will be chosen
        if cut and lead.to == "user" and self._limits.order != "newest":
            return ()
        return self._outlook.ahead[place].get(lead.to, ())

    def _rows(self) -> dict[str, float]:
        """Say how many rows come with what is read."""
        kinds = [KINDS[name] for name in self._items]
        engagements = sum(
            self._items[kind.name] * (1 - self._twice(kind))
            for kind in kinds
            if kind.edge is not None and kind.edge.engagement_type and kind.edge.table == "user_engagements"
        )
        seeds = {thing: float(group.n) for thing, group in self._outlook.rounds[0].items()}
        if not (self._outlook.look_ups or self._outlook.urns):
            seeds = {}
        whole, held = self._entries, self._held
        tracks, tracks_held = (self._in_all("track", of.get("track", 0.0)) for of in (whole, held))
        people, people_held = (self._in_all("user", of.get("user", 0.0)) for of in (whole, held))
        law = Artists(self._outlook.owners, self._guess.chance)
        artists, artists_held = law.of(tracks), law.of(tracks_held)
        commons = self._commons.get("user")
        if commons is not None:  # some artists are people who were named, the more the fewer people there are
            apart = max(0.0, 1 - people / max(commons.all, people))
            artists, artists_held = artists * apart, artists_held * apart
        found = (
            max(0.0, people + artists - people_held - artists_held) + seeds.get("user", 0.0),
            max(0.0, tracks - tracks_held) + seeds.get("track", 0.0),
            engagements,
        )
        return dict(zip(ROWS, found, strict=True))

    def _twice(self, kind: ListKind) -> float:
        """Say which share of the entries of a list stands in lists of those it names, too: of all who are visited."""
        back = inverse_of(kind)
        lines = [line for line in self._ground.recipe if line.kind == back and not line.seeds_only]
        if kind.subject != "track" or not lines or not self._visited.get("user"):
            return 0.0
        named = max(self._different("user", self._entries.get("user", 0.0)), 1.0)
        visited = max(self._followed / max(self._listed, 1.0), self._visited["user"] / named)
        told = self._ground.lengths(self._ground.pool("user", 1).visits, lines[0]).told.values()
        claims = [max(one.visit[lines[0].kind.name].claim or 1, 1) for one in self._ground.pool("user", 1).sightings]
        reach = sum(min(1.0, lines[0].cap / claim) for claim in claims) / len(claims) if told else 1.0
        return min(1.0, visited) * reach * (1 - self._guess.gone)


def _look_ups(outlook: Outlook, guess: Guess) -> int:
    """Say how many requests look seeds up, and the artists of those that are tracks."""
    tracks = 0 if guess.knows_artists or "track" not in outlook.rounds[0] else outlook.rounds[0]["track"].n
    batches = ceil(outlook.urns / THINGS["track"].at_once)
    artists = min(tracks, outlook.look_ups + outlook.urns)
    return _LOOK_UP * outlook.look_ups + batches + ceil(artists / THINGS["user"].at_once)
