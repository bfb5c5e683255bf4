"""Every kind of list SoundCloud has, one declaration each: path, item, edge, claimed count.

To add a list, add a declaration. Requests, parsing, storing and the ledger read this table; none of them
asks for a kind by name. Paths and parameters: official OpenAPI description of 2026-07-19.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harvest.errors import PluginError
from harvest.own_lists import OwnList, offered

STORED = {"user_engagements": "engagements"}  # views that are read like tables, with the table that holds their rows


@dataclass(frozen=True, slots=True)
class Edge:
    """The row an item makes with the subject of its list.

    `rank` is the column that holds the item's place in this list. `on_item` edges live in the item's own row
    (a track knows its uploader). `repeats` is true where the place itself is the key, so that one item may
    stand in the list twice (a playlist may hold a track twice). `leads` is the column with what the edge leads to,
    where that is not its item (a comment leads to its author). `type_column` holds the `engagement_type`: in a table of
    methods the rows of this list are those of one method, and its derivation says so. `past` is the table into which
    a row moves that has vanished.

    `table` is what is read, and may be a view; `stored` is the table that its rows are written into.
    """

    table: str
    subject: str
    item: str
    rank: str
    engagement_type: str | None = None
    on_item: bool = False
    repeats: bool = False
    leads: str = ""
    type_column: str = "engagement_type"
    past: str = ""

    @property
    def stored(self) -> str:
        """The table that holds the rows."""
        return STORED.get(self.table, self.table)

    @property
    def type_stored(self) -> tuple[str, str]:
        """The column that holds the type in the stored table, and the SQL of its value; '' where there is none."""
        if not self.engagement_type:
            return "", ""
        if self.table in STORED:
            return "is_repost", str(int(self.engagement_type == "repost"))
        return self.type_column, f"'{self.engagement_type}'"

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell one edge of its table from another, and whose list it stands in."""
        of_type = (self.type_column,) if self.engagement_type else ()
        return (self.subject, self.item, *of_type, *((self.rank,) if self.repeats else ()))

    @property
    def leads_to(self) -> str:
        """The kind of thing that `leads` names."""
        return self.leads.removesuffix("_id")


@dataclass(frozen=True, slots=True)
class ListKind:
    """What there is to know about one kind of list.

    `option` is what options call it (`--read likes`). `path` is filled with the subject's URN. `claimed` is the
    column, in the table of the subject, that says how long the list should be; `cap` is how many edges are kept of it
    unless the harvest says otherwise. `by_access` lists hide blocked tracks unless asked not to. `by_offset` lists may
    offer a next page for ever, so their first empty page ends them (soundcloud/api issue 505). `own` lists the service
    shows of the person who is signed in, and of no other. A list with `inside` has no address of its own: it stands
    whole, under that name, in the reply about its subject. A `whole` list has one page, asked for as large as can be. A
    `computed` list the service makes up: what it leaves out has gone nowhere. What stands in a list with `own_rows` its
    plug-in reads.
    """

    name: str
    option: str
    subject: str
    item: str
    path: str
    edge: Edge | None = None
    claimed: str | None = None
    by_access: bool = False
    by_offset: bool = False
    inside: str = ""
    whole: bool = False
    parameters: tuple[tuple[str, str], ...] = ()
    own: bool = False
    computed: bool = False
    cap: int = 1
    title: str = ""
    own_rows: OwnList | None = None

    @property
    def searches(self) -> bool:
        """Whether it lists what a search finds; the parameters are those of the search."""
        return self.subject.startswith("search_for_")

    @property
    def edge_of_its_own(self) -> bool:
        """Whether its entries are anything but likes and reposts of tracks, which two kinds of lists tell of."""
        return self.edge is not None and self.edge.table != "user_engagements"

    @property
    def witness(self) -> tuple[str, str] | None:
        """What is looked up to learn why an item has vanished: a kind of thing, and the column that names it."""
        if self.edge is None or self.computed or self.own or self.own_rows:
            return None
        if self.edge.leads:
            return self.edge.leads_to, self.edge.leads
        return (self.item, self.edge.item) if self.item in ("track", "user", "playlist", "station") else None

    @property
    def other_side(self) -> ListKind | None:
        """The kind of list of the other side in which the same edges stand, None where there is none."""
        rows = [
            (kind, (kind.edge.table, kind.edge.engagement_type))
            for kind in KINDS.values()
            if kind.edge and kind is not self
        ]
        mine = (self.edge.table, self.edge.engagement_type) if self.edge else None
        return next((kind for kind, theirs in rows if theirs == mine), None)

    @property
    def rank_at_other(self) -> str:
        """The column with an edge's place in the list of the other side; '' where there is none."""
        other = self.other_side
        return other.edge.rank if other is not None and other.edge is not None else ""

    @property
    def looks_up(self) -> bool:
        """Whether it asks what something is, and not what it lists."""
        return self.subject in ("seed", "batch")


def _like(subject: str, item: str, rank: str) -> Edge:
    return Edge("user_engagements", subject, item, rank, "like", past="past_engagements")


