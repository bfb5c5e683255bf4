"""The kinds of things a harvest can visit, one declaration each: its table, its URN, what it is called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Name = Literal["track", "user", "playlist", "station"]


@dataclass(frozen=True, slots=True)
class Thing:
    """One kind of thing. `table` holds its rows, `label` is the column people know it by, `phase` names their round.

    `steps` is how much deeper a round of them goes, and `depth` how deep a harvest goes that starts from one, unless it
    is told otherwise. `query` is what such a thing is asked for with, by itself; `at_once` is how many one request may
    ask for by their URNs (50: what the official web client sends; the description names no bound). `collection` is the
    service's word for such things, in addresses and URNs. The URN of one that goes `by_name` does not end in a number:
    the table holds it (`urn`), and the id is made of it.
    """

    name: Name
    table: str
    label: str
    title: str
    phase: str
    steps: int = 0
    depth: int = 0
    query: tuple[tuple[str, str], ...] = ()
    at_once: int = 1
    collection: str = ""
    by_name: bool = False

    @property
    def urn(self) -> str:
        """What the URN of such a thing begins with."""
        return f"soundcloud:{self.collection or self.table}:"

    def urn_of(self, thing_id: str) -> str:
        """Write the expression for the whole URN of one; the argument is SQL."""
        if self.by_name:
            return f"(SELECT urn FROM {self.table} WHERE id = {thing_id})"  # noqa: S608 - built from our declarations
        return f"'{self.urn}' || {thing_id}"


THINGS: dict[str, Thing] = {
    thing.name: thing
    for thing in (
        Thing("track", "tracks", "title", "a track", "spill", depth=1, at_once=50),
        Thing("playlist", "playlists", "title", "a playlist or album", "playlists", query=(("show_tracks", "false"),)),
        Thing("station", "stations", "title", "a station", "stations", collection="system-playlists", by_name=True),
        Thing("user", "users", "username", "a person", "users", steps=1, at_once=50),
    )
}


_URN = re.compile(r"soundcloud:([a-z-]+):([1-9][0-9]{0,17})", re.ASCII)
_BY_COLLECTION = {thing.table: thing for thing in THINGS.values() if not thing.by_name}


def of_urn(text: str) -> tuple[Thing, int] | None:
    """Read which thing a URN names, None where it names none that can be visited."""
    named = _URN.fullmatch(text)
    return (_BY_COLLECTION[named[1]], int(named[2])) if named and named[1] in _BY_COLLECTION else None


def label(thing: str, thing_id: str) -> str:
    """Write the expression for what people know a thing by; both arguments are SQL."""
    cases = " ".join(
        f"WHEN '{kind.name}' THEN (SELECT {kind.label} FROM {kind.table} WHERE id = {thing_id})"  # noqa: S608
        for kind in THINGS.values()
    )
    return f"CASE {thing} {cases} END"
