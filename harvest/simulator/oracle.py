"""What a harvested file must hold, to the last row: an oracle written from the design, not from the crawler. Pure.

The rules stand where they are followed: what is read (`truth/options.py`), which people and things a harvest visits
(`truth/rounds.py`), how lists end and what is kept of them (`truth/content.py`), what is known of a thing
(`truth/rows.py`). Here:

1. A harvest is a set of seeds. The same set again goes on with the same harvest: under other options everything is
   chosen again, and what was read stays.
2. Harvests that are crawled together go in step: all read a round, then each chooses its next.
3. The file is the union of its harvests.
4. Looking up what is known leaves nothing that only other things have shown, but for what is gone or private.
5. The artist of a seed that is a track is looked up once, when the seeds are known, unless already asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harvest.simulator.service.addresses import resolve
from harvest.simulator.service.search import search
from harvest.simulator.truth.content import Content, Truth, Visit
from harvest.simulator.truth.options import TruthOptions
from harvest.simulator.truth.rounds import Rounds, Thing
from harvest.simulator.truth.searches import SCHEME, Searched
from harvest.simulator.world.world import World

__all__ = ["Oracle", "Truth", "Visit", "expect", "search", "seed_of"]

Seed = int | str
Seeds = Sequence[Seed] | Seed


def expect(world: World, seeds: Seeds | None = None, *, page_size: int = 200, **options: Any) -> Truth:
    """Return what one harvest from these seeds must hold.

    A seed is the id of a track, a page address, a URN (`soundcloud:users:5`) or a search; by default it is the hit.
    Raises KeyError for an address that leads nowhere.
    """
    oracle = Oracle(world, page_size=page_size)
    oracle.crawl((world.seed_url() if seeds is None else seeds, options))
    return oracle.truth


def seed_of(world: World, seed: Seed) -> Thing:
    """Return what a seed is, and its id; raise KeyError when it is nothing."""
    if isinstance(seed, int):
        return "track", seed
    if seed.startswith(SCHEME):
        search = Searched(seed)
        return f"search_for_{search.what}", search.id
    if seed.startswith("soundcloud:"):
        _, things, number = seed.split(":", 2)
        if things == "system-playlists":
            station = world.facts.stations.at(seed)
            if station is None:
                raise KeyError(f"nothing at {seed}")
            return "station", world.id("station", station)
        return things.removesuffix("s"), int(number)
    found = resolve(world, seed)
    if found is None:
        raise KeyError(f"nothing at {seed}")
    return found.thing, world.id(found.thing, found.index)


class Oracle:
    """Tells the content of one file after one crawl after another."""

    def __init__(self, world: World, *, page_size: int = 200) -> None:
        self._world = world
        self._content = Content(world, page_size)
        self._harvests: dict[frozenset[Thing], Rounds] = {}

    @property
    def truth(self) -> Truth:
        """Return what the file must hold now."""
        self._content.truth.visits = [tuple(harvest.visits.values()) for harvest in self._harvests.values()]
        return self._content.truth

    def crawl(self, *harvests: tuple[Seeds, Mapping[str, Any]]) -> None:
        """Crawl some harvests together, each from its seeds with its options, until all are done."""
        running = [self._begin(*harvest) for harvest in harvests]
        self._content.read_wanted()
        running = [harvest for harvest in running if harvest.advance()]
        self._content.look_up_artists(thing_id for harvest in self._harvests.values() for thing_id in harvest.tracks)
        self._content.read_wanted()
        while running := [harvest for harvest in running if harvest.advance()]:
            self._content.read_wanted()

    def count(self, of: str = "all", *, everything: bool = False) -> None:
        """Look up people and tracks that only other things have shown, or all."""
        self._content.look_up_known(of, everything=everything)

    def _begin(self, seeds: Seeds, options: Mapping[str, Any]) -> Rounds:
        named = [seeds] if isinstance(seeds, int | str) else seeds
        things = dict.fromkeys(seed_of(self._world, seed) for seed in named)
        for seed in named:
            if isinstance(seed, str) and seed.startswith(SCHEME):
                self._content.search(Searched(seed))
            else:
                self._content.see(*seed_of(self._world, seed), "full")
        harvest = self._harvests.setdefault(frozenset(things), Rounds(things, self._content))
        harvest.begin(TruthOptions(**options))
        return harvest
