"""Look through a database with the newest SQLite there is: print what it finds wrong, in a line of JSON."""

from __future__ import annotations

import json
import sys

import apsw

connection = apsw.Connection(sys.argv[1], flags=apsw.SQLITE_OPEN_READWRITE)
connection.execute("INSERT INTO track_search (track_search) VALUES ('integrity-check')")
words = [row[0] for row in connection.execute("SELECT title FROM track_texts ORDER BY track_id")]
print(
    json.dumps(
        {
            "version": apsw.sqlite_lib_version(),
            "integrity": [row[0] for row in connection.execute("PRAGMA integrity_check")],
            "references": list(connection.execute("PRAGMA foreign_key_check")),
            "titles": words,
        }
    )
)
