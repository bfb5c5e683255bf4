"""Intervals hold the truth in a graph that nobody made up: the ratings of MovieLens 100K, as RecBole ships them."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from itertools import chain
from statistics import fmean

import pytest

from harvest.estimates.raking import rake
from harvest.estimates.richness import coverage
from harvest.estimates.totals import Unit, hajek, ratio
from tests.foreign import ROOT, python_of

FRAMES, DRAWN, NEWEST, CONTROL = 200, 70, 40, 40


@pytest.fixture(scope="module")
def rated():
    """Who rated which films, the newest first, and which of them are dramas. (Harper and Konstan 2015,
    doi:10.1145/2827872)
    """
    (folder,) = python_of("recbole").parents[1].glob("lib/*/site-packages/recbole/dataset_example/ml-100k")
    rows = [line.split("\t") for line in (folder / "ml-100k.inter").read_text("utf-8").splitlines()[1:]]
    films = [line.split("\t") for line in (folder / "ml-100k.item").read_text("utf-8").splitlines()[1:]]
    people = defaultdict(list)
    for user, film, _, at in rows:
        people[int(user)].append((-float(at), int(film)))
    assert (len(people), len(rows)) == (943, 100_000)
    dramas = {int(film[0]) for film in films if "Drama" in film[-1].split()}
    return {user: [film for _, film in sorted(seen)] for user, seen in people.items()}, dramas


def listed_around(people):
    """The films that most people have rated, each with these people, the newest first."""
    last = {user: len(films) for user, films in people.items()}
    fans = defaultdict(list)
    for user, films in people.items():
        for place, film in enumerate(films):
            fans[film].append((place / last[user], user))  # times are of all people's own; their order is what counts
    most = sorted(fans, key=lambda film: (-len(fans[film]), film))[:FRAMES]
    return {film: [user for _, user in sorted(fans[film])] for film in most}


@pytest.fixture(scope="module")
def hits(rated):
    """Around how many of 200 films each interval held the truth."""
    people, dramas = rated
    found = Counter()
    for film, listed in listed_around(people).items():
        lots = random.Random(film)
        drawn = lots.sample(listed, DRAWN)
        weight, fraction = len(listed) / DRAWN, DRAWN / len(listed)

        def told(name, estimate, truth):
            found[name] += estimate.low <= truth <= estimate.high

        def likes(user):
            return float(len(people[user]))

        def of_drama(user):
            return sum(one in dramas for one in people[user])

        mean, share = fmean(map(likes, listed)), fmean(of_drama(user) / likes(user) for user in listed)
        told(
            "mean of films per person", hajek([Unit(weight, likes(user)) for user in drawn], fraction, seed=film), mean
        )
        told(
            "share of dramas, per person",
            hajek([Unit(weight, of_drama(u) / likes(u)) for u in drawn], fraction, seed=film),
            share,
        )
        by_like = sum(map(of_drama, listed)) / sum(map(likes, listed))
        units = [Unit(weight, float(of_drama(user)), likes(user)) for user in drawn]
        told("share of dramas, per film seen", ratio(units, fraction, seed=film), by_like)
        classes = sorted(listed, key=likes)
        quarter = {user: place * 4 // len(classes) for place, user in enumerate(classes)}
        sizes = [Counter(quarter[user] for user in listed)]
        raked = rake([(quarter[user],) for user in drawn], sizes, [weight] * DRAWN)
        units = [Unit(w, of_drama(u) / likes(u)) for w, u in zip(raked.weights, drawn, strict=True)]
        told("share of dramas, per person, raked", hajek(units, fraction, seed=film), share)
        rest = listed[NEWEST:]
        units = [Unit(1.0, likes(user), certain=True) for user in listed[:NEWEST]]
        units += [Unit(len(rest) / CONTROL, likes(user)) for user in lots.sample(rest, CONTROL)]
        told("mean of films, 40 newest and a control sample of 40", hajek(units, CONTROL / len(rest), seed=film), mean)
        seen = coverage([people[user] for user in drawn], len(listed))
        here = set(chain.from_iterable(people[user] for user in drawn))
        others = [people[user] for user in listed if user not in set(drawn)]
        new = sum(one not in here for films in others for one in films) / sum(map(len, others))
        found["what the next person has seen that would be new"] += seen.low <= new <= seen.high
        found["films that all have seen, at least"] += seen.tracks_at_least <= len(
            {one for user in listed for one in people[user]}
        )
    return found


@pytest.mark.soak
def test_the_page_says_how_often_intervals_hold_the_truth(hits):
    """Those of estimates at their rate: of 200, 95 % and two and a half standard errors around."""
    page = (ROOT / "docs" / "sampling.md").read_text("utf-8")
    told = page[page.index("## In a graph that nobody made up") :]
    rows = dict(re.findall(r"^\| ([^|]+?) \| (\d+) of 200 \|$", told, re.MULTILINE))
    assert {name: int(n) for name, n in rows.items()} == hits
    assert all(183 <= n <= 198 for name, n in hits.items() if name.startswith(("mean", "share")))
