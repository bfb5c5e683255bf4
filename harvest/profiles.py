"""What is kept of people and things at each level of `--profiles`, column by column, from the declarations. Pure.

`none` keeps ids and edges: of a thing its id, whose it is, by which name it is asked for where its number is none, how
richly it was seen, and the counts that lists are held against (`claimed` in `lists.py`), by which plans are made and
lists are called short. Every name, text, address, time and other count stays out. `minimal` adds what the service shows
of things, and of people what stands on every list they are in. `full` adds what people say of themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harvest.lists import KINDS
from harvest.models import Comment, Page, Playlist, Station, Track, User, WebProfile
from harvest.things import THINGS

LEVELS = ("none", "minimal", "full")  # each keeps what the one before keeps, and more
USUAL = "minimal"
PERSONAL = ("full_name", "city", "country", "description", "website")  # of people, kept with `full` alone

# What replies say of things, by table: the columns that hold it.
NOUNS: dict[str, tuple[str, ...]] = {
    "users": User._fields,
    "tracks": Track._fields,
    "playlists": Playlist._fields,
    "stations": Station._fields,
    "comments": Comment._fields,
    "web_profiles": WebProfile._fields,
}
_KEPT = ("id", "urn", "seen_as", "uploader_id", "owner_id", "track_id", "user_id")
# The table a kind of list is held against, and the column there.
_CLAIMED = {(THINGS[kind.subject].table, kind.claimed) for kind in KINDS.values() if kind.claimed}

# What `none` leaves out, by table.
CONTENT: dict[str, tuple[str, ...]] = {
    table: tuple(name for name in fields if name not in _KEPT and (table, name) not in _CLAIMED)
    for table, fields in NOUNS.items()
} | {
    kind.name: tuple(name for name, _ in kind.own_rows.columns if name != kind.own_rows.names)
    for kind in KINDS.values()
    if kind.own_rows
}
# What cannot be NULL has no text in place of one.
NO_TEXT: Mapping[tuple[str, str], str] = {("web_profiles", "url"): ""}
_WITHOUT: dict[str, dict[str, Any]] = {
    table: {name: NO_TEXT.get((table, name)) for name in names} for table, names in CONTENT.items()
}


def rank(level: object) -> int:
    """Give the place of a level, 0 the one that keeps least; what no run has stored is as usual."""
    return LEVELS.index(level) if isinstance(level, str) and level in LEVELS else LEVELS.index(USUAL)


def bare(page: Page) -> Page:
    """Leave of a page what `none` keeps."""
    return replace(
        page,
        users={i: one._replace(**_WITHOUT["users"]) for i, one in page.users.items()},
        tracks={i: one._replace(**_WITHOUT["tracks"]) for i, one in page.tracks.items()},
        tags={},
        playlists={i: one._replace(**_WITHOUT["playlists"]) for i, one in page.playlists.items()},
        stations={i: one._replace(**_WITHOUT["stations"]) for i, one in page.stations.items()},
        comments={i: one._replace(**_WITHOUT["comments"]) for i, one in page.comments.items()},
        links={i: one._replace(**_WITHOUT["web_profiles"]) for i, one in page.links.items()},
        unsupported_urns=tuple("" for _ in page.unsupported_urns),
    )
