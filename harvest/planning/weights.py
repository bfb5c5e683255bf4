"""How likely those seen are to be chosen, by which they stand for the others of a round. Pure.

In: what is seen on lists, what the lists have in common. Out: a weight each, as many as there are sightings.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from operator import mul

from harvest.planning.evidence import Commons, Sighting

_MOST_VOTES = 400


def by_votes(seen: Sequence[Sighting], commons: Commons, entries: float, n: float) -> list[float]:
    """Weigh by the chance of being among the n that most of so many entries name; votes come by chance."""
    degrees = _degrees(seen)
    expected = [entries * degree / commons.entries for degree in degrees]
    each = [commons.entries / degree / len(degrees) for degree in degrees]
    left = list(expected)
    terms = [exp(-min(e, 700)) for e in expected]
    above = [1 - term for term in terms]  # chance of at least one vote
    votes = 1
    while votes < _MOST_VOTES and sum(map(mul, each, above)) > n:
        terms = [term * e / votes for term, e in zip(terms, expected, strict=True)]
        left, above = above, [max(a - term, 0.0) for a, term in zip(above, terms, strict=True)]
        votes += 1
    if votes == 1:
        return list(map(mul, each, above))
    sure, more = sum(map(mul, each, above)), sum(map(mul, each, left))
    share = min(max((n - sure) / max(more - sure, 1e-9), 0.0), 1.0)
    return [e * (a + share * (b - a)) for e, a, b in zip(each, above, left, strict=True)]


def by_turn(seen: Sequence[Sighting], commons: Commons, entries: float) -> list[float]:
    """Weigh by how seldom so many entries name them again: the busy ones come once, as all do."""
    share = max(entries / commons.entries, 1e-9)
    return [(1 - exp(-share * degree)) / (share * degree) for degree in _degrees(seen)]


def _degrees(seen: Sequence[Sighting]) -> list[float]:
    """Give on how many lists each stands: where that is unknown, on the one where it was seen."""
    return [max(one.degree, 1.0) for one in seen]
