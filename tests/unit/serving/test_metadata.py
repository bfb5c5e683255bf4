"""What datasette is told is whole, true of the file, and harmless."""

from __future__ import annotations

import re

import pytest

from harvest.explore.named import named_queries
from harvest.serving.dictionary import plain, read_dictionary
from harvest.serving.metadata import FIRST_COLUMNS, About, by_topic, metadata, terms
from harvest.serving.server import State, is_from_home
from harvest.store.schema import schema_folder

DICTIONARY = read_dictionary(schema_folder().joinpath("README.md").read_text(encoding="utf-8"))
ABOUT = About("my file", "https://api.soundcloud.com", frozenset({"comments"}))


@pytest.fixture
def told():
    return metadata(ABOUT, DICTIONARY, named_queries())


@pytest.fixture
def tables(told):
    return told["databases"]["my file"]["tables"]


def columns_of(db):
    names = [
        row[0]
        for row in db.execute(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type <> 'shadow'"
            " AND substr(name, 1, 7) <> 'sqlite_'"
        )
    ]
    return {
        n: {row[0] for row in db.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1", (n,))}
        for n in names
    }


def test_every_table_view_and_column_is_described(db, tables):
    assert {name: set(table["columns"]) for name, table in tables.items()} == columns_of(db)
    for name, table in tables.items():
        assert table["description"], name
        assert [column for column, meaning in table["columns"].items() if not meaning] == [], name


def test_descriptions_are_plain_text(tables):
    texts = [t["description"] for t in tables.values()] + [m for t in tables.values() for m in t["columns"].values()]
    assert [text for text in texts if re.search(r"[`*]|\]\(", text)] == []
    assert plain("a `b`, **c**, *very* and\n[d](e.md)") == "a b, c, very and d"
    assert plain("what ends in * begins so: *.") == "what ends in * begins so: *."


def test_labels_facets_sorts_and_searches_name_columns_that_exist(db, tables):
    columns = columns_of(db)
    for name, table in tables.items():
        named = [table.get("label_column"), table.get("sort_desc"), *table.get("facets", [])]
        assert {column for column in named if column} <= columns[name], name
    for name, first in FIRST_COLUMNS.items():
        assert set(first) <= columns[name], name
    assert (tables["tracks"]["fts_table"], tables["tracks"]["fts_pk"]) == ("track_search", "id")


def test_tables_of_likes_have_no_facets(tables):
    """Counting millions of them for a page would take longer than a page may."""
    for name in ("user_engagements", "likes", "reposts", "interactions", "why", "edge_times_estimate", "track_tags"):
        assert "facets" not in tables[name]
        assert "sort_desc" not in tables[name]


def test_empty_tables_and_bookkeeping_are_out_of_the_way(tables):
    hidden = {name for name, table in tables.items() if table.get("hidden")}
    assert {"comments", "lease", "_sqlite_migrations"} <= hidden
    assert not {"users", "tracks", "user_engagements", "tasks", "pages", "likes"} & hidden


def test_every_named_query_is_offered_with_what_it_takes(told):
    offered = told["databases"]["my file"]["queries"]
    assert offered.keys() == named_queries().keys()
    for name, query in named_queries().items():
        assert offered[name]["title"] == query.question
        assert offered[name]["sql"] == query.body
        assert offered[name].get("params", []) == [p.name for p in query.parameters]


def test_every_named_query_stands_under_one_topic():
    found = [query.name for _, queries in by_topic(named_queries()) for query in queries]
    assert sorted(found) == sorted(named_queries())
    tracks = {query.name for query in dict(by_topic(named_queries()))["Tracks"]}
    assert {"co-likes", "near-several", "hidden-gems", "rising", "newest-fans", "bridges", "set-of"} <= tracks
    assert by_topic({}) == []


@pytest.mark.parametrize("service", ["simulator:seed=1", "http://127.0.0.1:8765"])
def test_source_and_terms_are_those_of_the_service_that_was_crawled(told, service):
    assert (told["source"], told["license_url"]) == (
        "SoundCloud",
        "https://developers.soundcloud.com/docs/api/terms-of-use",
    )
    about = About("demo", service, frozenset())
    made_up = metadata(about, DICTIONARY, {})
    assert made_up["source"] == "a simulated SoundCloud, which invents it"
    assert "license" not in made_up
    assert "invented" in terms(about)
    assert "invented" not in terms(ABOUT)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:8001", True),
        ("localhost:8001", True),
        ("LOCALHOST", True),
        ("[::1]:8001", True),
        ("evil.example:8001", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example:80", False),
        ("", False),
    ],
)
def test_only_this_computer_is_answered(host, expected):
    assert is_from_home({"headers": [(b"accept", b"*"), (b"host", host.encode())]}) is expected
    assert not is_from_home({"headers": []})


def test_a_file_is_still_until_somebody_writes(db, db_path):
    db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = State.of(db_path)
    assert before.still
    db.execute("INSERT INTO tags (name, folded) VALUES ('a', 'a')")
    db.conn.commit()
    assert not State.of(db_path).still
    db.conn.close()
    after = State.of(db_path)
    assert after.still
    assert after != before
