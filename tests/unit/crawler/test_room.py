"""Whether the disk is large enough is judged by what pages took so far, and said once."""

from __future__ import annotations

import shutil

import pytest

from harvest.crawler.room import Room, Shortage
from harvest.store.standing import Standing


def seen(pages=100, left=1_000, at_least=False):
    return Standing(0, 0, 0, 0, pages, (), "users", 1, left, at_least)


@pytest.fixture
def path(tmp_path):
    """A file whose hundred pages took 10 kB each, a tenth of it still in the WAL."""
    (tmp_path / "t.db").write_bytes(bytes(430_000 + 900_000))
    (tmp_path / "t.db-wal").write_bytes(bytes(100_000))
    return tmp_path / "t.db"


@pytest.fixture
def free(monkeypatch):
    """So many bytes are free."""

    def leave(n):
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(0, 0, n))

    return leave


def test_a_disk_that_is_too_small_is_told_of_once(path, free):
    free(9_999_999)
    room = Room(path)
    assert room.shortage(seen()) == Shortage(path.parent, 9_999_999, 10_000_000, False)
    assert room.shortage(seen()) is None


def test_it_is_at_least_so_much_where_more_may_follow(path, free):
    free(1)
    told = Room(path).shortage(seen(at_least=True))
    assert told.words["needed"] == "at least 0.01 GB"
    assert told.words["folder"] == str(path.parent)


@pytest.mark.parametrize(
    ("standing", "bytes_free"),
    [(seen(), 10_000_000), (seen(pages=19), 0), (seen(left=0), 0)],
    ids=["room enough", "too few pages to tell", "nothing left to read"],
)
def test_nothing_is_said_where_it_fits_or_nobody_can_tell(path, free, standing, bytes_free):
    free(bytes_free)
    assert Room(path).shortage(standing) is None


def test_a_disk_that_does_not_answer_is_no_small_one(path, monkeypatch):
    def broken(folder):
        raise OSError("stale handle")

    monkeypatch.setattr(shutil, "disk_usage", broken)
    assert Room(path).shortage(seen()) is None


def test_what_grows_beside_the_file_takes_room_too(path, free):
    """The replies that are kept, a fifth of them still in their log."""
    path.with_name("t.replies.db").write_bytes(bytes(1_600_000))
    path.with_name("t.replies.db-wal").write_bytes(bytes(400_000))
    free(1)
    room = Room(path)
    room.grows_with(path.with_name("t.replies.db"))
    assert room.shortage(seen()) == Shortage(path.parent, 1, 30_000_000, False)
