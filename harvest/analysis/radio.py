"""Put together what to play after a few tracks, and say why. Reads only; sends no request.

Three signals, each a list of tracks from near to far (`docs/radio.md` has the formulas):

1. co-likes: for each given track, the cosine of `related`: people who like both;
2. playlists: for each given track, the cosine of `related --method playlists`: playlists that hold both;
3. shared taste: people who like several of the given ones, each with a weight of how many more than one. With these
   weights w and the people who like a track, the cosine: the sum of the w of those who like it, over the length of w
   and the root of how many like it.

A track is worth the sum over the signals of 1 / (60 + its place), for the first two the mean over the given tracks
(reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009); equal scores share a place. Only places are added,
so that no signal outweighs another by the range of its scores. Playlists count half: one person's playlist is enough
for a place there, of likes it takes three people.
"""

from __future__ import annotations

import heapq
import math
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby, islice
from typing import Any

from harvest.analysis.beside import in_playlists
from harvest.analysis.eligible_lists import LONG_LISTS
from harvest.analysis.freshness import bound, frames
from harvest.analysis.methods import Choices
from harvest.analysis.related import SIZE_OF, co_liked
from harvest.analysis.titles import fold
from harvest.errors import SeedError
from harvest.store.judgments import tracks_named, verdict_of

PLACES = 60  # the constant of the fusion
OF_PLAYLISTS = 0.5  # what their places are worth
DEEPEST = 1000  # places of a list that count
MOST = 500  # given tracks

Scored = tuple[int, float, int]  # track, score, how many have both

# People who like several of the given tracks, with their weight.
_PEOPLE = f"""
WITH long AS MATERIALIZED ({LONG_LISTS}),
mine AS MATERIALIZED (
    SELECT e.user_id, g.from_rank, count(*) - 1 AS weight
    FROM json_each(:given) AS w
    CROSS JOIN user_engagements AS e ON e.track_id = w.value
    JOIN tasks AS l ON l.kind = 'user_likes' AND l.subject_id = e.user_id
    LEFT JOIN long AS g ON g.user_id = e.user_id
    WHERE e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
        AND (l.outcome IN ('complete', 'short') OR :incomplete)
        AND (g.from_rank IS NULL OR e.user_list_rank < g.from_rank)
    GROUP BY e.user_id
    HAVING count(*) > 1
)
"""  # noqa: S608 - our own words
LENGTH = f"{_PEOPLE} SELECT coalesce(sum(weight * weight), 0) FROM mine"  # noqa: S608
SHARED = f"""
{_PEOPLE},
together AS MATERIALIZED (
    SELECT o.track_id, sum(m.weight) AS weight, count(*) AS people
    FROM mine AS m
    CROSS JOIN user_engagements AS o ON o.user_id = m.user_id
    WHERE o.engagement_type = 'like' AND o.user_list_rank IS NOT NULL
        AND (m.from_rank IS NULL OR o.user_list_rank < m.from_rank)
        AND o.track_id NOT IN (SELECT value FROM json_each(:frames))
    GROUP BY o.track_id
    HAVING count(*) >= :min_common
)
SELECT t.track_id, t.weight, t.people, {SIZE_OF.format(track="t.track_id")} AS size FROM together AS t
"""  # noqa: S608

_TRACK = """
SELECT t.title, coalesce(t.metadata_artist, a.username), t.permalink_url, t.duration_ms, t.uploader_id
FROM tracks AS t LEFT JOIN users AS a ON a.id = t.uploader_id WHERE t.id = ?
"""


@dataclass(frozen=True, slots=True)
class Suggested:
    """A track to play. `duration_ms` is in milliseconds. Of the people whose likes are read, `people` like both it and
    the one given track with which it has most people in common; `playlists` likewise; `shared` like it and several of
    the given ones.
    """

    track_id: int
    title: str | None
    artist: str | None
    url: str | None
    duration_ms: int | None
    score: float
    people: int
    playlists: int
    shared: int


