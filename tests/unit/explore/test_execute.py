"""One query: read only, for so long, and one line about what is wrong with it."""

from __future__ import annotations

import contextlib
import sqlite3
from itertools import count
from pathlib import Path

import pytest

from harvest.errors import OutOfTime, QueryError
from harvest.explore.execute import Watch, ask
from harvest.store.database import open_to_read
from tests.waiting import PATIENCE

COUNT_ON = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT {} FROM n"


@pytest.fixture
def connection(db, db_path):
    """An empty file, opened as every reader opens it."""
    opened = open_to_read(db_path)
    yield opened
    opened.close()


def test_rows_and_columns_come_out(connection):
    answer = ask(
        connection, "SELECT kind, item AS kind, 1 AS kind FROM list_kinds WHERE kind = :k", {"k": "user_likes"}
    )
    assert answer.columns == ("kind", "kind_2", "kind_3")
    assert list(answer.rows) == [("user_likes", "track", 1)]


READS = [
    "SELECT count(*) FROM likes",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT sum(i) FROM n",
    "SELECT value FROM json_each('[1, 2]')",
    "SELECT rowid FROM track_search WHERE track_search MATCH 'x'",
    "SELECT name FROM pragma_table_xinfo('tracks')",
    "PRAGMA table_info(tracks)",
    "PRAGMA user_version",
    "EXPLAIN QUERY PLAN SELECT * FROM tracks",
    "SELECT * FROM sqlite_schema",
    "VALUES (1)",
]


@pytest.mark.parametrize("sql", READS)
def test_what_reads_is_answered(connection, sql):
    assert ask(connection, sql).columns
    path = Path(connection.execute("SELECT file FROM pragma_database_list").fetchone()[0])
    with contextlib.closing(open_to_read(path)) as again:
        assert isinstance(list(ask(again, sql).rows), list)


