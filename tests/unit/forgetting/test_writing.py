"""What a connection that takes rows out of a file says when there is no room for that."""

from __future__ import annotations

import re

import pytest

from harvest.errors import StorageFailed
from harvest.forgetting.writing import opened
from harvest.system.sqlite_temp import temporary_folder


def fill(path):
    """Write more into a file than it has room for."""
    with opened(path) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        connection.execute("CREATE TABLE filling (bytes BLOB)")
        connection.execute("INSERT INTO filling VALUES (zeroblob(1000000))")


def test_a_file_that_cannot_be_written_anew_says_where_room_is_needed(db_path):
    where = f"There is no room to rewrite {db_path}: .*in {temporary_folder()}.*`harvest forget --finish`"
    with pytest.raises(StorageFailed, match=re.compile(where)):
        fill(db_path)


def test_nothing_that_was_put_aside_stays_in_memory(db_path):
    """Whoever writes a large file anew in memory needs as much of that as the file is large."""
    with opened(db_path) as connection:
        assert connection.execute("PRAGMA temp_store").fetchone() == (0,)
        assert connection.execute("PRAGMA cache_size").fetchone()[0] >= -64_000
