"""Bring a file down to a level of `--profiles`: empty what a run that keeps less would not have stored.

What is emptied leaves no bytes behind: deleted content is overwritten, the search index made again, the file rewritten
without its old pages, and the log folded in and cut. Going up is a matter of looking things up (`sweeps.py`).

In: the connection of a crawl, the level of its run. Out: rows without content. Never: a row less, but for tags.
"""

from __future__ import annotations

import json
import sqlite3
from hashlib import blake2b

from harvest.api.cursors import canonical
from harvest.api.seed_urls import public_address
from harvest.lists import KINDS, RESOLVE
from harvest.models import OURSELVES
from harvest.profiles import CONTENT, NO_TEXT, PERSONAL, rank
from harvest.system.sqlite_busy import PATIENCE_SECONDS, fold
from harvest.things import THINGS

HASHED = "hashed:"  # how the address of a seed begins that is not to be read
# What is noted of a request that looks an address up, without the address.
ASKED = (RESOLVE.path, int.from_bytes(blake2b(canonical(RESOLVE.path).encode(), digest_size=8).digest(), signed=True))
_PAST = {kind.edge.table: kind.edge.past for kind in KINDS.values() if kind.edge and kind.edge.past}
# The place of a run's level; `rank` in harvest/profiles.py says the same.
_RANK = "CASE options ->> '$.profiles' WHEN 'none' THEN 0 WHEN 'full' THEN 2 ELSE 1 END"


def is_above(connection: sqlite3.Connection, level: object) -> bool:
    """Say whether a file may hold more than a level keeps: its last run kept more. A new file holds nothing."""
    row = connection.execute(f"SELECT {_RANK} FROM runs ORDER BY id DESC LIMIT 1").fetchone()  # noqa: S608 - our own text
    return row is not None and int(row[0]) > rank(level)


def is_to_be_cut(connection: sqlite3.Connection) -> bool:
    """Say whether the run that emptied a file last, and all since, were killed: maybe before the bytes had gone."""
    row = connection.execute(
        f"""
        WITH
        ranked AS (SELECT id, {_RANK} AS place, lag({_RANK}) OVER (ORDER BY id) AS before FROM runs),
        lowered AS (SELECT max(id) AS id FROM ranked WHERE place < before)
        SELECT l.id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.id >= l.id AND r.ended_at IS NOT NULL)
        FROM lowered AS l
        """  # noqa: S608 - our own text
    ).fetchone()
    return bool(row[0])


def last_below(connection: sqlite3.Connection, level: object) -> int:
    """Give the last run that kept less than a level does, 0 for none: what was kept before it has been emptied."""
    row = connection.execute(f"SELECT coalesce(max(id), 0) FROM runs WHERE {_RANK} < ?", (rank(level),)).fetchone()  # noqa: S608
    return int(row[0])


def keep_to(connection: sqlite3.Connection, level: object) -> bool:
    """Bring a file down to a level, in the transaction that is open, before a run at that level is written down; say
    whether bytes of what was emptied may still stand in it, now or since a run that was killed: then `cut` is due.
    """
    above = is_above(connection, level)
    if above or level == "none":
        connection.execute("PRAGMA secure_delete = ON").fetchone()  # overwrite whatever is deleted from here on
    if above:
        lower(connection, level)
    return above or is_to_be_cut(connection)


