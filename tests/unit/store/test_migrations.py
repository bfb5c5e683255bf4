"""The schema's version is that of its files, and whoever changes an older file copies it first."""

from __future__ import annotations

import pytest

from harvest.errors import NotADatabase, SchemaTooNew
from harvest.models import Limits
from harvest.simulator import World
from harvest.store import database
from tests.crawling import crawl_world, read

WORLD = World(3, users=30, tracks=60, seed_likers=8, seed_reposters=2)
NOW = database.schema_version()
NEXT = (f"{NOW + 1:03}_more", "-- One more.\nCREATE TABLE more (x INTEGER) STRICT;\n")


def test_the_version_of_a_new_file_is_the_number_of_the_last_one_in_schema(tmp_path):
    crawl_world(tmp_path / "t.db", WORLD, limits=Limits(max_users=1))
    numbers = [int(name[:3]) for name, _ in database.schema_files()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert read(tmp_path / "t.db", "PRAGMA user_version") == [(numbers[-1],)]


def test_a_crawl_copies_an_older_file_before_it_changes_it(tmp_path, monkeypatch):
    path = tmp_path / "t.db"
    crawl_world(path, WORLD, limits=Limits(max_users=1))
    before = read(path, "SELECT name FROM sqlite_schema ORDER BY 1"), read(path, "SELECT * FROM pages")
    files = [*database.schema_files(), NEXT]
    monkeypatch.setattr(database, "schema_files", lambda: files)
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
