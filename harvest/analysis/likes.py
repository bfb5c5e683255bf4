"""Read the likes that count from the file into arrays.

In: a connection. Out: arrays of 4 bytes per like. Never: all rows at once as Python objects.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import json
from scipy import sparse

from harvest.analysis.eligible_lists import FRAMES, LEFT_OUT, LIKES, WHOSE
from harvest.analysis.fingerprints import marks
from harvest.analysis.kernel import Bools, Floats, Ints, Likes
from harvest.analysis.methods import Choices

Places = npt.NDArray[np.int32]  # 4 bytes a like; two thousand million likes are the bound
_ROWS_AT_ONCE = 50_000
_LIKES_AT_ONCE = 50_000
_numbers = json.Decoder(list[int]).decode


@dataclass(frozen=True, slots=True)
class Library:
    """Who likes what: CSR of people x tracks, by places in `user_ids` and `track_ids`, which rise.

    `people` counts lists, empty ones too; people without a like have no row. `lists_left_out` counts by outcome.
    """

    user_ids: Ints
    track_ids: Ints
    pointers: Ints
    tracks: Places
    frames: Bools
    counted: Floats
    artists: Ints
    people: int
    lists_left_out: dict[str, int]

    @property
    def size(self) -> int:
        """How many likes."""
        return len(self.tracks)

    @property
    def frames_liked(self) -> tuple[int, int]:
        """How many of the liked tracks are frames, and how many liked tracks there are."""
        liked = np.unique(self.tracks)
        return int(self.frames[liked].sum()), len(liked)


def read_library(connection: sqlite3.Connection, choices: Choices) -> Library:
    """Read everything; the caller holds the lease, so nothing moves meanwhile."""
    track_ids, counted, artists = _read_tracks(connection)
    people = sum(1 for _ in connection.execute(WHOSE, {"incomplete": choices.include_incomplete}))
    user_ids, pointers, tracks = _read_likes(connection, choices, track_ids)
    framing = connection.execute(FRAMES, {"which": choices.frames})
    frames = np.isin(track_ids, np.array([row[0] for row in framing], np.int64))
    left_out = _left_out(connection, choices)
    return Library(user_ids, track_ids, pointers, tracks, frames, counted, artists, people, left_out)


def _read_tracks(connection: sqlite3.Connection) -> tuple[Ints, Floats, Ints]:
    """Read ids, the service's counts of likes (NaN: unknown) and uploaders (-1: unknown) of all tracks."""
    ids: list[Ints] = [np.empty(0, np.int64)]
    counted: list[Floats] = [np.empty(0)]
    artists: list[Ints] = [np.empty(0, np.int64)]
    rows = connection.execute("SELECT id, likes_count, coalesce(uploader_id, -1) FROM tracks ORDER BY id")
    while some := rows.fetchmany(_ROWS_AT_ONCE):
        ids.append(np.array([row[0] for row in some], np.int64))
        counted.append(np.array([row[1] for row in some], np.float64))  # None becomes NaN
        artists.append(np.array([row[2] for row in some], np.int64))
    return np.concatenate(ids), np.concatenate(counted), np.concatenate(artists)


def _read_likes(connection: sqlite3.Connection, choices: Choices, track_ids: Ints) -> tuple[Ints, Ints, Places]:
    """Read likes person by person; what a person likes beyond the newest is dropped on the way."""
    users, sizes, tracks = [np.empty(0, np.int64)], [np.zeros(1, np.int64)], [np.empty(0, np.int32)]
    rows = connection.execute(LIKES, {"incomplete": choices.include_incomplete})
    people: list[tuple[int, int]] = []
    liked: list[int] = []
    ranks: list[int] = []
    for user, n, its, places in rows:
        people.append((user, n))
        liked += _numbers(its)
        ranks += _numbers(places)
        if len(liked) >= _LIKES_AT_ONCE:
            _keep(_table(people, liked, ranks), choices.newest, track_ids, users, sizes, tracks)
            people, liked, ranks = [], [], []
    if people:
        _keep(_table(people, liked, ranks), choices.newest, track_ids, users, sizes, tracks)
    return np.concatenate(users), np.cumsum(np.concatenate(sizes)), np.concatenate(tracks)


def _table(people: list[tuple[int, int]], liked: list[int], ranks: list[int]) -> Ints:
    """Give rows of person, track and rank."""
    who, n = np.array(people, np.int64).T
    return np.column_stack([np.repeat(who, n), np.array(liked, np.int64), np.array(ranks, np.int64)])


def _keep(
    rows: Ints,
    newest: int,
    track_ids: Ints,
    users: list[Ints],
    sizes: list[Ints],
    tracks: list[Places],
) -> None:
    """Append whole people to the lists."""
    who, first, size = np.unique(rows[:, 0], return_index=True, return_counts=True)
    if len(size) and size.max() > newest:
        order = np.lexsort((rows[:, 2], rows[:, 0]))
        kept = np.sort(order[np.arange(len(rows)) - np.repeat(first, size) < newest])
        rows, size = rows[kept], np.minimum(size, newest)
    users.append(who)
    sizes.append(size)
    tracks.append(np.searchsorted(track_ids, rows[:, 1]).astype(np.int32))


