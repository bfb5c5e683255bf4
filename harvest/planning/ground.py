"""What is known of one harvest, worked out once for all walks: how long lists are, what things not yet seen are like,
how much lists have in common. Pure.

In: an outlook, limits. Out: lengths, pools, evidence; of what they leave open, what the guesses of a walk make of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

from harvest.lists import KINDS
from harvest.models import Limits
from harvest.planning.evidence import Commons, Evidence, Sighting, guess_entries, named_by
from harvest.planning.guess import Guess
from harvest.planning.lengths import Lengths, length, says
from harvest.planning.outlook import Listed, Outlook, Visit
from harvest.planning.ranges import Range
from harvest.rules import RecipeLine, recipe
from harvest.things import THINGS

MOST_LISTS = 200  # of a round whose lengths are looked at one by one; the others are like them
_ENOUGH = 20  # things seen of a round say more of it than those of other rounds
_ENDS = 0.25  # how far apart what both ends of the edges tell may be


class Pool:
    """Things that others are like."""

    def __init__(self, sightings: Sequence[Sighting]) -> None:
        self.sightings = sightings
        self.visits = [one.visit for one in sightings]


class Ground:
    """One harvest as it is known: what all walks have in common."""

    def __init__(self, outlook: Outlook, limits: Limits, page_size: int) -> None:
        self.outlook, self.limits, self.size = outlook, limits, page_size
        self.recipe = [line for line in recipe(limits) if not line.kind.own]
        self.evidence = {thing: Evidence(outlook, thing, without=_read_of(outlook, thing)) for thing in THINGS}
        self.shared = _shared(outlook)
        self._lengths: dict[tuple[int, str], tuple[object, Lengths]] = {}
        self._named: dict[tuple[int, str], tuple[object, list[tuple[bool, Range, Range]]]] = {}
        self._pools: dict[tuple[str, int], Pool] = {}

    def lengths(self, visits: Sequence[Visit], line: RecipeLine) -> Lengths:
        """Give how long the lists of these visits are, worked out once."""
        key = id(visits), line.kind.name
        if key not in self._lengths:  # the visits are kept, so that no others get their id
            self._lengths[key] = visits, Lengths(visits, line, self.size, self.outlook.skipped)
        return self._lengths[key][1]

    def named(self, visits: Sequence[Visit], lines: Sequence[RecipeLine]) -> list[tuple[bool, Range, Range]]:
        """Give how many each of these visits names in its first list, and whether that is told, and in the others.

        Of many, evenly some.
        """
        key = id(visits), lines[0].kind.name
        if key not in self._named:
            n = min(len(visits), MOST_LISTS)
            some = [visits[place * len(visits) // n] for place in range(n)]
            self._named[key] = (
                visits,
                [
                    (
                        says(visit, lines[0].kind),
                        length(visit, lines[0].kind, lines[0].cap),
                        Range(*map(sum, zip(*(length(visit, one.kind, one.cap) for one in lines[1:]), strict=True)))
                        if lines[1:]
                        else Range(),
                    )
                    for visit in some
                ],
            )
        return self._named[key][1]

    def pool(self, thing: str, number: int) -> Pool:
        """Give those that the things of a round are like: those on lists of the round before, else all seen."""
        if (thing, number) not in self._pools:
            evidence = self.evidence[thing]
            before = [one for one in evidence.excerpts if one.round == number - 1]
            few = sum(len(one.items) for one in before) < _ENOUGH
            sightings = evidence.sightings if few else evidence.of(before)
            sightings = sightings or [Sighting(_unread(visit)) for visit in known_of(self.outlook, thing)]
            n = min(len(sightings), MOST_LISTS)
            self._pools[thing, number] = Pool([sightings[place * len(sightings) // n] for place in range(n)])
        return self._pools[thing, number]

    def commons(self, guess: Guess) -> dict[str, Commons]:
        """Guess how much lists that name things of a kind have in common, for the kinds of which something tells.

        Both ends of an edge tell of the same edges.
        """
        told = {thing: evidence for thing, evidence in self.evidence.items() if evidence.tells}
        same, chances = (sum(evidence.in_common[n] for evidence in told.values()) for n in (0, 1))
        if not chances:
            return {}
        entries = guess_entries(same, chances, guess.chance) * exp(guess.chance.gauss(0, _ENDS))
        return {
            thing: Commons(
                evidence.degrees(guess.chance.random()), entries * exp(guess.chance.gauss(0, _ENDS)), evidence.largest
            )
            for thing, evidence in told.items()
        }


def _read_of(outlook: Outlook, thing: str) -> set[int]:
    """Give the things whose lists were read; what was found there has them on its own lists, which proves nothing."""
    return {one.subject for one in outlook.excerpts if KINDS[one.kind].subject == thing}


def known_of(outlook: Outlook, thing: str) -> list[Visit]:
    """Give all visits to things of a kind of which something is known."""
    levels = ({t: g.visits for t, g in r.items()} for r in outlook.rounds)
    return [visit for level in (*levels, *outlook.ahead) for visit in level.get(thing, ())]


def _unread(visit: Visit) -> Visit:
    """Give the lists of a visit as they would be if nothing of them had been read."""
    return {kind: Listed(one.collected, counted=True) if one.read else Listed(one.claim) for kind, one in visit.items()}


def _shared(outlook: Outlook) -> tuple[float, float]:
    """Say what is known of the share of those on a later list of a seed who are on its first list too."""
    first: dict[int, set[int]] = {}
    same, others = 0.0, 0.0
    for excerpt in outlook.excerpts:
        if excerpt.round == 0 and named_by(KINDS[excerpt.kind]) == "user":
            if excerpt.subject not in first:
                first[excerpt.subject] = set(excerpt.items) if excerpt.whole else set()
            elif first[excerpt.subject]:
                same += len(first[excerpt.subject] & set(excerpt.items))
                others += len(set(excerpt.items) - first[excerpt.subject])
    return (same + 0.5, others + 0.5) if same + others else (0.6, 1.2)
