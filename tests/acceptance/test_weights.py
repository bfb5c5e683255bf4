"""The weights people were sampled with, in what leaves: chances, why there is none, and tracks that are frames."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections import Counter
from math import isclose

import numpy as np
import pytest
from pyarrow import parquet

from harvest.models import Limits
from harvest.simulator import World
from tests.crawling import crawl_world, read
from tests.exporting import leave

WORLD = World(17, users=120, tracks=400, likes_per_user=12, seed_likers=60, seed_reposters=0, communities=2)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Twenty of sixty people drawn by lot, with some lists cut."""
    path = tmp_path_factory.mktemp("drawn") / "t.db"
    crawl_world(path, WORLD, limits=Limits(max_users=20, order="random", max_user_likes=15))
    return path


def rows(folder, table):
    return parquet.read_table(folder / f"{table}.parquet").to_pylist()


def changed(path, tmp_path, *statements):
    """A copy of the file after some statements."""
    copy = tmp_path / "changed.db"
    shutil.copy(path, copy)
    with contextlib.closing(sqlite3.connect(copy)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return copy


def test_who_was_drawn_leaves_with_the_chance_and_others_with_the_reason(drawn, tmp_path):
    made = leave(drawn, tmp_path / "out")
    sample = {
        row[0]: row[1:] for row in read(drawn, "SELECT user_id, chosen, chance, censored, likes_read FROM sample")
    }
    listed = Counter(bool(chosen) for chosen, *_ in sample.values())
    assert listed[True] == 20
    chance = 20 / listed.total()
    for row in rows(tmp_path / "out", "users"):
        chosen, told, censored, likes_read = sample[row["user_id"]]
        if chosen:
            assert isclose(row["chance"], chance)
            assert (row["chance"], row["chance_unknown"], row["design"]) == (told, None, "random")
            assert (row["depth"], row["seed_kind"]) == (1, "track")
            assert (row["censored"], row["likes_read"]) == (bool(censored), likes_read)
        else:
            assert (row["chance"], row["chance_unknown"], row["design"]) == (None, "not followed", "not followed")
    assert any(row["censored"] for row in rows(tmp_path / "out", "users"))
    assert made["weights"]["designs"] == {
        "not followed": {
            "people": listed[False], "with a chance": 0, "without, since": {"not followed": listed[False]},
        },
        "random": {"people": 20, "with a chance": 20},
    }  # fmt: skip


def test_every_interaction_carries_its_persons_weight(drawn, tmp_path):
    leave(drawn, tmp_path / "out", kinds=("like", "repost"))
    people = {row["user_id"]: row for row in rows(tmp_path / "out", "users")}
    found = rows(tmp_path / "out", "interactions")
    assert {row["kind"] for row in found} == {"like"}
    for row in found:
        person = people[row["user_id"]]
        assert row["chance"] == person["chance"]
        assert row["censored"] == person["censored"]
        assert (row["list_outcome"] or "not asked") == person["likes_list"]


def test_follows_carry_the_weights_of_both_ends(drawn, tmp_path):
    one, other = (row[0] for row in read(drawn, "SELECT user_id FROM sample WHERE chosen ORDER BY 1 LIMIT 2"))
    (stranger,) = read(drawn, "SELECT user_id FROM sample WHERE NOT chosen LIMIT 1")[0]
    ends = [(one, other), (stranger, one)]
    follows = ", ".join(f"({a}, {b}, 1)" for a, b in ends)
    copy = changed(
        drawn, tmp_path, f"INSERT INTO user_follows (follower_id, followee_id, first_page_id) VALUES {follows}"
    )
    chances = dict(read(drawn, "SELECT user_id, chance FROM sample"))
    for lists in (False, True):
        leave(copy, tmp_path / f"{lists}", lists=lists)
        found = {
            (row["source_id"], row["target_id"]): (row["source_chance"], row["target_chance"])
            for row in rows(tmp_path / f"{lists}", "follows")
        }
        assert found == {(a, b): (chances[a], chances[b]) for a, b in ends}
    assert found[ends[1]] == (None, chances[one])


@pytest.mark.parametrize(
    ("statement", "reason", "design"),
    [
        ("UPDATE visits SET chance = NULL, place = NULL WHERE thing = 'user'", "left from an earlier choice", "random"),
        ("UPDATE visits SET chance = NULL", "a list that names people could not be read", "random"),
        ("UPDATE visits SET chance = NULL, round = 0 WHERE thing = 'user'", "a seed", "seed"),
        ("UPDATE visits SET chance = 1 WHERE thing = 'user'", None, "everybody"),
    ],
)
def test_each_reason_for_which_a_chance_is_unknown(drawn, tmp_path, statement, reason, design):
    copy = changed(drawn, tmp_path, statement)
    leave(copy, tmp_path / "out")
    found = {(row["chance_unknown"], row["design"]) for row in rows(tmp_path / "out", "users")}
    assert found == {(reason, design), ("not followed", "not followed")}


def test_of_two_harvests_the_one_that_drew_by_lot_gives_the_chance(drawn, tmp_path):
    copy = changed(
        drawn,
        tmp_path,
        "INSERT INTO harvests (id, options, state, started_at) VALUES (0, '{\"order\": \"newest\"}', 'drained', '')",
        "INSERT INTO visits (harvest_id, thing, thing_id, round, depth, place)"
        " SELECT 0, 'user', thing_id, 1, 1, 0 FROM visits WHERE thing = 'user'",
    )
    leave(copy, tmp_path / "out")
    designs = Counter(row["design"] for row in rows(tmp_path / "out", "users"))
    assert designs["random"] == 20


def test_a_split_leaves_frames_out_unless_they_are_wanted(drawn, tmp_path):
    (seed,) = {row[0] for row in read(drawn, "SELECT seed_id FROM harvests")}
    made = leave(drawn, tmp_path / "split", split="hash:0.3", without_frames=None)
    likes = read(drawn, "SELECT user_id, track_id FROM user_engagements WHERE engagement_type = 'like'")
    first, last = made["counts"]["after each filter"]
    assert (first["interactions"], last["filter"]) == (len(likes), "without frames")
    kept = {pair for pair in likes if pair[1] != seed}
    assert (last["interactions"], last["items"]) == (len(kept), len({track for _, track in kept}))
    assert last["users"] == len({user for user, _ in kept}) < first["users"]
    assert made["frames"] | {"rule": ""} == {"tracks": 1, "left_out": True, "rule": ""}
    parts = [row for name in ("train", "test") for row in rows(tmp_path / "split", name)]
    assert {(row["user_id"], row["item_id"]) for row in parts} == kept
    assert {row["frame"] for row in rows(tmp_path / "split", "items")} == {False}
    made = leave(drawn, tmp_path / "kept", split="hash:0.3", without_frames=False)
    assert made["counts"]["after each filter"][-1]["interactions"] == len(likes)
    assert {row["item_id"] for row in rows(tmp_path / "kept", "items") if row["frame"]} == {seed}
    leave(drawn, tmp_path / "none", split="hash:0.3", without_frames=None, frames="none")
    assert not any(row["frame"] for row in rows(tmp_path / "none", "items"))


def test_pseudonyms_tell_no_place_no_count_and_no_frame(drawn, tmp_path):
    made = leave(drawn, tmp_path / "out", ids="pseudonym", key_file=tmp_path / "key")
    people = rows(tmp_path / "out", "users")
    assert {(row["listed_rank"], row["claimed"]) for row in people} == {(None, None)}
    assert sum(row["chance"] is not None for row in people) == 20
    assert "frame" not in rows(tmp_path / "out", "items")[0]
    assert any("frame" in note for note in made["left_out"])


def test_the_other_formats_carry_chances_too(drawn, tmp_path):
    expected = {row[0]: row[1] for row in read(drawn, "SELECT user_id, chance FROM sample")}
    leave(drawn, tmp_path / "jsonl", format="jsonl")
    lines = [json.loads(line) for line in (tmp_path / "jsonl" / "users.jsonl").read_text("utf-8").splitlines()]
    assert {row["user_id"]: row["chance"] for row in lines} == expected
    for name in ("csr", "tsv", "csv"):
        leave(drawn, tmp_path / name, format=name)
        head, *found = [line.split(",") for line in (tmp_path / name / "users.csv").read_text("utf-8").splitlines()]
        place = head.index("chance")
        assert {int(row[0]): float(row[place]) if row[place] else None for row in found} == expected
    assert [int(row[0]) for row in found] == np.load(tmp_path / "csr" / "user_ids.npy").tolist()
