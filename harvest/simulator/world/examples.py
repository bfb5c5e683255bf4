"""Addresses in a made-up SoundCloud to try every kind of seed with."""

from __future__ import annotations

from harvest.simulator.world.lists import KINDS
from harvest.simulator.world.world import World

_LOOKED_AT = 1_000  # of each kind of thing: larger worlds are not gone through


def examples(world: World) -> dict[str, str]:
    """Return an address of each kind of seed by what it is, as far as the world has one; always the same ones.

    The person has more kinds of lists than others, the playlist is among the longest.
    """
    found = {
        "a track": world.seed_url(),
        "its short link": world.short_url(world.seed_ids(1)[0]),
        "its station": world.station_url("track", world.seed_ids(1)[0]),
    }
    tracks = [i for i in range(min(_LOOKED_AT, world.options.tracks)) if world.facts.there("track", i)]
    hidden = [index for index in tracks if world.facts.private(index)]
    if hidden:
        found["a private link"] = world.track_url(world.id("track", hidden[0]))
    people = range(min(_LOOKED_AT // 10, world.options.users))
    there = [index for index in people if world.facts.there("user", index) and not world.facts.forbidden(index)]
    if there:
        found["a person"] = world.facts.url("user", max(there, key=lambda index: _lists(world, index)))
    first = range(min(_LOOKED_AT, world.options.playlist_count))
    playlists = [index for index in first if world.facts.there("playlist", index)]
    if playlists:
        longest = max(playlists, key=lambda index: len(world.deeds.content(index)))
        found["a playlist"] = world.facts.url("playlist", longest)
    return found


def _lists(world: World, user: int) -> int:
    """Count the kinds of lists in which a person has something."""
    person = world.id("user", user)
    return sum(bool(world.listing(name, person)) for name, kind in KINDS.items() if kind.subject == "user")
