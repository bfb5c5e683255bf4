"""Every kind of list of the made-up SoundCloud: what it lists and how its pages are addressed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Thing = Literal["user", "track", "playlist", "station", "comment", "link"]


@dataclass(frozen=True, slots=True)
class SimList:
    """One kind of list.

    `path` is the collection name and what stands behind the subject's URN. `cursor` is the form of the place
    in the list (see `cursors.py`). `bare` lists come as a plain array unless linked_partitioning is sent, one that is
    `always_bare` even then. A list with `inside` stands whole under that name in the object of its subject.
    """

    name: str
    subject: Thing
    item: Thing
    path: str
    cursor: str
    bare: bool = True
    always_bare: bool = False
    inside: str = ""


KINDS: dict[str, SimList] = {
    kind.name: kind
    for kind in (
        SimList("track_likers", "track", "user", "tracks/favoriters", "micros"),
        SimList("track_reposters", "track", "user", "tracks/reposters", "millis", bare=False),
        SimList("track_comments", "track", "comment", "tracks/comments", "offset"),
        SimList("track_related", "track", "track", "tracks/related", "offset"),
        SimList("user_likes", "user", "track", "users/likes/tracks", "user-track-likes"),
        SimList("user_reposts", "user", "track", "users/reposts/tracks", "user-track-reposts"),
        SimList("user_tracks", "user", "track", "users/tracks", "tracks"),
        SimList("user_playlists", "user", "playlist", "users/playlists", "playlists"),
        SimList("user_playlist_likes", "user", "playlist", "users/likes/playlists", "user-playlist-likes"),
        SimList("user_playlist_reposts", "user", "playlist", "users/reposts/playlists", "user-playlist-reposts"),
        SimList("user_station_likes", "user", "station", "users/likes/system-playlists", "user-system-playlist-likes"),
        SimList("user_links", "user", "link", "users/web-profiles", "offset", always_bare=True),
        SimList("user_followers", "user", "user", "users/followers", "millis", bare=False),
        SimList("user_followings", "user", "user", "users/followings", "millis", bare=False),
        SimList("playlist_tracks", "playlist", "track", "playlists/tracks", "offset"),
        SimList("playlist_reposters", "playlist", "user", "playlists/reposters", "millis", bare=False),
        SimList("station_tracks", "station", "track", "stations", "offset", inside="tracks"),
    )
}

BY_PATH = {kind.path: kind for kind in KINDS.values()} | {"users/favorites": KINDS["user_likes"]}
