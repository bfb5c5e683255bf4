"""The views that every reader starts from, whole, against the made-up world. `why`, `sample` and `edge_times_estimate`
have tests of their own.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections import Counter

import pytest

from harvest.models import Limits
from harvest.simulator import World
from harvest.simulator.oracle import expect
from harvest.store import readings
from tests.booking import add_harvest, add_list, add_visit
from tests.crawling import crawl_world, read

WORLD = World(3, users=150, tracks=600, likes_per_user=30, seed_likers=40, seed_reposters=10, null_entries=0.03)
LIMITS = Limits(max_users=35, max_user_likes=25)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("views") / "t.db"
    crawl_world(path, WORLD, limits=LIMITS)
    return path


@pytest.fixture(scope="module")
def truth():
    return expect(WORLD, max_users=LIMITS.max_users, max_user_likes=LIMITS.max_user_likes)


def edges(truth, wanted):
    return {(user, track): ranks for (user, track, deed), ranks in truth.engagements.items() if deed == wanted}


def artist(truth, track):
    row = truth.tracks[track]
    uploader = truth.users.get(row["uploader_id"], {})
    return row["metadata_artist"] or uploader.get("username")


@pytest.mark.parametrize(
    ("view", "deed", "kind"), [("likes", "like", "user_likes"), ("reposts", "repost", "user_reposts")]
)
def test_likes_and_reposts_have_names_and_the_state_of_the_list(path, truth, view, deed, kind):
    expected = {
        (
            user, truth.users[user]["username"], track, truth.tracks[track]["title"], artist(truth, track),
            truth.tracks[track]["permalink_url"], *ranks, truth.lists.get((kind, user), ("not asked",))[0],
        )
        for (user, track), ranks in edges(truth, deed).items()
    }  # fmt: skip
    found = read(path, f"SELECT * FROM {view}")
    assert set(found) == expected
    assert len(found) == len(expected)
    assert "not asked" in {row[-1] for row in found}


def test_lists_is_the_ledger_in_words(path, truth):
    names = {"track": truth.tracks, "user": truth.users}
    expected = {}
    for (kind, subject), (outcome, collected, claimed) in truth.lists.items():
        row = names[kind.split("_")[0]][subject]
        missing = None if claimed is None else max(claimed - collected, 0)
        expected[kind, subject] = (
            row.get("title") or row.get("username"),
            outcome,
            claimed,
            collected,
            missing,
            outcome == "capped",
        )
    found = read(path, "SELECT kind, subject_id, subject, outcome, claimed, collected, missing, goes_on FROM lists")
    assert {row[:2]: row[2:] for row in found} == expected
    read_until = read(path, "SELECT read_until IS NULL, count(*) FROM lists GROUP BY 1")
    asked_in_vain = sum(ended[0] in ("gone", "forbidden") for ended in truth.lists.values())
    assert dict(read_until) == {0: len(expected) - asked_in_vain, 1: asked_in_vain}


def test_seed_coverage_adds_up(path, truth):
    found = {
        row[0]: row[1:]
        for row in read(path, "SELECT kind, * FROM seed_coverage WHERE kind NOT IN ('resolve', 'lookup')")
    }
    for kind in ("track_likers", "track_reposters", "user_likes"):
        ended = [e for (k, _), e in truth.lists.items() if k == kind]
        n = Counter(outcome for outcome, _, _ in ended)
        claims = [claimed for _, _, claimed in ended if claimed is not None]
        assert found[kind][4:] == (
            len(ended), 0, n["complete"], n["capped"], n["short"], n["gone"] + n["forbidden"], 0,
            sum(claims), sum(collected for _, collected, _ in ended), len(ended) - len(claims),
        )  # fmt: skip


def test_seed_coverage_of_lists_that_are_all_open_counts_none_as_ended(db):
    add_harvest(db.conn, 1, user_likes=10)
    for user in (1, 2):
        add_list(db.conn, "user_likes", user, None)
        add_visit(db.conn, 1, "user", user, 1, depth=1)
    found = db.conn.execute(
        "SELECT lists, open, complete, capped, short, unanswered, broken, collected, without_claim FROM seed_coverage"
    )
    assert found.fetchall() == [(2, 2, 0, 0, 0, 0, 0, 0, 2)]


def test_a_list_that_is_read_again_stands_as_it_was_until_that_reading_has_ended(db):
    """An open list shows how far its first reading is."""
    again = add_list(db.conn, "user_likes", 1, collected=5, claimed=9)
    add_list(db.conn, "user_likes", 2, None, collected=3, claimed=4, pages_read=2)
    readings.begin_again(db.conn, again, "2026-01-02T00:00:00Z")
    rows = db.conn.execute("SELECT subject_id, outcome, claimed, collected, missing, pages_read, goes_on FROM lists")
    assert [tuple(row) for row in rows] == [(1, "complete", 9, 5, 4, 1, 1), (2, "todo", 4, 3, 1, 2, 1)]
    db.conn.execute("UPDATE readings SET state = 'ended', outcome = 'failed' WHERE number = 1")
    assert db.conn.execute("SELECT outcome, goes_on FROM lists WHERE task_id = ?", (again,)).fetchone() == (
        "complete",
        0,
    )


def test_nobody_is_censored_by_a_cap_of_a_harvest_that_did_not_choose_them(path, tmp_path):
    copy = tmp_path / "t.db"
    shutil.copy(path, copy)
    with contextlib.closing(sqlite3.connect(copy)) as connection, connection:
        add_harvest(connection, 2, track_likers=20_000, user_likes=25)
        connection.execute(
            "INSERT INTO visits SELECT 2, thing, thing_id, 0, 0, 0, NULL, NULL, NULL, own FROM visits WHERE round = 0"
        )
    found = dict(read(copy, "SELECT harvest_id, sum(censored) FROM sample GROUP BY harvest_id"))
    assert found[1] > 0
    assert found[2] == 0


def test_interactions_are_one_row_per_person_and_track_in_order(path, truth):
    likes, reposts = edges(truth, "like"), edges(truth, "repost")
    expected = [
        (user, track, int((user, track) in likes), int((user, track) in reposts), likes.get((user, track), (None,))[0])
        for user, track in sorted(likes.keys() | reposts.keys())
    ]
    assert read(path, "SELECT * FROM interactions") == expected
    assert any(liked and reposted for _, _, liked, reposted, _ in expected)


def test_track_stats_set_likes_here_beside_those_counted(path, truth):
    likes = Counter(track for _, track in edges(truth, "like"))
    reposts = Counter(track for _, track in edges(truth, "repost"))
    expected = {
        track: (
            row["title"], truth.users.get(row["uploader_id"], {}).get("username"), likes[track], row["likes_count"],
            reposts[track], row["reposts_count"], truth.lists.get(("track_likers", track), ("not asked",))[0],
            row["playback_count"], row["genre"], row["permalink_url"],
        )
        for track, row in truth.tracks.items()
    }  # fmt: skip
    assert {row[0]: row[1:] for row in read(path, "SELECT * FROM track_stats")} == expected


def test_uploaders_count_their_tracks_and_the_likes_of_them(path, truth):
    likes = Counter(track for _, track in edges(truth, "like"))
    tracks, liked = Counter(), Counter()
    for track, row in truth.tracks.items():
        tracks[row["uploader_id"]] += 1
        liked[row["uploader_id"]] += likes[track]
    expected = {
        user: (
            truth.users[user]["username"], tracks[user], truth.users[user]["track_count"], liked[user],
            truth.users[user]["followers_count"], truth.users[user]["permalink_url"],
        )
        for user in tracks
        if user is not None
    }  # fmt: skip
    assert {row[0]: row[1:] for row in read(path, "SELECT * FROM uploaders")} == expected


# View → what a reader names, and the steps that must lead there.
NAMED = {
    "likes WHERE user_id = 1": "SEARCH e USING PRIMARY KEY (user_id=?)",
    "likes WHERE track_id = 1": "SEARCH e USING INDEX engagements_by_track (track_id=?)",
    "reposts WHERE track_id = 1": "SEARCH e USING INDEX engagements_by_track (track_id=?)",
    "lists WHERE task_id = 1": "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
    "lists WHERE kind = 'user_likes' AND outcome = 'capped'": "SEARCH t USING INDEX",
    "track_stats WHERE track_id = 1": "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
    "uploaders WHERE user_id = 1": "SEARCH u USING INTEGER PRIMARY KEY (rowid=?)",
    "sample WHERE track_id = 1": "SEARCH e USING COVERING INDEX engagements_listed (track_id=?",
    "why WHERE user_id = 1 AND track_id = 2": "SEARCH e USING PRIMARY KEY (user_id=? AND track_id=?)",
    "edge_times_estimate WHERE user_id = 1": "SEARCH e USING PRIMARY KEY (user_id=?)",
    "interactions WHERE user_id = 1": "SEARCH user_engagements USING PRIMARY KEY (user_id=?)",
    "seed_coverage WHERE harvest_id = 1": "SEARCH v USING PRIMARY KEY (harvest_id=?",
    "frames WHERE harvest_id = 1": "SEARCH v USING PRIMARY KEY (harvest_id=? AND thing=?)",
    "frames WHERE track_id = 1": "SEARCH v USING",
    "harvest_tasks WHERE harvest_id = 1": "SEARCH v USING PRIMARY KEY (harvest_id=?",
    "track_texts WHERE track_id = 1": "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
}


@pytest.mark.parametrize("wanted", NAMED)
def test_who_names_a_row_of_a_view_does_not_wait_for_all(path, wanted):
    steps = [row[3] for row in read(path, f"EXPLAIN QUERY PLAN SELECT * FROM {wanted}")]
    assert any(step.startswith(NAMED[wanted]) for step in steps), steps
    assert [step for step in steps if step.startswith(("SCAN e", "SCAN user_engagements", "SCAN b"))] == []


def test_interactions_stream(path):
    """In the order of the table: no sorting, no temporary table."""
    steps = [row[3] for row in read(path, "EXPLAIN QUERY PLAN SELECT * FROM interactions")]
    assert "SCAN user_engagements" in steps
    assert not any("TEMP B-TREE" in step for step in steps)


def test_every_view_has_a_plan_here(path):
    views = {row[0] for row in read(path, "SELECT name FROM sqlite_schema WHERE type = 'view'")}
    assert {wanted.split()[0] for wanted in NAMED} == views
