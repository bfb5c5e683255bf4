"""What excerpts of lists tell of the lists not read yet: how much they have in common, and what they lead to. Pure.

An item is on a list in proportion to how many lists it is on in all, a number that replies give for each item: for a
track, its count of likes. Among all entries of the lists around a seed, E of them, an item on d lists is named by
any one entry with probability d / E. So n entries

    E * mean((1 - exp(-n * d / E)) / d)

different items, the mean taken over entries: at first each names another, in the end all there are have been named.
E is told by how often two excerpts of lengths s and t name the same, which is to be expected s * t * mean(d) / E times.

In: excerpts, what is claimed of the things on them. Out: samples, and how many different things so many entries name.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import exp, log, sqrt

from harvest.lists import KINDS, ListKind
from harvest.planning.outlook import Excerpt, Outlook, Visit

_DEGREES = 40  # items that stand for all of them
_DOUBT = 0.5  # things seen in common come in clusters: so much of each counts as evidence
_STEPS = 32
_ENOUGH = 20


def inverse_of(kind: ListKind) -> ListKind | None:
    """Give the kind of list that holds the same edges from the other end."""
    edge = kind.edge
    if edge is None or edge.on_item:
        return None
    return next(
        (
            other
            for other in KINDS.values()
            if other.edge is not None
            and (other.edge.table, other.edge.engagement_type) == (edge.table, edge.engagement_type)
            and other.edge.subject == edge.item
        ),
        None,
    )


def named_by(kind: ListKind) -> str:
    """Say what kind of thing a list names; a comment names who wrote it."""
    return (kind.edge.leads_to if kind.edge else "") or kind.item


@dataclass(frozen=True, slots=True)
class Sighting:
    """One entry of an excerpt: a thing as it is known, on how many lists it stands (0: unknown), and its round."""

    visit: Visit
    degree: float = 0.0
    round: int = 0


class Evidence:
    """All that excerpts tell of things of one kind."""

    def __init__(self, outlook: Outlook, thing: str, *, without: Collection[int] = ()) -> None:
        self._seen = outlook.seen.get(thing, {})
        self._without = frozenset(without)
        self.excerpts = [one for one in outlook.excerpts if named_by(KINDS[one.kind]) == thing]

    @cached_property
    def sightings(self) -> list[Sighting]:
        """Every entry of an excerpt whose thing says on how many lists it stands."""
        return self.of(self.excerpts)

    def of(self, excerpts: Iterable[Excerpt]) -> list[Sighting]:
        """Give the entries of these excerpts."""
        found = []
        for excerpt in excerpts:
            back = inverse_of(KINDS[excerpt.kind])
            for item in excerpt.items:
                visit = self._seen.get(item)
                if visit is None or item in self._without:
                    continue
                claim = visit[back.name].claim if back is not None and back.name in visit else None
                found.append(Sighting(visit, float(claim or 0), excerpt.round))
        return found

    @cached_property
    def in_common(self) -> tuple[int, float]:
        """Say how often excerpts of several things name the same, and how often they would if there were one entry."""
        same, chances = 0, 0.0
        lists: dict[int, set[int]] = {}
        for excerpt in self.excerpts:
            lists.setdefault(excerpt.subject, set()).update(set(excerpt.items) - self._without)
        for one, other in combinations(lists.values(), 2):
            same += len(one & other)
            chances += len(one) * len(other)
        degrees = [one.degree for one in self.sightings if one.degree]
        return same, chances * sum(degrees) / max(len(degrees), 1)

    @property
    def tells(self) -> bool:
        """Whether anything on an excerpt says on how many lists it stands."""
        return any(one.degree for one in self.sightings)

    @cached_property
    def largest(self) -> int:
        """Give how many different things the longest excerpt names."""
        return max((len(set(one.items)) for one in self.excerpts), default=0)

    def degrees(self, level: float) -> list[tuple[float, float]]:
        """Give on how many lists things stand, by entry, each with its weight; evenly some of many.

        People around a seed may be like all people (0), or as busy as those on a list are who are on many (1): those
        who are on other lists tell.
        """
        told = [one for one in self.sightings if one.degree]
        others = [one for one in told if one.round]
        some = sorted((others if len(others) >= _ENOUGH else told), key=lambda one: one.degree)
        n = min(len(some), _DEGREES)
        even = [some[place * len(some) // n] for place in range(n)]
        return [(one.degree, 1.0 if one.round else one.degree**level) for one in even]


class Commons:
    """How many different things so many entries of lists name, if there are so many entries in all."""

    def __init__(self, degrees: Sequence[tuple[float, float]], entries: float, largest: float = 0) -> None:
        whole = sum(weight for _, weight in degrees)
        self._degrees = [(degree, weight / whole) for degree, weight in degrees]
        rare = sum(weight / degree for degree, weight in self._degrees)
        self.entries = max(entries, 1.02 * largest / rare)
        self.all = self.entries * rare
        self._rising = [self._named(self.entries * 2.0 ** (step - _STEPS + 5)) for step in range(_STEPS)]

    def _named(self, n: float) -> tuple[float, float]:
        share = n / self.entries
        different = self.entries * sum(weight * (1 - exp(-share * d)) / d for d, weight in self._degrees)
        return n, min(different, n)

    def different(self, n: float) -> float:
        """Say how many different things so many entries name."""
        return _between(self._rising, n, 0, 1)

    def entries_for(self, different: float) -> float:
        """Say how many entries it takes to name so many different things; a list names nothing twice."""
        return _between(self._rising, min(different, self.all), 1, 0)


def _between(rising: Sequence[tuple[float, float]], n: float, of: int, wanted: int) -> float:
    """Read off a rising curve, given as points, what belongs to one of its coordinates."""
    place = bisect_left(rising, n, key=lambda pair: pair[of])
    if place == 0:
        return n
    if place == len(rising):
        return rising[-1][wanted]
    low, high = rising[place - 1], rising[place]
    width = high[of] - low[of]
    share = (n - low[of]) / width if width else 1.0
    return low[wanted] + (high[wanted] - low[wanted]) * share


def guess_entries(same: float, chances: float, chance: random.Random) -> float:
    """Guess how many entries there are in all, given how often the same was named."""
    return chances * _DOUBT / max(chance.gammavariate(same * _DOUBT + 0.5, 1.0), 1e-3)


class Artists:
    """By how many artists so many tracks are, told by some of them: a guess between two laws of how unlike artists are.

    By the one, all have as many tracks; by the other, few have most of them (Fisher's logarithmic series).
    """

    def __init__(self, owners: Mapping[int, int], chance: random.Random) -> None:
        self._share, self._seen = chance.random(), len(owners)
        if owners:
            same = chance.gammavariate(self._seen - len(set(owners.values())) + 0.5, 1.0)
            artists = max(1.0, self._seen - same)
            self._alike = _solved(_of_alike, self._seen, artists)
            self._unlike = _solved(_of_unlike, self._seen, artists)

    def of(self, tracks: float) -> float:
        """Say how many artists so many tracks have."""
        if not self._seen or not tracks:
            return tracks * (0.3 + 0.7 * self._share)
        few, many = _of_alike(self._alike, tracks), _of_unlike(self._unlike, tracks)
        return min(exp((1 - self._share) * log(few) + self._share * log(many)), tracks)


def _of_alike(artists: float, tracks: float) -> float:
    return artists * (1 - exp(-tracks / artists))


def _of_unlike(diversity: float, tracks: float) -> float:
    return diversity * log(1 + tracks / diversity)


def _solved(law: Callable[[float, float], float], seen: int, artists: float) -> float:
    """Find the size with which a law gives so many artists of so many tracks."""
    low, high = 0.01, 1e9
    for _ in range(60):
        middle: float = sqrt(low * high)
        low, high = (middle, high) if law(middle, seen) < artists else (low, middle)
    return low
