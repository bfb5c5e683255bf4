"""Searches as seeds: `search:tracks?bpm=120:128&q=velvet+drift`. Pure.

Rules:

1. A search is known by its address: what is searched, then its filters by name, in alphabetical order, form-encoded but
   for colons and commas. Ranges are FROM:TO, either left out; lengths are in seconds (`180s`), days are whole.
2. Its id is the first 52 bits of the BLAKE2b of the address.
3. What it finds ends with the last result, or at the cap, if more is offered; some searches offer more for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from urllib.parse import parse_qs, quote_plus

from harvest.simulator.service.search import MOST_FOUND, Range, Search, Wanted
from harvest.simulator.truth.rows import Row
from harvest.simulator.world.world import World

SCHEME = "search:"
_THINGS = {"tracks": "track", "users": "user", "playlists": "playlist"}
_PAGES = {"tracks": "sounds", "users": "people", "playlists": "sets"}


@dataclass(frozen=True, slots=True)
class Searched:
    """One search of a world, read from its address."""

    address: str

    @property
    def what(self) -> str:
        """Return what is searched: tracks, users, playlists."""
        return self.address.removeprefix(SCHEME).partition("?")[0]

    @property
    def item(self) -> str:
        """Return the kind of thing it finds."""
        return _THINGS[self.what]

    @property
    def id(self) -> int:
        """Return its id."""
        return int(blake2b(self.address.encode(), digest_size=8).hexdigest()[:13], 16)

    @property
    def row(self) -> Row:
        """Return the columns of its row."""
        words, others = self._filters.get("q"), {k: v for k, v in self._filters.items() if k != "q"}
        page = f"https://soundcloud.com/search/{_PAGES[self.what]}?q={quote_plus(words)}" if words else None
        return {
            "address": self.address,
            "what": self.what,
            "words": words,
            "filters": others,
            "permalink_url": page,
            "status": "ok",
        }

    @property
    def _filters(self) -> dict[str, str]:
        return {name: texts[0] for name, texts in parse_qs(self.address.partition("?")[2]).items()}

    def results(self, world: World, finder: Search) -> tuple[list[int | None], bool]:
        """Return the indices that the service lists, None for null entries, and whether it offers more for ever."""
        wanted = self._wanted()
        found, stream = finder.find(wanted), finder.stream(wanted)
        items = [None if world.deeds.null("search", stream, item) else item for item in found]
        return items, world.options.quirks and (len(found) == MOST_FOUND or stream & 1 == 1)

    def _wanted(self) -> Wanted:
        given = self._filters

        def bounds(name: str, scale: int = 1) -> Range:
            low, _, high = given.get(name, ":").partition(":")
            first, last = (scale * int(end.removesuffix("s")) if end else None for end in (low, high))
            return first, last

        low, _, high = given.get("created", ":").partition(":")
        created = (_millis(low) if low else None, _millis(high) + 86_399_000 if high else None)
        return Wanted(
            self.item,
            given.get("q", ""),
            given.get("genres", ""),
            given.get("tags", ""),
            bounds("bpm"),
            bounds("duration", 1000),
            created,
        )


def _millis(day: str) -> int:
    began = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return began // timedelta(milliseconds=1)
