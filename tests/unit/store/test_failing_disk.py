"""Whatever write of a page fails, on a disk that is full or broken: the page is there whole, or nothing of it is."""

from __future__ import annotations

import shutil

import pytest

from harvest.errors import StorageFailed
from harvest.models import Limits
from harvest.store import database
from harvest.store.commit import PageCommitter
from harvest.store.database import open_for_crawl, storage_errors
from tests.crawling import read
from tests.disk import BROKEN, FULL, LIBRARY, watching

from .conftest import everything, users_page


@pytest.mark.skipif(LIBRARY is None, reason="this Python hides its SQLite")
@pytest.mark.parametrize(
    ("trouble", "for_good", "every"),
    [
        pytest.param(FULL, True, 6, id="full"),
        pytest.param(BROKEN, False, 6, id="broken once"),
        *[
            pytest.param(trouble, ever, 1, marks=pytest.mark.slow)
            for trouble in (FULL, BROKEN)
            for ever in (True, False)
        ],
    ],
)
def test_a_page_is_there_or_not_whichever_write_fails(monkeypatch, db_path, open_books, trouble, for_good, every):
    books = open_books(limits=Limits(max_users=10))
    books.resolve(1)
    task, page = books.claim("track_likers"), users_page(10, 11, 12, next_cursor="/2")
    books.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    books.db.conn.close()
    begin = shutil.copy(db_path, db_path.with_name("begin.db"))
    monkeypatch.setattr(database, "_CHECKPOINT_PAGES", 1)  # the log is folded in with the page

    def committed(fails_at):
        """Keep the page; give how much was written for it, None when that failed."""
        with watching(db_path) as disk:
            db = open_for_crawl(db_path)
            try:
                before = disk.done()
                disk.refuse(fails_at, trouble, for_good=for_good)
                with storage_errors(db_path):
                    PageCommitter(db, books.run_id).keep(task, page, {200: 1})
                return disk.done() - before
            except StorageFailed as error:
                said.add("The disk is full" in str(error))
                return None
            finally:
                db.conn.close()

    said = set()
    before = everything(db_path)
    writes = committed(None)
    after = everything(db_path)
    assert before != after
    ends = set()
    for number in range(1, writes + 1, every):
        for name in ("", "-wal", "-shm"):
            db_path.with_name(db_path.name + name).unlink(missing_ok=True)
        shutil.copy(begin, db_path)
        failed = committed(number) is None
        ends.add(failed)
        assert everything(db_path) == (before if failed else after), f"at write {number}"
        assert read(db_path, "PRAGMA integrity_check") == [("ok",)]
        if failed:
            assert committed(None) == writes
            assert everything(db_path) == after
    assert ends == {True, False}
    assert (True in said) == (trouble is FULL)  # a sync that fails does not say why
