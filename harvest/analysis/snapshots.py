"""Keep what a derivation was made from, and read it again: the table `derivation_sizes`."""

from __future__ import annotations

import sqlite3

import numpy as np

from harvest.analysis import derivations
from harvest.analysis.changes import Snapshot

_AT_ONCE = 50_000


def recall(connection: sqlite3.Connection, derivation_id: int) -> Snapshot:
    """Read what a derivation was made from."""
    parts = [np.empty((0, 4), np.int64)]
    rows = connection.execute(
        "SELECT subject_id, size, frame, mark FROM derivation_sizes WHERE derivation_id = ? ORDER BY subject_id",
        (derivation_id,),
    )
    while some := rows.fetchmany(_AT_ONCE):
        parts.append(np.array(some, np.int64))
    ids, sizes, frames, marks = (np.ascontiguousarray(column) for column in np.concatenate(parts).T)
    return Snapshot(ids, sizes, frames.astype(np.bool_), marks)


def remember(connection: sqlite3.Connection, derivation_id: int, made_from: Snapshot) -> None:
    """Keep what a derivation was made from, instead of what stands there."""
    derivations.forget(connection, derivation_id)
    for first in range(0, len(made_from.ids), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        columns = (
            made_from.ids[some],
            made_from.sizes[some],
            made_from.frames[some].astype(np.int64),
            made_from.marks[some],
        )
        connection.executemany(
            "INSERT INTO derivation_sizes (derivation_id, subject_id, size, frame, mark) VALUES (?, ?, ?, ?, ?)",
            ((derivation_id, *row) for row in zip(*(column.tolist() for column in columns), strict=True)),
        )
