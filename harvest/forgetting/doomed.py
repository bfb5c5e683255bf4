"""Find what is to be forgotten, and all that goes with it: what a person made belongs to that person.

In: things by kind and id. Out: `temp.doomed`, a row for everything that goes, each of the things among it with a number
below 0 to stand in its place in the ledger; and the texts that lead to it. Never: a row of the file changed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from harvest.errors import SeedError
from harvest.forgetting.leads import NamedBeside, is_of_things, leads
from harvest.lists import KINDS
from harvest.store import provenance
from harvest.store.suppression import Named
from harvest.things import SHOWN, of_urn

# They are no things, and go with those they lead to.
MADE_BY_OTHERS = ("comment", "link", *(kind.item for kind in KINDS.values() if kind.own_rows))
_OF_ALL = "/default_avatar_"  # is in the address of the picture of users without one of their own
_STATIONS = {"user": "artist-stations", "track": "track-stations"}
# Columns whose texts name a thing or lead to it.
_TEXTS = {
    "users": ("username", "full_name", "permalink_url", "avatar_url"),
    "tracks": ("permalink_url", "artwork_url"),
    "playlists": ("permalink_url", "artwork_url"),
    "stations": ("permalink_url", "urn"),
}


def find(connection: sqlite3.Connection, wanted: str) -> Named:
    """Give kind and id of what a URN, the address of a page or an id names. Raises SeedError.

    A URN need not be in the file: it is kept out of it from then on.
    """
    named = of_urn(wanted.strip())
    if named is not None:
        return named[0].name, named[1]
    found = set()
    for thing in SHOWN:
        try:
            found.add((thing.name, provenance.find(connection, thing.name, wanted)[0]))
        except SeedError:
            continue
    if len(found) > 1:
        urns = " or ".join(sorted(f"soundcloud:{name}s:{number}" for name, number in found))
        raise SeedError(f"{wanted} names several things: write {urns}.")
    if not found:
        raise SeedError(f"There is nothing at {wanted} in this file; a URN keeps out what is not in it yet.")
    return found.pop()


def doom(connection: sqlite3.Connection, wanted: Iterable[Named]) -> None:
    """Fill `temp.doomed` with these things and what goes with them."""
    make_table(connection)
    connection.executemany("INSERT OR IGNORE INTO temp.doomed (thing, id) VALUES (?, ?)", wanted)
    for lead in leads(connection):
        if is_of_things(lead.table):  # a track knows its uploader
            made = next(thing for thing in SHOWN if thing.table == lead.table)
            _add(connection, made.name, f"{lead.table} AS m WHERE m.{lead.column} IN ({of(lead.thing)})")
    for thing, station in _STATIONS.items():
        _add(
            connection,
            "station",
            f"stations AS m WHERE m.urn IN (SELECT 'soundcloud:system-playlists:{station}:' || d.id"  # noqa: S608
            f" FROM temp.doomed AS d WHERE d.thing = '{thing}')",
        )
    for kind, tables in (("comment", ("comments", "past_comments")), ("link", ("web_profiles", "past_web_profiles"))):
        for lead in leads(connection):
            if lead.table in tables:
                _add(connection, kind, f"{lead.table} AS m WHERE m.{lead.column} IN ({of(lead.thing)})")
    for one in KINDS.values():
        if one.own_rows and one.edge:
            for column in filter(None, (one.edge.subject, one.edge.leads)):
                which = f"m.{column} IN ({of(column.removesuffix('_id'))})"
                _add(connection, one.item, f"{one.edge.table} AS m WHERE {which}")
    number(connection)


def make_table(connection: sqlite3.Connection) -> None:
    """Make `temp.doomed`, empty."""
    connection.execute("DROP TABLE IF EXISTS temp.doomed")
    connection.execute(
        """
        CREATE TEMP TABLE doomed (
            thing  TEXT    NOT NULL,
            id     INTEGER NOT NULL,
            number INTEGER,
            PRIMARY KEY (thing, id)
        ) WITHOUT ROWID
        """
    )


def number(connection: sqlite3.Connection) -> None:
    """Give every thing that is doomed a number of its own below 0, in no order."""
    connection.execute(
        f"""
        UPDATE temp.doomed SET number = n.number
        FROM (
            SELECT thing, id, -(SELECT coalesce(sum(f.things), 0) FROM forgettings AS f)
                - row_number() OVER (ORDER BY random()) AS number
            FROM temp.doomed WHERE thing NOT IN {MADE_BY_OTHERS}
        ) AS n
        WHERE doomed.thing = n.thing AND doomed.id = n.id
        """  # noqa: S608 - our own words
    )


def of(thing: str) -> str:
    """Write the query for the ids of what is doomed of one kind."""
    return f"SELECT d.id FROM temp.doomed AS d WHERE d.thing = '{thing}'"  # noqa: S608 - our own words


def beside(named: NamedBeside) -> str:
    """Write the condition for rows `x` that name something doomed by its kind and id."""
    return (
        f"x.{named.column} IN (SELECT d.id FROM temp.doomed AS d)"  # noqa: S608 - our own declarations
        f" AND ({named.kind}, x.{named.column}) IN (SELECT d.thing, d.id FROM temp.doomed AS d)"
    )


def things(connection: sqlite3.Connection) -> int:
    """Count the things that are doomed, whether they are in the file or not."""
    (n,) = connection.execute("SELECT count(number) FROM temp.doomed").fetchone()
    return int(n)


def named(connection: sqlite3.Connection) -> list[Named]:
    """Give the things that are doomed, whether they are in the file or not."""
    return connection.execute("SELECT thing, id FROM temp.doomed WHERE number IS NOT NULL").fetchall()


def texts(connection: sqlite3.Connection) -> list[str]:
    """Give the texts that name what is doomed or lead to it, each once: names, addresses, URNs, also earlier ones."""
    found: dict[str, None] = {}
    for thing in SHOWN:
        columns = _TEXTS[thing.table]
        rows = connection.execute(
            f"SELECT {', '.join(columns)} FROM {thing.table} WHERE id IN ({of(thing.name)})"  # noqa: S608 - our own words
        )
        found.update((text, None) for row in rows for text in row if text and _OF_ALL not in text)
        if not thing.by_name:
            found.update((f"{thing.urn}{row[0]}", None) for row in connection.execute(of(thing.name)))
    renamed = f"""
        SELECT old, new FROM changes WHERE "table" = 'users' AND what = 'renamed' AND ids ->> 'id' IN ({of("user")})
    """  # noqa: S608 - our own words
    found.update((text, None) for row in connection.execute(renamed) for text in row if text)
    for address, aliases in connection.execute(
        "SELECT address, aliases FROM seeds WHERE (thing, thing_id) IN (SELECT thing, id FROM temp.doomed)"
    ):
        found.update((text, None) for text in (address, *json.loads(aliases)))
    return list(found)


def _add(connection: sqlite3.Connection, thing: str, rows: str) -> None:
    connection.execute(f"INSERT OR IGNORE INTO temp.doomed (thing, id) SELECT '{thing}', m.id FROM {rows}")  # noqa: S608
