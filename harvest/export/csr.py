"""Write a sparse matrix, users by tracks, as scipy saves it, and the ids of its rows and columns.

The arrays are gathered in files and compressed from there: a long matrix takes no more memory than a short one.
numpy and scipy are an extra: they are imported where they are used.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import json

from harvest.errors import ExtraMissing
from harvest.export import columns, tables
from harvest.export.job import Job, OutFile
from harvest.export.rows import csv_of
from harvest.export.selection import Selection
from harvest.export.selection_sql import PAIR
from harvest.export.tables import RATING, Row

if TYPE_CHECKING:
    import numpy

_LARGEST_INT32 = 2**31 - 1
_ENTRIES_AT_ONCE = 250_000
_whole_numbers, _numbers = json.Decoder(list[int]).decode, json.Decoder(list[float]).decode

# A row for each row of the matrix, with its tracks in their order: SQLite finds likes faster than Python takes a tuple
# for each. Ratings are all 1 where likes or reposts alone are wanted.
_RATED = """
SELECT p.place, count(*), json_group_array(e.track_id), {rated}
FROM people AS p CROSS JOIN user_engagements AS e ON e.user_id = p.id
WHERE {pair}
GROUP BY p.id
"""
ENTRIES = _RATED.format(rated="NULL", pair=PAIR)
RATED_ENTRIES = _RATED.format(rated=f"json_group_array({RATING})", pair=PAIR)


def need_scipy() -> None:
    """Raise ExtraMissing where scipy is missing."""
    try:
        import scipy.sparse  # noqa: F401
    except ImportError:
        raise ExtraMissing("harvest export --format csr", "scipy", "analysis") from None


def write(job: Job) -> list[OutFile]:
    """Write train.npz, test.npz if there is a split, user_ids.npy, item_ids.npy, and users.csv in the same order."""
    by_column = columns.can_give(job.selection)  # then the columns of the matrix are found by the ids
    tables.number_places(job.selection.connection, *(("people",) if by_column else ("people", "things")))
    shape = (job.selection.left.users, job.selection.left.items)
    parts = {"interactions": "train", "train": "train", "test": "test"}
    batches = entries(job.selection) if by_column else None
    files = job.write(tables.places(job.selection), lambda name: _Matrix(job, parts[name], shape), batches)
    ids = (_ids(job, "user", "people", shape[0]), _ids(job, "item", "things", shape[1]))
    return [*files, *ids, *csv_of(job, tables.users(job.selection))]


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries of the matrix: their rows, columns and ratings, arrays of one length."""

    rows: numpy.ndarray[Any, Any]
    columns: numpy.ndarray[Any, Any]
    ratings: numpy.ndarray[Any, Any]

    def __len__(self) -> int:
        return len(self.columns)


def entries(selection: Selection) -> Iterator[Entries]:
    """Give all entries in the order of the matrix, some people at a time."""
    import numpy as np

    found = selection.connection.execute("SELECT id FROM things ORDER BY id")
    ids = np.fromiter((row[0] for row in found), np.int64, selection.left.items)
    both = selection.choices.likes and selection.choices.reposts
    sql, parameters = RATED_ENTRIES if both else ENTRIES, selection.parameters
    rows: list[tuple[int, int]] = []
    tracks: list[int] = []
    ratings: list[float] = []
    for place, n, liked, rated in selection.connection.execute(
        sql, {**parameters, "both": both} if both else parameters
    ):
        rows.append((place, n))
        tracks += _whole_numbers(liked)
        ratings += _numbers(rated) if both else ()
        if len(tracks) >= _ENTRIES_AT_ONCE:
            yield _entries(rows, tracks, ratings, ids)
            rows, tracks, ratings = [], [], []
    if tracks:
        yield _entries(rows, tracks, ratings, ids)


def _entries(rows: list[tuple[int, int]], tracks: list[int], ratings: list[float], ids: Any) -> Entries:
    """Make arrays of what some people like, without the tracks that are not left."""
    import numpy as np

    place, n = np.array(rows, np.int64).T
    track = np.array(tracks, np.int64)
    rated = np.array(ratings, np.float32) if ratings else np.ones(len(track), np.float32)
    column = np.searchsorted(ids, track)
    left = ids[np.minimum(column, len(ids) - 1)] == track
    return Entries(np.repeat(place, n)[left], column[left].astype(np.int32), rated[left])


class _Matrix:
    """One part of the interactions as a matrix; rows come in the order of the matrix, columns sorted within each."""

    def __init__(self, job: Job, name: str, shape: tuple[int, int]) -> None:
        import numpy as np

        self._job, self._name, self._shape, self._entries = job, name, shape, 0
        self._per_row = np.zeros(shape[0], np.int64)
        self._paths = [job.folder / f".{name}-{what}" for what in ("indices", "data")]
        self._files = [path.open("wb") for path in self._paths]

    def write(self, rows: Sequence[Row] | Entries) -> None:
        """Take some entries."""
        import numpy as np

        if not rows:
            return
        row, column, rating = (
            (rows.rows, rows.columns, rows.ratings) if isinstance(rows, Entries) else zip(*rows, strict=True)
        )
        places, n = np.unique(np.array(row, np.int64), return_counts=True)
        self._per_row[places] += n
        self._files[0].write(np.array(column, np.int32).data)
        self._files[1].write(np.array(rating, np.float32).data)
        self._entries += len(rows)

    def finish(self) -> list[OutFile]:
        """Put the arrays together, and save them."""
        import numpy as np
        from scipy import sparse

        for file in self._files:
            file.close()
        indices, data = (_mapped(path, kind) for path, kind in zip(self._paths, (np.int32, np.float32), strict=True))
        starts = np.concatenate(([0], np.cumsum(self._per_row)))
        if self._entries <= _LARGEST_INT32:
            starts = starts.astype(np.int32)
        matrix = sparse.csr_matrix((data, indices, starts), shape=self._shape, copy=False)
        sparse.save_npz(self._job.folder / f"{self._name}.npz", matrix)
        for path in self._paths:
            path.unlink()
        return [OutFile(f"{self._name}.npz", self._name, self._entries, ("row", "column", "rating"))]

    def abandon(self) -> None:
        """Let go of the files."""
        for file in self._files:
            with contextlib.suppress(OSError):
                file.close()


def _mapped(path: Path, kind: Any) -> numpy.ndarray[Any, Any]:
    """Look at a file as an array; an empty one cannot be mapped."""
    import numpy as np

    return np.memmap(path, kind, "r") if path.stat().st_size else np.zeros(0, kind)


def _ids(job: Job, name: str, table: str, length: int) -> OutFile:
    import numpy as np

    found = job.selection.connection.execute(f"SELECT out FROM {table} ORDER BY out")  # noqa: S608 - our own names
    ids = np.fromiter((row[0] for row in found), np.int64, length)
    np.save(job.folder / f"{name}_ids.npy", ids)
    return OutFile(f"{name}_ids.npy", f"{name}_ids", length, (f"{name}_id",))
