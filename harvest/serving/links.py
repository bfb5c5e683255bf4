"""Say of what thing an id in a result is, and where to go on from it. Pure.

In: the name of a column, the table it is shown of (None: a query), the row it stands in. Out: the thing, and the ways
on from it. What a column is called says whose id it is, in tables, views and named queries alike; a few columns hold
ids of different things, and another column of the same row says of which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harvest.lists import KINDS
from harvest.things import SHOWN, THINGS

_OF_COLUMN = {
    "track_id": "track",
    "related_track_id": "track",
    "user_id": "user",
    "other_user_id": "user",
    "other_id": "user",
    "uploader_id": "user",
    "owner_id": "user",
    "artist_id": "user",
    "other_artist_id": "user",
    "follower_id": "user",
    "followee_id": "user",
    "playlist_id": "playlist",
    "station_id": "station",
}
# The column that says of what kind an id is: the thing itself, or the kind of list whose subject it is.
_TOLD_BY = {"id": "thing", "thing_id": "thing", "seed_id": "seed_kind", "subject_id": "kind"}
_OF_TABLE = {**{thing.table: thing.name for thing in SHOWN}, "track_counts": "track", "user_counts": "user"}


@dataclass(frozen=True, slots=True)
class Way:
    """A way on from a thing: its words, and the named query or table with the parameter that takes the id."""

    words: str
    where: str
    parameter: str


WAYS = {
    "track": (Way("co-likes", "co-likes", "track"), Way("fans", "fans-of", "track")),
    "user": (Way("likes", "likes-of", "user"), Way("near taste", "similar-taste", "user")),
    "playlist": (Way("its tracks", "playlist_tracks", "playlist_id"),),
    "station": (Way("its tracks", "station_tracks", "station_id"),),
}


def thing_of(column: str, table: str | None, row: Mapping[str, Any]) -> str | None:
    """Name the thing whose id a column holds, None where it holds no id of a thing that has a page."""
    if column == "id" and (table is not None or "thing" not in row):
        return _OF_TABLE.get(table or "")
    if column in _TOLD_BY and _TOLD_BY[column] in row:
        told = bare(row[_TOLD_BY[column]])
        named = KINDS[told].subject if told in KINDS else told
        return named if named in WAYS else None
    return _OF_COLUMN.get(column)


def bare(value: Any) -> Any:
    """Give a value without the label that datasette puts beside it."""
    return value["value"] if isinstance(value, dict) else value


def row_address(base: str, thing: str, thing_id: int) -> str:
    """Give the page of a thing's own row; `base` is the address of the file's pages."""
    return f"{base}/{THINGS[thing].table}/{thing_id}"


def onward(base: str, thing: str, thing_id: int | str, *, mapped: bool = False) -> list[tuple[str, str]]:
    """Give the ways on from a thing inside the file, as (words, address): the queries about it, its place on the map
    where tracks are `mapped`, and why it is here.
    """
    asked = [(way.words, f"{base}/{way.where}?{way.parameter}={thing_id}") for way in WAYS[thing]]
    if mapped and thing == "track":
        asked.append(("map", map_address(thing_id)))
    return [*asked, ("why", why_address(thing, thing_id))]


def map_address(thing_id: int | str) -> str:
    """Give the place of a track on the map of the tracks, which says so where the track is not among those drawn."""
    return f"/-/explore#track-{thing_id}"


def why_address(thing: str, thing_id: int | str) -> str:
    """Give the page that says how a thing came into the file."""
    return f"/-/why/{thing}/{thing_id}"
