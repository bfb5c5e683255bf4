"""Worlds of two makers, crawls of them, what each is planned to take, and what the oracle says it takes."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from harvest.api.seed_urls import normalise_seed
from harvest.models import Limits
from harvest.planning.computer import slowness
from harvest.planning.cost import Plan, Speed, estimate
from harvest.planning.ranges import Range
from harvest.planning.survey import survey
from harvest.simulator import Truth, World, serve
from harvest.simulator.oracle import expect
from harvest.simulator.truth.content import walk
from harvest.simulator.world.lists import KINDS
from harvest.system.clock import SystemClock
from harvest.wiring import connect
from tests.circles import circles
from tests.crawling import crawl_into, settings_for

MAKERS = ("layers", "circles")
LINES = ("requests", "likes and reposts", "tracks", "users")


@dataclass(frozen=True)
class Case:
    """One crawl of one world."""

    maker: str
    number: int
    world: World
    seed: str
    limits: Limits
    page_size: int

    @cached_property
    def truth(self) -> Truth:
        """What the crawl collects."""
        return expect(self.world, self.seed, page_size=self.page_size, **asdict(self.limits))

    @cached_property
    def actual(self) -> dict[str, int]:
        """What the crawl takes, by line of the plan."""
        return {
            "requests": 1 + 2 + sum(self._pages()),  # a token, the address, the thing it leads to
            "likes and reposts": len(self.truth.engagements),
            "tracks": len(self.truth.tracks),
            "users": len(self.truth.users),
        }

    def _pages(self) -> Iterator[int]:
        """Say how many pages each list takes."""
        for (kind, subject), (outcome, collected, _) in self.truth.lists.items():
            if outcome in ("gone", "forbidden"):
                yield 1
                continue
            declared, deeds = KINDS[kind], self.world.deeds
            index = self.world.index(declared.subject, subject)
            entries = deeds.entries(kind, index).items
            shown = [None if deeds.null(kind, index, item) else item for item in entries]
            pages = max(1, -(-len(shown) // self.page_size))
            if outcome == "capped":
                pages = next(
                    n
                    for n in range(1, pages + 1)
                    if walk(shown[: n * self.page_size], 10**9, self.page_size, repeats=kind == "playlist_tracks")[0][
                        collected - 1 :
                    ]
                )
            yield pages

    def crawl(self, path: Path) -> dict[str, float]:
        """Crawl it into a file; give what that took of the disk, and of a computer that has nothing else to do.

        The service works in a process of its own, and seconds are those of our CPU: others on this computer, and the
        simulator, which is slower than we are, have no part in them.
        """
        fork = multiprocessing.get_context("fork")
        ours, theirs = fork.Pipe()
        service = fork.Process(target=_serve, args=(self.world, theirs), daemon=True)
        service.start()
        try:
            began = time.process_time()
            asyncio.run(
                crawl_into(path, SimpleNamespace(url=ours.recv()), [self.seed], self.limits, page_size=self.page_size)
            )
            return {"disk": path.stat().st_size, "seconds": time.process_time() - began}
        finally:
            service.kill()
            service.join()

    async def plan(self, delay: float = 0.5) -> tuple[Plan, int]:
        """Plan it for a pace, and for this computer; give how many requests that took, too."""
        async with (
            serve(self.world, gzip=False) as server,
            connect(settings_for(server), clock=SystemClock(), delay=0) as connection,
        ):
            address = normalise_seed(self.seed).url
            found = await survey(connection.client, address, self.limits, page_size=self.page_size)
            speed = Speed(delay, found.latency, page_size=self.page_size, slowness=slowness())
            return estimate([(found.outlook, self.limits)], speed), server.total


def _serve(world: World, told: Connection) -> None:
    """Serve a world and tell where, until somebody ends it."""

    async def serving() -> None:
        async with serve(world, gzip=False) as server:
            told.send(server.url)
            await asyncio.Event().wait()

    asyncio.run(serving())


def lines_of(plan: Plan) -> dict[str, Range]:
    """Give the lines of a plan: those whose truth the oracle knows, then those that a crawl tells."""
    return {"requests": plan.requests, **plan.rows, "disk": plan.size_bytes, "seconds": plan.seconds}


def a_world(maker: str, number: int) -> World:
    """Make a world, as unlike the others as may be."""
    chance = random.Random(f"{maker} {number}")
    users = chance.choice([60, 150, 400, 1000, 2500])
    common: dict[str, Any] = {
        "null_entries": chance.choice([0, 0, 0, 0.05]),
        "gone": chance.choice([0.0, 0.01, 0.05]),
        "overclaimed": chance.choice([0.0, 0.01, 0.05]),
        "private": chance.choice([0.01, 0.03]),
        "artists": chance.choice([0.05, 0.4, 1.0]),
        "cache": 2000,
    }
    tracks = users * chance.choice([2, 5, 15])
    if maker == "layers":
        return World(
            number,
            users=users,
            tracks=tracks,
            likes_per_user=chance.choice([8, 20, 50, 100]),
            seed_likers=min(users, chance.choice([10, 40, 120, 230, 400])),
            seed_reposters=min(users, chance.choice([0, 5, 40, 120])),
            spread=chance.choice([1.0, 1.0, 0.5]),
            communities=chance.choice([1, 4, 12]),
            community_share=chance.choice([0.3, 0.7]),
            newcomers_differ=chance.choice([0.0, 0.0, 0.5]),
            **common,
        )
    return circles(
        number,
        users=users,
        tracks=tracks,
        likes=chance.choice([6, 15, 40, 80]),
        tail=chance.choice([0.5, 1.0, 1.5]),
        loyal=chance.choice([0.3, 0.6, 0.9]),
        steep=chance.choice([0.6, 0.9, 1.2]),
        fans=min(users, chance.choice([10, 40, 120, 230, 400])),
        reposting=min(users, chance.choice([0, 5, 40, 120])),
        **common,
    )


def a_case(maker: str, number: int, depths: tuple[int, ...] = (1, 1, 2, 2)) -> Case:
    """Make a world, and a crawl of it; most start from the track that most people like."""
    world = a_world(maker, number)
    chance = random.Random(f"crawl {maker} {number}")
    kind = chance.choice(["hit", "hit", "hit", "track", "user", "playlist"])
    depth = chance.choice(depths)
    limits = Limits(
        max_users=chance.choice([10, 40, 150, 1000]),
        max_user_likes=chance.choice([50, 150, 500]),
        max_tracks=chance.choice([3, 10, 40, 100]),
        depth=depth,
        order=chance.choice(["newest", "newest", "random"]),
    )
    seed = {
        "hit": world.seed_url,
        "track": lambda: world.seed_urls(16)[chance.randrange(1, 16)],
        "user": lambda: world.user_url(world.me_id),
        "playlist": lambda: world.playlist_url(world.id("playlist", chance.randrange(world.options.playlist_count))),
    }[kind]()
    return Case(maker, number, world, seed, limits, chance.choice([200, 200, 50]))