REFUSED = {
    "INSERT INTO tags (name, folded) VALUES ('a', 'a')": "INSERT",
    "UPDATE tracks SET title = 'x'": "UPDATE",
    "DELETE FROM tracks": "DELETE",
    "WITH x AS (SELECT 1) DELETE FROM tracks": "DELETE",
    "REPLACE INTO lease VALUES (1, '', '', 1, '', '')": "INSERT",
    "CREATE TABLE x (y)": "CREATE or DROP",
    "CREATE TEMP TABLE x (y)": "CREATE or DROP",
    "CREATE VIRTUAL TABLE temp.x USING fts5vocab (main, track_search, row)": "CREATE or DROP",
    "DROP TABLE tracks": "CREATE or DROP",
    "ALTER TABLE tracks ADD COLUMN x": "ALTER TABLE",
    "ATTACH 'other.db' AS other": "ATTACH",
    "DETACH main": "DETACH",
    "PRAGMA query_only = OFF": "PRAGMA query_only",
    "PRAGMA user_version = 9": "PRAGMA user_version",
    "PRAGMA journal_mode = DELETE": "PRAGMA journal_mode",
    "PRAGMA writable_schema = ON": "PRAGMA writable_schema",
    "PRAGMA wal_checkpoint(TRUNCATE)": "PRAGMA wal_checkpoint",
    "SELECT load_extension('x')": "load_extension()",
    "BEGIN IMMEDIATE": "a transaction",
    "SAVEPOINT x": "a savepoint",
    "ANALYZE": "CREATE or DROP",
    "REINDEX": "REINDEX",
    "VACUUM": "ATTACH",
    "VACUUM INTO 'copy.db'": "ATTACH",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_does_not_only_read_is_refused_by_its_name(connection, db_path, sql):
    before = db_path.read_bytes()
    with pytest.raises(QueryError) as caught:
        list(ask(connection, sql).rows)
    assert str(caught.value) == f"This only reads: {REFUSED[sql]} is not allowed."
    assert db_path.read_bytes() == before
    assert [p.name for p in db_path.parent.iterdir() if "other" in p.name or "copy" in p.name] == []


@pytest.mark.parametrize(
    "sql", ["UPDATE sqlite_master SET sql = ''", "INSERT INTO track_search (track_search) VALUES ('rebuild')"]
)
def test_no_back_door_writes(connection, db_path, sql):
    before = db_path.read_bytes()
    with pytest.raises(QueryError):
        list(ask(connection, sql).rows)
    assert db_path.read_bytes() == before


WRONG = {
    "SELECT titel FROM tracks": "no such column: titel (column 8); did you mean title?",
    "SELECT 'titel',\n t.titel FROM tracks AS t": "no such column: t.titel (line 2, column 2); did you mean title?",
    "SELECT user_nam FROM users": "no such column: user_nam (column 8); did you mean username?",
    "SELECT 1 FROM track": "no such table: track (column 15); did you mean tracks?",
    "SELECT 1 FROM xyzzyx": "no such table: xyzzyx (column 15). `harvest sql tables` lists tables and columns.",
    "SELECT track_id": "no such column: track_id (column 8). `harvest sql tables` lists tables and columns.",
    "SELECT cuont(1)": "no such function: cuont (column 8); did you mean count?",
    "SELECT id FROM tracks JOIN users": "ambiguous column name: id (column 8); put the table's name or alias and a dot"
    " before it.",
    "SELECT title FORM tracks WHERE id = 1": "Syntax error at tracks (column 19).",
    "SELECT *\nFORM tracks": "Syntax error at FORM (line 2, column 1).",
    "SELECT (1 FROM tracks WHERE (2 FROM users)": "Syntax error at FROM (column 11).",
    "SELECT 1 FROM tracks WHERE FROM": "Syntax error at FROM (column 28).",
    "SELECT 1 WHERE": "The query is not finished: something is missing at its end.",
    "SELECT 1; SELECT 2": "These are several queries; ask one at a time.",
    "SELECT * FROM track_search WHERE track_search MATCH 'a AND'": 'fts5: syntax error near ""; `harvest sql search'
    " WORDS` takes any words.",
    "SELECT abs(-9223372036854775808)": "Integer overflow.",
    "SELECT ?": "Incorrect number of bindings supplied. The current statement uses 1, and there are 0 supplied.",
}


@pytest.mark.parametrize("sql", WRONG)
def test_what_is_wrong_is_said_in_one_line(connection, sql):
    with pytest.raises(QueryError) as caught:
        list(ask(connection, sql).rows)
    assert str(caught.value) == WRONG[sql]


def test_a_query_that_works_too_long_is_stopped(connection):
    with pytest.raises(OutOfTime, match=r"stopped after 0.05 s; --timeout"):
        list(ask(connection, COUNT_ON.format(10**12, "sum(i)"), watch=Watch(0.05)).rows)


def test_the_time_of_all_rows_adds_up(connection):
    seconds = count(step=0.01)
    with pytest.raises(OutOfTime):
        sum(1 for _ in ask(connection, COUNT_ON.format(10**7, "i"), watch=Watch(60, now=lambda: next(seconds))).rows)


def test_time_in_which_nobody_asks_for_rows_does_not_count(connection):
    seconds = 0.0
    answer = ask(connection, COUNT_ON.format(600_000, "i"), watch=Watch(1.5, now=lambda: seconds))
    assert next(answer.rows) == (1,)
    seconds += 1000
    assert sum(1 for _ in answer.rows) == 599_999


def test_rows_come_before_the_query_is_done(connection):
    """The second half of the rows would take longer than the time there is."""
    answer = ask(connection, COUNT_ON.format(10**12, "i"), watch=Watch(PATIENCE))
    assert [next(answer.rows) for _ in range(3)] == [(1,), (2,), (3,)]


def test_an_interrupt_ends_the_query(connection):
    heard = []

    class Pressed(Watch):
        @property
        def is_over(self):
            heard.append("Ctrl-C")
            raise KeyboardInterrupt if len(heard) == 1 else AssertionError("it goes on")

    with pytest.raises(KeyboardInterrupt):
        list(ask(connection, COUNT_ON.format(10**12, "sum(i)"), watch=Pressed(None)).rows)
    assert len(heard) == 1


def test_a_file_that_is_damaged_is_no_fault_of_the_query(db, db_path):
    page, size = db.execute(
        "SELECT rootpage, page_size FROM sqlite_schema, pragma_page_size WHERE name = 'list_kinds'"
    ).fetchone()
    db.conn.close()
    with db_path.open("r+b") as file:
        file.seek((page - 1) * size + 3)
        file.write(b"\xff\xff")
    opened = open_to_read(db_path)
    with pytest.raises(sqlite3.DatabaseError):
        list(ask(opened, "SELECT * FROM list_kinds").rows)
    opened.close()
