"""Tracks for which people were chosen: none where a whole graph was read, and no empty answer without its reason."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections import defaultdict
from itertools import combinations
from math import sqrt

import pytest

from harvest.analysis.beside import beside
from harvest.analysis.methods import FRAMINGS, Choices
from harvest.analysis.related import related
from harvest.analysis.run import analyse
from harvest.analysis.similar import similar
from harvest.cli.main import _run as run_here
from harvest.environment import Environment
from harvest.models import Limits
from harvest.report.facts import gather
from harvest.report.page import page as page_of
from harvest.simulator import World
from harvest.store.database import open_to_read
from harvest.system.clock import SystemClock
from tests.crawling import crawl_world, read
from tests.repetitions import slow_but

WORLD = World(3, users=24, tracks=30, likes_per_user=9, seed_likers=12, gone=0, forbidden=0, private=0)
WHOLE = Limits(depth=6, max_tracks=5000, max_users=5000)


@pytest.fixture(scope="module")
def census(tmp_path_factory):
    """A whole graph: the likers of every track were listed, and all of them followed."""
    path = tmp_path_factory.mktemp("census") / "t.db"
    crawl_world(path, WORLD, limits=WHOLE)
    return path


@pytest.fixture
def broken(census, tmp_path):
    """The same, but of one person in ten nobody has read the list."""
    path = tmp_path / "t.db"
    shutil.copy(census, path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE tasks SET outcome = NULL WHERE kind = 'user_likes' AND id % 8 = 0")
        connection.execute("UPDATE visits SET round = 0 WHERE thing = 'track'")
    return path


@pytest.fixture
def ask(census):
    with contextlib.closing(open_to_read(census)) as connection:
        yield connection


def own_likes(path):
    """What people like by their own lists, whole ones alone."""
    found = defaultdict(set)
    for user, track in read(
        path,
        "SELECT user_id, track_id FROM user_engagements JOIN tasks ON kind = 'user_likes' AND subject_id = user_id"
        " WHERE engagement_type = 'like' AND user_list_rank IS NOT NULL AND outcome IN ('complete', 'short')",
    ):
        found[user].add(track)
    return found


def framing(path, which):
    """The tracks left out, by the lists that were read: all with followed likers, the seed among them."""
    (seed,) = {row[0] for row in read(path, "SELECT seed_id FROM harvests")}
    last = "(SELECT max(round) FROM visits WHERE thing = 'user')"
    listed = {row[0] for row in read(path, f"SELECT thing_id FROM visits WHERE thing = 'track' AND round < {last}")}
    return {"auto": set(), "seeds": {seed}, "all": listed, "none": set()}[which]


def test_a_whole_graph_has_frames_of_which_none_counts(census):
    assert read(census, "SELECT * FROM census") == [(1,)]
    assert read(census, "SELECT max(counts), sum(is_seed), count(*) > 20 FROM frames") == [(0, 1, 1)]


def test_frames_count_where_people_were_listed_and_not_read(broken):
    assert read(broken, "SELECT * FROM census") == [(0,)]
    assert read(broken, "SELECT min(counts) FROM frames") == [(1,)]


@pytest.mark.parametrize(
    "limits",
    slow_but(
        [Limits(depth=6, max_tracks=5)],
        [Limits(max_users=15), Limits(depth=6, max_tracks=5), Limits(depth=6, max_users=3, max_tracks=5000)],
    ),
)
def test_a_part_of_a_graph_is_no_census(tmp_path, limits):
    """Around a seed, around some tracks, or with a few of each track's people."""
    crawl_world(tmp_path / "t.db", WORLD, limits=limits)
    assert read(tmp_path / "t.db", "SELECT is_census, (SELECT min(counts) FROM frames) FROM census") == [(0, 1)]


