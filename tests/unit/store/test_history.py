"""What a list lacks that is read again: whether it is called vanished, why, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harvest.errors import Gone, ServerTrouble
from harvest.models import Comment, Page, Playlist, SeenAs, Station, Task, WebProfile
from harvest.store import history, lookups, readings

from .conftest import a_track, a_user, tracks_page, users_page

FIRST = "2026-11-20T10:00:00Z"  # of Books
SECOND, THIRD, FOURTH = "2026-11-21T10:00:00Z", "2026-11-22T10:00:00Z", "2026-11-23T10:00:00Z"
LIKES = ("user_likes", 10)
REPOSTS = ("user_reposts", 10)  # of which no other list knows any
PLAYLISTS = ("user_playlist_likes", 10)  # of which there is no count


def read(books, of, *pages, at=FIRST, head=False):
    """Read a list for the first time or again, page by page; give how it went on."""
    conn, (kind, subject) = books.db.conn, of
    with books.db.atomic():
        found = conn.execute("SELECT id FROM tasks WHERE kind = ? AND subject_id = ?", of).fetchone()
        if found is None:
            task_id = conn.execute("INSERT INTO tasks (kind, subject_id) VALUES (?, ?)", of).lastrowid
            conn.execute("INSERT INTO readings (task_id, number, kind) VALUES (?, 0, ?)", (task_id, kind))
            number = 0
        elif conn.execute("SELECT outcome FROM tasks WHERE id = ?", found).fetchone() == (None,):
            (task_id,), number = found, 0
        else:
            (task_id,) = found
            number = readings.begin_again(conn, task_id, at, head=head, refresh_id=begun(books))
    ((claimed,),) = books.rows("SELECT claimed FROM readings WHERE task_id = ? AND number = ?", task_id, number)
    task = Task(task_id, kind, subject, reading=number, claimed=claimed, head=head)
    for page in pages:
        receipt = books.keep(task, replace(page, fetched_at=at))
        task = receipt.task
    return receipt


def begun(books):
    """Give the refresh that has counted and read nothing yet."""
    return books.db.conn.execute(
        "SELECT max(id) FROM refreshes AS f WHERE NOT EXISTS (SELECT 1 FROM readings WHERE refresh_id = f.id)"
    ).fetchone()[0]


def counted(books, at, **counts):
    """Begin a refresh and look up person 10, so that their counts are as young as that."""
    books.db.conn.execute(
        "INSERT INTO refreshes (options, state, begun_at, first_version, first_page_id)"
        " SELECT '{}', 'counting', ?, 0, max(id) FROM pages",
        (at,),
    )
    look_up(books, "user", 10, at=at, users={10: a_user(10, seen_as=SeenAs.FULL, **counts)})


def look_up(books, thing, *ids, at, shown=None, **named):
    """Look things up in one batch that shows all of them, or as many as told; what it leaves out is asked for alone."""
    conn = books.db.conn
    with books.db.atomic():
        lookups.ask(conn, thing, ids)
    answer(books, thing, at=at, shown=ids if shown is None else shown, **named)


def answer(books, thing, *, at, shown, **named):
    """Answer the newest look-up."""
    ((task_id, batch_id),) = books.rows("SELECT max(id), max(subject_id) FROM tasks WHERE kind = 'lookup'")
    those = tuple(one for (one,) in books.rows("SELECT thing_id FROM batch_items WHERE batch_id = ?", batch_id))
    items = tuple(one for one in those if one in shown)
    books.keep(
        Task(task_id, "lookup", batch_id),
        Page(f"/{thing}s/{task_id}", items, len(items), thing=thing, fetched_at=at, **named),
    )


def why(books, thing, at, shown=()):
    """Have what vanished looked up; of what the answer does not show, a 404 follows."""
    with books.db.atomic():
        assert history.ask_why(books.db.conn, at)
    if shown:  # what is asked for alone is refused, or shown
        answer(books, thing, at=at, shown=shown)
    for task_id, batch_id in books.rows(
        "SELECT t.id, t.subject_id FROM tasks AS t JOIN readings AS r ON r.task_id = t.id"
        " WHERE t.kind = 'lookup' AND r.state <> 'ended'"
    ):
        books.committer.fail(Task(task_id, "lookup", batch_id), Gone(status=404), at, {})


def said(books):
    """What was said of edges: the word, the item and the reason."""
    rows = books.rows(
        "SELECT what, ids, reason FROM changes WHERE what IN ('came', 'found', 'went', 'back', 'edited')"
        " ORDER BY version"
    )
    return [
        (what, *(value for name, value in json.loads(ids).items() if name not in ("user_id", "engagement_type")), why)
        for what, ids, why in rows
    ]


def waits(books):
    return books.rows("SELECT item_id, place FROM unexplained ORDER BY 1")


def likes(books):
    return books.rows(
        "SELECT track_id, user_list_rank FROM user_engagements WHERE user_id = 10 AND engagement_type = 'like'"
        " AND user_list_rank IS NOT NULL ORDER BY 2"
    )


def past(books, table="past_engagements", item="track_id"):
    return books.rows(f"SELECT {item}, reason FROM {table} ORDER BY 1, gone_page_id")


def test_what_a_fresh_count_does_not_count_has_vanished_wherever_it_stood(books):
    read(books, LIKES, tracks_page(5, 6, 7, 8))
    counted(books, SECOND, likes_given_count=2)
    read(books, LIKES, tracks_page(7, 5), at=SECOND)  # out of order: nothing else proves it
    assert waits(books) == [(6, 1), (8, 3)]
    assert likes(books) == [(7, 0), (5, 1)]
    assert past(books) == [(6, None), (8, None)]
    assert said(books) == []
    assert books.rows("SELECT came, went FROM readings WHERE kind = 'user_likes' ORDER BY number") == [(0, 0), (0, 2)]
    assert books.rows("SELECT collected FROM tasks WHERE kind = 'user_likes'") == [(2,)]


def test_what_a_fresh_count_still_counts_stays_behind(books):
    read(books, LIKES, tracks_page(5, 6, 7, 8))
    counted(books, SECOND, likes_given_count=4)
    read(books, LIKES, tracks_page(7, 5), at=SECOND)
    assert waits(books) == []
    assert likes(books) == [(7, 0), (5, 1), (6, 2), (8, 3)]


def test_a_count_older_than_the_reading_before_proves_nothing(books):
    look_up(books, "user", 10, at=FIRST, users={10: a_user(10, seen_as=SeenAs.FULL, likes_given_count=2)})
    read(books, LIKES, tracks_page(5, 6, 7, 8), at=SECOND)
    read(books, LIKES, tracks_page(7, 5), at=THIRD)
    assert waits(books) == []
    assert likes(books) == [(7, 0), (5, 1), (6, 2), (8, 3)]


def test_a_count_that_was_young_when_the_list_was_read_last_proves_nothing_later(books):
    """A look-up right after a reading, as of what vanished by it, says what that reading said, and nothing of later."""
    read(books, LIKES, tracks_page(5, 6, 7))
    look_up(books, "user", 10, at=SECOND, users={10: a_user(10, seen_as=SeenAs.FULL, likes_given_count=3)})
    read(books, LIKES, tracks_page(30, 31, 5), at="2026-12-24T10:00:00Z")  # cut: it would go on with 6 and 7
    assert waits(books) == []
    assert {row[0] for row in likes(books)} == {30, 31, 5, 6, 7}


def test_what_a_list_has_always_lacked_of_its_count_is_allowed_for(books):
    """A count of likes has playlists in it."""
    counted(books, FIRST, likes_given_count=6)
    read(books, LIKES, tracks_page(5, 6, 7, 8, 9))
    books.db.conn.execute("UPDATE readings SET claimed = 6 WHERE kind = 'user_likes'")
    counted(books, SECOND, likes_given_count=5)
    read(books, LIKES, tracks_page(9, 7, 6, 5), at=SECOND)
    assert waits(books) == [(8, 3)]


def test_what_whole_readings_lack_again_and_again_is_called_vanished_some_day(books):
    """Their count of likes rises for good with every playlist they like; each reading lacks 7 and 8."""
    counted(books, FIRST, likes_given_count=4)
    read(books, LIKES, tracks_page(5, 6, 7, 8))
    books.db.conn.execute("UPDATE readings SET claimed = 4 WHERE kind = 'user_likes'")
    for at in (SECOND, THIRD, FOURTH):
        counted(books, at, likes_given_count=4)
        read(books, LIKES, tracks_page(5, 6), at=at)
    assert waits(books) == [(7, 2), (8, 3)]


def test_what_is_missing_in_the_midst_of_known_entries_has_vanished(books):
    read(books, PLAYLISTS, playlists(5, 6, 7, 8))
    read(books, PLAYLISTS, playlists(5, 7), at=SECOND)
    assert waits(books) == [(6, 1)]  # 8 may have been cut off


def test_the_order_proves_nothing_where_an_entry_could_not_be_read(books):
    read(books, PLAYLISTS, playlists(5, 6, 7))
    read(books, PLAYLISTS, replace(playlists(5, 7), received=3, skipped=1), at=SECOND)
    assert waits(books) == []


def test_the_order_proves_nothing_where_it_has_changed(books):
    read(books, PLAYLISTS, playlists(5, 6, 7, 8))
    read(books, PLAYLISTS, playlists(7, 5, 8), at=SECOND)
    assert waits(books) == []


def test_what_two_whole_readings_lack_in_turn_has_vanished_where_nothing_is_counted(books):
    read(books, PLAYLISTS, playlists(5, 6, 7))
    read(books, PLAYLISTS, playlists(5, 6), at=SECOND)
    assert waits(books) == []
    read(books, PLAYLISTS, playlists(5), at=THIRD)  # 6 is missing for the first time
    assert waits(books) == [(7, 2)]
    assert books.rows(
        "SELECT l.reading, g.reading FROM past_playlist_engagements AS e"
        " JOIN pages AS l ON l.id = e.last_page_id JOIN pages AS g ON g.id = e.gone_page_id"
    ) == [(0, 2)]
    assert [row[0] for row in books.rows("SELECT playlist_id FROM playlist_engagements ORDER BY user_list_rank")] == [
        5,
        6,
    ]


def test_what_a_reading_lacks_that_was_not_whole_is_not_lacked_again_by_a_whole_one(books):
    read(books, PLAYLISTS, playlists(5, 6, 7))
    assert read(books, PLAYLISTS, replace(playlists(5, 6), request="/1", next_cursor="/1"), at=SECOND).outcome == "loop"
    assert read(books, PLAYLISTS, playlists(5, 6), at=THIRD).outcome == "complete"
    assert waits(books) == []


def test_of_what_a_list_has_lacked_of_its_count_the_least_is_allowed_for(books):
    counted(books, FIRST, likes_given_count=4)
    read(books, LIKES, tracks_page(5, 6, 7, 8))
    books.db.conn.execute("UPDATE readings SET claimed = 4 WHERE kind = 'user_likes'")
    counted(books, SECOND, likes_given_count=5)
    read(books, LIKES, tracks_page(5, 6, 7, 8), at=SECOND)
    counted(books, THIRD, likes_given_count=4)
    read(books, LIKES, tracks_page(5, 6, 7), at=THIRD)
    assert waits(books) == []


def test_what_a_list_lacked_for_an_entry_that_could_not_be_read_is_allowed_for_no_more(books):
    read(books, LIKES, replace(tracks_page(5, 6, 7), received=4, skipped=1))
    books.db.conn.execute("UPDATE readings SET claimed = 4 WHERE kind = 'user_likes'")
    counted(books, SECOND, likes_given_count=3)
    read(books, LIKES, tracks_page(5, 6), at=SECOND)
    assert waits(books) == []


def test_a_second_whole_reading_proves_nothing_where_more_is_counted_than_was_ever_lacked(books):
    read(books, LIKES, tracks_page(5, 6, 7, 8))
    counted(books, SECOND, likes_given_count=4)
    read(books, LIKES, tracks_page(5, 6, 7), at=SECOND)
    counted(books, THIRD, likes_given_count=5)
    assert read(books, LIKES, tracks_page(5, 6, 7), at=THIRD).outcome == "complete"
    assert waits(books) == []


def test_what_came_twice_where_places_are_counted_proves_nothing(books):
    """It moved while it was read: what moved down came twice, and what moved up was never shown."""
    pages = replace(comments(31, 32), next_cursor="/2"), replace(comments(32, 34), request="/2")
    read(books, ("track_comments", 1), comments(31, 32, 33, 34))
    read(books, ("track_comments", 1), *pages, at=SECOND)
    assert waits(books) == []


@pytest.mark.parametrize("after", ["short", "loop"])
def test_a_reading_that_is_not_whole_moves_nothing_out(after, books):
    read(books, LIKES, tracks_page(5, 6, 7, 8))
    if after == "short":
        counted(books, SECOND, likes_given_count=40)
        receipt = read(books, LIKES, tracks_page(5, 8), at=SECOND)
    else:
        page = tracks_page(5, 8, request="/1", next_cursor="/1")
        receipt = read(books, LIKES, page, at=SECOND)
    assert receipt.outcome == after
    assert (waits(books), len(likes(books))) == ([], 4)


def test_only_what_is_unproven_is_read_once_more_and_only_once(books):
    read(books, PLAYLISTS, playlists(5, 6, 7))
    read(books, PLAYLISTS, playlists(5, 6), at=SECOND)
    (unproven,) = history.to_confirm(books.db.conn)
    assert books.rows("SELECT unproven FROM readings WHERE task_id = ?", unproven[0]) == [(0,), (1,)]
    with books.db.atomic():
        assert readings.confirm(books.db.conn, SECOND)
    books.keep(Task(unproven[0], *PLAYLISTS, reading=2), replace(playlists(5, 6), fetched_at=SECOND))
    assert waits(books) == [(7, 2)]
    assert history.to_confirm(books.db.conn) == []


def test_what_another_reading_does_not_prove_is_not_read_again_in_that_refresh(books):
    read(books, PLAYLISTS, playlists(5, 6, 7))
    full = replace(playlists(5, 6), request="/playlists?limit=2")  # which may be cut, however often it is read
    read(books, PLAYLISTS, full, at=SECOND)
    with books.db.atomic():
        assert readings.confirm(books.db.conn, SECOND)
    ((task_id,),) = books.rows("SELECT id FROM tasks WHERE kind = 'user_playlist_likes'")
    books.keep(Task(task_id, *PLAYLISTS, reading=2), replace(full, fetched_at=SECOND))
    assert books.rows("SELECT unproven FROM readings WHERE task_id = ?", task_id) == [(0,), (1,), (1,)]
    assert history.to_confirm(books.db.conn) == []


def test_what_a_reading_found_is_still_known_when_the_next_one_begins(books):
    read(books, PLAYLISTS, playlists(5, 6, 7, 8))
    read(books, PLAYLISTS, playlists(9, 5, 7), at=SECOND)
    found = books.rows("SELECT came, went, unproven FROM readings WHERE kind = 'user_playlist_likes' AND number = 1")
    assert found == [(1, 1, 1)]
    read(books, PLAYLISTS, playlists(9, 5, 7), at=THIRD)
    assert found == books.rows(
        "SELECT came, went, unproven FROM readings WHERE kind = 'user_playlist_likes' AND number = 1"
    )


def test_what_a_drained_harvest_has_read_again_is_read_once_more_as_far_as_it_wanted(books):
    conn = books.db.conn
    conn.execute(
        "INSERT INTO recipes (harvest_id, kind, thing, reach, turn, cap)"
        " VALUES (?, 'user_playlist_likes', 'user', 0, 90, 30)",
        (books.harvest_ids[0],),
    )
    conn.execute(
        "INSERT INTO visits (harvest_id, thing, thing_id, round, depth) VALUES (?, 'user', 10, 1, 1)",
        (books.harvest_ids[0],),
    )
    read(books, PLAYLISTS, playlists(5, 6, 7))
    read(books, PLAYLISTS, playlists(5, 6), at=SECOND)
    conn.execute("UPDATE harvests SET state = 'drained'")
    with books.db.atomic():
        assert readings.confirm(conn, SECOND)
    assert books.rows("SELECT cap FROM readings WHERE kind = 'user_playlist_likes' ORDER BY number") == [
        (None,), (None,), (30,),
    ]  # fmt: skip
    assert readings.are_open(conn)


def test_a_list_read_again_outside_any_refresh_is_read_once_more_each_time(books):
    conn = books.db.conn
    read(books, PLAYLISTS, playlists(5, 6, 7, 8))
    for at, last in ((SECOND, (5, 6, 7)), (THIRD, (5, 6))):
        read(books, PLAYLISTS, playlists(*last), at=at)
        with books.db.atomic():
            assert readings.confirm(conn, at)
        ((task_id, number),) = books.rows("SELECT task_id, number FROM readings WHERE state = 'todo'"
                                          " AND kind = 'user_playlist_likes'")  # fmt: skip
        books.keep(Task(task_id, *PLAYLISTS, reading=number), replace(playlists(*last), fetched_at=at))
        with books.db.atomic():
            assert not readings.confirm(conn, at)
    assert waits(books) == [(7, 2), (8, 3)]


def test_the_reason_is_known_before_a_word_is_said(books):
    read(books, LIKES, tracks_page(5, 6, 7, 8))
    counted(books, SECOND, likes_given_count=2)
    read(books, LIKES, tracks_page(5, 8), at=SECOND)
    assert said(books) == []
    why(books, "track", THIRD, shown=(6,))
    assert said(books) == [("went", 6, "withdrawn"), ("went", 7, "gone")]
    assert past(books) == [(6, "withdrawn"), (7, "gone")]
    assert waits(books) == []
    assert books.rows("SELECT status, gone_at FROM tracks WHERE id = 7") == [("gone", THIRD)]
    assert not history.is_pending(books.db.conn)


def test_what_the_look_up_does_not_tell_is_unknown(books):
    read(books, LIKES, tracks_page(5, 6, 7))
    counted(books, SECOND, likes_given_count=2)
    read(books, LIKES, tracks_page(5, 7), at=SECOND)
    with books.db.atomic():
        assert history.ask_why(books.db.conn, THIRD)
        assert not history.ask_why(books.db.conn, THIRD)  # not asked twice, nor answered before it was
    ((task_id, batch_id),) = books.rows("SELECT max(id), max(subject_id) FROM tasks WHERE kind = 'lookup'")
    for _ in range(2):
        books.committer.fail(Task(task_id, "lookup", batch_id), ServerTrouble(status=503), THIRD, {})
    assert said(books) == []
    with books.db.atomic():
        assert not history.ask_why(books.db.conn, FOURTH)
    assert said(books) == [("went", 6, "unknown")]


def test_of_a_batch_that_is_refused_each_is_asked_for_by_itself_and_nobody_is_gone(books):
    read(books, LIKES, tracks_page(5, 6, 7, 8))
    counted(books, SECOND, likes_given_count=2)
    read(books, LIKES, tracks_page(5, 8), at=SECOND)
    with books.db.atomic():
        assert history.ask_why(books.db.conn, THIRD)
    open_ones = (
        "SELECT t.id, t.subject_id FROM tasks AS t JOIN readings AS r ON r.task_id = t.id AND r.state <> 'ended'"
        " WHERE t.kind = 'lookup' ORDER BY 1"
    )
    for error in (Gone(status=404), ServerTrouble(status=503)):
        for task_id, batch_id in books.rows(open_ones):
            books.committer.fail(Task(task_id, "lookup", batch_id), error, THIRD, {})
    batches = books.rows(
        "SELECT group_concat(thing_id) FROM batch_items AS i JOIN batches AS b ON b.id = i.batch_id"
        " WHERE b.thing = 'track' GROUP BY b.id ORDER BY b.id"
    )
    assert batches == [("6,7",), ("6",), ("7",)]
    assert books.rows("SELECT DISTINCT status FROM tracks WHERE id IN (6, 7)") == [("ok",)]
    assert said(books) == []


def test_those_that_a_batch_leaves_out_are_each_asked_for_by_itself(books):
    look_up(books, "user", 9000, 10, 11, at=FIRST, shown=(9000,))
    assert books.rows(
        "SELECT group_concat(thing_id) FROM batch_items GROUP BY batch_id ORDER BY batch_id DESC LIMIT 2"
    ) == [("11",), ("10",)]


def test_whatever_shows_it_while_it_waits_takes_it_back_and_nothing_is_said(books):
    read(books, LIKES, tracks_page(5, 6, 7))
    ((page,),) = books.rows("SELECT first_page_id FROM user_engagements WHERE track_id = 6")
    counted(books, SECOND, likes_given_count=2)
    read(books, LIKES, tracks_page(5, 7), at=SECOND)
    assert waits(books) == [(6, 1)]
    read(books, LIKES, tracks_page(5, 6, 7), at=THIRD)
    assert (waits(books), past(books), said(books)) == ([], [], [])
    assert likes(books) == [(5, 0), (6, 1), (7, 2)]
    assert books.rows("SELECT first_page_id FROM user_engagements WHERE track_id = 6") == [(page,)]


def test_what_went_with_a_reason_is_back_when_it_is_shown_again(books):
    read(books, LIKES, tracks_page(5, 6, 7))
    expected = []
    for gone, back, reason in ((SECOND, THIRD, "withdrawn"), (FOURTH, "2026-11-24T10:00:00Z", "gone")):
        counted(books, gone, likes_given_count=2)
        read(books, LIKES, tracks_page(5, 7), at=gone)
        why(books, "track", gone, shown=(6,) if reason == "withdrawn" else ())
        read(books, LIKES, tracks_page(6, 5, 7), at=back)
        expected += [("went", 6, reason), ("back", 6, None)]
        assert said(books) == expected
        assert past(books) == [(item, why) for what, item, why in expected if what == "went"]
        assert likes(books)[0] == (6, 0)


def test_a_new_entry_came_where_the_list_was_known_whole_and_was_found_where_it_was_not(books):
    read(books, LIKES, tracks_page(5, 6))
    read(books, LIKES, tracks_page(7, 5, 6), at=SECOND)
    assert said(books) == [("came", 7, None)]
    counted(books, THIRD, likes_given_count=60)
    assert read(books, LIKES, tracks_page(5, 6, 7), at=THIRD).outcome == "short"
    read(books, LIKES, tracks_page(9, 7, 5, 6, *range(20, 75)), at=FOURTH)
    assert said(books)[1] == ("found", 9, None)
    assert {what for what, *_ in said(books)[1:]} == {"found"}


def test_a_head_does_not_hide_that_the_list_was_known_whole(books):
    read(books, LIKES, tracks_page(5, 6))
    head = read(
        books, LIKES, tracks_page(7, 5, next_cursor="/2"), tracks_page(6, next_cursor="/3"), at=SECOND, head=True
    )
    assert head.outcome == "caught_up"
    read(books, LIKES, tracks_page(8, 7, 5, 6), at=THIRD)
    assert said(books) == [("came", 7, None), ("came", 8, None)]


def test_a_like_that_two_lists_hold_leaves_both(books):
    read(books, LIKES, tracks_page(5, 1, 7))
    counted(books, SECOND, likes_given_count=2)
    read(books, LIKES, tracks_page(5, 7), at=SECOND)
    assert books.rows("SELECT user_list_rank, track_list_rank FROM past_engagements") == [(1, 0)]
    assert books.rows("SELECT user_id FROM user_engagements WHERE track_id = 1") == [(11,)]
    assert books.rows("SELECT collected FROM tasks WHERE kind = 'track_likers'") == [(1,)]


def test_a_like_that_the_other_list_has_shown_since_loses_only_its_place_here(books):
    read(books, LIKES, tracks_page(5, 1, 7))
    counted(books, SECOND, likes_given_count=2)
    conn, (task_id,) = books.db.conn, books.rows("SELECT id FROM tasks WHERE kind = 'user_likes'")[0]
    with books.db.atomic():
        number = readings.begin_again(conn, task_id, SECOND)
    task = Task(task_id, *LIKES, reading=number, claimed=2)
    on = books.keep(task, replace(tracks_page(5, next_cursor="/2"), fetched_at=SECOND)).task
    read(books, ("track_likers", 1), users_page(10, 11), at=SECOND)
    books.keep(on, replace(tracks_page(7), fetched_at=SECOND))
    assert books.rows("SELECT user_list_rank, track_list_rank FROM user_engagements WHERE track_id = 1") == [
        (None, 0),
        (None, 1),
    ]
    assert (waits(books), past(books), said(books)) == ([], [], [])
    assert books.rows("SELECT collected FROM tasks WHERE kind = 'track_likers'") == [(2,)]


def test_what_the_other_list_shows_while_it_waits_has_both_its_places_again(books):
    read(books, LIKES, tracks_page(5, 1, 7))
    counted(books, SECOND, likes_given_count=2)
    read(books, LIKES, tracks_page(5, 7), at=SECOND)
    read(books, ("track_likers", 1), users_page(10, 11), at=THIRD)
    assert (waits(books), past(books), said(books)) == ([], [], [])
    assert books.rows("SELECT user_id, user_list_rank, track_list_rank FROM user_engagements WHERE track_id = 1") == [
        (10, None, 0),
        (11, None, 1),
    ]


def test_what_its_own_list_shows_while_it_waits_has_its_place_in_the_other_again(books):
    read(books, LIKES, tracks_page(5, 1, 7))
    counted(books, SECOND, likes_given_count=2)
    read(books, LIKES, tracks_page(5, 7), at=SECOND)
    read(books, LIKES, tracks_page(5, 7, 1), at=THIRD)
    assert (waits(books), past(books), said(books)) == ([], [], [])
    assert books.rows("SELECT user_id, user_list_rank, track_list_rank FROM user_engagements WHERE track_id = 1") == [
        (10, 2, 0),
        (11, None, 1),
    ]
    assert books.rows("SELECT collected FROM tasks WHERE kind = 'track_likers'") == [(2,)]


def test_what_a_first_reading_of_the_other_list_shows_while_it_waits_never_left(books):
    read(books, LIKES, tracks_page(5, 6, 7))
    counted(books, SECOND, likes_given_count=2)
    read(books, LIKES, tracks_page(5, 7), at=SECOND)
    assert waits(books) == [(6, 1)]
    read(books, ("track_likers", 6), users_page(10, 11), at=THIRD)
    assert (waits(books), past(books), said(books)) == ([], [], [])


def test_a_first_reading_of_the_other_list_brings_back_what_had_gone(books):
    read(books, LIKES, tracks_page(5, 6, 7))
    counted(books, SECOND, likes_given_count=2)
    read(books, LIKES, tracks_page(5, 7), at=SECOND)
    why(books, "track", SECOND, shown=(6,))
    read(books, ("track_likers", 6), users_page(10, 11), at=THIRD)
    assert books.rows("SELECT what, ids ->> 'user_id', page_id FROM changes WHERE what = 'back'") == [
        ("back", 10, books.rows("SELECT max(id) FROM pages")[0][0])
    ]


def playlists(*ids):
    blank = Playlist(*[None] * len(Playlist._fields))
    return Page(
        f"/playlists/{ids}", ids, len(ids), playlists={i: blank._replace(id=i, title=f"playlist {i}") for i in ids}
    )


def content(books, *ids, at=FIRST):
    books.db.conn.execute("INSERT OR IGNORE INTO playlists (id, first_page_id, first_seen_at, last_seen_on)"
                          " VALUES (70, 1, '', '')")  # fmt: skip
    read(books, ("playlist_tracks", 70), tracks_page(*ids), at=at)


def entries(books):
    return [row[0] for row in books.rows("SELECT track_id FROM playlist_tracks ORDER BY position")]


def test_a_playlist_whose_entries_change_places_is_edited_once(books):
    content(books, 5, 6, 5, 7)
    content(books, 7, 5, 6, 5, at=SECOND)
    assert entries(books) == [7, 5, 6, 5]
    assert books.rows('SELECT what, "table", ids, old, new FROM changes') == [
        ("edited", "playlists", '{"id":70}', "[5,6,5,7]", "[7,5,6,5]")
    ]
    content(books, 7, 5, 6, 5, at=THIRD)
    assert books.rows("SELECT count(*) FROM changes") == [(1,)]


def test_an_entry_taken_out_of_the_midst_of_a_playlist_has_vanished_with_its_place(books):
    content(books, 5, 6, 5, 7)
    content(books, 5, 6, 7, at=SECOND)
    assert entries(books) == [5, 6, 7]
    assert waits(books) == [(5, 2)]
    why(books, "track", THIRD, shown=(5,))
    assert said(books) == [("went", 70, 2, 5, "withdrawn")]
    assert books.rows("SELECT position, track_id, reason FROM past_playlist_tracks") == [(2, 5, "withdrawn")]


def test_a_playlist_that_lacks_its_end_stays_until_it_is_as_long_once_more(books):
    content(books, 5, 6, 7, 8)
    for shown, at in (((5, 6, 7), SECOND), ((5, 6), THIRD)):
        content(books, *shown, at=at)
        assert entries(books) == [5, 6, 7, 8]
    content(books, 5, 6, at=FOURTH)
    assert entries(books) == [5, 6]
    assert waits(books) == [(7, 2), (8, 3)]


def test_a_playlist_as_long_as_at_first_that_lacks_its_end_is_read_once_more(books):
    content(books, 5, 6, 7)
    content(books, 5, 6, 8, at=SECOND)
    assert entries(books) == [5, 6, 7]
    content(books, 5, 6, 8, at=THIRD)
    assert entries(books) == [5, 6, 8]
    assert waits(books) == [(7, 2)]


def test_an_entry_of_a_playlist_that_went_with_a_reason_is_back_as_often_as_it_went(books):
    content(books, 5, 6, 5, 7)
    content(books, 5, 7, at=SECOND)
    why(books, "track", THIRD, shown=(5, 6))
    content(books, 5, 6, 7, at=THIRD)
    assert said(books)[2:] == [("back", 70, 1, 6, None)]
    content(books, 5, 6, 8, 6, 5, 5, 7, at=FOURTH)  # 6 is there for a second time, 5 for a second and a third
    assert said(books)[3:] == [
        ("came", 70, 2, 8, None),
        ("came", 70, 3, 6, None),
        ("back", 70, 4, 5, None),
        ("came", 70, 5, 5, None),
    ]


def test_an_entry_that_a_playlist_shows_again_while_it_waits_never_left(books):
    content(books, 5, 6, 7)
    first = books.rows("SELECT first_page_id FROM playlist_tracks WHERE track_id = 6")
    content(books, 5, 7, at=SECOND)
    assert waits(books) == [(6, 1)]
    content(books, 5, 7, 6, at=THIRD)
    look_up(books, "track", 6, at=FOURTH)
    assert (waits(books), said(books)) == ([], [])
    assert books.rows("SELECT * FROM past_playlist_tracks") == []
    assert books.rows("SELECT first_page_id FROM playlist_tracks WHERE track_id = 6") == first


def comments(*ids):
    return Page(
        f"/comments/{ids}", ids, len(ids), comments={i: Comment(i, 1, 900 + i, None, None, f"text {i}") for i in ids},
        users={900 + i: a_user(900 + i, seen_as=SeenAs.EMBEDDED) for i in ids},
    )  # fmt: skip


def test_a_comment_goes_with_its_text_and_its_writer_says_why(books):
    read(books, ("track_comments", 1), comments(31, 32, 33, 34))
    read(books, ("track_comments", 1), comments(31, 34), at=SECOND)
    why(books, "user", THIRD, shown=(932,))
    assert said(books) == [("went", 32, 1, "withdrawn"), ("went", 33, 1, "gone")]
    assert books.rows("SELECT id, user_id, body, track_list_rank, reason FROM past_comments") == [
        (32, 932, "text 32", 1, "withdrawn"),
        (33, 933, "text 33", 2, "gone"),
    ]
    assert books.rows("SELECT id, track_list_rank FROM comments ORDER BY 2") == [(31, 0), (34, 1)]
    read(books, ("track_comments", 1), comments(31, 33, 34), at=FOURTH)
    assert said(books)[2:] == [("back", 33, 1, None)]
    assert books.rows("SELECT body FROM comments WHERE id = 33") == [("text 33",)]


def test_a_comment_that_is_shown_again_before_anybody_said_why_has_stood_all_the_time(books):
    read(books, ("track_comments", 1), comments(31, 32, 33))
    before = books.rows("SELECT * FROM comments ORDER BY id")
    read(books, ("track_comments", 1), comments(31, 33), at=SECOND)
    assert waits(books) == [(32, 1)]
    read(books, ("track_comments", 1), comments(31, 32, 33), at=THIRD)
    assert (waits(books), said(books), past(books, "past_comments", "id")) == ([], [], [])
    assert books.rows("SELECT * FROM comments ORDER BY id") == before


def links(*ids):
    return Page(
        f"/links/{ids}", ids, len(ids), links={i: WebProfile(i, 10, None, f"https://{i}.test", None, None, None)
                                              for i in ids}
    )  # fmt: skip


def test_a_link_is_withdrawn_without_being_asked_about(books):
    read(books, ("user_links", 10), links(1, 2, 3))
    read(books, ("user_links", 10), links(1, 3), at=SECOND)
    assert waits(books) == []
    assert said(books) == [("went", 2, "withdrawn")]
    assert past(books, "past_web_profiles", "url") == [("https://2.test", "withdrawn")]


def test_a_station_is_asked_for_by_itself(books):
    def stations(*ids):
        blank = Station(*[None] * len(Station._fields))
        those = {i: blank._replace(id=i, urn=f"soundcloud:system-playlists:track-stations:{i}") for i in ids}
        return Page(f"/stations/{ids}", ids, len(ids), stations=those)

    read(books, ("user_station_likes", 10), stations(1, 2, 3))
    read(books, ("user_station_likes", 10), stations(1, 3), at=SECOND)
    assert waits(books) == [(2, 1)]
    why(books, "station", THIRD)
    assert said(books) == [("went", 2, "gone")]


def mine(*ids):
    page = tracks_page(*ids)
    page.tracks.update({i: a_track(i, uploader_id=10) for i in ids})
    return page


def test_an_upload_that_vanished_stays_a_track_of_its_uploader_without_a_place(books):
    read(books, ("user_tracks", 10), mine(20, 21, 22))
    read(books, ("user_tracks", 10), mine(20, 22), at=SECOND)
    assert waits(books) == [(21, 1)]
    why(books, "track", THIRD)
    assert said(books) == [("went", 21, 10, "gone")]
    assert books.rows("SELECT id, uploader_id, uploader_list_rank, status FROM tracks WHERE uploader_id = 10") == [
        (20, 10, 0, "ok"),
        (21, 10, None, "gone"),
        (22, 10, 1, "ok"),
    ]


def test_an_upload_that_is_shown_again_while_it_waits_never_left(books):
    read(books, ("user_tracks", 10), mine(20, 21, 22))
    read(books, ("user_tracks", 10), mine(20, 22), at=SECOND)
    read(books, ("user_tracks", 10), mine(20, 21, 22), at=THIRD)
    look_up(books, "track", 21, at=FOURTH)
    assert (waits(books), said(books)) == ([], [])


def test_a_list_that_the_service_makes_up_loses_at_once_and_without_a_reason(books):
    read(books, ("track_related", 1), tracks_page(5, 6, 7))
    read(books, ("track_related", 1), tracks_page(7, 8), at=SECOND)
    assert [(what, why) for what, *_, why in said(books)] == [("came", None), ("went", None), ("went", None)]
    assert waits(books) == []


def test_a_page_that_is_the_same_to_the_byte_writes_nothing_of_what_it_names(books):
    page = replace(tracks_page(5, 6, request="/likes"), digest=b"body")
    read(books, LIKES, page)
    before = books.rows("SELECT * FROM tracks WHERE id IN (5, 6)"), books.rows("SELECT * FROM users")
    renamed = replace(page, tracks={i: a_track(i, title="another") for i in (5, 6)})
    receipt = read(books, LIKES, renamed, at=SECOND)
    assert (receipt.outcome, receipt.task.collected) == ("complete", 2)
    assert (books.rows("SELECT * FROM tracks WHERE id IN (5, 6)"), books.rows("SELECT * FROM users")) == before
    read(books, LIKES, replace(renamed, digest=b"other body"), at=THIRD)
    assert books.rows("SELECT DISTINCT title, last_seen_on FROM tracks WHERE id IN (5, 6)") == [("another", THIRD[:10])]
    assert books.rows("SELECT what, old, new FROM changes ORDER BY ids") == [
        ("retitled", "track 5", "another"),
        ("retitled", "track 6", "another"),
    ]
    read(books, LIKES, page, at=FOURTH)  # the same as long ago, and not as the time before
    assert books.rows("SELECT id, title FROM tracks WHERE id IN (5, 6)") == [(5, "track 5"), (6, "track 6")]


def test_the_hash_of_a_body_differs_from_file_to_file(books):
    read(books, LIKES, replace(tracks_page(5), digest=b"body"))
    ((first,),) = books.rows("SELECT body_hash FROM pages WHERE body_hash IS NOT NULL")
    books.db.conn.execute("UPDATE file_key SET key = zeroblob(16)")
    books.committer._key = None
    read(books, LIKES, replace(tracks_page(5), digest=b"body"), at=SECOND)
    assert books.rows("SELECT count(DISTINCT body_hash) FROM pages WHERE body_hash IS NOT NULL") == [(2,)]
    assert first is not None


def test_a_reading_of_the_head_ends_where_a_whole_page_is_known(books):
    read(books, LIKES, tracks_page(5, 6, 7, 8))
    new = tracks_page(30, 31, 5, next_cursor="/2")
    receipt = read(books, LIKES, new, tracks_page(6, 7, next_cursor="/3"), at=SECOND, head=True)
    assert receipt.outcome == "caught_up"
    assert likes(books) == [(30, -2), (31, -1), (5, 0), (6, 1), (7, 2), (8, 3)]
    assert said(books) == [("came", 30, None), ("came", 31, None)]
    assert books.rows("SELECT reading, outcome, collected FROM tasks WHERE kind = 'user_likes'") == [(0, "complete", 6)]
    assert books.rows("SELECT outcome, came FROM readings WHERE kind = 'user_likes'") == [
        ("complete", 0),
        ("caught_up", 2),
    ]
    read(books, LIKES, tracks_page(32, next_cursor="/2"), tracks_page(30, 31, next_cursor="/3"), at=THIRD, head=True)
    assert likes(books)[0] == (32, -3)


@pytest.mark.parametrize(("second", "skipped"), [((7, 6), 0), ((6, 40), 0), ((6, 7), 1), ((5, 1), 0)])
def test_a_head_goes_on_past_a_page_that_is_not_in_its_order_not_known_or_not_read(second, skipped, books):
    """Of track 1 it is known that they like it, and not where it stands."""
    read(books, LIKES, tracks_page(5, 6, 7, 8))
    page = replace(tracks_page(*second, next_cursor="/3"), skipped=skipped, received=len(second) + skipped)
    receipt = read(books, LIKES, page, at=SECOND, head=True)
    assert receipt.outcome is None


def test_a_playlist_whose_lists_are_gone_is_looked_up_by_itself_once(books):
    """People and tracks are looked up together before their lists are read again; playlists and stations are not."""
    kind, conn = ("playlist_tracks", 5), books.db.conn
    read(books, PLAYLISTS, playlists(5))
    for name in ("playlist_tracks", "playlist_reposters"):
        read(books, (name, 5), tracks_page(7) if name == kind[0] else users_page(11))
        ((task_id,),) = books.rows("SELECT id FROM tasks WHERE kind = ?", name)
        with books.db.atomic():
            number = readings.begin_again(conn, task_id, SECOND)
        books.committer.fail(Task(task_id, name, 5, reading=number), Gone(status=404), SECOND, {})
    assert books.rows("SELECT status FROM playlists") == [("ok",)]  # one list that is not there proves nothing
    assert books.rows("SELECT b.thing, i.thing_id FROM batches AS b JOIN batch_items AS i ON i.batch_id = b.id") == [
        ("playlist", 5)
    ]
    ((task_id, batch_id),) = books.rows("SELECT max(id), max(subject_id) FROM tasks WHERE kind = 'lookup'")
    books.committer.fail(Task(task_id, "lookup", batch_id), Gone(status=404), THIRD, {})
    assert books.rows("SELECT status, gone_at FROM playlists") == [("gone", THIRD)]
    assert books.rows("SELECT what, \"table\", ids FROM changes WHERE what = 'gone'") == [
        ("gone", "playlists", '{"id":5}')
    ]
    read(books, ("playlist_tracks", 5), tracks_page(7), at=FOURTH)  # whose list names something is there
    assert books.rows("SELECT status, gone_at FROM playlists") == [("ok", None)]


def test_a_person_whose_list_is_gone_is_not_looked_up_for_that(books):
    read(books, LIKES, tracks_page(5))
    before = books.rows("SELECT count(*) FROM batches")
    ((task_id,),) = books.rows("SELECT id FROM tasks WHERE kind = 'user_likes'")
    with books.db.atomic():
        number = readings.begin_again(books.db.conn, task_id, SECOND)
    books.committer.fail(Task(task_id, *LIKES, reading=number), Gone(status=404), SECOND, {})
    assert books.rows("SELECT count(*) FROM batches") == before


def test_what_is_called_gone_and_shown_in_a_list_again_is_looked_up_once(books):
    read(books, LIKES, tracks_page(5, 7, 8))
    read(books, ("track_related", 1), tracks_page(6))
    books.db.conn.execute("UPDATE tracks SET status = 'gone' WHERE id IN (6, 7)")
    read(books, ("user_likes", 11), tracks_page(5))
    for at in (SECOND, THIRD):  # 7 has stood there all the time
        read(books, LIKES, tracks_page(5, 6, 7, 8), at=at)
        read(books, ("user_likes", 11), tracks_page(6, 5), at=at)
        assert books.rows(
            "SELECT i.thing_id FROM batch_items AS i JOIN batches AS b ON b.id = i.batch_id AND b.thing = 'track'"
        ) == [(6,)]
    answer(books, "track", at=FOURTH, shown=(6,), tracks={6: a_track(6, seen_as=SeenAs.FULL)})
    assert books.rows("SELECT status, gone_at FROM tracks WHERE id = 6") == [("ok", None)]
    assert books.rows("SELECT what, old, new FROM changes WHERE what = 'returned'") == [("returned", "gone", "ok")]


def test_what_is_called_gone_is_looked_up_where_it_had_no_place_in_the_list_that_shows_it(books):
    read(books, LIKES, tracks_page(5))
    books.db.conn.execute("UPDATE tracks SET status = 'gone' WHERE id = 1")
    read(books, LIKES, tracks_page(5, 1), at=SECOND)
    assert books.rows(
        "SELECT thing_id FROM batch_items JOIN batches AS b ON b.id = batch_id WHERE thing = 'track'"
    ) == [(1,)]


def test_an_empty_answer_of_a_list_that_held_something_is_short_and_proves_nothing(books):
    read(books, PLAYLISTS, playlists(70, 71))
    for at in (SECOND, THIRD):  # not even twice
        read(books, PLAYLISTS, playlists(), at=at)
        assert books.rows("SELECT outcome, collected FROM tasks WHERE kind = 'user_playlist_likes'") == [("short", 2)]
    assert waits(books) == []


def test_an_empty_answer_is_believed_where_a_fresh_count_says_so_and_no_older_one(books):
    look_up(books, "user", 10, at=FIRST, users={10: a_user(10, seen_as=SeenAs.FULL, likes_given_count=0)})
    read(books, LIKES, tracks_page(5))
    assert read(books, LIKES, tracks_page(), at=SECOND).outcome == "short"
    assert (likes(books), waits(books)) == ([(5, 0)], [])
    counted(books, THIRD, likes_given_count=0)
    assert read(books, LIKES, tracks_page(), at=THIRD).outcome == "complete"
    assert (likes(books), waits(books)) == ([], [(5, 0)])


def test_an_empty_answer_where_anything_is_counted_is_short_and_what_it_lacked_was_merely_found(books):
    """An outage answers so both times, and one repost lies within what a list may lack of its count."""
    look_up(books, "user", 10, at=FIRST, users={10: a_user(10, seen_as=SeenAs.FULL, reposts_given_count=1)})
    for _ in range(2):  # however often a crawl reads
        assert read(books, REPOSTS, tracks_page()).outcome == "complete"
    for _ in range(2):
        counted(books, SECOND, reposts_given_count=1)
        assert read(books, REPOSTS, tracks_page(), at=SECOND).outcome == "short"
    counted(books, THIRD, reposts_given_count=1)
    read(books, REPOSTS, tracks_page(5), at=THIRD)
    assert said(books) == [("found", 5, None)]


def test_what_a_first_reading_lacked_that_was_empty_against_a_count_was_merely_found(books):
    read(books, LIKES, tracks_page())
    books.db.conn.execute("UPDATE readings SET claimed = 1 WHERE kind = 'user_likes'")
    read(books, LIKES, tracks_page(5), at=SECOND)
    assert said(books) == [("found", 5, None)]
    assert books.rows("SELECT came_after FROM spells WHERE track_id = 5") == [(None,)]


@pytest.mark.parametrize(("at", "proven"), [("2026-11-22T10:00:00Z", True), ("2026-11-22T10:00:01Z", False)])
def test_a_count_that_is_older_than_a_day_proves_nothing(at, proven, books):
    read(books, LIKES, tracks_page(5, 6, 7, 8))
    counted(books, SECOND, likes_given_count=2)
    read(books, LIKES, tracks_page(7, 5), at=at)
    assert (waits(books) != []) is proven


@pytest.mark.parametrize(("at", "proven"), [("2026-11-22T10:00:00Z", True), ("2026-11-22T10:00:01Z", False)])
def test_a_reading_that_took_longer_than_a_day_proves_nothing(at, proven, books):
    read(books, PLAYLISTS, playlists(5, 6, 7, 8))
    task = read(books, PLAYLISTS, replace(playlists(5), next_cursor="/on"), at=SECOND).task
    books.keep(task, replace(playlists(7), fetched_at=at))
    assert (waits(books) == [(6, 1)]) is proven


def test_what_a_head_has_added_behind_is_not_lacked_twice_by_the_whole_reading_after_it(books):
    read(books, PLAYLISTS, playlists(5, 6, 7))
    read(books, PLAYLISTS, playlists(5, 6), at=SECOND)  # 7 is missing, unproven
    page = replace(playlists(5, 9, 6), next_cursor="/on")
    read(
        books, PLAYLISTS, page, replace(playlists(5, 6), next_cursor="/off"), at=SECOND, head=True
    )  # 9 was made public again: it goes behind
    read(books, PLAYLISTS, playlists(5, 6), at=THIRD)
    assert waits(books) == []
    read(books, PLAYLISTS, playlists(5, 6), at=FOURTH)
    assert [item for item, _ in waits(books)] == [7, 9]


def test_what_we_played_last_is_shown_for_a_while_and_loses_nothing(books):
    for at, shown in ((FIRST, (5, 6)), (SECOND, (7, 5)), (THIRD, (7, 5))):
        read(books, ("recently_played", 10), tracks_page(*shown), at=at)
    assert books.rows("SELECT track_id FROM plays WHERE user_id = 10 ORDER BY 1") == [(5,), (6,), (7,)]
    assert (waits(books), [what for what, *_ in said(books) if what == "went"]) == ([], [])


def test_a_count_that_was_looked_up_before_the_refresh_began_is_not_its_own(books):
    read(books, LIKES, tracks_page(5, 6, 7, 8))
    look_up(books, "user", 10, at=FIRST, users={10: a_user(10, seen_as=SeenAs.FULL, likes_given_count=2)})
    books.db.conn.execute(
        "INSERT INTO refreshes (options, state, begun_at, first_version, first_page_id)"
        " SELECT '{}', 'reading', ?, 0, max(id) FROM pages",
        (SECOND,),
    )  # which asks for two, and is shown the other
    look_up(books, "user", 10, 11, at=SECOND, shown=(11,), users={11: a_user(11, seen_as=SeenAs.FULL)})
    read(books, LIKES, tracks_page(7, 5), at=SECOND)
    assert waits(books) == []


def test_a_list_that_ends_with_a_full_page_may_be_cut(books):
    """It has always lacked one of its count, and lacks one now: which one, a full page does not tell."""
    counted(books, FIRST, likes_given_count=5)
    read(books, LIKES, tracks_page(5, 6, 7, 8))
    books.db.conn.execute("UPDATE readings SET claimed = 5 WHERE kind = 'user_likes'")
    counted(books, SECOND, likes_given_count=4)
    read(books, LIKES, tracks_page(5, 6, 7, request="/likes?limit=3"), at=SECOND)
    assert waits(books) == []
    counted(books, THIRD, likes_given_count=4)
    read(books, LIKES, tracks_page(5, 6, 7, request="/likes?limit=4"), at=THIRD)
    assert waits(books) == [(8, 3)]


def test_a_list_that_goes_on_to_an_empty_page_may_be_cut(books):
    """Likewise: it may be an outage that leaves the last page empty (soundcloud/api issue 69)."""
    counted(books, FIRST, likes_given_count=6)
    read(books, LIKES, tracks_page(5, 6, 7, 8))
    books.db.conn.execute("UPDATE readings SET claimed = 6 WHERE kind = 'user_likes'")  # two less than are counted
    counted(books, SECOND, likes_given_count=5)
    read(books, LIKES, tracks_page(5, 6, 7, next_cursor="/likes?cursor=9"), tracks_page(), at=SECOND)
    assert waits(books) == []
    counted(books, THIRD, likes_given_count=5)
    read(books, LIKES, tracks_page(5, 6, 7), at=THIRD)
    assert waits(books) == [(8, 3)]
