"""Open the file, set its pragmas, and turn SQLite's complaints into ours.

In: a path. Out: a connection ready to read or to write. Never: a query about the graph.

Durability: WAL with synchronous=NORMAL. A killed process loses nothing that was committed. A power cut may take the
last commits with it, never half of one: the file is then at an earlier page, and the crawl goes on from there.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harvest.errors import NotADatabase, NothingThere, SchemaTooNew, StorageFailed, StoreError
from harvest.store import absent, in_memory, suppression
from harvest.store.schema import APPLICATION_ID, make_own_tables, schema_of, schema_version
from harvest.store.sql_functions import add_functions
from harvest.system.file_uris import uri_of
from harvest.system.sql import without_comments
from harvest.system.sqlite_busy import PATIENCE_SECONDS, fold, is_locked, open_patiently, writing_in
from harvest.system.sqlite_temp import CHOSEN_BY, temporary_folder

if TYPE_CHECKING:
    from sqlite_utils import Database

OLDEST_SCHEMA = 8  # no version before it was released
OLDEST_SQLITE = (3, 38, 0)  # STRICT tables, unixepoch()
# 16 MB of log before it is folded into the file: SQLite's own 1000 writes the same places again and again and costs a
# seventh more CPU per page, a larger one makes the pauses longer (docs/performance.md).
_CHECKPOINT_PAGES = 4000
_CACHE = "cache_size = -32000"  # kB at most; with SQLite's own 2 MB, what goes by an index reads pages time and again
SYNCHRONOUS = "NORMAL"  # docs/adr/0004-power-cuts.md
_LONGEST_PATTERN = 1000
_LARGEST_HEAP = 256_000_000  # bytes; the largest of our own queries takes 40 MB


def import_without_numpy() -> None:
    """Import sqlite-utils without numpy and pandas, which it imports where they are installed: a process that writes no
    values of theirs starts sooner.
    """
    hidden = [name for name in ("numpy", "pandas") if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # Python's way to say: not there
    try:
        import sqlite_utils  # noqa: F401
    finally:
        for name in hidden:
            del sys.modules[name]


def open_for_crawl(path: Path) -> Database:
    """Open a database to write into, making file and folders when missing; the schema is not applied yet.

    Raises NotADatabase, SchemaTooNew, StorageFailed, KeyMissing. A file that is something else is left untouched.
    """
    from sqlite_utils import Database  # 0.2 s of imports that reading commands can do without

    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        raise StoreError(f"SQLite {needed} or newer is needed; this Python has {sqlite3.sqlite_version}.")
    with storage_errors(path, writes=False):
        if not in_memory.holds(path):
            _check_place(path)
            path.parent.mkdir(parents=True, exist_ok=True)
        return Database(open_patiently(lambda: _open_to_write(path)))


def _open_to_write(path: Path) -> sqlite3.Connection:
    here = in_memory.holds(path)
    # An absolute path is a file whatever its name: `:memory:` alone would be no file at all.
    connection = sqlite3.connect(
        in_memory.address(path) if here else path.absolute(),
        uri=here,
        isolation_level=None,
        timeout=PATIENCE_SECONDS,
        cached_statements=256,
    )
    try:
        if here:
            in_memory.stay(connection)
        _check_owner(connection, path)
        suppression.check(connection)
        _distrust(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA {_CACHE}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    except BaseException:
        connection.close()
        raise
    return connection


def _distrust(connection: sqlite3.Connection) -> None:
    """Give the views and triggers of a file, which a stranger may have made, no function that does more than compute,
    and look at each page before it is taken for one (sqlite.org/security.html).
    """
    if _json_is_harmless():
        connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")


def bound(connection: sqlite3.Connection, longest: int) -> None:
    """Bound what a stranger's query may ask of a connection: a text, blob or row is no longer than so many bytes, and a
    pattern no longer than a person types, since SQLite hears nothing while it compares one.
    """
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, longest)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, _LONGEST_PATTERN)


def bound_memory(connection: sqlite3.Connection) -> None:
    """Bound what SQLite may hold at once in this process, for good: for processes that answer strangers' queries and do
    nothing else. What needs more fails as if the machine had no more.
    """
    connection.execute(f"PRAGMA hard_heap_limit = {_LARGEST_HEAP}")


def open_to_serve(path: Path, *, still: bool, longest: int) -> sqlite3.Connection:
    """Open a harvest database for a stranger's queries, in any thread: read-only by its address, which also says
    whether the file stays unchanged meanwhile.
    """
    address = f"{uri_of(path.resolve())}?{'immutable=1' if still else 'mode=ro'}"
    connection = sqlite3.connect(address, uri=True, check_same_thread=False)
    _distrust(connection)
    bound(connection, longest)
    bound_memory(connection)
    connection.execute(f"PRAGMA {_CACHE}")
    connection.execute("PRAGMA query_only = ON")
    return connection


@cache
def _json_is_harmless() -> bool:
    """Say whether this SQLite lets an untrusted schema use JSON, as ours does: 3.40 holds it for dangerous."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("CREATE VIEW told AS SELECT json_valid('1')")
        try:
            connection.execute("SELECT * FROM told")
        except sqlite3.OperationalError:
            return False
    return True


