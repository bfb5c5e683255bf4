"""How well the tracks found near a track are of its own taste group, which the simulator has planted."""

from __future__ import annotations

import contextlib
import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from harvest.analysis.radio import radio
from harvest.analysis.related import related
from harvest.simulator import World
from harvest.store.database import open_to_read
from tests.crawling import read

Answer = Callable[[int], Sequence[int]]


def precision_at_10(world: World, tracks: Sequence[int], answer: Answer) -> float:
    """Share of the first ten that are of the same group, over tracks for which there are ten."""
    group = world.community_of_track
    answers = [(group(track), [group(other) for other in answer(track)[:10]]) for track in tracks]
    full = [(own, found) for own, found in answers if len(found) == 10]
    return sum(found.count(own) for own, found in full) / (10 * len(full))


def shared_information(one: Sequence[int], other: Sequence[int]) -> float:
    """Say how much two divisions of the same things have in common: mutual information by mean entropy, 0 to 1."""
    n = len(one)

    def entropy(division: Sequence[object]) -> float:
        return -sum(size / n * math.log(size / n) for size in Counter(division).values())

    ours, theirs, both = entropy(one), entropy(other), entropy(list(zip(one, other, strict=True)))
    return 2 * (ours + theirs - both) / (ours + theirs)


def analysed(path: Path, method: str) -> Answer:
    """Answer from related_tracks."""
    near: dict[int, list[int]] = {}
    for track, other in read(
        path,
        "SELECT track_id, related_track_id FROM related_tracks WHERE method = ? ORDER BY track_id, rank",
        method,
    ):
        near.setdefault(track, []).append(other)
    return lambda track: near.get(track, [])


def several(world: World, tracks: Sequence[int], n: int) -> Callable[[int], list[int]]:
    """Give each track with others of its group that were drawn by lot, `n` in all."""
    by_group: dict[int, list[int]] = {}
    for track in tracks:
        by_group.setdefault(world.community_of_track(track), []).append(track)

    def of(track: int) -> list[int]:
        others = [other for other in by_group[world.community_of_track(track)] if other != track]
        return [track, *random.Random(track).sample(others, min(n - 1, len(others)))]

    return of


def played(path: Path, given: Callable[[int], list[int]]) -> Answer:
    """Answer with the radio after the tracks that are given, ten by any artists."""

    def answer(track: int) -> list[int]:
        with contextlib.closing(open_to_read(path)) as connection:
            found = radio(connection, map(str, given(track)), size=10, per_artist=0)
        return [one.track_id for one in found.tracks]

    return answer


def co_liked(path: Path, given: Callable[[int], list[int]]) -> Answer:
    """Answer with the tracks of the greatest cosine with any of those given."""

    def answer(track: int) -> list[int]:
        best: dict[int, float] = {}
        with contextlib.closing(open_to_read(path)) as connection:
            for one in given(track):
                for near in related(connection, str(one), method="colike_cosine", limit=20).near:
                    best[near.track_id] = max(best.get(near.track_id, 0), near.score)
        return sorted(best.keys() - set(given(track)), key=lambda other: (-best[other], other))[:10]

    return answer


def popularity(path: Path) -> Answer:
    """Answer the same to everybody: what most people like."""
    most = [
        row[0]
        for row in read(
            path,
            "SELECT track_id FROM user_engagements WHERE engagement_type = 'like'"
            " GROUP BY track_id ORDER BY count(*) DESC, track_id LIMIT 11",
        )
    ]
    return lambda track: [other for other in most if other != track]


def by_lot(path: Path) -> Answer:
    """Answer any ten."""
    ids = [row[0] for row in read(path, "SELECT id FROM tracks ORDER BY id")]
    chance = random.Random(1)
    return lambda track: [other for other in chance.sample(ids, 11) if other != track]


def liked_tracks(path: Path, at_least: int = 5) -> list[int]:
    """Give the tracks that so many of the people read like, the seed apart."""
    return [
        row[0]
        for row in read(
            path,
            "SELECT track_id FROM user_engagements WHERE engagement_type = 'like' AND user_list_rank IS NOT NULL"
            " AND track_id NOT IN (SELECT seed_id FROM harvests)"
            " GROUP BY track_id HAVING count(*) >= ? ORDER BY track_id",
            at_least,
        )
    ]
