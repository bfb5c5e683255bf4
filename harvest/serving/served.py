"""A file as datasette opens it: by its one address, never to be written. Imports datasette.

Datasette itself puts the name of a file into an address as it is, where # and ? end it and %20 is a blank: another file
is opened then, or made.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from datasette import handle_exception
from datasette.app import Datasette
from datasette.database import Database, QueryInterrupted
from datasette.views.base import DatasetteError

from harvest.errors import HarvestError
from harvest.explore.named import Named, named_queries
from harvest.explorer.asked import Asked
from harvest.report.ledger import LedgerRows
from harvest.serving.dictionary import Entry
from harvest.serving.home import LEDGER, Glance, glance, ledger
from harvest.serving.links import onward
from harvest.serving.metadata import About, terms, tilde
from harvest.serving.questions import on_the_command_line, seconds_for, sql_on_the_command_line, values
from harvest.store.database import open_to_serve
from harvest.system.logs import printable

LONGEST = 1_000_000  # bytes of a text, a blob or a row that a query makes
COUNTING_MS = 1500  # for each number beside the rows of a page
TOO_SLOW = "This takes too long for a page"
_LEDGER_MS = 5000  # for how the lists have ended
_LINES = 20  # that a server says of what goes wrong: they may go unread, and a full pipe would stop it


class Served(Database):  # type: ignore[misc]  # datasette has no types
    """The one file that is served."""

    def __init__(self, datasette: Any, path: Path, about: About, entries: Mapping[str, Entry], *, still: bool) -> None:
        super().__init__(datasette, str(path), is_mutable=not still)
        self.file = path
        self.entries = entries
        self.terms = terms(about)
        self.base = f"/{tilde(about.database)}"
        self.questions = named_queries()
        self._lookups: sqlite3.Connection | None = None
        self._explored: tuple[object, str] | None = None
        self._by_sql = {query.body: query for query in self.questions.values()}

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """Open the file for one thread."""
        if write:
            raise sqlite3.OperationalError("this file is only read")
        connection = open_to_serve(self.file, still=not self.is_mutable, longest=LONGEST)
        self._all_file_connections.append(connection)
        return connection

    async def execute(
        self, sql: str, params: Any = None, *more: Any, log_sql_errors: bool = True, **options: Any
    ) -> Any:
        """Ask a query; what is wrong with it is said on the page. Those that have a name take what they take on the
        command line.
        """
        query = self._by_sql.get(sql.strip())
        if not options.get("truncate"):  # a count beside what is asked: a page waits for none of them
            options.setdefault("custom_time_limit", COUNTING_MS)
        if query is None:
            return await super().execute(sql, params, *more, **options, log_sql_errors=False)
        fields = dict(params or {})
        bound = await self.execute_fn(lambda connection: _bound(connection, query, fields))
        try:
            return await super().execute(sql, bound, *more, **options, log_sql_errors=False)
        except QueryInterrupted as error:
            if "_nocount" in fields:  # datasette asks so for a CSV, which would be empty: it ends with a page
                raise DatasetteError(self._too_slow(query, fields), title=TOO_SLOW, status=400) from error
            raise sqlite3.OperationalError(self._too_slow(query, fields)) from error

    def row_of(self, sql: str, key: int) -> tuple[Any, ...] | None:
        """Look one row up by its key. A page has hundreds of such rows, and each is found sooner than a thread is."""
        if self._lookups is None:
            self._lookups = self.connect()
        found: tuple[Any, ...] | None = self._lookups.execute(sql, (key,)).fetchone()
        return found

    async def glance(self) -> Glance:
        """Give what the first page says, as it is now; without the ledger where adding it up takes too long."""
        told: Glance = await self.execute_fn(glance)
        return replace(told, ledger=await self.ledger())

    async def ledger(self) -> LedgerRows | None:
        """Say how the lists have ended, None where adding that up takes too long."""
        with contextlib.suppress(QueryInterrupted):
            return ledger((await self.execute(LEDGER, custom_time_limit=_LEDGER_MS)).rows)
        return None

    def explored(self, asked: Asked, connection: sqlite3.Connection) -> str:
        """Give the map of the tracks, with ways on from each into these pages; the last one is kept while it holds."""
        from harvest.explorer.facts import gather  # numpy and scipy, an extra of its own
        from harvest.explorer.page import page

        log = self.file.with_name(f"{self.file.name}-wal")
        looked = [file.stat() for file in (self.file, log) if file.exists()]
        state = (asked, [(one.st_mtime_ns, one.st_size) for one in looked if one.st_size])
        if self._explored is None or self._explored[0] != state:
            live = onward(self.base, "track", "{}")
            self._explored = (state, page(gather(connection, self.file.name, asked), live))
        return self._explored[1]

    def command(self, query: Named, fields: Mapping[str, Any]) -> str:
        """Write the command that asks a named query."""
        return on_the_command_line(self.file, query, fields)

    def sql_command(self, sql: str, fields: Mapping[str, Any]) -> str:
        """Write the command that asks any query."""
        return sql_on_the_command_line(self.file, sql, fields)

    def table_command(self, table: str) -> str:
        """Write the command that shows a table."""
        return sql_on_the_command_line(self.file, table, {})

    @property
    def seconds(self) -> int:
        """How long a query may take."""
        return seconds_for(self.size)

    @property
    def too_slow(self) -> str:
        """Say that something takes longer than a page may."""
        return f"This takes longer than the {self.seconds} s a page may take."

    def _too_slow(self, query: Named, fields: dict[str, Any]) -> str:
        command = on_the_command_line(self.file, query, fields, "--timeout 0")
        return f"{self.too_slow} On the command line it has any time: {command}"


class Pages(Datasette):  # type: ignore[misc]  # likewise
    """Datasette for one person at one computer: every visitor may see the complete file.

    Its own answer to what may be seen copies all it knows of every table, for each table of each page: most of the time
    that a page took.
    """

    async def permission_allowed(self, actor: Any, action: str, resource: Any = None, default: Any = False) -> Any:
        """Allow what is allowed by default; datasette's internal database stays closed."""
        database = resource[0] if isinstance(resource, tuple) else resource
        return False if database == "_internal" else default


def served_by(datasette: Any) -> Served:
    """Give the one file that an application serves."""
    return next(one for one in datasette.databases.values() if isinstance(one, Served))


def _bound(connection: sqlite3.Connection, query: Named, fields: dict[str, Any]) -> dict[str, Any]:
    """Give the values; what is wrong with a field is an error of the query, which datasette shows beside the form."""
    try:
        return values(connection, query, fields)
    except HarvestError as error:
        raise sqlite3.OperationalError(str(error)) from error


def be_brief() -> None:
    """Let datasette say in one line what goes wrong, and not in a thousand lines with every variable."""
    handle_exception.rich = None
    handle_exception.traceback = _BRIEF


class _Brief:
    """Says the error at hand in one line, up to a maximum number of times."""

    def __init__(self) -> None:
        self._left = _LINES

    def __call__(self) -> None:
        if self._left:
            self._left -= 1
            error = sys.exception()
            sys.stderr.write(f"harvest: {type(error).__name__}: {printable(str(error))[:200]}\n")


_BRIEF = SimpleNamespace(print_exc=_Brief())