class ReadConnection(sqlite3.Connection):
    """A connection that only reads: it has nothing to commit, so `with` closes it, and says when the file is to
    blame for what goes wrong meanwhile.
    """

    path: Path | None = None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> Literal[False]:
        self.close()
        if self.path is not None and error is not None:
            with reading_errors(self.path):
                raise error
        return False


def check_readable(path: Path) -> None:
    """Raise what `open_to_read` raises."""
    open_to_read(path).close()


def open_to_read(path: Path) -> ReadConnection:
    """Open an existing harvest database, read-only; works beside a running crawl. To be closed, or used in a `with`.

    Raises NotADatabase, SchemaTooNew, NothingThere when there is no such file, or one that never got its tables.
    """
    if not (path.exists() or in_memory.holds(path)):
        other = next((f", for example {one}" for one in _beside(path)), "")
        raise NothingThere(
            f"There is no file {path}: run `harvest URL` first, or name another with --cache-path{other}."
        )
    with storage_errors(path):
        if not in_memory.holds(path):
            _check_place(path)
        connection = open_patiently(lambda: _open_to_look(path))
    connection.path = path
    connection.row_factory = sqlite3.Row
    return connection


def _beside(path: Path) -> list[Path]:
    """Give the databases of the same folder, of which one may have been meant: after a demo there is demo.db."""
    return sorted(one for one in path.parent.glob("*.db") if one.is_file() and not one.name.endswith(".replies.db"))


