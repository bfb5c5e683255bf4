"""Who holds the file: known by what was drawn when it was taken, not by a process number alone."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta

import pytest

from harvest.errors import CrawlBusy, StoreError
from harvest.models import Page, Task
from harvest.store.commit import PageCommitter
from harvest.store.frontier import Frontier
from harvest.store.lease import EXPIRES_AFTER, WATCH_SECONDS, Lease, holder_of
from harvest.system.held_files import HeldFile
from harvest.system.processes import here, mark

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


def test_no_list_is_marked_under_a_lease_that_was_lost_since_the_last_look(db, db_path, open_books, monkeypatch):
    open_books()
    with Lease(db_path) as lease:
        lease.take(db.conn, NOW)
        frontier, look = Frontier(db.conn, lease=lease), lease.check

        def look_and_lose(connection):
            monkeypatch.setattr(lease, "check", look)
            look(connection)
            take_over(db)

        monkeypatch.setattr(lease, "check", look_and_lose)
        with pytest.raises(CrawlBusy):
            frontier.claim()
    assert db.conn.execute("SELECT DISTINCT state, attempts FROM readings").fetchall() == [("todo", 0)]


MACHINE, BOOT, NAMESPACE = here().split("/")
ELSEWHERE = f"1@{MACHINE}/{BOOT}/another-container"


def held_by(db, *, marked=ELSEWHERE, host=None, heartbeat_at=NOW):
    """Be held by process 1 of another container, which has our host name."""
    stamp = heartbeat_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    db.conn.execute(
        "REPLACE INTO lease VALUES (1, 'somebody else', ?, 1, ?, ?)", (host or socket.gethostname(), marked, stamp)
    )


def taken(db, db_path, now, beats_at=None):
    """Give how long somebody looks before the lease is taken, or None when it is not; the holder may beat meanwhile."""
    waited = 0.0
    with Lease(db_path) as lease:
        for seconds in lease.watch(db.conn, now):
            waited += seconds
            if beats_at is not None and waited >= beats_at:
                db.conn.execute("UPDATE lease SET heartbeat_at = '2026-11-20T12:30:00Z'")
        try:
            lease.take(db.conn, now)
        except CrawlBusy:
            return None
    return waited


@pytest.mark.parametrize(
    ("minutes", "beats_at", "waited"),
    [
        (0, None, None),
        (4, None, None),
        (-4, None, None),
        (6, None, WATCH_SECONDS),  # it is gone
        (-10, None, WATCH_SECONDS),  # gone too, and its clock was ahead
        (6, 61.0, None),  # it lives, and its clock is behind
        (-10, 61.0, None),  # it lives, and its clock is ahead
        (60 * 24, WATCH_SECONDS, None),
    ],
)
@pytest.mark.parametrize("host", [None, "elsewhere"])
def test_who_is_not_ours_to_see_is_judged_by_steps_and_not_by_a_clock(db, db_path, minutes, beats_at, waited, host):
    held_by(db, host=host)
    assert taken(db, db_path, NOW + timedelta(minutes=minutes), beats_at) == waited


@pytest.mark.parametrize(
    ("marked", "is_busy"),
    [
        (ELSEWHERE, True),  # alive or not: the same number here says nothing of it
        ("1@another-machine/another-boot/x", True),
        (f"1@{MACHINE}/before-a-restart/x", not (MACHINE and BOOT)),
        (f"long ago@{here()}", False),
        ("long ago", False),  # as earlier versions wrote it
    ],
)
def test_a_number_counts_only_where_it_was_given(db, db_path, marked, is_busy):
    held_by(db, marked=marked)
    assert (taken(db, db_path, NOW) is None) == is_busy
    assert (db.conn.execute("SELECT pid FROM lease").fetchone()[0] == 1) == is_busy


@pytest.mark.skipif(not BOOT, reason="this system does not name its containers")
def test_a_container_that_is_gone_holds_nothing_and_one_that_lives_holds_for_ever(db, db_path):
    """Both share the kernel, which knows who holds a file."""
    held_by(db, marked=f"{ELSEWHERE}+held")
    long_after = NOW + 10 * EXPIRES_AFTER
    other = HeldFile(db_path.with_name(f"{db_path.name}-lease"))
    assert other.take()
    assert holder_of(db.conn, long_after) is not None
    assert taken(db, db_path, long_after) is None
    other.let_go()
    assert holder_of(db.conn, NOW) is None
    assert taken(db, db_path, NOW) == 0.0


def test_the_file_that_is_held_is_there_for_as_long_as_it_is_held(db, db_path):
    held = db_path.with_name(f"{db_path.name}-lease")
    with Lease(db_path) as lease:
        lease.take(db.conn, NOW)
        assert db.conn.execute("SELECT process_born FROM lease").fetchone() == (f"{mark()}+held",)
        assert HeldFile(held).is_held()
        assert lease.give_back(db.conn)
    assert not held.exists()
    assert not HeldFile(held).is_held()


def test_a_list_is_not_taken_up_once_the_file_is_lost_in_between(db, db_path):
    """The look and the mark are one statement: nothing of a loser stays `doing`."""
    db.conn.execute("INSERT INTO tasks (id, kind, subject_id) VALUES (1, 'user_likes', 7)")
    db.conn.execute("INSERT INTO readings (task_id, number, kind) VALUES (1, 1, 'user_likes')")
    with Lease(db_path) as lease:
        lease.take(db.conn, NOW)
        frontier = Frontier(db.conn, lease=lease)
        take_over(db)
        with pytest.raises(CrawlBusy):
            frontier._mark(Task(1, "user_likes", 7))
        assert db.conn.execute("SELECT state, attempts FROM readings").fetchall() == [("todo", 0)]