def _left_out(connection: sqlite3.Connection, choices: Choices) -> dict[str, int]:
    """Count the lists that do not count, by outcome or state."""
    rows = connection.execute(LEFT_OUT, {"incomplete": choices.include_incomplete})
    return {row[0]: row[1] for row in rows}


def tracks_by_people(library: Library, min_common: int, most_liked: int | None = None) -> Likes:
    """Compare tracks by who likes them: all of them, or the `most_liked`, the frames among these first.

    Tracks with fewer likers than two must have in common are dropped first.
    """
    sizes = np.bincount(library.tracks, minlength=len(library.track_ids))
    kept = sizes >= min_common
    if most_liked is not None:
        order = np.lexsort((library.track_ids, -sizes, ~library.frames))
        kept[order[kept[order]][most_liked:]] = False
    back = _matrix(*_selected(library, kept), width=int(kept.sum()))
    forth = _transposed(back)
    return Likes(
        ids=library.track_ids[kept],
        sizes=sizes[kept].astype(np.int64),
        forth=forth,
        back=back,
        frames=library.frames[kept],
        counted=library.counted[kept],
        people=library.people,
        marks=marks(library.user_ids, forth.indptr, forth.indices),
    )


def people_by_tracks(library: Library) -> Likes:
    """Compare people by what they like. Frames do not count, since people were chosen for liking them.

    Tracks that one person alone likes are dropped from the matrix, not from the sizes: no two people have
    them in common, and a person likes no fewer tracks for it.
    """
    likers = np.bincount(library.tracks, minlength=len(library.track_ids))
    kept = (likers > 1) & ~library.frames
    forth = _matrix(*_selected(library, kept), width=int(kept.sum()))
    tracks, pointers = _selected(library, ~library.frames, renumber=False)
    return Likes(
        ids=library.user_ids,
        sizes=np.diff(pointers).astype(np.int64),
        forth=forth,
        back=_transposed(forth),
        frames=np.zeros(len(library.user_ids), np.bool_),
        counted=np.full(len(library.user_ids), np.nan),
        people=library.people,
        marks=marks(library.track_ids, pointers, tracks),
    )


def all_likes(library: Library) -> Any:
    """Give all likes but those of frames, as a CSR matrix of people x tracks, by the places in the library."""
    tracks, pointers = _selected(library, ~library.frames, renumber=False)
    return _matrix(tracks, pointers, width=len(library.track_ids))


def artists_by_people(library: Library, min_common: int, at_least: int) -> Likes:
    """Compare uploaders by who likes `at_least` so many of their tracks. Frames do not count."""
    artist_ids, artist = np.unique(library.artists, return_inverse=True)
    tracks, pointers = _selected(library, ~library.frames & (library.artists >= 0), renumber=False)
    back = _matrix(artist.astype(np.int32)[tracks], pointers, width=len(artist_ids))
    back.sum_duplicates()  # from here on: how many of their tracks
    places = back.indices[back.data >= at_least]
    pointers = _rising(back.data >= at_least)[back.indptr]
    sizes = np.bincount(places, minlength=len(artist_ids))
    kept = sizes >= min_common
    back = _matrix(*_renumbered(places, pointers, kept), width=int(kept.sum()))
    forth = _transposed(back)
    return Likes(
        ids=artist_ids[kept],
        sizes=sizes[kept].astype(np.int64),
        forth=forth,
        back=back,
        frames=np.zeros(int(kept.sum()), np.bool_),
        counted=np.full(int(kept.sum()), np.nan),
        people=library.people,
        marks=marks(library.user_ids, forth.indptr, forth.indices),
    )


def _selected(library: Library, kept: Bools, *, renumber: bool = True) -> tuple[Places, Places]:
    """Keep the likes of some tracks: their places among these (or among all tracks), and where each person begins."""
    if renumber:
        return _renumbered(library.tracks, library.pointers, kept)
    chosen = kept[library.tracks]
    return library.tracks[chosen], _rising(chosen)[library.pointers]


def _renumbered(places: Places, pointers: Ints | Places, kept: Bools) -> tuple[Places, Places]:
    """Keep some columns of CSR indices, and number these from 0."""
    chosen = kept[places]
    number = np.cumsum(kept, dtype=np.int32) - np.int32(1)
    return number[places[chosen]], _rising(chosen)[pointers]


def _rising(chosen: Bools) -> Places:
    """Count the chosen before each place, and all of them at the end."""
    upto = np.zeros(len(chosen) + 1, np.int32)
    np.cumsum(chosen, dtype=np.int32, out=upto[1:])
    return upto


def _matrix(indices: Places, pointers: Places, width: int) -> Any:
    return sparse.csr_array((np.ones(len(indices), np.int32), indices, pointers), shape=(len(pointers) - 1, width))


def _transposed(matrix: Any) -> Any:
    """Transpose into CSR; both share their ones."""
    turned = matrix.T.tocsr()
    turned.data = matrix.data
    return turned
