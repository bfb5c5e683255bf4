"""When a count that moves is a change: beyond noise, in one move or in many."""

from __future__ import annotations

import pytest


def told(books):
    return books.rows("SELECT old, new FROM changes WHERE what = 'moved' ORDER BY version")


def waits(books):
    return books.rows('SELECT "table", id, name, count FROM untold_counts ORDER BY 1, 2, 3')


def move(books, table, name, *counts):
    for count in counts:
        books.db.conn.execute(f"UPDATE {table} SET {name} = ? WHERE id = 10", (count,))


@pytest.fixture
def books(books):
    books.db.conn.execute("UPDATE users SET followers_count = 100, likes_given_count = 100 WHERE id = 10")
    books.db.conn.execute("DELETE FROM changes")
    books.db.conn.execute("DELETE FROM untold_counts")
    books.db.conn.execute(
        "INSERT INTO tracks (id, playback_count, likes_count, counts_page_id, seen_as, first_seen_at, last_seen_on)"
        " VALUES (10, 100, 10, 1, 'full', '', '')"
    )
    return books


@pytest.mark.parametrize(("table", "name"), [("users", "followers_count"), ("tracks", "playback_count")])
def test_what_creeps_is_told_when_it_comes_to_more_than_noise(books, table, name):
    move(books, table, name, 104, 108, 110)
    assert (told(books), waits(books)) == ([], [(table, 10, name, 100)])
    move(books, table, name, 111, 115)
    assert told(books) == [(f'{{"{name}":100}}', f'{{"{name}":111}}')]
    assert waits(books) == [(table, 10, name, 111)]
    move(books, table, name, 99, 95)
    assert told(books)[1:] == [(f'{{"{name}":111}}', f'{{"{name}":99}}')]
    assert waits(books) == [(table, 10, name, 99)]


def test_what_jumps_is_told_at_once_and_does_not_wait(books):
    move(books, "users", "followers_count", 200)
    assert told(books) == [('{"followers_count":100}', '{"followers_count":200}')]
    assert waits(books) == []


def test_what_goes_there_and_back_is_never_told(books):
    move(books, "users", "followers_count", *[101, 100, 99, 100] * 20)
    assert told(books) == []


def test_each_count_creeps_by_itself(books):
    books.db.conn.execute("UPDATE users SET followers_count = 106, likes_given_count = 106 WHERE id = 10")
    books.db.conn.execute("UPDATE users SET followers_count = 112, likes_given_count = 107 WHERE id = 10")
    assert told(books) == [('{"followers_count":100}', '{"followers_count":112}')]
    assert waits(books) == [("users", 10, "likes_given_count", 100)]


@pytest.mark.parametrize(
    ("counts", "is_told"), [((12,), False), ((11, 12), False), ((13,), True), ((11, 12, 13), True)]
)
def test_up_to_two_of_a_few_are_noise(books, counts, is_told):
    move(books, "tracks", "likes_count", *counts)
    assert (told(books) == [('{"likes_count":10}', '{"likes_count":13}')]) is is_told


def test_becoming_known_is_no_move(books):
    move(books, "users", "followings_count", 50)
    assert (told(books), waits(books)) == ([], [])
