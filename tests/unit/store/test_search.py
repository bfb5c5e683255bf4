"""The search index is what one made anew would be, whatever happened to the tracks."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from harvest.models import Limits, SeenAs
from harvest.simulator import World
from harvest.store.database import open_to_read
from harvest.store.search import ADD_WAITING, differences
from tests.crawling import crawl_world, read
from tests.unit.store.conftest import a_track, a_user, tracks_page

LATER = "2026-11-21T10:00:00Z"


@pytest.fixture
def shelf(open_books):
    """A file with the seed and three tracks of user 9000, called track 1 to 4, in the index."""
    books = open_books(limits=Limits())
    books.resolve(1)
    books.follow(50, 51)
    page = tracks_page(2, 3, 4)
    page.tags.update({2: ("Hip-Hop",), 3: ("hip hop", "Dub")})
    books.keep(books.claim("user_likes", 50), page)
    return books


def found(books, words):
    return [row[0] for row in books.rows("SELECT rowid FROM track_search WHERE track_search MATCH ?", words)]


def wrong(books):
    """What a new index would have otherwise, told by the check itself and by SQLite's own."""
    conn: sqlite3.Connection = books.db.conn
    conn.execute("INSERT INTO track_search (track_search, rank) VALUES ('integrity-check', 1)")
    (_, _, path) = conn.execute("PRAGMA database_list").fetchone()
    with contextlib.closing(open_to_read(Path(path))) as reader:
        return [row[0] for row in differences(reader)]


def write(books, *statements):
    with books.db.atomic():
        for statement in statements:
            assert books.db.conn.execute(statement).rowcount != 0


def test_new_tracks_are_found_by_title_artist_and_tag(shelf):
    write(shelf, "UPDATE users SET username = 'Ána Märk' WHERE id = 9000")
    assert found(shelf, '"track" "3"') == [3]
    assert found(shelf, "ana mark") == [1, 2, 3, 4]
    assert found(shelf, "hiphop") == [2, 3]
    assert found(shelf, '"hip-hop"') == [2, 3]
    assert found(shelf, "tags : track") == []
    assert wrong(shelf) == []


