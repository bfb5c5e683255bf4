"""Take SQL apart that stands in files, and write names into it."""

from __future__ import annotations

import re
import sqlite3
from functools import lru_cache


@lru_cache(maxsize=32)
def split_statements(script: str) -> tuple[str, ...]:
    """Cut an SQL script into its statements.

    `executescript` would commit the transaction that makes a migration whole, so statements run one by one.
    """
    statements, statement = [], ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            statements.append(statement.strip())
            statement = ""
    return tuple(statements)


def without_comments(sql: str) -> str:
    """Leave of a statement what it says to SQLite, in one line."""
    return " ".join(re.sub(r"--.*", "", sql).split())


def as_name(text: str) -> str:
    """Give the name of a table or column as SQL, whatever is in it: a file may come from another person."""
    escaped = text.replace('"', '""')
    return f'"{escaped}"'
