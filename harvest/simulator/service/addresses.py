"""Find what a page address stands for, as /resolve does. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from harvest.simulator.world import names
from harvest.simulator.world.world import World

_HOSTS = ("soundcloud.com", "www.soundcloud.com", "m.soundcloud.com")


@dataclass(frozen=True, slots=True)
class Found:
    """What an address stands for; `secret` opens a private track."""

    thing: str
    index: int
    secret: str | None = None


def resolve(world: World, address: str) -> Found | None:
    """Return what a page address or share link stands for, None when nothing."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        return None
    segments = [segment for segment in parts.path.split("/") if segment]
    if parts.hostname == "on.soundcloud.com" and len(segments) == 1:
        return _short(world, segments[0])
    if parts.hostname not in _HOSTS:
        return None
    return _page(world, segments)


def _short(world: World, code: str) -> Found | None:
    number = names.from_base36(code) or 0
    index, rest = divmod(number - 60_466_176, 7_919)
    there = rest == 0 and 0 <= index < world.facts.ids["track"].count and world.facts.there("track", index)
    return Found("track", index) if there else None


def _page(world: World, segments: list[str]) -> Found | None:
    """Read /user, /user/track, /user/track/s-secret, /user/sets/playlist, /discover/sets/station and nothing else."""
    match segments:
        case ["discover", "sets", name]:
            station = world.facts.stations.at(name)
            return None if station is None or not world.facts.station(station) else Found("station", station)
        case [user]:
            return _exact(world, "user", user, f"/{user}")
        case [user, "sets", playlist]:
            return _exact(world, "playlist", playlist, f"/{user}/sets/{playlist}")
        case [user, track]:
            found = _exact(world, "track", track, f"/{user}/{track}")
            return None if found is None or world.facts.private(found.index) else found
        case [user, track, secret]:
            found = _exact(world, "track", track, f"/{user}/{track}")
            if found is None or secret != world.facts.secret(found.index):
                return None
            return replace(found, secret=secret)
    return None


def _exact(world: World, thing: str, slug: str, path: str) -> Found | None:
    """Read the id at the end of a slug, and make sure the whole address is that thing's."""
    number = names.from_base36(slug.rsplit("-", 1)[-1])
    index = None if number is None else world.facts.ids[thing].index(number)
    if index is None or not world.facts.url(thing, index).endswith(f".com{path}"):
        return None
    return Found(thing, index) if world.facts.there(thing, index) else None
