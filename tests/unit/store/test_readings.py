"""A list read again: what it says counts when it has ended, and only as far as it was answered."""

from __future__ import annotations

import pytest

from harvest.errors import Gone, ServerTrouble
from harvest.models import Limits, Outcome, Task
from harvest.store import harvests, readings

from .conftest import NOW, a_track, tracks_page, users_page

LATER = "2026-11-27T10:00:00Z"


@pytest.fixture
def read(open_books):
    """A harvest that has read the likes of person 10: tracks 5, 6 and 7."""
    books = open_books()
    books.resolve(1)
    books.follow(10)
    books.keep(books.claim("user_likes", 10), tracks_page(5, 6, 7))
    assert not books.next_round()
    return books


def again(books, outcome="complete"):
    """Have every list with this outcome read anew, and give person 10's likes."""
    with books.db.atomic():
        harvests.put_back(books.db.conn, LATER, outcomes=[outcome])
        books.db.conn.execute("UPDATE harvests SET state = 'running'")
    return books.claim("user_likes", 10)


def likes(books, user=10):
    return books.rows(
        "SELECT track_id, user_list_rank FROM user_engagements WHERE user_id = ? AND track_id > 1 ORDER BY 2", user
    )


def of_list(books, kind="user_likes"):
    tasks = books.rows("SELECT reading, outcome, collected, claimed, pages_read FROM tasks WHERE kind = ?", kind)
    told = books.rows("SELECT number, state, outcome, collected FROM readings WHERE kind = ? ORDER BY number", kind)
    return tasks, told


def test_a_whole_reading_gives_the_list_its_order_and_nobody_is_called_gone(read):
    task = again(read)
    assert (task.reading, task.collected, task.page_number, task.cursor) == (1, 0, 0, None)
    on = read.keep(task, tracks_page(9, 7, next_cursor="/2", request="/1")).task
    assert likes(read) == [(5, 0), (6, 1), (7, 2)]  # as it was, until the reading has ended
    assert of_list(read)[0] == [(0, "complete", 3, 1, 1)]
    receipt = read.keep(on, tracks_page(7, 5, request="/2"))
    assert (receipt.outcome, receipt.task.collected) == ("complete", 3)
    assert likes(read) == [(9, 0), (7, 1), (5, 2), (6, 3)]
    assert of_list(read) == (
        [(1, "complete", 4, 1, 2)],
        [(0, "ended", "complete", 3), (1, "ended", "complete", 3)],
    )
    assert read.rows("SELECT count(*) FROM reading_items") == [(0,)]


def test_the_same_again_is_whole_however_small_its_pages(read):
    """A second reading of a healthy list once ended as a loop, since all it brought was known."""
    on = again(read)
    for number, track in enumerate((5, 6, 7)):
        on = read.keep(on, tracks_page(track, next_cursor=f"/{number}" if number < 2 else None)).task
    assert of_list(read)[0] == [(1, "complete", 3, 1, 3)]
    assert likes(read) == [(5, 0), (6, 1), (7, 2)]


def test_a_reading_that_is_not_whole_adds_and_moves_nothing(read):
    on = read.keep(again(read), tracks_page(9, 7, next_cursor="/2", request="/1")).task
    read.keep(on, tracks_page(8, next_cursor="/1", request="/2"))  # goes round
    assert likes(read) == [(9, -1), (5, 0), (6, 1), (7, 2), (8, 3)]
    assert of_list(read)[0] == [(1, "loop", 5, 1, 2)]