def lower(connection: sqlite3.Connection, level: object) -> None:
    """Empty what is above a level, in the transaction that is open; `cut` sees to the bytes afterwards."""
    if rank(level) >= rank("full"):
        return
    names = " AND ".join(f"{name} IS NULL" for name in PERSONAL)
    connection.execute(f"UPDATE users SET {_emptied('users', PERSONAL)} WHERE NOT ({names})")  # noqa: S608
    if rank(level) >= rank("minimal"):
        return
    # Tracks that wait for the index are left alone by its triggers; it is made again in the end.
    connection.execute("INSERT OR IGNORE INTO search_waiting SELECT id FROM tracks")
    for table, columns in CONTENT.items():
        for one in (table, _PAST.get(table)):
            if one is not None and columns:
                connection.execute(f"UPDATE {one} SET {_emptied(table, columns)}")  # noqa: S608
    connection.execute("DELETE FROM track_tags")
    connection.execute("DELETE FROM tags")
    connection.execute("UPDATE track_counts SET playback_count = NULL, download_count = NULL")
    connection.execute("UPDATE changes SET old = NULL, new = NULL WHERE what IN ('renamed', 'retitled')")
    connection.execute("DELETE FROM changes WHERE what = 'moved' AND (old LIKE '{\"play%' OR old LIKE '{\"down%')")
    connection.execute("DELETE FROM untold_counts WHERE name IN ('playback_count', 'download_count')")
    connection.execute("UPDATE failures SET reply = NULL")
    connection.execute("DELETE FROM search_waiting")
    connection.execute("INSERT INTO track_search (track_search) VALUES ('rebuild')")
    connection.execute("INSERT INTO track_search (track_search) VALUES ('optimize')")
    for thing, thing_id in connection.execute(
        "SELECT thing, thing_id FROM seeds WHERE resolved_at IS NOT NULL ORDER BY id"
    ).fetchall():
        hide_address(connection, thing, thing_id)


def cut(connection: sqlite3.Connection) -> bool:
    """Rewrite the file without what was emptied, and cut its log; False when a reader was in the way."""
    connection.execute("VACUUM")
    try:
        return fold(connection, 0.25)  # who reads for longer is told of
    finally:
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE_SECONDS * 1000:.0f}").fetchone()


def hide_address(connection: sqlite3.Connection, thing: str, thing_id: int) -> None:
    """Let a seed that is found be known by its URN, and by hashes of the addresses that led to it: who types one again
    finds it. A search, oneself and a private link keep theirs, since nothing else leads there.
    """
    seed_id, address, aliases, urn = connection.execute(
        f"""
        SELECT id, address, aliases, {THINGS[thing].urn_of("thing_id")} FROM seeds
        WHERE thing = ? AND thing_id = ?
        """,  # noqa: S608 - built from our own declarations
        (thing, thing_id),
    ).fetchone()
    if THINGS[thing].prefix:
        return
    own = address in (OURSELVES, urn) or public_address(address) != address
    others = [*json.loads(aliases), *([] if own else [address])]
    connection.execute(
        "UPDATE seeds SET address = ?, aliases = ? WHERE id = ?",
        (address if own else urn, json.dumps([_hashed(connection, one, urn) for one in others]), seed_id),
    )
    connection.execute(
        "UPDATE harvests SET seed_url = ? WHERE seed_url IS NOT NULL AND seed_kind = ? AND seed_id = ?",
        (public_address(address) if own else urn, thing, thing_id),
    )
    # What was asked, and what went wrong with it, tells the address.
    tasks = "SELECT id FROM tasks WHERE kind = 'resolve' AND subject_id = ?"
    connection.execute(f"UPDATE pages SET request = ?, asks = ? WHERE task_id IN ({tasks})", (*ASKED, seed_id))  # noqa: S608
    connection.execute(f"UPDATE OR REPLACE failures SET message = class WHERE task_id IN ({tasks})", (seed_id,))  # noqa: S608


def hashed(connection: sqlite3.Connection, address: str) -> str:
    """Give what stands in a file for an address that is not to be read there."""
    (key,) = connection.execute("SELECT key FROM file_key").fetchone()
    return HASHED + blake2b(address.encode(), digest_size=16, key=key).hexdigest()


def _hashed(connection: sqlite3.Connection, address: str, urn: str) -> str:
    plain = address.startswith(HASHED) or address in (urn, OURSELVES)
    return address if plain else hashed(connection, address)


def _emptied(table: str, columns: tuple[str, ...]) -> str:
    return ", ".join(f"{name} = {_literal(NO_TEXT.get((table, name)))}" for name in columns)


def _literal(text: str | None) -> str:
    return "NULL" if text is None else f"'{text}'"