def _repost(subject: str, item: str, rank: str) -> Edge:
    return Edge("user_engagements", subject, item, rank, "repost", past="past_engagements")


def _found(thing: str) -> Edge:
    return Edge("search_results", "search_id", "thing_id", "rank", thing, type_column="thing")


RESOLVE = ListKind(
    "resolve",
    option="",
    subject="seed",
    item="thing",  # whatever the address leads to
    path="/resolve",
    title="the seed",
)
LOOKUP = ListKind(
    "lookup",
    option="",
    subject="batch",
    item="thing",
    path="",  # that of the things: /tracks?urns=..., or of a single one
    title="things looked up by URN",
)


def not_loaded(names: Sequence[str]) -> PluginError:
    """Say which plug-ins are missing, by the lists that a file has of them."""
    plugins = list(dict.fromkeys(map(plugin_of, names)))
    which = f"the plug-in {plugins[0]}" if len(plugins) == 1 else f"plug-ins: {', '.join(plugins)}"
    return PluginError(
        f"The file has lists of {which} ({', '.join(_option(*name.split('_', 2)[1:]) for name in names)}),"
        f" which {'is' if len(plugins) == 1 else 'are'} not loaded: install {'it' if len(plugins) == 1 else 'them'}, or"
        " leave out HARVEST_PLUGINS=0, then try again."
    )


class _Kinds(dict[str, ListKind]):
    """Kinds of lists by name. A plug-in's that is not there is asked for by files which it has written: a stand-in
    answers, as far as such a file says what the list is.
    """

    def __missing__(self, name: str) -> ListKind:
        if name in STAND_INS:
            return STAND_INS[name]
        if name.startswith("plugin_"):
            raise not_loaded([name])
        raise KeyError(name)


OUR_KINDS: dict[str, ListKind] = {
    kind.name: kind
    for kind in (
        RESOLVE,
        LOOKUP,
        ListKind(
            "track_likers",
            option="likers",
            cap=20_000,
            subject="track",
            item="user",
            path="/tracks/{urn}/favoriters",
            edge=_like("track_id", "user_id", "track_list_rank"),
            claimed="likes_count",
            title="who liked the track",
        ),
        ListKind(
            "track_reposters",
            option="reposters",
            cap=20_000,
            subject="track",
            item="user",
            path="/tracks/{urn}/reposters",
            edge=_repost("track_id", "user_id", "track_list_rank"),
            claimed="reposts_count",
            title="who reposted the track",
        ),
        ListKind(
            "track_comments",
            option="comments",
            cap=1_000,
            subject="track",
            item="comment",
            path="/tracks/{urn}/comments",
            edge=Edge(
                "comments", "track_id", "id", "track_list_rank", on_item=True, leads="user_id", past="past_comments"
            ),
            claimed="comment_count",
            by_offset=True,
            title="comments on the track",
        ),
        ListKind(
            "track_related",
            option="related",
            cap=50,
            subject="track",
            item="track",
            path="/tracks/{urn}/related",
            edge=Edge("related_tracks", "track_id", "related_track_id", "rank", "soundcloud", type_column="method"),
            computed=True,
            by_access=True,
            by_offset=True,
            title="tracks SoundCloud relates to it",
        ),
        ListKind(
            "user_likes",
            option="likes",
            cap=500,
            subject="user",
            item="track",
            path="/users/{urn}/likes/tracks",
            edge=_like("user_id", "track_id", "user_list_rank"),
            claimed="likes_given_count",
            by_access=True,
            title="tracks the user likes",
        ),
        ListKind(
            "user_reposts",
            option="reposts",
            cap=500,
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
            option="uploads",
            cap=1_000,
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
            option="playlists",
            cap=200,
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
            option="liked-playlists",
            cap=200,
            subject="user",
            item="playlist",
            path="/users/{urn}/likes/playlists",
            edge=Edge(
                "playlist_engagements",
                "user_id",
                "playlist_id",
                "user_list_rank",
                "like",
                past="past_playlist_engagements",
            ),
            title="playlists the user likes",
        ),
        ListKind(
            "user_playlist_reposts",
            option="reposted-playlists",
            cap=200,
            subject="user",
            item="playlist",
            path="/users/{urn}/reposts/playlists",
            edge=Edge(
                "playlist_engagements",
                "user_id",
                "playlist_id",
                "user_list_rank",
                "repost",
                past="past_playlist_engagements",
            ),
            title="playlists the user reposted",
        ),
        ListKind(
            "user_station_likes",
            option="liked-stations",
            cap=200,
            subject="user",
            item="station",
            path="/users/{urn}/likes/system-playlists",
            edge=Edge("station_likes", "user_id", "station_id", "user_list_rank", past="past_station_likes"),
            title="stations the user likes",
        ),
        ListKind(
            "user_followers",
            option="followers",
            cap=5_000,
            subject="user",
            item="user",
            path="/users/{urn}/followers",
            edge=Edge("user_follows", "followee_id", "follower_id", "followers_list_rank", past="past_follows"),
            claimed="followers_count",
            title="who follows the user",
        ),
        ListKind(
            "user_followings",
            option="followings",
            cap=2_000,
            subject="user",
            item="user",
            path="/users/{urn}/followings",
            edge=Edge("user_follows", "follower_id", "followee_id", "followings_list_rank", past="past_follows"),
            claimed="followings_count",
            title="who the user follows",
        ),
        ListKind(
            "user_links",
            option="links",
            cap=200,
            subject="user",
            item="link",
            path="/users/{urn}/web-profiles",
            edge=Edge("web_profiles", "user_id", "id", "user_list_rank", on_item=True, past="past_web_profiles"),
            whole=True,
            title="links on the user's page",
        ),
        ListKind(
            "recently_played",
            option="recently-played",
            cap=25,
            subject="user",
            item="track",
            path="/me/recently-played/tracks",
            edge=Edge("plays", "user_id", "track_id", "user_list_rank"),
            by_access=True,
            whole=True,
            own=True,
            title="tracks the user played last",
        ),
        ListKind(
            "playlist_tracks",
            option="playlist-tracks",
            cap=500,
            subject="playlist",
            item="track",
            path="/playlists/{urn}/tracks",
            edge=Edge(
                "playlist_tracks", "playlist_id", "track_id", "position", repeats=True, past="past_playlist_tracks"
            ),
            claimed="track_count",
            by_access=True,
            by_offset=True,
            title="tracks in the playlist",
        ),
        ListKind(
            "playlist_reposters",
            option="playlist-reposters",
            cap=20_000,
            subject="playlist",
            item="user",
            path="/playlists/{urn}/reposters",
            edge=Edge(
                "playlist_engagements",
                "playlist_id",
                "user_id",
                "playlist_list_rank",
                "repost",
                past="past_playlist_engagements",
            ),
            title="who reposted the playlist",
        ),
        ListKind(
            "station_tracks",
            option="station-tracks",
            cap=100,
            subject="station",
            item="track",
            path="/system-playlists/{urn}",
            edge=Edge("station_tracks", "station_id", "track_id", "position", repeats=True),
            computed=True,
            claimed="track_count",
            by_access=True,
            inside="tracks",
            title="tracks of the station",
        ),
        ListKind(
            "found_tracks",
            option="found-tracks",
            cap=200,
            subject="search_for_tracks",
            item="track",
            path="/tracks",
            edge=_found("track"),
            computed=True,
            by_access=True,
            by_offset=True,
            title="tracks that the search found",
        ),
        ListKind(
            "found_users",
            option="found-users",
            cap=200,
            subject="search_for_users",
            item="user",
            path="/users",
            edge=_found("user"),
            computed=True,
            by_offset=True,
            title="people that the search found",
        ),
        ListKind(
            "found_playlists",
            option="found-playlists",
            cap=200,
            subject="search_for_playlists",
            item="playlist",
            path="/playlists",
            edge=_found("playlist"),
            computed=True,
            by_access=True,
            by_offset=True,
            parameters=(("show_tracks", "false"),),
            title="playlists that the search found",
        ),
    )
}


