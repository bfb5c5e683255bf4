"""Queries that leave out by a bound what cannot be among the first rows, against sets that leave out nothing."""

from __future__ import annotations

import contextlib
import math
import random
import sqlite3

import pytest

from harvest.explore.execute import ask
from harvest.explore.named import named_queries
from harvest.explore.parameters import bind_named
from harvest.store.database import open_to_read
from tests.analysing import LikesFile
from tests.repetitions import each_once

QUERIES = named_queries()
PEOPLE, TRACKS = range(1, 41), range(100, 160)


@pytest.fixture(params=range(4))
def world(request, tmp_path):
    """Give a file, who likes what by their own list and in all, and who made what; a few tracks have most likes."""
    chance = random.Random(request.param)
    with LikesFile(tmp_path / "t.db") as file:
        own = {}
        for person in PEOPLE:
            liked = {100 + int(60 * chance.random() ** 4) for _ in range(chance.randint(1, 15))}
            file.likes(person, sorted(liked))
            own[person] = liked
        known = {person: set(liked) for person, liked in own.items()}
        for person in chance.sample(PEOPLE, 10):
            file.listed(person, 105)
            known[person].add(105)
        for track in (103, 120, 130, 999):  # there, liked or not
            file.counted(track, 5)
        made = {track: 200 + (track - 100) // 5 for track in TRACKS}
        with contextlib.closing(sqlite3.connect(file.path)) as connection, connection:
            for track, artist in made.items():
                row = "INSERT OR IGNORE INTO users (id, seen_as, first_seen_at, last_seen_on)"
                connection.execute(f"{row} VALUES (?, 'embedded', '2026-01-01T00:00:00Z', '2026-01-01')", (artist,))
                connection.execute("UPDATE tracks SET uploader_id = ? WHERE id = ?", (artist, track))
        there = {track for liked in known.values() for track in liked}
        return file, own, known, {track: artist for track, artist in made.items() if track in there}


def answer(file, name, *given):
    with contextlib.closing(open_to_read(file.path)) as connection:
        found = ask(connection, QUERIES[name].sql, bind_named(connection, QUERIES[name], given))
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def near(own, given, at_least):
    """Score everything that shares enough people with one of the tracks given; 105 is a frame, by its own list."""
    likers = {}
    for person, liked in own.items():
        for track in liked:
            likers.setdefault(track, set()).add(person)
    rows = []
    for track in likers.keys() - given - {105}:
        common = [(len(likers[one] & likers[track]), len(likers[one])) for one in given if one in likers]
        counted = [(n, size) for n, size in common if n >= at_least]
        if counted:
            score = sum(n / math.sqrt(size * len(likers[track])) for n, size in counted) / len(given)
            rows.append((-round(score, 6), track, len(counted), sum(n for n, _ in counted)))
    return sorted(rows)


@pytest.mark.parametrize(("at_least", "limit"), each_once((1, 2, 6, 30), (1, 3, 20)))
def test_near_several_gives_the_first_of_all(world, at_least, limit):
    file, own, _, _ = world
    for given in ({100, 101, 102}, {103, 120}, {130}, {100, 105, 999}):
        found = answer(file, "near-several", *map(str, sorted(given)), f"at_least={at_least}", f"limit={limit}")
        rows = [(-row["score"], row["track_id"], row["near"], row["people_in_common"]) for row in found]
        assert rows == near(own, given, at_least)[:limit]


@pytest.mark.parametrize(("at_least", "limit"), each_once((1, 4, 30), (1, 3, 20)))
def test_shared_fans_gives_the_first_of_all(world, at_least, limit):
    """Artists of many and of few are asked about: of the likes of few fans, those of others are not counted."""
    file, _, known, made = world
    fans = {
        artist: {person for person, liked in known.items() if any(made[track] == artist for track in liked)}
        for artist in set(made.values())
    }
    assert min(map(len, fans.values())) < len(PEOPLE) / 4 < max(map(len, fans.values()))
    for artist, ours in fans.items():
        shared = {other: len(ours & theirs) for other, theirs in fans.items() if other != artist}
        order = sorted((-n, other) for other, n in shared.items() if n >= max(at_least, 1))
        found = answer(file, "shared-fans", str(artist), f"at_least={at_least}", f"limit={limit}")
        assert [(-row["shared_fans"], row["artist_id"]) for row in found] == order[:limit]
        for row in found:
            its = {track for track, by in made.items() if by == row["artist_id"]}
            assert row["fans_here"] == len(fans[row["artist_id"]])
            assert row["tracks_they_like"] == len(its & {track for person in ours for track in known[person]})
