"""Which lists a refresh takes up, how, and in which order."""

from __future__ import annotations

from collections import Counter

import pytest

from harvest.models import Limits
from harvest.store import readings, refreshes, standstill
from harvest.store.refreshes import Found, Refresh
from tests.booking import add_list

from .conftest import NOW, tracks_page, users_page

A_DAY_ON, LATER = "2026-11-21T10:00:00Z", "2026-12-20T10:00:00Z"


def drained(open_books, *people):
    """A drained harvest of people who like two tracks each and are counted so."""
    books = open_books(limits=Limits(max_users=len(people)))
    books.resolve(1)
    books.keep(books.claim("track_likers"), users_page(*people))
    books.keep(books.claim("track_reposters"), users_page())
    books.db.conn.execute("UPDATE users SET likes_given_count = 2")
    books.next_round()
    for person in people:
        books.keep(books.claim("user_likes", person), tracks_page(5, person))
    assert not books.next_round()
    return books


@pytest.fixture
def read(open_books):
    """Such a harvest of persons 10, 11 and 12."""
    return drained(open_books, 10, 11, 12)


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
    assert chosen(read) == (
        [
            ("user_likes", 11, True, 7.0),
            ("user_likes", 10, True, 1.0),
            ("user_likes", 12, False, 1.0),
            ("track_likers", 1, True, 0.0),  # of which no count has moved
        ],
        0,
    )


def test_what_stands_still_takes_a_tenth_the_oldest_first(read):
    read.db.conn.execute("UPDATE readings SET ended_at = '2020-01-01T00:00:00Z' WHERE kind = 'track_reposters'")
    assert chosen(read) == ([("track_reposters", 1, True, 0.0)], 0)


def test_of_many_lists_a_tenth_are_those_that_nothing_speaks_for_once_in_a_refresh(open_books):
    books = drained(open_books, *range(10, 50))
    for person in range(10, 27):
        moved(books, person, 3)
    due, _ = chosen(books)
    assert Counter(one[3] > 0 for one in due) == {True: 17, False: 2}
    refreshes.begin(books.db.conn, Refresh(), NOW)
    assert refreshes.go_on(books.db.conn, NOW, page_size=200)
    books.db.conn.execute(
        "UPDATE readings SET state = 'ended', outcome = 'complete', ended_at = ? WHERE state <> 'ended'", (LATER,)
    )
    assert not refreshes.go_on(books.db.conn, NOW, page_size=200)
    assert books.rows("SELECT count(*) FROM readings WHERE number > 0") == [(19,)]


@pytest.mark.parametrize(
    "unlike",
    [
        "UPDATE recipes SET cap = 8 WHERE kind = 'user_likes'",
        "UPDATE readings SET outcome = 'short' WHERE kind = 'user_likes'; UPDATE tasks SET outcome = 'short'",
        "INSERT INTO readings (task_id, number, kind, state, outcome, claimed, ended_at) SELECT id, 1, kind, 'ended',"
        " 'failed', 2, '2026-11-21T10:00:00Z' FROM tasks WHERE kind = 'user_likes' AND subject_id = 11",
    ],
    ids=["beyond the cap", "after one that was short", "after one that failed"],
)
def test_a_head_is_read_only_of_a_list_that_was_read_whole_up_to_where_it_is_wanted(read, unlike):
    moved(read, 11, 9)
    read.db.conn.executescript(unlike)
    due, _ = chosen(read)
    assert due[0] == ("user_likes", 11, False, 7.0)


def test_a_list_whose_last_reading_failed_is_due_though_no_count_has_moved(read):
    read.db.conn.execute(
        "INSERT INTO readings (task_id, number, kind, state, outcome, claimed, ended_at) SELECT id, 1, kind, 'ended',"
        " 'failed', 2, ? FROM tasks WHERE kind = 'user_likes' AND subject_id = 11",
        (NOW,),
    )
    due, _ = chosen(read)
    assert [one[:3] for one in due if one[3] > 0] == [("user_likes", 11, False)]


@pytest.mark.parametrize(("kind", "thing"), [("playlist_tracks", "playlist"), ("station_tracks", "station")])
def test_a_list_with_places_has_no_head(read, kind, thing):
    conn, (harvest_id,) = read.db.conn, read.harvest_ids
    urn = {"station": "'soundcloud:system-playlists:track-stations:1'"}.get(thing)
    conn.execute(
        f"INSERT INTO {thing}s (id, {'urn, ' if urn else ''}track_count, first_page_id, first_seen_at, last_seen_on)"
        f" VALUES (70, {f'{urn}, ' if urn else ''}9, 1, '', '')"
    )
    add_list(conn, kind, 70, collected=2, claimed=2)
    conn.execute("UPDATE readings SET ended_at = ? WHERE kind = ?", (NOW, kind))
    conn.execute(
        "INSERT OR REPLACE INTO recipes (harvest_id, kind, thing, reach, turn, cap) VALUES (?, ?, ?, 0, 90, 300)",
        (harvest_id, kind, thing),
    )
    conn.execute(
        "INSERT INTO visits (harvest_id, thing, thing_id, round, depth, place) VALUES (?, ?, 70, 1, 1, 9)",
        (harvest_id, thing),
    )
    due, _ = chosen(read)
    assert due[0] == (kind, 70, False, 7.0)


