"""Names that come from a file are names in SQL, whatever is in them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from harvest.system.sql import as_name


@pytest.mark.parametrize("name", ["users", "two words", 'a"b', "x); DROP TABLE users; --", "select", "é", ""])
def test_whatever_a_table_is_called_it_is_that_table(name):
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE users (id)")
        db.execute(f"CREATE TABLE IF NOT EXISTS {as_name(name)} (id)")
        db.execute(f"INSERT INTO {as_name(name)} VALUES (7)")
        assert db.execute(f"SELECT * FROM {as_name(name)}").fetchall() == [(7,)]
        assert {row[0] for row in db.execute("SELECT name FROM sqlite_schema")} == {"users", name}
