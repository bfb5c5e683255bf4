"""Options given now over stored ones over the usual: one place for the command line, the environment and Python."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harvest.crawler.bounds import Bounds
from harvest.crawler.request import AskingOptions, is_drained, limits_of, to_crawl, to_go_on
from harvest.errors import NothingThere, SettingsError
from harvest.lists import BY_NAME
from harvest.models import MOST, Limits
from harvest.rules import RULES, recipe
from harvest.store import harvests, runs
from harvest.store.database import open_for_crawl
from harvest.store.schema import apply_schema

A, B = "https://soundcloud.com/a/b", "https://soundcloud.com/c"
USUAL = Limits()
NOW = "2026-01-01T00:00:00Z"


@pytest.fixture
def path(tmp_path):
    """A file with a harvest of A, one of A and B, and a run."""
    db = open_for_crawl(tmp_path / "t.db")
    with db.conn:
        apply_schema(db)
        harvests.enrol(db.conn, [A], Limits(max_users=7), NOW)
        harvests.enrol(db.conn, [A, B], Limits(max_users=9, depth=2), NOW)
        options = {"delay": 2.0, "profiles": "full", "budget": {"max_requests": 5, "total": True}}
        runs.start_run(db.conn, now=NOW, options=options, api_url="", credential_kind="")
    db.conn.close()
    return tmp_path / "t.db"


def test_without_a_file_all_is_as_usual_but_for_what_is_given(tmp_path):
    asked = to_crawl(tmp_path / "t.db", [B, A, B], {"max_users": 3, "delay": 0.0, "max_requests": None})
    assert asked.harvests == (((B, A), Limits(max_users=3)),)
    assert (asked.conditions, asked.budget) == (AskingOptions(delay=0.0), Bounds())
    assert not is_drained(asked)
    assert not (tmp_path / "t.db").exists()


def test_what_is_given_comes_before_what_is_stored(path):
    asked = to_crawl(path, [A], {"max_user_likes": 5, "page_size": 50})
    assert asked.harvests == (((A,), Limits(max_users=7, max_user_likes=5)),)
    assert asked.conditions == AskingOptions(delay=2.0, page_size=50, profiles="full")
    assert asked.options()["budget"] == {"max_requests": 5, "total": True}


def test_the_set_of_seeds_is_the_harvest_in_any_order(path):
    assert to_crawl(path, [B, A], {}).harvests == (((B, A), Limits(max_users=9, depth=2)),)


def test_a_set_that_is_new_takes_over_what_the_file_keeps_of_people_and_nothing_else(path):
    asked = to_crawl(path, [B], {})
    assert asked.harvests == (((B,), USUAL),)
    assert (asked.conditions, asked.budget) == (AskingOptions(profiles="full"), Bounds())


def test_going_on_takes_every_harvest_with_its_own_options(path):
    asked = to_go_on(path, {"depth": 0, "max_failures": 1})
    assert asked.harvests == (((A,), Limits(max_users=7, depth=0)), ((A, B), Limits(max_users=9, depth=0)))
    assert asked.addresses == [A, B]
    assert asked.budget == Bounds(max_failures=1)


def test_there_is_nothing_to_go_on_with_without_a_file(tmp_path):
    with pytest.raises(NothingThere):
        to_go_on(tmp_path / "t.db", {})


def test_what_ends_a_sample_early_is_kept_with_it_and_dropped_with_it():
    drawn = limits_of({"sample": 500, "until_new": "5%"}, USUAL)
    assert drawn == replace(USUAL, max_users=500, order="random", until_new=0.05)
    assert limits_of({"until_new": 0.02}, drawn).until_new == 0.02
    assert limits_of({"sample": 700}, drawn).until_new == 0.05
    assert limits_of({"until_new": "0"}, drawn).until_new is None
    assert limits_of({"order": "popular"}, drawn).until_new is None
    assert Limits.load(drawn.dump()) == drawn


def test_the_same_options_are_the_same_limits():
    assert limits_of({}, USUAL) == USUAL
    assert limits_of({"read": "likers,reposters,likes", "via": "likes"}, USUAL) == USUAL


@pytest.mark.parametrize(
    ("given", "limits"),
    [
        ({"sample": 5}, {"max_users": 5, "order": "random"}),
        ({"cap": ["likes=5", "likers=9"]}, {"max_user_likes": 5, "caps": (("likers", 9),)}),
        ({"read": "comments"}, {"read": ("comments",), "via": ()}),
        ({"read": "-likes"}, {"read": ("likers", "reposters"), "without": ("likes",), "via": ()}),
        ({"via": "followings"}, {"read": (*USUAL.read, "followings"), "via": ("followings",)}),
        ({"read": "likers", "via": "uploads"}, {"read": ("likers", "uploads"), "via": ("uploads",)}),
        ({"seed_read": "uploads"}, {"seed_read": ("uploads",)}),
        ({"seed_read": "uploads,-likes"}, {"seed_read": ("uploads",)}),
        (
            {"seed_read": "-likes"},
            {
                "seed_read": (
                    "reposts", "uploads", "playlists", "playlist-tracks", "playlist-reposters", "station-tracks",
                    "found-tracks", "found-users", "found-playlists",
                )
            },
        ),
        ({"read": "-uploads", "seed_read": "uploads"}, {"seed_read": ("uploads",)}),
    ],
)  # fmt: skip
def test_limits(given, limits):
    assert limits_of(given, USUAL) == Limits(**limits)


def test_everything_lifts_every_bound_but_those_given_beside_it():
    limits = limits_of({"everything": True, "read": "all"}, Limits(max_users=7, caps=(("comments", 3), ("likes", 0))))
    assert {line.cap for line in recipe(limits)} == {MOST}
    assert [line.kind for line in recipe(limits)] == [*BY_NAME.values()]
    assert {getattr(limits, lead.most) for rule in RULES.values() for lead in rule.leads} == {MOST}
    beside = limits_of({"everything": True, "max_tracks": 5, "max_listed": 50, "cap": ["likes=9", "likers=8"]}, limits)
    assert (beside.max_tracks, beside.max_users) == (5, MOST)
    caps = {line.kind.option: line.cap for line in recipe(beside)}
    assert (caps.pop("likes"), caps.pop("likers"), caps.pop("reposters"), set(caps.values())) == (9, 8, 50, {MOST})
    assert limits_of({}, limits) == limits


def test_who_goes_deeper_than_the_page_of_one_list_gets_a_way_on():
    alone = limits_of({"seed_read": ["followers"], "read": ["likers", "reposters"]}, USUAL)
    assert alone.via == ()
    deeper = limits_of({"depth": 1}, alone)
    assert (deeper.via, deeper.read, deeper.seed_read) == (("likes",), USUAL.read, ("followers",))
    assert limits_of({"depth": 1, "read": "likers,reposters"}, alone).via == ()
    assert limits_of({"depth": 0}, alone) == replace(alone, depth=0)
    assert limits_of({"depth": 1, "via": "followers"}, alone).via == ("followers",)
    assert limits_of({"depth": 2}, limits_of({"read": "likers,reposters"}, USUAL)).via == ()


def test_changes_of_mind():
    """What is said of single lists stays, until something is said of them again."""
    capped = limits_of({"cap": ["likers=9", "comments=3"]}, USUAL)
    assert limits_of({"cap": ["comments=4"]}, capped).caps == (("likers", 9), ("comments", 4))
    assert limits_of({"max_listed": 50}, capped).caps == (("comments", 3),)
    walking = limits_of({"via": "followings"}, USUAL)
    assert limits_of({"read": "+comments"}, walking).via == ("followings",)
    assert limits_of({"read": "+comments"}, walking).read == ("likers", "reposters", "comments", "likes", "followings")
    silent = limits_of({"read": "comments"}, USUAL)
    assert limits_of({"read": "likers,reposters,likes"}, silent) == USUAL


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"sample": 5, "order": "popular"}, "--sample draws at random: leave out --order popular"),
        ({"sample": 5, "max_users": 4}, "leave out --max-users 4"),
        ({"order": "best"}, "--order is one of newest"),
        ({"until_new": "5%", "order": "newest"}, "--until-new judges people who are drawn by lot: add --sample N"),
        ({"until_new": "5", "sample": 5}, "--until-new: '5' is no share of less than everything: write it like 5% or"),
        ({"profiles": "some"}, "--profiles is one of none, minimal, full"),
        ({"depth": -1}, "--depth must be a number from 0"),
        ({"max_users": 1.5}, "--max-users must be a number"),
        ({"max_listed": True}, "--max-listed must be a number"),
        ({"delay": float("nan")}, "--delay must be a number"),
        ({"concurrency": 0}, "--concurrency must be a number from 1"),
        ({"read": "like"}, "There is no list 'like'"),
        ({"cap": {"likes": -1}}, "NAME=N"),
        ({"read": "-likes", "via": "likes"}, "leave out -likes"),
        ({"total": True}, "--total says how to count"),
    ],
)
def test_what_makes_no_sense_gets_one_line(tmp_path, given, says):
    with pytest.raises(SettingsError, match=says):
        to_crawl(tmp_path / "t.db", [A], given)
