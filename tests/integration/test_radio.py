"""What the radio plays: an example counted by hand, and whole files by plain sets."""

from __future__ import annotations

import contextlib
import math
import random
from collections import defaultdict
from dataclasses import asdict

import pytest

from harvest.analysis.methods import Choices
from harvest.analysis.radio import LENGTH, SHARED, radio
from harvest.errors import SeedError
from harvest.store.database import open_to_read
from tests.analysing import LikesFile

ANY = Choices(min_common=1)


@pytest.fixture
def file(tmp_path):
    with LikesFile(tmp_path / "t.db") as made:
        yield made


def put_together(file, playlists):
    """Let playlists hold tracks; they need a page to come from."""
    (page,) = file.read("SELECT max(id) FROM pages")[0]
    for number, tracks in playlists.items():
        file.write(
            [
                (
                    "INSERT INTO playlists (id, first_page_id, first_seen_at, last_seen_on)"
                    " VALUES (?, ?, '2026-01-01T00:00:00Z', '2026-01-01')",
                    (number, page),
                ),
                *(
                    ("INSERT INTO playlist_tracks VALUES (?, ?, ?, ?)", (number, position, track, page))
                    for position, track in enumerate(tracks)
                ),
            ]
        )


def played(file, *given, **how):
    with contextlib.closing(open_to_read(file.path)) as connection:
        return radio(connection, map(str, given), **{"choices": ANY, "per_artist": 0, **how})


def example(file):
    """The file of docs/radio.md."""
    for user, tracks in {1: (1, 2, 10, 11), 2: (1, 2, 10), 3: (1, 10, 11), 4: (2, 11, 12)}.items():
        file.likes(user, tracks)
    put_together(file, {7: (1, 12), 8: (12, 2)})


def test_the_example_of_the_page_comes_out_as_counted_by_hand(file):
    example(file)
    found = played(file, 1, 2)
    assert [(one.track_id, one.score, one.people, one.playlists, one.shared) for one in found.tracks] == [
        (10, round(1 / 61 / 2 + 1 / 61 / 2 + 1 / 61, 12), 3, 0, 2),
        (11, round(1 / 62 / 2 + 1 / 61 / 2 + 1 / 62, 12), 2, 0, 1),
        (12, round(1 / 63 / 2 + 1 / 61 / 4 + 1 / 61 / 4, 12), 1, 1, 0),
    ]
    assert (found.given, found.frames, found.found) == ((1, 2), (), 3)


def test_of_one_track_without_playlists_it_is_the_order_of_co_likes(file):
    example(file)
    file.write([("DELETE FROM playlist_tracks", ())])
    assert [one.track_id for one in played(file, 2, size=2).tracks] == [1, 10]


def test_tracks_of_nobody_known_are_not_taken_for_one_artist(file):
    example(file)
    assert [one.track_id for one in played(file, 1, 2, per_artist=1).tracks] == [10, 11, 12]


def test_what_is_judged_blocked_private_or_gone_is_not_played(file):
    for user in range(1, 5):
        file.likes(user, range(1, 9))
    for track, column, value in ((2, "access", "blocked"), (3, "sharing", "private"), (4, "status", "gone")):
        file.write([(f"UPDATE tracks SET {column} = ? WHERE id = ?", (value, track))])
    for track, verdict in ((5, "liked"), (6, "not_quite"), (7, "not_quite"), (7, "none")):
        file.write([("INSERT INTO judgments (track_id, verdict, at) VALUES (?, ?, '')", (track, verdict))])
    assert [one.track_id for one in played(file, 1).tracks] == [7, 8]


def test_an_artist_comes_as_often_as_is_wanted_whatever_the_spelling(file):
    for user in range(1, 5):
        file.likes(user, range(1, 9))
    for track, artist in ((2, 50), (3, 50), (4, 51), (5, 52)):
        file.title(track, f"t{track}", artist=artist)
    for artist, name in ((50, "Nova Drift"), (51, "nova drift"), (52, "Somebody")):
        file.name(artist, name)
    assert [one.track_id for one in played(file, 1, per_artist=1).tracks][:2] == [2, 5]
    assert [one.track_id for one in played(file, 1, per_artist=2).tracks][:3] == [2, 3, 5]
    assert [one.track_id for one in played(file, 1, per_artist=0, size=3).tracks] == [2, 3, 4]


