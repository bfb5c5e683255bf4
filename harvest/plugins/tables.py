"""The tables of plug-ins in a file: whose they are, which people they name, and how a plug-in writes them.

In: declarations, a path. Out: a connection that reads everything and writes tables of one plug-in alone. Never: a row
of ours that a plug-in changes.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from harvest.errors import PluginError
from harvest.lists import KINDS
from harvest.plugins import registry
from harvest.plugins.hooks import Table
from harvest.store.database import back_up_as, immediately, open_for_crawl, open_to_read, storage_errors
from harvest.store.schema import apply_schema
from harvest.system.sql import as_name
from harvest.things import SHOWN

_ALLOWED = frozenset(
    (
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_REINDEX,
    )
)
_ON_A_TABLE = frozenset(
    (
        *(sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE),
        *(sqlite3.SQLITE_CREATE_TABLE, sqlite3.SQLITE_DROP_TABLE),
    )
)
_ON_AN_INDEX = frozenset((sqlite3.SQLITE_CREATE_INDEX, sqlite3.SQLITE_DROP_INDEX, sqlite3.SQLITE_ALTER_TABLE))
_OF_SQLITE = ("sqlite_master", "sqlite_sequence")  # written by SQLite itself where a table is made


def prefix(plugin: str) -> str:
    """Give what the names of a plug-in's tables begin with."""
    return f"plugin_{plugin}_"


def declared() -> dict[str, Table]:
    """Give the tables that the loaded plug-ins declare, by name. Raises PluginError."""
    offered = {table.name: table for offer in registry.offers("tables") for table in _checked(offer)}
    return offered | {table.name: table for table in _of_lists()}


def tables_there(connection: sqlite3.Connection) -> list[Table]:
    """Give the tables of plug-ins that a file has. Raises PluginError where the people that one names are unknown."""
    sql = r"SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'plugin\_%' ESCAPE '\' ORDER BY name"
    there = [str(row[0]) for row in connection.execute(sql)]
    known = declared() if there else {}
    unknown = [name for name in there if name not in known and _has_rows(connection, name)]
    if unknown:
        raise PluginError(
            f"The file has tables of plug-ins that are not loaded ({', '.join(unknown)}); which people they name is"
            " unknown without them. Install these plug-ins, or drop the tables, then try again."
        )
    return [known[name] for name in there if name in known]


def _has_rows(connection: sqlite3.Connection, table: str) -> bool:
    return connection.execute(f"SELECT 1 FROM {as_name(table)} LIMIT 1").fetchone() is not None  # noqa: S608


def _of_lists() -> Iterator[Table]:
    """Give the tables of plug-ins' lists: a row names whose list it stands in, and what it says that it names."""
    for kind in KINDS.values():
        if kind.own_rows:
            columns = filter(None, (kind.own_rows.subject_id, kind.own_rows.names))
            names = {column: column.removesuffix("_id") for column in columns}
            yield Table(kind.name, kind.own_rows.made(kind.name), names)


@contextlib.contextmanager
def writing(path: Path, plugin: str) -> Iterator[sqlite3.Connection]:
    """Open a file in one transaction for the tables of a plug-in, which are made where they are missing, and brought to
    its version. Everything can be read; a write to anything else raises sqlite3.DatabaseError, and nothing is kept
    then. Raises StoreError, PluginError.
    """
    with open_to_read(path) as connection:
        back_up_of(connection, plugin)
    db = open_for_crawl(path)
    try:
        with storage_errors(path), immediately(db):
            apply_schema(db)
            with guarded(db.conn, plugin):
                yield db.conn
    finally:
        db.conn.close()


@contextlib.contextmanager
def guarded(connection: sqlite3.Connection, plugin: str) -> Iterator[None]:
    """Let a connection write tables of a plug-in alone, within the transaction of its caller; they are made, and
    brought to its version, first.
    """
    wanted = [table for offer in registry.offers("tables") if offer.plugin == plugin for table in _checked(offer)]
    steps, done = _steps(plugin), _steps_done(connection, plugin)
    there = _there(connection, plugin)
    connection.set_authorizer(_guard(prefix(plugin)))
    try:
        with PluginError.blaming(plugin, "its migrations"):
            for step in steps[done:] if there else ():
                connection.execute(step)
        for table in wanted:
            if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (table.name,)).fetchone():
                with PluginError.blaming(plugin, f"its table {table.name}"):
                    connection.execute(table.create)
        connection.set_authorizer(None)
        for table in wanted:
            columns = {row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table.name,))}
            if odd := sorted(table.names.keys() - columns):
                raise registry.faulty(plugin, f"its table {table.name} has no column {odd[0]}, which names holds")
        for number in range(done + 1, len(steps) + 1):
            connection.execute(_NOTE_STEP, (prefix(plugin), str(number)))
        connection.set_authorizer(_guard(prefix(plugin)))
        yield
    finally:
        connection.set_authorizer(None)


def back_up_of(connection: sqlite3.Connection, plugin: str) -> Path | None:
    """Copy a file before tables of a plug-in in it are brought to another version; give the copy, None where none is
    needed.
    """
    steps = _steps(plugin)
    done = _steps_done(connection, plugin) if steps and _there(connection, plugin) else len(steps)
    path = Path(connection.execute("PRAGMA database_list").fetchone()[2])
    return None if done == len(steps) else back_up_as(connection, path.with_name(f"{path.name}.{plugin}-{done}"))


_NOTE_STEP = "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES (?, ?, datetime())"


def _steps(plugin: str) -> list[str]:
    return [step for offer in registry.offers("migrations") if offer.plugin == plugin for step in offer.what]


def _steps_done(connection: sqlite3.Connection, plugin: str) -> int:
    sql = "SELECT count(*) FROM _sqlite_migrations WHERE migration_set = ?"
    return int(connection.execute(sql, (prefix(plugin),)).fetchone()[0])


def _there(connection: sqlite3.Connection, plugin: str) -> bool:
    """Say whether a file has tables of a plug-in, but for those of its lists."""
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    return any(name.startswith(prefix(plugin)) for name in names - KINDS.keys())


def _checked(offer: registry.Offer) -> Iterator[Table]:
    for table in offer.what:
        if not table.name.startswith(prefix(offer.plugin)) or not table.name.replace("_", "").isalnum():
            raise registry.faulty(offer.plugin, f"its table {table.name!r} must be called {prefix(offer.plugin)}...")
        odd = set(table.names.values()) - {thing.name for thing in SHOWN}
        if odd:
            raise registry.faulty(
                offer.plugin, f"{table.name} names {', '.join(sorted(odd))}, and there is no such thing"
            )
        yield table


def _guard(begins: str) -> Callable[[int, str | None, str | None, str | None, str | None], int]:
    """Let SQLite ask for each step of a statement whether it may be."""

    def may(action: int, first: str | None, second: str | None, schema: str | None, _: str | None) -> int:
        named = first if action in _ON_A_TABLE else second if action in _ON_AN_INDEX else None
        ours = named is not None and (named.startswith(begins) or named in _OF_SQLITE)
        return sqlite3.SQLITE_OK if action in _ALLOWED or ours else sqlite3.SQLITE_DENY

    return may
