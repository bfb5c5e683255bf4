"""What a file holds of a harvest, and what of it is still to be read, as far as the file can tell. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from harvest.lists import KINDS, SPILL
from harvest.models import Limits
from harvest.store.harvests import stored_limits

_FOLLOWED = KINDS[SPILL[0]].births[0]


@dataclass(frozen=True, slots=True)
class Followed:
    """Somebody to be followed: how many likes the profile claims, how many are kept, whether that is all we want."""

    claim: int | None
    collected: int
    read: bool


@dataclass(frozen=True, slots=True)
class Holding:
    """One seed in a file. `followed` and `people` are known for good once both lists around the seed were read."""

    title: str | None
    track_id: int | None
    likes_count: int | None
    reposts_count: int | None
    state: str
    lists_read: int
    lists_open: int
    pages_around: int
    listed: bool
    people: int
    followed: tuple[Followed, ...]


def holding(connection: sqlite3.Connection, seed_url: str, limits: Limits) -> Holding | None:
    """Tell what a file holds of a seed, seen under these limits; None when it does not know the seed."""
    row = connection.execute(
        """
        SELECT h.id, h.state, h.seed_id, t.title, t.likes_count, t.reposts_count,
            (SELECT count(*) FROM harvest_tasks AS w JOIN tasks AS l ON l.id = w.task_id
                WHERE w.harvest_id = h.id AND l.state = 'ended') AS lists_read,
            (SELECT count(*) FROM harvest_tasks AS w JOIN tasks AS l ON l.id = w.task_id
                WHERE w.harvest_id = h.id AND l.state <> 'ended') AS lists_open
        FROM harvests AS h LEFT JOIN tracks AS t ON t.id = h.seed_id
        WHERE h.seed_url = ?
        """,
        (seed_url,),
    ).fetchone()
    if row is None:
        return None
    harvest_id, state, track_id, title, likes, reposts, read, still_open = row
    around = [_list(connection, kind, track_id) for kind in SPILL]
    listed = all(found and found[1] and (found[2] != "capped" or found[3] >= limits.max_listed) for found in around)
    same_order = _order(stored_limits(connection, seed_url)) == _order(limits)
    return Holding(
        title=title,
        track_id=track_id,
        likes_count=likes,
        reposts_count=reposts,
        state=state,
        lists_read=read,
        lists_open=still_open,
        pages_around=sum(found[0] for found in around if found),
        listed=listed and same_order,
        people=_people(connection, track_id, limits),
        followed=_followed(connection, harvest_id, limits),
    )


def read_before(connection: sqlite3.Connection, users: Iterable[int], limits: Limits) -> set[int]:
    """Say whose likes need not be read any more, whichever seed they were read for."""
    return {
        user
        for user in users
        if connection.execute(
            """
            SELECT 1 FROM tasks
            WHERE kind = ? AND subject_id = ? AND argument = '' AND state = 'ended'
                AND (outcome <> 'capped' OR collected >= ?)
            """,
            (_FOLLOWED, user, limits.max_user_likes),
        ).fetchone()
    }


def _order(limits: Limits | None) -> tuple[object, ...] | None:
    return None if limits is None else (limits.order, limits.sample_seed)


def _list(connection: sqlite3.Connection, kind: str, track_id: int | None) -> tuple[int, bool, str, int] | None:
    """Give pages read, whether it ended well enough to choose from, outcome and edges kept of a list."""
    row = connection.execute(
        "SELECT pages_read, state = 'ended' AND outcome <> 'failed', outcome, collected FROM tasks"
        " WHERE kind = ? AND subject_id = ? AND argument = ''",
        (kind, track_id),
    ).fetchone()
    return row and (int(row[0]), bool(row[1]), str(row[2]), int(row[3]))


def _people(connection: sqlite3.Connection, track_id: int | None, limits: Limits) -> int:
    (people,) = connection.execute(
        "SELECT count(DISTINCT user_id) FROM user_engagements"
        " WHERE track_id = ? AND track_list_rank >= 0 AND track_list_rank < ?",
        (track_id, limits.max_listed),
    ).fetchone()
    return int(people)


def _followed(connection: sqlite3.Connection, harvest_id: int, limits: Limits) -> tuple[Followed, ...]:
    rows = connection.execute(
        """
        SELECT t.claimed, t.collected, t.state = 'ended' AND (t.outcome <> 'capped' OR t.collected >= ?3)
        FROM harvest_tasks AS w JOIN tasks AS t ON t.id = w.task_id AND t.kind = ?2
        WHERE w.harvest_id = ?1 AND w.depth = 1 AND w.listed_rank < ?4
        ORDER BY w.listed_rank
        """,
        (harvest_id, _FOLLOWED, limits.max_user_likes, limits.max_users),
    )
    return tuple(Followed(row[0], int(row[1]), bool(row[2])) for row in rows)
