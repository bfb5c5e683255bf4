"""Every kind of list SoundCloud has, one declaration each: path, item, edge, claimed count.

To add a list, add a declaration. Requests, parsing, storing and the ledger read this table; none of them
asks for a kind by name. Paths and parameters: official OpenAPI description of 2026-07-19.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Subject = Literal["harvest", "track", "user", "playlist"]
Item = Literal["track", "user", "playlist", "comment"]


@dataclass(frozen=True, slots=True)
class Edge:
    """The row an item makes with the subject of its list.

    `rank` is the column that holds the item's place in this list. `on_item` edges live in the item's own row
    (a track knows its uploader). `repeats` is true where the place itself is the key, so that one item may
    stand in the list twice (a playlist may hold a track twice).
    """

    table: str
    subject: str
    item: str
    rank: str
    engagement_type: str | None = None
    on_item: bool = False
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class ListKind:
    """What there is to know about one kind of list.

    `path` is filled with the subject's URN. `claimed` is the column, in the table of the subject, that says
    how long the list should be; `cap` names the limit (`models.Limits`) that bounds what is kept of it.
    `by_access` lists hide blocked tracks unless asked not to. `by_offset` lists may offer a next page for ever,
    so their first empty page ends them (soundcloud/api issue 505).

    `births` are the lists wanted of each item; where people are chosen, those of the `chosen_after` list (of the
    same subject) come first, and an item that stands in both counts once.
    """

    name: str
    subject: Subject
    item: Item
    path: str
    edge: Edge | None = None
    claimed: str | None = None
    by_access: bool = False
    by_offset: bool = False
    parameters: tuple[tuple[str, str], ...] = ()
    cap: str | None = None
    births: tuple[str, ...] = ()
    chosen_after: str | None = None
    title: str = ""


def _like(subject: str, item: str, rank: str) -> Edge:
    return Edge("user_engagements", subject, item, rank, "like")


def _repost(subject: str, item: str, rank: str) -> Edge:
    return Edge("user_engagements", subject, item, rank, "repost")


RESOLVE = ListKind(
    "resolve",
    subject="harvest",
    item="track",
    path="/resolve",
    births=("track_likers", "track_reposters"),
    title="the seed",
)

KINDS: dict[str, ListKind] = {
    kind.name: kind
    for kind in (
        RESOLVE,
        ListKind(
            "track_likers",
            subject="track",
            item="user",
            path="/tracks/{urn}/favoriters",
            edge=_like("track_id", "user_id", "track_list_rank"),
            claimed="likes_count",
            cap="max_listed",
            births=("user_likes",),
            title="who liked the track",
        ),
        ListKind(
            "track_reposters",
            subject="track",
            item="user",
            path="/tracks/{urn}/reposters",
            edge=_repost("track_id", "user_id", "track_list_rank"),
            claimed="reposts_count",
            cap="max_listed",
            births=("user_likes",),
            chosen_after="track_likers",
            title="who reposted the track",
        ),
        ListKind(
            "track_comments",
            subject="track",
            item="comment",
            path="/tracks/{urn}/comments",
            edge=Edge("comments", "track_id", "id", "track_list_rank", on_item=True),
            claimed="comment_count",
            by_offset=True,
            title="comments on the track",
        ),
        ListKind(
            "user_likes",
            subject="user",
            item="track",
            path="/users/{urn}/likes/tracks",
            edge=_like("user_id", "track_id", "user_list_rank"),
            claimed="likes_given_count",
            cap="max_user_likes",
            by_access=True,
            title="tracks the user likes",
        ),
        ListKind(
            "user_reposts",
            subject="user",
            item="track",
            path="/users/{urn}/reposts/tracks",
            edge=_repost("user_id", "track_id", "user_list_rank"),
            claimed="reposts_given_count",
            by_access=True,
            title="tracks the user reposted",
        ),
        ListKind(
            "user_tracks",
            subject="user",
            item="track",
            path="/users/{urn}/tracks",
            edge=Edge("tracks", "uploader_id", "id", "uploader_list_rank", on_item=True),
            claimed="track_count",
            by_access=True,
            title="tracks the user uploaded",
        ),
        ListKind(
            "user_playlists",
            subject="user",
            item="playlist",
            path="/users/{urn}/playlists",
            edge=Edge("playlists", "owner_id", "id", "owner_list_rank", on_item=True),
            claimed="playlist_count",
            parameters=(("show_tracks", "false"),),
            title="playlists the user made",
        ),
        ListKind(
            "user_playlist_likes",
            subject="user",
            item="playlist",
            path="/users/{urn}/likes/playlists",
            edge=Edge("playlist_engagements", "user_id", "playlist_id", "user_list_rank", "like"),
            title="playlists the user likes",
        ),
        ListKind(
            "user_playlist_reposts",
            subject="user",
            item="playlist",
            path="/users/{urn}/reposts/playlists",
            edge=Edge("playlist_engagements", "user_id", "playlist_id", "user_list_rank", "repost"),
            title="playlists the user reposted",
        ),
        ListKind(
            "user_followers",
            subject="user",
            item="user",
            path="/users/{urn}/followers",
            edge=Edge("user_follows", "followee_id", "follower_id", "followers_list_rank"),
            claimed="followers_count",
            title="who follows the user",
        ),
        ListKind(
            "user_followings",
            subject="user",
            item="user",
            path="/users/{urn}/followings",
            edge=Edge("user_follows", "follower_id", "followee_id", "followings_list_rank"),
            claimed="followings_count",
            title="whom the user follows",
        ),
        ListKind(
            "playlist_tracks",
            subject="playlist",
            item="track",
            path="/playlists/{urn}/tracks",
            edge=Edge("playlist_tracks", "playlist_id", "track_id", "position", repeats=True),
            claimed="track_count",
            by_access=True,
            by_offset=True,
            title="tracks in the playlist",
        ),
        ListKind(
            "playlist_reposters",
            subject="playlist",
            item="user",
            path="/playlists/{urn}/reposters",
            edge=Edge("playlist_engagements", "playlist_id", "user_id", "playlist_list_rank", "repost"),
            title="who reposted the playlist",
        ),
    )
}

# Reading a found track deeper means reading the lists that a seed gives birth to.
SPILL = RESOLVE.births


def chosen_with(kind: ListKind) -> tuple[ListKind, ...]:
    """List the kinds whose people are chosen together with those of this one, in the order in which they count."""
    first = KINDS[kind.chosen_after] if kind.chosen_after else kind
    return (first, *chosen_next(first))


def chosen_next(kind: ListKind) -> tuple[ListKind, ...]:
    """List the kinds whose people are chosen only once this list has ended."""
    return tuple(other for other in KINDS.values() if other.chosen_after == kind.name)
