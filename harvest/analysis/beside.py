"""Answer what stands beside a thing in the same playlists, stations or lists of people, and what the service itself
puts beside a track. Reads only.

One declaration each (`BESIDE`): a table in which things stand, and what they stand in. Nothing of it is analysed
before: each request counts it, from all that was read.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from harvest.analysis import plugged, reasons
from harvest.analysis.formulas import score
from harvest.analysis.freshness import bound, frames
from harvest.analysis.methods import Choices
from harvest.store.provenance import find


@dataclass(frozen=True, slots=True)
class Beside:
    """A way for two things of a kind to belong together: both stand, as `item`, in the same `inside`.

    `where` says which rows of the table count. `least` are so many that two must share; `words` are what is shared, one
    and several; `read` is the option that has it read. Tracks for which people were chosen are left out where `likes`
    are among what counts: all these people have them.
    """

    method: str
    thing: str
    table: str
    item: str
    inside: str
    words: tuple[str, str]
    read: str
    least: int = 2
    where: str = ""
    likes: bool = False


_LISTED = "{0}.user_list_rank IS NOT NULL"
BESIDE = (
    Beside(
        *("playlists", "track", "playlist_tracks", "track_id", "playlist_id"),
        words=("playlist holds both", "playlists hold both"),
        read="--read +playlists,+playlist-tracks",
        least=1,
    ),
    Beside(
        *("stations", "track", "station_tracks", "track_id", "station_id"),
        words=("station holds both", "stations hold both"),
        read="harvest STATION",
        least=1,
    ),
    Beside(
        *("reposts", "track", "user_engagements", "track_id", "user_id"),
        words=("person reposted both", "people reposted both"),
        read="--read +reposts",
        where=f"{_LISTED} AND {{0}}.engagement_type = 'repost'",
        likes=True,
    ),
    Beside(
        *("likes_reposts", "track", "user_engagements", "track_id", "user_id"),
        words=("person likes or reposted both", "people like or reposted both"),
        read="--read +reposts",
        where=_LISTED,
        likes=True,
    ),
    Beside(
        *("followings", "user", "user_follows", "follower_id", "followee_id"),
        words=("account is followed by both", "accounts are followed by both"),
        read="--read +followings",
        where="{0}.followings_list_rank IS NOT NULL",
    ),
    Beside(
        *("followers", "user", "user_follows", "followee_id", "follower_id"),
        words=("follower in common", "followers in common"),
        read="--read +followings, or +followers",
    ),
    Beside(
        *("reposts", "user", "user_engagements", "user_id", "track_id"),
        words=("track reposted by both", "tracks reposted by both"),
        read="--read +reposts",
        where=f"{_LISTED} AND {{0}}.engagement_type = 'repost'",
        likes=True,
    ),
)
WAYS = {(one.thing, one.method): one for one in BESIDE}
OFFICIAL = "soundcloud"  # the service's own related tracks, in its order

MINE = "SELECT count(DISTINCT m.{inside}) FROM {table} AS m WHERE m.{item} = :one {mine}"
TOGETHER = """
WITH mine AS MATERIALIZED (SELECT DISTINCT m.{inside} AS inside FROM {table} AS m WHERE m.{item} = :one {mine}),
together AS MATERIALIZED (
    SELECT o.{item} AS other, count(DISTINCT o.{inside}) AS common
    FROM mine AS i
    CROSS JOIN {table} AS o ON o.{inside} = i.inside
    WHERE o.{item} <> :one {theirs}
    GROUP BY o.{item}
    HAVING count(DISTINCT o.{inside}) >= :least
)
SELECT t.other, t.common, (SELECT count(DISTINCT m.{inside}) FROM {table} AS m WHERE m.{item} = t.other {mine}) AS size
FROM together AS t
"""
_NOT_FRAMED = "AND {}.track_id NOT IN (SELECT value FROM json_each(:frames))"

# What the service finds related, and how many people here like both.
_OFFICIAL = """
SELECT r.related_track_id, (
    SELECT count(*) FROM user_engagements AS m
    CROSS JOIN user_engagements AS o
        ON o.user_id = m.user_id AND o.track_id = r.related_track_id AND o.engagement_type = 'like'
    WHERE m.track_id = r.track_id AND m.engagement_type = 'like'
) AS common, r.rank
FROM related_tracks AS r
WHERE r.track_id = :one AND r.method = 'soundcloud' AND r.rank IS NOT NULL
ORDER BY r.rank LIMIT :limit
"""
_NAMES = {
    "track": "SELECT t.title, coalesce(t.metadata_artist, a.username), t.permalink_url"
    " FROM tracks AS t LEFT JOIN users AS a ON a.id = t.uploader_id WHERE t.id = ?",
    "user": "SELECT username, NULL, permalink_url FROM users WHERE id = ?",
}


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A thing beside the one asked for. `common` is what both stand in, of `size` it stands in itself; of the service's
    own, people who like both, and the place the service gives it instead of a score.
    """

    id: int
    title: str | None
    artist: str | None
    url: str | None
    common: int
    size: int | None
    score: float | None
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What stands beside a thing; `size` is what it stands in itself, None where the service says what is beside it.
    `frame`: people were chosen for it, and they are what is counted.
    """

    id: int
    title: str | None
    artist: str | None
    url: str | None
    thing: str
    method: str
    size: int | None
    frame: bool
    words: tuple[str, str]
    read: str
    near: tuple[Neighbour, ...] = field(default=())
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        told = asdict(self)
        return {name: told[name] for name in told if name not in ("words", "read")}


def methods_of(thing: str) -> tuple[str, ...]:
    """Name the ways in which things of a kind may belong together."""
    ours = tuple(one.method for one in BESIDE if one.thing == thing) + ((OFFICIAL,) if thing == "track" else ())
    return (*ours, *(name for name, one in plugged.analyses().items() if one.is_near(thing)))


def beside(
    connection: sqlite3.Connection, thing: str, wanted: str, *, method: str, limit: int, framing: str | None = None
) -> Neighbours:
    """Give what stands beside a track or a person that an id, URN or address names; see `related` for `framing`.

    Raises SeedError when it is not in the file.
    """
    one, _, _ = find(connection, thing, wanted)
    title, artist, url = connection.execute(_NAMES[thing], (one,)).fetchone()
    if method == OFFICIAL:
        rows = connection.execute(_OFFICIAL, {"one": one, "limit": limit}).fetchall()
        near = tuple(_neighbour(connection, thing, row[0], row[1], None, None, row[2]) for row in rows)
        words = ("person likes both", "people like both")
        read = "--read +related"
        return Neighbours(one, title, artist, url, thing, method, None, False, words, read, near, _reason(near, read))
    if (thing, method) not in WAYS:
        rows = plugged.near(connection, thing, one, method, limit)
        near = tuple(_neighbour(connection, thing, other, 0, None, value) for other, value in rows)
        reason = None if near else f"Nothing is near it. `harvest analyze --method {method}` computes what is."
        return Neighbours(one, title, artist, url, thing, method, None, False, ("", ""), "", near, reason)
    way = WAYS[thing, method]
    left_out = frames(connection, Choices(frames=framing or "auto")) if way.likes else []
    is_frame = thing == "track" and one in left_out
    parameters = bound(Choices(), one=one, least=way.least, frames=left_out)
    size, scored = _scored(connection, way, parameters)
    nearest = heapq.nsmallest(limit, scored, key=lambda found: (-found[1], found[0]))
    near = tuple(_neighbour(connection, thing, other, common, its, value) for other, value, common, its in nearest)
    reason = _reason(near, way.read)
    if not near and left_out and connection.execute(filled(TOGETHER, way), {**parameters, "frames": "[]"}).fetchone():
        reason = reasons.frames_alone("Others stand beside it, but")
    return Neighbours(one, title, artist, url, thing, method, size, is_frame, way.words, way.read, near, reason)


def _reason(near: tuple[Neighbour, ...], read: str) -> str | None:
    """Say why nothing stands beside a thing; None where something does."""
    return None if near else f"Nothing that was read puts anything beside it. It counts what is read by: {read}."


def in_playlists(connection: sqlite3.Connection, track_id: int) -> Iterator[tuple[int, float, int]]:
    """Yield every track that stands in a playlist with this one: its id, the cosine, how many playlists hold both."""
    way = WAYS["track", "playlists"]
    _, scored = _scored(connection, way, bound(Choices(), one=track_id, least=way.least))
    return ((other, value, common) for other, value, common, _ in scored)


def _scored(
    connection: sqlite3.Connection, way: Beside, parameters: dict[str, object]
) -> tuple[int, Iterator[tuple[int, float, int, int]]]:
    """Count in what a thing stands; give with it the others: their score, what both stand in, their own size."""
    (size,) = connection.execute(filled(MINE, way), parameters).fetchone()
    return int(size), (
        (row[0], score("cosine", row[1], size, row[2], 0), row[1], row[2])
        for row in connection.execute(filled(TOGETHER, way), parameters)
    )


def filled(sql: str, way: Beside) -> str:
    """Fill a statement with a declaration; frames count neither as what is shared nor as a neighbour."""
    where = f"AND {way.where}" if way.where else ""
    mine, theirs = where.format("m"), where.format("o")
    if way.likes:
        theirs += f" {_NOT_FRAMED.format('o')}"
        mine += f" {_NOT_FRAMED.format('m')}" if way.inside == "track_id" else ""
    return sql.format(table=way.table, item=way.item, inside=way.inside, mine=mine, theirs=theirs)


def _neighbour(
    connection: sqlite3.Connection,
    thing: str,
    other: int,
    common: int,
    size: int | None,
    value: float | None,
    rank: int | None = None,
) -> Neighbour:
    title, artist, url = connection.execute(_NAMES[thing], (other,)).fetchone()
    return Neighbour(other, title, artist, url, common, size, value, rank)
