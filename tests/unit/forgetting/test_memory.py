"""However large a file is, taking something out of it takes no more memory: what SQLite puts aside goes to its disk."""

from __future__ import annotations

import ctypes

import pytest

from harvest.forgetting.doomed import make_table
from harvest.forgetting.writing import opened
from harvest.system.sqlite_busy import rewrite, writing_in
from tests.disk import LIBRARY

MB = 1_000_000


def most_held():
    """Give the most bytes that SQLite has held at once since this was asked last."""
    LIBRARY.sqlite3_memory_highwater.restype = ctypes.c_int64
    return LIBRARY.sqlite3_memory_highwater(1)


@pytest.mark.skipif(LIBRARY is None, reason="this Python hides its SQLite")
def test_a_file_is_written_anew_in_less_memory_than_it_is_large(db_path):
    with opened(db_path) as connection:
        if ("TEMP_STORE=3",) in connection.execute("PRAGMA compile_options"):
            pytest.skip("this SQLite is built to put aside in memory, whatever it is told")
        connection.execute("CREATE TABLE filling (bytes BLOB)")
        with writing_in(connection):
            connection.executemany("INSERT INTO filling VALUES (zeroblob(?))", [(MB // 10,)] * 400)
    with opened(db_path) as connection:
        make_table(connection)
        most_held()
        before = most_held()
        assert rewrite(connection)
        assert most_held() - before < 25 * MB < db_path.stat().st_size
