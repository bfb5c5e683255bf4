"""Who liked, reposted, followed, commented what, and when; every list in its order.

In: an index. Out: indices and hidden times. Never: two entries of one list at the same millisecond.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Protocol

from harvest.simulator.world.bipartite import Bipartite, Habit, Layout
from harvest.simulator.world.facts import COMMENTS, DAY_MS, USERS_TO, Facts
from harvest.simulator.world.list_cache import Entries, KeptLists
from harvest.simulator.world.made_ids import SERVICES
from harvest.simulator.world.options import WorldOptions
from harvest.simulator.world.prng import Shuffle, mix, salt, threshold

_RELATED = 60
_MORE = 1.06  # picks repeat one another now and then; this makes up for it

EDGE = 0x1F0A3D5B7  # so many times the left node and once the right one make the number of an edge

# list -> the deed it shows, and whether the list belongs to the one who did it
DEEDS = {
    "track_likers": ("like", False),
    "track_reposters": ("repost", False),
    "user_likes": ("like", True),
    "user_reposts": ("repost", True),
    "user_playlist_likes": ("playlist like", True),
    "user_playlist_reposts": ("playlist repost", True),
    "user_followers": ("follow", False),
    "user_followings": ("follow", True),
    "playlist_reposters": ("playlist repost", False),
}


class Graph(Protocol):
    """Who is joined to what, readable from both ends."""

    def rights(self, node: int) -> set[int]:
        """Return what a left node is joined to."""

    def lefts(self, node: int) -> set[int]:
        """Return what a right node is joined to."""


def place_within(grain: int, left: int, right: int) -> int:
    """Return the place of an edge within a stretch of time: one-to-one in either end when the other is fixed.

    `grain` is the length of the stretch, a power of two: the factors are odd.
    """
    return (left * 0x9E3779B1 + right * 0x85EBCA6B) % grain


def layouts(o: WorldOptions) -> dict[str, Layout]:
    """Return how the graph of each deed is laid out."""
    share = o.community_share if o.community_count > 1 else 0.0

    def layout(right: int, mean: float, local: float = share, hit: int | None = None) -> Layout:
        return Layout(o.users, right, Habit(mean * _MORE, o.spread, local), o.community_count if local else 1, hit)

    return {
        "like": layout(o.tracks, o.likes_per_user, hit=o.hit_likers),
        "repost": layout(o.tracks, o.reposts_mean, hit=o.hit_reposters),
        "playlist like": layout(o.playlist_count, o.likes_per_user * 0.03),
        "playlist repost": layout(o.playlist_count, o.likes_per_user * 0.02),
        "follow": layout(o.users, o.follows_per_user, local=0.0),
    }


def salt_of(seed: int, deed: str, *more: str) -> int:
    """Return the stream of chance of the graph of a deed, or of something about it."""
    return salt(seed, f"{deed}s", *more)


class Deeds:
    """The graphs of one world; those that are `given` take the place of its own."""

    def __init__(self, facts: Facts, given: Mapping[str, Graph]) -> None:
        self.facts = facts
        self._options = o = facts.options
        self._grain = 1 << max(o.users, o.tracks, o.playlist_count, COMMENTS).bit_length()
        self.graphs = {deed: given.get(deed) or self._graph(deed, layout) for deed, layout in layouts(o).items()}
        self._fame = Shuffle(o.users, salt(o.seed, "fame"))
        self.entries = KeptLists(self._entries, 50 * o.cache)
        self.count = lru_cache(maxsize=16 * o.cache)(self._count)

    def _graph(self, deed: str, layout: Layout) -> Graph:
        """Lay out one graph."""
        left, right, habit, communities, hit = layout
        return Bipartite(left, right, habit, salt_of(self._options.seed, deed), communities=communities, hit=hit)

    def when(self, deed: str, left: int, right: int, since: int) -> int:
        """Return the hidden time of a deed: later than `since`, and unlike any other in a list it stands in.

        Chance picks a stretch of time as long as there are nodes, in ms.
        """
        grain = self._grain
        first, last = since // grain + 1, self._options.now_ms // grain - 1
        chance = self.facts.chance(deed, left * EDGE + right) >> 32
        if self._options.newcomers_differ and deed in ("like", "repost"):
            chance = self._belated(left, chance)
        coarse = first + ((chance * chance >> 32) * (last - first) >> 32)
        return coarse * grain + place_within(grain, left, right)

    def _belated(self, left: int, chance: int) -> int:
        """Mix chance (32 bits) with what makes a newcomer: little activity, and a taste group of high number."""
        o = self._options
        group, groups = left % o.community_count, o.community_count
        late = ((left << 31) // o.users) + ((group << 31) // groups)
        share = int(o.newcomers_differ * 1024)
        return (share * late + (1024 - share) * chance) >> 10

    def done_at(self, deed: str, left: int, right: int) -> int:
        """Return the hidden time of a deed that was done."""
        return self.when(deed, left, right, self.since(deed, right))

    def since(self, deed: str, right: int) -> int:
        """Return the earliest time at which the deed is possible."""
        if deed == "follow":
            return USERS_TO
        return self.facts.playlist_created(right) if deed.startswith("playlist") else self.facts.track_created(right)

    def lefts(self, deed: str, right: int) -> Iterable[int]:
        """Return who did a deed to one thing."""
        if deed == "follow":
            return self.graphs[deed].lefts(self._fame.back(right)) - {right}
        if deed in ("like", "repost") and self.facts.hidden(right):
            return ()
        return self.graphs[deed].lefts(right)

    def rights(self, deed: str, left: int) -> Iterable[int]:
        """Return what one user did a deed to, hidden tracks left out."""
        found = self.graphs[deed].rights(left)
        if deed == "follow":
            return {self._fame.to(other) for other in found} - {left}
        if deed in ("like", "repost"):
            return {track for track in found if not self.facts.hidden(track)}
        return found

    def favorites(self, user: int) -> int:
        """Return what a profile counts as likes: tracks, hidden ones too, and playlists."""
        found = self._tracks_liked(user) + self.count("user_playlist_likes", user)
        return found * 3 // 2 + 5 if self.facts.odd("overclaimed", user) else found

    def _tracks_liked(self, user: int) -> int:
        return len(self.graphs["like"].rights(user))

    def plays(self, track: int, likes: int) -> int:
        """Return how often a track was played by those who like it."""
        return likes * (8 + self.facts.chance("track", track) % 50)

    def commenter(self, comment: int) -> int:
        """Return who wrote a comment."""
        return self.facts.chance("commenter", comment) % self._options.users

    def comment_time(self, comment: int) -> int:
        """Return when a comment was written, to the second."""
        place, track = comment % COMMENTS, comment // COMMENTS
        return self.when("comment", place, track, self.facts.track_created(track)) // 1000 * 1000

    def content(self, playlist: int) -> list[int]:
        """Return the tracks of a playlist, hidden ones too; a track may stand in it twice."""
        chance = self.facts.chance("playlist size", playlist)
        size = 1 + chance % 12 if chance & 1023 else 511  # more than one harvest keeps unless it is told to
        picks = (self.facts.chance("playlist track", playlist * 512 + place) for place in range(size))
        return [self._picked(playlist, pick) for pick in picks]

    def _picked(self, playlist: int, pick: int) -> int:
        """Return the track that chance picks for a playlist: a popular one, mostly of its own taste."""
        count = self._options.community_count
        near = (pick >> 40) ** 3 * self._options.tracks >> 72
        own = near // count * count + playlist % count
        return own if pick % 3 and own < self._options.tracks else near

    def played(self, station: int) -> list[int]:
        """Return the tracks of a station, hidden ones too: what it is around, then mostly the same taste."""
        facts, count = self.facts, self._options.community_count
        thing, centre = facts.stations.around(station)
        first = centre if thing == "track" else facts.uploads(centre)[0]
        picks = [facts.chance("station", station * 128 + place) for place in range(20 + station % 60)]
        near = [
            pick % self._options.tracks // count * count + (first % count if pick >> 40 & 3 else 0) for pick in picks
        ]
        return [first, *(track for track in near if track < self._options.tracks)]

    def heard(self, user: int) -> list[int]:
        """Return the tracks a person played last, newest first, each once: at most 25, hidden ones left out."""
        plays = (self.facts.chance("played", user * 64 + place) for place in range(40))
        tracks = dict.fromkeys(play % self._options.tracks for play in plays)
        return [track for track in tracks if not self.facts.hidden(track)][:25]

    def related(self, track: int) -> list[int]:
        """Return the tracks that the service finds related: of the same taste, never the track itself."""
        o = self._options
        members = range(track % o.community_count, o.tracks, o.community_count)
        shuffle = Shuffle(len(members), salt(o.seed, "related", "track", track))
        found = [members[shuffle.to(place)] for place in range(min(len(members), _RELATED))]
        return [item for item in found if item != track and not self.facts.hidden(item)]

    def liked_stations(self, user: int) -> dict[int, int]:
        """Return the stations that a person likes, each with its time."""
        facts, chance = self.facts, self.facts.chance("station likes", user)
        picks = [
            facts.chance("liked station", user * 64 + place) for place in range(chance % 24 if chance >> 40 & 1 else 0)
        ]
        stations = dict.fromkeys(pick % facts.stations.count for pick in picks)
        shown = (station for station in stations if facts.station(station))
        return {station: self._options.now_ms - DAY_MS * place for place, station in enumerate(shown, 1)}

    def links(self, user: int) -> list[int]:
        """Return the links on a person's page."""
        first = user * len(SERVICES)
        return list(range(first, first + self.facts.chance("web", user) % (len(SERVICES) + 1)))

    def null(self, kind: str, subject: int, item: int) -> bool:
        """Say whether an entry stands in its list as null."""
        share = self._options.null_entries
        return share > 0 and self.facts.chance(kind, mix(subject, item)) < threshold(share)

    def _entries(self, kind: str, subject: int) -> Entries:
        """Return a list in its order, whole."""
        if kind == "playlist_tracks":
            tracks = tuple(track for track in self.content(subject) if not self.facts.hidden(track))
            return Entries(tracks, (0,) * len(tracks))
        if kind == "track_related":
            return Entries(related := tuple(self.related(subject)), (0,) * len(related))
        if kind == "user_links":
            return Entries(links := tuple(self.links(subject)), (0,) * len(links))
        if kind == "station_tracks":
            shown = self.facts.station(subject)
            tracks = tuple(track for track in self.played(subject) if not self.facts.hidden(track)) if shown else ()
            return Entries(tracks, (0,) * len(tracks))
        pairs = sorted(self._pairs(kind, subject), reverse=True)
        return Entries(tuple(item for _, item in pairs), tuple(time for time, _ in pairs))

    def _pairs(self, kind: str, subject: int) -> Iterable[tuple[int, int]]:
        """Yield time and item of a list, in any order."""
        facts = self.facts
        if kind == "user_tracks":
            return ((facts.track_created(item), item) for item in facts.uploads(subject))
        if kind == "user_playlists":
            return ((facts.playlist_created(item), item) for item in facts.playlists(subject))
        if kind == "user_station_likes":
            return ((time, item) for item, time in self.liked_stations(subject).items())
        if kind == "track_comments":
            first = subject * COMMENTS
            return ((self.comment_time(item), item) for item in range(first, first + self.count(kind, subject)))
        deed, by_left = DEEDS[kind]
        if by_left:
            rights = self.rights(deed, subject)
            return ((self.when(deed, subject, item, self.since(deed, item)), item) for item in rights)
        since = self.since(deed, subject)
        return ((self.when(deed, item, subject, since), item) for item in self.lefts(deed, subject))

    def _count(self, kind: str, subject: int) -> int:
        """Return the length of a list as the service counts it: hidden tracks count in a playlist."""
        if kind == "user_tracks":
            return len(self.facts.uploads(subject))
        if kind == "user_playlists":
            return len(self.facts.playlists(subject))
        if kind == "playlist_tracks":
            return len(self.content(subject))
        if kind == "station_tracks":
            return len(self.played(subject))
        if kind == "track_comments":
            chatty = self.facts.chance("chatty", subject) % 12
            return min(COMMENTS - 1, self.count("track_likers", subject) * chatty // 100)
        if kind == "favorites":
            return self.favorites(subject)
        deed, by_left = DEEDS[kind]
        return sum(1 for _ in (self.rights if by_left else self.lefts)(deed, subject))
