"""Find tracks and people by what they are called, where no id, URN or address was given. Reads only."""

from __future__ import annotations

import sqlite3

from harvest.errors import SeedError
from harvest.store.provenance import find
from harvest.things import THINGS

_SHOWN = 5  # of several of one name


def named(connection: sqlite3.Connection, thing: str, wanted: str) -> int:
    """Give the id of what an id, URN or address names, or of the one thing of that name, in capitals or not.

    Raises SeedError where there is none of that name, or several: it lists some of them then. A name is looked for only
    when nothing else fits: it goes through all tracks or people.
    """
    try:
        return find(connection, thing, wanted)[0]
    except SeedError:
        rows = _called(connection, thing, wanted.strip())
        if len(rows) == 1:
            return int(rows[0][0])
        if not rows:
            told = "an id, a URN, the page's address or a whole name names one."
            raise SeedError(f"There is no {thing} {wanted} in this file; {told}") from None
    told = ", ".join(f"{number} ({url})" if url else str(number) for number, url in rows[:_SHOWN])
    more = ", and more" if len(rows) > _SHOWN else ""
    raise SeedError(f"There is more than one {thing} called {wanted}: {told}{more}; name one by its id or address.")


def _called(connection: sqlite3.Connection, thing: str, name: str) -> list[tuple[int, str | None]]:
    kind = THINGS[thing]
    found = connection.execute(
        f"""
        SELECT id, permalink_url FROM {kind.table} WHERE {kind.label} = ? COLLATE NOCASE ORDER BY id LIMIT ?
        """,  # noqa: S608 - our own words
        (name, _SHOWN + 1),
    ).fetchall()
    return [(row[0], row[1]) for row in found]
