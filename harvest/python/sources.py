"""Where the rows of a sequence come from: a query, asked again each time, or rows that are there already.

In: the path of a file and SQL, or rows. Out: plain tuples, one by one. Never: a write, or
rows kept that the caller does not keep.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Protocol

from harvest.errors import QueryError
from harvest.explore.execute import Values, Watch, ask, check
from harvest.system.sql import as_name

Opens = Callable[[], AbstractContextManager[sqlite3.Connection]]


class Source(Protocol):
    """What a sequence asks."""

    def columns(self) -> list[str]:
        """Name the columns."""

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Give the rows one by one."""

    def count(self) -> int:
        """Count the rows."""

    def cut(self, first: int, most: int) -> Source:
        """Leave out the first so many, and give so many of the others at most; -1: all of them."""

    def picked(self, columns: Sequence[str]) -> Source:
        """Keep these columns alone."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query to a file, which is opened each time it is asked. `timeout` is in seconds, None: any time."""

    opens: Opens
    sql: str
    values: Values = ()
    timeout: float | None = None

    def check(self) -> None:
        """Raise QueryError where SQLite cannot even read it, StoreError where there is no file."""
        with self.opens() as connection:
            check(connection, self.sql, self.values)

    def columns(self) -> list[str]:
        """Name the columns; of two of one name the second is called NAME_2."""
        try:
            return self._columns(f"SELECT * FROM (\n{self.sql}\n) LIMIT 0")  # noqa: S608
        except QueryError:  # no part of another query: a PRAGMA, or a semicolon before a comment
            return self._columns(self.sql)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Give the rows as SQLite finds them."""
        with self.opens() as connection:
            yield from ask(connection, self.sql, self.values, watch=Watch(self.timeout)).rows

    def count(self) -> int:
        """Have SQLite count, which is quicker than to go through."""
        try:
            ((n,),) = replace(self, sql=f"SELECT count(*) FROM (\n{self.sql}\n)").rows()  # noqa: S608
        except QueryError:
            n = sum(1 for _ in self.rows())
        return int(n)

    def cut(self, first: int, most: int) -> Source:
        """Have SQLite leave out what is not wanted."""
        part = replace(self, sql=f"SELECT * FROM (\n{self.sql}\n) LIMIT {most:d} OFFSET {first:d}")  # noqa: S608
        try:
            part.check()
        except QueryError:
            return self._held().cut(first, most)
        return part

    def picked(self, columns: Sequence[str]) -> Source:
        """Have SQLite read these columns alone, and the tables that they come from."""
        names = ", ".join(map(as_name, columns))
        part = replace(self, sql=f"SELECT {names} FROM (\n{self.sql}\n)")  # noqa: S608
        try:
            part.check()
        except QueryError:
            return self._held().picked(columns)
        return part

    def _held(self) -> Held:
        return Held(self.columns(), list(self.rows()))

    def _columns(self, sql: str) -> list[str]:
        with self.opens() as connection:
            columns = list(ask(connection, sql, self.values, watch=Watch(self.timeout)).columns)
        if sql != self.sql and any(":" in name for name in columns):  # how SQLite tells namesakes apart in here
            return self._columns(self.sql)
        return columns


@dataclass(frozen=True, slots=True)
class Held:
    """Rows that are in memory."""

    names: list[str]
    held: Sequence[tuple[Any, ...]]

    def columns(self) -> list[str]:
        """Name the columns."""
        return list(self.names)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Give the rows."""
        return iter(self.held)

    def count(self) -> int:
        """Count the rows."""
        return len(self.held)

    def cut(self, first: int, most: int) -> Held:
        """Give a part of them."""
        return Held(self.names, self.held[first : None if most < 0 else first + most])

    def picked(self, columns: Sequence[str]) -> Held:
        """Keep some columns."""
        places = [self.names.index(name) for name in columns]
        return Held(list(columns), [tuple(row[place] for place in places) for row in self.held])


def paged(rows: Iterator[tuple[Any, ...]], size: int) -> Iterator[list[tuple[Any, ...]]]:
    """Give rows in lists of bounded length."""
    while page := list(islice(rows, size)):
        yield page
