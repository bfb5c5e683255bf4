"""Compare the tracks most liked in a file, and choose the lines worth drawing between them. Reads only.

In: a connection. Out: arrays, by places in `Graph.ids`. Never: a row written; what `harvest related` says of two tracks
is what stands here, computed from the same likes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harvest.analysis import derivations, reasons
from harvest.analysis.backbone import significance
from harvest.analysis.communities import NEAREST, joined
from harvest.analysis.freshness import standing
from harvest.analysis.kernel import Bools, Floats, Ints, Likes, Nearest, blocks, count, nearest
from harvest.analysis.likes import Library, read_library, tracks_by_people
from harvest.analysis.methods import COMMUNITIES, RELATED, Choices
from harvest.analysis.partitions import divide
from harvest.analysis.run import check_lists
from harvest.errors import SettingsError

LINES_EACH = 2  # of the backbone, per track on average: more of them hide each other
FRAME_LINES = 5  # drawn from a track for which people were chosen
NO_COMMUNITY = -1

_ENTRIES = 1_000_000  # pairs counted at once: 100 MB


@dataclass(frozen=True, slots=True)
class Graph:
    """Tracks by ids, which rise, and pairs of them, the nearest first.

    `sizes` is how many people like a track, of `people` whose likes count; `frames` are tracks these were chosen for
    liking. `one` < `other` are places in `ids`; `common` people like both; `score` is the cosine, of the service's own
    counts where `by_service`. `drawn` pairs are the backbone. `communities` go from 0, the largest, to NO_COMMUNITY;
    `as_analysed`: they are those of the file. `liked` tracks could stand here. `beside` gives, of each track asked for,
    the places of those that enough of the people like who like it.
    """

    ids: Ints
    sizes: Ints
    frames: Bools
    communities: Ints
    one: Ints
    other: Ints
    common: Ints
    score: Floats
    by_service: Bools
    drawn: Bools
    people: int
    liked: int
    as_analysed: bool
    beside: dict[int, Ints]


def choices_of(connection: sqlite3.Connection, framing: str | None, *, include_incomplete: bool) -> Choices:
    """Give what the file was analysed with, as far as nothing else is asked for."""
    choices = standing(connection, RELATED[0], 1, framing).choices
    return replace(choices, include_incomplete=choices.include_incomplete or include_incomplete)


def read_graph(
    connection: sqlite3.Connection,
    most: int,
    choices: Choices,
    asked: Sequence[int] = (),
    tell: Callable[[str], None] = lambda step: None,
) -> Graph:
    """Compare the `most` liked tracks, and say what stands beside those `asked` for.

    Raises SettingsError, with the reason, where no track is near another.
    """
    connection.row_factory = None  # rows become arrays
    tell("reading who likes what")
    library = read_library(connection, choices)
    check_lists(library, "explore")
    likes = tracks_by_people(library, choices.min_common, most)
    tell("comparing tracks")
    found = _nearest(likes, choices.min_common)
    if not len(found.row):
        raise SettingsError(_why_nothing(library, choices))
    tell("looking for communities")
    made = _graph(likes, found, _labels(connection))
    liked = int((np.bincount(library.tracks) >= choices.min_common).sum())
    beside = {track: _beside(library, track, made.ids, choices.min_common) for track in asked}
    return replace(made, liked=liked, beside=beside)


def _nearest(likes: Likes, min_common: int) -> Nearest:
    """Give the nearest of each; these are arrays of four and eight bytes, some tens of thousands of rows."""
    rows = np.arange(len(likes.ids))
    found = [
        nearest(likes, count(likes, some, min_common), "cosine", NEAREST) for some in blocks(likes, rows, _ENTRIES)
    ]
    parts: dict[str, Any] = {
        name: np.concatenate([getattr(one, name) for one in found] or [np.empty(0, np.int32)])
        for name in ("row", "column", "common", "score", "rank", "by_service")
    }
    return Nearest(**parts)


def _why_nothing(library: Library, choices: Choices) -> str:
    framed, liked = library.frames_liked
    if framed:
        return f"Nothing to explore: {reasons.frames_left_out(framed, liked)}"
    return (
        f"Nothing to explore: no two tracks have {choices.min_common} people in common; likes of {library.people:,} "
        "people are read. Crawl with a higher --max-users."
    )


def _labels(connection: sqlite3.Connection) -> dict[int, int] | None:
    """Give the communities that `harvest analyze` found, None where there are none of the file as it is."""
    past = derivations.find(connection, COMMUNITIES[0])
    if past is None or past.state != "whole" or past.max_page_id != derivations.newest_page(connection):
        return None
    sql = "SELECT track_id, community FROM track_communities WHERE method = ?"
    return dict(connection.execute(sql, (COMMUNITIES[0],))) or None


def _beside(library: Library, track: int, ids: Ints, min_common: int) -> Ints:
    """Give the places of the tracks that enough of the people like who like this one, and its own."""
    whose = np.repeat(np.arange(len(library.user_ids)), np.diff(library.pointers))
    fans = np.isin(whose, whose[library.track_ids[library.tracks] == track])
    common = np.bincount(library.tracks[fans], minlength=len(library.track_ids))
    found: Ints = np.flatnonzero(np.isin(ids, library.track_ids[common >= min_common]) | (ids == track))
    return found


def _graph(likes: Likes, found: Nearest, labels: dict[int, int] | None) -> Graph:
    """Put together what is near something: tracks that share no listener with any other stay out."""
    kept, ends = np.unique(np.concatenate([found.row, found.column]), return_inverse=True)
    row, column = ends[: len(found.row)], ends[len(found.row) :]
    ids, n = likes.ids[kept], len(kept)
    key, first = np.unique(np.minimum(row, column) * n + np.maximum(row, column), return_index=True)
    first = first[np.lexsort((key, -found.score[first]))]
    one, other = np.minimum(row, column)[first], np.maximum(row, column)[first]
    ours = ~found.by_service
    near = joined(np.stack([ids[row[ours]], ids[column[ours]]], axis=1), found.score[ours])
    if labels is None:
        named, found_labels = near.ids, divide(near.graph, 1.0).labels
    else:
        named, found_labels = (np.array(part, np.int64) for part in zip(*sorted(labels.items()), strict=True))
    communities = np.full(n, NO_COMMUNITY)
    _, here, there = np.intersect1d(ids, named, assume_unique=True, return_indices=True)
    communities[here] = found_labels[there]
    backbone = _backbone(near.ids, near.graph)
    best = np.where(ours, found.rank == 0, found.rank < FRAME_LINES)
    strongest = set((np.minimum(row, column) * n + np.maximum(row, column))[best].tolist())
    drawn = [
        (ids[a], ids[b]) in backbone or a * n + b in strongest
        for a, b in zip(one.tolist(), other.tolist(), strict=True)
    ]
    return Graph(
        ids=ids,
        sizes=likes.sizes[kept],
        frames=likes.frames[kept],
        communities=communities,
        one=one,
        other=other,
        common=found.common[first].astype(np.int64),
        score=found.score[first],
        by_service=found.by_service[first],
        drawn=np.array(drawn, np.bool_),
        people=likes.people,
        liked=len(ids),
        as_analysed=labels is not None,
        beside={},
    )


def _backbone(ids: Ints, graph: Any) -> set[tuple[int, int]]:
    """Choose so many pairs as can be told apart: those of the least alpha by the disparity filter."""
    alphas = significance(graph)
    rows = np.repeat(np.arange(len(ids)), np.diff(graph.indptr))
    some = np.flatnonzero(rows < graph.indices)
    some = some[np.lexsort((some, alphas[some]))][: LINES_EACH * len(ids)]
    return set(zip(ids[rows[some]].tolist(), ids[graph.indices[some]].tolist(), strict=True))
