"""What has no number of its own: stations, one around each track, then one around each person; links, some on each
page. A file makes the id of such a thing of its text: the first 52 bits of the BLAKE2b. Pure.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from hashlib import blake2b

from harvest.simulator.world.prng import Ids

PREFIX = "soundcloud:system-playlists:"
SERVICES = ("instagram", "bandcamp", "personal", "youtube", "mixcloud", "discogs")
_AROUND = ("track-stations", "artist-stations")


class MadeIds(ABC):
    """Ids that are made of a text."""

    count: int

    @property
    def first(self) -> int:
        """Return how many there were on the first day: as many as ever, for none come."""
        return self.count

    @abstractmethod
    def text(self, index: int) -> str:
        """Return what the id of a thing is made of."""

    def id(self, index: int) -> int:
        """Return the id of a thing."""
        return int.from_bytes(blake2b(self.text(index).encode(), digest_size=8).digest(), "big") >> 12

    def index(self, number: int) -> int | None:
        """Return which thing has this id, None when none has."""
        return self._by_id.get(number)

    @cached_property
    def _by_id(self) -> dict[int, int]:
        return {self.id(index): index for index in range(self.count)}


class LinkIds(MadeIds):
    """Links: one of each service for each person. The id is made of user, service and address."""

    def __init__(self, users: Ids, slug: Callable[[int], str]) -> None:
        self._users, self._slug = users, slug
        self.count = users.count * len(SERVICES)

    def url(self, index: int) -> str:
        """Return where a link leads."""
        user, service = divmod(index, len(SERVICES))
        return f"https://{SERVICES[service]}.example.com/{self._slug(user)}"

    def text(self, index: int) -> str:
        """Return what the id of a link is made of."""
        user, service = divmod(index, len(SERVICES))
        return f"{self._users.id(user)} {SERVICES[service]} {self.url(index)}"


class StationIds(MadeIds):
    """Stations. The id is made of the URN."""

    def __init__(self, tracks: Ids, users: Ids) -> None:
        self._tracks, self._users = tracks, users
        self.count = tracks.count + users.count

    def of_track(self, track: int) -> int:
        """Return which station is the one around a track."""
        return track

    def of_user(self, user: int) -> int:
        """Return which station is the one around a person."""
        return self._tracks.count + user

    def around(self, index: int) -> tuple[str, int]:
        """Return what a station is around: `track` or `user`, and which."""
        user = index - self._tracks.count
        return ("track", index) if user < 0 else ("user", user)

    def urn(self, index: int) -> str:
        """Return the URN of a station."""
        thing, centre = self.around(index)
        ids = self._tracks if thing == "track" else self._users
        return f"{PREFIX}{_AROUND[thing == 'user']}:{ids.id(centre)}"

    def at(self, urn: str) -> int | None:
        """Return which station has this URN, None when none has."""
        kind, _, number = urn.removeprefix(PREFIX).partition(":")
        if kind not in _AROUND or not (number.isascii() and number.isdigit() and len(number) < 20):
            return None
        centre = (self._tracks if kind == _AROUND[0] else self._users).index(int(number))
        return None if centre is None else centre if kind == _AROUND[0] else self.of_user(centre)

    def text(self, index: int) -> str:
        """Return what the id of a station is made of."""
        return self.urn(index)
