"""Answer which tracks are near one track, and why: from what was analysed, or straight from the likes. Reads only.

Computed now or analysed before, the answer is the same.
"""

from __future__ import annotations

import heapq
import json
import math
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from harvest.analysis import reasons
from harvest.analysis.eligible_lists import LONG_LISTS
from harvest.analysis.formulas import is_defined, score
from harvest.analysis.freshness import bound, frames, people_asked, standing
from harvest.analysis.methods import AGAINST_ALL, Choices
from harvest.store.provenance import find

# Who likes the track, as far as their lists count.
_MINE = f"""
WITH long AS MATERIALIZED ({LONG_LISTS}),
mine AS MATERIALIZED (
    SELECT e.user_id, g.from_rank
    FROM user_engagements AS e
    JOIN tasks AS l ON l.kind = 'user_likes' AND l.subject_id = e.user_id
    LEFT JOIN long AS g ON g.user_id = e.user_id
    WHERE e.track_id = :track AND e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
        AND (l.outcome IN ('complete', 'short') OR :incomplete)
        AND (g.from_rank IS NULL OR e.user_list_rank < g.from_rank)
)
"""  # noqa: S608 - our own words

SIZE = f"{_MINE} SELECT count(*) FROM mine"  # noqa: S608

# How many like {track}, as far as their lists count; `long` are the longer lists.
SIZE_OF = """(
        SELECT count(*)
        FROM user_engagements AS e
        JOIN tasks AS l ON l.kind = 'user_likes' AND l.subject_id = e.user_id
        LEFT JOIN long AS g ON g.user_id = e.user_id
        WHERE e.track_id = {track} AND e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
            AND (l.outcome IN ('complete', 'short') OR :incomplete)
            AND (g.from_rank IS NULL OR e.user_list_rank < g.from_rank)
    )"""

# How many like each of some tracks.
SIZES = f"""
WITH long AS MATERIALIZED ({LONG_LISTS})
SELECT t.value, {SIZE_OF.format(track="t.value")} FROM json_each(:tracks) AS t
"""  # noqa: S608 - our own words
_AT_ONCE = 256  # tracks whose sizes are asked for

# What else they like, and how many like that in all, if that is wanted (:sized). Frames (:frames) are left out unless
# the track is one itself (:framed); then sizes are needed of frames alone: the service's counts stand for the others'.
TOGETHER = f"""
{_MINE},
together AS MATERIALIZED (
    SELECT o.track_id, count(*) AS common
    FROM mine AS m
    CROSS JOIN user_engagements AS o ON o.user_id = m.user_id
    WHERE o.engagement_type = 'like' AND o.user_list_rank IS NOT NULL AND o.track_id <> :track
        AND (m.from_rank IS NULL OR o.user_list_rank < m.from_rank)
    GROUP BY o.track_id
    HAVING count(*) >= :min_common
)
SELECT t.track_id, t.common, t.track_id IN (SELECT value FROM json_each(:frames)) AS frame, k.likes_count,
    CASE WHEN (:sized AND NOT :framed) OR t.track_id IN (SELECT value FROM json_each(:frames))
        THEN {SIZE_OF.format(track="t.track_id")} END AS size
FROM together AS t
JOIN tracks AS k ON k.id = t.track_id
WHERE :framed OR t.track_id NOT IN (SELECT value FROM json_each(:frames))
"""  # noqa: S608 - our own words

# What was analysed, the nearest first.
ANALYSED = """
SELECT r.related_track_id, r.score, r.common, r.basis, z.size
FROM related_tracks AS r
JOIN derivation_sizes AS z ON z.derivation_id = r.derivation_id AND z.subject_id = r.related_track_id
WHERE r.track_id = ? AND r.method = ?
ORDER BY r.rank LIMIT ?
"""

NAMED = """
SELECT t.title, coalesce(t.metadata_artist, a.username), t.permalink_url, t.likes_count
FROM tracks AS t LEFT JOIN users AS a ON a.id = t.uploader_id
WHERE t.id = ?
"""


Scored = tuple[int, float, int, str, int | None]  # a track, its score, how many like both, on what basis, its size


@dataclass(frozen=True, slots=True)
class Near:
    """A track near the one asked for.

    `size` people like it among those whose likes were read (None beside a frame), `likes_count` says the service.
    `times_chance` says how many times more people like both than if likes were independent; None beside a frame.
    """

    track_id: int
    title: str | None
    artist: str | None
    url: str | None
    score: float
    common: int
    size: int | None
    likes_count: int | None
    times_chance: float | None
    basis: str


@dataclass(frozen=True, slots=True)
class Related:
    """The tracks near a track. `size` of `people` like it; `frame`: people were chosen because they do.

    `why_now` is None when the answer was analysed before; see `Freshness`. `left_out` are the frames, which are not
    compared with others. `reason` says why nothing is near; None where something is.
    """

    track_id: int
    title: str | None
    artist: str | None
    url: str | None
    method: str
    people: int
    size: int
    frame: bool
    why_now: str | None
    min_common: int
    left_out: tuple[str, ...]
    near: tuple[Near, ...]
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return asdict(self)


