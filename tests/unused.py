"""A harvest file in which no crawl has begun: to write its bytes takes a tenth of the time that making tables takes."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from harvest.store.database import open_for_crawl
from harvest.store.schema import apply_schema


def unused() -> bytes:
    """Give what stands in such a file, with a key of its own."""
    file, key = _made()
    return file.replace(key, os.urandom(len(key)))


@cache
def _made() -> tuple[bytes, bytes]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "tracks.db")
        database = open_for_crawl(path)
        with database.atomic():
            apply_schema(database)
        ((key,),) = database.conn.execute("SELECT key FROM file_key")
        database.conn.close()
        file = path.read_bytes()
    assert file.count(key) == 1
    return file, key
