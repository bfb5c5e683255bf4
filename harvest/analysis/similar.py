"""Answer whose taste is near one person's, and what they share: from what was analysed, or straight from the likes.

Frames (tracks for which people were chosen) do not count. Reads only.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from harvest.analysis import reasons
from harvest.analysis.eligible_lists import LONG_LISTS
from harvest.analysis.formulas import score
from harvest.analysis.freshness import bound, frames, people_asked, standing
from harvest.errors import SeedError
from harvest.models import Outcome
from harvest.store.provenance import find

_SHOWN = 3  # tracks told per person

# What the person likes, as far as it counts.
_MINE = f"""
WITH long AS MATERIALIZED ({LONG_LISTS}),
frames AS MATERIALIZED (SELECT value AS track_id FROM json_each(:frames)),
mine AS MATERIALIZED (
    SELECT e.track_id
    FROM user_engagements AS e
    LEFT JOIN long AS g ON g.user_id = e.user_id
    WHERE e.user_id = :user AND e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
        AND (g.from_rank IS NULL OR e.user_list_rank < g.from_rank)
        AND e.track_id NOT IN (SELECT track_id FROM frames)
)
"""  # noqa: S608 - our own words

SIZE = f"{_MINE} SELECT count(*) FROM mine"  # noqa: S608

# Who else likes these, and how much they like in all.
TOGETHER = f"""
{_MINE},
together AS MATERIALIZED (
    SELECT o.user_id, g.from_rank, count(*) AS common
    FROM mine AS m
    CROSS JOIN user_engagements AS o ON o.track_id = m.track_id
    JOIN tasks AS l ON l.kind = 'user_likes' AND l.subject_id = o.user_id
    LEFT JOIN long AS g ON g.user_id = o.user_id
    WHERE o.engagement_type = 'like' AND o.user_list_rank IS NOT NULL AND o.user_id <> :user
        AND (l.outcome IN ('complete', 'short') OR :incomplete)
        AND (g.from_rank IS NULL OR o.user_list_rank < g.from_rank)
    GROUP BY o.user_id
    HAVING count(*) >= :min_common
)
SELECT t.user_id, t.common, (
    SELECT count(*) FROM user_engagements AS e
    WHERE e.user_id = t.user_id AND e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
        AND (t.from_rank IS NULL OR e.user_list_rank < t.from_rank)
        AND e.track_id NOT IN (SELECT track_id FROM frames)
) AS size
FROM together AS t
"""  # noqa: S608 - our own words

# What was analysed, the nearest first.
ANALYSED = """
SELECT s.other_user_id, s.common, z.size, s.score
FROM user_similarity AS s
JOIN derivation_sizes AS z ON z.derivation_id = s.derivation_id AND z.subject_id = s.other_user_id
WHERE s.user_id = ? AND s.method = ?
ORDER BY s.score DESC, s.other_user_id LIMIT ?
"""

# What the two share, first what the fewest like here: it says most about them.
SHARED = f"""
{_MINE}
SELECT t.title, coalesce(t.metadata_artist, a.username)
FROM mine AS m
JOIN user_engagements AS o ON o.user_id = :other AND o.track_id = m.track_id AND o.engagement_type = 'like'
JOIN tracks AS t ON t.id = m.track_id
LEFT JOIN users AS a ON a.id = t.uploader_id
LEFT JOIN long AS g ON g.user_id = o.user_id
WHERE o.user_list_rank IS NOT NULL AND (g.from_rank IS NULL OR o.user_list_rank < g.from_rank)
ORDER BY (SELECT count(*) FROM user_engagements AS e WHERE e.track_id = m.track_id), m.track_id
LIMIT :shown
"""  # noqa: S608 - our own words


@dataclass(frozen=True, slots=True)
class Kin:
    """A person of like taste: `common` tracks are shared, of `size` they like; `shared` are the most telling."""

    user_id: int
    username: str | None
    url: str | None
    score: float
    common: int
    size: int
    shared: tuple[tuple[str | None, str | None], ...]


@dataclass(frozen=True, slots=True)
class Similar:
    """Those whose taste is near a person's, who likes `size` tracks; see `Related` for the rest."""

    user_id: int
    username: str | None
    url: str | None
    method: str
    people: int
    size: int
    why_now: str | None
    min_common: int
    near: tuple[Kin, ...]
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return asdict(self)


