"""Which stations there are, by number: one around each track, then one around each person. Pure."""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b

from harvest.simulator.world.prng import Ids

PREFIX = "soundcloud:system-playlists:"
_AROUND = ("track-stations", "artist-stations")


class StationIds:
    """Names of stations. The id that a file gives one is made of its URN: the first 52 bits of the BLAKE2b of it."""

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

    def id(self, index: int) -> int:
        """Return the id of a station."""
        return int.from_bytes(blake2b(self.urn(index).encode(), digest_size=8).digest(), "big") >> 12

    def index(self, number: int) -> int | None:
        """Return which station has this id, None when none has."""
        return self._by_id.get(number)

    @cached_property
    def _by_id(self) -> dict[int, int]:
        return {self.id(index): index for index in range(self.count)}
