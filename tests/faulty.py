"""Crawl a small served world while things go wrong, and say what the file must hold in spite of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harvest.errors import HarvestError
from harvest.models import Limits
from harvest.simulator import Server, Truth, World, serve
from harvest.simulator.oracle import expect
from harvest.store.database import immediately, open_for_crawl, open_to_read
from harvest.store.harvests import put_back
from harvest.system.clock import SystemClock, as_text
from harvest.verify.checks import verify
from tests.crawling import assert_exact, assert_sound, crawl_into, read, told
from tests.waiting import PATIENCE

PAGE = 5  # small pages, so that a small world has lists of several
QUICK = {"hold_seconds": 0.002, "retry_seconds": 0.001, "request_seconds": 20.0}

WORLD = World(4, users=40, tracks=150, likes_per_user=9, seed_likers=9, seed_reposters=4, null_entries=0.04, gone=0.03)


class QuickClock(SystemClock):
    """Lets a second of waiting pass in a few milliseconds; the time of day is the real one."""

    speed = 250.0

    def monotonic(self) -> float:
        return time.monotonic() * self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self.speed)


class JumpingClock(SystemClock):
    """The time of day jumps at every look, by these numbers of seconds in turn; waiting is as always."""

    def __init__(self, *jumps: float) -> None:
        self._jumps = jumps
        self.looks = 0

    def now(self) -> datetime:
        self.looks += 1
        return datetime.fromtimestamp(time.time() + self._jumps[self.looks % len(self._jumps)], UTC)


@dataclass
class Scene:
    """A world behind a port, a file, and what became of each crawl."""

    server: Server
    path: Path
    world: World
    limits: Limits = field(default_factory=Limits)
    page_size: int = PAGE
    options: dict[str, Any] = field(default_factory=dict)
    ended: HarvestError | str | None = None

    async def crawl(self, seeds: Sequence[str] | None = None, **options: Any) -> HarvestError | str:
        """Crawl until it ends, however it ends; the file must be sound afterwards."""
        chosen = {"clock": QuickClock(), **QUICK, **self.options, **options}
        try:
            async with asyncio.timeout(PATIENCE):
                self.ended = await crawl_into(
                    self.path, self.server, seeds, self.limits, page_size=self.page_size, **chosen
                )
        except HarvestError as error:
            self.ended = error
        assert_no_contradiction(self.path)
        return self.ended

    async def mend(self, failure_class: str | None = None) -> None:
        """Let the service be well again, put failed lists back and go on."""
        self.server.use("")
        self.put_back(failure_class)
        assert await self.crawl() == "drained"

    def put_back(self, failure_class: str | None = None) -> None:
        """Let failed lists be read again, from where they stand."""
        database = open_for_crawl(self.path)
        try:
            with immediately(database):
                put_back(database.conn, as_text(SystemClock().now()), failure_class=failure_class)
        finally:
            database.conn.close()

    def assert_exact(self) -> None:
        assert_exact(self.path, self.world, limits=self.limits, page_size=self.page_size)

    def truth(self) -> Truth:
        return expect(self.world, **asdict(self.limits), page_size=self.page_size)

    def failures(self) -> list[tuple[Any, ...]]:
        """Class, status and whether asking again may help, of everything that stands unresolved."""
        return read(
            self.path, "SELECT class, status, retryable FROM failures WHERE resolved_at IS NULL ORDER BY class, status"
        )

    def harvest(self) -> tuple[Any, ...]:
        return read(self.path, "SELECT state, reason FROM harvests")[0]


def play(path: Path, scene: Any, *, world: World = WORLD, faults: str = "", **server_options: Any) -> None:
    """Run a test's scene against a served world."""

    async def run() -> None:
        options = {"gzip": False, "keep_log": True, "faults": faults, **server_options}
        async with serve(world, **options) as server:
            await scene(Scene(server, path, world))

    asyncio.run(run())


def assert_no_contradiction(path: Path) -> None:
    """Whatever happened, the file is sound and every claim in it holds."""
    if not path.exists():
        return
    connection = open_to_read(path)
    try:
        wrong = [(f.check.name, f.examples) for f in verify(connection) if f.contradictions]
    finally:
        connection.close()
    assert wrong == [], wrong
    assert_sound(path)


def victim(world: World = WORLD) -> int:
    """The person with the longest list that is read to its end."""
    lists = expect(world, page_size=PAGE).lists
    whole = {key[1]: ended for key, ended in lists.items() if key[0] == "user_likes" and ended[0] == "complete"}
    return max(whole, key=lambda user: (whole[user][1], user))


def path_of(user: int) -> str:
    return f"/users/soundcloud:users:{user}/likes/tracks"


def cut_short(truth: Truth, user: int, kept: int, outcome: str) -> dict[str, Any]:
    """Give the truth as it stands when of one user's likes only the first so many came."""
    expected = deepcopy(told(truth))
    engagements = {}
    for edge, (user_rank, track_rank) in expected["engagements"].items():
        lost = edge[0] == user and edge[2] == "like" and user_rank is not None and user_rank >= kept
        if not lost:
            engagements[edge] = (user_rank, track_rank)
        elif track_rank is not None:
            engagements[edge] = (None, track_rank)
    seeds = set(truth.spilled)
    tracks = {track for _, track, _ in engagements} | seeds
    people = {person for person, _, _ in engagements} | {expected["tracks"][t]["uploader_id"] for t in tracks}
    claimed = expected["lists"]["user_likes", user][2]
    return {
        **expected,
        "engagements": engagements,
        "tracks": {t: row for t, row in expected["tracks"].items() if t in tracks},
        "tags": {t: names for t, names in expected["tags"].items() if t in tracks},
        "users": {p: row for p, row in expected["users"].items() if p in people},
        "lists": {**expected["lists"], ("user_likes", user): (outcome, kept, claimed)},
    }


def list_of(path: Path, user: int) -> tuple[Any, ...]:
    """State, outcome, rows kept and next cursor of a user's likes."""
    return read(
        path,
        "SELECT r.state, r.outcome, r.collected, r.next_cursor FROM readings r JOIN tasks t ON t.id = r.task_id"
        " WHERE t.kind = 'user_likes' AND t.subject_id = ? ORDER BY r.number DESC",
        user,
    )[0]
