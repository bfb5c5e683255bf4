"""Keep the turns in a small SQLite file, so that all processes with the same credentials stand in one line.

One row holds the turns of one client of one service, `members` the processes in that line. Every change is one
transaction that takes the write lock first (about 0.1 ms). Times are those of the wall clock, which processes share.

Rule 1. The slowest live process sets the delay. A dead one is forgotten within seconds, with whatever it held.
Rule 2. A clock that was put back takes all kept times with it.
Rule 3. What was learned is forgotten after a day without use.
Rule 4. The file never stops a crawl: a broken one is put aside; one that cannot be used is replaced by our own memory.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import msgspec

from harvest.pacing.limiter import Busy, Change, LocalLedger, Result
from harvest.pacing.queue import Turns
from harvest.system.clock import Clock
from harvest.system.processes import is_alive, mark
from harvest.system.sqlite_busy import PATIENCE_SECONDS, is_locked, open_patiently

FILE_NAME = "pace.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS pace (bucket TEXT PRIMARY KEY, turns BLOB NOT NULL, touched_at REAL NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS members (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL, born TEXT NOT NULL,
    delay REAL NOT NULL, seen_at REAL NOT NULL) STRICT;
"""
_KEEP_SECONDS = 86_400.0
_HEARTBEAT_SECONDS = 2.0
_SILENT_SECONDS = 60.0  # a process of another machine is taken for dead after this
_BUSY_TIMEOUT_MS = 20  # the event loop stands still meanwhile
_PATIENCE = 10.0  # seconds of a busy file after which we go on without it
_CLOCK_WENT_BACK = 1.0


def bucket_of(api_url: str, client_id: str | None) -> str:
    """Name the line: the service, and whose allowance it is; the client id itself stays out of the file."""
    service = urlsplit(api_url).netloc.lower()
    return f"{service}#{hashlib.sha256(client_id.encode()).hexdigest()[:8]}" if client_id else service


