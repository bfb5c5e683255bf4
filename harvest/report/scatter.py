"""Gather how far people are from the shares of genres and tags, from some of them: what intervals of these rest on.

In: a connection with the working table `heard`. Out: a number for each genre and tag. Never: more than PEOPLE people's
likes looked through.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence

from harvest.estimates.shares import spread_of_ratio
from harvest.report.rows import HeardTotals, Theme
from harvest.report.statements import query

PEOPLE = 400  # enough to know a standard deviation by a few per cent

_Counts = dict[int, dict[str, int]]


def scatter(
    connection: sqlite3.Connection, genres: Sequence[Theme], tags: Sequence[Theme], heard: HeardTotals
) -> tuple[dict[str, float], dict[str, float]]:
    """Give, by the folded names of genres and of tags, how far people are from the share (`spread_of_ratio`)."""
    by_genre = _counted(connection.execute(query("likes_by_genre"), {"people": PEOPLE}))
    names = json.dumps([tag.folded for tag in tags])
    by_tag = _counted(connection.execute(query("likes_by_tag"), {"people": PEOPLE, "tags": names}))
    whole = {user: sum(counts.values()) for user, counts in by_genre.items()}
    return _scattered(genres, by_genre, whole, heard), _scattered(tags, by_tag, whole, heard)


def _counted(rows: Iterable[tuple[int, str, int]]) -> _Counts:
    found: _Counts = {}
    for user, folded, likes in rows:
        found.setdefault(user, {})[folded] = likes
    return found


def _scattered(themes: Sequence[Theme], counts: _Counts, whole: dict[int, int], heard: HeardTotals) -> dict[str, float]:
    return {
        theme.folded: spread_of_ratio(
            theme.counted_likes / heard.counted_likes,
            [(counts.get(user, {}).get(theme.folded, 0), likes) for user, likes in whole.items()],
        )
        for theme in themes
        if heard.counted_likes
    }
