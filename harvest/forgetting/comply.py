"""Empty what the service no longer shows: of what is gone the id, its status and the dates stay, and who made it.

In: a path. Out: rows without content, a change for each. Never: a request; who is gone was looked up before.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harvest.forgetting import kept
from harvest.forgetting.writing import opened
from harvest.models import Playlist, Station, Track, User
from harvest.store import lease, levels
from harvest.store.database import check_readable, open_to_read, storage_errors
from harvest.system.clock import as_text
from harvest.system.sqlite_busy import fold, rewrite, writing_in
from harvest.things import SHOWN

_FIELDS = {"users": User._fields, "tracks": Track._fields, "playlists": Playlist._fields, "stations": Station._fields}
_STAYS = ("id", "urn", "seen_as", "uploader_id", "owner_id")


@dataclass(frozen=True, slots=True)
class Emptied:
    """What was emptied, by table; whether the old bytes are gone, which a reader may prevent; the `replies` that were
    reached.
    """

    things: dict[str, int]
    erased: bool = True
    replies: Path | None = None


def check(path: Path) -> None:
    """Raise StoreError where replies that cannot be reached would outlast what is emptied, before anything is asked."""
    with open_to_read(path) as connection:
        kept.find(connection, path)


def empty_what_is_gone(path: Path, *, now: datetime) -> Emptied:
    """Empty what a file calls gone, unless it is empty. Raises StoreError."""
    check_readable(path)
    with storage_errors(path), opened(path) as connection:
        with writing_in(connection):
            lease.check_free(connection, path, then="run this command again")
            replies = kept.find(connection, path)
            things = {thing.table: _empty(connection, thing.table, thing.name, as_text(now)) for thing in SHOWN}
            if any(things.values()):
                connection.execute("INSERT INTO track_search (track_search) VALUES ('optimize')")
                kept.begin(connection, replies, gone=True)
            else:
                replies = None
        if replies is not None:
            kept.take_out_gone(connection, path, replies, now=as_text(now))
        # Also when nothing is new: the run before may have been killed, or blocked by a reader, after it had emptied.
        return Emptied(things, fold(connection) and rewrite(connection) and kept.fold(replies), replies)


def _empty(connection: sqlite3.Connection, table: str, thing: str, now: str) -> int:
    """Empty the gone of one kind; give how many."""
    columns = [name for name in _FIELDS[table] if name not in _STAYS]
    full = f"status = 'gone' AND coalesce({', '.join(columns)}) IS NOT NULL"
    rows = connection.execute(f"SELECT id FROM {table} WHERE {full} ORDER BY id").fetchall()  # noqa: S608 - our own words
    if not rows:
        return 0
    connection.execute("DROP TABLE IF EXISTS temp.gone")
    connection.execute("CREATE TEMP TABLE gone (id INTEGER PRIMARY KEY)")
    connection.executemany("INSERT INTO temp.gone VALUES (?)", rows)
    gone = "(SELECT g.id FROM temp.gone AS g)"
    if thing == "track":
        connection.execute(f"DELETE FROM track_tags WHERE track_id IN {gone}")  # noqa: S608 - our own words
        connection.execute(f"DELETE FROM track_counts WHERE id IN {gone}")  # noqa: S608 - likewise
        connection.execute("DELETE FROM tags WHERE NOT EXISTS (SELECT 1 FROM track_tags AS t WHERE t.tag_id = tags.id)")
    if thing == "user":
        connection.execute(f"DELETE FROM user_counts WHERE id IN {gone}")  # noqa: S608 - likewise
        for links in ("web_profiles", "past_web_profiles"):
            connection.execute(
                f"UPDATE {links} SET url = '', service = NULL, title = NULL, username = NULL WHERE user_id IN {gone}"  # noqa: S608
            )
    if thing in ("user", "track"):
        connection.execute(f"""DELETE FROM untold_counts WHERE "table" = '{table}' AND id IN {gone}""")  # noqa: S608
        for comments in ("comments", "past_comments"):
            connection.execute(f"UPDATE {comments} SET body = NULL WHERE {thing}_id IN {gone}")  # noqa: S608 - likewise
    emptied = ", ".join(f"{name} = NULL" for name in columns)
    connection.execute(f"UPDATE {table} SET {emptied} WHERE id IN {gone}")  # noqa: S608 - our own words
    connection.execute(
        f"""
        UPDATE changes SET old = NULL, new = NULL
        WHERE "table" = ? AND what IN ('renamed', 'retitled', 'moved') AND ids ->> 'id' IN {gone}
        """,  # noqa: S608 - our own words
        (table,),
    )
    connection.executemany(
        """INSERT INTO changes (at, what, "table", ids) VALUES (?, 'emptied', ?, '{"id":' || ? || '}')""",
        [(now, table, row[0]) for row in rows],
    )
    for (thing_id,) in connection.execute(
        f"SELECT thing_id FROM seeds WHERE thing = ? AND thing_id IN {gone}",  # noqa: S608 - our own words
        (thing,),
    ).fetchall():
        levels.hide_address(connection, thing, thing_id)
    return len(rows)
