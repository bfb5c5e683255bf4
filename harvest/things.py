"""The kinds of things a harvest can visit, one declaration each: its table, its URN, what it is called."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thing:
    """One kind of thing. `table` holds its rows, `label` is the column people know it by, `phase` names their round.

    `steps` is how much deeper a round of them goes, and `depth` how deep a harvest goes that starts from one, unless it
    is told otherwise. `query` is what such a thing is asked for with, by itself; `at_once` is how many one request may
    ask for by their URNs (50: what the official web client sends; the description names no bound). `collection` is the
    service's word for such things, in addresses and URNs. Where their names do not end in numbers, the table holds them
    in the column `by_name`, and ids are made of them. `prefix` is what the names begin with of things that the service
    knows nothing of: they are there when they are named.
    """

    name: str
    table: str
    label: str
    title: str
    phase: str
    steps: int = 0
    depth: int = 0
    query: tuple[tuple[str, str], ...] = ()
    at_once: int = 1
    collection: str = ""
    by_name: str = ""
    prefix: str = ""

    @property
    def urn(self) -> str:
        """What the URN of such a thing begins with, or its name."""
        return self.prefix or f"soundcloud:{self.collection or self.table}:"

    def urn_of(self, thing_id: str) -> str:
        """Write the expression for the whole URN of one; the argument is SQL."""
        if self.by_name:
            return f"(SELECT {self.by_name} FROM {self.table} WHERE id = {thing_id})"  # noqa: S608 - built from our declarations
        return f"'{self.urn}' || {thing_id}"


def _search(what: str, title: str) -> Thing:
    return Thing(
        f"search_for_{what}", "searches", "address", title, "searches", by_name="address", prefix=f"search:{what}?"
    )


THINGS: dict[str, Thing] = {
    thing.name: thing
    for thing in (
        Thing("track", "tracks", "title", "a track", "spill", depth=1, at_once=50),
        Thing("playlist", "playlists", "title", "a playlist or album", "playlists", query=(("show_tracks", "false"),)),
        Thing("station", "stations", "title", "a station", "stations", collection="system-playlists", by_name="urn"),
        Thing("user", "users", "username", "a person", "users", steps=1, at_once=50),
        _search("tracks", "a search for tracks"),
        _search("users", "a search for people"),
        _search("playlists", "a search for playlists"),
    )
}

SHOWN = tuple(thing for thing in THINGS.values() if not thing.prefix)  # by the service, each at an address

_URN = re.compile(r"soundcloud:([a-z-]+):([1-9][0-9]{0,17})", re.ASCII)
_BY_COLLECTION = {thing.table: thing for thing in SHOWN if not thing.by_name}


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
