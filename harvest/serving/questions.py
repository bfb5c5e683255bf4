"""Named queries as forms of a page: fields of text become values, as on the command line, where they can be asked too.

Pure but for `values`, which looks up what is named in the file.
"""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harvest.explore.named import Named
from harvest.explore.parameters import bind_named

_MB = 1_000_000
_LEAST_SECONDS, _MOST_SECONDS = 5, 30
_MB_A_SECOND = 20


def seconds_for(size: int) -> int:
    """Give how long a query of a page may take, for a file of so many bytes: 5 s up to 100 MB, a second more for each
    20 MB beyond, half a minute at most.

    A query that goes through a whole table does 50 to 100 MB in a second where the file is in memory.
    """
    return min(max(_LEAST_SECONDS, size // (_MB_A_SECOND * _MB)), _MOST_SECONDS)


def values(connection: sqlite3.Connection, query: Named, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values of a query's parameters from the fields of its form; an empty one stands for the default, and
    NULL for what must be given and is not: nothing is found then.

    Raises QueryError, and SeedError where a track or person is not in the file.
    """
    given = {name: str(text) for name, text in _filled(query, fields).items()}
    needed = [p.name for p in query.parameters if p.default is None and p.name not in given]
    if needed:
        return dict.fromkeys(p.name for p in query.parameters)
    return bind_named(connection, query, [f"{name}={text}" for name, text in given.items()])


def on_the_command_line(path: Path, query: Named, fields: Mapping[str, Any], *options: str) -> str:
    """Write the command that asks the same."""
    given = [shlex.quote(f"{name}={text}") for name, text in _filled(query, fields).items()]
    return " ".join(["harvest sql", query.name, *given, *_at(path), *options])


def sql_on_the_command_line(path: Path, sql: str, fields: Mapping[str, Any], *options: str) -> str:
    """Write the command that asks any query, or shows a table by its name."""
    given = [shlex.quote(f"{name}={text}") for name, text in fields.items() if text]
    return " ".join(["harvest sql", shlex.quote(sql.strip()), *given, *_at(path), *options])


def _at(path: Path) -> tuple[str, str]:
    return ("--cache-path", shlex.quote(str(path)))


def _filled(query: Named, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {p.name: fields[p.name] for p in query.parameters if str(fields.get(p.name) or "").strip()}
