"""The page of `harvest explore`: what it holds against a computation of its own, and where it places things."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import random
import re
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path

import pytest

pytest.importorskip("scipy")
pytest.importorskip("graspologic_native")

import numpy as np

from harvest import explorer
from harvest.analysis import layout
from harvest.analysis.methods import COMMUNITIES, RELATED
from harvest.analysis.reasons import CHOSEN
from harvest.analysis.related import related
from harvest.cli.commands.related import _reason as as_related_says
from harvest.errors import SettingsError
from harvest.explorer.asked import Asked
from harvest.explorer.facts import gather
from harvest.explorer.page import _DARK, _LIGHT, page
from harvest.report.palette import ON
from harvest.store.database import open_to_read
from tests.analysing import LikesFile
from tests.unit.report.test_palette import contrast

SEED, ALONE = 900, 901
STATIC = Path(explorer.__file__).with_name("static")
HOSTILE = "</script><script>document.title='gone'</script>"


@pytest.fixture(scope="module")
def lists():
    """Three groups of twenty people with a taste of their own; all of them like the seed, nobody else the last one."""
    chance = random.Random(4)
    found = {}
    for user in range(60):
        own = [100 * (user // 20) + n for n in range(1, 31)]
        others = [100 * group + n for group in range(3) for n in range(1, 31)]
        found[1000 + user] = [SEED, *chance.sample(own, 14), *chance.sample(others, 3), *([ALONE] if user == 7 else [])]
    return found


@pytest.fixture(scope="module")
def file(tmp_path_factory, lists):
    with filled(tmp_path_factory.mktemp("explorer") / "likes.db", lists) as made:
        yield made


@contextmanager
def filled(path, lists):
    with LikesFile(path) as made:
        for user, tracks in lists.items():
            made.likes(user, tracks)
        made.frame(SEED)
        for track in (SEED, 1, 2, 3):
            made.counted(track, 500)
        made.title(5, HOSTILE, artist=5000)
        made.name(5000, "=cmd|' /C calc'!A0")
        yield made


@pytest.fixture(scope="module")
def facts(file):
    return facts_of(file)


def facts_of(file, **asked):
    with open_to_read(file.path) as connection:
        return gather(connection, file.path.name, Asked(**asked))


def named(facts):
    """Give the pairs by the ids of tracks: (one, other) -> (common, score, sentence)."""
    ids, pairs = facts["tracks"]["id"], facts["pairs"]
    rows = zip(*(pairs[name] for name in ("one", "other", "common", "score", "why")), strict=True)
    return {(ids[a], ids[b]): (common, score, pairs["sentences"][why]) for a, b, common, score, why in rows}


def truth(lists, nearest=15, least=3):
    """Compare every two tracks by plain sets, and keep the nearest of each: (one, other) -> (common, thousandths)."""
    fans = {}
    for user, tracks in lists.items():
        for track in set(tracks) - {SEED}:
            fans.setdefault(track, set()).add(user)
    scored = {}
    for one, other in combinations(sorted(fans), 2):
        common = len(fans[one] & fans[other])
        if common >= least:
            cosine = round(common / math.sqrt(len(fans[one]) * len(fans[other])), 12)
            scored.setdefault(one, []).append((-cosine, other, common))
            scored.setdefault(other, []).append((-cosine, one, common))
    return {
        tuple(sorted((one, other))): (common, round(-1000 * cosine))
        for one, near in scored.items()
        for cosine, other, common in sorted(near)[:nearest]
    }


def test_pairs_are_those_that_plain_sets_give_the_nearest_first(facts, lists):
    found = {pair: told[:2] for pair, told in named(facts).items() if SEED not in pair}
    assert found == truth(lists)
    scores = facts["pairs"]["score"]
    assert scores == sorted(scores, reverse=True)
    assert facts["tracks"]["fans"] == [
        sum(track in tracks for tracks in lists.values()) for track in facts["tracks"]["id"]
    ]
    assert (facts["people"], ALONE in facts["tracks"]["id"]) == (60, False)
    assert facts["liked"] == len({track for tracks in lists.values() for track in tracks} - {ALONE})


def test_each_sentence_is_what_related_says_and_the_seed_has_none_against_chance(facts, file):
    said = named(facts)
    with open_to_read(file.path) as connection:
        for track in {one for pair in said for one in pair} - {SEED}:
            found = related(connection, str(track), method=RELATED[0], limit=100)
            told = {tuple(sorted((track, near.track_id))): as_related_says(near, found) for near in found.near}
            assert {
                pair: told[2] for pair, told in said.items() if track in pair and SEED not in pair
            }.items() <= told.items()
    beside_the_seed = {pair: sentence for pair, (_, _, sentence) in said.items() if SEED in pair}
    assert beside_the_seed.keys() == {(1, SEED), (2, SEED), (3, SEED)}  # those of which SoundCloud counts the likes
    assert {re.sub(r"^\d+", "n", sentence) for sentence in beside_the_seed.values()} == {
        f"n people like both; {CHOSEN}"
    }


def test_communities_are_the_groups_until_the_file_has_its_own(facts, lists, tmp_path):
    by_id = dict(zip(facts["tracks"]["id"], facts["tracks"]["community"], strict=True))
    assert by_id.pop(SEED) == -1
    assert len({(track // 100, community) for track, community in by_id.items()}) == 3
    assert (facts["as_analysed"], [one["tracks"] for one in facts["communities"]]) == (False, [30, 30, 30])
    with filled(tmp_path / "analysed.db", lists) as file:
        file.analysed(*COMMUNITIES)
        analysed = facts_of(file)
        assert analysed["as_analysed"]
        assert dict(zip(analysed["tracks"]["id"], analysed["tracks"]["community"], strict=True)) == {
            **dict(file.read("SELECT track_id, community FROM track_communities")),
            SEED: -1,
        }


def test_the_most_liked_are_chosen_and_each_keeps_a_line(file, lists):
    liked = sorted(
        {t for tracks in lists.values() for t in tracks}, key=lambda t: (-sum(t in some for some in lists.values()), t)
    )
    facts = facts_of(file, tracks=40)
    assert set(facts["tracks"]["id"]) == set(liked[:40])
    ends = list(zip(facts["pairs"]["one"], facts["pairs"]["other"], strict=True))
    nearest = {next(n for n, pair in enumerate(ends) if track in pair) for track in range(40)}
    drawn = set(facts["pairs"]["drawn"])
    assert nearest <= drawn < set(range(len(ends)))
    assert len(drawn) <= 3 * 40


def test_the_same_file_gives_the_same_page_and_a_changed_one_much_the_same_map(facts, file, lists, tmp_path):
    assert page(facts) == page(facts_of(file))
    with LikesFile(tmp_path / "changed.db") as changed:
        for user, tracks in lists.items():
            changed.likes(user, [track for track in tracks if (track * 7 + user * 13) % 50])
        changed.frame(SEED)
        changed.counted(SEED, 500)
        before, after = (placed(one) for one in (facts, facts_of(changed)))
        both = sorted(before.keys() & after.keys() - {SEED})
        here, there = np.array([before[t] for t in both]), np.array([after[t] for t in both])
        moved = np.median(np.linalg.norm(here - there, axis=1))
        shuffled = np.median(np.linalg.norm(here - there[np.random.default_rng(1).permutation(len(both))], axis=1))
        assert moved < shuffled / 2


def placed(facts):
    return {t: (x, y) for t, x, y in zip(*(facts["tracks"][name] for name in ("id", "x", "y")), strict=True)}


def test_groups_stand_apart_within_the_map_and_circles_hardly_cover_each_other(facts):
    points = placed(facts)
    radius = dict(zip(facts["tracks"]["id"], facts["tracks"]["r"], strict=True))
    assert all(0 <= value <= layout.SIDE for point in points.values() for value in point)
    inside, between, covered = [], [], 0
    for one, other in combinations(sorted(points.keys() - {SEED}), 2):
        far = math.dist(points[one], points[other])
        (inside if one // 100 == other // 100 else between).append(far)
        covered += far < 0.95 * (radius[one] + radius[other])
    assert np.mean(inside) < 0.6 * np.mean(between)
    assert covered < len(points) / 10


def test_people_are_named_only_where_that_is_asked_for(facts, file, lists):
    text = page(facts)
    assert not any(f"user {user}" in text for user in lists)
    facts = facts_of(file, people=True)
    of = dict(zip(facts["tracks"]["id"], facts["fans"]["of"], strict=True))
    fans = sorted(user for user, tracks in lists.items() if 17 in tracks)[:10]
    assert [facts["fans"]["names"][place] for place in of[17]] == [f"user {user}" for user in fans]


def test_what_people_typed_stays_text(facts):
    text = page(facts)
    assert HOSTILE not in text
    assert text.count("<script") == text.count("</script>") == 3
    told = json.loads(re.search(r'id="facts">(.*?)</script>', text, re.DOTALL)[1])
    assert HOSTILE in told["tracks"]["title"]
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert [digest(script) in text for script in scripts] == [True, True]
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert f"style-src '{digest(style)}'" in text


def digest(text):
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def test_an_empty_page_is_never_made(tmp_path):
    with LikesFile(tmp_path / "few.db") as made:
        with pytest.raises(
            SettingsError, match=r"^Nothing to explore: none of the lists of likes that were read holds"
        ):
            facts_of(made)
        for user in range(5):
            made.likes(user, [user + 1])
        with pytest.raises(SettingsError, match=r"^Nothing to explore: no two tracks have 3 people in common"):
            facts_of(made)
        for user in range(5):
            made.likes(user, [SEED])
        made.frame(SEED)
        with pytest.raises(
            SettingsError, match=r"^Nothing to explore: People were chosen for liking 1 of the 6 tracks"
        ):
            facts_of(made)


def test_the_library_is_the_one_that_was_made_with_its_licences_beside_it():
    recorded, name = (STATIC / "library.min.js.sha256").read_text().split()
    library = (STATIC / name).read_bytes()
    assert hashlib.sha256(library).hexdigest() == recorded
    assert b"</script" not in library.lower()
    pinned = json.loads((Path(explorer.__file__).parents[2] / "scripts/graph_library/package-lock.json").read_text())[
        "packages"
    ]
    licences = (STATIC / "library.licences.txt").read_text("utf-8")
    for name in ("sigma", "graphology", "graphology-shortest-path"):
        assert f"{name} {pinned[f'node_modules/{name}']['version']} (MIT)" in licences
    assert not any("resolved" in package for package in pinned.values())


@pytest.mark.parametrize("theme", [_LIGHT, _DARK])
def test_what_can_be_clicked_has_a_border_that_can_be_seen(theme):
    assert min(contrast(theme["control"], theme[name]) for name in ON) >= 3
