"""What is forgotten is in no row, in no byte and in no later page, whatever it was and whenever it happens."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
from datetime import UTC, datetime

import pytest
import sqlite_utils.migrations  # noqa: F401 - here, or every child of ours would import it anew

from harvest.crawler.session import put_back
from harvest.errors import CrawlBusy, KeyMissing, SeedError, SettingsError
from harvest.forgetting import remembered
from harvest.forgetting.checks import FORGOTTEN_CHECKS
from harvest.forgetting.forget import finish, forget_for_good, would_go
from harvest.forgetting.purge import purge
from harvest.models import Limits
from harvest.report.facts import gather
from harvest.report.page import page
from harvest.simulator import World
from harvest.store import suppression
from harvest.store.database import open_for_crawl, open_to_read
from harvest.store.lease import Lease
from harvest.store.refreshes import Refresh
from harvest.store.status import look
from harvest.system.clock import SystemClock
from harvest.verify.checks import verify
from tests.crawling import Onlooker, contents, crawl_together, crawl_world, read
from tests.forgetting import bytes_beside, contradictions, goes_with, rows_of, taken_out_in_a_child, texts_of, without
from tests.refreshing import LIMITS
from tests.repetitions import slow_but

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
WORLD = World(3, users=40, tracks=60, seed_likers=12, seed_reposters=3)
_BUSIEST = {
    "user": "SELECT user_id FROM user_engagements GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
    "track": "SELECT track_id FROM user_engagements GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1 OFFSET 1",
    "playlist": "SELECT playlist_id FROM playlist_tracks GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
}


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    path = tmp_path_factory.mktemp("crawled") / "t.db"
    crawl_world(path, WORLD, limits=LIMITS)
    return path


@pytest.fixture
def path(crawled, tmp_path):
    return shutil.copy(crawled, tmp_path / "t.db")


def busiest(path, thing):
    ((one,),) = read(path, _BUSIEST[thing])
    return one


def graph(content):
    return {part: rows for part, rows in content.items() if part not in ("lists", "visits")}


@pytest.mark.first_case
@pytest.mark.parametrize("thing", ["user", "track", "playlist"])
def test_nothing_of_it_stays_and_all_else_stays_as_it_was(path, thing):
    one = busiest(path, thing)
    before, texts = contents(path), texts_of(path, thing, one)
    assert [text for text in texts if text.encode() in bytes_beside(path)] != []
    done = forget_for_good(path, [(thing, one)], now=NOW)
    assert (done.erased, done.found, done.mentions) == (True, {}, {})
    assert graph(contents(path)) == without(before, goes_with(before, thing, one))
    assert [text for text in texts if text.encode() in bytes_beside(path)] == []
    assert contradictions(path) == {}


def test_copies_beside_the_file_are_deleted_whoever_left_them(path):
    ours = ["t.db.schema-8", "t.db.schema-8.part", ".t.db.0a1b2c3d.part", ".t.db.0a1b2c3d.part-wal"]
    of_others = ["t.db.mine", ".t.db.copy.part", ".u.db.0a1b2c3d.part"]
    for name in (*ours, *of_others):
        shutil.copy(path, path.with_name(name))
    done = forget_for_good(path, [("user", busiest(path, "user"))], now=NOW)
    assert {one.name for one in done.deleted} == set(ours)
    assert [name for name in (*ours, *of_others) if path.with_name(name).exists()] == of_others


def test_people_are_taken_out_of_lists_and_a_list_that_cannot_be_read_is_told_of(path, tmp_path):
    one = busiest(path, "user")
    good, damaged = (tmp_path / f"{name}.key.people" for name in ("good", "damaged"))
    good.write_text(f"{one}\n{one + 1}\n")
    damaged.write_text(f"{one}\nno number\n")
    connection = sqlite3.connect(path)
    with connection:
        rows = [("2026-11-29", "people", str(where)) for where in (good, damaged)]
        connection.executemany("INSERT INTO handouts (at, what, path) VALUES (?, ?, ?)", rows)
    connection.close()
    done = forget_for_good(path, [("user", one)], now=NOW)
    assert (done.unlisted, good.read_text()) == ((good,), f"{one + 1}\n")
    assert (done.handed_out, damaged.read_text()) == (
        (("2026-11-29", "people", str(damaged), None),),
        f"{one}\nno number\n",
    )


@pytest.mark.parametrize("thing", slow_but(["playlist"], ["user", "track", "playlist"]))
def test_a_later_reading_of_everything_brings_nothing_of_it_back(path, thing):
    one = busiest(path, thing)
    texts = texts_of(path, thing, one)
    forget_for_good(path, [(thing, one)], now=NOW)
    before = graph(contents(path))
    server = crawl_world(path, WORLD, limits=LIMITS, refresh=Refresh(full=True))
    after = graph(contents(path))
    assert {part: set(rows) for part, rows in after.items()} == {part: set(rows) for part, rows in before.items()}
    assert after["playlists"] == before["playlists"]
    assert not [entry for entry in server.requests if f"soundcloud:{thing}s:{one}" in str(entry)]
    assert [text for text in texts if text.encode() in bytes_beside(path)] == []
    assert contradictions(path) == {}
    assert read(path, "SELECT sum(suppressed) > 0 FROM pages") == [(1,)]


def test_the_ledger_keeps_its_place_under_a_number_that_says_nothing(path):
    one = busiest(path, "user")
    lists = dict(read(path, "SELECT kind, pages_read FROM tasks WHERE subject_id = ?", one))
    forget_for_good(path, [("user", one)], now=NOW)
    kept = read(
        path,
        "SELECT t.kind, t.pages_read, t.outcome, t.collected, t.claimed, max(p.request), max(p.asks), max(p.body_hash)"
        " FROM tasks AS t LEFT JOIN pages AS p ON p.task_id = t.id WHERE t.subject_id = ("
        " SELECT thing_id FROM visits WHERE thing = 'user' AND thing_id < 0) GROUP BY t.id",
    )
    assert {row[0]: row[1] for row in kept} == lists
    assert {row[2:] for row in kept} <= {
        ("forgotten", 0, None, "", None, None),
        ("forgotten", 0, None, None, None, None),
    }
    every = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'track_search%'"
    for (table,) in read(path, every):
        assert not [row for row in read(path, f"SELECT * FROM {table}") if one in row]


def test_the_seed_itself_can_be_forgotten_and_is_not_asked_for_again(path):
    (address, one), *_ = read(path, "SELECT address, thing_id FROM seeds")
    texts = [address.removeprefix("https://"), f"soundcloud:tracks:{one}"]
    forget_for_good(path, [("track", one)], now=NOW)
    assert read(path, "SELECT address, aliases, thing_id < 0 FROM seeds") == [("forgotten:1", "[]", 1)]
    assert read(path, "SELECT seed_url, seed_id < 0 FROM harvests") == [("forgotten:1", 1)]
    assert contradictions(path) == {}
    server = crawl_world(path, WORLD, ["forgotten:1"], LIMITS)
    assert server.total == 0
    assert [text for text in texts if text.encode() in bytes_beside(path)] == []
    assert contradictions(path) == {}


@pytest.mark.parametrize("take_out", ["forget", "purge"])
def test_a_file_without_its_seed_is_reported_on(path, take_out):
    ((seed,),) = read(path, "SELECT thing_id FROM seeds")
    with open_to_read(path) as connection:
        assert len(gather(connection, "t.db").seed_lists) == 1
    forget_for_good(path, [("track", seed)], now=NOW) if take_out == "forget" else purge(path, None, now=NOW)
    with open_to_read(path) as connection:
        facts = gather(connection, "t.db")
    assert facts.seed_lists == []
    assert page(facts).startswith("<!doctype html>")


@pytest.mark.parametrize("outcome", ["forgotten", "purged"])
def test_lists_of_nobody_are_not_put_back(path, outcome):
    one = busiest(path, "user")
    forget_for_good(path, [("user", one)], now=NOW) if outcome == "forgotten" else purge(path, None, now=NOW)
    assert read(path, "SELECT count(*) > 0 FROM tasks WHERE outcome = ? AND subject_id < 0", outcome) == [(1,)]
    before = read(path, "SELECT id, subject_id, outcome, reading FROM tasks ORDER BY id")
    assert put_back(path, NOW, failure_class=None, outcomes=[outcome], keep_replies=False) == 0
    assert read(path, "SELECT id, subject_id, outcome, reading FROM tasks ORDER BY id") == before


def test_who_asks_for_it_again_by_its_address_gets_nothing_and_leaves_no_trace(path):
    (address, one), *_ = read(path, "SELECT address, thing_id FROM seeds")
    forget_for_good(path, [("track", one)], now=NOW)
    before = graph(contents(path))
    crawl_world(path, WORLD, [address], LIMITS)
    assert graph(contents(path)) == before
    assert read(path, "SELECT address, thing, reason IS NOT NULL FROM seeds WHERE id = 2") == [("forgotten:2", None, 1)]
    assert read(path, "SELECT state FROM harvests WHERE id = 2") == [("failed",)]
    assert address.encode() not in bytes_beside(path)
    assert contradictions(path) == {}


def test_a_urn_of_what_was_forgotten_is_refused(path):
    one = busiest(path, "user")
    forget_for_good(path, [("user", one)], now=NOW)
    with pytest.raises(SeedError, match="was forgotten in this file"):
        crawl_world(path, WORLD, [f"soundcloud:users:{one}"], LIMITS)


async def _stopped(path, server, pages):
    return await crawl_together(path, server, [(WORLD.seed_url(), LIMITS)], onlooker=Onlooker(pages), page_size=5)


@pytest.mark.parametrize("pages", slow_but([4], [4, 20, 60]))
def test_in_a_crawl_that_was_stopped_half_way(tmp_path, pages):
    import asyncio

    from harvest.simulator import serve

    path, whole = tmp_path / "t.db", tmp_path / "whole.db"

    async def stopped():
        async with serve(WORLD, gzip=False) as server:
            assert await _stopped(path, server, pages) == "interrupted"

    asyncio.run(stopped())
    crawl_world(whole, WORLD, limits=LIMITS, page_size=5)
    one = busiest(path, "user")
    texts = texts_of(path, "user", one)
    forget_for_good(path, [("user", one)], now=NOW)
    assert contradictions(path) == {}
    crawl_world(path, WORLD, limits=LIMITS, page_size=5)
    assert [text for text in texts if text.encode() in bytes_beside(path)] == []
    assert contradictions(path) == {}
    gone = goes_with(contents(whole), "user", one)
    expected, found = without(contents(whole), gone), graph(contents(path))
    assert set(found["users"]) <= set(expected["users"])
    assert not [key for part in ("engagements", "follows") for key in found[part] if one in key[:2]]


@pytest.mark.parametrize("every", slow_but((31,), (31, 1)))
def test_killed_at_every_statement_it_is_all_or_nothing(tmp_path, every):
    crawled, path = tmp_path / "crawled.db", tmp_path / "t.db"
    crawl_world(crawled, World(4, users=6, tracks=8, seed_likers=3, seed_reposters=1), limits=Limits(max_users=2))
    ((one,),) = read(crawled, "SELECT user_id FROM user_engagements GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")

    def forgotten_in_a_child(kill_at):
        for left in tmp_path.glob("t.db*"):
            left.unlink()
        shutil.copy(crawled, path)
        return taken_out_in_a_child(lambda: forget_for_good(path, [("user", one)], now=NOW), kill_at=kill_at)

    def rows(path):
        return rows_of(path, "forgettings")  # when it was erased, and the order of numbers, are drawn

    before = rows(crawled)
    statements = forgotten_in_a_child(None)
    after = rows(path)
    assert after != before
    found = []
    for kill_at in [*range(1, statements, every), statements]:
        forgotten_in_a_child(kill_at)
        found.append({str(before): "nothing", str(after): "all"}.get(str(rows(path)), f"half at {kill_at}"))
    assert set(found) == {"nothing", "all"}
    assert found == sorted(found, reverse=True)


def test_a_reader_keeps_the_bytes_and_finish_erases_them(path, monkeypatch):
    one = busiest(path, "user")
    texts = texts_of(path, "user", one)
    monkeypatch.setattr("harvest.system.sqlite_busy.PATIENCE_SECONDS", 0.1)
    with open_to_read(path) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM users").fetchone()
        done = forget_for_good(path, [("user", one)], now=NOW)
        assert not done.erased
        assert read(path, "SELECT erased_at FROM forgettings") == [(None,)]
        with open_to_read(path) as connection:
            assert look(connection).is_unerased
        assert not finish(path, now=NOW).erased
        assert [text for text in texts if text.encode() in bytes_beside(path)] != []
    assert finish(path, now=NOW).erased
    assert [text for text in texts if text.encode() in bytes_beside(path)] == []
    assert read(path, "SELECT erased_at FROM forgettings") == [("2026-11-29T12:00:00Z",)]
    with open_to_read(path) as connection:
        assert not look(connection).is_unerased


def test_old_bytes_in_the_free_room_of_pages_are_erased_too(path):
    one = busiest(path, "user")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute("CREATE TABLE x (t TEXT)")
    connection.execute("INSERT INTO x VALUES ('soundcloud:users:' || ? || ' was here')", (one,))
    connection.execute("DROP TABLE x")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    urn = f"soundcloud:users:{one}".encode()
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM pages WHERE 0")
    connection.close()
    assert b" was here" in bytes_beside(path)
    done = forget_for_good(path, [("user", one)], now=NOW)
    assert (done.erased, done.found) == (True, {})
    assert urn not in bytes_beside(path)
    assert contradictions(path) == {}


def test_what_others_write_of_them_stays_and_is_told(path):
    one = busiest(path, "user")
    (name,) = texts_of(path, "user", one)[:1]
    connection = sqlite3.connect(path)
    with connection:
        (other,) = connection.execute("SELECT id FROM tracks WHERE uploader_id <> ? LIMIT 1", (one,)).fetchone()
        connection.execute("UPDATE tracks SET description = 'thanks, ' || ? WHERE id = ?", (name, other))
    connection.close()
    done = forget_for_good(path, [("user", one)], now=NOW)
    assert done.mentions == {"tracks.description": 1}
    assert done.clean
    assert read(path, "SELECT description FROM tracks WHERE id = ?", other) == [(f"thanks, {name}",)]


def test_the_picture_that_everybody_has_who_has_none_is_not_told_of(path):
    ((picture, n),) = read(
        path, "SELECT avatar_url, count(*) FROM users WHERE avatar_url LIKE '%default_avatar%' GROUP BY 1"
    )
    ((one,),) = read(path, "SELECT max(id) FROM users WHERE avatar_url = ?", picture)
    done = forget_for_good(path, [("user", one)], now=NOW)
    assert (done.erased, done.found, done.mentions) == (True, {}, {})
    assert 0 < read(path, "SELECT count(*) FROM users WHERE avatar_url = ?", picture)[0][0] < n


def test_what_would_go_is_what_goes(path):
    crawl_world(path, WORLD, ["search:tracks?q=o"], Limits(depth=0))
    ((one,),) = read(
        path,
        "SELECT t.uploader_id FROM search_results AS s JOIN tracks AS t ON t.id = s.thing_id AND s.thing = 'track'"
        " LIMIT 1",
    )
    with open_to_read(path) as connection:
        connection.execute("PRAGMA query_only = OFF")
        going = would_go(connection, [("user", one)])
    before = {table: read(path, f"SELECT count(*) FROM {table}")[0][0] for table in going}
    done = forget_for_good(path, [("user", one)], now=NOW)
    left = {table: read(path, f"SELECT count(*) FROM {table}")[0][0] for table in going}
    assert {table: before[table] - left[table] for table in going} == going
    assert sum(going.values()) == done.rows
    assert going["search_results"] > 0


def test_a_crawl_that_runs_is_waited_for(path):
    one = busiest(path, "user")
    db = open_for_crawl(path)
    with Lease(path) as lease:
        lease.take(db.conn, SystemClock().now())
        with pytest.raises(CrawlBusy, match="then run this command again"):
            forget_for_good(path, [("user", one)], now=NOW)
    db.conn.close()


def test_without_the_key_the_file_is_read_and_not_written(path, tmp_path):
    one = busiest(path, "user")
    forget_for_good(path, [("user", one)], now=NOW)
    key = suppression.key_file()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    suppression.export_keys(tmp_path / "key")
    key.unlink()
    before = path.read_bytes()
    assert contradictions(path) == {}
    with pytest.raises(KeyMissing, match="--import-key FILE"):
        crawl_world(path, WORLD, limits=Limits(max_users=1))
    suppression._own_key()  # another one
    with pytest.raises(KeyMissing, match="--export-key FILE"):
        forget_for_good(path, [("user", 1)], now=NOW)
    assert path.read_bytes() == before
    assert suppression.import_keys(tmp_path / "key") == 1
    crawl_world(path, WORLD, limits=LIMITS)
    assert contradictions(path) == {}


def test_an_exported_key_takes_along_what_was_forgotten_under_it(path, tmp_path, monkeypatch):
    one = busiest(path, "user")
    forget_for_good(path, [("user", one)], now=NOW)
    remembered.export_key(tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    there = remembered.list_file().read_text("ascii").split("\n")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    suppression._own_key()  # another one
    assert remembered.import_key(tmp_path / "key") == (1, len([line for line in there if line]))
    assert remembered.import_key(tmp_path / "key") == (0, 0)
    assert set(there) == set(remembered.list_file().read_text("ascii").split("\n"))
    key = suppression.stored_keys()[1]
    assert suppression.number_of(key, "user", one) in remembered._numbers(key)
    assert len(suppression.stored_keys()) == 2


def test_an_exported_key_of_before_has_keys_alone_and_can_be_imported(path, tmp_path, monkeypatch):
    forget_for_good(path, [("user", busiest(path, "user"))], now=NOW)
    suppression.export_keys(tmp_path / "key")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    assert remembered.import_key(tmp_path / "key") == (1, 0)
    assert not remembered.list_file().exists()


def test_an_exported_key_with_a_wrong_line_changes_nothing(path, tmp_path, monkeypatch):
    forget_for_good(path, [("user", busiest(path, "user"))], now=NOW)
    remembered.export_key(tmp_path / "key")
    text = (tmp_path / "key").read_text("ascii")
    (tmp_path / "key").write_text(text.rstrip("\n") + "x\n", "ascii")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(SettingsError, match="cannot be read"):
        remembered.import_key(tmp_path / "key")
    assert suppression.stored_keys() == []


def test_verify_repeats_the_proof_by_the_numbers_alone(path):
    one = busiest(path, "user")
    forget_for_good(path, [("user", one)], now=NOW)
    assert forgotten_findings(path) == {}
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(
            "INSERT INTO users (id, seen_as, first_seen_at, last_seen_on) VALUES (?, 'full', '2026', '2026')", (one,)
        )
        connection.execute("UPDATE forgettings SET erased_at = NULL")
        connection.execute("UPDATE pages SET request = '/x' WHERE request = ''")
    connection.close()
    found = forgotten_findings(path)
    assert found["forgotten.rows"] == (f"users: user {one}",)
    assert set(found) == {"forgotten.rows", "forgotten.bytes", "forgotten.numbers"}


def forgotten_findings(path):
    with open_to_read(path) as connection:
        found = verify(connection, more=FORGOTTEN_CHECKS)
        return {one.check.name: one.examples for one in found if one.check in FORGOTTEN_CHECKS and one.contradictions}


def test_the_key_is_not_in_the_file(path):
    forget_for_good(path, [("user", busiest(path, "user"))], now=NOW)
    (line,) = suppression.key_file().read_text().split()
    assert bytes.fromhex(line) not in bytes_beside(path)
    assert line.encode() not in bytes_beside(path)


def test_changes_that_speak_of_it_are_emptied(path):
    one, other = busiest(path, "user"), busiest(path, "track")
    db = open_for_crawl(path)
    with db.atomic():
        db.conn.execute("UPDATE users SET username = 'Another Name' WHERE id = ?", (one,))
        order = json.dumps([other, 1, 2])
        db.conn.execute(
            'INSERT INTO changes (at, what, "table", ids, old, new)'
            " VALUES ('x', 'edited', 'playlists', '{\"id\":1}', ?, ?)",
            (order, order),
        )
    db.conn.close()
    forget_for_good(path, [("user", one), ("track", other)], now=NOW)
    rows = read(path, 'SELECT what, "table", ids, old, new FROM changes ORDER BY version DESC LIMIT 3')
    assert rows[:2] == [
        ("forgotten", "forgettings", '{"id":1}', None, None),
        ("edited", "playlists", '{"id":1}', "[1,2]", "[1,2]"),
    ]
    assert b"Another Name" not in bytes_beside(path)
