"""A process killed at any statement of a commit leaves the whole page or nothing of it (promise 1)."""

from __future__ import annotations

import shutil

import pytest

from harvest.errors import Gone
from harvest.models import Limits
from harvest.store.commit import PageCommitter
from harvest.store.database import open_for_crawl
from tests.crawling import read
from tests.dying import statements_in_a_child
from tests.repetitions import all_but

from .conftest import NOW, everything, tracks_page, users_page


def in_a_child(path, run_id, commit, *, kill_at):
    """Commit in a process that is killed at its n-th statement; give how many it ran when it was not."""

    def work(hear):
        db = open_for_crawl(path)
        committer = PageCommitter(db, run_id)
        db.conn.set_trace_callback(hear)
        commit(committer)

    return statements_in_a_child(work, kill_at=kill_at)


@pytest.mark.parametrize(("what", "every"), all_but([("likes", 4)], ("likers", "likes", "no seed"), (4, 1)))
def test_killed_at_every_statement_of_a_commit_it_is_all_or_nothing(db_path, open_books, what, every):
    books = open_books(limits=Limits(max_users=10))
    if what != "no seed":
        books.resolve(1)
    if what == "likes":
        books.follow(10, 11, 12)
    page = {"likers": users_page(10, 11, 12, next_cursor="/2"), "likes": tracks_page(5, 6, 7)}.get(what)
    task = books.claim({"likers": "track_likers", "likes": "user_likes"}.get(what, "resolve"))

    def commit(committer):
        if page is not None:
            committer.keep(task, page, {200: 1})
        else:
            committer.fail(task, Gone(status=404), NOW, {404: 1})

    run_id = books.run_id
    books.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    books.db.conn.close()
    begin = db_path.with_name("begin.db")
    shutil.copy(db_path, begin)

    def fresh():
        for name in ("", "-wal", "-shm"):
            db_path.with_name(db_path.name + name).unlink(missing_ok=True)
        shutil.copy(begin, db_path)

    before = everything(db_path)
    statements = in_a_child(db_path, run_id, commit, kill_at=None)
    after = everything(db_path)
    assert before != after
    assert statements > 4
    seen = set()
    for number in range(1, statements + 1, every):
        fresh()
        in_a_child(db_path, run_id, commit, kill_at=number)
        left = everything(db_path)
        assert left in (before, after), f"killed at statement {number}"
        seen.add(left == after)
        assert read(db_path, "PRAGMA integrity_check") == [("ok",)]
    assert False in seen
