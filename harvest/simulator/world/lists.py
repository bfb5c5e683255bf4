"""Every kind of list of the made-up SoundCloud: what it lists and how its pages are addressed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Thing = Literal["user", "track", "playlist", "comment"]


@dataclass(frozen=True, slots=True)
class ListKind:
    """One kind of list.

    `path` is the collection name and what stands behind the subject's URN. `cursor` is the form of the place
    in the list (see `cursors.py`). `bare` lists come as a plain array unless linked_partitioning is sent.
    """

    name: str
    subject: Thing
    item: Thing
    path: str
    cursor: str
    bare: bool = True


KINDS: dict[str, ListKind] = {
    kind.name: kind
    for kind in (
        ListKind("track_likers", "track", "user", "tracks/favoriters", "micros"),
        ListKind("track_reposters", "track", "user", "tracks/reposters", "millis", bare=False),
        ListKind("track_comments", "track", "comment", "tracks/comments", "offset"),
        ListKind("user_likes", "user", "track", "users/likes/tracks", "user-track-likes"),
        ListKind("user_reposts", "user", "track", "users/reposts/tracks", "user-track-reposts"),
        ListKind("user_tracks", "user", "track", "users/tracks", "tracks"),
        ListKind("user_playlists", "user", "playlist", "users/playlists", "playlists"),
        ListKind("user_playlist_likes", "user", "playlist", "users/likes/playlists", "user-playlist-likes"),
        ListKind("user_playlist_reposts", "user", "playlist", "users/reposts/playlists", "user-playlist-reposts"),
        ListKind("user_followers", "user", "user", "users/followers", "millis", bare=False),
        ListKind("user_followings", "user", "user", "users/followings", "millis", bare=False),
        ListKind("playlist_tracks", "playlist", "track", "playlists/tracks", "offset"),
        ListKind("playlist_reposters", "playlist", "user", "playlists/reposters", "millis", bare=False),
    )
}

BY_PATH = {kind.path: kind for kind in KINDS.values()} | {"users/favorites": KINDS["user_likes"]}