def _open_to_look(path: Path) -> ReadConnection:
    connection = sqlite3.connect(
        _reading_address(path),
        uri=True,
        isolation_level=None,
        timeout=PATIENCE_SECONDS,
        factory=ReadConnection,
        check_same_thread=False,  # Python may clean up a half-read query in any thread
    )
    try:
        if in_memory.holds(path):
            in_memory.stay(connection)
        _distrust(connection)
        _check_owner(connection, path, empty_is_ours=False)
        connection.execute(f"PRAGMA {_CACHE}")
        make_own_tables(connection, kept=False)
        absent.learn(connection)
        connection.execute("PRAGMA query_only = ON")
        add_functions(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def open_if_begun(path: Path) -> contextlib.AbstractContextManager[ReadConnection | None]:
    """Open a file to be read in a `with`, as None where there is nothing in it yet.

    A crawl that is killed as it begins, or finds the disk full, may leave a file without tables: the next crawl begins
    in it. Raises what else `open_to_read` raises.
    """
    try:
        return open_to_read(path)
    except NothingThere:
        return contextlib.nullcontext()


def attach_to_read(connection: sqlite3.Connection, path: Path) -> None:
    """Put an existing harvest database beside the tables of a connection, as `harvest`; nothing can be written to it.

    The connection must have been opened with `uri=True`. Raises what `open_to_read` raises.
    """
    check_readable(path)
    _distrust(connection)
    connection.execute("ATTACH ? AS harvest", (_reading_address(path),))
    make_own_tables(connection, kept=False)
    connection.execute(f"PRAGMA harvest.{_CACHE}")
    connection.set_authorizer(_keep_out_of_the_harvest)


def _keep_out_of_the_harvest(action: int, _: str | None, __: str | None, schema: str | None, ___: str | None) -> int:
    reads = (sqlite3.SQLITE_READ, sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_PRAGMA)
    return sqlite3.SQLITE_DENY if schema == "harvest" and action not in reads else sqlite3.SQLITE_OK


def _reading_address(path: Path) -> str:
    """Choose how to read: SQLite tidies its side files away only with a connection that may write, and needs a folder
    that can be written for any other kind of reading of a file in WAL mode. Side files stand beside the file itself,
    wherever a link to it stands.
    """
    if in_memory.holds(path):
        return in_memory.address(path)
    path = path.resolve()
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        how = "mode=rw"
    else:
        how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    return f"{uri_of(path)}?{how}"


def back_up_before_migrating(path: Path) -> Path | None:
    """Copy a file whose schema is older than ours before it is changed; give the copy, None where none is needed."""
    with open_if_begun(path) as connection:
        if connection is None:
            return None
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == schema_version():
            return None
        return back_up_as(connection, path.with_name(f"{path.name}.schema-{version}"))


def back_up_as(connection: sqlite3.Connection, copy: Path) -> Path:
    """Copy a file unless the copy is there: one that a killed migration has made is older still. Give the copy."""
    if not copy.exists():
        with contextlib.closing(sqlite3.connect(f"{copy}.part")) as target:
            connection.backup(target)
        Path(f"{copy}.part").replace(copy)
    return copy


def immediately(db: Database) -> contextlib.AbstractContextManager[None]:
    """Open a transaction that has the write lock from its beginning, so that two starters cannot pass each other."""
    return writing_in(db.conn)


def fold_wal(connection: sqlite3.Connection) -> None:
    """Bring the WAL back into the file, and both on the disk, so that the file alone is the result; readers may prevent
    it. Raises what SQLite raises when the disk fails.
    """
    fold(connection, 0.25)  # where a reader is at work, the next clean end does it


class FileGuard:
    """Watches that the file being written is still the one at its path: SQLite goes on writing to a deleted one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ours = _identity(path)

    def trouble(self) -> StorageFailed | None:
        """Say so when the file was deleted, or another one put in its place."""
        with contextlib.suppress(OSError):  # a share that does not answer just now proves nothing
            if _identity(self._path) != self._ours:
                return StorageFailed(
                    f"{self._path} was deleted, moved or replaced while it was being crawled, and what is collected"
                    " now would be lost: put it back, or begin anew with `harvest URL`."
                )
        return None


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


# What our own code stumbles over when a file holds what it cannot.
_MISLED = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)
_LOOKING_SECONDS = 5.0  # for damage; large files are looked at in part


# What SQLite says when a disk has no room for the file that readers and writers of a log share.
_NO_ROOM_BESIDE = (sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_SHMOPEN)
_NO_ROOM_TO_SORT = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)  # said to a process that writes nothing to it


@contextlib.contextmanager
def storage_errors(path: Path, *, writes: bool = True) -> Iterator[None]:
    """Turn what SQLite and the file system complain about into one clear line, and what a file that is not as we make
    them leads to. The caller `writes` into the file or only reads it.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _as_store_error(error, path, writes=writes) from error
    except _MISLED as error:
        damaged = _damaged(error, path)
        if damaged is error:
            raise
        raise damaged from error
    except PermissionError as error:
        raise StorageFailed(f"No permission to write {path}: choose another place with --cache-path.") from error
    except OSError as error:
        raise StorageFailed(f"Cannot use {path}: {error.strerror or error}.") from error


@contextlib.contextmanager
def reading_errors(path: Path) -> Iterator[None]:
    """Turn what goes wrong for a caller that only reads into one clear line: the file leads our code astray, or it is
    wrong. What the file system complains about may be of another file.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _as_store_error(error, path, writes=False) from error
    except _MISLED as error:
        damaged = _damaged(error, path)
        if damaged is not error:
            raise damaged from error
        raise NotADatabase(
            f"{path} cannot be read as it stands ({type(error).__name__}: {error}): `harvest verify` looks for damage."
            " If it finds none, harvest is at fault: please report it."
        ) from error


def _as_store_error(error: sqlite3.DatabaseError, path: Path, *, writes: bool) -> Exception:
    extended = getattr(error, "sqlite_errorcode", 0)
    code = extended & 0xFF
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return NotADatabase(f"{path} is not a SQLite database, or is damaged: {error}. Nothing was changed.")
    if "no such module" in str(error):
        return StoreError(f"The SQLite of this Python lacks FTS5, its full-text search ({error}): use another Python.")
    if code == sqlite3.SQLITE_PROTOCOL:
        return StorageFailed(
            f"{path} lies where files cannot be locked, as on some network shares ({error}): choose another place with"
            " --cache-path."
        )
    if extended in _NO_ROOM_BESIDE:
        return StorageFailed(
            f"The disk is full: {path.absolute().parent} has no room for the small file that {path.name} is read with"
            " (-shm). Free some space there, then run the same command again; nothing is lost."
        )
    if extended == sqlite3.SQLITE_IOERR_GETTEMPPATH or (not writes and extended in _NO_ROOM_TO_SORT):
        return StorageFailed(
            f"There is no room in {temporary_folder()}, where SQLite sorts what it reads ({error}). Free some space"
            f" there, or name another folder in {CHOSEN_BY}, then run the same command again; nothing is lost."
        )
    if code == sqlite3.SQLITE_FULL:
        return StorageFailed(
            f"The disk is full: {path} cannot grow. Free some space, then run the same command again; nothing is lost."
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return StorageFailed(f"{path} cannot be written ({error}): choose another place with --cache-path.")
    if is_locked(error):
        return StorageFailed(f"{path} is locked by another program: close it, then run the same command again.")
    if code == sqlite3.SQLITE_IOERR:
        return StorageFailed(
            f"Reading or writing {path} failed: {error}. Check the disk, then run the same command again."
        )
    return error if code == sqlite3.SQLITE_INTERRUPT else _damaged(error, path)


def _damaged(error: Exception, path: Path) -> Exception:
    """Give the error itself, unless the file is not as we make them."""
    damage = None
    with contextlib.suppress(StoreError, OSError, sqlite3.Error), open_to_read(path) as connection:
        damage = _damage(connection)
    if damage is None:
        return error
    return NotADatabase(f"{path} is damaged, or was changed by another program: {damage}. Nothing was changed now.")


def _damage(connection: sqlite3.Connection) -> str | None:
    """Say in what a file is not one of ours, None when nothing shows: its tables and views, pages and rules of rows."""
    connection.path = None  # type: ignore[attr-defined]  # what goes wrong from here on is known
    there = {(kind, name): sql for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_schema")}
    for kind, name, sql in schema_of(connection):
        if without_comments(str(there.get((kind, name)))) != sql:
            return f"the {kind} {name} is {'another one' if (kind, name) in there else 'missing'}"
    until = time.monotonic() + _LOOKING_SECONDS
    connection.set_progress_handler(lambda: int(time.monotonic() > until), 100_000)
    try:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        return None if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT else str(error)
    return None if found == "ok" else str(found)


def _check_place(path: Path) -> None:
    if path.is_dir():
        raise NotADatabase(f"{path} is a folder: name a file, for example {path / 'tracks.db'}.")
    if path.exists() and not path.is_file():
        raise NotADatabase(f"{path} is a device or a pipe, not a file: name another with --cache-path.")
    in_the_way = next((above for above in path.parents if above.exists() and not above.is_dir()), None)
    if in_the_way is not None:
        raise StorageFailed(f"{in_the_way} is a file, so {path} cannot be made in it: name another with --cache-path.")


def _check_owner(connection: sqlite3.Connection, path: Path, *, empty_is_ours: bool = True) -> None:
    """Refuse files of other programs, before anything is changed."""
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if owner == APPLICATION_ID:
        if version > schema_version():
            raise SchemaTooNew(
                f"{path} was written by a newer harvest (schema {version}, this one knows {schema_version()}): upgrade."
            )
        if version < OLDEST_SCHEMA:
            raise NotADatabase(
                f"{path} was written by a harvest from before 0.1.0, whose files this one cannot read; it was left"
                " untouched. Crawl into another file: --cache-path NEW.db."
            )
    elif tables or owner or version:
        raise NotADatabase(f"{path} holds something else, not a harvest; it was left untouched. Use another file.")
    elif not empty_is_ours:
        raise NothingThere(f"{path} is empty: run `harvest URL` first, or name another file with --cache-path.")
