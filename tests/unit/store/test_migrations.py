"""The schema's version is that of its files, and whoever changes an older file copies it first."""

from __future__ import annotations

import sqlite3

import pytest

from harvest.errors import NotADatabase, SchemaTooNew
from harvest.models import Limits
from harvest.simulator import World
from harvest.store import database, schema
from harvest.verify.checks import verify
from tests.crawling import crawl_world, read

WORLD = World(3, users=30, tracks=60, seed_likers=8, seed_reposters=2)
NOW = schema.schema_version()
NEXT = (f"{NOW + 1:03}_more", "-- One more.\nCREATE TABLE more (x INTEGER) STRICT;\n")


def test_the_version_of_a_new_file_is_the_number_of_the_last_one_in_schema(tmp_path):
    crawl_world(tmp_path / "t.db", WORLD, limits=Limits(max_users=1))
    numbers = [int(name[:3]) for name, _ in schema.schema_files()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert read(tmp_path / "t.db", "PRAGMA user_version") == [(numbers[-1],)]


def test_a_crawl_copies_an_older_file_before_it_changes_it(tmp_path, monkeypatch):
    path = tmp_path / "t.db"
    crawl_world(path, WORLD, limits=Limits(max_users=1))
    before = read(path, "SELECT name FROM sqlite_schema ORDER BY 1"), read(path, "SELECT * FROM pages")
    files = [*schema.schema_files(), NEXT]
    monkeypatch.setattr(schema, "schema_files", lambda: files)
    monkeypatch.setattr(schema, "schema_names", lambda: [name for name, _ in files])
    crawl_world(path, WORLD, limits=Limits(max_users=2))
    copy = tmp_path / f"t.db.schema-{NOW}"
    assert (read(copy, "SELECT name FROM sqlite_schema ORDER BY 1"), read(copy, "SELECT * FROM pages")) == before
    assert read(copy, "PRAGMA user_version") == [(NOW,)]
    assert read(path, "PRAGMA user_version") == [(NOW + 1,)]
    assert read(path, "SELECT count(*) FROM more") == [(0,)]
    crawl_world(path, WORLD, limits=Limits(max_users=3))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["t.db", f"t.db.schema-{NOW}"]
    monkeypatch.undo()
    with pytest.raises(SchemaTooNew, match=rf"schema {NOW + 1}, this one knows {NOW}\): upgrade"):
        database.open_to_read(path)


def test_a_file_from_before_the_first_release_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "t.db"
    crawl_world(path, WORLD, limits=Limits(max_users=1))
    db = database.open_for_crawl(path)
    db.conn.execute("PRAGMA user_version = 7")
    database.fold_wal(db.conn)
    db.conn.close()
    before = path.read_bytes()
    for opening in (database.open_to_read, database.open_for_crawl):
        with pytest.raises(NotADatabase, match=r"from before 0\.1\.0.*--cache-path NEW\.db"):
            opening(path)
    assert path.read_bytes() == before


def as_of(path, version, monkeypatch, made_by):
    """Make a file as a harvest of that schema would have left it, with the rows of another file."""
    files = schema.schema_files()[:version]
    with monkeypatch.context() as older:
        older.setattr(schema, "schema_files", lambda: files)
        older.setattr(schema, "schema_names", lambda: [name for name, _ in files])
        db = database.open_for_crawl(path)
        schema.apply_schema(db)
    db.conn.execute("PRAGMA foreign_keys = OFF")
    db.conn.execute("ATTACH ? AS crawled", (str(made_by),))
    columns = {}
    for table, column in db.conn.execute(
        "SELECT s.name, c.name FROM sqlite_schema AS s CROSS JOIN pragma_table_xinfo(s.name) AS c"
        " WHERE s.type = 'table' AND c.hidden = 0 AND s.name NOT LIKE 'track_search%' AND s.name NOT LIKE '_sqlite%'"
        " AND s.name NOT LIKE 'sqlite_%' ORDER BY s.name IN ('totals', 'search_waiting', 'untold_counts')"
    ):
        columns.setdefault(table, []).append(column)
    for table, names in columns.items():
        listed = ", ".join(f'"{name}"' for name in names)
        db.conn.execute(f"DELETE FROM main.{table}")
        db.conn.execute(f"INSERT INTO main.{table} ({listed}) SELECT {listed} FROM crawled.{table}")
    db.conn.execute("INSERT INTO track_search (track_search) VALUES ('rebuild')")
    database.fold_wal(db.conn)
    db.conn.close()


def assert_sound(path):
    """Find nothing wrong with a file, whatever version made it."""
    with database.open_to_read(path) as connection:
        assert [(found.check.name, found.examples) for found in verify(connection) if found.contradictions] == []


LIKES = "SELECT * FROM user_engagements ORDER BY 1, 2, 3"


@pytest.mark.first_case
@pytest.mark.parametrize("version", range(database.OLDEST_SCHEMA, 11))
def test_likes_and_reposts_that_were_stored_as_words_stay_what_they_are(tmp_path, monkeypatch, version):
    old, new, anew = tmp_path / "old.db", tmp_path / "new.db", tmp_path / "anew.db"
    crawl_world(new, WORLD, limits=Limits(max_users=3))
    as_of(old, version, monkeypatch, new)
    before = read(old, LIKES)
    assert_sound(old)
    assert read(old, "SELECT type FROM sqlite_schema WHERE name = 'user_engagements'") == [("table",)]
    assert before == read(new, LIKES)
    assert {row[2] for row in before} == {"like", "repost"}
    crawl_world(old, WORLD, limits=Limits(max_users=3))  # nothing is left to be read
    assert read(old, "SELECT type FROM sqlite_schema WHERE name = 'user_engagements'") == [("view",)]
    assert read(old, LIKES) == before == read(tmp_path / f"old.db.schema-{version}", LIKES)
    crawl_world(old, WORLD, limits=Limits(max_users=6))
    crawl_world(anew, WORLD, limits=Limits(max_users=6))
    everything = "SELECT user_id, track_id, engagement_type, user_list_rank, track_list_rank FROM user_engagements"
    assert read(old, everything) == read(anew, everything) != before
    assert read(old, "SELECT likes, reposts FROM totals") == read(anew, "SELECT likes, reposts FROM totals")
    assert_sound(old)


def test_what_is_written_to_the_view_of_likes_is_written_to_their_table(db):
    db.conn.execute("PRAGMA foreign_keys = OFF")
    run, stored = db.conn.execute, "SELECT * FROM engagements ORDER BY 2, 3"
    run("INSERT INTO user_engagements VALUES (1, 2, 'like', 0, NULL, 3), (1, 2, 'repost', NULL, 4, 3)")
    assert run(stored).fetchall() == [(1, 2, 0, 0, None, 3), (1, 2, 1, None, 4, 3)]
    run("UPDATE user_engagements SET user_list_rank = 7 WHERE engagement_type = 'like'")
    run("UPDATE user_engagements SET track_id = 5 WHERE engagement_type = 'repost'")
    assert run(stored).fetchall() == [(1, 2, 0, 7, None, 3), (1, 5, 1, None, 4, 3)]
    run("UPDATE user_engagements SET engagement_type = 'like' WHERE track_id = 5")
    assert run(LIKES).fetchall() == [(1, 2, "like", 7, None, 3), (1, 5, "like", None, 4, 3)]
    assert run("SELECT likes, reposts FROM totals").fetchone() == (1, 1)  # a word that changes is counted by nobody
    for wrong in (
        "INSERT INTO user_engagements VALUES (1, 9, 'love', 0, NULL, 3)",
        "UPDATE user_engagements SET engagement_type = NULL",
    ):
        with pytest.raises(sqlite3.IntegrityError, match=r"NOT NULL constraint failed: engagements\.is_repost"):
            run(wrong)
    run("DELETE FROM user_engagements WHERE track_id = 5")
    assert run(stored).fetchall() == [(1, 2, 0, 7, None, 3)]
