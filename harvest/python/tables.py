"""The tables of an export without the files: people with the chance they were drawn with, who likes what with how whole
the list is, and whatever every other list holds, as sequences that become data frames and graphs.

In: a file, and the choices of `harvest export`. Out: its tables by name, as they are at one moment.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harvest.errors import SettingsError
from harvest.export.choices import ExportChoices, check
from harvest.export.list_tables import all_tables, widen
from harvest.export.pseudonyms import read_key
from harvest.export.selection import Selection, select
from harvest.export.tables import Table
from harvest.python.opened import plain
from harvest.python.sequences import Rows
from harvest.python.shown import table_of
from harvest.python.sources import Query
from harvest.store.database import storage_errors

_KINDS = {
    **dict.fromkeys(("float32", "float64"), "number"),
    **dict.fromkeys(("int16", "int32", "int64"), "whole"),
    "bool": "flag",
}


class Tables(Mapping[str, Rows[tuple[Any, ...]]]):
    """Tables by name. They hold the file as it was when they were chosen: close them, or use them in a `with`."""

    def __init__(self, path: Path, choices: ExportChoices, key_file: Path | None) -> None:
        """Raises SettingsError where choices make no sense or leave nothing, StoreError."""
        check(choices)
        if (choices.ids == "pseudonym") != (key_file is not None):
            raise SettingsError("ids='pseudonym' needs key: a file for it, which stays with you; other ids need none.")
        key = read_key(key_file) if key_file is not None else b""
        self._open = contextlib.ExitStack()
        with storage_errors(path, writes=False):
            chosen = select(path, Path(":memory:"), choices, key=key, tell=lambda *step: None, widen=widen)
            self._selection = self._open.enter_context(chosen)
            self._tables = {table.name: table for table in all_tables(self._selection)}

    def __getitem__(self, name: str) -> Rows[tuple[Any, ...]]:
        """Give a table by its name. Raises KeyError."""
        table = self._tables[name]
        kinds = {column.name: _KINDS.get(column.type, "text") for column in table.columns}
        return Rows(_query(self._selection, table), plain, kinds)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __enter__(self) -> Tables:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<tables {', '.join(self)}>"

    @property
    def steps(self) -> Rows[tuple[Any, ...]]:
        """What each filter left: users, items, interactions."""
        return table_of(self._selection.steps)

    @property
    def left_out(self) -> list[str]:
        """What stays behind, in sentences."""
        return list(self._selection.left_out)

    def close(self) -> None:
        """Let go of the file."""
        self._open.close()


def _query(selection: Selection, table: Table) -> Query:
    """Ask for a table by the names of its columns; what goes to test says so in a last one. What is no time is unknown,
    as in the files of an export.
    """
    names = [f'"{name}"' for name in [*table.names, *(["test"] if table.split else [])]]  # one is called table
    times = {f'"{column.name}"' for column in table.columns if column.type == "time"}
    given = (f"iif(unixepoch({name}) IS NULL, NULL, {name}) AS {name}" if name in times else name for name in names)
    sql = f"WITH chosen ({', '.join(names)}) AS (\n{table.sql}\n) SELECT {', '.join(given)} FROM chosen"  # noqa: S608
    return Query(lambda: contextlib.nullcontext(selection.connection), sql, table.parameters(selection))
