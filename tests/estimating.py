"""Estimate what the people around a track are like from those who were followed, and compare with all of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from statistics import NormalDist, fmean, stdev
from typing import Any, NamedTuple

from harvest.models import Limits
from harvest.simulator import World
from harvest.simulator.oracle import expect
from tests.crawling import crawl_world, read

QUESTIONS = ("likes", "genre")
CAP = 80  # likes read of each; who has more is censored, in the sample and in the truth
SURE = NormalDist().inv_cdf(0.975)

# Of everybody followed whose list was answered and not cut: how many likes, and how many of them of one genre.
ASKED = """
SELECT s.chance, s.likes_read, (
    SELECT count(*) FROM user_engagements AS e JOIN tracks AS t ON t.id = e.track_id AND t.genre = ?
    WHERE e.user_id = s.user_id AND e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
)
FROM sample AS s
WHERE s.once AND s.chosen AND s.answer = 'answered' AND NOT s.censored AND s.likes_read > 0
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


def a_world(number: int) -> World:
    """A track with some 200 people around it, the late ones less active and of other tastes than the early ones."""
    return World(
        number,
        users=300,
        tracks=1200,
        likes_per_user=16,
        spread=0.6,
        seed_likers=200,
        seed_reposters=30,
        newcomers_differ=0.8,
        gone=0.03,
        overclaimed=0.0,
    )


def estimates(path: Path, world: World, limits: Limits) -> dict[str, Estimate]:
    """Crawl, estimate by Horvitz-Thompson, and look up the truth."""
    crawl_world(path, world, limits=limits, max_in_flight=8)
    genre, truth = truth_of(world)
    rows = [(chance or 1.0, likes, share / likes) for chance, likes, share in read(path, ASKED, genre)]
    (people,) = read(path, "SELECT count(*) FROM sample WHERE once")[0]
    rest = 1 - min(limits.max_users, people) / people  # of a list that is read whole nothing is left to chance
    return {
        question: _estimate([(row[0], row[place]) for row in rows], rest, truth[question])
        for place, question in enumerate(QUESTIONS, start=1)
    }


def _estimate(weighed: list[tuple[float, float]], rest: float, truth: float) -> Estimate:
    mean = sum(value / chance for chance, value in weighed) / sum(1 / chance for chance, _ in weighed)
    error = (rest / len(weighed)) ** 0.5 * stdev(value for _, value in weighed)
    return Estimate(mean, mean - SURE * error, mean + SURE * error, truth)


def truth_of(world: World) -> tuple[str, dict[str, float]]:
    """Give the commonest genre, and the true means over everybody whose list would be answered and not be cut."""
    told = expect(world, **asdict(Limits(max_users=100_000, max_user_likes=CAP)))
    (people,) = told.followed.values()
    likes: dict[int, list[Any]] = {person: [] for person in people}
    for (user, track, deed), (rank, _) in told.engagements.items():
        if deed == "like" and rank is not None:
            likes[user].append(told.tracks[track]["genre"])
    whole = [likes[p] for p in people if told.lists["user_likes", p][0] in ("complete", "short") and likes[p]]
    genres = Counter(genre for liked in whole for genre in liked if genre)
    genre = min(genres, key=lambda name: (-genres[name], name))
    means = {"likes": fmean(map(len, whole)), "genre": fmean(liked.count(genre) / len(liked) for liked in whole)}
    return genre, means
