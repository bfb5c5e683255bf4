"""Forget: one transaction takes it out of the file, then the bytes go, then it is looked for, everywhere.

In: a path, what to forget. Out: what was done, and the proof. Never: a request.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from harvest.errors import StorageFailed, StoreError
from harvest.forgetting import doomed, proof
from harvest.forgetting.erase import erase
from harvest.forgetting.leads import leads
from harvest.store import journal, lease, suppression
from harvest.store.database import apply_schema, check_readable, immediately, open_for_crawl, storage_errors
from harvest.store.suppression import Named
from harvest.system.clock import as_text
from harvest.system.sqlite_busy import is_locked
from harvest.things import SHOWN

_THEN = "run this command again"
_PATIENCE_MS = 5000  # how long a reader is waited for


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was done: how many things and rows went; whether their bytes are gone too, or what holds them; where texts
    that name them still stand, by file, and in which columns others name them.
    """

    things: int
    rows: int
    erased: bool
    texts: int = 0
    found: dict[Path, Counter[str]] = field(default_factory=dict)
    mentions: dict[str, int] = field(default_factory=dict)
    searched: tuple[Path, ...] = ()
    deleted: tuple[Path, ...] = ()
    handed_out: tuple[tuple[str, str, str, str | None], ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing is left but what others have written, in their own words."""
        return not self.found or (bool(self.mentions) and len(self.found) == 1)


def would_go(connection: sqlite3.Connection, wanted: Sequence[Named]) -> dict[str, int]:
    """Count the rows that would go, by table; a connection that writes only temporary tables is enough."""
    doomed.doom(connection, wanted)
    found: dict[str, int] = {}
    columns: dict[str, list[str]] = {}
    for lead in leads(connection):
        columns.setdefault(lead.table, []).append(f"{lead.column} IN ({doomed.of(lead.thing)})")
    for thing in SHOWN:
        columns[thing.table] = [f"id IN ({doomed.of(thing.name)})"]
    for table, conditions in columns.items():
        sql = f"SELECT count(*) FROM {table} WHERE {' OR '.join(conditions)}"  # noqa: S608 - names of the schema
        (n,) = connection.execute(sql).fetchone()
        if n:
            found[table] = int(n)
    return found


def forget_for_good(path: Path, wanted: Sequence[Named], *, now: datetime, logs: Sequence[Path] = ()) -> Forgotten:
    """Forget things, and look for them in the file, beside it, and in these logs.

    Raises StoreError: CrawlBusy while somebody crawls into the file, KeyMissing.
    """
    check_readable(path)
    with storage_errors(path), _opened(path) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA foreign_keys = OFF")  # every column that refers to what goes is gone through
        with immediately_in(connection):
            lease.check_free(connection, path, then=_THEN)
            if journal.is_kept(connection):
                raise StoreError(
                    f"{path} keeps its replies, which would still hold them. End that with `harvest resume"
                    " --no-keep-replies`, delete the file of replies, then run this command again."
                )
            key = suppression.key_to_forget_with(connection)
            doomed.doom(connection, wanted)
            texts = doomed.texts(connection)
            things = doomed.things(connection)
            rows = erase(connection, key, texts, as_text(now))
            _write_down(connection, things, rows, as_text(now))
        deleted = _drop_copies(path)
        done = Forgotten(things, rows, erased=False, texts=len(texts), deleted=deleted)
        return _prove(connection, path, texts, logs, replace(done, handed_out=_handed_out(connection)), now)


def finish(path: Path, *, now: datetime) -> Forgotten:
    """Erase the bytes of what was forgotten before, where a reader prevented it then. Raises StoreError."""
    check_readable(path)
    with storage_errors(path), _opened(path) as connection:
        lease.check_free(connection, path, then=_THEN)
        connection.execute("PRAGMA secure_delete = ON")
        erased = _fold(connection) and _rewrite(connection) and _note_erased(connection, now)
        return Forgotten(0, 0, erased, handed_out=_handed_out(connection))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    db = open_for_crawl(path)
    try:
        with immediately(db):
            apply_schema(db)
        yield db.conn
    finally:
        db.conn.close()


@contextlib.contextmanager
def immediately_in(connection: sqlite3.Connection) -> Iterator[None]:
    """Open a transaction that has the write lock from its beginning."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _prove(
    connection: sqlite3.Connection,
    path: Path,
    texts: Sequence[str],
    logs: Sequence[Path],
    done: Forgotten,
    now: datetime,
) -> Forgotten:
    """Fold the log into the file and look for the texts; where old copies of rows may still hold them, write the file
    anew.
    """
    if not _fold(connection):
        return done
    files = [*proof.files_of(path), *logs]
    found = proof.search(files, texts)
    if path in found or not all(map(proof.can_be_found, texts)) or _is_unfinished(connection):
        if not _rewrite(connection):
            return done
        found = proof.search(files, texts)
    mentions = proof.mentions(connection, texts) if path in found else {}
    if path in found and not mentions:  # written anew: what is left stands in longer words of others
        del found[path]
    erased = _note_erased(connection, now)
    return replace(done, erased=erased, found=found, mentions=mentions, searched=tuple(files))


def _write_down(connection: sqlite3.Connection, things: int, rows: int, now: str) -> None:
    """Note that something was forgotten, also among the changes: who reads those on learns that what they have read may
    be more than there is now.
    """
    cursor = connection.execute(
        """
        INSERT INTO changes (at, what, "table", ids)
        SELECT ?1, 'forgotten', 'forgettings', '{"id":' || (coalesce(max(id), 0) + 1) || '}' FROM forgettings
        """,
        (now,),
    )
    connection.execute(
        "INSERT INTO forgettings (at, version, things, rows) VALUES (?, ?, ?, ?)", (now, cursor.lastrowid, things, rows)
    )


def _is_unfinished(connection: sqlite3.Connection) -> bool:
    """Say whether something was forgotten before whose bytes may still be there."""
    (n,) = connection.execute("SELECT count(*) FROM forgettings WHERE erased_at IS NULL").fetchone()
    return int(n) > 1


def _fold(connection: sqlite3.Connection) -> bool:
    """Bring the log back into the file and empty it; False when a reader prevents it."""
    connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError as error:
        if not is_locked(error):
            raise
        return False
    return not busy


def _rewrite(connection: sqlite3.Connection) -> bool:
    """Write the file anew, so that nothing is left in the free room of its pages; False when a reader prevents it."""
    try:
        connection.execute("VACUUM")
    except sqlite3.OperationalError as error:
        if not is_locked(error):
            raise
        return False
    return _fold(connection)


def _note_erased(connection: sqlite3.Connection, now: datetime) -> bool:
    connection.execute("UPDATE forgettings SET erased_at = ? WHERE erased_at IS NULL", (as_text(now),))
    return _fold(connection)


def _drop_copies(path: Path) -> tuple[Path, ...]:
    """Delete the copies that were made of the file before its schema was changed: they hold what is forgotten."""
    copies = sorted(path.parent.glob(f"{proof.glob_safe(path.name)}.schema-*"))
    for copy in copies:
        try:
            copy.unlink()
        except OSError as error:
            raise StorageFailed(f"{copy} holds what is forgotten, and cannot be deleted: {error.strerror}.") from error
    return tuple(copies)


def _handed_out(connection: sqlite3.Connection) -> tuple[tuple[str, str, str, str | None], ...]:
    rows = connection.execute("SELECT at, what, path, hash FROM handouts ORDER BY id").fetchall()
    return tuple((row[0], row[1], row[2], row[3]) for row in rows)
