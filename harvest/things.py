"""The kinds of things a harvest can visit, one declaration each: its table, its URN, what it is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Name = Literal["track", "user", "playlist", "station"]


@dataclass(frozen=True, slots=True)
class Thing:
    """One kind of thing. `table` holds its rows, `label` is the column people know it by, `phase` names their round.

    `steps` is how much deeper a round of them goes, and `depth` how deep a harvest goes that starts from one, unless it
    is told otherwise. `query` is what such a thing is asked for with, by itself. `collection` is the service's word for
    such things, in addresses and URNs. The URN of one that goes `by_name` does not end in a number: the table holds it
    (`urn`), and the id is made of it.
    """

    name: Name
    table: str
    label: str
    title: str
    phase: str
    steps: int = 0
    depth: int = 0
    query: tuple[tuple[str, str], ...] = ()
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
        Thing("track", "tracks", "title", "a track", "spill", depth=1),
        Thing("playlist", "playlists", "title", "a playlist or album", "playlists", query=(("show_tracks", "false"),)),
        Thing("station", "stations", "title", "a station", "stations", collection="system-playlists", by_name=True),
        Thing("user", "users", "username", "a person", "users", steps=1),
    )
}


def label(thing: str, thing_id: str) -> str:
    """Write the expression for what people know a thing by; both arguments are SQL."""
    cases = " ".join(
        f"WHEN '{kind.name}' THEN (SELECT {kind.label} FROM {kind.table} WHERE id = {thing_id})"  # noqa: S608
        for kind in THINGS.values()
    )
    return f"CASE {thing} {cases} END"
