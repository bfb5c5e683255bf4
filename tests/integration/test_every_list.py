"""Every declared kind of list is asked for, parsed, stored, resumed, checked and bounded by its declaration alone."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from dataclasses import asdict
from pathlib import Path

import pytest

from harvest.lists import KINDS
from harvest.models import Limits
from harvest.simulator import World, serve
from harvest.simulator.oracle import expect, search, seed_of
from harvest.things import THINGS
from tests.crawling import Onlooker, assert_exact, assert_holds, crawl_into, crawl_sessions, read, told
from tests.faulty import assert_no_contradiction
from tests.repetitions import slow_but

EVERY = [kind for kind in KINDS.values() if not kind.looks_up]
LISTS = [kind for kind in EVERY if not kind.own]
OWN = [kind for kind in EVERY if kind.own]  # which the service shows of whoever is signed in
WORLD = World(
    4, users=90, tracks=240, playlists=300, likes_per_user=25, null_entries=0.05, gone=0, forbidden=0, private=0
)
# One of each way to be asked for and stored; the others are like these.
UNLIKE = [
    KINDS[name]
    for name in (
        *("track_comments", "track_related", "user_links", "user_followings", "playlist_tracks", "found_playlists"),
    )
]
PAGES = 5
WORDS = "o"  # in most names
OF_A_LOOK_UP = "p.task_id IN (SELECT id FROM tasks WHERE kind IN ('resolve', 'lookup'))"


def address_of(thing: str, thing_id: int) -> str:
    if thing.startswith("search_for_"):
        return f"search:{thing.removeprefix('search_for_')}?q={WORDS}"
    return WORLD.facts.url(thing, WORLD.index(thing, thing_id))


def longest(kind) -> int:
    """The subject with the longest list of this kind, of those that have a page; a search is like another."""
    if kind.searches:
        return seed_of(WORLD, address_of(kind.subject, 0))[1]
    ids = [WORLD.id(kind.subject, index) for index in range(min(WORLD.facts.ids[kind.subject].count, 240))]
    return max(ids, key=lambda subject: len(WORLD.listing(kind.name, subject)))


def one_list(kind, cap: int = 100_000) -> Limits:
    """Read this list of the seed and nothing else."""
    return Limits(read=(), seed_read=(kind.option,), via=(), depth=0, caps=((kind.option, cap),))


def size_of_pages(kind, subject: int) -> int:
    return max(1, length_of(kind, subject) // PAGES)


def length_of(kind, subject: int) -> int:
    if kind.searches:
        return len(search(WORLD, f"{kind.item}s", q=WORDS))
    return len(WORLD.deeds.entries(kind.name, WORLD.index(kind.subject, subject)).items)


class Killer(Onlooker):
    """Keeps the file as a kill at each committed page would leave it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.left: list[Path] = []

    def page_committed(self, task, page, receipt) -> None:
        super().page_committed(task, page, receipt)
        left = self.path.with_name(f"killed-{len(self.left)}.db")
        for end in ("", "-wal"):
            if self.path.with_name(self.path.name + end).exists():
                shutil.copy(f"{self.path}{end}", f"{left}{end}")
        with sqlite3.connect(left) as connection:  # the dead hold no lease
            connection.execute("DELETE FROM lease")
        connection.close()
        self.left.append(left)


def test_every_kind_of_list_is_of_something_that_can_be_a_seed():
    assert {kind.subject for kind in EVERY} == THINGS.keys()


