"""Search as /tracks, /users and /playlists do: words, genres, tags, ranges. Pure.

1. Every word of `q` is in the title or the name of whose it is, upper case or not; people are found by their name.
2. One of `genres` is the genre, one of `tags` among the tags. What has no value is in no range.
3. Bounds count in: `bpm`, `duration` in milliseconds, `created_at` written as yyyy-mm-dd hh:mm:ss, in UTC.
4. At most a thousand are found (https://github.com/soundcloud/api/issues/505), in an order of the words' own. What is
   private or gone is never found. What is new comes last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

from harvest.simulator.service.objects import Objects, objects_of
from harvest.simulator.service.replies import BadParameter, whole_number
from harvest.simulator.world.prng import Shuffle, salt
from harvest.simulator.world.world import World

Range = tuple[Any, Any]
MOST_FOUND = 1000
_OPEN: Range = (None, None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; ranges are (from, to), None where open, times in milliseconds since 1970."""

    thing: str
    q: str = ""
    genres: str = ""
    tags: str = ""
    bpm: Range = _OPEN
    duration: Range = _OPEN
    created_at: Range = _OPEN


def read_wanted(thing: str, query: dict[str, str]) -> Wanted:
    """Read the filters of a request, only those that are described for such things; raise BadParameter."""
    if thing != "track":
        return Wanted(thing, query.get("q", ""))

    def bounds(name: str, read: Callable[[str, str], int]) -> Range:
        ends = ((end, query.get(f"{name}[{end}]")) for end in ("from", "to"))
        low, high = (read(text, f"{name}[{end}]") if text else None for end, text in ends)
        return low, high

    q, genres, tags = (query.get(name, "") for name in ("q", "genres", "tags"))
    bpm, duration = (bounds(name, whole_number) for name in ("bpm", "duration"))
    return Wanted(thing, q, genres, tags, bpm, duration, bounds("created_at", _millis))


def _millis(text: str, name: str) -> int:
    try:
        moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise BadParameter(name) from error
    return int(moment.timestamp()) * 1000


class Search:
    """Find things of one world; the last searches are remembered, since pages ask again."""

    def __init__(self, world: World, objects: Objects) -> None:
        self._world = world
        self._objects = objects
        self.find = lru_cache(maxsize=64)(self._find)

    def shown(self, thing: str, index: int) -> bool:
        """Say whether a thing may be shown to everyone."""
        facts = self._world.facts
        return not facts.hidden(index) if thing == "track" else facts.there(thing, index)

    def stream(self, wanted: Wanted) -> int:
        """Return the chance that is this search's own."""
        return salt(self._world.options.seed, "search", repr(wanted))

    def _find(self, wanted: Wanted) -> tuple[int, ...]:
        """Return the indices of what is found, in order, at most a thousand."""
        ids = self._world.facts.ids[wanted.thing]
        shuffle, found = Shuffle(ids.first, self.stream(wanted)), []
        fits = partial(self._fits, wanted, wanted.q.casefold().split())
        for place in range(ids.count):
            index = shuffle.to(place) if place < ids.first else place
            if self.shown(wanted.thing, index) and fits(index):
                found.append(index)
                if len(found) == MOST_FOUND:
                    break
        return tuple(found)

    def _fits(self, wanted: Wanted, words: list[str], index: int) -> bool:
        text = self._objects.heading(wanted.thing, index).casefold()
        if not all(word in text for word in words):
            return False
        return wanted.thing != "track" or self._filtered(wanted, index)

    def _filtered(self, wanted: Wanted, track: int) -> bool:
        """Say whether a track passes every filter beside the words."""
        said = self._objects.words(track)
        return (
            _among(wanted.genres, (said["genre"] or "",))
            and _among(wanted.tags, self._objects.tags_of(track))
            and _within(wanted.bpm, said["bpm"])
            and _within(wanted.duration, self._objects.duration(track))
            and _within(wanted.created_at, self._world.facts.track_created(track))
        )


def _among(wanted: str, had: tuple[str, ...]) -> bool:
    """Say whether one of the wanted, separated by commas, is there; nothing wanted is always there."""
    names = {name.strip().casefold() for name in wanted.split(",") if name.strip()}
    return not names or not names.isdisjoint(name.casefold() for name in had)


def _within(bounds: Range, value: float | None) -> bool:
    low, high = bounds
    if low is None and high is None:
        return True
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def search(world: World, what: str, **filters: Any) -> tuple[int, ...]:
    """Return the ids that a reader of a search gets, in order; entries that stand there as null are left out.

    `what` is `tracks`, `users` or `playlists`; filters are those of `Wanted`: texts, and ranges of (from, to) with
    times in milliseconds since 1970.
    """
    wanted = Wanted({"tracks": "track", "users": "user", "playlists": "playlist"}[what], **filters)
    thing = wanted.thing
    finder = Search(world, objects_of(world))
    ids, null, stream = world.facts.ids[thing], world.deeds.null, finder.stream(wanted)
    return tuple(ids.id(index) for index in finder.find(wanted) if not null("search", stream, index))
