"""A file is made again from the replies kept of it, and is the same in every table."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from harvest.crawler.session import put_back
from harvest.errors import HarvestError
from harvest.models import Limits
from harvest.replies.recording import Recording
from harvest.simulator import Server, World, serve
from harvest.store.refreshes import Refresh
from harvest.store.sweeps import Sweep
from harvest.system.clock import SystemClock
from tests.acceptance.test_ledger_worlds import a_mix
from tests.crawling import Onlooker, assert_exact, crawl_into, crawl_together, read
from tests.faulty import QUICK, WORLD, QuickClock
from tests.refreshing import BUSY, EVERYTHING
from tests.repetitions import slow_but
from tests.replaying import assert_replays
from tests.waiting import PATIENCE


class History:
    """What happens to one file, as a number draws it: crawls, some of them stopped, a refresh, a retry, a sweep."""

    def __init__(self, number: int, path: Path) -> None:
        self.chance = random.Random(number)
        self.number, self.path = number, path
        self.ends: Counter[str] = Counter()
        self.size = self.chance.choice([3, 7, 200])
        self.world = World(
            number,
            users=self.chance.randint(10, 40),
            tracks=self.chance.randint(30, 100),
            likes_per_user=self.chance.choice([5, 9]),
            seed_likers=self.chance.randint(3, 12),
            seed_reposters=self.chance.randint(0, 5),
            null_entries=self.chance.choice([0.0, 0.1]),
            gone=self.chance.choice([0.0, 0.1]),
            forbidden=self.chance.choice([0.0, 0.1]),
            hidden_stats=self.chance.choice([0.0, 0.2]),
            numeric_ids=self.chance.random() < 0.3,
            drift=BUSY,
        )

    async def happen(self) -> None:
        """Let all of it happen, with faults."""
        limits = Limits(max_users=self.chance.randint(3, 8), max_user_likes=self.chance.choice([7, 500]))
        seed = self.world.seed_url()
        async with serve(self.world, gzip=False, faults=a_mix(self.number)) as server:
            await self.run(server, [(seed, limits)], stop_after=self.chance.randint(1, 20))
            await self.run(server, [(seed, limits)])
            if self.chance.random() < 0.5:
                more = Limits(max_users=4, max_tracks=2, depth=1, read=EVERYTHING, seed_read=EVERYTHING)
                await self.run(server, [(seed, limits), ([self.world.user_url(self.world.id("user", 0))], more)])
            server.move(self.chance.uniform(1, 20))
            server.use(a_mix(self.number + 1))
            await self.run(server, [], refresh=Refresh(full=self.chance.random() < 0.3), stop_after=5)
            self.put_back([] if self.chance.random() < 0.5 else ["short", "loop", "gone"])
            server.use("")
            await self.run(server, [(seed, limits)], sweep=Sweep(older_than=0.0))

    async def run(self, server: Server, session: Any, *, stop_after: int | None = None, **how: Any) -> None:
        """Crawl once, however it ends."""
        how = {"clock": QuickClock(), "page_size": self.size, "keep_replies": True, **QUICK, **how}
        try:
            async with asyncio.timeout(PATIENCE):
                ended = await crawl_together(self.path, server, session, onlooker=Onlooker(stop_after), **how)
        except HarvestError as error:
            ended = type(error).__name__
        self.ends[ended] += 1

    def put_back(self, outcomes: list[str]) -> None:
        put_back(self.path, SystemClock().now(), failure_class=None, outcomes=outcomes, keep_replies=True)


def check(numbers: range) -> Counter[str]:
    """Compare the files of so many histories with what is made of their replies; give how their runs ended."""
    ends: Counter[str] = Counter()
    for number in numbers:
        with tempfile.TemporaryDirectory() as folder:
            history = History(number, Path(folder) / "t.db")
            asyncio.run(history.happen())
            done = assert_replays(history.path)
            assert (done.left_out, done.unreadable) == (0, 0)
            assert read(history.path, "SELECT count(*) FROM pages") == [(done.pages,)]
            ends += history.ends
    return ends


def test_a_file_made_again_from_its_replies_has_the_same_tables():
    ends = check(range(1, 4))
    assert ends["drained"] > 3
    assert ends["interrupted"] > 1


REFUSALS = {
    "app_refused@9*100000": "take back",
    "items_none[/likes/tracks]": "put back empty",
    "missing_json[/likes/tracks]@6*100000": "withdraw",
    "forbidden_json[/likes/tracks]@3*4,forbidden_json[/likes/tracks]@8*100000": "withdraw",
}


@pytest.mark.first_case
@pytest.mark.parametrize("faults", slow_but([*REFUSALS][1:3], REFUSALS))
def test_what_is_nobodys_fault_is_made_again_too(tmp_path, faults):
    """Verdicts that are taken back, lists that are read again after an outage, a kind of list that is withdrawn."""
    path = tmp_path / "t.db"

    async def history() -> None:
        async with serve(WORLD, gzip=False, faults=faults) as server:
            how = {"clock": QuickClock(), "page_size": 5, "keep_replies": True, **QUICK}
            for _ in range(2):
                with suppress(HarvestError):
                    await crawl_into(path, server, **how)
                server.use("")
                put_back(path, SystemClock().now(), failure_class="withdrawn", outcomes=[], keep_replies=True)
            assert await crawl_into(path, server, **how) == "drained"

    asyncio.run(history())
    with Recording.open(path.with_name("t.replies.db")) as recording:
        assert REFUSALS[faults] in [act.what for act in recording.acts(with_bodies=False)]
    assert_exact(path, WORLD, page_size=5)
    assert_replays(path)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_many_files_made_again_from_their_replies_have_the_same_tables():
    assert len(check(range(1, 201))) >= 3  # ways to end
