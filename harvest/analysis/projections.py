"""The graph of tracks, or of people, with what its edges are worth: a score, what both have in common, plainly and
corrected for degree, and how likely that is by chance.

It is the graph in which communities are found (`communities.py`): each joined to the nearest few of its neighbours.

- `score` is the cosine of both;
- `common` counts the people who like both, or the tracks that both like;
- `shared` counts them too, each as 1 / (d - 1), where d is how many tracks the person likes, or how many like the
  track: one of many likes says less of each two (Newman 2001, doi:10.1103/PhysRevE.64.016132);
- `alpha` is the chance of an edge like this: by the disparity filter (`backbone.py`), which knows the scores of the
  graph alone, or by the stochastic degree sequence model (`degree_model.py`), which knows who likes how much.

In: a connection to a file that was analysed. Out: edges. Never: a write.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np

from harvest.analysis import derivations
from harvest.analysis.backbone import significance
from harvest.analysis.communities import read_near
from harvest.analysis.degree_model import Floats, Ints, fit
from harvest.analysis.likes import all_likes, read_library
from harvest.analysis.methods import COMMUNITIES, SOURCES, Choices
from harvest.errors import SettingsError

BACKBONES = ("disparity", "sdsm")
LEVEL = 0.05
OF = dict(zip(("tracks", "people"), COMMUNITIES, strict=True))
_AT_ONCE = 20_000  # edges


class Edge(NamedTuple):
    """Two tracks or people by their ids, the lesser first, and what joins them."""

    one: int
    other: int
    score: float
    common: int
    shared: float
    alpha: float


def edges(
    connection: sqlite3.Connection, of: str, *, method: str = BACKBONES[0], level: float | None = LEVEL
) -> Iterator[Edge]:
    """Give the edges of the graph of `tracks` or `people` whose alpha is below a level, None for all; in the order of
    their ids. Raises SettingsError where there is no such graph, method, or model.
    """
    source = _source(connection, of, method)
    near = read_near(connection, OF[of])
    rows = np.repeat(np.arange(len(near.ids)), np.diff(near.graph.indptr))
    once = np.flatnonzero(rows < near.graph.indices)
    ends = np.column_stack((near.ids[rows[once]], near.ids[near.graph.indices[once]])).reshape(-1, 2)
    likes, places = _likes(connection, of, source, ends)
    common, shared = _in_common(likes, places)
    alphas = significance(near.graph)[once] if method == BACKBONES[0] else _by_degrees(likes, places, common)
    for place in np.flatnonzero(alphas < level).tolist() if level is not None else range(len(ends)):
        one, other = ends[place].tolist()
        score, alpha = float(near.graph.data[once[place]]), float(alphas[place])
        yield Edge(one, other, score, int(common[place]), float(shared[place]), alpha)


def _source(connection: sqlite3.Connection, of: str, method: str) -> derivations.Derivation:
    if of not in OF:
        raise SettingsError(f"There is a backbone of tracks and of people, not of {of!r}.")
    if method not in BACKBONES:
        raise SettingsError(f"The method of a backbone is {' or '.join(BACKBONES)}, not {method!r}.")
    found = derivations.find(connection, SOURCES[OF[of]])
    if found is None:
        raise SettingsError(f"No {of} were compared yet: `harvest analyze --method {SOURCES[OF[of]]}` does it.")
    return found


def _likes(connection: sqlite3.Connection, of: str, source: derivations.Derivation, ends: Ints) -> tuple[Any, Ints]:
    """Give who likes what as it was compared, with tracks or people as the columns of a CSC matrix, and the columns of
    both ends of each edge.
    """
    told = json.loads(source.parameters)
    library = read_library(connection, Choices(**{one.name: told[one.name] for one in fields(Choices)}))
    matrix = all_likes(library)
    ids, columns = (library.track_ids, matrix) if of == "tracks" else (library.user_ids, matrix.T)
    places = np.searchsorted(ids, ends)
    if len(ends) and (places.max() >= len(ids) or not np.array_equal(ids[places], ends)):
        raise SettingsError("The file has changed since it was analysed: `harvest analyze` brings it up to date.")
    return columns.tocsc(), places


def _in_common(likes: Any, places: Ints) -> tuple[Ints, Floats]:
    """Count what both ends of each edge have in common, plainly and corrected for degree."""
    degrees = np.asarray(likes.sum(axis=1)).ravel()
    weights = np.divide(1.0, degrees - 1, where=degrees > 1, out=np.zeros(len(degrees)))
    common, shared = np.zeros(len(places), np.int64), np.zeros(len(places))
    for first in range(0, len(places), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        both = likes[:, places[some, 0]].multiply(likes[:, places[some, 1]])
        common[some], shared[some] = np.asarray(both.sum(axis=0)).ravel(), both.T @ weights
    return common, shared


def _by_degrees(likes: Any, places: Ints, common: Ints) -> Floats:
    of_columns = np.diff(likes.indptr)
    liked = np.flatnonzero(of_columns)
    number = np.zeros(len(of_columns), np.int64)
    number[liked] = np.arange(len(liked))
    model = fit([n for n in np.asarray(likes.sum(axis=1)).ravel().tolist() if n], of_columns[liked])
    if model is None:
        raise SettingsError("No model has these numbers of likes: use --method disparity.")
    return model.alphas(number[places], common)
