"""What is true of each user, track and playlist at a moment: who is away, what is new, how it is called now."""

from __future__ import annotations

from functools import lru_cache

from harvest.simulator.world.bipartite import Ownership
from harvest.simulator.world.drift import Drift
from harvest.simulator.world.facts import SPOTLESS, Facts
from harvest.simulator.world.moments import Absences, Events, Moment
from harvest.simulator.world.newcomers import Newcomers
from harvest.simulator.world.prng import Ids, mix, salt


class MovedFacts(Facts):
    """The facts of the first day, moved on.

    Who logs in, the first tracks and who made them never go, so that seeds for demonstrations stay. With any other
    person go their tracks and playlists. Addresses stay as they are, whatever a thing is called.
    """

    def __init__(self, first: Facts, drift: Drift, moment: Moment, me: int) -> None:
        super().__init__(first.options)
        o = self.options
        self._seasons = {
            "track": self._newcomers("track", o.tracks, drift, moment, artists=o.artists),
            "playlist": self._newcomers("playlist", o.playlist_count, drift, moment, artists=0.5),
        }
        for thing, newcomers in self._seasons.items():
            ids = self.ids[thing]
            assert isinstance(ids, Ids)
            self.ids[thing] = ids.grown(newcomers.total)
        self.links = self.ids["link"] = first.links  # as on the first day, and what they have looked up is kept
        self.stations = self.ids["station"] = first.stations
        rates = {"user": drift.people_go, "track": drift.tracks_go, "playlist": drift.playlists_go}
        self._absences = {
            thing: Absences(
                salt(o.seed, "absent", thing),
                rate,
                moment.days,
                return_share=drift.return_share,
                away_days=drift.away_days,
            )
            for thing, rate in rates.items()
        }
        self._renamed = {thing: Events(salt(o.seed, "renamed", thing), drift.renames, moment.days) for thing in rates}
        self._staying = {me, *(self.owner("track", track) for track in range(min(o.tracks, SPOTLESS)))}
        self._people_go = drift.people_go > 0
        # Asked for each entry of each list. No methods, so that what is known costs no call.
        self.away = lru_cache(maxsize=16 * o.cache)(self._is_away)  # type: ignore[method-assign]
        self.hidden = lru_cache(maxsize=16 * o.cache)(self._is_hidden)  # type: ignore[method-assign]

    def newcomers(self, thing: str) -> Newcomers:
        """Return the new tracks or playlists."""
        return self._seasons[thing]

    def _newcomers(self, thing: str, count: int, drift: Drift, moment: Moment, *, artists: float) -> Newcomers:
        o = self.options

        def owners(chance: int) -> Ownership:
            return Ownership(count, o.users, chance, communities=o.community_count, artists=artists)

        return Newcomers(count, o.community_count, drift.uploads, moment, salt(o.seed, "new", thing), owners)

    def spotless(self, track: int) -> bool:
        """Say whether a track is kept free of oddities, to be a seed: none that is new."""
        return track < self.options.tracks and super().spotless(track)

    def gone(self, user: int) -> bool:
        """Say whether an account answers 404."""
        return super().gone(user) or self.away("user", user)

    def _is_hidden(self, track: int) -> bool:
        """Say whether a track is hidden from those without the secret, or is not there."""
        return self.private(track) or self.away("track", track)

    def alone(self, track: int) -> bool:
        """Say whether a track has no station around it."""
        return self.private(track) or self._seasons["track"].home(track)[0] > 0

    def _is_away(self, thing: str, index: int) -> bool:
        """Say whether a user, track or playlist that there was, or will be, is not there now."""
        if thing not in self._absences:
            return False
        if thing == "user":
            return index not in self._staying and self._absences[thing].away(index) and not super().gone(index)
        if not self._seasons[thing].there(index):
            return True
        if thing == "track" and self.spotless(index):
            return False
        if self._absences[thing].away(index):
            return True
        return self._people_go and self.away("user", self.owner(thing, index))

    def told(self, thing: str, index: int, chance: int) -> int:
        """Return the chance that makes the name of a user, or the title of a track or playlist."""
        for _, last in self._renamed[thing].of(index):
            chance = mix(chance, last)
        return chance

    def _track_created(self, track: int) -> int:
        newcomers = self._seasons["track"]
        return newcomers.born(track) if newcomers.home(track)[0] else super()._track_created(track)

    def playlist_created(self, playlist: int) -> int:
        """Return when a playlist was made."""
        newcomers = self._seasons["playlist"]
        return newcomers.born(playlist) if newcomers.home(playlist)[0] else super().playlist_created(playlist)

    def owner(self, thing: str, index: int) -> int:
        """Return who made a track or playlist."""
        newcomers = self._seasons[thing]
        return newcomers.owner(index) if newcomers.home(index)[0] else super().owner(thing, index)

    def uploads(self, user: int) -> list[int]:
        """Return the public tracks of a user."""
        return super().uploads(user) + [track for track in self._seasons["track"].owned(user) if not self.hidden(track)]

    def playlists(self, user: int) -> list[int]:
        """Return the playlists of a user."""
        made = super().playlists(user) + self._seasons["playlist"].owned(user)
        return [playlist for playlist in made if not self.away("playlist", playlist)]