@pytest.mark.parametrize("kind", slow_but(UNLIKE[::2], LISTS), ids=lambda kind: kind.name)
def test_a_list_of_any_kind_is_whole_whatever_its_entries_are_and_wherever_it_is_killed(tmp_path, kind):
    subject = longest(kind)
    seed, limits, page_size = address_of(kind.subject, subject), one_list(kind), size_of_pages(kind, subject)
    faults = "items_alien,items_null" + ("" if kind.edge.repeats else ",items_repeated")  # else each place counts
    killer = Killer(tmp_path / "t.db")

    async def crawls() -> None:
        async with serve(WORLD, gzip=False) as server:

            async def crawled(path: Path, onlooker: Onlooker | None = None) -> int:
                server.use(faults)  # which remembers no page of another crawl
                before = server.total
                assert (
                    await crawl_into(path, server, [seed], limits, page_size=page_size, onlooker=onlooker) == "drained"
                )
                return server.total - before

            assert await crawled(killer.path, killer) > 0
            assert await crawled(killer.path) == 0
            for left in killer.left[:-1]:
                await crawled(left)

    asyncio.run(crawls())
    pages = len(killer.left) - read(killer.path, f"SELECT count(*) FROM pages AS p WHERE {OF_A_LOOK_UP}")[0][0]
    assert pages == 1 if kind.inside or kind.whole else pages >= min(PAGES, length_of(kind, subject))
    expected = told(expect(WORLD, seed, page_size=page_size, **asdict(limits)))
    for path in (killer.path, *killer.left[:-1]):
        assert_holds(path, expected)
    for path in killer.path, killer.left[-2]:
        assert_no_contradiction(path)
    shown = f"SELECT min(skipped) > 0 FROM pages AS p WHERE received > 0 AND NOT {OF_A_LOOK_UP}"
    assert read(killer.path, shown) == [(1,)]


@pytest.mark.parametrize("kind", slow_but(UNLIKE[1::2], LISTS), ids=lambda kind: kind.name)
def test_a_cap_of_any_kind_of_list_is_exact_and_a_raised_one_goes_on(tmp_path, kind):
    subject = longest(kind)
    seed, page_size = address_of(kind.subject, subject), size_of_pages(kind, subject)
    whole = expect(WORLD, seed, **asdict(one_list(kind))).lists[kind.name, subject][1]
    for cap in (2, 3, 100_000):
        limits = one_list(kind, cap)
        crawl_sessions(tmp_path / "t.db", WORLD, [(seed, limits)], page_size=page_size)
        assert read(tmp_path / "t.db", "SELECT collected FROM tasks WHERE kind = ?", kind.name) == [(min(cap, whole),)]
        assert_exact(tmp_path / "t.db", WORLD, [seed], limits, page_size=page_size)
    assert_no_contradiction(tmp_path / "t.db")


def heard(path: Path, kind) -> list[tuple]:
    edge = kind.edge
    return read(path, f"SELECT {edge.subject}, {edge.item}, {edge.rank} FROM {edge.table} ORDER BY {edge.rank}")


@pytest.mark.parametrize("kind", OWN, ids=lambda kind: kind.name)
def test_what_is_shown_of_ourselves_alone_is_whole_capped_and_goes_on_wherever_it_is_killed(tmp_path, kind):
    truth = [(WORLD.me_id, item, place) for place, item in enumerate(WORLD.recently_played())]
    killer = Killer(tmp_path / "t.db")

    async def crawls() -> None:
        async with serve(WORLD, gzip=False) as server:
            token = server.service.tokens.access_token(user=True)

            async def crawled(path: Path, cap: int, onlooker: Onlooker | None = None) -> int:
                server.use("items_alien,items_null,items_repeated")
                before = server.total
                limits = one_list(kind, cap)
                ended = await crawl_into(path, server, ["me"], limits, access_token=token, onlooker=onlooker)
                assert ended == "drained"
                assert_no_contradiction(path)
                return server.total - before

            for cap in (2, 3, len(truth), 100_000):
                await crawled(tmp_path / "capped.db", cap)
                assert heard(tmp_path / "capped.db", kind) == truth[:cap]
            assert await crawled(killer.path, 100_000, killer) > 0
            assert await crawled(killer.path, 100_000) == 0
            for left in killer.left[:-1]:
                await crawled(left, 100_000)

    asyncio.run(crawls())
    assert len(truth) > 3
    for path in (killer.path, *killer.left[:-1]):
        assert heard(path, kind) == truth
        ended = read(path, "SELECT subject_id, outcome, collected FROM tasks WHERE kind = ?", kind.name)
        assert ended == [(WORLD.me_id, "complete", len(truth))]
