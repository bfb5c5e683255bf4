"""Who is followed, in every order: the choice of the oracle, whatever arrives first, is killed, or is raised later."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from itertools import product

import pytest

from harvest.models import ORDERS, Limits
from harvest.simulator import World, serve
from harvest.simulator.oracle import expect
from tests.acceptance.test_resume import kill_after, read_or_nothing
from tests.crawling import Onlooker, assert_exact, crawl_into, crawl_world, graph_of, read
from tests.repetitions import each_once, slow_but

OTHERS = ORDERS[1:]
CONTROLLED = ("newest beside a control sample", "popular beside a control sample")
WORLD = World(5, users=90, tracks=300, likes_per_user=12, seed_likers=40, seed_reposters=15, null_entries=0.05)
LIMITS = Limits(max_users=12, max_user_likes=20, sample_seed=7)
HOW = {"page_size": 5, "max_in_flight": 4}

FOLLOWED = """
SELECT t.subject_id, w.depth, w.listed_rank, w.chance FROM harvest_tasks AS w JOIN tasks AS t ON t.id = w.task_id
WHERE t.kind = 'user_likes' ORDER BY w.depth, w.listed_rank, w.parent_task_id
"""


def by(order):
    """The options of an order."""
    rule, _, control = order.partition(" ")
    return {"order": rule, "control": 4 if control else 0}


def followed(path):
    return [row[0] for row in read(path, FOLLOWED)]


def chances(path):
    return {row[3] for row in read(path, FOLLOWED)}


def people(path):
    """Everybody listed around the seed."""
    return read(path, "SELECT count(DISTINCT user_id) FROM sample WHERE track_id IN (SELECT seed_id FROM harvests)")[0][
        0
    ]


@pytest.mark.parametrize(("order", "depth"), each_once([*OTHERS, *CONTROLLED], [1, 2]))
def test_the_choice_is_that_of_the_oracle(tmp_path, order, depth):
    limits = replace(LIMITS, **by(order), depth=depth, max_tracks=3)
    crawl_world(tmp_path / "t.db", WORLD, limits=limits, **HOW)
    assert_exact(tmp_path / "t.db", WORLD, limits=limits, page_size=5)
    chosen = expect(WORLD, **asdict(limits)).followed[WORLD.seed_ids(1)[0]]
    assert followed(tmp_path / "t.db")[:12] == list(chosen[:12])


WAYS = {
    "likes": {"read": ("likers", "likes")},
    "likes and reposts": {"read": ("likers", "reposters", "likes", "reposts"), "via": ("likes", "reposts")},
    "follows": {"read": ("likers", "likes", "followings", "followers"), "via": ("followings", "followers")},
    "likes, and the playlists of people": {"read": ("likers", "likes", "playlists", "playlist-tracks")},
    "likes and follows": {"read": ("likers", "likes", "followers"), "via": ("likes", "followers")},
}


@pytest.mark.parametrize("way", slow_but(["likes, and the playlists of people"], WAYS))
def test_a_walk_goes_where_the_oracle_goes_by_whatever_lists_lead_on(tmp_path, way):
    limits = replace(LIMITS, order="walk", max_users=4, depth=6, seed_read=(), **WAYS[way])
    crawl_world(tmp_path / "t.db", WORLD, limits=limits, **HOW)
    assert_exact(tmp_path / "t.db", WORLD, limits=limits, page_size=5)
    rows = read(tmp_path / "t.db", "SELECT depth, count(*) FROM visits WHERE thing = 'user' GROUP BY depth")
    steps = 1 if way in ("likes", "likes and reposts", "follows") else 9  # others lead on by several kinds of lists
    assert rows[0] == (1, 4)
    assert len(rows) == 6
    assert all(0 < n <= 4 * steps**6 for _, n in rows)


def test_another_sample_seed_draws_other_people(tmp_path):
    one, two = (replace(LIMITS, order="random", sample_seed=seed) for seed in (1, 2))
    crawl_world(tmp_path / "1.db", WORLD, limits=one, **HOW)
    crawl_world(tmp_path / "2.db", WORLD, limits=two, **HOW)
    assert set(followed(tmp_path / "1.db")) != set(followed(tmp_path / "2.db"))


@pytest.mark.parametrize(
    "order_and_stop",
    slow_but([("random", 11)], product([*OTHERS, *CONTROLLED], (1, 11))),
    ids=repr,
)
def test_a_crawl_that_is_stopped_chooses_the_same(tmp_path, order_and_stop):
    order, stop_after = order_and_stop
    limits = replace(LIMITS, **by(order), depth=2, max_tracks=2)
    whole, path = tmp_path / "whole.db", tmp_path / "t.db"
    crawl_world(whole, WORLD, limits=limits, **HOW)

    async def twice():
        async with serve(WORLD, gzip=False) as server:
            await crawl_into(path, server, limits=limits, onlooker=Onlooker(stop_after), **HOW)
            assert await crawl_into(path, server, limits=limits, **HOW) == "drained"

    asyncio.run(twice())
    assert graph_of(path) == graph_of(whole)
    assert [row[:4] for row in read(path, FOLLOWED)] == [row[:4] for row in read(whole, FOLLOWED)]


@pytest.mark.parametrize("order", slow_but(["random"], OTHERS))
def test_another_harvest_in_the_file_changes_nothing(tmp_path, order):
    """The second seed's lists were partly read for the first, with other caps."""
    one, two = WORLD.seed_urls(2)
    limits = replace(LIMITS, order=order)
    crawl_world(tmp_path / "t.db", WORLD, [one], Limits(max_users=30, max_user_likes=20), **HOW)
    crawl_world(tmp_path / "t.db", WORLD, [two], limits, **HOW)
    crawl_world(tmp_path / "alone.db", WORLD, [two], limits, **HOW)
    of_two = FOLLOWED.replace("WHERE", "WHERE w.harvest_id = (SELECT max(id) FROM harvests) AND")
    assert read(tmp_path / "t.db", of_two) == read(tmp_path / "alone.db", of_two)


