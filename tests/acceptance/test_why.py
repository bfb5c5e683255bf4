"""Every like and repost leads up to the seed: in the view, on the command line, in words and as JSON."""

from __future__ import annotations

import json

import pytest

from harvest.models import Limits
from harvest.simulator import World
from tests.crawling import crawl_world, read

LIMITS = Limits(max_users=15, max_user_likes=20, max_tracks=3, depth=3)
WORLD = World(8, users=90, tracks=300, likes_per_user=12, seed_likers=30, seed_reposters=10)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A crawl of three levels around two seeds."""
    path = tmp_path_factory.mktemp("why") / "t.db"
    crawl_world(path, WORLD, WORLD.seed_urls(2), LIMITS, page_size=7)
    return path


def parents(path):
    rows = read(
        path,
        "SELECT w.harvest_id, w.task_id, w.parent_task_id, t.kind, t.subject_id, w.depth FROM harvest_tasks w"
        " JOIN tasks t ON t.id = w.task_id",
    )
    return {(row[0], row[1]): row[2:] for row in rows}


def test_the_chain_of_every_edge_leads_to_the_looking_up_of_the_seed(path):
    known = parents(path)
    rows = read(path, "SELECT harvest_id, task_id, chain, user_id, track_id FROM why")
    assert len({row[3:] for row in rows}) == len(set(read(path, "SELECT user_id, track_id FROM user_engagements")))
    depths = set()
    for harvest, task, chain, *_ in rows:
        expected = []
        while task is not None:
            parent, kind, subject, depth = known[harvest, task]
            expected.append((task, kind, subject, depth))
            task = parent
        told = [tuple(step[k] for k in ("task_id", "kind", "subject_id", "depth")) for step in json.loads(chain)]
        assert told == expected
        assert told[-1][1:] == ("resolve", harvest, 0)  # each harvest has one seed: they have the same numbers
        depths.add(told[0][3])
    assert depths == {1, 2, 3}


def test_a_chain_never_goes_in_circles_after_other_options(tmp_path):
    path = tmp_path / "t.db"
    for order in ("newest", "random", "popular", "newest"):
        limits = Limits(max_users=8, max_user_likes=20, max_tracks=3, depth=3, order=order)
        crawl_world(path, WORLD, limits=limits, page_size=50)
        for (chain,) in read(path, "SELECT chain FROM why"):
            steps = json.loads(chain)
            assert steps[-1]["kind"] == "resolve"
            assert len({step["task_id"] for step in steps}) == len(steps) <= 7


def ask(run, path, thing, which, *more):
    return run("why", thing, which, "--db", path, *more)


def test_a_person_is_found_by_id_urn_and_address(run, path):
    ((user, url),) = read(path, "SELECT id, permalink_url FROM users ORDER BY id LIMIT 1")
    spellings = [user, f"soundcloud:users:{user}", url, f"{url}?utm=1", url.removeprefix("https://"), f"{url}/"]
    told = {ask(run, path, "user", str(which), "--json").stdout for which in spellings}
    assert len(told) == 1
    assert json.loads(told.pop())["id"] == user


def test_somebody_deep_down_is_told_with_every_list_on_the_way(run, path):
    ((user,),) = read(
        path,
        "SELECT t.subject_id FROM harvest_tasks w JOIN tasks t ON t.id = w.task_id"
        " WHERE t.kind = 'user_likes' AND w.depth = 3 ORDER BY w.harvest_id, w.task_id LIMIT 1",
    )
    reason = json.loads(ask(run, path, "user", user, "--json").stdout)
    assert 3 in {chosen["depth"] for chosen in reason["chosen"]}
    because = reason["because"][0]
    assert because["user_id"] == because["id"] == user
    kinds = [step["kind"] for step in because["chain"]]
    assert kinds[0] in ("track_likers", "track_reposters")
    assert kinds[-1] == "resolve"
    said = ask(run, path, "user", user, "--limit", "1")
    assert said.returncode == 0
    assert said.stdout.count("    from ") >= 2
    assert because["seed"] in said.stdout
    assert f"user {user}" in said.stdout.splitlines()[0]


def test_a_track_a_seed_and_an_uploader_are_told(run, path):
    seed = WORLD.seed_ids(1)[0]
    assert f"is a seed: {WORLD.seed_url()}" in ask(run, path, "track", seed).stdout
    ((track,),) = read(path, "SELECT track_id FROM user_engagements WHERE track_list_rank IS NULL LIMIT 1")
    reason = json.loads(ask(run, path, "track", track, "--limit", "1", "--json").stdout)
    named = "SELECT count(*) FROM user_engagements WHERE track_id = ? AND user_list_rank IS NOT NULL"
    assert reason["total"] == read(path, named, track)[0][0]
    assert reason["because"][0]["chain"][0]["kind"] == "user_likes"
    ((uploader,),) = read(
        path,
        "SELECT id FROM users WHERE id IN (SELECT uploader_id FROM tracks) AND NOT EXISTS"
        " (SELECT 1 FROM user_engagements e WHERE e.user_id = users.id) LIMIT 1",
    )
    said = ask(run, path, "user", uploader).stdout
    assert "uploaded track" in said
    assert "from the seed" in said


@pytest.mark.parametrize(
    "which", ["1", "soundcloud:users:1", "https://soundcloud.com/nobody-at-all", "nobody", "'; --"]
)
def test_what_is_not_there_is_said_in_one_line(run, path, which):
    done = ask(run, path, "user", which)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert "no user" in done.stderr


def test_the_way_up_is_looked_up_by_keys(path):
    plan = " | ".join(row[3] for row in read(path, "EXPLAIN QUERY PLAN SELECT chain FROM why WHERE user_id = 1"))
    assert "SEARCH engagements USING" in plan
    assert "SCAN v" not in plan
    assert "SCAN w" not in plan
    assert "SCAN n" not in plan
