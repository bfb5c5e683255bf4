"""Who asks gets every row that is about them: once, and with what `changes` tells of it."""

from __future__ import annotations

import json

import pytest

from harvest.forgetting.access import everything
from harvest.simulator import World
from harvest.store.database import open_for_crawl, open_to_read
from tests.crawling import crawl_world, read
from tests.refreshing import LIMITS

WORLD = World(3, users=20, tracks=30, seed_likers=8, seed_reposters=3)
TOLD = [
    ("users", {"id": 1}),
    ("user_engagements", {"user_id": 1, "track_id": 2, "engagement_type": "like"}),
    ("user_follows", {"follower_id": 2, "followee_id": 1}),
    ("tracks", {"id": 1}),
    ("user_engagements", {"user_id": 2, "track_id": 1, "engagement_type": "like"}),
]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("crawled") / "t.db"
    crawl_world(path, WORLD, limits=LIMITS)
    db = open_for_crawl(path)
    with db.atomic():
        db.conn.executemany(
            "INSERT INTO changes (at, what, \"table\", ids) VALUES ('x', 'came', ?, ?)",
            [(table, json.dumps(ids)) for table, ids in TOLD],
        )
    db.conn.close()
    return path


@pytest.mark.parametrize(("thing", "told"), [("user", TOLD[:3]), ("track", TOLD[3:]), ("playlist", [])])
def test_changes_of_it_and_of_what_leads_to_it_are_told(path, thing, told):
    with open_to_read(path) as connection:
        rows = everything(connection, thing, 1).get("changes", [])
    assert [(row["table"], json.loads(row["ids"])) for row in rows] == told


def test_follows_are_those_of_both_sides_each_once(path):
    ((one,),) = read(path, "SELECT followee_id FROM user_follows GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
    rows = "SELECT follower_id, followee_id FROM user_follows WHERE ? IN (follower_id, followee_id) ORDER BY 1, 2"
    with open_to_read(path) as connection:
        held = everything(connection, "user", one)["user_follows"]
    assert sorted((row["follower_id"], row["followee_id"]) for row in held) == read(path, rows, one) != []
