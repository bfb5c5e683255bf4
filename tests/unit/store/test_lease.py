"""Who holds the file: known by what was drawn when it was taken, not by a process number alone."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from harvest.errors import CrawlBusy, StoreError
from harvest.models import Page, Task
from harvest.store.commit import PageCommitter
from harvest.store.frontier import Frontier
from harvest.store.lease import Lease, holder_of

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def take_over(db, host="elsewhere", pid=None):
    """Be a crawl on another host that took a lease whose heartbeat had become old."""
    db.conn.execute(
        "REPLACE INTO lease VALUES (1, 'somebody else', ?, ?, '', '2026-11-20T12:00:00Z')", (host, pid or os.getpid())
    )


def row(db):
    return db.conn.execute("SELECT holder, host, pid, heartbeat_at FROM lease").fetchall()


def test_two_crawls_of_one_process_are_two_holders(db, db_path):
    with Lease(db_path) as one, Lease(db_path) as other:
        one.take(db.conn, NOW)
        with pytest.raises(CrawlBusy, match=f"is being crawled by process {os.getpid()}"):
            other.take(db.conn, NOW)
        assert not other.give_back(db.conn)
        with pytest.raises(CrawlBusy):
            other.renew(db.conn, NOW)
        one.renew(db.conn, NOW + timedelta(minutes=1))
        assert row(db)[0][3] == "2026-11-20T12:01:00Z"
        assert one.give_back(db.conn)
        other.take(db.conn, NOW)


def test_what_an_earlier_crawl_of_this_process_left_behind_holds_nothing(db, db_path):
    with Lease(db_path) as left:
        left.take(db.conn, NOW)
        assert holder_of(db.conn, NOW) is not None
    assert holder_of(db.conn, NOW) is None
    with Lease(db_path) as lease:
        lease.take(db.conn, NOW)


def test_a_lease_that_another_host_took_is_neither_renewed_nor_given_back(db, db_path):
    """The process number may well be the same there."""
    with Lease(db_path) as lease:
        lease.take(db.conn, NOW - timedelta(hours=1))
        lease.check(db.conn)
        take_over(db)
        theirs = row(db)
        with pytest.raises(CrawlBusy, match=f"taken over by process {os.getpid()} on elsewhere") as caught:
            lease.renew(db.conn, NOW + timedelta(minutes=1))
        with pytest.raises(CrawlBusy):
            lease.check(db.conn)
        assert not lease.give_back(db.conn)
        assert row(db) == theirs
        assert (isinstance(caught.value, StoreError), caught.value.exit_code) == (True, 4)


def test_a_lease_that_was_taken_and_given_back_meanwhile_is_lost_too(db, db_path):
    with Lease(db_path) as lease:
        lease.take(db.conn, NOW)
        db.conn.execute("DELETE FROM lease")
        with pytest.raises(CrawlBusy, match="taken over by another process"):
            lease.renew(db.conn, NOW)


def test_nothing_is_written_under_a_lease_that_is_lost(db, db_path):
    with Lease(db_path) as lease:
        lease.take(db.conn, NOW)
        committer = PageCommitter(db, 1, lease=lease)
        frontier = Frontier(db.conn, lease=lease)
        assert frontier.claim() is None
        take_over(db)
        before = db.conn.total_changes
        task = Task(1, "user_likes", 7)
        with pytest.raises(CrawlBusy):
            committer.keep(task, Page("GET /", (), 0), {200: 1})
        with pytest.raises(CrawlBusy):
            committer.release(task, {200: 1})
        with pytest.raises(CrawlBusy):
            frontier.claim()
        assert db.conn.total_changes == before
