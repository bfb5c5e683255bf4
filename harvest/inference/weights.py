"""Weights of the people of a sample, raked to what the profiles of all people listed say.

All people are put into four classes of equal size, by the quartiles of the likes and of the followers that profiles
claim; those whose profile claims nothing form another class.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import quantiles

from harvest.errors import SettingsError
from harvest.estimates.raking import Raked, rake
from harvest.inference.people import profiles_of
from harvest.store.samples import Sample

RAKED_BY = {"likes_given_count": "likes", "followers_count": "followers"}
CLASSES = 4


def raked(connection: sqlite3.Connection, sample: Sample, people: Mapping[int, float]) -> tuple[dict[int, float], str]:
    """Give the weight of each of some people of a sample, who answered, begun with those of the draw, and a sentence on
    how they came about.

    Raises SettingsError when no weights fit.
    """
    everybody = {row[0]: row[1:] for row in profiles_of(connection, sample, tuple(RAKED_BY))}
    cuts = [_cuts([row[place] for row in everybody.values()]) for place in range(len(RAKED_BY))]
    classes = {user: tuple(map(_class, row, cuts)) for user, row in everybody.items()}
    mine = [classes[user] for user in people]
    sizes = []
    for division in range(len(RAKED_BY)):
        there = Counter(one[division] for one in classes.values())
        kept = {one[division] for one in mine}
        scale = len(classes) / sum(there[one] for one in kept)
        sizes.append({one: there[one] * scale for one in kept})
    found = rake(mine, sizes, list(people.values()))
    if not found.converged:
        raise SettingsError(
            f"No weights bring these {len(mine):,} people into line with all {len(classes):,}: after {found.rounds}"
            f" rounds a class is still off by {found.off:.1%}. Leave out --rake."
        )
    return dict(zip(people, found.weights, strict=True)), _words(found)


def _words(found: Raked) -> str:
    told = " and ".join(RAKED_BY.values())
    return (
        f"Weights are raked to the {told} on all profiles, in {CLASSES} classes each: they converged after"
        f" {found.rounds} rounds, and lie between {min(found.weights):.3g} and {max(found.weights):.3g}. The interval"
        " takes them as given."
    )


def _cuts(values: Sequence[int | None]) -> list[float]:
    known = [float(value) for value in values if value is not None]
    return quantiles(known, n=CLASSES) if len(known) > 1 else []


def _class(value: int | None, cuts: Sequence[float]) -> int:
    return -1 if value is None else bisect_left(cuts, value)
