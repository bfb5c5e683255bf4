"""Estimate what the people around a track are like from those who were followed, and compare with all of them."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from statistics import NormalDist, fmean, stdev
from typing import Any, NamedTuple

from harvest.inference.estimate import estimate as asked
from harvest.inference.questions import Question
from harvest.models import Limits
from harvest.simulator import World
from harvest.simulator.oracle import expect
from harvest.store.database import open_to_read
from tests.crawling import crawl_world, read

QUESTIONS = ("likes", "genre")
CAP = 80  # likes read of each; who has more is censored in the sample, and counts in the truth with all of them
SURE = NormalDist().inv_cdf(0.975)

# Of everybody followed whose list was answered: how many likes, and how many of them of one genre.
ASKED = """
SELECT s.likes_read, (
    SELECT count(*) FROM user_engagements AS e JOIN tracks AS t ON t.id = e.track_id AND t.genre = ?
    WHERE e.user_id = s.user_id AND e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
)
FROM sample AS s
WHERE s.once AND s.chosen AND s.answer = 'answered' AND s.likes_read > 0
"""


class Estimate(NamedTuple):
    """A mean with its 95 % interval, and what it should have been."""

    mean: float
    low: float
    high: float
    truth: float

    @property
    def covers(self) -> bool:
        return self.low <= self.truth <= self.high


def a_world(number: int, spread: float = 0.6) -> World:
    """A track with some 200 people around it, the late ones less active and of other tastes than the early ones; with a
    `spread` of 1 some like many times as much as most.
    """
    return World(
        number,
        users=300,
        tracks=1200,
        likes_per_user=16,
        spread=spread,
        seed_likers=200,
        seed_reposters=30,
        newcomers_differ=0.8,
        gone=0.03,
        overclaimed=0.0,
    )


def estimates(path: Path, world: World, limits: Limits, *, rake: bool = False) -> dict[str, Estimate]:
    """Crawl, estimate, and look up the truth: as `harvest estimate` does; where a rule chose, it refuses, and whoever
    takes the people followed for a sample all the same is shown to be wrong.
    """
    crawl_world(path, world, limits=limits, max_in_flight=8)
    genre, truth = truth_of(world)
    (people,) = read(path, "SELECT count(*) FROM sample WHERE once")[0]
    if limits.order != "random" and not limits.controls and limits.max_users < people:
        rows = read(path, ASKED, genre)
        values = {"likes": [float(n) for n, _ in rows], "genre": [share / n for n, share in rows]}
        rest = 1 - limits.max_users / people
        return {question: _plainly(values[question], rest, truth[question]) for question in QUESTIONS}
    with contextlib.closing(open_to_read(path)) as connection:
        likes = asked(connection, Question(seed=limits.sample_seed, rake=rake)).answers[0].estimate
        by_genre = Question(by="genre", groups=1000, seed=limits.sample_seed, rake=rake)
        shares = asked(connection, by_genre).answers
    share = next(one.estimate for one in shares if one.group == genre)
    return {
        question: Estimate(found.value, found.low, found.high, truth[question])
        for question, found in (("likes", likes), ("genre", share))
    }


def _plainly(values: list[float], rest: float, truth: float) -> Estimate:
    mean = fmean(values)
    error = (rest / len(values)) ** 0.5 * stdev(values)
    return Estimate(mean, mean - SURE * error, mean + SURE * error, truth)


def truth_of(world: World) -> tuple[str, dict[str, float]]:
    """Give the commonest genre, and the true means over everybody whose list would be answered, whole: the tracks that
    they like, and of those who like any the share of that genre.
    """
    told = expect(world, **asdict(Limits(max_users=100_000, max_user_likes=100_000)))
    (people,) = told.followed.values()
    likes: dict[int, list[Any]] = {person: [] for person in people}
    for (user, track, deed), (rank, _) in told.engagements.items():
        if deed == "like" and rank is not None:
            likes[user].append(told.tracks[track]["genre"])
    answered = [likes[p] for p in people if told.lists["user_likes", p][0] in ("complete", "short")]
    genres = Counter(genre for liked in answered for genre in liked if genre)
    genre = min(genres, key=lambda name: (-genres[name], name))
    shares = [liked.count(genre) / len(liked) for liked in answered if liked]
    return genre, {"likes": fmean(map(len, answered)), "genre": fmean(shares)}
