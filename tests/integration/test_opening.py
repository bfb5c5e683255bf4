"""Opening a file that another process opens at the same moment."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from harvest.cli.commands.doctor import _sqlite
from harvest.errors import NotADatabase, StorageFailed, StoreError
from harvest.store.database import open_for_crawl, open_if_begun, open_to_read, storage_errors
from harvest.store.schema import apply_schema
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
    make(tmp_path / "t.db")
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


class Poor(sqlite3.Connection):
    """A SQLite that was built without full-text search, or a file on a share without locks."""

    lacks = ""

    def execute(self, sql, *parameters):
        if self.lacks == "fts5" and "fts5" in sql:
            raise sqlite3.OperationalError("no such module: fts5")
        if self.lacks == "locks" and "journal_mode" in sql:
            error = sqlite3.OperationalError("locking protocol")
            error.sqlite_errorcode = sqlite3.SQLITE_PROTOCOL
            raise error
        return super().execute(sql, *parameters)


def make(path):
    db = open_for_crawl(path)
    with closing(db.conn):
        apply_schema(db)


@pytest.mark.parametrize(("lacks", "said"), [("fts5", "lacks FTS5"), ("locks", "cannot be locked")])
def test_what_sqlite_or_the_file_system_lacks_is_said(tmp_path, monkeypatch, lacks, said):
    real = sqlite3.connect
    monkeypatch.setattr(Poor, "lacks", lacks)
    monkeypatch.setattr(sqlite3, "connect", lambda *where, **how: real(*where, **{**how, "factory": Poor}))
    path = tmp_path / "t.db"
    with pytest.raises(StoreError, match=said), storage_errors(path):
        make(path)
    assert _sqlite().ok is (lacks != "fts5")