def test_a_list_that_the_service_makes_up_and_does_not_count_is_read_whole(read):
    conn = read.db.conn
    add_list(conn, "track_related", 1, collected=2)
    conn.execute("UPDATE readings SET ended_at = ? WHERE kind = 'track_related'", (NOW,))
    conn.execute(
        "INSERT OR REPLACE INTO recipes (harvest_id, kind, thing, reach, turn, cap)"
        " VALUES (?, 'track_related', 'track', 0, 90, 300)",
        read.harvest_ids,
    )
    due, _ = chosen(read, Refresh(older_than=1.0, read=("related",)))
    assert due == [("track_related", 1, False, 0.5)]


def test_who_is_forgotten_is_neither_looked_up_nor_read(read):
    moved(read, 11, 9)
    read.db.conn.execute("UPDATE users SET status = 'forgotten' WHERE id = 11")
    assert list(refreshes.subjects(read.db.conn, Refresh(full=True))["user"]) == [10, 12]
    for refresh in (Refresh(), Refresh(full=True)):
        due, _ = chosen(read, refresh)
        assert due
        assert ("user_likes", 11) not in {one[:2] for one in due}


def test_with_little_room_half_of_it_at_most_is_for_looking_up(read):
    conn = read.db.conn
    refreshes.begin(conn, Refresh(read=("likes",)), NOW, room=1)
    assert read.rows("SELECT * FROM batch_items") == []
    refreshes.begin(conn, Refresh(read=("likes",)), NOW, room=2)
    assert read.rows("SELECT thing_id FROM batch_items") == [(10,), (11,), (12,)]


def test_what_a_refresh_found_is_of_it_alone_and_tells_the_blind_spot(read):
    conn = read.db.conn

    def changed(*words):
        conn.executemany(
            "INSERT INTO changes (at, what, \"table\", ids, reason) VALUES ('', ?, 'tracks', '{}', ?)", words
        )

    def refreshed(oldest, went):
        conn.execute(
            "UPDATE readings SET ended_at = '2020-01-01T00:00:00Z' WHERE task_id ="
            " (SELECT id FROM tasks WHERE kind = 'user_likes' AND subject_id = ?)",
            (oldest,),
        )
        refreshes.begin(conn, Refresh(), NOW)
        conn.execute("UPDATE readings SET state = 'ended', outcome = 'complete' WHERE kind = 'lookup'")
        assert refreshes.go_on(conn, NOW, page_size=200)
        conn.execute(
            "UPDATE readings SET state = 'ended', outcome = 'complete', ended_at = ?, went = ? WHERE state <> 'ended'",
            (LATER, went),
        )
        assert not refreshes.go_on(conn, NOW, page_size=200)

    changed(("came", None))
    moved(read, 10, 3)
    refreshed(11, 1)
    changed(("went", "gone"), ("went", None))
    assert refreshes.found(conn) == Found("done", 0, 2, 2, 1, 1, 0, 0, {"went": 2}, {"gone": 1, "unknown": 1})
    refreshed(12, 0)
    changed(("came", None), ("went", "withdrawn"))
    found = refreshes.found(conn)
    assert (found.lists, found.unmoved, found.unmoved_changed) == (1, 1, 0)
    assert (found.changes, found.reasons) == ({"came": 1, "went": 1}, {"withdrawn": 1})


def test_a_bound_leaves_out_what_promises_least(read):
    moved(read, 10, 3)
    moved(read, 11, 9)
    moved(read, 12, 4)
    due, left_out = chosen(read, room=3)
    assert [one[1] for one in due if one[0] == "user_likes"] == [11]
    assert left_out == 2


def test_only_lists_whose_count_has_moved_are_counted_as_left_out(read):
    """Not the oldest of those that stand still, nor what is due because it was read long ago."""
    moved(read, 10, 3)
    read.db.conn.execute("UPDATE readings SET ended_at = '2020-01-01T00:00:00Z' WHERE kind = 'user_likes'")
    for room, n, left_out in ((1, 0, 1), (2, 1, 1), (3, 2, 0), (9, 4, 0)):
        due, counted = chosen(read, Refresh(older_than=365 * 86_400.0), room=room)
        assert (len(due), counted) == (n, left_out)


