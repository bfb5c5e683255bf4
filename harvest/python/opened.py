"""An open file: where it is, how it is asked, and that what goes wrong is said in our own words."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from harvest.explore.execute import Values
from harvest.python.sequences import Rows, kinds_of
from harvest.python.sources import Query
from harvest.store.database import check_readable, open_to_read, storage_errors

Row = TypeVar("Row", bound=tuple[Any, ...])
_STEPS_BETWEEN_CALLS = 100_000  # of SQLite's own; some milliseconds


class Opened:
    """A harvested file, to be read; also while it is being crawled."""

    def __init__(self, path: Path | str) -> None:
        """Raises NotADatabase, SchemaTooNew, StoreError."""
        self.path = Path(path)
        check_readable(self.path)

    @contextlib.contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Open a connection that can only read. What SQLite complains about meanwhile is raised as StoreError where the
        file is to blame; Ctrl-C is heard while it works.
        """
        with storage_errors(self.path, writes=False), contextlib.closing(open_to_read(self.path)) as connection:
            connection.set_progress_handler(lambda: 0, _STEPS_BETWEEN_CALLS)
            try:
                yield connection
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                    raise KeyboardInterrupt from None
                raise

    def _asked(
        self,
        sql: str,
        values: Values = (),
        *,
        make: Callable[[tuple[Any, ...]], Row],
        kinds: dict[str, str] | None = None,
        timeout: float | None = None,
    ) -> Rows[Row]:
        """Give the rows of a query. Raises QueryError now for what is wrong with it."""
        query = Query(lambda: open_to_read(self.path), sql, values, timeout)
        query.check()
        return Rows(query, make, kinds)

    def _table(self, name: str, row: type[Row]) -> Rows[Row]:
        columns = ", ".join(row._fields)  # type: ignore[attr-defined]  # named tuples
        return self._asked(
            f"SELECT {columns} FROM {name}",  # noqa: S608 - our own names
            make=row._make,  # type: ignore[attr-defined]
            kinds=kinds_of(row),
        )


def plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Leave a row as it is."""
    return row
