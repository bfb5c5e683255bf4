"""The power is cut, or the disk fails, at any write: the file is at an earlier page, and the crawl goes on exactly.

What is written and synced in a crawl is kept below SQLite (tests/disk.py), and the files are made from it as a disk
may hold them: cut between any two writes, with what was not synced there or not, reordered or torn.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from harvest.errors import NothingThere, StorageFailed, StoreError
from harvest.simulator import World, serve
from harvest.store import database
from harvest.store.database import open_if_begun
from tests.crawling import Onlooker, assert_exact, crawl_into, read
from tests.disk import BROKEN, FULL, LIBRARY, WAYS, Disk, Event, Mark, Platter, Sync, Trouble, lay_down, watching
from tests.faulty import assert_no_contradiction

pytestmark = pytest.mark.skipif(LIBRARY is None, reason="this Python hides its SQLite")

WORLD = World(4, users=12, tracks=40, likes_per_user=6, seed_likers=6, seed_reposters=3)
PAGE = 5
PAGES = "SELECT id, task_id, reading, number, request, received, kept FROM pages ORDER BY id"


class Marking(Onlooker):
    """Notes in the trace of a disk when a page is committed."""

    def __init__(self, disk: Disk) -> None:
        super().__init__()
        self._disk = disk

    def page_committed(self, *what) -> None:
        self._disk.mark("page")
        super().page_committed(*what)


def crawled(path: Path, world: World, disk: Disk | None = None) -> str:
    async def crawling() -> str:
        async with serve(world, gzip=False) as server:
            return await crawl_into(path, server, page_size=PAGE, onlooker=None if disk is None else Marking(disk))

    return asyncio.run(crawling())


@dataclass(frozen=True)
class Traced:
    """A crawl whose log was folded in often: what happened to its files, and what came of it."""

    world: World
    trace: list[Event]
    pages: list[tuple]

    @property
    def changes(self) -> int:
        return sum(not isinstance(event, Mark) for event in self.trace)

    def spread(self, number: int, chance: random.Random) -> list[int]:
        """Choose moments, half of them while the log is folded into the file."""
        file = [moment for moment, event in enumerate(self.trace) if not isinstance(event, Mark) and event.file == ""]
        return [*chance.sample(file, number // 2), *chance.sample(range(len(self.trace)), number - number // 2)]


def traced(path: Path, world: World, synchronous: str = database.SYNCHRONOUS) -> Traced:
    with pytest.MonkeyPatch.context() as patch, watching(path) as disk:
        patch.setattr(database, "SYNCHRONOUS", synchronous)
        patch.setattr(database, "_CHECKPOINT_PAGES", 60)
        assert crawled(path, world, disk) == "drained"
    return Traced(world, disk.trace, read(path, PAGES))


@dataclass(frozen=True)
class Cut:
    """A disk after its power was cut."""

    moment: int
    files: dict[str, bytes]
    committed: int  # pages by then
    synced: int  # those that were committed before the last sync of the log


def cuts(trace: list[Event], moments: Collection[int], chance: random.Random) -> Iterator[Cut]:
    """Cut the power before some events of a trace, each time in one of the ways."""
    platter, committed, synced = Platter(), 0, 0
    for moment, event in enumerate(trace):
        if moment in moments:
            yield Cut(moment, platter.power_cut(chance.choice(list(WAYS)), chance), committed, synced)
        platter.add(event)
        committed += isinstance(event, Mark)
        if isinstance(event, Sync) and event.file == "-wal":
            synced = committed


def pages_after(cut: Cut, path: Path) -> list[tuple]:
    """Read the pages that a file holds after a cut. Raises what says that it is broken."""
    for old in path.parent.glob(f"{path.name}*"):
        old.unlink()
    lay_down(cut.files, path)
    try:
        with open_if_begun(path) as found:
            if found is None:
                return []
    except NothingThere:
        return []
    assert_no_contradiction(path)
    return read(path, PAGES)


def tried(crawl: Traced, path: Path, moments: Collection[int], chance: random.Random) -> Counter:
    """Cut the power at moments and look at each file; give how many are broken, and the most pages that one lost."""
    found: Counter = Counter(cuts=0, broken=0, lost=0)
    for cut in cuts(crawl.trace, moments, chance):
        found["cuts"] += 1
        try:
            pages = pages_after(cut, path)
            assert pages == crawl.pages[: len(pages)]
            assert cut.synced <= len(pages) <= cut.committed + 1  # a page is noted a moment after its commit
        except (StoreError, AssertionError, sqlite3.DatabaseError):
            found["broken"] += 1
        else:
            found["lost"] = max(found["lost"], cut.committed - len(pages))
    return found


def goes_on(crawl: Traced, folder: Path, moments: Collection[int], chance: random.Random) -> None:
    """Crawl on after cuts."""
    for cut in cuts(crawl.trace, moments, chance):
        path = folder / f"cut{cut.moment}.db"
        lay_down(cut.files, path)
        assert crawled(path, crawl.world) == "drained"
        assert_exact(path, crawl.world, page_size=PAGE)


def fails(world: World, path: Path, number: int, trouble: Trouble) -> None:
    """Crawl on a disk that fails from its n-th change on: that is said, and with a good disk the crawl goes on."""
    with watching(path) as disk:
        disk.refuse(number, trouble)
        try:
            ended = crawled(path, world)
        except StorageFailed:
            ended = "failed"
        assert ended == ("failed" if disk.failed else "drained")
    with suppress(NothingThere):
        assert_no_contradiction(path)
    assert crawled(path, world) == "drained"
    assert_exact(path, world, page_size=PAGE)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return traced(tmp_path_factory.mktemp("undisturbed") / "t.db", WORLD)


def test_after_a_power_cut_the_file_is_at_an_earlier_page(undisturbed, tmp_path):
    chance = random.Random(2)
    found = tried(undisturbed, tmp_path / "t.db", undisturbed.spread(24, chance), chance)
    assert (found["cuts"], found["broken"]) == (24, 0)
    assert found["lost"] > 0  # what was committed since the log was synced


def test_what_a_crawl_has_when_it_ends_is_on_the_disk(undisturbed, tmp_path):
    platter = Platter()
    for event in undisturbed.trace:
        platter.add(event)
    files = platter.power_cut("nothing", random.Random())  # of what was not synced
    assert pages_after(Cut(len(undisturbed.trace), files, 0, 0), tmp_path / "t.db") == undisturbed.pages


def test_a_crawl_goes_on_after_a_power_cut(undisturbed, tmp_path):
    chance = random.Random(2)
    goes_on(undisturbed, tmp_path, undisturbed.spread(2, chance), chance)


def test_without_any_sync_the_same_cuts_break_files(tmp_path):
    """Were it not so, none of these tests could fail."""
    chance = random.Random(1)
    unsynced = traced(tmp_path / "t.db", WORLD, "OFF")
    assert tried(unsynced, tmp_path / "cut.db", unsynced.spread(8, chance), chance)["broken"] > 0


@pytest.mark.parametrize("trouble", [FULL, BROKEN], ids=["full", "broken"])
def test_a_crawl_goes_on_after_its_disk_failed(undisturbed, tmp_path, trouble):
    chance = random.Random(3)
    for number in (chance.randint(1, 12), chance.randint(13, undisturbed.changes)):
        fails(WORLD, tmp_path / f"{number}.db", number, trouble)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("synchronous", ["NORMAL", "FULL"])
def test_the_power_is_cut_between_any_two_writes(tmp_path, capsys, synchronous):
    crawl = traced(tmp_path / "t.db", WORLD, synchronous)
    found = tried(crawl, tmp_path / "cut.db", range(len(crawl.trace)), random.Random(7))
    with capsys.disabled():
        syncs = sum(isinstance(event, Sync) for event in crawl.trace)
        print(f"\n  {synchronous}: {dict(found)}, {len(crawl.pages)} pages, {syncs} syncs")
    assert found["broken"] == 0
    assert (found["lost"] > 0) == (synchronous == "NORMAL")


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("trouble", [FULL, BROKEN], ids=["full", "broken"])
def test_a_crawl_goes_on_whichever_write_failed(undisturbed, tmp_path, trouble):
    for number in range(1, undisturbed.changes + 1, 5):
        fails(WORLD, tmp_path / f"{number}.db", number, trouble)


@pytest.mark.soak
@pytest.mark.fresh
def test_a_crawl_of_a_new_world_goes_on_after_cuts_and_failures(tmp_path, fresh_seed):
    chance = random.Random(fresh_seed)
    world = World(fresh_seed, users=chance.randint(4, 20), tracks=chance.randint(10, 60), likes_per_user=5)
    crawl = traced(tmp_path / "t.db", world)
    assert tried(crawl, tmp_path / "cut.db", crawl.spread(40, chance), chance)["broken"] == 0
    goes_on(crawl, tmp_path, crawl.spread(8, chance), chance)
    for number in chance.sample(range(1, crawl.changes + 1), 8):
        fails(world, tmp_path / f"{number}.db", number, chance.choice([FULL, BROKEN]))
