"""Hot queries use the index that was made for them."""

from __future__ import annotations

import pytest

from harvest.lists import KINDS
from harvest.models import Task
from harvest.store import births, drawing, edges, frontier


def plan(conn, sql, *parameters):
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
    told = plan(db.conn, frontier.OPEN_TASKS, "todo", 64)
    assert "USING COVERING INDEX tasks_open (state=?)" in told
    assert "TEMP B-TREE" not in told


@pytest.mark.parametrize("kind", ["track_likers", "user_likes", "track_reposters"])
def test_known_edges_are_looked_up_by_key(db, kind):
    task = Task(1, kind, 7, collected=5)
    (sql,) = statements(db.conn, lambda: edges.choose(db.conn, task, KINDS[kind].edge, (1, 2)))
    told = plan(db.conn, sql)
    assert "SCAN user_engagements" not in told
    assert "SEARCH user_engagements" in told


@pytest.mark.parametrize("kind", ["track_likers", "track_reposters"])
def test_whom_to_follow_is_read_in_list_order_from_the_listed_index(db, kind):
    from harvest.models import Limits

    want = births.Want(1, 1, 1, 100, Limits())
    (sql,) = statements(db.conn, lambda: list(births._candidates(db.conn, want, KINDS[kind], 7, 0, 0)))
    told = plan(db.conn, sql)
    assert "engagements_listed (track_id=? AND engagement_type=? AND track_list_rank>? AND track_list_rank<?)" in told
    assert "SCAN user_engagements" not in told
    assert "TEMP B-TREE" not in told


def test_co_likes_go_there_and_back_by_index(db):
    told = plan(
        db.conn,
        "SELECT o.track_id, count(*) FROM user_engagements m JOIN user_engagements o ON o.user_id = m.user_id"
        " WHERE m.track_id = ? GROUP BY o.track_id",
        1,
    )
    assert "engagements_by_track (track_id=?)" in told
    assert "SEARCH o USING PRIMARY KEY (user_id=?)" in told


@pytest.mark.parametrize("order", ["random", "popular"])
def test_whom_to_draw_is_read_from_the_listed_index(db, order):
    from harvest.models import Limits

    kinds = (KINDS["track_likers"], KINDS["track_reposters"])
    pool = tuple(drawing.Source(kind, number, 100) for number, kind in enumerate(kinds))
    (sql,) = statements(db.conn, lambda: drawing.draw(db.conn, pool, 7, Limits(order=order)))
    told = plan(db.conn, sql)
    assert told.count("engagements_listed (track_id=? AND engagement_type=?") == 2
    assert "SCAN user_engagements" not in told
