"""Opening a file that another process opens at the same moment."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from harvest.errors import NotADatabase, StorageFailed
from harvest.store.database import apply_schema, open_for_crawl, open_if_begun, open_to_read
from harvest.system import sqlite_busy
from tests.locking import being_made


def test_a_file_that_another_process_just_makes_is_waited_for(tmp_path):
    with being_made(tmp_path / "t.db"), closing(open_for_crawl(tmp_path / "t.db").conn) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_stays_locked_is_given_up_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_busy, "PATIENCE_SECONDS", 0.1)
    with closing(sqlite3.connect(tmp_path / "t.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageFailed, match="is locked by another program"):
            open_for_crawl(tmp_path / "t.db")


def test_other_trouble_is_not_waited_for():
    attempts = []

    def opening():
        attempts.append(1)
        raise sqlite3.OperationalError("no such table: tracks")

    with pytest.raises(sqlite3.OperationalError):
        sqlite_busy.open_patiently(opening)
    assert len(attempts) == 1


def test_who_reads_closes_the_file_in_the_end(tmp_path):
    db = open_for_crawl(tmp_path / "t.db")
    apply_schema(db)
    db.conn.close()
    with open_to_read(tmp_path / "t.db") as connection:
        assert connection.execute("SELECT count(*) FROM tracks").fetchone()[0] == 0
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_a_file_in_which_nothing_is_yet_is_opened_as_none(tmp_path):
    path = tmp_path / "t.db"
    with open_if_begun(path) as connection:
        assert connection is None
    assert not path.exists()
    db = open_for_crawl(path)  # as a crawl leaves it that is killed before it has made its tables
    with open_if_begun(path) as connection:
        assert connection is None
    apply_schema(db)
    db.conn.close()
    with open_if_begun(path) as connection:
        assert connection.execute("SELECT count(*) FROM tracks").fetchone()[0] == 0
    (tmp_path / "other.db").write_text("not a database, whatever its name says")
    with pytest.raises(NotADatabase):
        open_if_begun(tmp_path / "other.db")