def test_own_likes_are_those_of_whole_lists_with_place_and_frame(broken):
    lists = {
        row[0]: row[1:]
        for row in read(broken, "SELECT subject_id, outcome, collected FROM tasks WHERE kind = 'user_likes'")
    }
    ranks = {
        row[:2]: row[2]
        for row in read(
            broken, "SELECT user_id, track_id, user_list_rank FROM user_engagements WHERE engagement_type = 'like'"
        )
    }
    framed = framing(broken, "all")
    expected = {
        (user, track, ranks[user, track], round(ranks[user, track] / lists[user][1], 4), lists[user][1], lists[user][0])
        for user, tracks in own_likes(broken).items()
        for track in tracks
    }
    found = read(broken, "SELECT * FROM own_likes")
    assert {row[:6] for row in found} == expected
    assert {row[1] for row in found if row[6]} == framed & {row[1] for row in found}
    assert any(lists[user][0] is None for user in lists)


@pytest.mark.parametrize("which", FRAMINGS)
def test_people_are_compared_by_what_is_no_frame(census, tmp_path, which):
    """Every pair of people against sets; with all tracks for frames there is none, and a reason."""
    path = tmp_path / "t.db"
    shutil.copy(census, path)
    made = analyse(path, ["taste_cosine"], Choices(neighbours=999, frames=which), clock=SystemClock(), memory_mb=512)
    kept = {user: tracks - framing(path, which) for user, tracks in own_likes(path).items()}
    expected = {
        (one, other): (
            len(kept[one] & kept[other]),
            len(kept[one] & kept[other]) / sqrt(len(kept[one]) * len(kept[other])),
        )
        for pair in combinations(kept, 2)
        for one, other in (pair, pair[::-1])
        if len(kept[one] & kept[other]) >= 3
    }
    found = read(path, "SELECT user_id, other_user_id, common, score FROM user_similarity")
    assert {row[:2]: row[2:] for row in found} == {pair: pytest.approx(value) for pair, value in expected.items()}
    assert made.frames == len(framing(path, which) & set().union(*own_likes(path).values()))
    assert (made.reason is not None) == (which == "all") == (not expected)
    assert which != "all" or made.reason.startswith(f"People were chosen for liking {made.frames} of the ")


def test_an_answer_that_is_empty_says_why(ask, census):
    (user, track) = (max(own_likes(census).items(), key=lambda one: len(one[1])))[0], framing(census, "seeds").pop()
    people = similar(ask, str(user), method="taste_cosine", limit=5, framing="all")
    assert people.near == ()
    assert people.as_json()["reason"].startswith(
        "They share tracks with others, but people were chosen for liking these"
    )
    chance = related(ask, str(track), method="colike_lift", limit=5, framing="all")
    assert (chance.near, chance.reason.startswith("People were chosen because")) == ((), True)
    reposts = beside(ask, "track", str(track), method="likes_reposts", limit=5, framing="all")
    assert (reposts.near, reposts.reason) == (
        (),
        "Others stand beside it, but people were chosen for liking these, so they say nothing of taste. "
        "--frames seeds leaves out the seeds alone, --frames none nothing.",
    )
    for answer in (similar, lambda c, _, **how: related(c, str(track), **{**how, "method": "colike_cosine"})):
        found = answer(ask, str(user), method="taste_cosine", limit=5)
        assert (bool(found.near), found.reason) == (True, None)


def test_the_same_in_json_at_the_command_line(census, capfd):
    (user, _) = max(own_likes(census).items(), key=lambda one: len(one[1]))
    assert run_here(["similar", str(user), "--db", str(census), "--frames", "all", "--json"], Environment.here()) == 0
    assert json.loads(capfd.readouterr().out)["reason"].startswith("They share tracks with others")


def test_the_report_counts_the_likes_of_a_whole_graph(census, broken):
    """Where every track is a frame it says so, and not that nothing was read."""
    likes = sum(map(len, own_likes(census).values()))
    with contextlib.closing(open_to_read(census)) as connection:
        facts = gather(connection, "t.db")
    assert (facts.heard.likes, facts.readers) == (likes, len(own_likes(census)))
    with contextlib.closing(open_to_read(broken)) as connection:
        page = " ".join(page_of(gather(connection, "t.db")).split())
    assert "No likes of people who were followed" not in page
    assert "People were chosen for liking each track they like" in page
