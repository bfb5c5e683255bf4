"""What the service no longer shows is emptied, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime

from harvest.forgetting.comply import empty_what_is_gone
from harvest.simulator import World
from harvest.store.database import open_for_crawl, open_to_read
from tests.crawling import contents, crawl_world, read
from tests.forgetting import bytes_beside, contradictions, texts_of
from tests.refreshing import LIMITS

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
