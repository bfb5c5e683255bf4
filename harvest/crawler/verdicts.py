"""Who is to blame when many lists come back alike: the lists, or the service. Pure.

Rule 1. What few lists say is believed. What MANY of a kind say alike is doubted, and something else is asked: a list
of that kind that brought something before.
Rule 2. Lists that are empty against what is known: where that list is empty now as well, it is an outage. Where there
is none to ask, so many of them are one, if any was empty against a claim.
"""

from __future__ import annotations

from harvest.store.doubts import Emptied

MANY = 5


def in_doubt(seen: Emptied, cleared: int = 0) -> bool:
    """Say whether so many lists of a kind are empty that something else is to be asked; `cleared` of them are known to
    be.
    """
    empty = seen.against + seen.hidden
    return empty - cleared >= MANY and (seen.against - cleared >= MANY or empty > seen.answered)


def is_outage(seen: Emptied, brings: bool | None) -> bool:
    """Say whether the service is to blame; `brings`: whether the list that brought something before still does, None
    where there is none to ask.
    """
    return seen.against > 0 if brings is None else not brings
