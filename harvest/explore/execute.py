"""Ask one query of an open file: it may only read, only for so long, and what is wrong with it is said in one line.

In: a connection that reads, a query, the values of its parameters. Out: the names of its columns, and its rows one by
one as SQLite finds them. Never: a write, another file, or rows held in memory.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from harvest.errors import OutOfTime, QueryError
from harvest.explore import tokenizer
from harvest.explore.authorizer import Guard
from harvest.store.database import bound
from harvest.store.sql_functions import BROKEN

Values = Mapping[str, Any] | Sequence[Any]
# SQLite's own steps between two looks at the clock: some ten milliseconds, so that the looks cost nothing.
_STEPS_BETWEEN_LOOKS = 400_000
LONGEST = 16_000_000  # bytes of a text, a blob or a row: what is larger was made to be
_TOO_LARGE = f"The query makes a text, blob or pattern that is too large: {LONGEST // 1_000_000} MB are allowed."
_TOO_MUCH = "The query holds too much at once: ask for fewer columns, or for smaller texts."
_MISSING = ("no such column: ", "no such table: ", "no such function: ", "ambiguous column name: ")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gives. The rows can be gone through once."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


class Watch:
    """Measures how long SQLite works, leaves out the time between requests for rows, and ends it in time."""

    def __init__(self, seconds: float | None, now: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self.interrupted = False
        self._now = now
        self._worked, self._since = 0.0, None  # type: float, float | None

    def look(self) -> int:
        """Answer SQLite, which asks whether to stop."""
        try:
            return int(self.is_over)
        except KeyboardInterrupt:  # SQLite would swallow it
            self.interrupted = True
            return 1

    @property
    def worked(self) -> float:
        """Seconds so far."""
        return self._worked + (0.0 if self._since is None else self._now() - self._since)

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return self.seconds is not None and self.worked > self.seconds

    def over(self) -> OutOfTime:
        """Say so."""
        return OutOfTime(
            f"The query was stopped after {self.seconds:g} s; --timeout gives it more, 0 any time it needs."
        )

    def pause(self) -> None:
        """Stop measuring."""
        self._worked, self._since = self.worked, None

    def go_on(self) -> None:
        """Measure again."""
        self._since = self._now()


def ask(connection: sqlite3.Connection, sql: str, values: Values = (), *, watch: Watch | None = None) -> Answer:
    """Ask a query. Raises QueryError, OutOfTime, KeyboardInterrupt, now or while the rows are gone through.

    The connection is good for this one query, and should be closed after it.
    """
    watch = watch or Watch(None)
    running = _begin(connection, sql, sql, values, watch)
    return Answer(_unique([column[0] for column in running.cursor.description or ()]), _rows(running))


def check(connection: sqlite3.Connection, sql: str, values: Values = ()) -> None:
    """Have SQLite read a query and not run it. Raises QueryError for all that `ask` would find wrong before it starts.

    The connection is good for this one look, and should be closed after it.
    """
    first = next(tokenizer.tokens(sql), None)
    explained = first is not None and first.text.lower() == "explain"
    _begin(connection, sql if explained else f"EXPLAIN {sql}", sql, values, Watch(None))


@dataclass(frozen=True, slots=True)
class _Running:
    """A query that was begun, and what it takes to say what is wrong with it."""

    cursor: sqlite3.Cursor
    sql: str
    watch: Watch
    guard: Guard
    names: _Names

    def told(self, error: Exception) -> BaseException:
        """Turn what went wrong into one line."""
        if isinstance(error, MemoryError):
            return QueryError(_TOO_MUCH)
        return _told(error, self.sql, self.watch, self.guard, self.names)


def _begin(connection: sqlite3.Connection, run: str, sql: str, values: Values, watch: Watch) -> _Running:
    """Run something that stands for a query, which is what is spoken of where it fails."""
    cursor = connection.cursor()
    cursor.row_factory = None
    running = _Running(cursor, sql, watch, Guard(), _Names(connection))
    bound(connection, LONGEST)
    connection.set_progress_handler(watch.look, _STEPS_BETWEEN_LOOKS)
    connection.set_authorizer(running.guard)
    watch.go_on()
    try:
        cursor.execute(run, values)
    except UnicodeEncodeError as error:
        raise QueryError("The query holds bytes that are no text in UTF-8.") from error
    except OverflowError as error:
        raise QueryError("A whole number is larger than any in the file: 64 bits are allowed.") from error
    except (sqlite3.Error, sqlite3.Warning, MemoryError) as error:
        raise running.told(error) from error
    finally:
        watch.pause()
    return running


def _rows(running: _Running) -> Iterator[tuple[Any, ...]]:
    watch = running.watch
    try:
        watch.go_on()
        if watch.seconds is None:  # no limit, so nothing to measure
            yield from running.cursor
            return
        for row in running.cursor:
            watch.pause()
            yield row
            watch.go_on()
    except (sqlite3.Error, MemoryError) as error:
        raise running.told(error) from error


def _unique(columns: list[str]) -> tuple[str, ...]:
    """Give each column a name of its own: id, id_2."""
    given: dict[str, None] = {}
    for column in columns:
        number, name = 1, column
        while name in given:
            number += 1
            name = f"{column}_{number}"
        given[name] = None
    return tuple(given)


class _Names:
    """The names there are, looked up when something has gone wrong."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def unguard(self) -> None:
        """Let our own queries through, the time of the other being over or not."""
        self._connection.set_authorizer(None)
        self._connection.set_progress_handler(None, 0)

    def tables(self) -> list[str]:
        """Give tables and views."""
        return self._list(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow' AND name NOT LIKE 'sqlite%'"
        )

    def columns(self, sql: str) -> list[str]:
        """Give the columns of the tables that a query names, and of all where it names none."""
        tables = self.tables()
        named = [table for table in tables if table.lower() in tokenizer.words(sql)]
        return [
            name for table in named or tables for name in self._list("SELECT name FROM pragma_table_xinfo(?)", table)
        ]

    def functions(self) -> list[str]:
        """Give the functions that SQLite has."""
        return self._list("SELECT DISTINCT name FROM pragma_function_list")

    def fails(self, sql: str, message: str) -> bool:
        """Say whether SQLite, reading this, stops with the message."""
        try:
            self._list(f"EXPLAIN {sql}")
        except sqlite3.Error as error:
            return str(error) == message
        return False

    def _list(self, sql: str, *values: str) -> list[str]:
        cursor = self._connection.cursor()
        cursor.row_factory = None
        return [row[0] for row in cursor.execute(sql, values)]