def similar(
    connection: sqlite3.Connection, wanted: str, *, method: str, limit: int, framing: str | None = None
) -> Similar:
    """Give those near the person that an id, URN or address names; see `related` for `framing`.

    Raises SeedError when they are not in the file, or their own likes do not count.
    """
    user_id, username, url = find(connection, "user", wanted)
    stands = standing(connection, method, limit, framing)
    _check_list(connection, user_id, wanted, stands.choices.include_incomplete)
    parameters = bound(stands.choices, user=user_id, frames=frames(connection, stands.choices), shown=_SHOWN)
    (size,) = connection.execute(SIZE, parameters).fetchone()
    if stands.derivation is not None:
        found = [tuple(row) for row in connection.execute(ANALYSED, (user_id, method, limit))]
    else:
        scored = _scored(connection, method.split("_")[1], parameters, size)
        found = heapq.nsmallest(limit, scored, key=lambda pair: (-pair[3], pair[0]))
    near = tuple(_kin(connection, pair, parameters) for pair in found)
    people = people_asked(connection, stands.choices)
    least = stands.choices.min_common
    reason = None if near else _reason(connection, parameters, size, least)
    return Similar(user_id, username, url, method, people, int(size), stands.why_now, least, near, reason)


def _reason(connection: sqlite3.Connection, parameters: dict[str, object], size: int, least: int) -> str:
    """Say why no one is near."""
    with_frames = {**parameters, "frames": "[]"}
    if connection.execute(TOGETHER, with_frames).fetchone():
        return reasons.frames_alone("They share tracks with others, but")
    if not size:
        return "They like nothing that counts, as far as their list shows."
    return f"No other person shares {least} of these tracks."


def _check_list(connection: sqlite3.Connection, user_id: int, wanted: str, incomplete: bool) -> None:
    """Refuse to compare a person whose likes are unknown."""
    row = connection.execute(
        "SELECT outcome, collected FROM lists WHERE kind = 'user_likes' AND subject_id = ?", (user_id,)
    ).fetchone()
    if row is None:
        raise SeedError(f"The likes of {wanted} were not asked for: a higher --max-users may reach them.")
    if row[0] not in (Outcome.COMPLETE, Outcome.SHORT) and not (incomplete and row[1]):
        what = {
            Outcome.CAPPED: "were cut by --max-user-likes: raise it, or run `harvest analyze --include-incomplete`",
            "todo": "were not read yet: `harvest resume` does it",
            "doing": "were not read yet: `harvest resume` does it",
        }.get(row[0], f"could not be read whole ({row[0]}): see `harvest failures`")
        raise SeedError(f"The likes of {wanted} {what}.")


def _scored(
    connection: sqlite3.Connection, measure: str, parameters: dict[str, object], size: int
) -> Iterator[tuple[int, int, int, float]]:
    """Yield the people who have enough in common, with their scores."""
    for user_id, common, other_size in connection.execute(TOGETHER, parameters):
        yield user_id, common, other_size, score(measure, common, size, other_size, 0)


def _kin(connection: sqlite3.Connection, pair: tuple[Any, ...], parameters: dict[str, object]) -> Kin:
    user_id, common, size, value = pair
    username, url = connection.execute("SELECT username, permalink_url FROM users WHERE id = ?", (user_id,)).fetchone()
    shared = connection.execute(SHARED, {**parameters, "other": user_id})
    return Kin(user_id, username, url, value, common, size, tuple((row[0], row[1]) for row in shared))
