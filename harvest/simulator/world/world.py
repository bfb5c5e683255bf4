"""A made-up SoundCloud, the same for the same seed.

In: sizes and shares (`options.py`). Out: who exists, who did what, and when, by id. Never: a stored graph;
everything is computed when asked, and only recent answers are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

from harvest.simulator.world import names
from harvest.simulator.world.drift import Drift
from harvest.simulator.world.engagements import Deeds, Graph
from harvest.simulator.world.facts import Facts
from harvest.simulator.world.lists import KINDS
from harvest.simulator.world.moments import Moment
from harvest.simulator.world.moved_deeds import MovedDeeds
from harvest.simulator.world.moved_facts import MovedFacts
from harvest.simulator.world.options import WorldOptions
from harvest.simulator.world.prng import salt


class World:
    """A made-up SoundCloud; see `Options` for what can be chosen.

    Users, tracks and playlists are named by the number in their URN. `facts` and `deeds` are the inside, where
    things are simply counted from 0: user 0 is the busiest, track 0 is the hit. `name` is what a world calls itself:
    the same at any moment, another for other people or deeds, or where they change otherwise. `graphs` says otherwise
    who did a deed ("like", "repost", "follow", ...) to what; `drift` how much changes in a day, seen `at` a later
    moment; `moment` is the one that this is, in days after the first.
    """

    def __init__(
        self,
        seed: int = 1,
        users: int = 500,
        tracks: int = 2000,
        graphs: Mapping[str, Graph] | None = None,
        drift: Drift | None = None,
        **options: Any,
    ) -> None:
        self.options = o = WorldOptions(seed, users, tracks, **options)
        self.drift = drift or Drift()
        self.moment = 0.0
        self._first = self
        other = () if self.drift == Drift() else (repr(self.drift),)
        told = salt(seed, repr(replace(o, cache=0, now_ms=0)), *(graphs or ()), *other) >> 32
        self.name = f"seed {seed}, {users} users, {tracks} tracks, {told:08x}"
        self.facts = Facts(self.options)
        self.deeds = Deeds(self.facts, graphs or {})

    def at(self, moment: float) -> World:
        """Return the same SoundCloud at `moment`, in days since its first day; 0 is the first day itself.

        Raises ValueError for a moment before the first one, and where so many uploads came that there are no numbers.
        """
        if not (isfinite(moment) and moment >= 0):
            raise ValueError("a moment is a number of days, 0 or more")
        first = self._first
        if moment == 0:
            return first
        if moment == self.moment:
            return self
        moved, when = copy(first), Moment(float(moment), self.options.now_ms)
        moved.moment = when.days
        moved.facts = MovedFacts(first.facts, self.drift, when, first.index("user", first.me_id))
        moved.deeds = MovedDeeds(first.deeds, moved.facts, self.drift, when)
        return moved

    @property
    def now_ms(self) -> int:
        """Return the time of this moment, in milliseconds since 1970."""
        return Moment(self.moment, self.options.now_ms).now_ms

    def id(self, thing: str, index: int) -> int:
        """Return the id of the index-th user, track, playlist or comment."""
        return self.facts.ids[thing].id(index)

    def index(self, thing: str, number: int) -> int:
        """Return the index behind an id; raise KeyError when there is no such thing."""
        index = self.facts.ids[thing].index(number)
        if index is None:
            raise KeyError(f"no {thing} {number}")
        return index

    def listing(self, kind: str, subject_id: int) -> tuple[int, ...]:
        """Return the ids that a reader of one list can get, in order.

        Empty when the list belongs to someone gone or forbidden. Entries that stand there as null are left out.
        """
        declared = KINDS[kind]
        subject = self.index(declared.subject, subject_id)
        if declared.subject == "user" and (self.facts.gone(subject) or self.facts.forbidden(subject)):
            return ()
        ids, null = self.facts.ids[declared.item], self.deeds.null
        items = self.deeds.entries(kind, subject).items
        return tuple(ids.id(item) for item in items if not null(kind, subject, item))

    def recently_played(self) -> tuple[int, ...]:
        """Return the tracks that the person who logs in played last, newest first, as a reader can get them."""
        me, null = self.index("user", self.me_id), self.deeds.null
        return tuple(self.id("track", item) for item in self.deeds.heard(me) if not null("recently_played", me, item))

    def liked_at(self, user_id: int, track_id: int) -> datetime:
        """Return the hidden time of a like, to the millisecond; KeyError when there is none."""
        return self._deed_at("like", user_id, track_id)

    def reposted_at(self, user_id: int, track_id: int) -> datetime:
        """Return the hidden time of a repost, to the millisecond; KeyError when there is none."""
        return self._deed_at("repost", user_id, track_id)

    def _deed_at(self, deed: str, user_id: int, track_id: int) -> datetime:
        user, track = self.index("user", user_id), self.index("track", track_id)
        if track not in self.deeds.rights(deed, user):
            raise KeyError(f"user {user_id} has no {deed} of track {track_id}")
        return as_datetime(self.deeds.done_at(deed, user, track))

    def community_of_user(self, user_id: int) -> int:
        """Return the taste group of a user."""
        return self.index("user", user_id) % self.options.community_count

    def community_of_track(self, track_id: int) -> int:
        """Return the taste group of a track."""
        return self.index("track", track_id) % self.options.community_count

    def is_gone(self, user_id: int) -> bool:
        """Say whether an account answers 404."""
        return self.facts.gone(self.index("user", user_id))

    def is_forbidden(self, user_id: int) -> bool:
        """Say whether an account answers 403."""
        return self.facts.forbidden(self.index("user", user_id))

    @property
    def me_id(self) -> int:
        """Return the id of the person who logs in."""
        last = self.options.users - 1
        user = self.options.users // 10
        while user < last and (self.facts.gone(user) or self.facts.forbidden(user)):
            user += 1
        return self.id("user", user)

    def user_url(self, user_id: int) -> str:
        """Return the page address of a user."""
        return self.facts.url("user", self.index("user", user_id))

    def track_url(self, track_id: int) -> str:
        """Return the page address of a track; a private one ends with its secret."""
        track = self.index("track", track_id)
        url = self.facts.url("track", track)
        return f"{url}/{self.facts.secret(track)}" if self.facts.private(track) else url

    def playlist_url(self, playlist_id: int) -> str:
        """Return the page address of a playlist."""
        return self.facts.url("playlist", self.index("playlist", playlist_id))

    def station_url(self, thing: str, thing_id: int) -> str:
        """Return the page address of the station around a track or a user."""
        return self.facts.url("station", self._station(thing, thing_id))

    def station_urn(self, thing: str, thing_id: int) -> str:
        """Return the URN of the station around a track or a user."""
        return self.facts.stations.urn(self._station(thing, thing_id))

    def _station(self, thing: str, thing_id: int) -> int:
        stations, index = self.facts.stations, self.index(thing, thing_id)
        return stations.of_track(index) if thing == "track" else stations.of_user(index)

    def short_url(self, track_id: int) -> str:
        """Return the share link of a track."""
        return f"https://on.soundcloud.com/{names.base36(self.index('track', track_id) * 7_919 + 60_466_176)}"

    def seed_ids(self, n: int = 3) -> list[int]:
        """Return the ids of good seeds, the hit first."""
        return [self.id("track", track) for track in range(min(n, self.options.tracks))]

    def seed_urls(self, n: int = 3) -> list[str]:
        """Return page addresses of good seeds, the hit first."""
        return [self.track_url(track_id) for track_id in self.seed_ids(n)]

    def seed_url(self) -> str:
        """Return the page address of the hit, a track with many likers."""
        return self.seed_urls(1)[0]


def as_datetime(millis: int) -> datetime:
    """Return a moment from milliseconds since 1970, without rounding."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)