def related(
    connection: sqlite3.Connection, wanted: str, *, method: str, limit: int, framing: str | None = None
) -> Related:
    """Give the tracks near the one that an id, URN or address names. Raises SeedError when it is not in the file.

    `framing`, one of FRAMINGS, says what is taken for a frame; None: what the analysis took.
    """
    track_id, _, _ = find(connection, "track", wanted)
    stands = standing(connection, method, limit, framing)
    left_out = frames(connection, stands.choices)
    parameters = bound(stands.choices, track=track_id, frames=left_out, framed=track_id in left_out)
    people = people_asked(connection, stands.choices)
    (size,) = connection.execute(SIZE, parameters).fetchone()
    title, artist, url, likes_count = connection.execute(NAMED, (track_id,)).fetchone()
    if stands.derivation is not None:
        found = connection.execute(ANALYSED, (track_id, method, limit)).fetchall()
    else:
        measure = method.split("_")[1]
        if parameters["framed"]:
            scored = _scored(connection, measure, parameters, size, likes_count, people)
            found = heapq.nsmallest(limit, scored, key=_order)
        else:
            found = _nearest(connection, measure, parameters, size, people, limit)
    near = tuple(_near(connection, tuple(pair), size, people) for pair in found)
    others = tuple(_name(connection, frame) for frame in left_out if frame != track_id)
    reason = None if near else _reason(connection, stands.choices, method.split("_")[1], parameters, size, likes_count)
    return Related(
        track_id,
        title,
        artist,
        url,
        method,
        people,
        int(size),
        track_id in left_out,
        stands.why_now,
        stands.choices.min_common,
        () if track_id in left_out else others,
        near,
        reason,
    )


def _reason(
    connection: sqlite3.Connection,
    choices: Choices,
    measure: str,
    parameters: dict[str, object],
    size: int,
    likes_count: int | None,
) -> str:
    """Say why nothing is near a track."""
    if not size:
        return reasons.nobody_likes(connection, choices)
    if parameters["framed"] and measure in AGAINST_ALL:
        return reasons.AGAINST_CHANCE
    if parameters["framed"] and not likes_count:
        return reasons.NOT_COUNTED
    if not parameters["framed"]:
        everything = connection.execute(TOGETHER, {**parameters, "frames": "[]", "sized": False})
        if next(everything, None) is not None:
            return reasons.frames_alone("These people have other tracks in common with it, but")
    return f"No other track has {choices.min_common} of these people in common with it."


def co_liked(
    connection: sqlite3.Connection, track_id: int, framing: list[int], choices: Choices
) -> Iterator[tuple[int, float, int]]:
    """Yield every track that enough of the people like who like this one: its id, the cosine, how many like both.

    The cosine is that of `related`: of the service's counts where the track is a frame.
    """
    parameters = bound(choices, track=track_id, frames=framing, framed=track_id in framing)
    (size,) = connection.execute(SIZE, parameters).fetchone()
    (likes_count,) = connection.execute("SELECT likes_count FROM tracks WHERE id = ?", (track_id,)).fetchone()
    for other, value, common, _, _ in _scored(connection, "cosine", parameters, size, likes_count, 0):
        yield other, value, common


def _scored(
    connection: sqlite3.Connection,
    measure: str,
    parameters: dict[str, object],
    size: int,
    likes_count: int | None,
    people: int,
) -> Iterator[Scored]:
    """Yield every track that has enough in common, with its score."""
    if parameters["framed"] and (measure in AGAINST_ALL or not likes_count):
        return
    for track_id, common, frame, counted, other_size in connection.execute(TOGETHER, {**parameters, "sized": True}):
        if parameters["framed"]:
            if counted:
                assert likes_count is not None
                both = common / size * likes_count
                if frame:
                    both = math.sqrt(both * (common / other_size * counted))
                both = min(both, likes_count, counted)
                yield track_id, score(measure, both, likes_count, counted, people), common, "service", other_size
        elif is_defined(measure, common, people):
            yield track_id, score(measure, common, size, other_size, people), common, "sample", other_size


def _nearest(
    connection: sqlite3.Connection,
    measure: str,
    parameters: dict[str, object],
    size: int,
    people: int,
    limit: int,
) -> list[Scored]:
    """Return the `limit` nearest tracks to one that is no frame, as `_scored` gives them, the nearest first.

    A track is the nearer the fewer like it, and no fewer like it than like both. So the tracks are sized in the order
    of what they have in common, until none that is left can come before those that were found.
    """
    rows = connection.execute(TOGETHER, {**parameters, "sized": False})
    waiting = [(common, track_id) for track_id, common, *_ in rows if is_defined(measure, common, people)]
    waiting.sort(reverse=True)
    found: list[Scored] = []
    for begin in range(0, len(waiting), _AT_ONCE):
        some = {track_id: common for common, track_id in waiting[begin : begin + _AT_ONCE]}
        best = max(score(measure, common, size, common, people) for common in some.values())
        if len(found) == limit and best < found[-1][1]:
            break
        sizes = connection.execute(SIZES, {**parameters, "tracks": json.dumps(list(some))})
        scored = [
            (one, score(measure, some[one], size, other, people), some[one], "sample", other) for one, other in sizes
        ]
        found = heapq.nsmallest(limit, [*found, *scored], key=_order)
    return found


def _order(one: Scored) -> tuple[float, int]:
    """Return what tells which of two tracks is the nearer one: the score, then the id."""
    return -one[1], one[0]


def _near(connection: sqlite3.Connection, pair: Scored, size: int, people: int) -> Near:
    track_id, value, common, basis, other_size = pair
    title, artist, url, likes_count = connection.execute(NAMED, (track_id,)).fetchone()
    sampled = basis == "sample" and other_size is not None
    times = score("lift", common, size, other_size, people) if sampled else None
    return Near(track_id, title, artist, url, value, common, other_size if sampled else None, likes_count, times, basis)


def _name(connection: sqlite3.Connection, track_id: int) -> str:
    row = connection.execute("SELECT title FROM tracks WHERE id = ?", (track_id,)).fetchone()
    return row[0] if row and row[0] else f"track {track_id}"
