"""What can be asked of a harvest, and what follows for each kind of thing. Pure.

Rules:

1. `read` names the lists that are read of whatever is visited; what `via` names is read too. A person or playlist
   that is itself a seed is read with its usual lists besides, less those in `without`; `seed_read` says otherwise.
2. A list with a cap of 0 is not read. `max_user_likes` is the cap of likes, `max_listed` that of likers and of
   reposters; `caps` by name say it more exactly.
3. `until_new` bounds what is new, in a random sample around the seeds; `control` adds people by lot to other orders.
4. From tracks a harvest goes to depth 1, from everything else to depth 0, unless the depth is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class ListName(NamedTuple):
    """A list as options call it: the kind the service knows it as, whose it is, how much of it is usually kept."""

    kind: str
    thing: str
    cap: int


LISTS = {
    "likers": ListName("track_likers", "track", 20_000),
    "reposters": ListName("track_reposters", "track", 20_000),
    "comments": ListName("track_comments", "track", 1_000),
    "related": ListName("track_related", "track", 50),
    "likes": ListName("user_likes", "user", 500),
    "reposts": ListName("user_reposts", "user", 500),
    "uploads": ListName("user_tracks", "user", 1_000),
    "playlists": ListName("user_playlists", "user", 200),
    "liked-playlists": ListName("user_playlist_likes", "user", 200),
    "reposted-playlists": ListName("user_playlist_reposts", "user", 200),
    "liked-stations": ListName("user_station_likes", "user", 200),
    "links": ListName("user_links", "user", 200),
    "followers": ListName("user_followers", "user", 5_000),
    "followings": ListName("user_followings", "user", 2_000),
    "playlist-tracks": ListName("playlist_tracks", "playlist", 500),
    "playlist-reposters": ListName("playlist_reposters", "playlist", 20_000),
    "station-tracks": ListName("station_tracks", "station", 100),
    "found-tracks": ListName("found_tracks", "search_for_tracks", 200),
    "found-users": ListName("found_users", "search_for_users", 200),
    "found-playlists": ListName("found_playlists", "search_for_playlists", 200),
}
_SEED_READ = (
    "uploads",
    "likes",
    "reposts",
    "playlists",
    "playlist-tracks",
    "playlist-reposters",
    "station-tracks",
    "found-tracks",
    "found-users",
    "found-playlists",
)


@dataclass(frozen=True, slots=True)
class TruthOptions:
    """The options of a harvest; the defaults are those of the command line."""

    max_users: int = 1000
    max_user_likes: int = 500
    max_listed: int = 20_000
    max_tracks: int = 100
    max_playlists: int = 100
    depth: int | None = None
    order: str = "newest"
    sample_seed: int = 0
    read: tuple[str, ...] = ("likers", "reposters", "likes")
    seed_read: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()
    via: tuple[str, ...] = ("likes",)
    caps: tuple[tuple[str, int], ...] = ()
    until_new: float | None = None
    control: int = 0

    def cap(self, name: str) -> int:
        """Return how many entries of a list are kept at most."""
        usual = {"likes": self.max_user_likes, "likers": self.max_listed, "reposters": self.max_listed}
        return dict(self.caps).get(name, usual.get(name, LISTS[name].cap))

    def reads(self, thing: str, *, seed: bool = False) -> dict[str, int]:
        """Return the names of the lists that a visit to such a thing reads, with the cap of each."""
        names = {*self.read, *self.via}
        if seed:
            names |= (
                {name for name in _SEED_READ if name not in self.without}
                if self.seed_read is None
                else {*self.seed_read}
            )
        return {
            name: self.cap(name)
            for name, declared in LISTS.items()
            if name in names and declared.thing == thing and self.cap(name) > 0
        }

    def goes_to(self, thing: str) -> bool:
        """Say whether visits to such things would read anything; if not, no step leads there."""
        return bool(self.reads(thing))

    def leads(self, thing: str) -> list[str]:
        """Return the lists of people by which a harvest goes on to things of this kind."""
        items = {"likes": "track", "reposts": "track", "uploads": "track", "followings": "user", "followers": "user"}
        return [name for name in self.reads("user") if name in self.via and items[name] == thing]

    def deepest(self, thing: str) -> int:
        """Return the depth at which a harvest ends for things of this kind, whatever round visits them."""
        return int(thing == "track") if self.depth is None else self.depth