class SharedLedger:
    """The turns of all processes that use one client id."""

    look_again = 0.05

    def __init__(
        self, folder: Path, bucket: str, *, clock: Clock, delay: float, on_trouble: Callable[[str], None]
    ) -> None:
        self.who = f"{os.getpid()}-{Random().getrandbits(48):012x}"
        self._path = folder / FILE_NAME
        self._bucket, self._delay, self._clock, self._on_trouble = bucket, delay, clock, on_trouble
        self._host, self._born = socket.gethostname(), mark()
        self._beat_at = self._busy_since = float("-inf")
        self._db: sqlite3.Connection | None = None
        self._known = Turns()
        self._own: LocalLedger | None = None  # what remains when the file fails
        try:
            self._db = self._opened()
            self._join(self._db)
            self._db.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
        except (sqlite3.Error, OSError) as error:
            self._go_alone(error)

    def change(self, change: Change[Result]) -> Result:
        """Read and change the turns, as one transaction; raises Busy."""
        if self._db is not None:
            try:
                result = self._transact(self._db, change)
                self._busy_since = float("-inf")
                return result
            except sqlite3.Error as error:
                if is_locked(error) and self._may_try_again():
                    raise Busy from error
                self._go_alone(error)
        if self._own is None:
            self._own = LocalLedger(self._now, self._delay, self._known)
        return self._own.change(change)

    def close(self) -> None:
        """Leave the line."""
        if self._db is not None:
            with closing(self._db) as db, suppress(sqlite3.Error):
                db.execute("PRAGMA busy_timeout = 1000")  # a process that lives on would keep its place in the line
                db.execute("DELETE FROM members WHERE id = ?", (self.who,))
            self._db = None

    def _transact(self, db: sqlite3.Connection, change: Change[Result]) -> Result:
        db.execute("BEGIN IMMEDIATE")
        try:
            now = self._now()
            turns = self._read(db, now)
            self._meet_the_others(db, turns, now)
            result = change(turns, now)
            db.execute(
                "INSERT OR REPLACE INTO pace (bucket, turns, touched_at) VALUES (?, ?, ?)",
                (self._bucket, msgspec.json.encode(turns), now),
            )
            db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
        self._known = turns
        return result

    def _read(self, db: sqlite3.Connection, now: float) -> Turns:
        row = db.execute("SELECT turns, touched_at FROM pace WHERE bucket = ?", (self._bucket,)).fetchone()
        turns = _decoded(row[0]) if row else Turns()
        if row and now < row[1] - _CLOCK_WENT_BACK:
            turns.shift(now - row[1])
            self._beat_at = float("-inf")
        return turns

    def _meet_the_others(self, db: sqlite3.Connection, turns: Turns, now: float) -> None:
        """Say that we live, forget who does not, and go as slowly as the slowest."""
        if not 0 <= now - self._beat_at < _HEARTBEAT_SECONDS:
            self._beat_at = now
            _bury(db, self._bucket, self._host, now)
            self._write_member(db, now)
            known = db.execute("SELECT 1 FROM members WHERE id = ?", (turns.alone,)).fetchone()
            if turns.alone and known is None:
                turns.alone = ""
        slowest = db.execute("SELECT max(delay) FROM members WHERE bucket = ?", (self._bucket,)).fetchone()[0]
        turns.delay = self._delay if slowest is None else slowest

    def _write_member(self, db: sqlite3.Connection, now: float) -> None:
        db.execute(
            "INSERT OR REPLACE INTO members (id, bucket, host, pid, born, delay, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self.who, self._bucket, self._host, os.getpid(), self._born, self._delay, now),
        )

    def _join(self, db: sqlite3.Connection) -> None:
        """Enter the line; the first one in it does not suffer for what a run before it was told."""
        now = self._now()
        db.execute("BEGIN IMMEDIATE")
        db.execute("DELETE FROM pace WHERE touched_at < ?", (now - _KEEP_SECONDS,))
        _bury(db, self._bucket, self._host, now)
        turns = self._read(db, now)
        if db.execute("SELECT 1 FROM members WHERE bucket = ?", (self._bucket,)).fetchone() is None:
            turns.begin_anew()
        db.execute("INSERT OR REPLACE INTO pace VALUES (?, ?, ?)", (self._bucket, msgspec.json.encode(turns), now))
        self._write_member(db, now)
        db.execute("COMMIT")

    def _opened(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = self._path.stat().st_ino if self._path.exists() else None
        try:
            return open_patiently(lambda: _open(self._path))
        except sqlite3.DatabaseError as error:
            if before is None or is_locked(error) or isinstance(error, sqlite3.OperationalError):
                raise
        with suppress(OSError):  # another process may be putting it aside as well
            if self._path.stat().st_ino == before:
                self._path.replace(self._path.with_name(f"{FILE_NAME}.broken"))
        return open_patiently(lambda: _open(self._path))

    def _go_alone(self, error: Exception) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
        self._db, self.look_again = None, 0.0
        self._on_trouble(f"{self._path} cannot be used ({error}): other processes do not share our pace")

    def _may_try_again(self) -> bool:
        now = time.monotonic()
        self._busy_since = max(self._busy_since, 0.0) or now
        return now - self._busy_since < _PATIENCE

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _open(path: Path) -> sqlite3.Connection:
    """Open and prepare the file; WAL survives a kill, and a lost last second after a power cut does no harm."""
    db = sqlite3.connect(path, timeout=PATIENCE_SECONDS, isolation_level=None)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = OFF")
        db.executescript(_SCHEMA)
        db.execute("SELECT bucket, turns, touched_at FROM pace").fetchall()
    except BaseException:
        db.close()
        raise
    path.chmod(0o600)
    return db


def _bury(db: sqlite3.Connection, bucket: str, host: str, now: float) -> None:
    """Forget the members of a line that are dead."""
    for member, there, pid, born_at, seen_at in db.execute(
        "SELECT id, host, pid, born, seen_at FROM members WHERE bucket = ?", (bucket,)
    ).fetchall():
        alive = is_alive(pid, born_at) if there == host else None  # None: another machine, or another container
        if not (now - seen_at < _SILENT_SECONDS if alive is None else alive):
            db.execute("DELETE FROM members WHERE id = ?", (member,))


def _decoded(kept: bytes) -> Turns:
    """Read what was kept; what another version wrote counts as nothing."""
    try:
        return msgspec.json.decode(kept, type=Turns)
    except msgspec.MsgspecError:
        return Turns()