def test_a_reading_without_an_answer_leaves_the_list_as_it_was_and_can_go_on(read):
    on = read.keep(again(read), tracks_page(9, 7, next_cursor="/2", request="/1")).task
    for _ in range(2):
        read.committer.fail(on, ServerTrouble(status=503), LATER, {})
        for other in ("track_likers", "track_reposters"):
            if not read.rows("SELECT 1 FROM tasks WHERE kind = ? AND reading = 1", other):
                read.keep(read.claim(other), users_page(*((10,) if other == "track_likers" else ())))
        read.next_round()
        assert likes(read) == [(5, 0), (6, 1), (7, 2)]
    assert of_list(read)[0] == [(0, "complete", 3, 1, 1)]
    with read.db.atomic():
        assert harvests.put_back(read.db.conn, LATER) == 1
        read.db.conn.execute("UPDATE harvests SET state = 'running'")
    task = read.claim("user_likes", 10)
    assert (task.reading, task.collected, task.cursor) == (1, 2, "/2")
    read.keep(task, tracks_page(7, 5, 6))
    assert likes(read) == [(9, 0), (7, 1), (5, 2), (6, 3)]


def test_a_reading_that_is_put_back_leaves_the_word_to_the_answer_before(read):
    on = again(read)
    read.keep(on, tracks_page(5, 6, 7))
    assert of_list(read)[0] == [(1, "complete", 3, 1, 1)]
    with read.db.atomic():
        readings.reopen(read.db.conn, [(on.id, 1)])
    assert of_list(read)[0] == [(0, "complete", 3, 1, 1)]
    read.committer.fail(on, Gone(status=404), LATER, {})
    assert of_list(read) == (
        [(0, "complete", 3, 1, 1)],
        [(0, "ended", "complete", 3), (1, "ended", "gone", 3)],
    )


def test_the_next_reading_takes_over_what_an_unanswered_one_has_seen(read):
    on = read.keep(again(read), tracks_page(9, next_cursor="/2", request="/1")).task
    read.committer.fail(on, ServerTrouble(status=503), LATER, {})
    with read.db.atomic():
        readings.begin_again(read.db.conn, on.id, LATER)
    assert likes(read) == [(5, 0), (6, 1), (7, 2), (9, 3)]
    assert read.rows("SELECT max(number) FROM readings WHERE task_id = ?", on.id) == [(2,)]
    assert of_list(read)[0] == [(0, "complete", 4, 1, 1)]


def test_a_cut_list_whose_cap_is_raised_goes_on_or_is_read_anew(open_books):
    books = open_books(limits=Limits(max_user_likes=2))
    books.resolve(1)
    books.follow(10)
    books.keep(books.claim("user_likes", 10), tracks_page(5, 6, 7))
    books.next_round()
    books.keep(again(books, "capped"), tracks_page(6, 5, 7))
    assert likes(books) == [(5, 0), (6, 1)]
    raised = open_books(limits=Limits(max_user_likes=3))
    task = raised.claim("user_likes", 10)
    assert (task.reading, task.collected, task.cap) == (2, 0, 3)
    raised.keep(task, tracks_page(6, 5, 7))
    assert likes(raised) == [(6, 0), (5, 1), (7, 2)]


def test_a_list_that_is_being_read_anew_is_not_begun_once_more(open_books):
    books = open_books(limits=Limits(max_user_likes=2))
    books.resolve(1)
    books.follow(10)
    books.keep(books.claim("user_likes", 10), tracks_page(5, 6, 7))
    books.next_round()
    again(books, "capped")
    with books.db.atomic():
        assert harvests.put_back(books.db.conn, LATER, outcomes=["capped"]) == 0
    raised = open_books(limits=Limits(max_user_likes=3))
    assert raised.rows("SELECT number, state FROM readings WHERE kind = 'user_likes'") == [(0, "ended"), (1, "todo")]
    raised.keep(raised.claim("user_likes", 10), tracks_page(6, 5, 7))
    assert likes(raised) == [(6, 0), (5, 1), (7, 2)]


def test_a_cut_list_with_an_unanswered_reading_behind_it_is_read_anew_under_a_raised_cap(open_books):
    books = open_books(limits=Limits(max_user_likes=2))
    books.resolve(1)
    books.follow(10)
    books.keep(books.claim("user_likes", 10), tracks_page(5, 6, 7))
    books.next_round()
    books.committer.fail(again(books, "capped"), Gone(status=404), LATER, {})
    raised = open_books(limits=Limits(max_user_likes=3))
    task = raised.claim("user_likes", 10)
    assert (task.reading, task.collected) == (2, 0)
    open_books(limits=Limits(max_user_likes=4))
    assert raised.rows("SELECT number FROM readings WHERE task_id = ? AND state <> 'ended'", task.id) == [(2,)]


