"""Answers about one track or person: the same computed now as analysed before, by queries that read no table whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harvest.analysis import eligible_lists, reasons
from harvest.analysis import related as related_module
from harvest.analysis import similar as similar_module
from harvest.analysis.beside import beside
from harvest.analysis.freshness import bound
from harvest.analysis.methods import RELATED, SIMILAR, Choices
from harvest.analysis.related import related
from harvest.analysis.similar import similar
from harvest.store.database import open_to_read
from tests.analysing import LikesFile

pytest.importorskip("scipy")

CHOICES = Choices(neighbours=4, min_common=2, newest=5)


@pytest.fixture(params=[False, True], ids=["whole lists", "incomplete too"])
def file(tmp_path: Path, request) -> Iterator[LikesFile]:
    """Two frames, long lists, one that was cut, counts that are not known; analysed."""
    with LikesFile(tmp_path / "likes.db") as made:
        lists = {
            1: [1, 2, 3, 4, 9, 10],
            2: [1, 2, 3, 5, 9],
            3: [1, 2, 5, 6, 3, 4],
            4: [1, 3, 4, 6, 7, 2],
            5: [2, 1, 8, 9],
            6: [1, 5, 2, 3, 8, 9, 4],
            7: [3, 5, 9, 4],
        }
        for track in range(1, 10):
            made.counted(track, 30 * track if track != 6 else None)
        for user, tracks in lists.items():
            made.likes(user, tracks)
        made.likes(3, [10], newer=True)
        made.likes(8, [2, 3, 4], outcome="capped")
        made.listed(8, 5)
        made.frame(1)
        made.frame(2)
        made.analysed(*RELATED, *SIMILAR, choices=replace(CHOICES, include_incomplete=request.param))
        yield made


def answers(file: LikesFile, methods, ask, of):
    connection = open_to_read(file.path)
    found = {(method, n): ask(connection, str(n), method=method, limit=4) for method in methods for n in of}
    connection.close()
    return found


@pytest.mark.parametrize(
    ("methods", "ask", "of"),
    [(RELATED, related, range(1, 11)), (SIMILAR, similar, range(1, 8))],
    ids=["tracks", "people"],
)
def test_an_answer_computed_now_is_the_one_analysed_before(file, methods, ask, of):
    before = answers(file, methods, ask, of)
    assert {found.why_now for found in before.values()} == {None}
    assert sum(len(found.near) for found in before.values()) >= 20
    connection = sqlite3.connect(file.path)
    with connection:
        connection.execute("UPDATE derivations SET state = 'unfinished'")
    connection.close()
    now = answers(file, methods, ask, of)
    assert {found.why_now for found in now.values()} == {"interrupted"}
    assert {key: replace(found, why_now=None) for key, found in now.items()} == before


def test_it_says_why_it_computes_now(file):
    def why(**more):
        connection = open_to_read(file.path)
        found = related(connection, "3", **{"method": "colike_cosine", "limit": 4, **more})
        connection.close()
        return found.why_now

    assert why() is None
    assert why(limit=5) == "more asked for"
    file.likes(9, [3, 4])
    assert why() == "file has grown"
    fresh = sqlite3.connect(file.path)
    with fresh:
        fresh.execute("DELETE FROM related_tracks")
        fresh.execute("DELETE FROM derivations")
    fresh.close()
    assert why() == "not analysed"


def test_the_numbers_of_a_reason(file):
    """3 and 4: how many like either and both among the newest five of each whole list, counted by hand."""
    connection = open_to_read(file.path)
    found = related(connection, "3", method="colike_cosine", limit=4)
    connection.close()
    by_id = {near.track_id: near for near in found.near}
    near = by_id[4]
    incomplete = found.people == 8
    assert (found.size, near.size, near.common) == ((6, 4, 4) if incomplete else (5, 3, 3))
    assert near.times_chance == pytest.approx(near.common * found.people / (found.size * near.size))
    assert found.left_out == ("track 1", "track 2", "track 5")


STATEMENTS = {
    "related.SIZE": related_module.SIZE,
    "related.SIZES": related_module.SIZES,
    "related.TOGETHER": related_module.TOGETHER,
    "similar.SIZE": similar_module.SIZE,
    "similar.TOGETHER": similar_module.TOGETHER,
    "similar.SHARED": similar_module.SHARED,
    "sample.LIKES": eligible_lists.LIKES,
    "sample.FRAMES": eligible_lists.FRAMES,
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_question_reads_all_likes_and_no_list_is_sorted(file, name):
    parameters = bound(
        CHOICES, track=3, user=3, other=4, frames=[1], framed=0, shown=3, which="auto", sized=1, tracks="[4]"
    )
    connection = open_to_read(file.path)
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {STATEMENTS[name]}", parameters)]
    connection.close()
    assert [line for line in plan if line.split()[:2] in (["SCAN", "engagements"], ["SCAN", "l"])] == []
    if name == "sample.LIKES":
        assert [line for line in plan if "TEMP B-TREE" in line] == []


@pytest.mark.parametrize(
    "sql",
    [related_module.ANALYSED, similar_module.ANALYSED],
)
def test_an_analysed_answer_is_found_by_the_key(file, sql):
    connection = open_to_read(file.path)
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", (1, "x", 4))]
    connection.close()
    assert [line for line in plan if line.startswith("SCAN")] == []


def test_an_empty_answer_says_which_of_the_causes_it_has(tmp_path):
    """Track 9 is a frame without a count; 8 is in a track's list alone, and later in a list of likes that was cut."""
    with LikesFile(tmp_path / "few.db") as made:
        made.likes(1, [9, 1, 2])
        made.likes(2, [9])
        made.listed(2, 8)
        made.frame(9)

        def tracks(track: int, method: str = "colike_cosine") -> str | None:
            return related(connection, str(track), method=method, limit=4).reason

        def people(user: int) -> str | None:
            return similar(connection, str(user), method="taste_cosine", limit=4).reason

        with open_to_read(made.path) as connection:
            assert [tracks(8), tracks(9), tracks(1)] == [
                "No person whose likes were read likes it.",
                reasons.NOT_COUNTED,
                "No other track has 3 of these people in common with it.",
            ]
            assert [people(1), people(2)] == [
                "No other person shares 3 of these tracks.",
                "They like nothing that counts, as far as their list shows.",
            ]
            reposts = beside(connection, "track", "1", method="reposts", limit=4)
            assert reposts.reason == (
                "Nothing that was read puts anything beside it. It counts what is read by: --read +reposts."
            )
        made.likes(3, [7, 8], outcome="capped")
        with open_to_read(made.path) as connection:
            assert tracks(8) == "No person with a complete list of likes likes it; left out are 1 capped."
