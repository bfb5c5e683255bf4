"""Copy a file as it is at one moment, also while it is being crawled.

In: a path, and where the copy goes. Out: a file that appears only when whole, held by no process. Never: a write to the
original, or over another file without being told to.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harvest.errors import StorageFailed
from harvest.replies.copying import copy as copy_replies
from harvest.replies.files import beside as replies_of
from harvest.replies.files import kept_of
from harvest.store import harvests, journal
from harvest.store.database import open_to_read, storage_errors
from harvest.store.placing import check_target, put_in_place
from harvest.system.files import beside, write_through

_PAGES_AT_ONCE = 4096  # small enough for Ctrl-C to be heard


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy that was made: its size in bytes, and that of the replies beside it; None where there are none to copy.

    `lost`: the file says that it keeps replies, and they are not there, or are not its own.
    """

    size: int
    replies_size: int | None = None
    lost: bool = False


def take_snapshot(path: Path, out: Path, *, now: datetime, force: bool = False) -> Copied:
    """Copy a harvest database, and the replies that are kept beside it as far as the copy goes. Raises StoreError."""
    with storage_errors(out):
        if out.exists() and path.exists() and out.samefile(path):
            raise StorageFailed(f"{out} is the file itself: name another one for the copy.")
        if replies_of(out).absolute() == kept_of(path).absolute():
            raise StorageFailed(f"{out} would have its replies where those of {path} are: name another one.")
        check_target(out, force=force)
        with open_to_read(path) as source, beside(out) as part, beside(replies_of(out)) as replies_part:
            with _blaming(out):
                pair = _copy(source, part)
            replies_size = None
            if pair is not None:
                check_target(replies_of(out), force=force)
                if copy_replies(kept_of(path), replies_part, pair=pair[0], last=pair[1]):
                    replies_size = replies_part.stat().st_size
                    put_in_place(replies_part, replies_of(out), force=force)
                else:
                    _keep_none(part)
            size = part.stat().st_size
            try:
                put_in_place(part, out, force=force)
            except BaseException:
                if replies_size is not None:
                    replies_of(out).unlink(missing_ok=True)
                raise
    return Copied(size, replies_size, lost=pair is not None and replies_size is None)


def _copy(source: sqlite3.Connection, part: Path) -> tuple[str, int] | None:
    """Copy what one moment shows, and let go of what belongs to the process that crawls; give with which replies."""
    target = sqlite3.connect(part, isolation_level=None)
    try:
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # from here on this is the moment
        source.backup(target, pages=_PAGES_AT_ONCE, sleep=0)
        source.execute("COMMIT")
        target.execute("DELETE FROM lease")
        harvests.pause(target)
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # closing does the same, but says nothing when it cannot
        pair = journal.pair_of(target)
    finally:
        target.close()
    write_through(part)
    return pair


def _keep_none(part: Path) -> None:
    """Let the copy go on by itself: the replies it would look for beside it are nowhere."""
    with contextlib.closing(sqlite3.connect(part, isolation_level=None)) as target:
        journal.keep_no_more(target)
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
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
