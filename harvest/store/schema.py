"""Bring a file's tables up to date, and say what they are by schema/.

In: a connection. Out: its tables. Never: a row of the graph.
"""

from __future__ import annotations

import sqlite3
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from harvest.lists import KINDS
from harvest.models import Outcome
from harvest.system.sql import split_statements, without_comments
from harvest.things import THINGS

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from sqlite_utils import Database

APPLICATION_ID = 0x68727673  # 'hrvs', in the header of the file: says whose database this is


def apply_schema(db: Database) -> None:
    """Bring the schema up to date; each numbered file of schema/ is one migration, recorded in the file."""
    from sqlite_utils.migrations import Migrations

    migrations = Migrations("harvest")
    for name, script in schema_files():

        def apply(db: Database, /, script: str = script) -> None:
            for statement in split_statements(script):
                db.conn.execute(statement)

        migrations(name=name)(apply)
    if migrations.pending(db):
        migrations.apply(db)
        db.conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.conn.execute(f"PRAGMA user_version = {schema_version()}")
    make_own_tables(db.conn)
    _fill_declared(db.conn)


def make_own_tables(connection: sqlite3.Connection, *, kept: bool = True) -> None:
    """Make the tables of plug-ins' lists where they are missing, and the columns that they have got since; those that
    are not kept are there for this connection alone, empty, so that whatever reads all lists finds them.
    """
    for kind in KINDS.values():
        if kind.own_rows is None:
            continue
        there = {row[1] for row in connection.execute(f"PRAGMA table_info({kind.name})")}
        if not there:
            made = kind.own_rows.made(kind.name)
            connection.execute(made if kept else made.replace("CREATE TABLE", "CREATE TEMP TABLE", 1))
        for name, of in kind.own_rows.columns if there and kept else ():
            if name not in there:
                connection.execute(f"ALTER TABLE {kind.name} ADD COLUMN {name} {of}")


def _fill_declared(connection: sqlite3.Connection) -> None:
    for table, rows in declared().items():
        places = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {table} VALUES ({places}) ON CONFLICT DO NOTHING", rows)  # noqa: S608


def declared() -> dict[str, list[tuple[object, ...]]]:
    """Give the rows of what is declared, by table and columns: things, outcomes, kinds of lists."""
    return {
        "things (thing, urn, title)": [
            ("seed", "", "what an address leads to"),
            ("batch", "", "things asked for together"),
            *((thing.name, thing.urn, thing.title) for thing in THINGS.values()),
        ],
        "outcomes (outcome, answered, whole, retryable, title)": [
            (o.value, int(o.answered), int(o.whole), int(o.retryable), o.words) for o in Outcome
        ],
        "list_kinds (kind, subject, item, name, title)": [
            (kind.name, kind.subject, kind.item, kind.option, kind.title) for kind in KINDS.values()
        ],
    }


def schema_version() -> int:
    """Give the version of the schema: the number of the last file of schema/."""
    return int(schema_names()[-1].partition("_")[0])


def schema_of(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Return what a file has that was made by the schema of its version, as `schema_as_shipped` does."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return schema_as_shipped(version)


@cache
def schema_as_shipped(version: int | None = None) -> list[tuple[str, str, str]]:
    """Return (type, name, SQL without comments) of what a new database has, but for the inside of the search; of one
    that an older version of the schema made, if that is wanted.
    """
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for _, script in schema_files()[:version]:
            for statement in split_statements(script):
                connection.execute(statement)
        made = connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    finally:
        connection.close()
    return [(kind, name, without_comments(sql)) for kind, name, sql in made if not name.startswith("track_search_")]


@cache
def schema_files() -> list[tuple[str, str]]:
    """List the numbered files of schema/ in order, as (name, SQL)."""
    folder = schema_folder()
    return [(name, folder.joinpath(f"{name}.sql").read_text(encoding="utf-8")) for name in schema_names()]


@cache
def schema_names() -> list[str]:
    """List the names of the numbered files of schema/ in order."""
    return sorted(file.name.removesuffix(".sql") for file in schema_folder().iterdir() if file.name.endswith(".sql"))


def schema_folder() -> Traversable:
    """Find schema/ with its queries and its dictionary: in the wheel, else beside the checkout."""
    shipped = resources.files("harvest").joinpath("schema")
    return shipped if shipped.is_dir() else Path(__file__).parents[2] / "schema"
