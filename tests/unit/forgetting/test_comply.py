"""What the service no longer shows is emptied, and nothing else is."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
import sqlite_utils.migrations  # noqa: F401 - here, or every child of ours would import it anew

from harvest.crawler.replay import replay
from harvest.forgetting.comply import empty_what_is_gone
from harvest.forgetting.forget import finish
from harvest.forgetting.kept import is_begun
from harvest.models import Limits
from harvest.replies.files import beside as replies_of
from harvest.simulator import Drift, World, serve
from harvest.store.database import open_for_crawl, open_to_read
from harvest.store.sweeps import ALL_SHOWN, Sweep
from tests.crawling import contents, crawl_into, crawl_world, read
from tests.forgetting import bytes_beside, contradictions, rows_of, taken_out_in_a_child, texts_of
from tests.refreshing import LIMITS
from tests.repetitions import slow_but
from tests.unit.forgetting.test_purge import Later

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
WORLD = World(3, users=40, tracks=60, seed_likers=12, seed_reposters=3)


def test_of_what_is_gone_the_id_the_status_and_the_dates_stay(tmp_path):
    path = tmp_path / "t.db"
    crawl_world(path, WORLD, limits=LIMITS)
    ((user,),) = read(
        path,
        "SELECT id FROM users WHERE seen_as = 'list' AND id NOT IN (SELECT uploader_id FROM tracks)"
        " AND id NOT IN (SELECT owner_id FROM playlists) AND station_urn IS NULL LIMIT 1",
    )
    ((track,),) = read(path, "SELECT id FROM tracks WHERE id NOT IN (SELECT seed_id FROM harvests) LIMIT 1")
    db = open_for_crawl(path)
    with db.atomic():
        for table, one in (("users", user), ("tracks", track)):
            db.conn.execute(
                f"UPDATE {table} SET status = 'gone', gone_at = '2026-11-29T00:00:00Z' WHERE id = ?", (one,)
            )
    db.conn.close()
    texts = [*texts_of(path, "user", user)[:2], texts_of(path, "track", track)[0]]
    before = contents(path)
    done = empty_what_is_gone(path, now=NOW)
    assert (done.things["users"], done.things["tracks"], done.erased) == (1, 1, True)
    after = contents(path)
    assert {name for name, value in after["users"][user].items() if value is not None} == {"seen_as"}
    kept = {"seen_as", "uploader_id", "uploader_list_rank"}
    assert {name for name, value in after["tracks"][track].items() if value is not None} <= kept
    for part in ("engagements", "follows", "playlist_tracks", "lists", "visits"):
        assert after[part] == before[part]
    for part, one in (("users", user), ("tracks", track)):
        del before[part][one], after[part][one]
        assert after[part] == before[part]
    assert [text for text in texts if text.encode() in bytes_beside(path)] == []
    told = read(path, "SELECT \"table\", ids FROM changes WHERE what = 'emptied' ORDER BY version")
    assert sorted(told) == [("tracks", f'{{"id":{track}}}'), ("users", f'{{"id":{user}}}')]
    wrong = contradictions(path)
    wrong.pop("graph.status", None)  # the status is made up here; the lists still say otherwise
    assert wrong == {}
    assert empty_what_is_gone(path, now=NOW).things == {"tracks": 0, "playlists": 0, "stations": 0, "users": 0}


def test_bytes_that_a_reader_kept_go_with_the_next_run(tmp_path, monkeypatch):
    path = tmp_path / "t.db"
    crawl_world(path, WORLD, limits=LIMITS)
    monkeypatch.setattr("harvest.system.sqlite_busy.PATIENCE_SECONDS", 0.1)
    db = open_for_crawl(path)
    db.conn.execute("PRAGMA secure_delete = OFF")
    db.conn.execute("CREATE TABLE x (t TEXT)")
    db.conn.execute("INSERT INTO x VALUES (?)", ("somebody who is gone " * 400,))
    db.conn.execute("DROP TABLE x")  # the free pages keep what stood there
    with db.atomic():
        db.conn.execute("UPDATE users SET status = 'gone' WHERE id = (SELECT min(id) FROM users)")
    db.conn.close()
    with open_to_read(path) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM users").fetchone()
        assert not empty_what_is_gone(path, now=NOW).erased
        assert b"somebody who is gone" in bytes_beside(path)
    done = empty_what_is_gone(path, now=NOW)
    assert (done.erased, sum(done.things.values())) == (True, 0)
    assert b"somebody who is gone" not in bytes_beside(path)


def test_playlists_are_looked_up_too_and_who_is_gone_is_emptied(tmp_path):
    """Whatever list has shown them, and though no list is read again."""
    path = tmp_path / "t.db"
    world = World(5, users=15, tracks=20, playlists=30, seed_likers=6, drift=Drift(playlists_go=0.05, tracks_go=0))

    async def both():
        async with serve(world, gzip=False) as server:
            few = Limits(max_users=5, read=("likers", "likes", "liked-playlists", "playlists"))
            assert await crawl_into(path, server, limits=few) == "drained"
            server.move(10)
            later = Later(10)
            assert await crawl_into(path, server, [], sweep=Sweep(ALL_SHOWN, 1.0), clock=later) == "drained"
            return server.world

    moved = asyncio.run(both())
    ids = [row[0] for row in read(path, "SELECT id FROM playlists")]
    gone = {one for one in ids if not moved.facts.there("playlist", moved.index("playlist", one))}
    assert 0 < len(gone) < len(ids)
    assert {row[0] for row in read(path, "SELECT id FROM playlists WHERE status = 'gone'")} == gone
    assert empty_what_is_gone(path, now=NOW).things["playlists"] == len(gone)
    full = {row[0] for row in read(path, "SELECT id FROM playlists WHERE title IS NOT NULL")}
    assert full == set(ids) - gone


@pytest.mark.parametrize("every", slow_but((31,), (31, 1)))
def test_killed_at_every_statement_all_is_emptied_or_nothing_and_the_next_run_ends_it(tmp_path, every):
    crawled, path = tmp_path / "crawled.db", tmp_path / "t.db"
    few = Limits(max_users=2)
    crawl_world(crawled, World(4, users=6, tracks=8, seed_likers=3, seed_reposters=1), limits=few, keep_replies=True)
    with closing(sqlite3.connect(crawled)) as db:
        for table in ("users", "tracks"):
            db.execute(f"UPDATE {table} SET status = 'gone' WHERE id = (SELECT min(id) FROM {table})")
        db.commit()

    def emptied_in_a_child(kill_at):
        for left in tmp_path.glob("t.*"):
            left.unlink()
        shutil.copy(replies_of(crawled), tmp_path / "t.replies.db")
        shutil.copy(crawled, path)
        return taken_out_in_a_child(lambda: empty_what_is_gone(path, now=NOW), kill_at=kill_at)

    def rows(path):
        return rows_of(path, "replies", "lease", "progress")

    before = rows(crawled)
    statements = emptied_in_a_child(None)
    after = rows(path)
    assert after != before
    found = []
    for kill_at in [*range(1, statements, every), statements]:
        emptied_in_a_child(kill_at)
        found.append({str(before): "nothing", str(after): "all"}.get(str(rows(path)), f"half at {kill_at}"))
        if is_begun(replies_of(path)):
            finish(path, now=NOW)
        assert empty_what_is_gone(path, now=NOW).erased
        assert rows(path) == after
        replay(replies_of(path), path.with_name("t.again.db"))
        assert rows(path.with_name("t.again.db")) == after
    assert set(found) == {"nothing", "all"}
    assert found == sorted(found, reverse=True)
