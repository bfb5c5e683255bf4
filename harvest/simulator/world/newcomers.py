"""Tracks and playlists that are new since the first day. Pure.

Rule 1. In each season as many come as there were on the first day; a season is as long as their rate makes it.
Rule 2. Each is the twin of one of the first day, with its taste group and its place in popularity. The twins of season
        s are counted from s times the number of the first ones, rounded up to whole taste groups.
Rule 3. Each has its moment within the season, and one artist, readable from both ends.
"""

from __future__ import annotations

from collections.abc import Callable

from harvest.simulator.world.bipartite import Ownership
from harvest.simulator.world.moments import Moment
from harvest.simulator.world.prng import mix, salt


class Newcomers:
    """The new things of one kind until a moment; `count` of them there were on the first day."""

    def __init__(
        self, count: int, communities: int, rate: float, moment: Moment, chance: int, owners: Callable[[int], Ownership]
    ) -> None:
        self.count = count
        self.padded = -(-count // communities) * communities
        self._rate, self._moment, self._chance, self._owners = rate, moment, chance, owners
        self.seasons = 1 + int(moment.days * rate) if rate > 0 else 0
        self._ownerships: dict[int, Ownership] = {}

    @property
    def total(self) -> int:
        """Return a number above that of every thing, those included that are not there yet."""
        return self.padded * (self.seasons + 1) if self.seasons else self.count

    def home(self, index: int) -> tuple[int, int]:
        """Return the season of a thing, 0 for the first day, and whose twin it is."""
        return divmod(index, self.padded)

    def born(self, index: int) -> int:
        """Return the time, in milliseconds, at which a new thing is made."""
        season, _ = self.home(index)
        return self._moment.time((season - 1 + mix(self._chance, index) / 2**64) / self._rate) // 1000 * 1000

    def there(self, index: int) -> bool:
        """Say whether a thing has been made by now."""
        season, base = self.home(index)
        return base < self.count and (season == 0 or self.born(index) <= self._moment.now_ms)

    def twin(self, base: int, days: float) -> int | None:
        """Return the new thing that is a twin of one of the first day and was made before; the newest season's only."""
        if not self.seasons:
            return None
        index = (1 + int(days * self._rate)) * self.padded + base
        return index if self.born(index) <= self._moment.time(days) else None

    def owner(self, index: int) -> int:
        """Return who made a new thing."""
        season, base = self.home(index)
        return self._ownership(season).owner(base)

    def owned(self, user: int) -> list[int]:
        """Return the new things of a user, those included that are not there yet."""
        seasons = range(1, self.seasons + 1)
        return [season * self.padded + base for season in seasons for base in self._ownership(season).owned(user)]

    def _ownership(self, season: int) -> Ownership:
        found = self._ownerships.get(season)
        if found is None:
            found = self._ownerships[season] = self._owners(salt(self._chance, "owners", season))
        return found
