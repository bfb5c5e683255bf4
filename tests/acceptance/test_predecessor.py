"""What went wrong in the tool that people come from: none of it here."""

from __future__ import annotations

import sqlite3
from urllib.parse import parse_qs, urlsplit

import pytest

from harvest.api.parse import parse_page
from harvest.errors import SettingsError
from harvest.lists import KINDS
from harvest.models import Limits
from harvest.settings import VARIABLES, Settings, read_settings
from harvest.simulator import World
from harvest.simulator.oracle import expect
from tests.crawling import Onlooker, contents, crawl_world, read

LIMITS = Limits(max_users=60, max_user_likes=50)


@pytest.fixture(scope="module")
def world() -> World:
    return World(
        24, users=90, tracks=400, likes_per_user=40, seed_likers=45, seed_reposters=25,
        gone=0.08, forbidden=0.04, blocked=0.1, null_entries=0.05,
    )  # fmt: skip


@pytest.fixture(scope="module")
def crawled(world, tmp_path_factory):
    """One crawl with small pages: the file, what the service saw, what an onlooker saw."""
    path = tmp_path_factory.mktemp("predecessor") / "t.db"
    onlooker = Onlooker()
    server = crawl_world(path, world, limits=LIMITS, page_size=15, onlooker=onlooker)
    return path, server, onlooker


@pytest.fixture(scope="module")
def path(crawled):
    return crawled[0]


@pytest.fixture(scope="module")
def asked(crawled):
    return [urlsplit(logged.target) for logged in crawled[1].requests if logged.method == "GET"]


def test_1_a_page_is_read_as_the_object_it_is(path, world):
    seed = world.seed_ids(1)[0]
    likers = read(path, "SELECT user_id FROM user_engagements WHERE track_id = ? AND engagement_type = 'like'"
                        " AND track_list_rank IS NOT NULL ORDER BY track_list_rank", seed)  # fmt: skip
    assert [row[0] for row in likers] == list(world.listing("track_likers", seed))


def test_2_objects_without_a_numeric_id_are_understood():
    body = b'{"collection": [{"kind": "user", "urn": "soundcloud:users:7", "username": "Ada"}], "next_href": null}'
    page, _ = parse_page(body, KINDS["track_likers"])
    assert (page.items, page.users[7].username, page.skipped) == ((7,), "Ada", 0)


def test_3_no_list_of_people_or_likes_is_paged_by_offset(asked):
    assert [url for url in asked if "offset" in parse_qs(url.query)] == []


def test_4_no_dead_or_deprecated_path_is_asked(asked):
    last = {url.path.rsplit("/", 1)[-1] for url in asked if url.path.count("/") > 2}
    assert last == {"favoriters", "reposters", "tracks"}
    assert not any(url.path.endswith(("/favorites", "/likes")) for url in asked)


def test_5_blocked_tracks_are_there(path):
    assert read(path, "SELECT count(*) > 0 FROM tracks WHERE access = 'blocked'") == [(1,)]


def test_7_a_page_is_as_large_as_the_service_allows(world, tmp_path):
    server = crawl_world(tmp_path / "t.db", world, limits=Limits(max_users=1))
    firsts = [parse_qs(urlsplit(r.target).query) for r in server.requests if "linked_partitioning" in r.target]
    assert {query["limit"][0] for query in firsts if "limit" in query} == {"200"}


def test_8_a_page_made_short_by_a_filter_does_not_end_a_list(path):
    short = read(
        path,
        "SELECT count(*) FROM pages p JOIN tasks t ON t.id = p.task_id WHERE t.kind = 'user_likes'"
        " AND p.received - p.skipped < 15 AND p.number < t.pages_read - 1",
    )
    assert short[0][0] > 0


def test_9_an_error_is_never_an_empty_list(path):
    wrong = read(path, "SELECT count(*) FROM tasks WHERE outcome IN ('gone', 'forbidden') AND claimed > 0")
    assert wrong[0][0] > 0
    assert read(path, "SELECT count(*) FROM failures")[0] == wrong[0]


def test_10_reposts_are_reposts(path, world):
    seed = world.seed_ids(1)[0]
    reposters = read(path, "SELECT user_id FROM user_engagements WHERE engagement_type = 'repost' AND track_id = ?"
                           " ORDER BY track_list_rank", seed)  # fmt: skip
    assert [row[0] for row in reposters] == list(world.listing("track_reposters", seed))


