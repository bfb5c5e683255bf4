"""Find things by what a reader types: words, a name, an id, a URN, an address. Reads only."""

from __future__ import annotations

import sqlite3

from harvest.errors import SeedError
from harvest.explore.named import Named
from harvest.store.provenance import find
from harvest.things import SHOWN, THINGS

AT_ONCE = 20  # of each kind
_KNOWN_BY = {"user": "followers_count", "playlist": "likes_count"}


def by_address(connection: sqlite3.Connection, sought: str) -> list[tuple[str, int]]:
    """Give what an id, URN or address names, as (thing, id); an id may be of several things."""
    found = []
    for thing in SHOWN:
        try:
            found.append((thing.name, find(connection, thing.name, sought)[0]))
        except SeedError:
            continue
    return found


def tracks_with(connection: sqlite3.Connection, search: Named, words: str) -> list[int]:
    """Give the most liked tracks that have all the words; one more than are shown says that there are more."""
    return [row[0] for row in connection.execute(search.body, {"words": words, "limit": str(AT_ONCE + 1)})]


def called(connection: sqlite3.Connection, thing: str, text: str) -> list[int]:
    """Give those of which most people know (followers of people, likes of playlists) that have the text in their name;
    reads through all of them.
    """
    kind = THINGS[thing]
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    found = connection.execute(
        rf"""
        SELECT id FROM {kind.table} WHERE {kind.label} LIKE ? ESCAPE '\'
        ORDER BY {_KNOWN_BY[thing]} DESC NULLS LAST, id LIMIT ?
        """,  # noqa: S608 - our own declarations
        (f"%{plain}%", AT_ONCE + 1),
    )
    return [row[0] for row in found]
