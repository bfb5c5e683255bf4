"""The content of a harvested file, as it grows: things seen, lists read, edges with their ranks.

Rules:

1. Entries that stand in a list as null are not stored and take no rank. Nothing beyond a cap is stored at all.
2. A list ends gone or forbidden by the reply; capped when there was more than the cap or, judging by pages of
   `page_size`, may have been; loop after 20 pages in a row without anything new that offer another; short when it
   ended with fewer than claimed by more than max(2, 10 %); else complete.
3. What a list claims is what was known of its subject when it was first wanted.
4. A list is read once for all harvests that want it, and continues when one of them wants more of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from harvest.simulator.service.objects import Json, objects_of
from harvest.simulator.service.search import Search
from harvest.simulator.truth.rows import (
    Row,
    comment_row,
    link_row,
    merged,
    number,
    playlist_row,
    station_row,
    track_row,
    user_row,
)
from harvest.simulator.truth.searches import Searched
from harvest.simulator.world.lists import KINDS
from harvest.simulator.world.world import World

Edge = tuple[int, int, str]
Ranks = tuple[int | None, int | None]
Ended = tuple[str, int, int | None]

_BARREN = 20  # pages in a row
_ALWAYS_SHOWN = ("user_followers", "user_followings")  # empty, and no refusal, for people who are gone

# kind -> where its edges stand, of which type, and whether the subject is the one who did it
_EDGES = {
    "track_likers": ("engagements", "like", False),
    "track_reposters": ("engagements", "repost", False),
    "user_likes": ("engagements", "like", True),
    "user_reposts": ("engagements", "repost", True),
    "user_playlist_likes": ("playlist_engagements", "like", True),
    "user_playlist_reposts": ("playlist_engagements", "repost", True),
    "playlist_reposters": ("playlist_engagements", "repost", False),
    "user_followers": ("follows", "follow", False),
    "user_followings": ("follows", "follow", True),
    "user_station_likes": ("station_likes", "like", True),
    "track_related": ("related", "related", True),
}
# kind -> the rows whose own column says the place in the list
_RANKED = {
    "user_tracks": ("tracks", "uploader_list_rank"),
    "user_playlists": ("playlists", "owner_list_rank"),
    "track_comments": ("comments", "track_list_rank"),
    "user_links": ("links", "user_list_rank"),
}
# kind -> the rows that say how long the list is
_CLAIMS = {
    "track_likers": ("tracks", "likes_count"),
    "track_reposters": ("tracks", "reposts_count"),
    "track_comments": ("tracks", "comment_count"),
    "user_likes": ("users", "likes_given_count"),
    "user_reposts": ("users", "reposts_given_count"),
    "user_tracks": ("users", "track_count"),
    "user_playlists": ("users", "playlist_count"),
    "user_followers": ("users", "followers_count"),
    "user_followings": ("users", "followings_count"),
    "playlist_tracks": ("playlists", "track_count"),
    "station_tracks": ("stations", "track_count"),
}
# kind -> where its items stand by place, so that one may stand twice
_PLACED = {"playlist_tracks": "playlist_tracks", "station_tracks": "station_tracks"}


class Visit(NamedTuple):
    """What a harvest visits: in which round, as which of those chosen with it, how deep, with what chance."""

    round: int
    thing: str
    id: int
    place: int
    depth: int
    chance: float | None = None


@dataclass(slots=True)
class Truth:
    """The expected content of a harvested file, by id.

    `engagements`: (user, track, 'like' | 'repost') -> (user_list_rank, track_list_rank); `playlist_engagements` alike,
    and `station_likes` and `related`, which have no second rank. `follows`: (follower, followee) ->
    (followings_list_rank, followers_list_rank). `playlist_tracks`: (playlist, position) -> track; `station_tracks` too.
    `users`, `tracks`, `playlists`, `stations`, `comments`, `links`, `searches`: columns by name. `found`:
    (search, item) -> rank. `tags`: names per track. `lists`: (kind, subject) -> (outcome, collected, claimed).
    `visits`: what each harvest chose, in order, its seeds first.
    """

    engagements: dict[Edge, Ranks] = field(default_factory=dict)
    station_likes: dict[Edge, Ranks] = field(default_factory=dict)
    related: dict[Edge, Ranks] = field(default_factory=dict)
    follows: dict[tuple[int, int], Ranks] = field(default_factory=dict)
    playlist_engagements: dict[Edge, Ranks] = field(default_factory=dict)
    playlist_tracks: dict[tuple[int, int], int] = field(default_factory=dict)
    station_tracks: dict[tuple[int, int], int] = field(default_factory=dict)
    users: dict[int, Row] = field(default_factory=dict)
    tracks: dict[int, Row] = field(default_factory=dict)
    tags: dict[int, frozenset[str]] = field(default_factory=dict)
    playlists: dict[int, Row] = field(default_factory=dict)
    stations: dict[int, Row] = field(default_factory=dict)
    comments: dict[int, Row] = field(default_factory=dict)
    links: dict[int, Row] = field(default_factory=dict)
    searches: dict[int, Row] = field(default_factory=dict)
    found: dict[tuple[int, int], int] = field(default_factory=dict)
    lists: dict[tuple[str, int], Ended] = field(default_factory=dict)
    visits: list[tuple[Visit, ...]] = field(default_factory=list)

    @property
    def followed(self) -> dict[int, tuple[int, ...]]:
        """Return, by the first seed of each harvest, the people it chose, in order."""
        return {all_[0].id: tuple(v.id for v in all_ if v.round and v.thing == "user") for all_ in self.visits}

    @property
    def spilled(self) -> dict[int, tuple[int, ...]]:
        """Return, by the first seed of each harvest, the tracks it visits, in order; seeds are among them."""
        return {all_[0].id: tuple(v.id for v in all_ if v.thing == "track") for all_ in self.visits}


class Content:
    """Collects the truth, list by list."""

    def __init__(self, world: World, page_size: int) -> None:
        self.truth = Truth()
        self._world = world
        self._page_size = page_size
        self._objects = objects_of(world)
        self._seen: set[tuple[str, int, str]] = set()
        self._claims: dict[tuple[str, int], int | None] = {}
        self._kept: dict[tuple[str, int], tuple[int, ...]] = {}
        self._wanted: dict[tuple[str, int], int] = {}
        self._looked_up: set[tuple[str, int]] = set()
        self._searches: dict[int, Searched] = {}
        self._finder = Search(world, self._objects)

    def see(self, thing: str, thing_id: int, seen_as: str) -> None:
        """Keep a sighting of a thing with all that it shows of others."""
        if (thing, thing_id, seen_as) not in self._seen:
            self._seen.add((thing, thing_id, seen_as))
            see = {
                "user": self._see_user,
                "track": self._see_track,
                "playlist": self._see_playlist,
                "station": self._see_station,
                "comment": self._see_comment,
                "link": self._see_link,
            }
            see[thing](thing_id, seen_as)

    def search(self, search: Searched) -> None:
        """Keep a search that is a seed."""
        self._searches[search.id] = search
        self.truth.searches[search.id] = search.row

    def look_up_artists(self, tracks: Iterable[int]) -> None:
        """Look up the artists of some tracks, each once."""
        artists = {self.truth.tracks[track]["uploader_id"] for track in tracks if track in self.truth.tracks} - {None}
        for artist in artists:
            if self.truth.users[artist]["seen_as"] != "full":
                self._look_up("user", artist)

    def look_up_known(self, of: str, *, everything: bool) -> None:
        """Look up `artists`, `people`, `tracks` or `all` that only other things have shown, or `everything`, and the
        people these show.
        """
        while due := [one for one in self._known(of, everything) if one not in self._looked_up]:
            for thing, thing_id in due:
                self._look_up(thing, thing_id)

    def _known(self, of: str, everything: bool) -> list[tuple[str, int]]:
        artists = {row["uploader_id"] for row in self.truth.tracks.values()}
        people = [(one, row) for one, row in self.truth.users.items() if of != "artists" or one in artists]
        rows = [("user", *one) for one in people if of != "tracks"]
        rows += [("track", *one) for one in self.truth.tracks.items() if of in ("tracks", "all")]
        return [(thing, one) for thing, one, row in rows if everything or row["seen_as"] == "embedded"]

    def _look_up(self, thing: str, thing_id: int) -> None:
        """Look a thing up, once; who is gone and what is private is not shown."""
        if (thing, thing_id) not in self._looked_up:
            self._looked_up.add((thing, thing_id))
            hidden = self._world.facts.gone if thing == "user" else self._world.facts.hidden
            if not hidden(self._world.index(thing, thing_id)):
                self.see(thing, thing_id, "full")

    def want(self, kind: str, subject: int, cap: int) -> bool:
        """Note that a list is wanted, and what is claimed of it now; say whether anything of it is to be read."""
        key = kind, subject
        if key not in self._claims:
            rows, column = _CLAIMS.get(kind, ("", ""))
            self._claims[key] = getattr(self.truth, rows)[subject][column] if rows else None
        ended = self.truth.lists.get(key)
        if ended is not None and (ended[0] != "capped" or ended[1] >= cap):
            return False
        self._wanted[key] = max(cap, self._wanted.get(key, 0))
        return True

    def is_read(self, kind: str, subject: int) -> bool:
        """Say whether a list has been read, however far."""
        return (kind, subject) in self.truth.lists

    def read_wanted(self) -> None:
        """Read all lists that are wanted and not read as far as that yet."""
        for (kind, subject), cap in self._wanted.items():
            if KINDS.get(kind) is None:
                self._read_search(kind, self._searches[subject], cap)
            else:
                self._read(kind, subject, cap)
        self._wanted.clear()

    def listed(self, kind: str, subject: int, cap: int) -> tuple[int, ...]:
        """Return what a list names, as far as a cap lets us see: its items, of comments their authors."""
        items = self._kept[kind, subject][:cap]
        return tuple(self.truth.comments[item]["user_id"] for item in items) if kind == "track_comments" else items

    def _read(self, kind: str, subject: int, cap: int) -> None:
        """Read one list up to its cap, keep its edges and how it ended."""
        declared, index = KINDS[kind], self._world.index(KINDS[kind].subject, subject)
        gone = declared.subject == "user" and self._world.is_gone(subject)
        forbidden = declared.subject == "user" and not gone and self._world.is_forbidden(subject)
        entries = () if gone or forbidden else self._world.deeds.entries(kind, index).items
        shown = [None if self._world.deeds.null(kind, index, item) else item for item in entries]
        size = len(shown) if declared.inside or declared.always_bare else self._page_size
        kept, outcome = walk(shown, cap, max(1, size), repeats=kind in _PLACED)
        items = tuple(self._world.id(declared.item, item) for item in kept)
        claimed = self._claims[kind, subject]
        if gone and kind not in _ALWAYS_SHOWN:
            outcome = "gone"
        elif forbidden:
            outcome = "forbidden"
        elif outcome == "complete" and claimed is not None and 10 * len(items) < 10 * claimed - max(20, claimed):
            outcome = "short"
        self.truth.lists[kind, subject] = outcome, len(items), claimed
        self._kept[kind, subject] = items
        for rank, item in enumerate(items):
            self.see(declared.item, item, "list")
            self._keep(kind, subject, item, rank)

    def _read_search(self, kind: str, search: Searched, cap: int) -> None:
        shown, endless = search.results(self._world, self._finder)
        kept, outcome = walk(shown, cap, self._page_size, endless=endless)
        items = tuple(self._world.id(search.item, item) for item in kept)
        self.truth.lists[kind, search.id] = outcome, len(items), None
        self._kept[kind, search.id] = items
        for rank, item in enumerate(items):
            self.see(search.item, item, "list")
            self.truth.found[search.id, item] = rank

    def _keep(self, kind: str, subject: int, item: int, rank: int) -> None:
        """Keep one entry of a list with its place."""
        if kind in _PLACED:
            getattr(self.truth, _PLACED[kind])[subject, rank] = item
        elif kind in _RANKED:
            rows, column = _RANKED[kind]
            getattr(self.truth, rows)[item][column] = rank
            if kind == "user_tracks" and self.truth.tracks[item]["uploader_id"] is None:
                self.truth.tracks[item]["uploader_id"] = subject
        else:
            table, deed, own = _EDGES[kind]
            pair = (subject, item) if own else (item, subject)
            edges, key = getattr(self.truth, table), pair if deed == "follow" else (*pair, deed)
            of_first, of_second = edges.get(key, (None, None))
            edges[key] = (rank, of_second) if own else (of_first, rank)

    def _see_user(self, user: int, seen_as: str) -> None:
        index = self._world.index("user", user)
        sight = self._objects.embedded_user(index) if seen_as == "embedded" else self._objects.seen("user", index)
        self._meet(user, user_row(sight, seen_as))

    def _meet(self, user: int, row: Row) -> None:
        known = self.truth.users.get(user)
        self.truth.users[user] = row if known is None else merged(known, row)

    def _see_track(self, track: int, seen_as: str) -> None:
        index = self._world.index("track", track)
        sight = self._objects.seen("track", index)
        if sight["user"] is not None:
            self.see("user", number(sight["user"]["urn"]), "embedded")
        row, known = track_row(sight, seen_as), self.truth.tracks.get(track)
        self.truth.tracks[track] = row if known is None else merged(known, row)
        self.truth.tags[track] = frozenset(self._objects.tags_of(index))

    def _see_playlist(self, playlist: int, _: str) -> None:
        sight = self._objects.seen("playlist", self._world.index("playlist", playlist))
        self.see("user", number(sight["user"]["urn"]), "embedded")
        self.truth.playlists.setdefault(playlist, playlist_row(sight))

    def _see_station(self, station: int, _: str) -> None:
        sight = self._objects.seen("station", self._world.index("station", station))
        self.truth.stations.setdefault(station, station_row(sight))

    def _see_comment(self, comment: int, _: str) -> None:
        sight = self._objects.seen("comment", self._world.index("comment", comment))
        author: Json = sight["user"]
        self._meet(number(author["urn"]), user_row(author, "embedded"))
        self.truth.comments[comment] = comment_row(sight)

    def _see_link(self, link: int, _: str) -> None:
        index = self._world.index("link", link)
        self.truth.links[link] = link_row(self._objects.seen("link", index))


def walk(
    entries: Sequence[int | None], cap: int, page_size: int, *, repeats: bool = False, endless: bool = False
) -> tuple[list[int], str]:
    """Go through a list page by page; return what is kept of it, and `capped`, `loop` or `complete`.

    An item that `repeats` counts each time it stands there. An `endless` list offers a page behind its last one.
    """
    kept: list[int] = []
    seen: set[int] = set()
    barren = 0
    for begin in range(0, len(entries), page_size):
        before = len(kept)
        for entry in entries[begin : begin + page_size]:
            if entry is None or (entry in seen and not repeats):
                continue
            if len(kept) == cap:
                return kept, "capped"
            kept.append(entry)
            seen.add(entry)
        barren = 0 if len(kept) > before else barren + 1
        goes_on = endless or begin + page_size < len(entries)
        if goes_on and len(kept) == cap:
            return kept, "capped"
        if goes_on and barren == _BARREN:
            return kept, "loop"
    return kept, "complete"
