"""Which lists a refresh takes up, how, and in which order."""

from __future__ import annotations

import pytest

from harvest.store import refreshes
from harvest.store.refreshes import Refresh

from .conftest import NOW, tracks_page, users_page

LATER = "2026-12-20T10:00:00Z"


@pytest.fixture
def read(open_books):
    """A drained harvest of persons 10, 11 and 12, who like two tracks each and are counted so."""
    books = open_books()
    books.resolve(1)
    books.keep(books.claim("track_likers"), users_page(10, 11, 12))
    books.keep(books.claim("track_reposters"), users_page())
    books.db.conn.execute("UPDATE users SET likes_given_count = 2")
    books.next_round()
    for person in (10, 11, 12):
        books.keep(books.claim("user_likes", person), tracks_page(5, person))
    assert not books.next_round()
    return books


def chosen(books, refresh=None, **options):
    """Plan a refresh: each list by whose it is, with whether its head is read and what is expected."""
    due, left_out = refreshes.choose(books.db.conn, refresh or Refresh(), LATER, page_size=200, **options)
    kinds = {row[0]: row[1:] for row in books.rows("SELECT id, kind, subject_id FROM tasks")}
    return [(*kinds[one.task_id], one.head, one.expected) for one in due], left_out


def moved(books, person, count):
    books.db.conn.execute("UPDATE users SET likes_given_count = ? WHERE id = ?", (count, person))


def test_where_the_count_rose_the_head_is_read_where_it_fell_all_and_most_comes_first(read):
    moved(read, 10, 3)
    moved(read, 11, 9)
    moved(read, 12, 1)
    due, left_out = chosen(read)
    likes = [one[1:] for one in due if one[0] == "user_likes"]
    assert likes == [(11, True, 7.0), (10, True, 1.0), (12, False, 1.0)]
    assert left_out == 0


def test_what_stands_still_takes_a_tenth_the_oldest_first(read):
    read.db.conn.execute("UPDATE readings SET ended_at = '2020-01-01T00:00:00Z' WHERE kind = 'track_reposters'")
    due, _ = chosen(read)
    assert [one[0] for one in due] == ["track_reposters"]


def test_a_bound_leaves_out_what_promises_least(read):
    moved(read, 10, 3)
    moved(read, 11, 9)
    moved(read, 12, 4)
    due, left_out = chosen(read, room=3)
    assert [one[1] for one in due if one[0] == "user_likes"] == [11]
    assert left_out == 2


def test_what_was_read_longer_ago_is_due_as_well_and_full_is_everything(read):
    read.db.conn.execute("UPDATE readings SET ended_at = '2020-01-01T00:00:00Z' WHERE kind = 'user_likes'")
    due, _ = chosen(read, Refresh(older_than=86_400.0, read=("likes",)))
    assert sorted(one[1] for one in due) == [10, 11, 12]
    every, _ = chosen(read, Refresh(full=True))
    assert {one[:2] for one in every} >= {("user_likes", 10), ("track_likers", 1), ("track_reposters", 1)}
    assert not any(one[2] for one in every)  # whole, all of them


def test_a_head_that_brought_more_than_its_count_rose_by_is_read_whole_in_the_same_refresh(read):
    moved(read, 10, 3)
    conn = read.db.conn
    refreshes.begin(conn, Refresh(), NOW)
    conn.execute("UPDATE readings SET state = 'ended', outcome = 'complete' WHERE kind = 'lookup'")
    assert refreshes.go_on(conn, NOW, page_size=200)
    task_id, number = read.rows("SELECT task_id, number FROM readings WHERE kind = 'user_likes' AND number > 0")[0]
    conn.execute(
        "UPDATE readings SET state = 'ended', outcome = 'caught_up', came = 2, ended_at = ?"
        " WHERE task_id = ? AND number = ?",
        (NOW, task_id, number),
    )
    conn.execute(
        "UPDATE readings SET state = 'ended', outcome = 'complete', ended_at = ? WHERE state <> 'ended'", (NOW,)
    )
    assert refreshes.go_on(conn, NOW, page_size=200)
    assert read.rows("SELECT mode FROM readings WHERE task_id = ? AND state <> 'ended'", task_id) == [("whole",)]


def test_a_few_who_are_gone_are_asked_about_too_and_nobody_twice_in_a_refresh(read):
    read.db.conn.execute("UPDATE users SET status = 'gone' WHERE id = 12")
    assert list(refreshes.subjects(read.db.conn, Refresh())["user"]) == [10, 11, 12]
    refreshes.begin(read.db.conn, Refresh(read=("likes",)), NOW)
    assert list(refreshes.subjects(read.db.conn, Refresh())["user"]) == []
    asked = read.rows("SELECT count(*) FROM batch_items")
    refreshes.begin(read.db.conn, Refresh(read=("likes",)), NOW)  # goes on with the one that is open
    assert read.rows("SELECT count(*) FROM batch_items") == asked
    assert read.rows("SELECT count(*) FROM refreshes") == [(1,)]
    refreshes.begin(read.db.conn, Refresh(), NOW)  # of more lists than before
    assert read.rows("SELECT thing_id FROM batch_items JOIN batches AS b ON b.id = batch_id AND b.thing = 'track'") == [
        (1,)
    ]


def test_half_of_a_bound_goes_into_looking_up_whatever_is_looked_up(read):
    conn = read.db.conn
    conn.executemany(
        "INSERT INTO tasks (kind, subject_id, outcome) VALUES ('user_reposts', ?, 'complete')",
        [(i,) for i in range(100, 400)],
    )
    conn.execute(
        "INSERT INTO users (id, seen_as, first_seen_at, last_seen_on) SELECT subject_id, 'list', ?1, ?1 FROM tasks"
        " WHERE kind = 'user_reposts'",
        (NOW,),
    )
    refreshes.begin(conn, Refresh(), NOW, room=6)
    assert read.rows("SELECT count(*) FROM batches") == [(3,)]  # tracks and people


def test_what_was_found_counts_lists_and_not_readings_and_no_confirmation_as_a_blind_spot(read):
    conn = read.db.conn
    refreshes.begin(conn, Refresh(), NOW)
    ((refresh_id,),) = read.rows("SELECT id FROM refreshes")
    tasks = [row[0] for row in read.rows("SELECT id FROM tasks WHERE kind = 'user_likes' ORDER BY id")]
    conn.executemany(
        "INSERT INTO readings (task_id, number, kind, mode, state, outcome, claimed, came, refresh_id)"
        " VALUES (?, ?, 'user_likes', ?, 'ended', ?, ?, ?, ?)",
        [
            (tasks[0], 1, "head", "caught_up", 3, 2, refresh_id),  # it rose by one, and brought two
            (tasks[0], 2, "whole", "complete", 3, 0, refresh_id),  # so it was read whole
            (tasks[1], 1, "whole", "complete", 2, 1, refresh_id),  # it stood still, and had changed
            (tasks[2], 1, "head", "caught_up", 3, 1, refresh_id),
        ],
    )
    found = refreshes.found(conn)
    assert (found.lists, found.heads, found.unmoved, found.unmoved_changed, found.failed) == (3, 1, 1, 1, 0)
