"""Decide how a list stands after a page: where it goes on, or how it ended. Pure.

Rules, first match wins:
1. Our cap left something out, or may have: `capped`. A list that goes on to a page asked already holds nothing more.
2. The service goes on, but to a page this reading has asked already, or it has gone on 20 times without bringing
   anything new: `loop`.
3. The service goes on: so do we, unless only the head was to be read and all of the page is known: `caught_up`.
4. The service ended the list: `short` when it lacks more of what was claimed than is normal, else `complete`.
"""

from __future__ import annotations

from dataclasses import dataclass

from harvest.models import Outcome

BARREN_PAGES = 20  # in a row, until a list that goes on for ever is called a loop
# How far below its claim a list may end and still be whole, the larger of both: profile counts include playlists.
LACKING_SHARE, LACKING_ITEMS = 0.10, 2


@dataclass(frozen=True, slots=True)
class ListStanding:
    """What is known of a list once a page is in."""

    collected: int
    claimed: int | None
    cut: bool  # the page held more than our cap lets us keep
    full: bool  # as many edges as our cap allows
    goes_on: bool  # the service named a next page
    asked_before: bool  # ... which this reading has asked already
    barren_pages: int  # pages in a row, this one included, that brought nothing new
    ends_when_empty: bool  # an offset list, and this page was empty
    caught_up: bool = False  # a reading of the head, and all of the page is known


def outcome_of(standing: ListStanding) -> Outcome | None:
    """Give the outcome of a list that has ended, None for one that goes on."""
    goes_on = standing.goes_on and not standing.ends_when_empty
    if standing.cut or (standing.full and goes_on and not standing.asked_before):
        return Outcome.CAPPED
    if goes_on and (standing.asked_before or standing.barren_pages >= BARREN_PAGES):
        return Outcome.LOOP
    if goes_on:
        return Outcome.CAUGHT_UP if standing.caught_up else None
    return Outcome.SHORT if is_short(standing.claimed, standing.collected) else Outcome.COMPLETE


def is_short(claimed: int | None, collected: int) -> bool:
    """Say whether a list that the service ended lacks more than is normal."""
    return claimed is not None and collected < claimed - max(LACKING_ITEMS, LACKING_SHARE * claimed)
