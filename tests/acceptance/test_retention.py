"""`harvest tend --retain`: what is about to expire is read again first, and what could not be is purged then."""

from __future__ import annotations

import json
import sqlite3

import pytest

from tests.crawling import read
from tests.forgetting import contradictions

EDGES = (
    "SELECT user_id, track_id, engagement_type, user_list_rank, track_list_rank FROM user_engagements ORDER BY 1, 2, 3"
)
LISTS = """
    SELECT count(*), sum(t.outcome = 'purged') FROM tasks AS t JOIN outcomes AS o USING (outcome)
    WHERE t.kind NOT IN ('resolve', 'lookup') AND (o.answered OR o.outcome = 'purged')
"""


@pytest.fixture
def crawled(run, server, tmp_path):
    """A small crawl."""
    done = run(server.world.seed_url(), "--cache-path", "t.db", "--max-users", "6", "-q", server=server)
    assert done.returncode == 0, done.stderr
    return tmp_path / "t.db"


def age(path, days):
    """Let everything in a file have been seen so many days earlier."""
    columns = read(
        path,
        "SELECT t.name, c.name FROM pragma_table_list AS t JOIN pragma_table_info(t.name) AS c"
        " WHERE t.type = 'table' AND c.name GLOB '*_[ao][tn]' AND c.name <> 'created_at' AND c.type = 'TEXT'",
    )
    assert {("readings", "ended_at"), ("pages", "fetched_at"), ("users", "last_seen_on")} <= set(columns)
    with sqlite3.connect(path) as connection:
        for table, column in columns:
            form = "%Y-%m-%d" if column.endswith("_on") else "%Y-%m-%dT%H:%M:%SZ"
            connection.execute(f'UPDATE "{table}" SET {column} = strftime(?, {column}, ?)', (form, f"-{days} days"))
    connection.close()


def test_tend_reads_what_is_about_to_expire_before_it_purges(run, server, crawled):
    path = crawled
    before, ((n, _),) = read(path, EDGES), read(path, LISTS)
    age(path, 27)
    done = run("tend", "--retain", "30d", "--cache-path", "t.db", "--json", server=server)
    assert (done.returncode, json.loads(done.stdout)["state"], json.loads(done.stdout)["lists"]) == (0, "done", n)
    assert (read(path, EDGES), read(path, LISTS)) == (before, [(n, 0)])
    assert contradictions(path) == {}
    age(path, 40)
    done = run("tend", "--max-requests", "3", "--cache-path", "t.db", server=server)
    assert done.returncode == 0
    assert "1 list read again" in done.stdout  # for more there was no room, so the rest is purged
    assert read(path, LISTS) == [(n, n - 1)]
    ((kind, subject),) = read(
        path, "SELECT kind, subject_id FROM tasks WHERE outcome IN ('complete', 'short') AND reading"
    )
    place, deed = {"user_likes": (0, "like"), "track_likers": (1, "like"), "track_reposters": (1, "repost")}[kind]
    named = {edge[:3] for edge in before if (edge[place], edge[2]) == (subject, deed) and edge[3 + place] is not None}
    assert {edge[:3] for edge in read(path, EDGES)} == named
    assert contradictions(path) == {}
