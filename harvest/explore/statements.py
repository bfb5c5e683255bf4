"""The statement and its values for the name of a query or a table, or for SQL.

In: a text as it was typed. Out: SQL for `execute.py`. Never: a row.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from difflib import get_close_matches

from harvest.errors import QueryError
from harvest.explore.execute import Values
from harvest.explore.named import Named, named_queries, named_query
from harvest.explore.parameters import bind_free, bind_named

_NAME = re.compile(r"[\w-]{1,200}")


def query_named(text: str) -> Named | None:
    """Give the query that comes with harvest under this name; None where there is none."""
    return named_query(text.strip()) if _NAME.fullmatch(text.strip()) else None


def statement_of(connection: sqlite3.Connection, text: str, values: Sequence[str]) -> tuple[str, Values]:
    """Give the SQL to ask and its values: of a named query, of a table called by its name, or as it is.

    Raises QueryError, and SeedError where a track or user is not in the file.
    """
    named = query_named(text)
    if named is not None:
        return named.sql, bind_named(connection, named, values)
    sql = as_sql(connection, text)
    return sql, bind_free(sql, values)


def as_sql(connection: sqlite3.Connection, text: str) -> str:
    """Give a text that names no query as SQL: the whole table where it names one. Raises QueryError."""
    text = text.strip()
    return f'SELECT * FROM "{_table(connection, text)}"' if _NAME.fullmatch(text) else text  # noqa: S608 - looked up


def _table(connection: sqlite3.Connection, name: str) -> str:
    """Find a table or view by its name. Raises QueryError with the nearest name of a table or query."""
    found = connection.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow' AND name = ? COLLATE NOCASE",
        (name,),
    ).fetchone()
    if found:
        return str(found[0])
    tables = [
        row[0] for row in connection.execute("SELECT name FROM pragma_table_list WHERE type IN ('table', 'view')")
    ]
    near = get_close_matches(name.replace("_", "-"), named_queries(), n=1) or get_close_matches(name, tables, n=1)
    what = f"did you mean {near[0]}?" if near else "`harvest sql` lists the queries, `harvest sql tables` the tables."
    raise QueryError(f"There is no query and no table named {name}; {what}")