def test_whom_people_were_chosen_for_is_not_suggested_beside_others(file):
    for user in range(1, 5):
        file.likes(user, [1, 2, 3, 4])
    file.frame(2)
    found = played(file, 1, 3)
    assert [one.track_id for one in found.tracks] == [4]
    assert played(file, 2, 3).frames == (2,)


def test_what_is_not_in_the_file_is_named(file):
    example(file)
    with pytest.raises(SeedError, match="no track or playlist 99"):
        played(file, 1, 99)
    with pytest.raises(SeedError, match="Name 1 to 500 tracks"):
        played(file)


def by_sets(likes, playlists, given, frames, counts, least):
    """Say what must be played, by the words of docs/radio.md."""
    likers = defaultdict(set)
    for user, tracks in likes.items():
        for track in tracks:
            likers[track].add(user)
    lists = []
    for one in given:
        near = {}
        for other in set(likers) - {one}:
            common = len(likers[one] & likers[other])
            if common < least:
                continue
            if one in frames:
                if not (counts.get(one) and counts.get(other)):
                    continue
                both = common / len(likers[one]) * counts[one]
                if other in frames:
                    both = math.sqrt(both * (common / len(likers[other]) * counts[other]))
                near[other] = min(both, counts[one], counts[other]) / math.sqrt(counts[one] * counts[other])
            elif other not in frames:
                near[other] = common / math.sqrt(len(likers[one]) * len(likers[other]))
        lists.append((1 / len(given), near))
        holding = {track: {p for p, held in playlists.items() if track in held} for track in likers}
        both = {other: len(holding[one] & holding[other]) for other in set(likers) - {one}}
        lists.append(
            (0.5 / len(given), {o: n / math.sqrt(len(holding[one]) * len(holding[o])) for o, n in both.items() if n})
        )
    mine = [one for one in given if one not in frames]
    weights = {user: len(tracks & set(mine)) - 1 for user, tracks in likes.items() if len(tracks & set(mine)) > 1}
    length = math.sqrt(sum(weight**2 for weight in weights.values()))
    shared = {
        track: sum(weights[user] for user in people & weights.keys()) / (length * math.sqrt(len(people)))
        for track, people in likers.items()
        if track not in frames and len(people & weights.keys()) >= least
    }
    lists.append((1, shared))
    worth = defaultdict(float)
    for share, near in lists:
        left = {track: round(value, 12) for track, value in near.items() if track not in given}
        for track, value in left.items():
            worth[track] += share / (60 + 1 + sum(other > value for other in left.values()))
    return sorted(((track, round(value, 12)) for track, value in worth.items()), key=lambda one: (-one[1], one[0]))


@pytest.mark.parametrize("seed", range(4))
def test_files_of_any_kind_are_played_as_plain_sets_say(file, seed):
    chance = random.Random(seed)
    likes = {user: set(chance.sample(range(1, 40), chance.randint(3, 15))) for user in range(1, 25)}
    for user, tracks in likes.items():
        file.likes(user, sorted(tracks))
    playlists = {number: chance.sample(range(1, 40), 6) for number in range(1, 9)}
    file.write([file._track(track) for track in range(1, 40)])
    put_together(file, playlists)
    frames = set(chance.sample(range(1, 40), seed))
    counts = {track: chance.randint(30, 90) for track in range(1, 40)}
    for track in frames:
        file.frame(track)
    for track, n in counts.items():
        file.counted(track, n)
    given = [*chance.sample(range(1, 40), 3), *sorted(frames)[:1]]
    given = list(dict.fromkeys(given))
    found = played(file, *given, size=100, choices=Choices(min_common=2))
    truth = by_sets(likes, playlists, given, frames, counts, 2)
    assert [(one.track_id, pytest.approx(one.score)) for one in found.tracks] == truth


@pytest.mark.parametrize("sql", [LENGTH, SHARED])
def test_no_table_of_likes_is_gone_through_as_a_whole(file, sql):
    example(file)
    values = {"given": "[1, 2]", "frames": "[]", **asdict(ANY), "incomplete": False}
    plan = file._connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
    assert [step for *_, step in plan if step.startswith("SCAN") and step.split()[1] in ("engagements", "l")] == []
