"""Answer which tracks are described as one track is: by the same artist, label, genre and tags. Reads only.

A feature that n of the N tracks in the file have weighs ln(N / n): what few tracks have says most. The nearness of a
track is the weight of the features that it shares by the weight of all features of the one asked for: 1 where it has
them all. Tags count in any spelling, genre and label as they are written. What a track has besides does not count
against it, so one with very many tags is near to much.
"""

from __future__ import annotations

import json
import math
import sqlite3
from dataclasses import asdict, dataclass, field
from typing import Any

from harvest.store.provenance import find

METHOD = "metadata"
_DIGITS = 12

_FEATURES = """
SELECT 'artist', t.uploader_id, coalesce(u.username, t.uploader_id),
    (SELECT count(*) FROM tracks AS o WHERE o.uploader_id = t.uploader_id)
FROM tracks AS t LEFT JOIN users AS u ON u.id = t.uploader_id WHERE t.id = :one AND t.uploader_id IS NOT NULL
UNION ALL
SELECT 'label', t.label_name, t.label_name, (SELECT count(*) FROM tracks AS o WHERE o.label_name = t.label_name)
FROM tracks AS t WHERE t.id = :one AND t.label_name IS NOT NULL
UNION ALL
SELECT 'genre', t.genre, t.genre, (SELECT count(*) FROM tracks AS o WHERE o.genre = t.genre)
FROM tracks AS t WHERE t.id = :one AND t.genre IS NOT NULL
UNION ALL
SELECT DISTINCT 'tag', g.folded, g.folded, (
    SELECT count(DISTINCT c.track_id) FROM tags AS s CROSS JOIN track_tags AS c ON c.tag_id = s.id
    WHERE s.folded = g.folded
)
FROM track_tags AS m CROSS JOIN tags AS g ON g.id = m.tag_id WHERE m.track_id = :one
"""

# Each row one feature of one other track: found along the indexes, but for labels, which have none.
NEAR = """
WITH wanted AS MATERIALIZED (
    SELECT value ->> 0 AS what, value ->> 1 AS which, value ->> 2 AS name, value ->> 3 AS weight
    FROM json_each(:features)
),
shared (track_id, name, weight) AS (
    SELECT t.id, 'artist ' || w.name, w.weight
    FROM wanted AS w CROSS JOIN tracks AS t ON t.uploader_id = w.which WHERE w.what = 'artist'
    UNION ALL
    SELECT t.id, 'label ' || w.name, w.weight
    FROM wanted AS w CROSS JOIN tracks AS t ON t.label_name = w.which WHERE w.what = 'label'
    UNION ALL
    SELECT t.id, 'genre ' || w.name, w.weight
    FROM wanted AS w CROSS JOIN tracks AS t ON t.genre = w.which WHERE w.what = 'genre'
    UNION ALL
    SELECT DISTINCT c.track_id, 'tag ' || w.name, w.weight
    FROM wanted AS w
    CROSS JOIN tags AS g ON g.folded = w.which
    CROSS JOIN track_tags AS c ON c.tag_id = g.id
    WHERE w.what = 'tag'
),
nearest AS (
    SELECT track_id, round(sum(weight) / :whole, 12) AS score, json_group_array(name) AS shared
    FROM shared
    WHERE track_id <> :one
    GROUP BY track_id
    ORDER BY score DESC, track_id
    LIMIT :limit
)
SELECT n.track_id, t.title, coalesce(t.metadata_artist, u.username), t.permalink_url, n.score, n.shared
FROM nearest AS n
JOIN tracks AS t ON t.id = n.track_id
LEFT JOIN users AS u ON u.id = t.uploader_id
ORDER BY n.score DESC, n.track_id
"""


@dataclass(frozen=True, slots=True)
class Alike:
    """A track that shares some of the features: `shared` names them, the rarest first."""

    track_id: int
    title: str | None
    artist: str | None
    url: str | None
    score: float
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Described:
    """The tracks described as one is; `features` are what is said of that one, each with its weight."""

    track_id: int
    title: str | None
    url: str | None
    method: str
    features: dict[str, float]
    near: tuple[Alike, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return asdict(self)


def described(connection: sqlite3.Connection, wanted: str, *, limit: int) -> Described:
    """Give the tracks that share most of what is said of the one that an id, URN or address names.

    Raises SeedError when it is not in the file.
    """
    one, title, url = find(connection, "track", wanted)
    (tracks,) = connection.execute("SELECT tracks FROM totals").fetchone()
    features = [
        (what, which, name, math.log(tracks / n))
        for what, which, name, n in connection.execute(_FEATURES, {"one": one})
    ]
    weights = {f"{what} {name}": round(weight, _DIGITS) for what, _, name, weight in features}
    whole = sum(weight for *_, weight in features)
    rows = (
        connection.execute(NEAR, {"one": one, "features": json.dumps(features), "whole": whole, "limit": limit})
        if whole
        else ()
    )
    near = tuple(
        Alike(row[0], row[1], row[2], row[3], row[4], _rarest_first(json.loads(row[5]), weights)) for row in rows
    )
    return Described(one, title, url, METHOD, weights, near)


def _rarest_first(names: list[str], weights: dict[str, float]) -> tuple[str, ...]:
    return tuple(sorted(names, key=lambda name: (-weights[name], name)))
