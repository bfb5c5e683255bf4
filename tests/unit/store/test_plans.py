"""Hot queries use the index that was made for them: one seek per row wherever a set meets the ledger."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from harvest.lists import KINDS
from harvest.models import Limits, Task
from harvest.store import doubts, edges, frontier, harvests, rounds, samples, standing, sweeps

from .conftest import NOW


def plan(conn, sql, parameters=()):
    return " | ".join(row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN {sql}", parameters))


def statements(conn, call):
    """The statements that a call runs."""
    seen = []
    conn.set_trace_callback(seen.append)
    try:
        call()
    finally:
        conn.set_trace_callback(None)
    return seen


def test_the_frontier_is_read_from_its_partial_index_in_order(db):
    told = plan(db.conn, frontier.OPEN_READINGS, ("todo", 64))
    assert "SEARCH r USING COVERING INDEX readings_open (state=?)" in told
    assert "TEMP B-TREE" not in told
    assert "SEARCH v USING INDEX visits_by_thing (thing_id=?)" in told
    assert "SCAN" not in told


def test_what_may_be_tried_again_is_found_by_its_own_index_alone(db):
    told = plan(db.conn, harvests.FAILED_ONCE)
    assert "SCAN r USING INDEX readings_failed_once" in told  # all of it: the index holds nothing else
    assert told.count("SCAN") == 1
    assert "TEMP B-TREE" not in told


def test_what_was_empty_against_what_is_known_is_found_by_its_own_index_alone(db):
    told = plan(db.conn, harvests.DOUBTED_ONCE)
    assert "SEARCH r USING INDEX readings_doubted (doubted=?)" in told
    assert "SCAN" not in told


def test_how_lists_came_back_is_counted_over_the_pages_of_the_run_alone(db):
    told = plan(db.conn, doubts.EMPTIED, {"since": 7})
    assert "SEARCH p USING INTEGER PRIMARY KEY (rowid>?)" in told
    assert "SEARCH r USING PRIMARY KEY (task_id=? AND number=?)" in told


@pytest.mark.parametrize("kind", [k.name for k in KINDS.values() if k.edge and not k.edge.repeats])
@pytest.mark.parametrize("reading", [0, 1])
def test_known_edges_are_looked_up_one_by_one_however_long_the_list(db, kind, reading):
    edge = KINDS[kind].edge
    task = Task(1, kind, 7, collected=5, reading=reading)
    (sql,) = statements(db.conn, lambda: edges.choose(db.conn, task, edge, (1, 2)))
    told = plan(db.conn, sql)
    if reading:
        assert "SEARCH reading_items USING PRIMARY KEY (task_id=? AND reading=? AND item_id=?)" in told
    else:
        key = "rowid" if edge.on_item else edge.item
        assert re.search(rf"SEARCH {edge.stored} .*\(.*\b{key}=\?", told), told
        assert "rank>" not in told


@pytest.mark.parametrize("order", ["newest", "random", "popular", "least-known"])
def test_whom_to_visit_is_read_from_the_lists_of_the_round_alone(open_books, db, order):
    books = open_books(limits=Limits(order=order))
    books.resolve(1)
    (choice,) = rounds.choices(db.conn, books.harvest_ids[0], 0, Limits(order=order))
    told = plan(db.conn, choice.sql, choice.parameters)
    assert told.count("engagements_listed (track_id=? AND track_list_rank>?") == 2
    assert "SEARCH v USING INDEX visits_by_round (harvest_id=? AND round=? AND thing=?" in told
    assert "SCAN engagements" not in told


def test_what_most_people_name_is_read_from_their_own_lists_by_key(open_books, db):
    limits = Limits(depth=2)
    books = open_books(limits=limits)
    books.resolve(1)
    books.follow(10, 11)
    (choice,) = rounds.choices(db.conn, books.harvest_ids[0], 1, limits)
    told = plan(db.conn, choice.sql, choice.parameters)
    assert "SEARCH engagements USING PRIMARY KEY (user_id=?)" in told
    assert "SEARCH t USING" in told
    assert "(kind=? AND subject_id=?)" in told
    assert "SCAN t" not in told
    assert "SCAN engagements" not in told


def test_lists_are_wanted_by_seeks_alone(open_books, db):
    books = open_books()
    books.resolve(1)
    told = statements(db.conn, lambda: rounds.want_lists(db.conn, books.harvest_ids[0], 0, NOW))
    assert len(told) == 4
    for sql in told:
        assert "visits_by_round (harvest_id=? AND round=?)" in plan(db.conn, sql), sql
        assert re.search(r"SCAN [vctr]\b", plan(db.conn, sql)) is None, sql


def test_a_look_at_the_lists_reads_two_indexes_alone(db):
    caps = "CASE kind WHEN 'user_likes' THEN 500 END"
    told = plan(db.conn, standing.OPEN_LISTS.format(cap=caps, wanted=""), {"size": 200})
    assert "USING COVERING INDEX readings_open" in told
    told = plan(db.conn, standing.ENDED_LISTS, {"kind": "user_likes", "cap": 500, "size": 200})
    assert told == "SEARCH tasks USING COVERING INDEX tasks_by_outcome (kind=? AND outcome>?)"


def test_co_likes_go_there_and_back_by_index(db):
    told = plan(
        db.conn,
        "SELECT o.track_id, count(*) FROM user_engagements m JOIN user_engagements o ON o.user_id = m.user_id"
        " WHERE m.track_id = ? GROUP BY o.track_id",
        (1,),
    )
    assert "engagements_by_track (track_id=?)" in told
    assert "SEARCH engagements USING PRIMARY KEY (user_id=?)" in told


@pytest.mark.parametrize("of", sweeps.PARTS)
@pytest.mark.parametrize("older_than", [None, 1.0])
def test_what_is_to_be_looked_up_takes_seeks_for_each_row(db, of, older_than):
    sweep = sweeps.Sweep(of, older_than, profiles="full")
    told = [sql for sql in statements(db.conn, lambda: sweeps.due(db.conn, sweep, datetime.now(UTC))) if "x.id" in sql]
    assert len(told) == len(sweeps.PARTS[of])
    for sql in told:
        steps = plan(db.conn, sql)
        assert set(re.findall(r"SCAN (\w+)", steps)) <= {"x", "o"}, steps  # o: the outcomes, a handful
        assert "batch_items_by_thing (thing_id=?)" in steps


def test_whose_profile_is_missing_is_found_from_the_visits_of_the_harvest(db):
    told = statements(db.conn, lambda: sweeps.profiles_missing(db.conn, 1, "full"))
    (sql,) = [sql for sql in told if "x.id" in sql]
    assert "SCAN x" not in plan(db.conn, sql)


def test_the_likes_of_a_sample_are_read_by_the_key_of_the_table(db):
    told = plan(db.conn, samples._LIKES, (1, 500))
    assert "SEARCH engagements USING PRIMARY KEY (user_id=?)" in told
    assert "SCAN" not in told


def test_who_else_lists_a_person_is_found_by_the_key_and_not_among_all_who_are_listed(db):
    """Otherwise the sample of a track takes the square of its likers."""
    told = plan(db.conn, "SELECT * FROM sample WHERE harvest_id = ? AND track_id = ? AND once", (1, 5))
    of_tracks = re.findall(r"SEARCH engagements USING ([^|]*\))", told)
    assert of_tracks.count("PRIMARY KEY (user_id=? AND track_id=?)") == len(of_tracks) - 1 >= 2, told
