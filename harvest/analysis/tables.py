"""Write the nearest of each thing into one of the three tables of pairs.

Rows arrive in the order of the key. Old pairs go as new ones come: by ranges of ids where everything is computed, thing
by thing where only some are. A statement writes many rows: to begin one costs as much as to write half a row.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import numpy as np

from harvest.analysis.kernel import Ints, Likes, Nearest
from harvest.analysis.methods import RELATED, SIMILAR

_ROWS = 50  # per statement
_AT_ONCE = 400 * _ROWS
_LAST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Target:
    """A table of pairs, with the statements that write it."""

    name: str
    columns: str
    values: str
    delete_between: str
    delete_one: str
    beside: str


RELATED_TRACKS = Target(
    "related_tracks",
    "track_id, related_track_id, common, score, rank, basis, method, derivation_id",
    "(?, ?, ?, ?, ?, {basis}, '{method}', {derivation})",
    "DELETE FROM related_tracks WHERE track_id > ? AND track_id <= ? AND method = ?",
    "DELETE FROM related_tracks WHERE track_id = ? AND method = ?",
    "SELECT DISTINCT track_id FROM related_tracks"
    " WHERE method = ? AND related_track_id IN (SELECT id FROM temp.altered)",
)
USER_SIMILARITY = Target(
    "user_similarity",
    "user_id, other_user_id, common, score, method, derivation_id",
    "(?, ?, ?, ?, '{method}', {derivation})",
    "DELETE FROM user_similarity WHERE user_id > ? AND user_id <= ? AND method = ?",
    "DELETE FROM user_similarity WHERE user_id = ? AND method = ?",
    "SELECT DISTINCT user_id FROM user_similarity WHERE method = ? AND other_user_id IN (SELECT id FROM temp.altered)",
)
ARTIST_RELATIONSHIPS = Target(
    "artist_relationships",
    "artist_id, other_artist_id, common, score, method, derivation_id",
    "(?, ?, ?, ?, '{method}', {derivation})",
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
    by_service = bool(found.by_service.any())
    basis = "?" if by_service else "'sample'"  # a third of the time of a row, if every row said it
    values = target.values.format(method=method, derivation=derivation_id, basis=basis)  # our own words and numbers
    last = len(found.row) - len(found.row) % _ROWS
    for first in range(0, last, _AT_ONCE):
        some = slice(first, min(first + _AT_ONCE, last))
        _insert(connection, target, values, _columns(target, likes, found, some, by_service=by_service), _ROWS)
    rest = _columns(target, likes, found, slice(last, None), by_service=by_service)
    _insert(connection, target, values, rest, 1)
    return len(found.row)


def _columns(target: Target, likes: Likes, found: Nearest, some: slice, *, by_service: bool) -> list[list[object]]:
    """Give what is written of some pairs, column by column."""
    numbers: list[Any] = [
        likes.ids[found.row[some]],
        likes.ids[found.column[some]],
        found.common[some],
        found.score[some],
    ]
    if target is RELATED_TRACKS:
        numbers.append(found.rank[some])
    columns = [column.tolist() for column in numbers]
    if target is RELATED_TRACKS and by_service:
        columns.append(["service" if by else "sample" for by in found.by_service[some].tolist()])
    return columns


def _insert(
    connection: sqlite3.Connection, target: Target, values: str, columns: list[list[object]], rows: int
) -> None:
    """Insert so many rows by each statement."""
    sql = f"INSERT INTO {target.name} ({target.columns}) VALUES {', '.join([values] * rows)}"  # noqa: S608 - our own words
    width = len(columns)
    cells: list[object] = [None] * (width * len(columns[0]))
    for place, column in enumerate(columns):
        cells[place::width] = column
    connection.executemany(sql, zip(*[iter(cells)] * (width * rows), strict=True))
