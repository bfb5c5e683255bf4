"""Find things by whatever somebody may type: words, a name, an id, a URN, an address. Reads only."""

from __future__ import annotations

import sqlite3

from harvest.errors import SeedError
from harvest.explore.named import Named
from harvest.store.provenance import find
from harvest.things import SHOWN

AT_ONCE = 20  # of each kind


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


def people_named(connection: sqlite3.Connection, name: str) -> list[int]:
    """Give those with most followers whose name has these letters in it; reads through all people."""
    return _like(
        connection,
        r"""
        SELECT id FROM users WHERE username LIKE ? ESCAPE '\'
        ORDER BY followers_count DESC NULLS LAST, id LIMIT ?
        """,
        name,
    )


def playlists_named(connection: sqlite3.Connection, name: str) -> list[int]:
    """Give the most liked playlists whose title has these letters in it; reads through all playlists."""
    return _like(
        connection,
        r"""
        SELECT id FROM playlists WHERE title LIKE ? ESCAPE '\'
        ORDER BY likes_count DESC NULLS LAST, id LIMIT ?
        """,
        name,
    )


def _like(connection: sqlite3.Connection, sql: str, text: str) -> list[int]:
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return [row[0] for row in connection.execute(sql, (f"%{plain}%", AT_ONCE + 1))]
