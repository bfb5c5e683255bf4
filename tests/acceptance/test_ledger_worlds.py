"""The headline of the ledger: over many worlds with all faults mixed, no list is called whole that is not.

A list marked `complete` that has a claim never lacks more than the tolerance; a list that no fault has touched lacks
nothing at all, in number, in order and in how it is said to have ended.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from harvest.errors import HarvestError
from harvest.models import Limits
from harvest.simulator import World, serve
from harvest.simulator.faults.base import EFFECTS
from tests.crawling import crawl_into, read
from tests.faulty import QUICK, QuickClock, assert_no_contradiction
from tests.waiting import PATIENCE

NEVER_MET = {"me_somebody_else"}  # nobody asks for /me
SPLENDID = {"slow": "(0.05)", "trickle": "(0.00001)", "huge_body": "(70)"}  # the same, affordable a thousand times
GLOBAL = ("throttled", "token_quota", "waf", "blocked", "unauthorized")
CUTTING = (
    *("href_cut", "bare_array", "href_loop_1", "href_loop_3", "href_backwards", "href_endless"),
    *("missing_json", "forbidden_json", "bad_request_html", "shape_object", "shape_list", "redirect_foreign"),
)
TRANSIENT = tuple(
    name
    for name, effect in EFFECTS.items()
    if not effect.changes and not name.startswith(GLOBAL) and name not in NEVER_MET
)


def a_world(number: int) -> World:
    """A world of a few dozen requests."""
    chance = random.Random(number)
    return World(
        number,
        users=chance.randint(10, 60),
        tracks=chance.randint(40, 300),
        likes_per_user=chance.choice([6, 12, 18]),
        seed_likers=chance.randint(3, 14),
        seed_reposters=chance.randint(0, 6),
        null_entries=chance.choice([0.0, 0.05, 0.2]),
        gone=chance.choice([0.0, 0.1]),
        forbidden=chance.choice([0.0, 0.05]),
        overclaimed=chance.choice([0.0, 0.2]),
        hidden_stats=chance.choice([0.0, 0.2]),
        numeric_ids=chance.random() < 0.3,
    )


def a_mix(number: int) -> str:
    """A schedule: some trouble at a rate, something that cuts or loops lists, one fault of any kind, one block."""
    chance = random.Random(-number)
    parts = [f"{_fault(name)}={chance.choice([0.02, 0.05, 0.1])}" for name in chance.sample(TRANSIENT, 2)]
    parts += [f"{_fault(name)}[{_list(chance)}]={chance.choice([0.1, 0.3, 0.6])}" for name in chance.sample(CUTTING, 2)]
    every = sorted(set(EFFECTS) - NEVER_MET)
    any_of_all = every[number % len(every)]
    where = "[/oauth/token]" if any_of_all.startswith("token_quota") else ""
    parts.append(f"{_fault(any_of_all)}{where}@{chance.randint(1, 30) if not where else 1}")
    if chance.random() < 0.3:
        parts.append(f"{chance.choice(['throttled_object', 'waf_challenge', 'unauthorized'])}@{chance.randint(2, 20)}")
    return ",".join(parts)


def _fault(name: str) -> str:
    return name + SPLENDID.get(name, "")


def _list(chance: random.Random) -> str:
    return chance.choice(["/likes/tracks", "/likes/tracks", "/likes/tracks", "/favoriters", "/reposters"])


class Ledger:
    """What was found in the worlds so far."""

    def __init__(self) -> None:
        self.worlds = self.requests = self.struck = self.untouched = 0
        self.outcomes: Counter[str] = Counter()
        self.wrong: list[tuple[Any, ...]] = []
        self.unclaimed_losses = 0
        self.runs: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()

    async def add(self, number: int, path: Path) -> None:
        world, chance = a_world(number), random.Random(number)
        limits = Limits(max_users=chance.choice([5, 1000]), max_user_likes=chance.choice([7, 500]))
        how = {"page_size": chance.choice([3, 4, 5, 200]), "max_in_flight": chance.choice([1, 4, 8])}
        async with serve(world, gzip=False, faults=a_mix(number)) as server:
            for _ in range(3):
                ended = await _crawl(path, server, limits, how)
                self.runs[ended] += 1
                assert_no_contradiction(path)
                if ended == "drained":
                    break
            assert ended == "drained", number
            touched = {target.partition("?")[0] for _, _, target in server.plan.strikes}
            self.faults.update(server.plan.fired)
            self.requests += server.total
        self.worlds += 1
        self._judge(number, world, limits, path, touched)

    def _judge(self, number: int, world: World, limits: Limits, path: Path, touched: set[str]) -> None:
        """Compare each list that ended with what the world has."""
        for kind, subject, outcome, collected, claimed in read(
            path,
            "SELECT kind, subject_id, outcome, collected, claimed FROM tasks"
            " WHERE kind NOT IN ('resolve', 'lookup') AND outcome IS NOT NULL",
        ):
            self.outcomes[outcome] += 1
            is_touched = f"/{PATHS[kind].format(subject)}" in touched
            self.struck += is_touched
            self.untouched += not is_touched
            cap = limits.max_user_likes if kind == "user_likes" else limits.max_listed
            there = _listed(world, kind, subject)
            found = [
                row[0]
                for row in read(path, f"SELECT {EDGES[kind][0]} FROM user_engagements WHERE {EDGES[kind][1]}", subject)
            ]
            lacking = len(there) - sum(item in set(found) for item in there)
            told = (number, kind, subject, outcome, collected, claimed, len(there), lacking)
            if len(found) != collected:
                self.wrong.append(("rows and ledger differ", *told))
            if outcome == "complete" and lacking:
                tolerance = 0 if claimed is None else max(2, 0.1 * claimed)
                self.unclaimed_losses += claimed is None
                if claimed is not None and lacking > tolerance:
                    self.wrong.append(("complete, but lacks more than the tolerance", *told))
            if is_touched:
                continue
            expected = list(there[:cap])
            if found != expected and not _is_refused(world, kind, subject, outcome):
                self.wrong.append(("no fault touched it, yet it is not whole", *told))
            if outcome in ("loop", "unreadable", "failed"):
                self.wrong.append(("no fault touched it, yet it ended badly", *told))
            if outcome == "complete" and len(there) > cap:
                self.wrong.append(("capped, yet called complete", *told))

    def __str__(self) -> str:
        lists = sum(self.outcomes.values())
        return (
            f"{self.worlds} worlds, {self.requests} requests, {sum(self.faults.values())} faults of "
            f"{len(self.faults)} kinds, {lists} lists ({self.untouched} untouched): {dict(self.outcomes)}; runs "
            f"{dict(self.runs)}; wrong {len(self.wrong)}; lists without a claim that lack something "
            f"{self.unclaimed_losses}"
        )


PATHS = {
    "track_likers": "tracks/soundcloud:tracks:{}/favoriters",
    "track_reposters": "tracks/soundcloud:tracks:{}/reposters",
    "user_likes": "users/soundcloud:users:{}/likes/tracks",
}
EDGES = {
    "track_likers": (
        "user_id",
        "track_id = ? AND engagement_type = 'like' AND track_list_rank IS NOT NULL ORDER BY track_list_rank",
    ),
    "track_reposters": (
        "user_id",
        "track_id = ? AND engagement_type = 'repost' AND track_list_rank IS NOT NULL ORDER BY track_list_rank",
    ),
    "user_likes": (
        "track_id",
        "user_id = ? AND engagement_type = 'like' AND user_list_rank IS NOT NULL ORDER BY user_list_rank",
    ),
}


def _listed(world: World, kind: str, subject: int) -> tuple[int, ...]:
    """What a reader could get; nothing of an entry that a fault has invented."""
    try:
        return world.listing(kind, subject)
    except KeyError:
        return ()


def _is_refused(world: World, kind: str, subject: int, outcome: str) -> bool:
    if kind != "user_likes" or outcome not in ("gone", "forbidden"):
        return False
    try:
        return world.is_gone(subject) or world.is_forbidden(subject)
    except KeyError:  # a person whom a fault has invented
        return True


async def _crawl(path: Path, server: Any, limits: Limits, how: dict[str, Any]) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            return await crawl_into(path, server, None, limits, clock=QuickClock(), **QUICK, **how)
    except HarvestError as error:
        return type(error).__name__


def check(numbers: range) -> Ledger:
    """Harvest these worlds and hold every list against them."""

    async def run() -> Ledger:
        ledger = Ledger()
        for number in numbers:
            with tempfile.TemporaryDirectory() as folder:
                await ledger.add(number, Path(folder) / "t.db")
        return ledger

    return asyncio.run(run())


def test_no_list_is_called_whole_that_is_not(capsys):
    ledger = check(range(1, 11))
    with capsys.disabled():
        print(f"\n  {ledger}")
    assert ledger.wrong == []
    assert ledger.outcomes["complete"] > 30
    assert ledger.struck > 15


@pytest.mark.parametrize(
    ("numbers", "lists", "never_met"),
    [
        pytest.param(range(11, 111), 600, 20, marks=pytest.mark.slow),
        pytest.param(range(1, 1001), 5000, 0, marks=pytest.mark.soak),
    ],
    ids=["hundred", "thousand"],
)
@pytest.mark.timeout(3600)
def test_over_many_more_worlds_no_list_is_called_whole_that_is_not(capsys, numbers, lists, never_met):
    ledger = check(numbers)
    with capsys.disabled():
        print(f"\n  {ledger}")
    assert ledger.wrong == []
    assert set(ledger.outcomes) == {
        *("complete", "capped", "short", "loop", "gone", "forbidden", "unreadable", "failed", "withdrawn")
    }
    assert len(set(EFFECTS) - NEVER_MET - set(ledger.faults)) <= never_met
    assert sum(ledger.outcomes.values()) > lists


@pytest.mark.soak
@pytest.mark.fresh
def test_in_new_worlds_no_list_is_called_whole_that_is_not(fresh_seed):
    assert check(range(1000 * fresh_seed, 1000 * fresh_seed + 20)).wrong == []


def test_the_mix_knows_every_fault():
    assert {*TRANSIENT, *CUTTING, *NEVER_MET} < set(EFFECTS)
    assert len(TRANSIENT) > 30
