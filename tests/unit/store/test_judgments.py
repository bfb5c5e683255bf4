"""Verdicts on tracks: the last one counts, the others are kept, and all go with what is forgotten."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from harvest.errors import SeedError
from harvest.forgetting.forget import forget_for_good
from harvest.forgetting.purge import purge
from harvest.models import Limits
from harvest.simulator import World
from harvest.store import schema
from harvest.store.database import open_for_crawl, open_to_read
from harvest.store.judgments import judge, tracks_named, verdict_of
from tests.analysing import LikesFile
from tests.crawling import crawl_world, read

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HISTORY = "SELECT id, track_id, verdict, at FROM judgments ORDER BY id"
COUNTS = "SELECT track_id, verdict, judged_at, title FROM verdicts ORDER BY track_id"


@pytest.fixture
def path(tmp_path):
    """Tracks 10 to 15, and a playlist 7 that holds 12, 11 and 12 again."""
    with LikesFile(tmp_path / "t.db") as file:
        file.likes(1, range(10, 16))
        page = file.read("SELECT max(id) FROM pages")[0][0]
        file.write(
            [
                (
                    "INSERT INTO playlists (id, title, permalink_url, first_page_id, first_seen_at, last_seen_on)"
                    " VALUES (7, 'mix', 'https://soundcloud.com/a/sets/mix', ?, '2026-01-01T00:00:00Z', '2026-01-01')",
                    (page,),
                ),
                *(
                    ("INSERT INTO playlist_tracks VALUES (7, ?, ?, ?)", (position, track, page))
                    for position, track in enumerate((12, 11, 12))
                ),
                ("UPDATE tracks SET permalink_url = 'https://soundcloud.com/a/ten' WHERE id = 10", ()),
            ]
        )
    return file.path


def said(path, *wanted, verdict="liked", hours=0):
    done = judge(path, wanted, verdict, now=NOON + timedelta(hours=hours))
    return done.tracks, done.changed


def test_the_last_verdict_counts_and_the_others_are_its_history(path):
    assert said(path, "10") == (1, 1)
    assert said(path, "soundcloud:tracks:10", verdict="not_quite", hours=1) == (1, 1)
    assert said(path, "https://soundcloud.com/a/ten", "11", verdict="not_quite", hours=2) == (2, 1)
    assert read(path, HISTORY) == [
        (1, 10, "liked", "2026-03-01T12:00:00Z"),
        (2, 10, "not_quite", "2026-03-01T13:00:00Z"),
        (3, 11, "not_quite", "2026-03-01T14:00:00Z"),
    ]
    assert read(path, COUNTS) == [
        (10, "not_quite", "2026-03-01T13:00:00Z", "track 10"),
        (11, "not_quite", "2026-03-01T14:00:00Z", "track 11"),
    ]


def test_a_verdict_taken_back_counts_no_longer(path):
    assert said(path, "10", verdict="none") == (1, 0)
    said(path, "10", "11")
    assert said(path, "10", verdict="none", hours=1) == (1, 1)
    assert read(path, COUNTS) == [(11, "liked", "2026-03-01T12:00:00Z", "track 11")]
    assert [row[1:3] for row in read(path, HISTORY)] == [(10, "liked"), (11, "liked"), (10, "none")]
    with contextlib.closing(open_to_read(path)) as connection:
        sql = f"SELECT id, {verdict_of(connection, 't.id')} FROM tracks AS t WHERE id < 13 ORDER BY id"
        assert [tuple(row) for row in connection.execute(sql)] == [(10, None), (11, "liked"), (12, None)]


def test_a_playlist_stands_for_its_tracks_in_their_order(path):
    with contextlib.closing(open_to_read(path)) as connection:
        assert tracks_named(connection, ["https://soundcloud.com/a/sets/mix", "15"]) == [12, 11, 15]
    assert said(path, "soundcloud:playlists:7", verdict="not_interested") == (2, 2)
    assert [row[:2] for row in read(path, COUNTS)] == [(11, "not_interested"), (12, "not_interested")]


def test_all_are_judged_or_none(path):
    with pytest.raises(SeedError, match=r"no track or playlist 99 .*, nor 1 other of these: `harvest URL --depth 0`"):
        said(path, "10", "99", "a/nowhere")
    assert read(path, HISTORY) == []


def test_verdicts_go_with_what_is_forgotten_or_purged(tmp_path):
    path = tmp_path / "world.db"
    crawl_world(path, World(3, users=30, tracks=60, seed_likers=8, seed_reposters=2), limits=Limits(max_users=2))
    one, other = (row[0] for row in read(path, "SELECT max(id) FROM tracks UNION SELECT min(id) FROM tracks"))
    said(path, str(one), str(other))
    forget_for_good(path, [("track", one)], now=NOON)
    assert [row[1] for row in read(path, HISTORY)] == [other]
    purge(path, None, now=NOON)
    assert read(path, HISTORY) == []


def test_a_file_of_an_older_version_has_no_verdict_until_it_gets_its_first(path):
    db = open_for_crawl(path)
    for statement in ("DROP VIEW verdicts", "DROP TABLE judgments", "PRAGMA user_version = 9"):
        db.conn.execute(statement)
    db.conn.execute("DELETE FROM _sqlite_migrations WHERE name = '010_judgments'")
    db.conn.close()
    with contextlib.closing(open_to_read(path)) as connection:
        assert verdict_of(connection, "t.id") == "NULL"
    said(path, "10")
    assert [row[1:3] for row in read(path, HISTORY)] == [(10, "liked")]
    assert read(path, "PRAGMA user_version") == [(schema.schema_version(),)]
    assert path.with_name("t.db.schema-9").exists()


def test_the_last_verdict_is_looked_up_and_not_searched_for(path):
    plan = read(path, "EXPLAIN QUERY PLAN SELECT verdict FROM verdicts WHERE track_id = 10")
    steps = [row[3] for row in plan]
    assert [step for step in steps if step.startswith("SCAN")] == []
    assert any("judgments_by_track" in step for step in steps)
