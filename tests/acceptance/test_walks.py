"""`--order walk`: people far from the seeds, weighed by how likely a walk was to come to them."""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from harvest.errors import SettingsError
from harvest.inference.estimate import estimate as asked
from harvest.inference.questions import Question
from harvest.models import Limits
from harvest.simulator import World
from harvest.store.database import open_to_read
from tests.crawling import assert_sound, crawl_world, read
from tests.planned import Case, lines_of

WALK = Limits(order="walk", max_users=20, depth=12, read=("likers", "likes"), sample_seed=3)


def a_world(number, users=1500):
    return World(number, users=users, tracks=2 * users, likes_per_user=12, seed_likers=120, seed_reposters=10)


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    path = tmp_path_factory.mktemp("walked") / "t.db"
    crawl_world(path, a_world(1), limits=WALK)
    return path


def answer(path, **question):
    with contextlib.closing(open_to_read(path)) as connection:
        return asked(connection, Question(**question))


def listed(world, kind, subject):
    return () if world.is_gone(subject) or world.is_forbidden(subject) else world.listing(kind, subject)


def test_a_walk_is_a_chain_of_people_who_like_what_the_one_before_likes(walked):
    assert_sound(walked)
    world = a_world(1)
    steps = read(
        walked,
        """
        SELECT o.subject_id, t.subject_id, v.thing_id, v.depth FROM visits AS v
        JOIN tasks AS t ON t.id = v.parent_task_id
        JOIN visits AS b ON b.thing = 'track' AND b.thing_id = t.subject_id
        JOIN tasks AS o ON o.id = b.parent_task_id
        WHERE v.thing = 'user' AND v.depth > 1
        """,
    )
    for before, track, person, _ in steps:
        assert track in listed(world, "user_likes", before)
        assert person in world.listing("track_likers", track)
    assert len({track for _, track, _, _ in steps}) == len(steps)
    assert {depth for *_, depth in steps} == set(range(2, 13))
    chances = read(walked, "SELECT DISTINCT depth > 1, chance IS NULL FROM visits WHERE thing = 'user' ORDER BY 1")
    assert chances == [(0, 0), (1, 1)]


def test_the_estimate_is_the_mean_weighed_by_one_over_the_number_of_likes(walked):
    world = a_world(1)
    far = [row[0] for row in read(walked, "SELECT thing_id FROM visits WHERE thing = 'user' AND depth > 3")]
    likes = {person: len(listed(world, "user_likes", person)) for person in far}
    answered = [n for n in likes.values() if n]
    found = answer(walked)
    assert found.answers[0].estimate.value == pytest.approx(len(answered) / sum(1 / n for n in answered))
    assert (found.population, found.drawn, found.answered) == (None, len(far), len(answered))
    followers = {
        row[0]: row[1]
        for row in read(walked, "SELECT id, followers_count FROM users WHERE followers_count IS NOT NULL")
    }
    known = [(followers[person], n) for person, n in likes.items() if n and person in followers]
    mean = sum(value / n for value, n in known) / sum(1 / n for _, n in known)
    assert answer(walked, of="followers").answers[0].estimate.value == pytest.approx(mean)


def test_views_of_the_walk_say_the_same(walked):
    page = (Path(__file__).parents[2] / "docs" / "sampling.md").read_text("utf-8")
    (sql,) = (block for block in re.findall(r"^```sql\n(.*?)^```$", page, re.MULTILINE | re.DOTALL) if "walks" in block)
    mean, setting_out = read(walked, sql)[0]
    assert mean == pytest.approx(answer(walked).answers[0].estimate.value)
    assert 0 < setting_out <= 20
    walkers = read(walked, "SELECT walker, max(stop), count(*) FROM walks GROUP BY walker")
    assert len(walkers) == 20
    assert all(last == stops for _, last, stops in walkers)
    assert max(last for _, last, _ in walkers) == 12


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"total": True}, "The number of people a walk can reach is unknown: leave out --total."),
        ({"estimator": "ht"}, "--estimator ht needs all who are listed: leave it out for a walk."),
        ({"track_id": 7}, "track 7 is no seed"),
    ],
    ids=repr,
)
def test_a_walk_refuses_what_it_cannot_know(walked, question, words):
    with pytest.raises(SettingsError, match=words.replace("(", r"\(")):
        answer(walked, **question)


@pytest.mark.parametrize(
    ("lists", "words"),
    [
        ({"read": ("likers", "likes", "uploads"), "via": ("uploads",)}, "by uploads"),
        ({"read": ("likers", "likes", "followers"), "via": ("followers",)}, "the followings are not walked by"),
    ],
    ids=["uploads", "followers"],
)
def test_a_walk_that_cannot_come_back_has_no_estimate(tmp_path, lists, words):
    limits = replace(WALK, max_users=3, depth=2, seed_read=(), **lists)
    crawl_world(tmp_path / "t.db", a_world(2, users=200), limits=limits)
    with pytest.raises(SettingsError, match=words):
        answer(tmp_path / "t.db")


def test_a_plan_foresees_a_walk(tmp_path):
    """Walkers that meet or find nobody left are fewer than a plan can know, never more."""
    world = a_world(1)
    case = Case("walk", 1, world, world.seed_url(), replace(WALK, max_users=10, depth=6), 50)
    plan, _ = asyncio.run(case.plan(0.5))
    for line in ("requests", "likes and reposts"):
        told = lines_of(plan)[line]
        assert told.low / 1.5 <= case.actual[line] <= told.high


@pytest.mark.slow
def test_intervals_hold_the_truth_of_everybody_who_can_be_reached(tmp_path):
    held = 0
    for number in range(12):
        made = a_world(number, users=3000)
        path = tmp_path / f"{number}.db"
        crawl_world(path, made, limits=replace(WALK, max_users=20, depth=15, sample_seed=number))
        everybody = [made.id("user", place) for place in range(3000)]
        likes = [n for person in everybody if (n := len(listed(made, "user_likes", person)))]
        found = answer(path).answers[0].estimate
        held += found.low <= fmean(likes) <= found.high
    assert held >= 9
