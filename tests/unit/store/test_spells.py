"""When a like stood, at least and at most, as far as readings tell: the view `spells`, and the question `as-of`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harvest.explore.named import named_queries
from harvest.models import Task
from harvest.store import readings

from .conftest import tracks_page, users_page
from .test_history import FIRST, FOURTH, LIKES, SECOND, THIRD, counted, read, why

AS_OF = named_queries()["as-of"].sql
BEFORE, LATER = "2026-11-19", "2026-11-25"


def spells(books, track_id):
    """The stretches of a track: came after, seen from, seen until, gone by, why."""
    return books.rows(
        "SELECT came_after, seen_from, seen_until, gone_by, reason FROM spells"
        " WHERE user_id = 10 AND track_id = ? ORDER BY seen_from",
        track_id,
    )


def asked(books, **given):
    """The rows of the question; what is not given is as usual."""
    usual = dict.fromkeys(("day", "user", "track", "which", "limit"))
    return [tuple(row) for row in books.db.conn.execute(AS_OF, {**usual, **given})]


def as_of(books, day, **given):
    """What person 10 liked on a day, or else who is asked for, and whether that is certain."""
    return {row[2]: row[5] for row in asked(books, **{"user": 10, **given, "day": day})}


def begin_again(books, at):
    conn, ((task_id,),) = books.db.conn, books.rows("SELECT id FROM tasks WHERE kind = 'user_likes'")
    with books.db.atomic():
        number = readings.begin_again(conn, task_id, at)
    return Task(task_id, *LIKES, reading=number)


def test_what_was_read_once_stood_then_and_nobody_knows_more(books):
    read(books, LIKES, tracks_page(5))
    assert spells(books, 5) == [(None, FIRST, FIRST, None, None)]
    assert as_of(books, "2026-11-20", track=5) == {5: 1}
    assert as_of(books, BEFORE, track=5) == as_of(books, LATER, track=5) == {5: 0}


def test_what_comes_and_stays_and_goes_is_bounded_on_both_sides(books):
    read(books, LIKES, tracks_page(5, 6))
    read(books, LIKES, tracks_page(7, 5, 6), at=SECOND)
    read(books, LIKES, tracks_page(7, 5, 6), at=THIRD)
    counted(books, FOURTH, likes_given_count=2)
    read(books, LIKES, tracks_page(5, 6), at=FOURTH)
    why(books, "track", FOURTH, shown=(7,))
    assert spells(books, 7) == [(FIRST, SECOND, THIRD, FOURTH, "withdrawn")]
    assert spells(books, 5) == [(None, FIRST, FOURTH, None, None)]
    days = {day: as_of(books, day, track=7).get(7) for day in (BEFORE, *(f"2026-11-{n}" for n in range(20, 26)))}
    assert days == {
        BEFORE: None,
        "2026-11-20": 0,  # it came after that reading had begun: perhaps in its evening
        "2026-11-21": 1,
        "2026-11-22": 1,
        "2026-11-23": 0,
        "2026-11-24": None,
        LATER: None,
    }


def test_a_moment_is_asked_for_like_a_day(books):
    read(books, LIKES, tracks_page(5))
    read(books, LIKES, tracks_page(6, 5), at=SECOND)
    assert as_of(books, "2026-11-21T09:59:59Z") == {1: 0, 5: 1, 6: 0}
    assert as_of(books, "2026-11-21T10") == {1: 0, 5: 1, 6: 1}
    assert as_of(books, "2026-11-20T09:00:00Z") == {1: 0, 5: 0}
    assert as_of(books, "2026-11-21T10", which="certain") == {5: 1, 6: 1}
    assert as_of(books, "soon") == {}


def test_a_reading_that_takes_long_says_nothing_of_its_last_hours(books):
    """A like may go while the list is read, behind the page that shows it; and come, before the page that lacks it."""
    read(books, LIKES, tracks_page(5, 6))
    task = begin_again(books, SECOND)
    task = books.keep(task, replace(tracks_page(5, next_cursor="/2"), fetched_at=SECOND)).task
    books.keep(task, replace(tracks_page(6), fetched_at=THIRD))
    assert spells(books, 5) == spells(books, 6) == [(None, FIRST, SECOND, None, None)]
    read(books, LIKES, tracks_page(7, 5, 6), at=FOURTH)
    assert spells(books, 7) == [(SECOND, FOURTH, FOURTH, None, None)]
    task = begin_again(books, FOURTH)
    counted(books, "2026-11-24T10:00:00Z", likes_given_count=2)
    task = replace(task, claimed=2)
    task = books.keep(task, replace(tracks_page(7, next_cursor="/4"), fetched_at="2026-11-25T10:00:00Z")).task
    books.keep(task, replace(tracks_page(6), fetched_at="2026-11-26T10:00:00Z"))
    why(books, "track", "2026-11-26T10:00:00Z", shown=(5,))
    assert spells(books, 5) == [(None, FIRST, FOURTH, "2026-11-26T10:00:00Z", "withdrawn")]


def test_what_a_whole_reading_lacks_unproven_was_not_seen_by_it(books):
    read(books, LIKES, tracks_page(5, 6, 7))
    read(books, LIKES, tracks_page(5, 6), at=SECOND)  # 7 may have been cut off
    assert spells(books, 7) == [(None, FIRST, FIRST, None, None)]
    assert spells(books, 6) == [(None, FIRST, SECOND, None, None)]
    read(books, LIKES, tracks_page(5, 6), at=THIRD)
    why(books, "track", THIRD, shown=(7,))
    assert spells(books, 7) == [(None, FIRST, FIRST, THIRD, "withdrawn")]


@pytest.mark.parametrize("how", ["caught_up", "short"])
def test_a_reading_that_is_not_whole_shows_when_something_came_and_nothing_of_the_rest(how, books):
    read(books, LIKES, tracks_page(5, 6))
    pages = [tracks_page(7, 5, 6, next_cursor="/2"), tracks_page(5, 6, next_cursor="/3")]
    if how == "short":
        counted(books, SECOND, likes_given_count=40)
        pages = [tracks_page(7, 5)]
    assert read(books, LIKES, *pages, at=SECOND, head=how == "caught_up").outcome == how
    assert spells(books, 7) == [(FIRST, SECOND, SECOND, None, None)]
    assert spells(books, 5) == spells(books, 6) == [(None, FIRST, FIRST, None, None)]


def test_what_a_reading_that_was_not_whole_lacked_may_have_stood_before(books):
    assert read(books, LIKES, tracks_page(5, request="/1", next_cursor="/1")).outcome == "loop"
    assert read(books, LIKES, tracks_page(7, 5), at=SECOND).outcome == "complete"
    read(books, LIKES, tracks_page(8, 7, 5), at=THIRD)
    assert spells(books, 7) == [(None, SECOND, THIRD, None, None)]
    assert spells(books, 8) == [(SECOND, THIRD, THIRD, None, None)]
    assert as_of(books, "2026-11-20") == {1: 1, 5: 1, 7: 0}


def test_a_reading_that_was_not_whole_shows_nothing_of_what_is_past(books):
    read(books, LIKES, tracks_page(5, 6))
    counted(books, SECOND, likes_given_count=40)
    assert read(books, LIKES, tracks_page(7, 5, 8), at=SECOND).outcome == "short"
    counted(books, THIRD, likes_given_count=3)
    read(books, LIKES, tracks_page(7, 5, 8), at=THIRD)
    why(books, "track", THIRD, shown=(6,))
    assert spells(books, 6) == [(None, FIRST, FIRST, THIRD, "withdrawn")]


def test_what_came_back_has_two_stretches_and_stands_once_on_a_day(books):
    read(books, LIKES, tracks_page(5, 6))
    counted(books, SECOND, likes_given_count=1)
    read(books, LIKES, tracks_page(6), at=SECOND)
    why(books, "track", SECOND, shown=(5,))
    read(books, ("track_likers", 5), users_page(10), at=THIRD)
    assert spells(books, 5) == [(None, FIRST, FIRST, SECOND, "withdrawn"), (SECOND, THIRD, THIRD, None, None)]
    assert as_of(books, "2026-11-20", track=5) == {5: 1}
    assert as_of(books, "2026-11-21", track=5) == {5: 0}  # it went before that reading, or came back after
    assert len(asked(books, day="2026-11-21", user=10, track=5)) == 1


def test_another_list_that_shows_it_later_counts(books):
    read(books, LIKES, tracks_page(1))
    read(books, ("track_likers", 1), users_page(10, 11), at=SECOND)
    assert spells(books, 1) == [(None, FIRST, SECOND, None, None)]
    assert as_of(books, "2026-11-21", user=None, track=1) == {1: 1}


def test_the_graph_of_a_day_is_that_of_all(books):
    read(books, LIKES, tracks_page(5, 6))
    rows = asked(books, day="2026-11-20", limit=-1)
    assert [(row[0], row[2], row[4], row[5]) for row in rows] == [
        (10, 1, "like", 1),
        (10, 5, "like", 1),
        (10, 6, "like", 1),
        (11, 1, "like", 1),
    ]


@pytest.mark.parametrize("where", ["user_id = 1", "track_id = 1"])
def test_a_stretch_costs_seeks_alone(where, db):
    told = [row[3] for row in db.conn.execute(f"EXPLAIN QUERY PLAN SELECT * FROM spells WHERE {where}")]
    assert [step for step in told if step.startswith("SCAN") and step != "SCAN spells"] == []
    assert [step for step in told if "AUTOMATIC" in step or "TEMP B-TREE" in step] == []
