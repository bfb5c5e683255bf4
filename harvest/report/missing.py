"""Count what is not known: of each column that holds what replies say, how often it is there, and how often not.

In: a connection opened to read. Out: a TableGaps for each table that holds anything. Each table is gone through once.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from harvest.profiles import NOUNS


@dataclass(frozen=True, slots=True)
class TableGaps:
    """A table of so many rows, and its columns that may be unknown: (column, how many rows it is known of)."""

    table: str
    rows: int
    columns: list[tuple[str, int]]


def gaps(connection: sqlite3.Connection) -> list[TableGaps]:
    """Count what is known, table by table, in the order in which they are declared."""
    found = []
    for table, fields in NOUNS.items():
        sure = {
            name for _, name, _, forced, _, key in connection.execute(f"PRAGMA table_info({table})") if forced or key
        }
        columns = [name for name in fields if name not in sure]
        counted = ", ".join(f"count({name})" for name in columns)
        rows, *known = connection.execute(f"SELECT count(*), {counted} FROM {table}").fetchone()  # noqa: S608 - our own
        if rows:
            found.append(TableGaps(table, rows, list(zip(columns, known, strict=True))))
    return found
