"""Tracks that are described alike: the example of docs/radio.md, counted by hand."""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3

import pytest

from harvest.analysis.described import NEAR, described
from harvest.store.database import open_to_read
from tests.analysing import LikesFile


@pytest.fixture
def path(tmp_path):
    """Tracks 1 to 8: 1 and 2 of artist 50, 1, 3, 4 and 5 of one genre, 1 and 3 with a tag in two spellings."""
    with LikesFile(tmp_path / "t.db") as file:
        for track in range(1, 9):
            file.title(track, f"t{track}", artist=50 if track < 3 else 50 + track)
        file.write(
            [
                ("UPDATE tracks SET genre = 'Techno' WHERE id IN (1, 3, 4, 5)", ()),
                ("INSERT INTO tags (id, name, folded) VALUES (1, 'Hip Hop', 'hiphop'), (2, 'hip-hop', 'hiphop')", ()),
                ("INSERT INTO track_tags VALUES (1, 1), (1, 2), (3, 2), (3, 1)", ()),
            ]
        )
    return file.path


def near(path, track, limit=10):
    with contextlib.closing(open_to_read(path)) as connection:
        return described(connection, str(track), limit=limit)


def test_what_few_tracks_share_weighs_most(path):
    found = near(path, 1)
    assert found.features == pytest.approx(
        {"artist user 50": math.log(4), "genre Techno": math.log(2), "tag hiphop": math.log(4)}
    )
    assert [(one.track_id, one.score, one.shared) for one in found.near] == [
        (3, pytest.approx(3 / 5), ("tag hiphop", "genre Techno")),
        (2, pytest.approx(2 / 5), ("artist user 50",)),
        (4, pytest.approx(1 / 5), ("genre Techno",)),
        (5, pytest.approx(1 / 5), ("genre Techno",)),
    ]
    assert [one.track_id for one in near(path, 1, limit=2).near] == [3, 2]


def test_a_label_counts_as_it_is_written(path):
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE tracks SET label_name = iif(id = 8, 'deep', 'Deep') WHERE id > 5")
    assert [(one.track_id, one.score, one.shared) for one in near(path, 6).near] == [
        (7, pytest.approx(math.log(4) / (math.log(4) + math.log(8))), ("label Deep",))
    ]


def test_nothing_is_near_a_track_of_which_nothing_is_said(path):
    assert near(path, 7).near == ()


def test_tags_artists_and_genres_are_looked_up(path):
    with contextlib.closing(open_to_read(path)) as connection:
        values = {"one": 1, "features": json.dumps([]), "whole": 1, "limit": 1}
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {NEAR}", values)]
    found = {step.split(" INDEX ")[1].split(" ")[0] for step in plan if step.startswith("SEARCH") and " INDEX " in step}
    assert found >= {"tracks_by_uploader", "tracks_by_genre", "tags_by_folded", "track_tags_by_tag"}
