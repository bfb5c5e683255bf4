"""Databases that live in the memory of this process, at paths that are no files: nothing of them touches a disk.

SQLite keeps one for all connections of a process that open it by the same name, as long as one of them is open; its
journal, its log and whatever it sorts stay in memory too. What is said of paths elsewhere holds for these as well: they
do not exist, and nothing can be made beside them.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

_NOWHERE = Path("/dev/null")  # no file can be made under it
# Each with a connection that keeps it.
_kept: dict[Path, sqlite3.Connection] = {}


def new() -> Path:
    """Give a path to a new database, which lives as long as this process."""
    path = _NOWHERE / f"harvest-{secrets.token_hex(8)}"
    _kept[path] = sqlite3.connect(address(path), uri=True, check_same_thread=False)
    return path


@contextlib.contextmanager
def only_here() -> Iterator[Path]:
    """Give a path to a new database, which is gone at the end of the `with`."""
    path = new()
    try:
        yield path
    finally:
        _kept.pop(path).close()


def holds(path: Path) -> bool:
    """Say whether a path is that of such a database."""
    return path in _kept


def address(path: Path) -> str:
    """Give the address under which SQLite opens it."""
    return f"file:/{path.name}?vfs=memdb"


def stay(connection: sqlite3.Connection) -> None:
    """Let whatever a connection puts aside while it works stay in memory."""
    connection.execute("PRAGMA temp_store = MEMORY")
