"""Show how good the estimate of the remaining time is, over simulators that throttle in several ways.

Run by hand: `python tests/bench/eta.py [--short]`. Each line is one crawl: the error of the predicted whole time, for
predictions made from 20 % of the crawl on, in per cent of the real whole time; and of the predicted rest, in per cent
of the real rest, from 20 % to 90 %. Aim: the whole within 15 %.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from harvest.crawler.progress import CrawlProgress  # noqa: E402
from harvest.crawler.session import Conditions, crawl  # noqa: E402
from harvest.models import Limits  # noqa: E402
from harvest.simulator import World, serve  # noqa: E402
from harvest.system.clock import SystemClock  # noqa: E402
from harvest.wiring import connect  # noqa: E402
from tests.crawling import Onlooker, settings_for  # noqa: E402


@dataclass(frozen=True)
class Scene:
    """One service and one way to ask it."""

    name: str
    delay: float = 0.0
    hold_seconds: float = 2.0
    world: Any = None
    server: Any = None
    halved: bool = False


SCENES = (
    Scene("steady, 8/s allowed by us", delay=0.125),
    Scene("throttled to 8/s, we ask as fast as we may", server={"rate": 8.0}),
    Scene("throttled to 8/s, delay of 10/s", delay=0.1, server={"rate": 8.0}),
    Scene("throttled to 8/s, holds of 5 s", server={"rate": 8.0}, hold_seconds=5.0),
    Scene("throttled to 10/s, halved at a third", server={"rate": 10.0}, halved=True),
    Scene("throttled to 8/s, one in ten users gone", server={"rate": 8.0}, world={"gone": 0.1}),
    Scene("throttled to 8/s, a third overclaims", server={"rate": 8.0}, world={"overclaimed": 0.33}),
    Scene("throttled to 8/s, likes all alike", server={"rate": 8.0}, world={"spread": 0.0}),
)


async def run(scene: Scene, users: int) -> str:
    """Crawl once, and compare what was predicted with what came."""
    likers = users * 2
    habits = {"users": likers * 2, "tracks": 4000, "likes_per_user": 150.0, **(scene.world or {})}
    world = World(7, seed_likers=likers, seed_reposters=users // 4, **habits)
    heard: list[tuple[float, CrawlProgress]] = []
    began = time.monotonic()

    async def crawled() -> None:
        async with serve(world, latency=0.15, gzip=False, **(scene.server or {})) as server:

            def hear(progress: CrawlProgress) -> None:
                heard.append((time.monotonic() - began, progress))
                seen = progress.standing
                if scene.halved and seen.asked > (seen.asked + seen.requests_left) / 3:
                    server.limit(scene.server["rate"] / 2)
                    object.__setattr__(scene, "halved", False)

            clock = SystemClock()
            settings = settings_for(server, hold_seconds=scene.hold_seconds)
            with tempfile.TemporaryDirectory() as folder:
                async with connect(settings, clock=clock, delay=scene.delay) as connection:
                    await crawl(
                        Path(folder) / "tracks.db",
                        [([world.seed_url()], Limits(max_users=users))],
                        client=connection.client,
                        conditions=Conditions(server.url, connection.bearer.kind),
                        witness=Onlooker(),
                        clock=clock,
                        on_progress=hear,
                    )

    await crawled()
    return told(scene, heard)


def told(scene: Scene, heard: list[tuple[float, CrawlProgress]]) -> str:
    """Write the line of a crawl."""
    whole = heard[-1][0]
    late = [(at, p.seconds_left) for at, p in heard if 0.2 * whole <= at < whole and p.seconds_left is not None]
    errors = [(at + left - whole) / whole for at, left in late]
    rests = sorted(abs(at + left - whole) / (whole - at) for at, left in late if at <= 0.9 * whole)
    waited = heard[-1][1].waited_seconds
    middle, worst = rests[len(rests) // 2], rests[-1]
    return (
        f"{scene.name:<46} {whole:5.0f} s, {heard[-1][1].gauge.sent} requests, {waited:3.0f} s of holds: whole time"
        f" {min(errors):+6.1%} to {max(errors):+6.1%}; rest {middle:5.1%} median, {worst:5.1%} worst"
    )


def one(job: tuple[Scene, int]) -> str:
    """Run one scene in a process of its own."""
    return asyncio.run(run(*job))


def main() -> None:
    """Run all scenes, two at a time."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--short", action="store_true", help="crawls of a minute instead of three")
    users = 250 if parser.parse_args().short else 800
    with ProcessPoolExecutor(3) as pool:
        for line in pool.map(one, [(scene, users) for scene in SCENES]):
            print(line, flush=True)


if __name__ == "__main__":
    main()