def test_chances_are_n_of_n_for_a_sample_and_1_for_everybody_and_none_for_a_cut(tmp_path):
    world = World(5, users=30, tracks=80, likes_per_user=5, seed_likers=12, seed_reposters=5)
    for order in ORDERS:
        crawl_world(tmp_path / f"{order}.db", world, limits=replace(LIMITS, order=order, max_users=4), **HOW)
        crawl_world(tmp_path / f"all-{order}.db", world, limits=replace(LIMITS, order=order, max_users=30), **HOW)
        assert chances(tmp_path / f"all-{order}.db") == {1.0}
    n = people(tmp_path / "random.db")
    assert n > 4
    assert chances(tmp_path / "random.db") == {4 / n}
    assert chances(tmp_path / "newest.db") == chances(tmp_path / "popular.db") == {None}
    crawl_world(tmp_path / "control.db", world, limits=replace(LIMITS, max_users=4, control=3), **HOW)
    assert chances(tmp_path / "control.db") == {1.0, 3 / (n - 4)}
    crawl_world(tmp_path / "control.db", world, limits=replace(LIMITS, max_users=4, control=n - 4), **HOW)
    assert chances(tmp_path / "control.db") == {1.0}


def test_a_raised_control_sample_draws_the_same_and_more_and_goes_again(tmp_path):
    path, small = tmp_path / "t.db", replace(LIMITS, control=5)
    crawl_world(path, WORLD, limits=small, **HOW)
    before = followed(path)
    more = replace(small, control=9)
    crawl_world(path, WORLD, limits=more, **HOW)
    assert followed(path)[:17] == before
    assert len(followed(path)) == 12 + 9
    assert_exact(path, WORLD, limits=more, page_size=5)
    crawl_world(path, WORLD, limits=replace(small, control=0), **HOW)
    kept = {row[0]: row[3] for row in read(path, FOLLOWED)}
    assert (len(kept), set(kept.values())) == (12 + 9, {None})  # what was read stays; nobody was drawn


def test_a_raised_bound_draws_the_same_and_more(tmp_path):
    path, small = tmp_path / "t.db", replace(LIMITS, order="random")
    large = replace(small, max_users=30)
    crawl_world(path, WORLD, limits=small, **HOW)
    before = followed(path)
    server = crawl_world(path, WORLD, limits=large, **HOW)
    assert followed(path)[:12] == before
    assert chances(path) == {30 / people(path)}
    assert_exact(path, WORLD, limits=large, page_size=5)
    crawl_world(tmp_path / "at_once.db", WORLD, limits=large, **HOW)
    assert graph_of(path) == graph_of(tmp_path / "at_once.db")
    assert server.total <= 1 + 18 * 5  # nothing of the first sample again


@pytest.mark.first_case
@pytest.mark.parametrize(("first", "then"), [("newest", "random"), ("random", "newest"), ("popular", "least-known")])
def test_another_order_later_adds_and_deletes_nothing(tmp_path, first, then):
    path = tmp_path / "t.db"
    crawl_world(path, WORLD, limits=replace(LIMITS, order=first), **HOW)
    before = set(followed(path))
    crawl_world(path, WORLD, limits=replace(LIMITS, order=then), **HOW)
    wanted = expect(WORLD, **asdict(replace(LIMITS, order=then))).followed[WORLD.seed_ids(1)[0]]
    assert set(followed(path)) == before | set(wanted)
    drawn = [row for row in read(path, FOLLOWED) if row[2] is not None]
    assert [row[0] for row in drawn] == list(wanted)
    assert {row[3] for row in drawn} == ({12 / people(path)} if then == "random" else {None})
    left_over = [row for row in read(path, FOLLOWED) if row[2] is None]
    assert all(row[3] is None for row in left_over)  # not part of today's sample


