"""A file as datasette opens it: by its one address, never to be written. Imports datasette.

Datasette itself puts the name of a file into an address as it is, where # and ? end it and %20 is a blank: another file
is opened then, or made.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from datasette import handle_exception
from datasette.database import Database

from harvest.store.database import open_to_serve
from harvest.system.logs import printable

LONGEST = 1_000_000  # bytes of a text, a blob or a row that a query makes
_LINES = 20  # that a server says of what goes wrong: nobody may read them, and a full pipe would stop it


class Served(Database):  # type: ignore[misc]  # datasette has no types
    """The one file that is served."""

    def __init__(self, datasette: Any, path: Path, *, still: bool) -> None:
        super().__init__(datasette, str(path), is_mutable=not still)
        self._path = path

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """Open the file for one thread."""
        if write:
            raise sqlite3.OperationalError("this file is only read")
        connection = open_to_serve(self._path, still=not self.is_mutable, longest=LONGEST)
        self._all_file_connections.append(connection)
        return connection

    async def execute(self, *arguments: Any, log_sql_errors: bool = True, **options: Any) -> Any:
        """Ask a query; what is wrong with it is said on the page."""
        return await super().execute(*arguments, **options, log_sql_errors=False)


def be_brief() -> None:
    """Let datasette say in one line what goes wrong, and not in a thousand lines with every variable."""
    handle_exception.rich = None
    handle_exception.traceback = _BRIEF


class _Brief:
    """Says the error at hand in one line, as often as anybody may want to read it."""

    def __init__(self) -> None:
        self._left = _LINES

    def __call__(self) -> None:
        if self._left:
            self._left -= 1
            error = sys.exception()
            sys.stderr.write(f"harvest: {type(error).__name__}: {printable(str(error))[:200]}\n")


_BRIEF = SimpleNamespace(print_exc=_Brief())
