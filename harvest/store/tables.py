"""Compare the tables of a file, views, indexes and triggers included, with those that a new one has."""

from __future__ import annotations

import sqlite3

from harvest.lists import KINDS
from harvest.store.schema import schema_as_shipped
from harvest.system.sql import as_name, without_comments

# What the search and sqlite-utils make for themselves.
_MADE_BY_OTHERS = {
    ("table", "_sqlite_migrations"),
    ("index", "idx__sqlite_migrations_migration_set_name"),
    *(("table", f"track_search_{part}") for part in ("config", "content", "data", "docsize", "idx")),
}


def are_ours(connection: sqlite3.Connection) -> bool:
    """Say whether a file has our tables to the letter, and nothing beside them."""
    return {one for one in _there(connection) if one[1] not in _own()} == set(schema_as_shipped())


def drop_others(connection: sqlite3.Connection) -> None:
    """Drop what another program has added to our tables."""
    ours = {(kind, name) for kind, name, _ in schema_as_shipped()} | {("table", name) for name in _own()}
    added = sorted((kind, name) for kind, name, _ in _there(connection) if (kind, name) not in ours)
    for kind, name in sorted(added, key=lambda one: one[0] == "table"):  # what is of a table goes with it
        connection.execute(f"DROP {kind} IF EXISTS {as_name(name)}")


def _own() -> set[str]:
    """Give the tables of plug-ins' lists."""
    return {kind.name for kind in KINDS.values() if kind.own_rows}


def _there(connection: sqlite3.Connection) -> set[tuple[str, str, str]]:
    rows = connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    return {(kind, name, without_comments(sql)) for kind, name, sql in rows if (kind, name) not in _MADE_BY_OTHERS}
