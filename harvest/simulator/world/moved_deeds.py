"""Who liked, reposted, followed, commented what by a moment; every list in its order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from math import ceil

from harvest.simulator.world.births import Births
from harvest.simulator.world.drift import Drift
from harvest.simulator.world.engagements import DEEDS, Deeds, layouts, salt_of
from harvest.simulator.world.facts import COMMENTS
from harvest.simulator.world.list_cache import Entries
from harvest.simulator.world.lists import KINDS
from harvest.simulator.world.made_ids import SERVICES
from harvest.simulator.world.moments import Events, Moment, passed
from harvest.simulator.world.moved_facts import MovedFacts
from harvest.simulator.world.moved_graph import MovedGraph
from harvest.simulator.world.prng import mix, salt, share_of

_RIGHT = {"like": "track", "repost": "track", "playlist like": "playlist", "playlist repost": "playlist"}


class MovedDeeds(Deeds):
    """The deeds of the first day that still stand, and those done since.

    Edges from and to what is away are not shown from either end; they are there again when it is. Who was gone on the
    first day stays in the lists of that day; nothing of theirs comes or goes. Comments and liked stations come after
    the first ones; links come and go service by service.
    """

    facts: MovedFacts

    def __init__(self, first: Deeds, facts: MovedFacts, drift: Drift, moment: Moment) -> None:
        super().__init__(facts, first.graphs)
        self._first, self._drift, self._moment = first, drift, moment
        self._ended = passed(drift.go, moment.days)
        o, moved = self._options, {}
        for deed, layout in layouts(o).items():
            moved[deed] = MovedGraph(
                first.graphs[deed],
                Births(layout, salt_of(o.seed, deed, "births"), drift.come, moment.days),
                moment,
                chance=salt_of(o.seed, deed, "ends"),
                go=drift.go,
                grain=self._grain,
                real=self._fame.to if deed == "follow" else int,
                fixed=self._follow_is_fixed if deed == "follow" else self._is_fixed,
                newcomers=facts.newcomers(_RIGHT[deed]) if deed in _RIGHT else None,
            )
        self._moved: dict[str, MovedGraph] = moved
        away = {thing: partial(facts.away, thing) for thing in ("user", "track", "playlist")}
        self._away = away
        self._hides = {
            deed: facts.hidden if _RIGHT.get(deed) == "track" else away[_RIGHT.get(deed, "user")] for deed in moved
        }
        self._rights = lru_cache(maxsize=64)(self._standing)  # each deed of a person asks for its time
        self.comments = lru_cache(maxsize=64)(self._commented)  # each comment on a page asks for its time
        self._edits = Events(salt(o.seed, "playlist edits"), drift.edits, moment.days)
        self._links = Events(salt(o.seed, "links move"), (drift.come + drift.go) / 2, moment.days)

    def lefts(self, deed: str, right: int) -> dict[int, int]:
        """Return who did a deed to one thing, with the time of birth or `FIRST_DAY`."""
        if self._hides[deed](right):
            return {}
        node = self._fame.back(right) if deed == "follow" else right
        away, found = self._away["user"], self._moved[deed].lefts(node)
        return {left: time for left, time in found.items() if not away(left) and (left != right or deed != "follow")}

    def rights(self, deed: str, left: int) -> dict[int, int]:
        """Return what one user did a deed to, with the time of birth or `FIRST_DAY`; only to be read."""
        return self._rights(deed, left)

    def _standing(self, deed: str, left: int) -> dict[int, int]:
        if self.facts.away("user", left):
            return {}
        found = self._moved[deed].rights(left)
        if deed == "follow":
            found = {self._fame.to(node): time for node, time in found.items()}
            found.pop(left, None)
        hides = self._hides[deed]
        return {right: time for right, time in found.items() if not hides(right)}

    def _is_fixed(self, left: int, _: int) -> bool:
        return self.facts.odd("gone", left)

    def _follow_is_fixed(self, left: int, right: int) -> bool:
        return self.facts.odd("gone", left) or self.facts.odd("gone", self._fame.to(right))

    def done_at(self, deed: str, left: int, right: int) -> int:
        """Return the hidden time of a deed that was done."""
        return self.rights(deed, left)[right] or super().done_at(deed, left, right)

    def _tracks_liked(self, user: int) -> int:
        liked = self._moved["like"].rights(user)
        return len(liked) - sum(map(self._away["track"], liked))

    def plays(self, track: int, likes: int) -> int:
        """Return how often a track was played by those who like it."""
        return int(super().plays(track, likes) * (1 + self._drift.plays * self._moment.days))

    def _commented(self, track: int) -> dict[int, int]:
        """Return the comments on a track, each with its time."""
        if self.facts.hidden(track) or self.facts.newcomers("track").home(track)[0]:
            return {}
        first, count = track * COMMENTS, self._first.count("track_comments", track)
        fixed = partial(self.facts.odd, "gone")
        found = {
            item: self._first.comment_time(item)
            for item in range(first, first + count)
            if self.facts.chance("comment ends", item) >= self._ended or fixed(self.commenter(item))
        }
        rate = self._drift.come * count
        for place, days, chance in self._coming("comment", first, rate):
            if count + place >= COMMENTS - 1:
                break
            item, stays = first + count + place, chance >= passed(self._drift.go, self._moment.days - days)
            if stays and not fixed(self.commenter(item)):
                found[item] = self._moment.time(days) // 1000 * 1000
        return {item: time for item, time in found.items() if not self.facts.away("user", self.commenter(item))}

    def comment_time(self, comment: int) -> int:
        """Return when a comment was written, to the second."""
        return self.comments(comment // COMMENTS)[comment]

    def _coming(self, stream: str, index: int, rate: float) -> Iterator[tuple[int, float, int]]:
        """Yield what comes to one thing at an even pace: place, when in days, chance."""
        if rate <= 0:
            return
        for place in range(ceil(self._moment.days * rate)):
            chance = self.facts.chance(f"{stream} comes", mix(index, place))
            days = (place + share_of(chance)) / rate
            if days <= self._moment.days:
                yield place, days, mix(chance, 1)

    def content(self, playlist: int) -> list[int]:
        """Return the tracks of a playlist, private ones too; a track may stand in it twice."""
        found = super().content(playlist)
        for _, chance in self._edits.of(playlist):
            self._edit(found, playlist, chance)
        return [track for track in found if not self.facts.away("track", track)]

    def _edit(self, tracks: list[int], playlist: int, chance: int) -> None:
        """Add an entry, mostly at the end, take one out, or move one."""
        what, place = chance % 3, (chance >> 8) % 4096
        if what == 0 or not tracks:
            track = self._picked(playlist, mix(chance, 1))
            tracks.insert(len(tracks) if chance & 64 else place % (len(tracks) + 1), track)
            return
        taken = tracks.pop(place % len(tracks))
        if what == 1:
            tracks.insert((chance >> 20) % (len(tracks) + 1), taken)

    def played(self, station: int) -> list[int]:
        """Return the tracks of a station, private ones too: what it is around, then mostly the same taste."""
        return [track for track in super().played(station) if not self.facts.away("track", track)]

    def liked_stations(self, user: int) -> dict[int, int]:
        """Return the stations that a person likes, each with its time."""
        if self.facts.away("user", user):
            return {}
        first = self._first.liked_stations(user)
        found = {
            station: time
            for station, time in first.items()
            if self.facts.chance("station like ends", mix(user, station)) >= self._ended
        }
        for _, days, chance in self._coming("station like", user, self._drift.come * len(first)):
            station, lives = chance % self.facts.stations.count, mix(chance, 2)
            found.pop(station, None)
            if lives >= passed(self._drift.go, self._moment.days - days):
                found[station] = self._moment.time(days)
        return {station: time for station, time in found.items() if self.facts.station(station)}

    def links(self, user: int) -> list[int]:
        """Return the links on a person's page."""
        if self.facts.away("user", user):
            return []
        first, shown = user * len(SERVICES), set(super().links(user))
        everything = range(first, first + len(SERVICES))
        return [link for link in everything if (link in shown) != (len(list(self._links.of(link))) % 2 == 1)]

    def _entries(self, kind: str, subject: int) -> Entries:
        """Return a list in its order, whole."""
        if self.facts.away(KINDS[kind].subject, subject):
            return Entries((), ())
        return super()._entries(kind, subject)

    def _pairs(self, kind: str, subject: int) -> Iterable[tuple[int, int]]:
        """Yield time and item of a list, in any order."""
        if kind == "track_comments":
            return ((time, item) for item, time in self.comments(subject).items())
        if kind not in DEEDS:
            return super()._pairs(kind, subject)
        deed, by_left = DEEDS[kind]
        if by_left:
            return (
                (time or self.when(deed, subject, item, self.since(deed, item)), item)
                for item, time in self.rights(deed, subject).items()
            )
        since = self.since(deed, subject)
        return (
            (time or self.when(deed, item, subject, since), item) for item, time in self.lefts(deed, subject).items()
        )

    def _count(self, kind: str, subject: int) -> int:
        """Return the length of a list as the service counts it: private tracks count in a playlist."""
        return len(self.comments(subject)) if kind == "track_comments" else super()._count(kind, subject)
