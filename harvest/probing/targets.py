"""What a probe asks about: people and things that replies have shown, those with most known to be there first.

They are in memory alone, and no longer than a probe lasts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from harvest.api.urns import station_urn
from harvest.things import SHOWN, THINGS

_MOST_TOGETHER = 5  # asked for in one batch
_ENOUGH = 40  # entries, for a list to go on after a page


class Targets:
    """URNs by kind of thing, each with the counts that were seen of it."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, dict[str, int]]] = {thing.name: {} for thing in SHOWN}
        self._first: dict[str, str] = {}
        self._pages: dict[str, str] = {}

    def begin_with(self, thing: str, urn: str) -> None:
        """Ask about this one before any other of its kind."""
        self._first[thing] = urn
        self._counts[thing].setdefault(urn, {})

    def meet(self, value: Any) -> None:
        """Take in all things that a reply shows, at any depth."""
        waiting = [value]
        while waiting:
            part = waiting.pop()
            if isinstance(part, list):
                waiting.extend(part)
            elif isinstance(part, dict):
                waiting.extend(part.values())
                self._take(part)

    def of(self, thing: str, most: int, claimed: str = "") -> list[str]:
        """Give the URNs of a kind: first the one that was begun with, then those whose list of `claimed` is longest (a
        few pages are enough), and of these the ones with most of everything.
        """
        counts = self._counts[thing]

        def rank(urn: str) -> tuple[bool, int, int]:
            enough = {name: min(n, _ENOUGH) for name, n in counts[urn].items()}
            return urn != self._first.get(thing), -enough.get(claimed, 0), -sum(enough.values())

        return sorted(counts, key=rank)[:most]

    def together(self, thing: str) -> str:
        """Give the URNs for one batch; '' where none is known."""
        return ",".join(self.of(thing, _MOST_TOGETHER))

    def page(self) -> str:
        """Give the address of the page of a track, or of anything else; '' where none is known."""
        urns = [urn for thing in ("track", "playlist", "user") for urn in self.of(thing, _MOST_TOGETHER)]
        return next((self._pages[urn] for urn in urns if urn in self._pages), "")

    def _take(self, one: Mapping[str, Any]) -> None:
        urn = one.get("urn")
        thing = next((thing for thing in SHOWN if isinstance(urn, str) and urn.startswith(thing.urn)), None)
        if thing is not None and isinstance(urn, str) and (not thing.by_name or station_urn(urn)):
            known = self._counts[thing.name].setdefault(urn, {})
            for name, n in one.items():
                if name.endswith("_count") and isinstance(n, int):
                    known[name] = max(n, known.get(name, 0))
            page = one.get("permalink_url")
            if isinstance(page, str) and one.get("sharing") != "private":
                self._pages[urn] = urlunsplit((*urlsplit(page)[:3], "", ""))
        station = station_urn(one["station_urn"]) if isinstance(one.get("station_urn"), str) else None
        if station is not None:
            self._counts[THINGS["station"].name].setdefault(station, {})
