"""j. What a refresh finds and costs where one list in a hundred has grown or shrunk, beside reading all again."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from harvest.models import Limits
from harvest.simulator import Drift, World, serve
from harvest.simulator.truth.changes import Changes
from harvest.store.refreshes import Refresh
from tests.bench.line import Line
from tests.crawling import crawl_together, read

_LIKES = 10  # of each person, on average
_A_DAY = 0.005 / _LIKES  # shares of edges that come, and that go, so that one list in a hundred changes


def measure(*, quick: bool) -> Iterator[Line]:
    """Crawl, let a day pass, refresh, and compare with the truth of every list."""
    people = 1000 if quick else 10_000
    world = World(
        11, users=people + 500, tracks=people // 2, seed_likers=people, likes_per_user=_LIKES, drift=Drift.edges(_A_DAY)
    )
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "t.db"
        first, again = asyncio.run(_crawl_and_refresh(path, world, people))
        came, found = _new_edges(path, world)
    yield Line("j", "new edges found by a refresh", found / came, 0.95, at_least=True, figure=f"{found} of {came}")
    yield Line(
        "j",
        "requests of it / first crawl",
        again / first,
        0.05,
        noise=0.2 if quick else 0.0,
        figure=f"{again} of {first}; all again {first}, to the first known item {people}",
    )


async def _crawl_and_refresh(path: Path, world: World, people: int) -> tuple[int, int]:
    """Give the requests of a first crawl, and of a refresh a day later."""
    limits = Limits(max_users=people, read=("likers", "likes"))
    async with serve(world, gzip=False) as server:
        await crawl_together(path, server, [(world.seed_url(), limits)])
        first = server.total
        server.move(1)
        await crawl_together(path, server, [], refresh=Refresh())
        return first, server.total - first


def _new_edges(path: Path, world: World) -> tuple[int, int]:
    """Give how many likes came into the lists that were read, and how many of them the file holds."""
    changes = Changes(world, world.at(1))
    came = found = 0
    for (user,) in read(path, "SELECT subject_id FROM tasks WHERE kind = 'user_likes' AND outcome = 'complete'"):
        new = changes.of_list("user_likes", user).came
        came += len(new)
        have = read(path, "SELECT track_id FROM user_engagements WHERE user_id = ? AND engagement_type = 'like'", user)
        found += len(set(new) & {row[0] for row in have})
    return came, found