def test_11_people_keep_their_counts_when_they_turn_up_inside_tracks(path, world):
    found, truth = contents(path)["users"], expect(world, max_users=60, max_user_likes=50, page_size=15).users
    uploaders = {row[0] for row in read(path, "SELECT DISTINCT uploader_id FROM tracks WHERE uploader_id IS NOT NULL")}
    both = {user for user, row in truth.items() if row["seen_as"] == "list"} & uploaders
    assert len(both) > 3
    assert {user: found[user]["followers_count"] for user in both} == {
        user: truth[user]["followers_count"] for user in both
    }


def test_12_every_edge_knows_its_place_and_the_page_that_brought_it(path):
    lost = read(
        path,
        "SELECT count(*) FROM user_engagements AS e LEFT JOIN pages AS p ON p.id = e.first_page_id"
        " WHERE p.fetched_at IS NULL OR coalesce(e.user_list_rank, e.track_list_rank) IS NULL",
    )
    assert lost == [(0,)]


def test_13_tags_of_several_words_are_one_tag(path):
    assert read(path, "SELECT count(*) > 0 FROM tags WHERE name LIKE '% %' AND name NOT LIKE '%\"%'") == [(1,)]


def test_14_a_missing_title_costs_nothing(path, world):
    assert read(path, "SELECT count(*) > 0 FROM tracks WHERE title IS NULL") == [(1,)]
    assert contents(path)["engagements"] == expect(world, max_users=60, max_user_likes=50, page_size=15).engagements


def test_17_what_the_service_says_of_a_track_has_columns(path):
    columns = "created_at, reposts_count, comment_count, license, label_name, release_date, duration_ms, permalink_url"
    for column in columns.split(", "):
        assert read(path, f"SELECT count(*) > 0 FROM tracks WHERE {column} IS NOT NULL") == [(1,)], column
    assert read(path, "SELECT count(*) FROM users WHERE country IS NOT NULL OR city IS NOT NULL") == [(0,)]


def test_18_the_requests_told_are_the_requests_sent(crawled):
    path, server, _ = crawled
    assert read(path, "SELECT sum(n) FROM run_requests") == [(server.total,)]


def test_21_the_first_page_is_in_the_file_before_the_second_is_asked_for(world, tmp_path):
    path = tmp_path / "t.db"
    seen = []

    class Watching(Onlooker):
        def page_committed(self, task, page, receipt):
            super().page_committed(task, page, receipt)
            seen.append(read(path, "SELECT count(*) FROM pages")[0][0])

    crawl_world(path, world, limits=LIMITS, page_size=15, onlooker=Watching())
    assert seen == list(range(1, len(seen) + 1))


def test_22_a_page_is_one_transaction_in_wal_mode_with_keys_enforced(db):
    assert db.conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.conn.execute("PRAGMA foreign_keys").fetchone() == (1,)
    with pytest.raises(sqlite3.IntegrityError):
        db.conn.execute("INSERT INTO track_tags VALUES (1, 1)")


def test_23_a_deleted_user_costs_one_request(crawled):
    _, server, onlooker = crawled
    gone = [subject for _, subject, outcome in onlooker.failed if outcome == "gone"]
    assert gone
    for subject in gone:
        assert sum(f"soundcloud:users:{subject}/" in r.target for r in server.requests) == 1


@pytest.mark.parametrize("variable", list(VARIABLES))
def test_25_every_setting_reaches_the_program(variable):
    name = VARIABLES[variable][0]
    value = next(v for v in ("7", "https://elsewhere.example", "memory") if _takes(variable, v))
    assert str(getattr(read_settings({variable: value}), name)).startswith(value)
    assert getattr(read_settings({}), name) != getattr(read_settings({variable: value}), name)


def _takes(variable, value):
    try:
        read_settings({variable: value})
    except SettingsError:
        return False
    return True


def test_26_secrets_are_not_shown():
    shown = repr(Settings(client_id="id", client_secret="s3cr3t", access_token="t0k3n", refresh_token="r3fr3sh"))
    assert not any(secret in shown for secret in ("s3cr3t", "t0k3n", "r3fr3sh"))