CHANGES = {
    "a title": ("UPDATE tracks SET title = 'elsewhere' WHERE id = 3", "elsewhere", [3], '"track 3"'),
    "no title": ("UPDATE tracks SET title = NULL WHERE id = 3", "dub", [3], '"track 3"'),
    "an artist": ("UPDATE tracks SET metadata_artist = 'Somebody' WHERE id = 3", "somebody", [3], '"user 9000" "3"'),
    "an uploader": ("UPDATE tracks SET uploader_id = 50 WHERE id = 3", '"user 50"', [3], '"user 9000" "3"'),
    "no uploader": ("UPDATE tracks SET uploader_id = NULL WHERE id = 3", "dub", [3], '"user 9000" "3"'),
    "a name": ("UPDATE users SET username = 'new name' WHERE id = 9000", '"new name"', [1, 2, 3, 4], '"user 9000"'),
    "no name": ("UPDATE users SET username = NULL WHERE id = 9000", "dub", [3], '"user 9000"'),
    "a tag more": (
        "INSERT INTO track_tags SELECT 4, id FROM tags WHERE name = 'Dub'", "dub", [3, 4], "tags : track",
    ),
    "a tag less": (
        "DELETE FROM track_tags WHERE track_id = 3 AND tag_id = (SELECT id FROM tags WHERE name = 'Dub')",
        '"hip hop"', [2, 3], "dub",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found_and_what_was_before_is_not(shelf, change):
    statement, words, tracks, before = CHANGES[change]
    write(shelf, statement)
    assert found(shelf, words) == tracks
    assert found(shelf, before) == []
    assert wrong(shelf) == []


def test_a_name_does_not_reach_tracks_that_name_their_artist(shelf):
    write(shelf, "UPDATE tracks SET metadata_artist = 'Somebody' WHERE id = 3")
    write(shelf, "UPDATE users SET username = 'new name' WHERE id = 9000")
    assert found(shelf, '"new name"') == [1, 2, 4]
    assert found(shelf, "somebody") == [3]
    assert wrong(shelf) == []


def test_a_deleted_track_is_found_no_more(shelf):
    edges = "DELETE FROM engagements WHERE track_id = 3"
    write(shelf, edges, "DELETE FROM track_tags WHERE track_id = 3", "DELETE FROM tracks WHERE id = 3")
    assert found(shelf, "dub") == []
    assert found(shelf, '"user 9000"') == [1, 2, 4]
    assert wrong(shelf) == []


def test_a_track_that_came_and_went_before_its_page_ended_leaves_nothing(shelf):
    write(
        shelf,
        "INSERT INTO tracks (id, title, seen_as, first_seen_at, last_seen_on) VALUES (77, 'brief', 'list', '', '')",
        "UPDATE tracks SET title = 'briefer' WHERE id = 77",
        "INSERT INTO track_tags SELECT 77, min(id) FROM tags",
        "DELETE FROM track_tags WHERE track_id = 77",
        "DELETE FROM tracks WHERE id = 77",
    )
    assert shelf.rows("SELECT * FROM search_waiting") == []
    assert wrong(shelf) == []


def test_a_later_page_changes_what_is_found(shelf):
    """Title, name and tags change on a page that brings a new track as well."""
    page = tracks_page(3, 4, 5)
    page.tracks[3] = a_track(3, uploader_id=9000, title="other")
    page.users[9000] = a_user(9000, seen_as=SeenAs.EMBEDDED, username="renamed")
    page.tags.update({3: ("hip hop", "Dub", "Ambient"), 5: ("Ambient",)})
    shelf.keep(shelf.claim("user_likes", 51), page)
    assert found(shelf, "ambient") == [3, 5]
    assert found(shelf, "renamed") == [1, 2, 3, 4, 5]
    assert found(shelf, "title : other") == [3]
    assert found(shelf, '"track 3"') == found(shelf, '"user 9000"') == []
    assert shelf.rows("SELECT * FROM search_waiting") == []
    assert wrong(shelf) == []


@pytest.mark.parametrize("tags", [(), ("hip hop",), ("Ambient", "Dub two"), ("Dub", "hip hop")])
def test_a_tag_that_a_later_page_leaves_out_is_found_no_more(shelf, tags):
    page = tracks_page(3)
    page.tags.update({3: tags})
    shelf.keep(shelf.claim("user_likes", 51), page)
    assert found(shelf, "tags : dub") == ([3] if "Dub" in " ".join(tags) else [])
    assert found(shelf, 'tags : "hip hop"') == ([2, 3] if "hip hop" in tags else [2])
    assert wrong(shelf) == []


def test_the_same_page_again_writes_nothing_into_the_index(shelf):
    before = shelf.rows("SELECT id, block FROM track_search_data")
    page = tracks_page(2, 3, 4)
    page.tags.update({2: ("Hip-Hop",), 3: ("hip hop", "Dub")})
    shelf.keep(shelf.claim("user_likes", 51), page)
    assert shelf.rows("SELECT id, block FROM track_search_data") == before


def test_all_new_tracks_of_a_page_make_one_segment(shelf):
    """In the order of ids, or each id that is smaller than the one before costs a write."""
    segments = "SELECT count(DISTINCT segid) FROM track_search_idx"
    ((before,),) = shelf.rows(segments)
    shelf.keep(shelf.claim("user_likes", 51), tracks_page(90, 20, 70, 30))
    assert shelf.rows(segments) == [(before + 1,)]


def test_the_texts_of_waiting_tracks_are_looked_up_by_key(db):
    plan = [row[3] for row in db.conn.execute(f"EXPLAIN QUERY PLAN {ADD_WAITING}")]
    assert plan[:2] == ["SCAN w", "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)"]
    assert not any("TEMP B-TREE" in line for line in plan)


def test_a_whole_crawl_and_a_second_one_over_changed_rows_leave_the_index_a_new_one_would_be(tmp_path):
    path = tmp_path / "t.db"
    world = World(11, users=60, tracks=300, likes_per_user=30, seed_likers=30, seed_reposters=10, null_entries=0.05)
    crawl_world(path, world, limits=Limits(max_users=9), page_size=20)
    changes = (
        "UPDATE tracks SET title = title || ' changed', last_seen_on = '2020-01-01' WHERE id % 3 = 0",
        "UPDATE users SET username = 'was ' || id, last_seen_on = '2020-01-01' WHERE id % 2 = 0",
        "DELETE FROM track_tags WHERE track_id % 2 = 0 AND tag_id % 2 = 0",
    )
    connection = sqlite3.connect(path)
    assert 0 not in [connection.execute(change).rowcount for change in changes]
    connection.commit()
    connection.close()
    crawl_world(path, world, limits=Limits(max_users=30), page_size=20)
    with contextlib.closing(open_to_read(path)) as connection:
        assert list(differences(connection)) == []
    (words,) = read(path, "SELECT count(*) FROM track_search WHERE track_search MATCH 'changed OR was'")
    (left,) = read(
        path,
        "SELECT count(*) FROM track_texts WHERE title LIKE '% changed%' OR artist LIKE 'was %'",
    )
    assert words == left
