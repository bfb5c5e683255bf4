"""Copy a file as it is at one moment, also while it is being crawled.

In: a path, and where the copy goes. Out: a file that appears only when whole, held by nobody. Never: a write to the
original, or over another file without being told to.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from harvest.errors import StorageFailed, StoreError
from harvest.store import harvests, lease
from harvest.store.database import open_to_read, storage_errors
from harvest.system.files import beside, write_through

_PAGES_AT_ONCE = 4096  # small enough for Ctrl-C to be heard
_SIDE_FILES = ("-wal", "-shm", "-journal")


def take_snapshot(path: Path, out: Path, *, now: datetime, force: bool = False) -> int:
    """Copy a harvest database; give the size of the copy in bytes. Raises StoreError."""
    with storage_errors(out):
        _check_target(path, out, force=force)
        with open_to_read(path) as source, beside(out) as part:
            with _blaming(out):
                _copy(source, part)
            size = part.stat().st_size
            _put_in_place(part, out, force=force)
    return size


def _check_target(path: Path, out: Path, *, force: bool) -> None:
    if out.is_dir():
        raise StorageFailed(f"{out} is a folder: name a file, for example {out / 'copy.db'}.")
    if out.exists() and path.exists() and out.samefile(path):
        raise StorageFailed(f"{out} is the file itself: name another one for the copy.")
    there = next((_beside(out, name) for name in ("", *_SIDE_FILES) if _beside(out, name).exists()), None)
    if there is not None and not force:
        raise StorageFailed(f"{there} exists: name another file, or overwrite it with --force.")
    if out.exists():
        _check_nobody_crawls(out)


def _check_nobody_crawls(out: Path) -> None:
    """Refuse to pull a file away from under a crawl."""
    try:
        target = open_to_read(out)
    except StoreError:
        return  # no harvest of ours
    try:
        lease.check_free(target, out)
    finally:
        target.close()


def _copy(source: sqlite3.Connection, part: Path) -> None:
    """Copy what one moment shows, and let go of what belongs to the process that crawls."""
    target = sqlite3.connect(part, isolation_level=None)
    try:
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # from here on this is the moment
        source.backup(target, pages=_PAGES_AT_ONCE, sleep=0)
        source.execute("COMMIT")
        target.execute("DELETE FROM lease")
        harvests.pause(target)
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # closing does the same, but says nothing when it cannot
    finally:
        target.close()
    write_through(part)


@contextlib.contextmanager
def _blaming(out: Path) -> Iterator[None]:
    """Say of the copy that it cannot be written: the original is only read."""
    try:
        yield
    except sqlite3.OperationalError as error:
        name = getattr(error, "sqlite_errorname", "")
        if name == "SQLITE_FULL" or (name.startswith("SQLITE_IOERR") and "READ" not in name):
            with storage_errors(out):
                raise
        raise


def _put_in_place(part: Path, out: Path, *, force: bool) -> None:
    """Give the copy its name; without force, only if nothing has that name by now."""
    if force:
        for name in _SIDE_FILES:  # they belong to what is replaced, and would be taken for the copy's own
            _beside(out, name).unlink(missing_ok=True)
        part.replace(out)
        return
    try:
        os.link(part, out)
    except FileExistsError:
        raise StorageFailed(f"{out} exists: name another file, or overwrite it with --force.") from None
    except OSError:  # a file system without links
        part.rename(out)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
