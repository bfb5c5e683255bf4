"""What curators ask, each answer computed by hand; functions that SQLite lacks."""

from __future__ import annotations

import contextlib
import sqlite3
import statistics

import numpy as np
import pytest

from harvest.errors import QueryError
from harvest.explore.execute import ask
from harvest.explore.named import named_queries
from harvest.explore.parameters import bind_named
from harvest.store.database import open_to_read
from tests.analysing import LikesFile

QUERIES = named_queries()
LIKES = {1: [10, 11, 12], 2: [10, 11, 13], 3: [10, 12, 13], 4: [14, 11], 5: [14, 13], 6: [14, 10]}  # the newest first
COUNTS = {10: 400, 11: 30, 12: 5, 13: None, 14: 100}
MINUTES = {10: 30, 11: 15, 12: 5, 13: 15, 14: 20}


@pytest.fixture
def file(tmp_path):
    with LikesFile(tmp_path / "t.db") as made:
        for user, tracks in LIKES.items():
            made.likes(user, tracks)
        for track, count in COUNTS.items():
            made.counted(track, count)
        change(
            made, *(f"UPDATE tracks SET duration_ms = {n} * 60000 WHERE id = {track}" for track, n in MINUTES.items())
        )
        yield made


def change(file, *statements):
    with contextlib.closing(sqlite3.connect(file.path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def answer(file, name, *given, columns):
    with contextlib.closing(open_to_read(file.path)) as connection:
        found = ask(connection, QUERIES[name].sql, bind_named(connection, QUERIES[name], given))
        rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    return [tuple(row[column] for column in columns.split()) for row in rows]


def told(file, sql, *values):
    with contextlib.closing(open_to_read(file.path)) as connection:
        return list(ask(connection, sql, values).rows)


def test_hidden_gems(file):
    """12 likes here of tracks with a count, 535 there. 12: 2/12 over 5/535, 11: 3/12 over 30/535."""
    columns = "track_id people likes_count share_here times"
    expected = [(12, 2, 5, 0.4, 17.83), (11, 3, 30, 0.1, 4.46)]
    assert answer(file, "hidden-gems", "at_least=2", "at_most=50", columns=columns) == expected
    file.frame(12)  # then 10 likes and 530: 3/10 over 30/530
    assert answer(file, "hidden-gems", "at_most=50", columns=columns) == [(11, 3, 30, 0.1, 5.3)]


def test_a_count_below_the_people_here_is_taken_for_them(file):
    file.counted(12, 1)
    found = answer(file, "hidden-gems", "at_least=2", "at_most=2", columns="track_id likes_count share_here")
    assert found == [(12, 2, 1.0)]


def test_what_is_near_a_track_and_known_to_few(file):
    """Two of those who like 10 like 11, two 12 and two 13, which has no count. 11: 2/5 of their likes over 30/135."""
    columns = "track_id people likes_count lift"
    expected = [(11, 2, 30, 1.8), (12, 2, 5, 10.8)]
    assert answer(file, "co-likes", "10", "at_most=99", columns=columns) == expected
    assert answer(file, "co-likes", "10", "at_most=30", "order=lift", columns=columns) == expected[::-1]
    assert answer(file, "co-likes", "10", "at_most=29", columns=columns) == expected[1:]
    assert answer(file, "co-likes", "10", columns=columns) == [*expected, (13, 2, None, None)]


def test_rising(file):
    """Of 6 newest likes 3 are of 14, of 9 older ones none: p = 3/15, z = 0.5 / sqrt(0.2 * 0.8 * (1/6 + 1/9))."""
    columns = "track_id new_likes older_likes times z"
    expected = [(14, 3, 0, 10.0, 2.37), (10, 3, 1, 3.33, 1.67)]
    assert answer(file, "rising", "newest=1", "at_least=1", columns=columns) == expected
    assert answer(file, "rising", "newest=2", "at_least=1", columns="track_id new_likes older_likes") == [
        (10, 3, 0), (11, 2, 0),
    ]  # fmt: skip


def test_near_several_tracks_at_once(file):
    """11 and 13 have three people each; with 10, which has four, each has two in common: 2 / sqrt(12)."""
    columns = "track_id score near of_given people_in_common people"
    expected = [(10, 0.57735, 2, 2, 4, 4), (12, 0.408248, 2, 2, 2, 2), (14, 0.333333, 2, 2, 2, 3)]
    assert answer(file, "near-several", "11", "soundcloud:tracks:13", "at_least=1", columns=columns) == expected
    assert answer(file, "near-several", "tracks=11,13", columns="track_id score near") == [(10, 0.57735, 2)]
    file.frame(10)
    assert answer(file, "near-several", "11", "13", columns="track_id") == []


def test_bridges(file):
    """10 alone is liked by 1, 2, 3, 14 alone by 4, 5. 11: two of three, one of two."""
    columns = "track_id bridge people_of_one people_of_other one other"
    names = ("track 10", "track 14")
    expected = [(11, 0.5, 2, 1, *names), (13, 0.5, 2, 1, *names)]
    assert answer(file, "bridges", "10", "14", "at_least=1", columns=columns) == expected
    assert answer(file, "bridges", "10", "14", columns="track_id") == []


def test_who_likes_a_track_among_their_newest(file):
    columns = "place user_id likes_read share their_list"
    first = [(0, 1, 3, 0.0, "complete"), (0, 2, 3, 0.0, "complete"), (0, 3, 3, 0.0, "complete")]
    assert answer(file, "newest-fans", "10", "newest=1", columns=columns) == first
    assert answer(file, "newest-fans", "10", "newest=2", columns=columns) == [*first, (1, 6, 2, 0.5, "complete")]
    file.likes(1, [99, 98], newer=True)  # ranks below 0, so that 10 is their third
    assert answer(file, "newest-fans", "10", "newest=2", columns="user_id") == [(2,), (3,), (6,)]


def test_duplicates(file):
    """13 and 14 share a code, 10 and 12 title, artist and length; 11 is longer."""
    for track in (10, 11, 12):
        file.title(track, "Same Song" if track != 12 else "same song ", artist=90)
    change(
        file,
        "UPDATE tracks SET isrc = 'DEA123' WHERE id IN (13, 14)",
        "UPDATE tracks SET duration_ms = 200000 WHERE id = 10",
        "UPDATE tracks SET duration_ms = 201500 WHERE id = 12",
    )
    columns = "track_id other_id why seconds_apart people both"
    expected = [(13, 14, "isrc", 300.0, 5, 1), (10, 12, "title", 1.5, 4, 2)]
    assert answer(file, "duplicates", columns=columns) == expected
    assert answer(file, "duplicates", "seconds=1", columns="track_id other_id") == [(13, 14)]


def test_a_set_of_so_many_minutes(file):
    """By people and id: 10, 11, 13, 14, 12; 14 would make it 80 minutes."""
    columns = "track_id minutes minutes_so_far people"
    expected = [(10, 30.0, 30.0, 4), (11, 15.0, 45.0, 3), (13, 15.0, 60.0, 3)]
    assert answer(file, "set-of", columns=columns) == expected
    change(
        file,
        "UPDATE tracks SET bpm = 124, key_signature = 'Am' WHERE id IN (11, 13)",
        "UPDATE tracks SET bpm = 140 WHERE id = 14",
        "UPDATE tracks SET access = 'blocked' WHERE id = 11",
    )
    assert answer(file, "set-of", "60", "120", "130", "key=AM", columns="track_id") == [(13,)]
    assert answer(file, "set-of", "slowest=130", columns="track_id") == [(14,)]


def test_a_set_has_one_track_of_each_artist(file):
    for track in (10, 11, 13):
        file.title(track, f"by the same {track}", artist=90)
    assert answer(file, "set-of", columns="track_id") == [(10,), (14,), (12,)]


VALUES = [3.0, -1.5, 8.0, 8.0, 2.25]


def test_median_percentile_and_deviation_are_those_of_other_libraries(file):
    rows = f"(SELECT column1 AS x FROM (VALUES {', '.join(f'({value})' for value in VALUES)}, (NULL), ('text')))"
    ((median, low, high, deviation),) = told(
        file, f"SELECT median(x), percentile(x, 10), percentile(x, 97.5), stddev(x) FROM {rows}"
    )
    assert (median, low) == pytest.approx((statistics.median(VALUES), np.percentile(VALUES, 10)))
    assert (high, deviation) == pytest.approx((np.percentile(VALUES, 97.5), statistics.stdev(VALUES)))
    assert told(file, "SELECT median(1), stddev(1), median(NULL), percentile(NULL, 5)") == [(1.0, None, None, None)]


# Where another test has started datasette, SQLite also reports what a function raises.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_regular_expressions(file):
    sql = "SELECT 'A x B (Y Remix)' REGEXP '(?i)remix\\)$', 'a' REGEXP 'b', NULL REGEXP 'b', 5 REGEXP '5'"
    assert told(file, sql) == [(1, 0, None, 1)]
    with pytest.raises(QueryError, match="no regular expression"):
        told(file, "SELECT 'a' REGEXP '('")
