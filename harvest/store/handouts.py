"""Remember what left a file, and where it went: what is forgotten later still stands there."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from harvest.errors import StoreError
from harvest.store import in_memory
from harvest.store.database import open_for_crawl
from harvest.system.clock import as_text

LOG = "log"  # what tells of a file as it is crawled, and leads to the people in it
_PATIENCE_MS = 2000  # how long a crawl that writes just now is waited for


def remember(path: Path, what: str, where: Path, *, now: datetime, manifest: Path | None = None) -> bool:
    """Note in a file that something was made of it, a log only once; say whether it could be noted.

    A file that may only be read, or that a crawl writes all the time, is not the worse for what was made of it.
    """
    if in_memory.holds(path):
        return False
    told = None if manifest is None else sha256(manifest.read_bytes()).hexdigest()
    with contextlib.suppress(StoreError, sqlite3.Error, OSError):
        db = open_for_crawl(path)
        try:
            db.conn.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
            db.conn.execute(
                """
                INSERT INTO handouts (at, what, path, hash) SELECT ?1, ?2, ?3, ?4
                WHERE NOT EXISTS (SELECT 1 FROM handouts WHERE what = ?5 AND (what, path) = (?2, ?3))
                """,
                (as_text(now), what, str(where.absolute()), told, LOG),
            )
            return True
        finally:
            db.conn.close()
    return False