def _option(plugin: str, name: str) -> str:
    return f"{plugin}-{name.replace('_', '-')}"


def _kind_of(plugin: str, own: OwnList) -> ListKind:
    """Give a plug-in's list as one of ours: its table, of the same name, has a row for each entry."""
    table = f"plugin_{plugin}_{own.name}"
    return ListKind(
        table,
        option=_option(plugin, own.name),
        subject=own.subject,
        item=table,
        path=own.path,
        edge=Edge(table, own.subject_id, "id", "rank", on_item=True, leads=own.names),
        by_offset=own.by_offset,
        cap=own.cap,
        title=own.title,
        own_rows=own,
    )


# Ours, then those of plug-ins, all as they are offered: what reads a table of lists reads them alike.
KINDS: dict[str, ListKind] = _Kinds(
    (kind.name, kind)
    for plugin, one in offered(OUR_KINDS.values())
    for kind in (one if isinstance(one, ListKind) else _kind_of(plugin, one),)
)
BY_NAME = {kind.option: kind for kind in KINDS.values() if kind.option}

# Lists of plug-ins that are not loaded, as the files that were read describe them. They stand among no others: whatever
# reads a list can look one up, and what crawls, writes or forgets meets none.
STAND_INS: dict[str, ListKind] = {}


def stand_in(name: str, subject: str, cap: int) -> ListKind:
    """Give a list of a plug-in that is not loaded: how to ask for it, and how to read an entry, is unknown."""
    option = _option(*name.split("_", 2)[1:])
    edge = Edge(name, f"{subject}_id", "id", "rank", on_item=True)
    title = f"{option}, a list of a plug-in"
    return ListKind(name, option=option, subject=subject, item=name, path="", edge=edge, cap=cap, title=title)


def plugin_of(name: str) -> str:
    """Give the name of the plug-in that a list is of."""
    return name.split("_")[1]


def every_kind() -> list[ListKind]:
    """Give all kinds of lists that can be looked up: ours, those of plug-ins, stand-ins."""
    return [*KINDS.values(), *STAND_INS.values()]
