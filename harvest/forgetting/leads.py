"""Which columns of the file lead to things, so that what is forgotten is found wherever it stands.

Most say so themselves: they refer to a table of things, and a new list needs no word here. The others hold the id of a
thing whose kind stands beside it, and are declared. tests/unit/forgetting/test_leads.py goes through the schema and
fails for a column that is neither.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from harvest.lists import STORED
from harvest.plugins.tables import tables_there
from harvest.things import SHOWN

_TABLES = {thing.table: thing.name for thing in SHOWN}
_READ_AS = {stored: view for view, stored in STORED.items()}


@dataclass(frozen=True, slots=True)
class Lead:
    """A column that leads to things of one kind; `table` may be a view of the table that has the rows stored."""

    table: str
    column: str
    thing: str


@dataclass(frozen=True, slots=True)
class NamedBeside:
    """A column that leads to things whose kind the query `kind` gives, of a row `x`."""

    table: str
    column: str
    kind: str


_OF_LIST = "(SELECT k.{side} FROM list_kinds AS k WHERE k.kind = x.kind)"
# The ledger: who was forgotten keeps a place there, under a number that says nothing.
KEPT_UNDER_A_NUMBER = (
    NamedBeside("tasks", "subject_id", _OF_LIST.format(side="subject")),
    NamedBeside("visits", "thing_id", "x.thing"),
    NamedBeside("batch_items", "thing_id", "(SELECT b.thing FROM batches AS b WHERE b.id = x.batch_id)"),
    NamedBeside("seeds", "thing_id", "x.thing"),
    NamedBeside("harvests", "seed_id", "x.seed_kind"),
)
# Rows that go.
GOES = (
    NamedBeside("search_results", "thing_id", "x.thing"),
    NamedBeside("untold_counts", "id", """iif(x."table" = 'users', 'user', 'track')"""),
    NamedBeside("unexplained", "thing_id", "x.thing"),
    NamedBeside("unexplained", "subject_id", _OF_LIST.format(side="subject")),
    NamedBeside("unexplained", "item_id", _OF_LIST.format(side="item")),
    NamedBeside(
        "reading_items",
        "item_id",
        "(SELECT k.item FROM tasks AS t JOIN list_kinds AS k ON k.kind = t.kind WHERE t.id = x.task_id)",
    ),
)


def leads(connection: sqlite3.Connection) -> list[Lead]:
    """Give the columns of our tables that refer to a table of things, as the schema of a file says."""
    rows = connection.execute(
        r"""
        SELECT s.name, f."from", f."table" FROM sqlite_schema AS s CROSS JOIN pragma_foreign_key_list(s.name) AS f
        WHERE s.type = 'table' AND s.sql NOT LIKE 'CREATE VIRTUAL%' AND s.name NOT LIKE 'plugin\_%' ESCAPE '\'
        ORDER BY 1, 2
        """
    ).fetchall()
    return [Lead(_READ_AS.get(row[0], row[0]), row[1], _TABLES[row[2]]) for row in rows if row[2] in _TABLES]


def leads_everywhere(connection: sqlite3.Connection) -> list[Lead]:
    """Give these, and the columns of plug-ins' tables that lead to things. Raises PluginError where a file has tables
    of a plug-in that is not there to say so.
    """
    named = [Lead(table.name, *pair) for table in tables_there(connection) for pair in table.names.items()]
    return [*leads(connection), *named]


def is_of_things(table: str) -> bool:
    """Say whether the rows of a table are things."""
    return table in _TABLES