@dataclass(frozen=True, slots=True)
class Radio:
    """What to play after the `given` tracks, the nearest first; `frames` are those of them for which people were
    chosen, who count in no shared taste. `found` tracks are near to any of them, before artists were held apart.
    """

    given: tuple[int, ...]
    frames: tuple[int, ...]
    found: int
    tracks: tuple[Suggested, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return asdict(self)


def radio(
    connection: sqlite3.Connection,
    wanted: Iterable[str],
    *,
    size: int = 20,
    per_artist: int = 1,
    choices: Choices | None = None,
) -> Radio:
    """Give up to `size` tracks near those that ids, URNs and addresses name; a playlist names those it holds.

    Of an artist there are `per_artist` at most, 0: any number. What is blocked, private, gone or judged is left out,
    and so are the given ones. Raises SeedError where one is not in the file, or there are too many.
    """
    given = tracks_named(connection, wanted)
    if not given or len(given) > MOST:
        raise SeedError(f"Name 1 to {MOST:,} tracks to continue from; you named {len(given):,}.")
    choices = choices or Choices()
    framing = frames(connection, choices)
    worth: defaultdict[int, float] = defaultdict(float)
    why: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    is_left_out = _left_out(connection, given)
    for signal, share, scored in _signals(connection, given, framing, choices):
        for place, track_id, common in placed(scored, is_left_out):
            worth[track_id] += share / (PLACES + place)
            why[track_id][signal] = max(why[track_id][signal], common)
    ordered = sorted(worth, key=lambda track_id: (-round(worth[track_id], 12), track_id))
    tracks = _apart(connection, ordered, per_artist)
    chosen = tuple(
        Suggested(track_id, row[0], row[1], row[2], row[3], round(worth[track_id], 12), *why[track_id])
        for track_id, row in islice(tracks, size)
    )
    return Radio(tuple(given), tuple(one for one in given if one in framing), len(ordered), chosen)


def _signals(
    connection: sqlite3.Connection, given: Sequence[int], framing: list[int], choices: Choices
) -> Iterator[tuple[int, float, Iterator[Scored]]]:
    """Yield the lists: the number of their signal, what a place in them is worth, their tracks in any order."""
    for one in given:
        yield 0, 1 / len(given), co_liked(connection, one, framing, choices)
        yield 1, OF_PLAYLISTS / len(given), in_playlists(connection, one)
    yield 2, 1.0, _shared(connection, [one for one in given if one not in framing], framing, choices)


def _shared(connection: sqlite3.Connection, given: list[int], framing: list[int], choices: Choices) -> Iterator[Scored]:
    """Yield what those like who like several of the given tracks."""
    if len(given) < 2:
        return
    parameters = bound(choices, given=given, frames=framing)
    (squares,) = connection.execute(LENGTH, parameters).fetchone()
    for track_id, weight, people, size in connection.execute(SHARED, parameters):
        yield track_id, round(weight / math.sqrt(squares * size), 12), people


def placed(scored: Iterator[Scored], is_left_out: Callable[[int], bool]) -> Iterator[tuple[int, int, int]]:
    """Yield the first of a list with their places, from 1: (place, track, how many have both). Pure.

    Equal scores share the place of their first.
    """
    may_stand = (one for one in scored if not is_left_out(one[0]))
    best = heapq.nsmallest(DEEPEST, may_stand, key=lambda one: (-one[1], one[0]))
    place = 1
    for _, equal in groupby(best, key=lambda one: one[1]):
        tied = list(equal)
        yield from ((place, track_id, common) for track_id, _, common in tied)
        place += len(tied)


def _left_out(connection: sqlite3.Connection, given: Sequence[int]) -> Callable[[int], bool]:
    """Make the question whether a track is given, cannot be played, or has a verdict."""
    mine = frozenset(given)
    sql = f"""
        SELECT t.status <> 'ok' OR t.access IS 'blocked' OR t.sharing IS 'private'
            OR {verdict_of(connection, "t.id")} IS NOT NULL
        FROM tracks AS t WHERE t.id = ?
    """  # noqa: S608 - our own words
    return lambda track_id: track_id in mine or bool(connection.execute(sql, (track_id,)).fetchone()[0])


def _apart(
    connection: sqlite3.Connection, ordered: Iterable[int], per_artist: int
) -> Iterator[tuple[int, Sequence[Any]]]:
    """Yield tracks with what is known of them, and no more of an artist than are wanted; one whose artist is not known
    stands alone.
    """
    had: Counter[str] = Counter()
    for track_id in ordered:
        row = connection.execute(_TRACK, (track_id,)).fetchone()
        artist = fold(row[1] or "") or (f"track {track_id}" if row[4] is None else f"user {row[4]}")
        had[artist] += 1
        if not per_artist or had[artist] <= per_artist:
            yield track_id, row