def test_a_cut_list_that_goes_round_is_a_loop_and_no_raised_cap_asks_it_again(open_books):
    """Its next page has been asked already; asking it once more broke the file's own rule, and the crawl with it."""
    books = open_books(limits=Limits(max_user_likes=2))
    books.resolve(1)
    books.follow(10)
    books.keep(books.claim("user_likes", 10), tracks_page(5, 6, next_cursor="/1", request="/1"))
    assert not books.next_round()
    assert of_list(books)[0] == [(0, "loop", 2, 1, 1)]
    assert open_books(limits=Limits(max_user_likes=3)).frontier.is_empty()


def settled(books, kind, subject, first, second):
    """Read a list of any kind twice, outside any harvest."""
    conn = books.db.conn
    with books.db.atomic():
        task_id = conn.execute("INSERT INTO tasks (kind, subject_id) VALUES (?, ?)", (kind, subject)).lastrowid
        conn.execute("INSERT INTO readings (task_id, number, kind) VALUES (?, 0, ?)", (task_id, kind))

    books.keep(Task(task_id, kind, subject), first)
    with books.db.atomic():
        number = readings.begin_again(conn, task_id, LATER)
    books.keep(Task(task_id, kind, subject, reading=number), second)


def test_a_playlist_is_replaced_as_a_whole_with_a_track_twice(read):
    read.db.conn.execute(
        "INSERT INTO playlists (id, first_page_id, first_seen_at, last_seen_on) VALUES (70, 1, ?, ?)", (NOW, NOW)
    )
    settled(read, "playlist_tracks", 70, tracks_page(5, 6, 5, 7), tracks_page(6, 5, 5, 8, 7))
    assert read.rows("SELECT position, track_id FROM playlist_tracks ORDER BY 1") == [
        (0, 6),
        (1, 5),
        (2, 5),
        (3, 8),
        (4, 7),
    ]
    assert read.rows("SELECT collected FROM tasks WHERE kind = 'playlist_tracks'") == [(5,)]
    assert read.rows('SELECT what, "table", ids, old, new FROM changes ORDER BY version') == [
        ("came", "playlist_tracks", '{"playlist_id":70,"position":3,"track_id":8}', None, None),
        ("edited", "playlists", '{"id":70}', "[5,6,5,7]", "[6,5,5,8,7]"),
    ]


def test_edges_that_live_in_the_item_get_their_new_ranks_too(read):
    def mine(*ids):
        page = tracks_page(*ids)
        page.tracks.update({i: a_track(i, uploader_id=10) for i in ids})
        return page

    settled(read, "user_tracks", 10, mine(20, 21, 22), mine(23, 22, 20))
    assert read.rows("SELECT id, uploader_list_rank FROM tracks WHERE uploader_id = 10 ORDER BY 2") == [
        (23, 0),
        (22, 1),
        (20, 2),
        (21, 3),
    ]


def test_every_outcome_has_its_meaning_in_the_file(db):
    assert {row[0] for row in db.conn.execute("SELECT outcome FROM outcomes")} == set(Outcome)
    assert [row[0] for row in db.conn.execute("SELECT outcome FROM outcomes WHERE retryable")] == ["failed"]


def test_a_list_that_is_being_read_anew_is_not_put_back_once_more(read):
    with read.db.atomic():
        assert harvests.put_back(read.db.conn, LATER, outcomes=["complete"]) == 3
        assert harvests.put_back(read.db.conn, LATER, outcomes=["complete"]) == 0
    assert read.rows(
        "SELECT DISTINCT max(number) FROM readings WHERE kind NOT IN ('resolve', 'lookup') GROUP BY task_id"
    ) == [(1,)]
