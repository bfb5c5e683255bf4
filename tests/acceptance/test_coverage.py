"""How much of a population's likes a sample has seen: what status, report and Python say is what the world says."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from dataclasses import asdict

import pytest

import harvest
from harvest.estimates.richness import coverage
from harvest.models import Limits
from harvest.simulator import serve
from harvest.simulator.oracle import expect
from harvest.store import rounds
from harvest.store.database import open_to_read
from harvest.store.samples import coverages
from tests.crawling import Onlooker, crawl_into, crawl_world, read
from tests.estimating import a_world

WORLD = a_world(4)
LIMITS = Limits(max_users=60, max_user_likes=40, order="random", sample_seed=3)


def lists_of(truth, people):
    """What each person likes, by the world itself."""
    likes = {person: [] for person in people}
    for (user, track, deed), (rank, _) in truth.engagements.items():
        if user in likes and deed == "like" and rank is not None:
            likes[user].append(track)
    return [likes[person] for person in people]


def judged(path):
    with contextlib.closing(open_to_read(path)) as connection:
        (found,) = coverages(connection)
    return found


def test_a_sample_is_judged_as_the_world_has_it(tmp_path):
    path = tmp_path / "t.db"
    crawl_world(path, WORLD, limits=LIMITS)
    found = judged(path)
    all_of_it = expect(WORLD, **asdict(Limits(max_users=10_000, max_user_likes=40)))
    (everybody,) = all_of_it.followed.values()
    truth = expect(WORLD, **asdict(LIMITS))
    (people,) = truth.followed.values()
    lists = lists_of(truth, people)
    assert found.coverage == coverage(lists, len(everybody))
    assert (found.sample.wanted, found.sample.censored) == (60, sum(len(one) == 40 for one in lists))
    rest = lists_of(all_of_it, [person for person in everybody if person not in people])
    seen = {track for one in lists for track in one}
    new = sum(track not in seen for one in rest for track in one) / sum(map(len, rest))
    assert found.coverage.low <= new <= found.coverage.high
    assert found.coverage.tracks_at_least <= len(seen | {track for one in rest for track in one})


def test_a_sample_under_way_is_judged_by_its_first_people_whatever_came_first(tmp_path):
    path = tmp_path / "t.db"

    async def stopped():
        async with serve(WORLD, gzip=False) as server:
            how = {"onlooker": Onlooker(stop_after_pages=35), "max_in_flight": 4}
            assert await crawl_into(path, server, limits=LIMITS, **how) == "interrupted"

    asyncio.run(stopped())
    found = judged(path)
    (people,) = expect(WORLD, **asdict(LIMITS)).followed.values()
    ended = {row[0] for row in read(path, "SELECT subject_id FROM tasks WHERE kind = 'user_likes' AND outcome > ''")}
    first = next(place for place, person in enumerate(people) if person not in ended)
    assert 0 < first < 60
    assert [one.user_id for one in found.sample.people] == list(people[:first])
    assert found.coverage.people == first
    assert found.coverage.population == judged_whole(tmp_path).population


def test_who_was_read_before_their_turn_counts_when_all_before_them_have_been(tmp_path):
    path = tmp_path / "t.db"
    crawl_world(path, WORLD, limits=LIMITS)
    truth = expect(WORLD, **asdict(LIMITS))
    (people,) = truth.followed.values()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE tasks SET outcome = NULL WHERE kind = 'user_likes' AND subject_id = ?", people[20:21]
        )
    found = judged(path)
    assert [one.user_id for one in found.sample.people] == list(people[:20])
    assert found.coverage == coverage(lists_of(truth, people[:20]), found.coverage.population)


def judged_whole(folder):
    crawl_world(folder / "whole.db", WORLD, limits=LIMITS)
    return judged(folder / "whole.db").coverage


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(max_users=20), "people were not drawn by chance, but followed newest first"),
        pytest.param(
            Limits(max_users=20, order="popular"),
            "people were not drawn by chance, but followed the most followed first",
            marks=pytest.mark.slow,
        ),
        (Limits(max_users=500), "everybody listed is followed, so nothing is left to estimate"),
        (Limits(depth=0), "nobody is followed"),
        (Limits(max_users=20, order="random", read=("likers", "reposts"), via=()), "the likes of people are not read"),
    ],
    ids=lambda value: "" if isinstance(value, str) else value.order,
)
def test_without_a_draw_there_is_a_reason_and_no_share(tmp_path, limits, why):
    crawl_world(tmp_path / "t.db", WORLD, limits=limits)
    told = judged(tmp_path / "t.db").as_json()
    assert told["reason"] == why
    assert "new_share" not in told
    assert "low" not in told


def test_who_may_be_missing_from_a_list_that_failed_is_not_estimated_for(tmp_path):
    path = tmp_path / "t.db"
    crawl_world(path, WORLD, limits=LIMITS)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE tasks SET outcome = 'failed' WHERE kind = 'track_reposters'")
    assert judged(path).reason.startswith("a list that names people could not be read")


def test_status_says_it_in_words_and_numbers(run, server):
    options = ("--delay", "0", "-q", "--db", "t.db")
    assert run(server.world.seed_url(), "--sample", "15", *options, server=server).returncode == 0
    told = json.loads(run("status", "--json", "--db", "t.db").stdout)["coverage"]
    assert 0 < told["low"] <= told["new_share"] <= told["high"] < 1
    assert (told["people"], told["population"] > 15) == (15, True)
    lines = run("status", "--db", "t.db").stdout
    assert f"15 of {told['population']} people, drawn by lot" in lines
    assert f"{told['new_share']:.1%} of the next person's likes would be new" in lines


def test_python_says_the_same(tmp_path):
    crawl_world(tmp_path / "t.db", WORLD, limits=LIMITS)
    assert harvest.open(tmp_path / "t.db").coverage() == [judged(tmp_path / "t.db")]


def test_draws_are_the_choice_itself(tmp_path):
    path = tmp_path / "t.db"
    crawl_world(path, WORLD, limits=LIMITS)
    with contextlib.closing(open_to_read(path)) as connection:
        (choice,) = rounds.draws(connection, 1, LIMITS)
        rows = connection.execute(choice.sql, choice.parameters).fetchall()
    chosen = read(path, "SELECT thing_id, place, chance FROM visits WHERE round = 1 AND thing = 'user' ORDER BY place")
    assert [(user, place, chance) for _, user, place, _, chance in rows] == chosen
