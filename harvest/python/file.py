"""A harvested file, from Python: its parts as sequences, what it answers, what is done with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harvest.explore.parameters import bind_named
from harvest.explore.statements import as_sql, query_named
from harvest.python.acting import Acts
from harvest.python.asking import Questions
from harvest.python.opened import plain
from harvest.python.parts import Parts
from harvest.python.sequences import Rows
from harvest.python.times import Times
from harvest.settings import DEFAULT_PATH


class File(Parts, Questions, Times, Acts):
    """A harvested file, to be read; also while it is being crawled."""

    def __repr__(self) -> str:
        return f"harvest.open({str(self.path)!r})"

    def query(self, sql: str, *parameters: Any) -> Rows[tuple[Any, ...]]:
        """Ask in SQL, with values for its `?`; the rows are plain tuples. Raises QueryError."""
        return self._asked(sql.strip().rstrip(";"), parameters, make=plain)

    def sql(self, query: str, /, *values: Any, timeout: float | None = None, **named: Any) -> Rows[tuple[Any, ...]]:
        """Ask what `harvest sql` asks: a query that comes with harvest, by its name (`"co-likes"`), a whole table, or
        any SQL. Values come in order or by name; a track or a user is named by id, URN, address or whole name.
        `timeout` is in seconds, by default any time is given.

        Raises QueryError, SeedError for a track or user that is not in the file, and OutOfTime once it is gone through.
        """
        by_name = {name: value for name, value in named.items() if value is not None}
        with self.connection() as connection:
            wanted = query_named(query)
            if wanted is None:
                text, bound = as_sql(connection, query), by_name or values
                return self._asked(text.rstrip(";"), bound, make=plain, timeout=timeout)
            given = [*map(_as_text, values), *(f"{name}={_as_text(value)}" for name, value in by_name.items())]
            bound = bind_named(connection, wanted, given)
        return self._asked(wanted.body.rstrip(";"), bound, make=plain, timeout=timeout)


def open(path: Path | str = DEFAULT_PATH) -> File:
    """Open a harvested file to read it. Raises StoreError when there is none."""
    return File(path)


def _as_text(value: Any) -> str:
    """Write a value as it is typed behind `harvest sql`; several with commas between them."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple | set) else str(value)