def test_a_sample_is_drawn_once_the_last_list_has_ended(tmp_path):
    path = tmp_path / "t.db"

    async def stopped():
        async with serve(WORLD, gzip=False, latency=0.005) as server:
            await crawl_into(
                path, server, limits=replace(LIMITS, order="random"), onlooker=Onlooker(7), page_size=5, max_in_flight=1
            )

    asyncio.run(stopped())
    assert read(path, "SELECT count(*) FROM readings WHERE kind = 'track_likers' AND collected > 10") == [(1,)]
    assert followed(path) == []


def test_a_file_says_who_was_chosen_with_what_chance_and_what_came_of_it(tmp_path):
    path = tmp_path / "t.db"
    world = World(6, users=90, tracks=300, likes_per_user=12, seed_likers=40, seed_reposters=15, gone=0.2)
    limits = replace(LIMITS, order="random", max_users=20, max_user_likes=8)
    crawl_world(path, world, limits=limits, **HOW)
    told = expect(world, **asdict(limits))
    seed = world.seed_ids(1)[0]
    rows = read(path, "SELECT DISTINCT user_id, chosen, chance, censored, answer FROM sample")
    n = people(path)
    assert len(rows) == n
    for user, chosen, chance, censored, answer in rows:
        outcome = told.lists.get(("user_likes", user), (None,))[0]
        assert chosen == (user in told.followed[seed])
        assert chance == (20 / n if chosen else None)
        assert censored == (outcome == "capped")
        assert answer == ("not asked" if not chosen else "unanswered" if outcome == "gone" else "answered")


def test_the_command_line_draws_and_a_resumed_harvest_draws_the_same(tmp_path, run, server):
    path = tmp_path / "t.db"
    sampled = [server.world.seed_url(), "--db", path, "--delay", "0", "--sample", "7", "--sample-seed", "3"]
    assert run(*sampled, server=server, HARVEST_MAX_USERS="20").returncode == 0
    limits = Limits(max_users=7, order="random", sample_seed=3)
    assert_exact(path, server.world, limits=limits)
    asked = server.total
    assert run("resume", "--db", path, server=server).returncode == 0
    assert server.total == asked
    assert run("resume", "--db", path, "--max-users", "9", server=server).returncode == 0
    more = run(server.world.seed_url(), "--db", path, "--max-users", "9", server=server)  # the order is remembered
    assert more.returncode == 0
    assert_exact(path, server.world, limits=replace(limits, max_users=9))


def test_a_sample_in_another_order_is_refused(run, server, tmp_path):
    done = run(server.world.seed_url(), "--sample", "7", "--order", "popular", server=server)
    assert (done.returncode, server.total, list(tmp_path.iterdir())) == (2, 0, [])
    assert "--order popular" in done.stderr
    done = run(server.world.seed_url(), "--sample", "7", "--control", "3", server=server)
    assert (done.returncode, server.total, list(tmp_path.iterdir())) == (2, 0, [])
    assert "--order random already draws at random: leave out --control" in done.stderr


HALF = ({"max_users": 6, "control": 6}, ("--max-users", "6", "--control", "6"))
DRAWN = ({"max_users": 12, "order": "random"}, ("--sample", "12"))


@pytest.mark.parametrize("drawn", slow_but([HALF], [DRAWN, HALF]), ids=["all", "half of them"])
def test_a_crawl_that_is_killed_draws_the_same(tmp_path, run, start, server, drawn):
    path = tmp_path / "t.db"
    limits = Limits(max_user_likes=20, sample_seed=7, **drawn[0])
    options = ("--sample-seed", "7", "--max-user-likes", "20", "--page-size", "5", "--delay", "0")
    arguments = [server.world.seed_url(), "--db", path, "--concurrency", "4", *drawn[1], *options]
    kills = 0
    for point in (6, 24, 40):
        process = start(*arguments, server=server)
        kill_after(process, server, point, 0.002)
        kills += process.returncode != 0
        arguments = ["resume", "--db", path] if path.exists() and read_or_nothing(path) else arguments
    assert run(*arguments, server=server).returncode == 0
    assert kills >= 2
    assert_exact(path, server.world, limits=limits, page_size=5)
    crawl_world(tmp_path / "whole.db", server.world, limits=limits, **HOW)
    assert graph_of(path) == graph_of(tmp_path / "whole.db")
    assert read(path, FOLLOWED) == read(tmp_path / "whole.db", FOLLOWED)
