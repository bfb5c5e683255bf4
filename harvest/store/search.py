"""Keep the search index current: a page's new tracks go in together, at the end of the page's own transaction.

Triggers do the rest (schema/005_search.sql): they note which tracks are new, and put changed ones in again.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from itertools import zip_longest

# In the order of ids: the index writes out all it holds whenever an id is smaller than the one before.
ADD_WAITING = """
INSERT INTO track_search (rowid, title, artist, tags)
SELECT x.track_id, x.title, x.artist, x.tags
FROM search_waiting AS w CROSS JOIN track_texts AS x ON x.track_id = w.track_id
ORDER BY w.track_id
"""


def add_new_tracks(connection: sqlite3.Connection) -> None:
    """Put the tracks that wait into the index; their uploaders and tags must be written already."""
    connection.execute(ADD_WAITING)
    connection.execute("DELETE FROM search_waiting")


# An index of the same texts made again, in a file of its own that SQLite deletes; and the words of both, one row per
# word, track, column and place.
_MAKE_ANEW = (
    "ATTACH '' AS anew",
    """
    CREATE VIRTUAL TABLE anew.track_search USING fts5 (
        title, artist, tags, content="", columnsize=0, tokenize="unicode61 remove_diacritics 2"
    )
    """,
    """
    INSERT INTO anew.track_search (rowid, title, artist, tags)
    SELECT track_id, title, artist, tags FROM main.track_texts ORDER BY track_id
    """,
    "CREATE VIRTUAL TABLE temp.words_kept USING fts5vocab (main, track_search, instance)",
    "CREATE VIRTUAL TABLE temp.words_anew USING fts5vocab (anew, track_search, instance)",
)
_DIFFERENCES = """
SELECT 'track ' || doc || ': ' || word FROM (
    SELECT doc, '“' || term || '” of its ' || col || ' is missing in the index' AS word FROM (
        SELECT doc, col, "offset", term FROM temp.words_anew EXCEPT SELECT doc, col, "offset", term FROM temp.words_kept
    )
    UNION ALL
    SELECT doc, 'its ' || col || ' has no “' || term || '” where the index has it' FROM (
        SELECT doc, col, "offset", term FROM temp.words_kept EXCEPT SELECT doc, col, "offset", term FROM temp.words_anew
    )
)
"""
_WAITING = "SELECT 'track ' || track_id || ' waits to be put into the index' FROM search_waiting"


def _are_equal(connection: sqlite3.Connection) -> bool:
    """Go through the words of both, which come in the same order. Finding out what is different means sorting them, and
    takes five times as long.
    """
    words = 'SELECT term, doc, col, "offset" FROM temp.words_'
    kept, anew = (connection.cursor().execute(words + which) for which in ("kept", "anew"))
    kept.row_factory = anew.row_factory = None
    return all(one == other for one, other in zip_longest(kept, anew))


def differences(connection: sqlite3.Connection) -> Iterator[tuple[str]]:
    """Tell in what the index differs from one made again, a row for each word. Takes time and temporary disk in
    proportion to the tracks, and leaves nothing behind. An index that cannot be read at all is one difference.
    """
    connection.execute("PRAGMA query_only = OFF")  # the words are compared in temporary tables
    try:
        for statement in _MAKE_ANEW:
            connection.execute(statement)
        yield from connection.execute(_WAITING)
        if not _are_equal(connection):
            yield from connection.execute(_DIFFERENCES)
    except sqlite3.DatabaseError as error:
        if (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF != sqlite3.SQLITE_CORRUPT:
            raise
        yield (f"the index is damaged ({error})",)
    finally:
        for statement in ("DROP TABLE IF EXISTS temp.words_kept", "DROP TABLE IF EXISTS temp.words_anew"):
            connection.execute(statement)
        with contextlib.suppress(sqlite3.OperationalError):  # it was not there yet
            connection.execute("DETACH anew")
        connection.execute("PRAGMA query_only = ON")
