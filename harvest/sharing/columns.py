"""What stands in a dehydrated folder: tables of the file, column by column. Pure.

With real ids that is every table of a file of ids (`harvest/profiles.py`), but for what is made of others and can be
made again, and for what belongs to one file or one process. With pseudonyms every id of a person is one, and so is that
of a comment, since it leads to its author; and whatever else would lead from the tracks, whose ids stay, back to
people is left out: whose a track or a playlist is, places in public lists, requests and cursors, exact counts of
people.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from harvest.lists import KINDS, STORED
from harvest.profiles import CONTENT, NO_TEXT
from harvest.store import levels
from harvest.things import THINGS

FORMAT = "harvest dehydrated 1"
# Tables that are declared, counted by triggers, of one process or file, or to be computed again.
_OURS = frozenset(
    {
        "things", "outcomes", "list_kinds", "totals", "lease", "progress", "file_key", "replies", "suppressed",
        "suppression_key", "forgettings", "handouts",
        "search_waiting", "tags", "track_tags", "user_similarity", "artist_relationships", "derivation_sizes",
        "track_communities", "user_communities", "partitions",
    }
)  # fmt: skip
_READ_AS = {stored: view for view, stored in STORED.items()}  # the words of a folder are those of its reader
# Of some tables some rows: of derivations what the service itself has said, of counts those that `none` keeps.
_ONLY = {
    "derivations": "method = 'soundcloud'",
    "related_tracks": "method = 'soundcloud'",
    "untold_counts": "name NOT IN ('playback_count', 'download_count')",
    "changes": "what <> 'moved' OR old NOT LIKE '{\"play%' AND old NOT LIKE '{\"down%'",
}
_OF_PEOPLE = ", ".join(f"'{kind.name}'" for kind in KINDS.values() if kind.subject == "user")
# Ranks in lists whose items are people: a person who looks at the list finds the account at that place.
_PUBLIC_RANKS = frozenset(
    (table, kind.edge.rank)
    for kind in KINDS.values()
    if kind.edge and kind.item in ("user", "comment")
    for table in (kind.edge.table, kind.edge.past)
)
_PERSON = "pseudonym('user', {column})"
# A station around a track leads to the track, any other one to a person; and its id is made of its URN.
HIDDEN_STATION = "soundcloud:system-playlists:hidden:"
_OF_TRACK = "s.urn LIKE 'soundcloud:system-playlists:track-stations:%'"
_STATION = f"(SELECT iif({_OF_TRACK}, s.id, pseudonym('station', s.id)) FROM stations AS s WHERE s.id = {{column}})"  # noqa: S608
_URN = (
    f"(SELECT iif({_OF_TRACK}, s.urn, '{HIDDEN_STATION}' || pseudonym('station', s.id))"  # noqa: S608 - our own words
    " FROM stations AS s WHERE s.id = stations.id)"
)
_BY_THING = f"CASE {{thing}} WHEN 'user' THEN {_PERSON} WHEN 'station' THEN {_STATION} ELSE {{column}} END"
_OF_STATIONS = ", ".join(f"'{kind.name}'" for kind in KINDS.values() if kind.subject == "station")

_BY_URN = (
    f"CASE {{thing}} WHEN 'user' THEN 'soundcloud:users:' || {_PERSON.replace('column', 'id')} WHEN 'station' THEN"
    f" {_URN.replace('stations.id', '{id}')} ELSE {{else_}} END"
)

_SEED = " ".join(f"WHEN '{thing.name}' THEN {thing.urn_of('seeds.thing_id')}" for thing in THINGS.values())
_ADDRESS = f"coalesce(CASE seeds.thing {_SEED} END, 'seed:' || seeds.id)"
_SEED_URL = """(
    SELECT {address} FROM harvest_seeds AS h CROSS JOIN seeds ON seeds.id = h.seed_id
    WHERE h.harvest_id = harvests.id AND harvests.seed_url IS NOT NULL
)"""
_RESOLVES = "(SELECT t.kind FROM tasks AS t WHERE t.id = pages.task_id) = 'resolve'"
# In either case: what is content, what was typed to get at it, and what is hashed under a key that stays with the file.
_ALWAYS: dict[tuple[str, str], str] = {
    **{
        (name, column): "''" if (table, column) in NO_TEXT else "NULL"
        for table, columns in CONTENT.items()
        for name in (table, f"past_{table}")
        for column in columns
    },
    **{("track_counts", column): "NULL" for column in CONTENT["tracks"]},
    ("pages", "body_hash"): "NULL",
    ("pages", "request"): f"iif({_RESOLVES}, '{levels.ASKED[0]}', request)",
    ("pages", "asks"): f"iif({_RESOLVES} AND asks IS NOT NULL, {levels.ASKED[1]}, asks)",
    ("failures", "message"): "class || ' ' || id",
    ("failures", "reply"): "NULL",
    ("seeds", "address"): _ADDRESS,
    ("seeds", "aliases"): "'[]'",
    ("seeds", "reason"): "NULL",
    ("harvests", "reason"): "NULL",
    ("harvests", "seed_url"): _SEED_URL.format(address=_ADDRESS),
    ("changes", "old"): "iif(what IN ('renamed', 'retitled'), NULL, old)",
    ("changes", "new"): "iif(what IN ('renamed', 'retitled'), NULL, new)",
}

_HIDDEN_ADDRESS = _BY_URN.format(thing="seeds.thing", id="seeds.thing_id", else_=_ADDRESS)
# Under pseudonyms: tables that stay behind, and what stands in a column in place of what the file has.
_BEHIND = frozenset(
    {
        "web_profiles",
        "past_web_profiles",
        "plays",
        "user_counts",
        "untold_counts",
        "changes",
        "unexplained",
        "reading_items",
        "judgments",  # what the maker of the file thinks
    }
)
_IN_PLACE: dict[tuple[str, str], str] = {
    ("users", "id"): "pseudonym('user', id)",
    **{
        ("users", f"{name}_count"): "NULL"
        for name in ("followers", "followings", "track", "playlist", "likes_given", "reposts_given")
    },
    ("users", "counts_seen_at"): "NULL",
    ("users", "counts_page_id"): "NULL",
    ("tracks", "uploader_id"): "NULL",
    ("tracks", "uploader_list_rank"): "NULL",
    ("playlists", "owner_id"): "NULL",
    ("playlists", "owner_list_rank"): "NULL",
    ("comments", "id"): "pseudonym('comment', id)",
    ("past_comments", "id"): "pseudonym('comment', id)",
    ("search_results", "thing_id"): _BY_THING.format(thing="thing", column="thing_id"),
    ("stations", "id"): _STATION.format(column="stations.id"),
    ("stations", "urn"): _URN,
    ("tasks", "subject_id"): f"CASE WHEN kind IN ({_OF_PEOPLE}) THEN {_PERSON.format(column='subject_id')}"
    f" WHEN kind IN ({_OF_STATIONS}) THEN {_STATION.format(column='subject_id')} ELSE subject_id END",
    ("tasks", "claimed"): f"CASE WHEN kind NOT IN ({_OF_PEOPLE}) THEN claimed END",
    ("readings", "claimed"): f"CASE WHEN kind NOT IN ({_OF_PEOPLE}) THEN claimed END",
    ("readings", "next_cursor"): "NULL",
    ("pages", "request"): "''",
    ("pages", "asks"): "NULL",
    ("pages", "next_cursor"): "NULL",
    ("pages", "cursor_time"): "NULL",
    ("pages", "bytes"): "0",
    ("batch_items", "thing_id"): _BY_THING.format(
        thing="(SELECT b.thing FROM batches AS b WHERE b.id = batch_id)", column="thing_id"
    ),
    ("visits", "thing_id"): _BY_THING.format(thing="thing", column="thing_id"),
    ("visits", "place"): "NULL",
    ("visits", "claims"): "NULL",
    ("seeds", "thing_id"): _BY_THING.format(thing="thing", column="thing_id"),
    ("seeds", "address"): _HIDDEN_ADDRESS,
    ("harvests", "seed_id"): _BY_THING.format(thing="seed_kind", column="seed_id"),
    ("harvests", "seed_url"): _SEED_URL.format(address=_HIDDEN_ADDRESS),
}


@dataclass(frozen=True, slots=True)
class Held:
    """A table of a folder: its columns, and the query that gives its rows from a file."""

    name: str
    columns: tuple[str, ...]
    sql: str


def tables(connection: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    """Give the tables that may stand in a folder with the columns that a row has, by what a file of ours looks like."""
    there = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    names = sorted(
        _READ_AS.get(name, name)
        for (name,) in there
        if name not in _OURS and not name.startswith(("sqlite_", "track_search", "_", "plugin_"))
    )
    return {name: tuple(_columns(connection, name)) for name in names}


def held(connection: sqlite3.Connection, *, pseudonyms: bool) -> Iterator[Held]:
    """Give what leaves of a file."""
    for name, columns in tables(connection).items():
        if pseudonyms and name in _BEHIND:
            continue
        ends = ends_of(connection, name)
        said = [_said(name, column, ends.get(column), pseudonyms=pseudonyms) for column in columns]
        which = f" WHERE {_ONLY[name]}" if name in _ONLY else ""
        yield Held(name, columns, f"SELECT {', '.join(said)} FROM {name}{which}")  # noqa: S608 - our own words


def _said(table: str, column: str, end: str | None, *, pseudonyms: bool) -> str:
    """Give what stands in a column, which may lead to a row of another table, its `end`."""
    if pseudonyms and (table, column) in _IN_PLACE:
        return _IN_PLACE[table, column]
    if (table, column) in _ALWAYS:
        return _ALWAYS[table, column]
    if not pseudonyms:
        return f'"{column}"'
    if (table, column) in _PUBLIC_RANKS:
        return "NULL"
    of_end = {"users": _PERSON, "stations": _STATION}.get(end or "")
    return of_end.format(column=f"{table}.{column}") if of_end else f'"{column}"'


def ends_of(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """Give the table that each column leads to, by column; those that lead nowhere are left out."""
    return {row[3]: row[2] for row in connection.execute(f"PRAGMA foreign_key_list({STORED.get(table, table)})")}


def _columns(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    """Give the columns that are stored: what is computed of others goes without saying."""
    return (row[1] for row in connection.execute(f"PRAGMA table_xinfo({table})") if row[6] == 0)
