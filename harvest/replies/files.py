"""Open a file of kept replies: what it must look like, and what is said when it does not.

In: a path. Out: a connection. A file is not trusted, so its tables must be ours to the letter before any row is
read: no view, trigger or other table, nothing that its rows could set off.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path

from harvest.errors import NotADatabase, NothingThere, SchemaTooNew, StorageFailed, StoreError
from harvest.system.file_uris import uri_of
from harvest.system.sql import split_statements, without_comments
from harvest.system.sqlite_busy import PATIENCE_SECONDS, is_locked, open_patiently, writing_in

APPLICATION_ID = 0x68727672  # 'hrvr', in the header of the file
VERSION = 1  # of the tables
LARGEST = 64 * 1024 * 1024  # bytes of one body, unpacked; no larger reply is read from the service
_LARGEST_ROW = 2 * LARGEST
_MAIN_FILE = 0x68727673  # 'hrvs': a harvest itself
# Rows are only ever added, each at the end: small pages waste less behind a frame (docs/performance.md).
_PAGE_SIZE = 2048
_CHECKPOINT_PAGES = 2048
_LONGEST_COMPLAINT = 200  # characters


def beside(path: Path) -> Path:
    """Name the file of replies that belongs to a main file: `t.replies.db` of `t.db`."""
    return path.parent / f"{path.stem}.replies.db"


def kept_of(path: Path) -> Path:
    """Name the file of replies of a main file that is there, beside the file itself where `path` is a link to it."""
    return beside(path.resolve() if path.is_symlink() else path)


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open a file to keep replies in, made where there is none; a transaction is on the disk when its commit returns.

    Raises StoreError where it is something else, or cannot be written.
    """
    with complaints(path):
        _check_place(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        return open_patiently(lambda: _to_write(path))


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a file of replies that another program made, and may still be writing. Raises StoreError."""
    if not path.exists():
        raise NothingThere(f"There is no file {path}: `harvest URL --keep-replies` makes one beside its file.")
    with complaints(path):
        _check_place(path)
        return open_patiently(lambda: _to_read(path))


@contextlib.contextmanager
def complaints(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system complain about into one clear line. Raises StoreError."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _as_store_error(error, path) from error
    except UnicodeError as error:  # not even what SQLite says of it is text
        raise damaged(path, str(error)) from error
    except OSError as error:
        raise StorageFailed(f"Cannot use {path}: {error.strerror or error}.") from error


def damaged(path: Path, how: str) -> NotADatabase:
    """Say in what a file of replies is not as we make them."""
    return NotADatabase(f"{path} is damaged, or was made by another program: {_short(how)}.")


def _to_write(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path.absolute(), isolation_level=None, timeout=PATIENCE_SECONDS)
    try:
        _distrust(connection)
        _check_owner(connection, path, empty_is_ours=True)
        connection.execute(f"PRAGMA page_size = {_PAGE_SIZE}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        if _is_empty(connection):
            _make_tables(connection)
        _check_tables(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _to_read(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        _reading_address(path), uri=True, isolation_level=None, timeout=PATIENCE_SECONDS, check_same_thread=False
    )
    try:
        _distrust(connection)
        connection.execute("PRAGMA query_only = ON")
        _check_owner(connection, path, empty_is_ours=False)
        _check_tables(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _reading_address(path: Path) -> str:
    """Give the address to read without leaving anything behind: a file that no process writes is taken as it stands."""
    path = path.resolve()
    beside = path.with_name(f"{path.name}-wal")
    is_written = beside.exists() and beside.stat().st_size > 0
    return f"{uri_of(path)}?mode=ro{'' if is_written else '&immutable=1'}"


def _distrust(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_ROW)


def _check_place(path: Path) -> None:
    if path.is_dir():
        raise NotADatabase(f"{path} is a folder: name the file of replies in it.")
    if path.exists() and not path.is_file():
        raise NotADatabase(f"{path} is a device or a pipe, not a file.")


def _check_owner(connection: sqlite3.Connection, path: Path, *, empty_is_ours: bool) -> None:
    """Refuse a file that is not ours, before anything is changed."""
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if owner == _MAIN_FILE:
        raise NotADatabase(f"{path} is a harvest, not the replies kept beside it: name {beside(path).name}.")
    if owner == APPLICATION_ID:
        if version > VERSION:
            raise SchemaTooNew(
                f"{path} was written by a newer harvest (replies {version}, this one knows {VERSION}): upgrade."
            )
        if version == VERSION:
            return
    elif not owner and not version and _is_empty(connection):
        if empty_is_ours:
            return
        raise NothingThere(f"{path} is empty: `harvest URL --keep-replies` fills one beside its file.")
    raise NotADatabase(f"{path} holds something else, not replies that harvest kept; it was left untouched.")


def _is_empty(connection: sqlite3.Connection) -> bool:
    (there,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    return bool(there == 0)


def _make_tables(connection: sqlite3.Connection) -> None:
    """Make all tables or none: a file that a killed process left empty is begun again."""
    with writing_in(connection):
        if _is_empty(connection):
            for statement in _statements():
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")


def _check_tables(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file whose tables are not ours to the letter, or that has anything beside them."""
    found = _tables(connection)
    expected = _expected()
    for name in sorted({*found, *expected}, key=str):
        if found.get(name) != expected.get(name):
            what = "is missing" if name not in found else "is another one" if name in expected else "does not belong"
            shown = " ".join(str(name[1]).split())[:60]
            raise damaged(path, f"its {name[0]} {shown!r} {what}")


@cache
def _expected() -> dict[tuple[object, object], tuple[object, str]]:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for statement in _statements():
            connection.execute(statement)
        return _tables(connection)


def _tables(connection: sqlite3.Connection) -> dict[tuple[object, object], tuple[object, str]]:
    """Give what a schema holds, by type and name: of which table, and its statement without comments."""
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema")
    return {(kind, name): (table, without_comments(str(sql))) for kind, name, table, sql in rows}


@cache
def _statements() -> tuple[str, ...]:
    script = resources.files("harvest.replies").joinpath("schema.sql").read_text(encoding="utf-8")
    return tuple(split_statements(script))


def _short(words: str) -> str:
    """Make a short line of what SQLite says: it cites what stands in the file, a whole statement or row."""
    line = " ".join(words.split())
    return line if len(line) <= _LONGEST_COMPLAINT else f"{line[:_LONGEST_COMPLAINT]}…"


def _as_store_error(error: sqlite3.DatabaseError, path: Path) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if is_locked(error):
        return StorageFailed(f"{path} is locked by another program: close it, then run the same command again.")
    if code == sqlite3.SQLITE_FULL:
        return StorageFailed(
            f"The disk is full: {path} cannot grow. Free some space, then run the same command again; nothing is lost."
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return StorageFailed(f"{path} cannot be opened or written ({error}): check its folder and its permissions.")
    if code == sqlite3.SQLITE_IOERR:
        return StorageFailed(
            f"Reading or writing {path} failed: {error}. Check the disk, then run the same command again."
        )
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return NotADatabase(
            f"{path} is not a SQLite database, or is damaged: {_short(str(error))}. Nothing was changed."
        )
    return damaged(path, str(error))
