"""`harvest bias` and `harvest estimate --rake`: against what the made-up world says of everybody listed."""

from __future__ import annotations

import json
from collections import Counter
from math import log1p
from statistics import fmean, pstdev

import pytest

import harvest
from harvest.inference.weights import RAKED_BY, raked
from harvest.models import Limits
from harvest.store.database import open_to_read
from harvest.store.samples import harvests, samples
from tests.crawling import crawl_world, read
from tests.estimating import a_world

WORLD = a_world(7, spread=1.0)
COLUMNS = {
    "likes-claimed": "likes_given_count",
    "followers": "followers_count",
    "followings": "followings_count",
    "uploads": "track_count",
}


@pytest.fixture(scope="module")
def newest(tmp_path_factory):
    """The newest 60 of some 220 people, who are less active."""
    path = tmp_path_factory.mktemp("newest") / "t.db"
    crawl_world(path, WORLD, limits=Limits(max_users=60, max_user_likes=80))
    return path


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    path = tmp_path_factory.mktemp("drawn") / "t.db"
    crawl_world(path, WORLD, limits=Limits(max_users=90, max_user_likes=80, order="random", sample_seed=2))
    return path


def people_of(path):
    """Everybody listed, once: what their profile says, whether they were followed, and whether they answered."""
    rows = read(
        path,
        f"SELECT u.id, {', '.join(f'u.{column}' for column in COLUMNS.values())}, t.subject_id IS NOT NULL,"
        " coalesce(t.outcome IN ('complete', 'short', 'capped'), 0)"
        " FROM (SELECT DISTINCT user_id FROM user_engagements WHERE track_list_rank IS NOT NULL) AS e"
        " JOIN users AS u ON u.id = e.user_id LEFT JOIN tasks AS t ON t.kind = 'user_likes' AND t.subject_id = u.id",
    )
    return {row[0]: (dict(zip(COLUMNS, row[1:-2], strict=True)), *row[-2:]) for row in rows}


def test_the_newest_are_told_from_everybody_by_what_all_profiles_say(run, newest):
    (found,) = json.loads(run("bias", "--db", str(newest), "--json").stdout)
    people = people_of(newest)
    followed = [said for said, was, _ in people.values() if was]
    answered = [said for said, _, came in people.values() if came]
    assert (found["listed"], found["followed"], found["answered"]) == (len(people), len(followed), len(answered))
    compared = {one.pop("measure"): one for one in found["compared"]}
    for measure in COLUMNS:
        logs, sums = {}, {}
        for name, group in (
            ("listed", [s for s, _, _ in people.values()]),
            ("followed", followed),
            ("answered", answered),
        ):
            values = [said[measure] for said in group if said[measure] is not None]
            logs[name], sums[name] = [log1p(value) for value in values], fmean(values)
        expected = {"known": len(logs["listed"]), **sums}
        for name in ("followed", "answered"):
            expected[f"{name}_difference"] = (fmean(logs[name]) - fmean(logs["listed"])) / pstdev(logs["listed"])
        assert compared[measure] == pytest.approx(expected), measure
    assert compared["likes-claimed"]["answered_difference"] < -0.1  # as the world is made


def test_it_is_told_in_a_terminal_from_python_and_in_the_report(run, newest, tmp_path):
    (found,) = harvest.open(newest).bias()
    assert json.loads(json.dumps([found.as_json()])) == json.loads(run("bias", "--db", str(newest), "--json").stdout)
    told = run("bias", "--db", str(newest)).stdout
    assert told.startswith(f"Around track {found.track_id}: {found.listed} people are listed, 60 followed, ")
    assert (
        "Those who answered are unlike everybody by more than 0.1 standard deviations: likes by their profile" in told
    )
    run("report", str(tmp_path / "r.html"), "--db", str(newest))
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "How those who answered differ from everybody listed" in page
    assert f"{found.compared[0].answered_difference:+.2f}" in page


def test_raked_weights_sum_to_the_classes_of_everybody(drawn):
    """Estimate how many people there are in each class, which is known: raking makes it exact."""
    people = people_of(drawn)
    with open_to_read(drawn) as connection:
        ((harvest_id, limits),) = harvests(connection)
        (sample,) = samples(connection, harvest_id, limits)
        answered = [one.user_id for one in sample.people if one.answered]
        weights, words = raked(connection, sample, answered)
    assert sum(weights.values()) == pytest.approx(len(people))
    for measure, column in COLUMNS.items():
        if column in RAKED_BY:
            values = sorted(said[measure] for said, _, _ in people.values() if said[measure] is not None)
            half = values[len(values) // 2]
            below = sum(weight for user, weight in weights.items() if (people[user][0][measure] or half) < half)
            assert below / len(people) == pytest.approx(0.5, abs=0.03), measure
    assert Counter(words.split())["converged"] == 1


def test_raking_brings_an_estimate_nearer_where_the_silent_are_unlike_the_others(run, drawn):
    plain = json.loads(run("estimate", "--db", str(drawn), "--json").stdout)
    raked = json.loads(run("estimate", "--rake", "--db", str(drawn), "--json").stdout)
    assert raked["answers"][0]["people"] == plain["answers"][0]["people"]
    assert raked["answers"][0]["value"] != plain["answers"][0]["value"]
    assert any(line.startswith("Weights are raked to the likes and followers") for line in raked["conditions"])


def test_what_stands_on_profiles_is_not_raked(run, drawn, newest):
    done = run("estimate", "--rake", "--of", "followers", "--db", str(drawn))
    assert (done.returncode, "leave it out" in done.stderr) == (2, True)
    assert "not drawn by chance" in run("estimate", "--rake", "--db", str(newest)).stderr
