"""How far a file is, without counting: totals, lists, and the requests that are left."""

from __future__ import annotations

import pytest

from harvest.lists import KINDS
from harvest.models import Limits
from harvest.rules import recipe
from harvest.store.progress import ProgressRow, read_progress, write_progress
from harvest.store.standing import standing


def harvest(db, limits, state="running", level=1):
    """A harvest of track 1 that is reading round 0."""
    harvest_id = db.conn.execute(
        "INSERT INTO harvests (options, state, round, level, started_at) VALUES (?, ?, 0, ?, 'now')",
        (limits.dump(), state, level),
    ).lastrowid
    db.conn.executemany(
        "INSERT INTO recipes VALUES (?, ?, ?, ?, ?, ?)",
        [
            (harvest_id, line.kind.name, line.kind.subject, line.reach, turn, line.cap)
            for turn, line in enumerate(recipe(limits))
        ],
    )
    visit(db, harvest_id, "track", 1, 0)
    return harvest_id


def visit(db, harvest_id, thing, thing_id, number):
    db.conn.execute(
        "INSERT OR IGNORE INTO visits (harvest_id, thing, thing_id, round, depth, place) VALUES (?, ?, ?, ?, ?, ?)",
        (harvest_id, thing, thing_id, number, number, thing_id),
    )


def task(db, kind, subject, *, claimed=None, collected=0, pages=0, outcome=None, harvest_id=None):
    task_id = db.conn.execute(
        "INSERT INTO tasks (kind, subject_id, outcome, claimed, collected, pages_read) VALUES (?, ?, ?, ?, ?, ?)",
        (kind, subject, outcome, *((claimed, collected, pages) if outcome else (None, None, None))),
    ).lastrowid
    state = "ended" if outcome else "doing" if pages else "todo"
    db.conn.execute(
        "INSERT INTO readings (task_id, number, kind, state, outcome, claimed, collected, pages_read)"
        " VALUES (?, 0, ?, ?, ?, ?, ?, ?)",
        (task_id, kind, state, outcome, claimed, collected, pages),
    )
    if harvest_id and KINDS[kind].subject == "user":
        visit(db, harvest_id, "user", subject, 1)
        db.conn.execute("UPDATE harvests SET round = 1 WHERE id = ?", (harvest_id,))


def test_an_empty_file_has_nothing_and_lacks_nothing(db):
    seen = standing(db.conn)
    assert (seen.users, seen.edges, seen.pages, seen.requests_left, seen.phase) == (0, 0, 0, 0, "done")


def test_totals_follow_the_rows(db):
    run = "INSERT INTO runs (started_at, version, api_url, credential_kind) VALUES ('now', '0', 'x', 'x')"
    db.conn.execute(run)
    task(db, "user_likes", 1)
    db.conn.execute(
        "INSERT INTO pages (task_id, reading, number, run_id, request, first_rank, received, skipped, kept, fetched_at,"
        " elapsed_ms, bytes) VALUES (1, 0, 0, 1, 'GET /', 0, 1, 0, 1, 'now', 1, 1)"
    )
    for table in ("users", "tracks"):
        db.conn.execute(
            f"INSERT INTO {table} (id, seen_as, status, first_seen_at, last_seen_on)"
            " SELECT value, 'list', 'ok', 'now', 'now' FROM json_each('[1, 2, 3]')"
        )
    edge = "INSERT INTO engagements (user_id, track_id, is_repost, first_page_id) VALUES (?, ?, ?, 1)"
    db.conn.executemany(
        f"{edge} ON CONFLICT DO UPDATE SET user_list_rank = 0",
        [(1, 1, 0), (1, 2, 0), (1, 1, 1), (1, 1, 0)],
    )
    db.conn.execute("DELETE FROM users WHERE id = 3")
    seen = standing(db.conn)
    assert (seen.users, seen.tracks, seen.likes, seen.reposts, seen.pages) == (2, 3, 2, 1, 1)


def test_what_is_left_is_known_from_the_claims_and_the_caps(db):
    h = harvest(db, Limits(max_user_likes=500))
    task(db, "track_likers", 1, claimed=3, collected=3, pages=1, outcome="complete", harvest_id=h)
    task(db, "track_reposters", 1, claimed=0, collected=0, pages=1, outcome="complete", harvest_id=h)
    for user, claimed in enumerate((10, 200, 201, 499, 5000)):  # 1 + 1 + 2 + 3 + 3 requests
        task(db, "user_likes", user, claimed=claimed, harvest_id=h)
    task(db, "user_likes", 9, claimed=450, collected=200, pages=1, harvest_id=h)  # 2 more
    seen = standing(db.conn)
    assert (seen.requests_left, seen.at_least, seen.phase, seen.open_lists) == (12, False, "users", 6)


def test_before_the_round_has_ended_it_is_a_lower_bound_with_what_its_lists_promise(db):
    h = harvest(db, Limits(max_users=1000))
    task(db, "track_likers", 1, claimed=600, collected=200, pages=1, harvest_id=h)
    task(db, "track_reposters", 1, claimed=5, collected=5, pages=1, outcome="complete", harvest_id=h)
    seen = standing(db.conn)
    assert seen.at_least
    assert seen.phase == "spill"
    assert seen.requests_left == 2 + 605  # a request at least for each of them


def test_no_more_people_are_promised_than_will_be_followed(db):
    h = harvest(db, Limits(max_users=250))
    task(db, "track_likers", 1, claimed=600, collected=200, pages=1, harvest_id=h)
    assert standing(db.conn).requests_left == 2 + 250


def test_as_many_requests_are_promised_as_there_are_lists_to_read_of_each(db):
    h = harvest(db, Limits(max_users=250, read=("likers", "likes", "reposts", "followings")))
    task(db, "track_likers", 1, claimed=600, collected=200, pages=1, harvest_id=h)
    assert standing(db.conn).requests_left == 2 + 250 * 3


def test_a_deeper_level_to_come_makes_it_a_lower_bound(db):
    h = harvest(db, Limits(depth=2))
    task(db, "user_likes", 1, claimed=5, harvest_id=h)
    assert standing(db.conn).at_least


def test_lists_that_only_others_want_are_not_left_to_this_crawl(db):
    running, paused = harvest(db, Limits()), harvest(db, Limits(), state="paused")
    task(db, "user_likes", 1, claimed=5, harvest_id=running)
    task(db, "user_likes", 2, claimed=5, harvest_id=paused)
    assert standing(db.conn).requests_left == 1


def test_claims_that_turn_out_too_high_are_believed_less(db):
    h = harvest(db, Limits())
    for user in range(200):
        task(db, "user_likes", user, claimed=400, collected=100, pages=1, outcome="short", harvest_id=h)
    for user in range(200, 300):
        task(db, "user_likes", user, claimed=400, harvest_id=h)
    assert 100 <= standing(db.conn).requests_left <= 110


@pytest.mark.parametrize("waiting", [None, "SoundCloud asks us to slow down"])
def test_how_a_crawl_goes_is_read_as_it_was_written(db, waiting):
    db.conn.execute("INSERT INTO runs (started_at, version, api_url, credential_kind) VALUES ('now', '0', 'x', 'x')")
    assert read_progress(db.conn) is None
    row = ProgressRow(1, "2026-01-01T00:00:00Z", "users", 1, 3, 1.9, None, waiting, None, 42_000, 17, True, 12.5)
    write_progress(db.conn, row)
    write_progress(db.conn, row)
    assert read_progress(db.conn) == row
