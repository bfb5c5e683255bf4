"""How people write which lists are read, and how much of each."""

from __future__ import annotations

import pytest

from harvest.crawler.recipes import Recipe, parse_caps, parse_recipe, parse_via
from harvest.errors import SettingsError
from harvest.lists import BY_NAME
from harvest.models import MOST, Limits

USUAL = Limits().read


@pytest.mark.parametrize(
    ("text", "recipe"),
    [
        ("comments", Recipe(("comments",))),
        ("likes, likers", Recipe(("likers", "likes"))),
        ("+comments", Recipe(("likers", "reposters", "comments", "likes"))),
        ("-reposters", Recipe(("likers", "likes"), ("reposters",))),
        ("+comments,-likes", Recipe(("likers", "reposters", "comments"), ("likes",))),
        ("all", Recipe(tuple(BY_NAME))),
        ("all,-followers", Recipe(tuple(name for name in BY_NAME if name != "followers"), ("followers",))),
        ("likes,+comments,-uploads", Recipe(("comments", "likes"), ("uploads",))),
        (["+comments", "-likes"], Recipe(("likers", "reposters", "comments"), ("likes",))),
    ],
)
def test_a_recipe(text, recipe):
    assert parse_recipe(text, usual=USUAL) == recipe


@pytest.mark.parametrize("text", ["like", "+", "likers;likes", "user_likes", "-everything", "likes,,comment"])
def test_a_name_that_no_list_has_is_refused_with_those_there_are(text):
    with pytest.raises(SettingsError, match=r"There is no list .* there are likers, reposters, comments, related"):
        parse_recipe(text, usual=USUAL)


@pytest.mark.parametrize("text", ["", " , ", []])
def test_a_recipe_of_nothing_is_refused(text):
    with pytest.raises(SettingsError, match="likers"):
        parse_recipe(text, usual=USUAL)


def test_the_ways_on():
    assert parse_via("uploads,likes") == ("likes", "uploads")
    assert parse_via(["followings"]) == ("followings",)
    for wrong in ("likers", "playlist-tracks", "", "likes,nothing"):
        with pytest.raises(SettingsError, match="likes, reposts, uploads, followers, followings"):
            parse_via(wrong)


def test_caps():
    assert parse_caps("likes=300") == parse_caps(["likes=300"]) == parse_caps({"likes": 300}) == {"likes": 300}
    assert parse_caps(["likes=0", "comments=1_000, followers=5"]) == {"likes": 0, "comments": 1000, "followers": 5}


@pytest.mark.parametrize(
    "text", ["likes", "likes=", "likes=-1", "likes=1.5", "likes=many", f"likes={MOST + 1}", "likes=" + "9" * 5000]
)
def test_what_is_no_cap_is_refused_with_what_to_write(text):
    with pytest.raises(SettingsError, match="NAME=N"):
        parse_caps(text)


def test_a_cap_of_no_list_is_refused():
    with pytest.raises(SettingsError, match="There is no list 'like'"):
        parse_caps("like=3")
