"""Write the nearest of each thing into one of the three tables of pairs.

Rows arrive in the order of the key. Old pairs go as new ones come: by ranges of ids where everything is computed, thing
by thing where only some are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harvest.analysis.kernel import Ints, Likes, Nearest
from harvest.analysis.methods import RELATED, SIMILAR

_AT_ONCE = 20_000
_LAST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Target:
    """A table of pairs, with the statements that write it."""

    name: str
    insert: str
    delete_between: str
    delete_one: str
    beside: str


RELATED_TRACKS = Target(
    "related_tracks",
    "INSERT INTO related_tracks (track_id, related_track_id, common, score, rank, basis, method, derivation_id)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "DELETE FROM related_tracks WHERE track_id > ? AND track_id <= ? AND method = ?",
    "DELETE FROM related_tracks WHERE track_id = ? AND method = ?",
    "SELECT DISTINCT track_id FROM related_tracks"
    " WHERE method = ? AND related_track_id IN (SELECT id FROM temp.altered)",
)
USER_SIMILARITY = Target(
    "user_similarity",
    "INSERT INTO user_similarity (user_id, other_user_id, common, score, method, derivation_id)"
    " VALUES (?, ?, ?, ?, ?, ?)",
    "DELETE FROM user_similarity WHERE user_id > ? AND user_id <= ? AND method = ?",
    "DELETE FROM user_similarity WHERE user_id = ? AND method = ?",
    "SELECT DISTINCT user_id FROM user_similarity WHERE method = ? AND other_user_id IN (SELECT id FROM temp.altered)",
)
ARTIST_RELATIONSHIPS = Target(
    "artist_relationships",
    "INSERT INTO artist_relationships (artist_id, other_artist_id, common, score, method, derivation_id)"
    " VALUES (?, ?, ?, ?, ?, ?)",
    "DELETE FROM artist_relationships WHERE artist_id > ? AND artist_id <= ? AND method = ?",
    "DELETE FROM artist_relationships WHERE artist_id = ? AND method = ?",
    "SELECT DISTINCT artist_id FROM artist_relationships"
    " WHERE method = ? AND other_artist_id IN (SELECT id FROM temp.altered)",
)


def target_of(method: str) -> Target:
    """Give the table that a method fills."""
    if method in RELATED:
        return RELATED_TRACKS
    return USER_SIMILARITY if method in SIMILAR else ARTIST_RELATIONSHIPS


def clear_between(connection: sqlite3.Connection, method: str, above: int, upto: int | None) -> None:
    """Delete a method's pairs of things with ids above one and up to another, or to the end."""
    connection.execute(target_of(method).delete_between, (above, _LAST if upto is None else upto, method))


def clear(connection: sqlite3.Connection, method: str, ids: Ints) -> None:
    """Delete a method's pairs of some things."""
    connection.executemany(target_of(method).delete_one, ((number, method) for number in ids.tolist()))


def beside(connection: sqlite3.Connection, method: str, ids: Ints) -> Ints:
    """Give the things beside which one of some others stands. Reads the table once: there is no index for this."""
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS altered (id INTEGER PRIMARY KEY)")
    connection.execute("DELETE FROM temp.altered")
    connection.executemany("INSERT INTO temp.altered VALUES (?)", ((number,) for number in ids.tolist()))
    rows = connection.execute(target_of(method).beside, (method,))
    return np.fromiter((row[0] for row in rows), np.int64)


def write(connection: sqlite3.Connection, method: str, derivation_id: int, likes: Likes, found: Nearest) -> int:
    """Insert the nearest of some things; give how many pairs."""
    target = target_of(method)
    connection.executemany(target.insert, _rows(target, method, derivation_id, likes, found))
    return len(found.row)


def _rows(
    target: Target, method: str, derivation_id: int, likes: Likes, found: Nearest
) -> Iterator[tuple[object, ...]]:
    for first in range(0, len(found.row), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        columns: list[list[object]] = [
            likes.ids[found.row[some]].tolist(),
            likes.ids[found.column[some]].tolist(),
            found.common[some].tolist(),
            found.score[some].tolist(),
        ]
        if target is RELATED_TRACKS:
            basis: list[object] = [
                "service" if by_service else "sample" for by_service in found.by_service[some].tolist()
            ]
            columns += [found.rank[some].tolist(), basis]
        for row in zip(*columns, strict=True):
            yield (*row, method, derivation_id)
