"""`harvest bias` and `harvest estimate --rake`: against what the made-up world says of everybody listed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from math import log1p
from statistics import fmean, pstdev

import pytest
from pyarrow import parquet

import harvest
from harvest.inference.weights import RAKED_BY, raked
from harvest.models import Limits
from harvest.store.database import open_to_read
from harvest.store.samples import harvests, samples
from tests.crawling import crawl_world, read
from tests.estimating import a_world, truth_of
from tests.exporting import leave

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


def test_people_without_a_known_number_do_not_match(run, newest, tmp_path):
    """No number at all is no number within some standard deviations; one that all have alike is."""
    path = tmp_path / "t.db"
    shutil.copyfile(newest, path)
    columns = (*COLUMNS.values(), "created_at")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE users SET {', '.join(f'{column} = NULL' for column in columns)}")
    said = run("bias", "--db", str(path)).stdout
    assert "Whether those who answered match all listed is unknown" in said
    assert "Those who answered match" not in said
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE users SET followers_count = 3")
    assert "Those who answered match all listed in their profiles" in run("bias", "--db", str(path)).stdout


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
        expected |= {"control": None, "control_difference": None, "estimated": False}
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
        "Those who answered differ from all listed by more than 0.1 standard deviations: likes by their profile" in told
    )
    assert "\nThe means are of the counts, the differences of their logarithms, in standard deviations;" in told
    run("report", str(tmp_path / "r.html"), "--db", str(newest))
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "How those who answered differ from all listed" in page
    assert f"{found.compared[0].answered_difference:+.2f}" in page


def test_raked_weights_sum_to_the_classes_of_everybody(drawn):
    """Estimate how many people there are in each class, which is known: raking makes it exact."""
    people = people_of(drawn)
    with open_to_read(drawn) as connection:
        ((harvest_id, limits),) = harvests(connection)
        (sample,) = samples(connection, harvest_id, limits)
        answered = [one.user_id for one in sample.people if one.answered]
        weights, words = raked(connection, sample, dict.fromkeys(answered, sample.weight))
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


@pytest.fixture(scope="module")
def controlled(tmp_path_factory):
    """The newest 60 of some 220 people, and 40 of the others by lot."""
    path = tmp_path_factory.mktemp("controlled") / "t.db"
    crawl_world(path, WORLD, limits=Limits(max_users=60, max_user_likes=80, control=40, sample_seed=4))
    return path


ANSWERED = ("complete", "short", "capped")
LISTED = """
SELECT s.user_id, v.place, s.chance, s.likes_read, s.answer = 'answered', u.followers_count
FROM sample AS s LEFT JOIN visits AS v ON v.thing = 'user' AND v.thing_id = s.user_id
JOIN users AS u ON u.id = s.user_id WHERE s.once
"""


def test_a_control_sample_tells_what_the_newest_do_not_and_profiles_do_not_say(run, controlled):
    people = read(controlled, LISTED)
    rest = len(people) - 60
    assert {(place < 60, chance) for _, place, chance, *_ in people if place is not None} == {
        (True, 1.0),
        (False, 40 / rest),
    }
    (found,) = json.loads(run("bias", "--db", str(controlled), "--json").stdout)
    assert json.loads(run("status", "--db", str(controlled), "--json").stdout)["bias"] == [found]
    compared = {one["measure"]: one for one in found["compared"]}
    assert (found["listed"], found["followed"], found["control"]) == (len(people), 60, 40)
    fame = [row[5] for row in people if row[1] is not None and row[1] >= 60 and row[5] is not None]
    assert compared["followers"]["control"] == pytest.approx(fmean(fame))
    answered = [(log1p(row[3]), row[3], 1 / row[2], row[1] < 60) for row in people if row[4]]
    weights = sum(weight for _, _, weight, _ in answered)
    mean = sum(weight * log for log, _, weight, _ in answered) / weights
    variance = sum(weight * (log - mean) ** 2 for log, _, weight, _ in answered) / weights
    likes = compared["likes-read"]
    assert likes["estimated"]
    assert likes["listed"] == pytest.approx(sum(weight * n for _, n, weight, _ in answered) / weights)
    assert likes["answered"] == pytest.approx(fmean(n for _, n, _, newest in answered if newest))
    off = fmean(log for log, _, _, newest in answered if newest) - mean
    assert likes["answered_difference"] == pytest.approx(off / variance**0.5)
    assert likes["answered_difference"] < -0.1 < likes["control_difference"]  # as the world is made
    told = run("bias", "--db", str(controlled)).stdout
    assert "Beside them 40 others were drawn by lot." in told
    assert "likes that were read, estimated" in told


def test_estimates_and_exports_weigh_a_control_sample(run, controlled, tmp_path):
    _, truth = truth_of(WORLD)
    for arguments in ((), ("--rake",), ("--estimator", "ratio"), ("--estimator", "regression")):
        done = json.loads(run("estimate", *arguments, "--db", str(controlled), "--json").stdout)
        (answer,) = done["answers"]
        assert done["drawn"] == 100
        assert answer["value"] == pytest.approx(truth["likes"], rel=0.02 if "--estimator" in arguments else 0.2), (
            arguments
        )
        assert answer["low"] < truth["likes"] < answer["high"] or "--estimator" in arguments
    plain = run("estimate", "--capped", "as-read", "--db", str(controlled), "--json")
    leave(controlled, tmp_path / "out")
    users = [row for row in parquet.read_table(tmp_path / "out" / "users.parquet").to_pylist() if row["chance"]]
    designs = Counter(row["design"] for row in users)
    assert designs == {"newest": 60, "control": 40}
    told = [(row["likes_read"], 1 / row["chance"]) for row in users if row["likes_list"] in ANSWERED]
    mean = sum(n * weight for n, weight in told) / sum(weight for _, weight in told)
    assert json.loads(plain.stdout)["answers"][0]["value"] == pytest.approx(mean)
    control = next(row["user_id"] for row in users if row["design"] == "control")
    assert ", drawn by lot into the control sample" in run("why", "user", str(control), "--db", str(controlled)).stdout
    cited = run("cite", "--db", str(controlled)).stdout
    assert "60 people were followed, chosen in the order of the lists, newest first" in cited
    assert "Beside them 40 of the others were drawn by lot as a control sample (BLAKE2b, sample seed 4)" in cited
    assert "is in `harvest estimate` and `harvest bias`" in run("status", "--db", str(controlled)).stdout
    run("report", str(tmp_path / "r.html"), "--db", str(controlled))
    page = " ".join((tmp_path / "r.html").read_text("utf-8").split())
    assert "100 were followed: 60 chosen in the order of the list, newest first, for certain" in page