def _told(error: Exception, sql: str, watch: Watch, guard: Guard, names: _Names) -> BaseException:
    """Turn SQLite's complaint into one line; what is no fault of the query stays as it is."""
    names.unguard()
    message = str(error)
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) or sqlite3.SQLITE_ERROR
    if code == sqlite3.SQLITE_INTERRUPT:
        if watch.interrupted or not watch.is_over:
            return KeyboardInterrupt()
        return watch.over()
    if guard.refused:
        return QueryError(f"This only reads: {guard.refused} is not allowed.")
    if code not in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_TOOBIG):
        return error
    if code == sqlite3.SQLITE_TOOBIG:
        return QueryError(_TOO_LARGE)
    if "one statement at a time" in message:
        return QueryError("These are several queries; ask one at a time.")
    if message == "incomplete input":
        return QueryError("The query is not finished: something is missing at its end.")
    if message.startswith(_MISSING):
        return QueryError(_about_a_name(message, sql, names))
    if message == BROKEN:
        return QueryError("What stands behind REGEXP is no regular expression of Python's.")
    if message.startswith("near ") and message.endswith("syntax error"):
        return QueryError(_about_syntax(message, sql, names))
    if message.startswith("fts5: "):
        return QueryError(f"{message}; `harvest sql search WORDS` takes any words.")
    return QueryError(f"{message[:1].upper()}{message[1:].rstrip('.')}.")


def _about_a_name(message: str, sql: str, names: _Names) -> str:
    """Say where the name stands and what may have been meant."""
    what, _, name = message.partition(": ")
    found = tokenizer.places(sql, name)
    where = f" ({tokenizer.position(sql, found[0])})" if found else ""
    kind = what.rpartition(" ")[2]
    if what.startswith("ambiguous"):
        return f"{message}{where}; put the table's name or alias and a dot before it."
    known = {"column": lambda: names.columns(sql), "table": names.tables, "function": names.functions}[kind]()
    last = name.rpartition(".")[2].lower()
    near = get_close_matches(last, known, n=1, cutoff=0.6)
    if near and near[0].lower() != last:  # it may be a column elsewhere, only not of what is asked here
        return f"{message}{where}; did you mean {near[0]}?"
    return f"{message}{where}. `harvest sql tables` lists tables and columns."


def _about_syntax(message: str, sql: str, names: _Names) -> str:
    """Say where it stopped making sense: the first place at which the query up to there fails in the same way."""
    wanted = message.removeprefix('near "').removesuffix('": syntax error')
    for start in tokenizer.places(sql, wanted) or [sql.find(wanted)]:
        if start >= 0 and names.fails(sql[: start + len(wanted)], message):
            return f"Syntax error at {wanted} ({tokenizer.position(sql, start)})."
    return f"Syntax error near {wanted}."
