"""A disk without room for what a reader needs beside the file is told of by the place that is full, in one line."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys

import pytest

from harvest.errors import StorageFailed
from harvest.models import Limits
from harvest.store.database import open_to_read, reading_errors, storage_errors
from harvest.system.sqlite_temp import temporary_folder
from tests.acceptance.conftest import ROOT
from tests.crawling import crawl_world
from tests.refreshing import a_world

MANY = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 4000000)"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("full") / "t.db"
    crawl_world(path, a_world(3), limits=Limits(max_users=1))
    return path


def failing(code):
    """An error as SQLite raises it."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    return error


@pytest.mark.skipif(os.name == "nt", reason="bounds how large a file may grow with ulimit")
@pytest.mark.parametrize("query", [f"{MANY} SELECT n FROM s ORDER BY n * 7919 % 1000003"])
def test_a_query_whose_sorting_finds_no_room_says_where(file, tmp_path, query):
    command = [sys.executable, "-m", "harvest", "sql", query, "--db", str(file)]
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 400; exec "$@"', "sh", *command],
        env={**os.environ, "PYTHONPATH": str(ROOT), "SQLITE_TMPDIR": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 4
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"harvest: There is no room in {tmp_path}, where SQLite sorts what it reads")
    assert "SQLITE_TMPDIR" in line


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_GETTEMPPATH])
def test_every_reader_is_told_of_the_temporary_folder(file, tmp_path, monkeypatch, code):
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    for reading in (reading_errors(file), storage_errors(file, writes=False)):
        with pytest.raises(StorageFailed, match=str(tmp_path)), reading:
            raise failing(code)
    with pytest.raises(StorageFailed, match=str(tmp_path)), open_to_read(file):
        raise failing(code)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE])
def test_whoever_writes_is_told_of_the_file(file, tmp_path, monkeypatch, code):
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    with pytest.raises(StorageFailed, match=r"t\.db") as told, storage_errors(file):
        raise failing(code)
    assert str(tmp_path) not in str(told.value)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_SHMOPEN])
def test_a_disk_without_room_beside_the_file_is_named(file, code):
    for anybody in (reading_errors(file), storage_errors(file)):
        with pytest.raises(StorageFailed, match=f"{file.parent} has no room"), anybody:
            raise failing(code)


def test_the_temporary_folder_is_the_first_that_can_be_written_to(tmp_path, monkeypatch):
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert temporary_folder() == tmp_path
    monkeypatch.delenv("TMPDIR")
    assert temporary_folder().is_dir()