def test_what_was_read_longer_ago_is_due_as_well_and_full_is_everything(read):
    read.db.conn.execute("UPDATE readings SET ended_at = '2020-01-01T00:00:00Z' WHERE kind = 'user_likes'")
    due, _ = chosen(read, Refresh(older_than=86_400.0, read=("likes",)))
    assert sorted(one[1] for one in due) == [10, 11, 12]
    every, _ = chosen(read, Refresh(full=True))
    assert {one[:2] for one in every} >= {("user_likes", 10), ("track_likers", 1), ("track_reposters", 1)}
    assert not any(one[2] for one in every)  # whole, all of them


@pytest.mark.parametrize(("came", "is_read_whole"), [(2, True), (1, False)])
def test_a_head_that_brought_more_than_its_count_rose_by_is_read_whole_in_the_same_refresh(read, came, is_read_whole):
    moved(read, 10, 3)
    conn = read.db.conn
    refreshes.begin(conn, Refresh(), NOW)
    conn.execute("UPDATE readings SET state = 'ended', outcome = 'complete' WHERE kind = 'lookup'")
    assert refreshes.go_on(conn, NOW, page_size=200)
    task_id, number = read.rows("SELECT task_id, number FROM readings WHERE kind = 'user_likes' AND number > 0")[0]
    conn.execute(
        "UPDATE readings SET state = 'ended', outcome = 'caught_up', came = ?, ended_at = ?"
        " WHERE task_id = ? AND number = ?",
        (came, NOW, task_id, number),
    )
    conn.execute(
        "UPDATE readings SET state = 'ended', outcome = 'complete', ended_at = ? WHERE state <> 'ended'", (NOW,)
    )
    assert refreshes.go_on(conn, NOW, page_size=200) == is_read_whole
    again = read.rows("SELECT mode FROM readings WHERE task_id = ? AND state <> 'ended'", task_id)
    assert again == ([("whole",)] if is_read_whole else [])


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


def test_of_many_who_are_gone_five_are_asked_about_and_all_where_everything_is_read(open_books):
    books = drained(open_books, *range(10, 20))
    books.db.conn.execute("UPDATE users SET status = 'gone' WHERE id > 12")
    assert list(refreshes.subjects(books.db.conn, Refresh())["user"]) == [10, 11, 12, *range(13, 18)]
    assert list(refreshes.subjects(books.db.conn, Refresh(full=True))["user"]) == list(range(10, 20))


def again(books):
    """Give all readings of lists but the first ones."""
    return books.rows(
        "SELECT t.subject_id, r.number, r.outcome, r.mode, r.cap, r.refresh_id FROM readings AS r"
        " JOIN tasks AS t ON t.id = r.task_id WHERE r.number > 0 ORDER BY 1, 2"
    )


def test_a_reading_that_has_stood_still_for_more_than_a_day_is_begun_anew_as_it_was_asked_for(read):
    conn = read.db.conn
    refreshes.begin(conn, Refresh(), NOW)
    refreshes.end(conn, 1, NOW)
    ((ten,), (eleven,)) = read.rows("SELECT id FROM tasks WHERE kind = 'user_likes' AND subject_id IN (10, 11)")
    readings.begin_again(conn, ten, NOW, head=True, cap=7)
    readings.begin_again(conn, eleven, NOW, refresh_id=1)
    as_asked = again(read)
    assert standstill.begin_anew(conn, A_DAY_ON) == (0, None)
    assert again(read) == as_asked == [(10, 1, None, "head", 7, None), (11, 1, None, "whole", None, 1)]
    assert standstill.begin_anew(conn, LATER) == (2, None)
    assert again(read) == [
        (10, 1, "stale", "head", 7, None),
        (10, 2, None, "head", 7, None),
        (11, 1, "stale", "whole", None, 1),
        (11, 2, None, "whole", None, 1),
    ]


def test_a_refresh_that_has_stood_still_for_more_than_a_day_ends_with_its_readings_and_what_it_asked_for_is_told(read):
    conn, asked = read.db.conn, Refresh(full=True, older_than=5.0, read=("likes",))
    refreshes.begin(conn, asked, NOW)
    conn.execute("UPDATE readings SET state = 'ended', outcome = 'complete' WHERE kind = 'lookup'")
    assert refreshes.go_on(conn, NOW, page_size=200)
    assert standstill.begin_anew(conn, A_DAY_ON) == (0, None)
    assert standstill.begin_anew(conn, LATER) == (3, asked)
    assert [row[:3] for row in again(read)] == [(10, 1, "stale"), (11, 1, "stale"), (12, 1, "stale")]
    assert read.rows("SELECT state, ended_at, left_out FROM refreshes") == [("done", LATER, None)]
