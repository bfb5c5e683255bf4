"""Find communities of tracks and of people, from the pairs that stand in the file, and keep them there.

The graph joins each thing to the nearest few of its neighbours; so it grows with the number of things and not with that
of likes. A track for which people were chosen is left out: its neighbours are measured otherwise.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from hashlib import blake2b
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sqlite_utils import Database

from harvest.analysis import derivations
from harvest.analysis.derive import Setting
from harvest.analysis.methods import COMMUNITIES, PLACES, SOURCES
from harvest.analysis.partitions import SEEDS, Ints, Partition, divide

NEAREST = 15  # neighbours of each that make the graph

_BYTES_PER_THING = 2000  # of a graph of tracks or people that are near each other, and of ten divisions of it
_ROWS_AT_ONCE = 50_000
_TRACKS = """
SELECT track_id, related_track_id, score FROM related_tracks
WHERE method = :source AND basis = 'sample' AND rank < :nearest AND score > 0
"""
_PEOPLE = """
SELECT user_id, other_user_id, score FROM (
    SELECT
        user_id, other_user_id, score,
        row_number() OVER (PARTITION BY user_id ORDER BY score DESC, other_user_id) AS place
    FROM user_similarity
    WHERE method = :source AND score > 0
)
WHERE place <= :nearest
"""
_PAIRS = dict(zip(COMMUNITIES, (_TRACKS, _PEOPLE), strict=True))
_PARTITION = """
INSERT INTO partitions (
    derivation_id, things, edges, communities, modularity, seed, seeds, rand, information
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True, slots=True)
class Near:
    """Things by their ids, which rise, and how near they are: a symmetric CSR matrix of scores."""

    ids: Ints
    graph: Any

    def digest(self) -> str:
        """Give a text that is equal only for the same things and scores."""
        told = blake2b(digest_size=16)
        for part in (self.ids, self.graph.indptr, self.graph.indices, self.graph.data):
            told.update(len(part).to_bytes(8, "little"))
            told.update(np.ascontiguousarray(part).view(np.uint8).data)
        return told.hexdigest()


def find_communities(db: Database, method: str, resolution: float, setting: Setting, *, fresh: bool) -> int:
    """Bring the communities of tracks or people up to date with the pairs; give how many things were divided again."""

    def told(share: float) -> None:
        setting.beat()
        setting.told(method, share)

    told(0.0)
    source = derivations.find(db.conn, SOURCES[method])
    assert source is not None
    near = read_near(db.conn, method)
    mark = near.digest()
    parameters = _parameters(method, resolution, source.parameters)
    past = None if fresh else derivations.find(db.conn, method)
    if past and (past.state, past.parameters, past.fingerprint) == ("whole", parameters, mark):
        with db.atomic():
            derivations.still_holds(db.conn, past.id, setting.max_page_id, source.lists_used or 0)
        return 0
    found = divide(near.graph, resolution, told)
    with db.atomic():
        number = derivations.begin(db.conn, method, parameters, mark, setting.now(), in_order=True)
        _write(db.conn, method, number, near, found)
        derivations.finish(
            db.conn, number, max_page_id=setting.max_page_id, lists_used=source.lists_used, now=setting.now()
        )
    return len(near.ids)


def megabytes(connection: sqlite3.Connection, method: str) -> tuple[int, int]:
    """Give how many things there are to divide, and the MB which that takes beside the process itself."""
    (things,) = connection.execute(
        f"SELECT count(*) FROM (SELECT DISTINCT {PLACES[method].partition('_')[0]}_id FROM ({_PAIRS[method]}))",  # noqa: S608
        {"source": SOURCES[method], "nearest": NEAREST},
    ).fetchone()
    return things, things * _BYTES_PER_THING // 1_000_000


def read_near(connection: sqlite3.Connection, method: str) -> Near:
    """Read the graph of tracks or people: of two that are near each other, either among the nearest of the other."""
    return joined(*_read_pairs(connection, method))


def joined(pairs: Ints, scores: npt.NDArray[np.float64]) -> Near:
    """Make the graph of pairs of ids, a row each, and their scores."""
    ids = np.unique(pairs)
    places = np.searchsorted(ids, pairs).astype(np.int32)  # so the matrix counts in 32 bits, too
    one_way = sparse.coo_array((scores, (places[:, 0], places[:, 1])), shape=(len(ids),) * 2).tocsr()
    graph = one_way.maximum(one_way.T).tocsr()
    graph.sort_indices()
    return Near(ids, graph)


def _read_pairs(connection: sqlite3.Connection, method: str) -> tuple[Ints, npt.NDArray[np.float64]]:
    """Give the ids of each thing and one of its nearest, a row each, and their scores."""
    ends, scores = [np.empty((0, 2), np.int64)], [np.empty(0)]
    rows = connection.execute(_PAIRS[method], {"source": SOURCES[method], "nearest": NEAREST})
    while some := rows.fetchmany(_ROWS_AT_ONCE):
        ends.append(np.array([row[:2] for row in some], np.int64))
        scores.append(np.array([row[2] for row in some]))
    return np.concatenate(ends), np.concatenate(scores)


def _parameters(method: str, resolution: float, source: str) -> str:
    """Say what the result depends on beside the file, as JSON: our choices, and those of the pairs."""
    ours = {
        "source": SOURCES[method],
        "nearest": NEAREST,
        "resolution": resolution,
        "seeds": SEEDS,
        "graspologic_native": version("graspologic-native"),
    }
    return json.dumps({**json.loads(source), **ours}, sort_keys=True)


def _write(connection: sqlite3.Connection, method: str, number: int, near: Near, found: Partition) -> None:
    connection.execute(f"DELETE FROM {PLACES[method]} WHERE method = ?", (method,))  # noqa: S608 - our own words
    connection.execute("DELETE FROM partitions WHERE derivation_id = ?", (number,))
    for first in range(0, len(near.ids), _ROWS_AT_ONCE):
        some = slice(first, first + _ROWS_AT_ONCE)
        connection.executemany(
            f"INSERT INTO {PLACES[method]} VALUES (?, '{method}', ?, {number})",  # noqa: S608
            zip(near.ids[some].tolist(), found.labels[some].tolist(), strict=True),
        )
    edges = near.graph.nnz // 2
    figures = (found.communities, found.modularity, found.seed, SEEDS, found.rand, found.information)
    connection.execute(_PARTITION, (number, len(near.ids), edges, *figures))
