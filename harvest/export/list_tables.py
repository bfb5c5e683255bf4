"""The tables that other lists than those of likes and reposts fill: who stands in them, where, and how each list ended.

One declaration each: the table, whose ends they are, what else leaves. Ranks and outcomes follow from `lists.py`. Under
pseudonyms every id of a person or a thing is one, places in public lists of people stay behind, and so does whatever
could be looked up. What people wrote leaves only when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from harvest.export import tables
from harvest.export.changes import changes
from harvest.export.choices import PLAYERS
from harvest.export.selection import Selection
from harvest.export.selection_sql import SHARED
from harvest.export.tables import Column, Table
from harvest.lists import KINDS, ListKind


@dataclass(frozen=True, slots=True)
class End:
    """An id in a row: what it is called outside, its column, whose it is. A `loose` one may be missing."""

    name: str
    column: str
    thing: str
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """Something else of a row. `shared` is what leaves of it under pseudonyms, None: nothing. `words` people wrote."""

    column: Column
    sql: str
    shared: str | None = None
    words: bool = False


@dataclass(frozen=True, slots=True)
class ListTable:
    """A table that leaves. Its rows are found along the first of its `ends`; `where` says which of them count. Where
    these are the rows of some kinds of lists alone, `of` is the type that such rows have.
    """

    name: str
    table: str
    ends: tuple[End, ...]
    values: tuple[Value, ...] = ()
    where: str = "1"
    of: str = ""

    @property
    def kinds(self) -> list[ListKind]:
        """The kinds of lists that fill it, those of one rank together."""
        edges = [(kind, kind.edge) for kind in KINDS.values() if kind.edge and kind.edge.table == self.table]
        found = [(edge.rank, kind) for kind, edge in edges if not self.of or edge.engagement_type == self.of]
        return [kind for _, kind in sorted(found, key=lambda one: one[0])]


def _count(name: str) -> Value:
    return Value(Column(name, "int64"), f"e.{name}", f"about(e.{name})")


def _common(name: str) -> Value:
    """Give a word that leaves under pseudonyms where many share it."""
    return Value(Column(name, "text"), f"e.{name}", SHARED.format(what=name, sql=f"e.{name}"))


def _text(name: str, *, words: bool = False) -> Value:
    return Value(Column(name, "text"), f"e.{name}", words=words)


_CREATED = Value(Column("created_at", "time"), "e.created_at", "substr(e.created_at, 1, 7) || '-01T00:00:00Z'")
_KIND = Value(Column("kind", "kind"), "e.engagement_type", "e.engagement_type")
_USER, _ITEM = End("user_id", "user_id", "user"), End("item_id", "track_id", "track")
_PLAYLIST, _STATION = End("playlist_id", "playlist_id", "playlist"), End("station_id", "station_id", "station")

# Of what has vanished: between which readings it stood, and why it went.
_PAST = tuple(
    Value(Column(name, kind), sql, sql)
    for name, kind, sql in (
        ("seen_from", "time", "(SELECT p.fetched_at FROM pages AS p WHERE p.id = e.first_page_id)"),
        ("gone_by", "time", "(SELECT p.fetched_at FROM pages AS p WHERE p.id = e.gone_page_id)"),
        ("reason", "text", "e.reason"),
    )
)
_FOLLOW = End("source_id", "follower_id", "user"), End("target_id", "followee_id", "user")
_COMMENT = (
    _CREATED,
    Value(Column("timestamp_ms", "int64"), "e.timestamp_ms", "(e.timestamp_ms + 5000) / 10000 * 10000"),
    _text("body", words=True),
)
_LINK = (
    _common("service"),
    *(_text(name, words=True) for name in ("url", "title", "username")),
)

# The type is a part of the URN, and of an unusual one that may be the whole name.
_USUAL_TYPE = "iif(e.station_type IN ('track-stations', 'artist-stations'), e.station_type, NULL)"
_SEARCH = End("search_id", "search_id", "search")


def _found(end: End) -> ListTable:
    """Give what searches for one kind of thing have found."""
    ends = _SEARCH, End(end.name, "thing_id", end.thing)
    return ListTable(f"found_{end.thing}s", "search_results", ends, where=f"e.thing = '{end.thing}'", of=end.thing)


LIST_TABLES = (
    ListTable("follows", "user_follows", _FOLLOW),
    ListTable(
        "uploads",
        "tracks",
        (End("user_id", "uploader_id", "user"), End("item_id", "id", "track")),
        where="e.uploader_list_rank IS NOT NULL",
    ),
    ListTable(
        "comments",
        "comments",
        (_ITEM, End("user_id", "user_id", "user", loose=True)),
        _COMMENT,
    ),
    ListTable("plays", "plays", (_USER, _ITEM)),
    ListTable("web_profiles", "web_profiles", (_USER,), _LINK),
    ListTable(
        "playlists",
        "playlists",
        (End("playlist_id", "id", "playlist"), End("owner_id", "owner_id", "user", loose=True)),
        (
            _text("title"),
            _common("playlist_type"),
            _count("track_count"),
            _count("likes_count"),
            _CREATED,
            _text("permalink_url"),
        ),
    ),
    ListTable("playlist_items", "playlist_tracks", (_PLAYLIST, _ITEM)),
    ListTable("playlist_engagements", "playlist_engagements", (_USER, _PLAYLIST), (_KIND,)),
    ListTable(
        "stations",
        "stations",
        (End("station_id", "id", "station"),),
        (
            _text("urn"),
            Value(Column("station_type", "text"), "e.station_type", _USUAL_TYPE),
            _text("title"),
            _count("track_count"),
            _count("likes_count"),
            _text("permalink_url"),
        ),
    ),
    ListTable("station_items", "station_tracks", (_STATION, _ITEM)),
    ListTable("station_likes", "station_likes", (_USER, _STATION)),
    ListTable(
        "searches",
        "searches",
        (End("search_id", "id", "search"),),
        (Value(Column("what", "text"), "e.what", "e.what"), _text("words"), _text("filters")),
    ),
    *map(_found, (_ITEM, _USER, _PLAYLIST)),
    ListTable("past_interactions", "past_engagements", (_USER, _ITEM), (_KIND, *_PAST)),
    ListTable("past_follows", "past_follows", _FOLLOW, _PAST),
    ListTable("past_playlist_items", "past_playlist_tracks", (_PLAYLIST, _ITEM), _PAST),
    ListTable("past_playlist_engagements", "past_playlist_engagements", (_USER, _PLAYLIST), (_KIND, *_PAST)),
    ListTable("past_station_likes", "past_station_likes", (_USER, _STATION), _PAST),
    ListTable(
        "past_comments",
        "past_comments",
        (_ITEM, End("user_id", "user_id", "user", loose=True)),
        (*_COMMENT, *_PAST),
    ),
    ListTable("past_web_profiles", "past_web_profiles", (_USER,), (*_LINK, *_PAST)),
)

# Whose ids leave under which, and where the ends of all lists are gathered.
_LEFT = {"user": "people", "track": "things", "playlist": "collections", "station": "channels", "search": "inquiries"}


def widen(selection: Selection) -> None:
    """Take along users and tracks that only other lists name: all of them where there is no filter."""
    run = selection.connection.execute
    choices = selection.choices
    only = {"follows"} if choices.graph == "follows" else {"playlist_items"} if choices.format in PLAYERS else None
    for one in LIST_TABLES:
        for end in one.ends if only is None or one.name in only else ():
            if end.thing in ("user", "track"):
                columns, values = ("id, n, whole", "0, 0") if end.thing == "user" else ("id, n", "0")
                run(
                    f"INSERT OR IGNORE INTO {_LEFT[end.thing]} ({columns}) SELECT DISTINCT e.{end.column}, {values}"  # noqa: S608 - our own words
                    f" FROM {one.table} AS e WHERE e.{end.column} IS NOT NULL AND {one.where}"
                )
    run(
        "UPDATE people SET whole = 1 WHERE n = 0 AND id IN"
        " (SELECT subject_id FROM tasks WHERE kind = 'user_likes' AND outcome = 'complete')"
    )


def list_tables(selection: Selection) -> Iterator[Table]:
    """Give all of them, as the choices have them."""
    exact, texts = selection.choices.ids != "pseudonym", selection.choices.texts
    for one in LIST_TABLES:
        columns = {Column(end.name, "int64"): f"x{place}.out" for place, end in enumerate(one.ends)}
        for value in one.values:
            sql = value.sql if exact else value.shared
            if sql is not None and (texts or not value.words):
                columns[value.column] = sql
        columns |= _chances(one) | _places(one, exact=exact)
        yield Table(one.name, tuple(columns), f"SELECT {', '.join(columns.values())} {_rows(one, exact=exact)}")


def all_tables(selection: Selection) -> list[Table]:
    """Give every table that is written where all are: the graph, then what else there are rows of."""
    graph = [tables.interactions(selection), tables.items(selection), tables.users(selection), *tables.maps(selection)]
    more, stream = list(tables.extras(selection)), changes(selection)
    if tables.has_rows(selection, stream):
        more.append(stream)
    if not selection.choices.lists:
        return [*graph, *more]
    lists = [table for table in list_tables(selection) if tables.has_rows(selection, table)]
    named = {one.name for one in LIST_TABLES}
    return [*graph, *lists, *(table for table in more if table.name not in named)]


def words_left_out(selection: Selection) -> list[str]:
    """Say what people wrote that stays behind, as far as there is any."""
    words = {one.name: [value.column.name for value in one.values if value.words] for one in LIST_TABLES}
    return [
        f"left out of {table.name}: {', '.join(words[table.name])}, which people wrote; --texts takes it along"
        for table in list_tables(selection)
        if words[table.name] and not selection.choices.texts and tables.has_rows(selection, table)
    ]


def _chances(one: ListTable) -> dict[Column, str]:
    """Give with which chance people at the ends of a row were to be chosen."""
    names = {"user_id": "chance", "source_id": "source_chance", "target_id": "target_chance"}
    return {
        Column(names[end.name], "float64"): tables.chance_of(f"x{place}.id")
        for place, end in enumerate(one.ends)
        if end.name in names
    }


def _places(one: ListTable, *, exact: bool) -> dict[Column, str]:
    """Give the rank in each list that fills the table, and how that list ended."""
    found: dict[Column, str] = {}
    for rank, some in groupby(one.kinds, key=lambda kind: kind.edge.rank if kind.edge else ""):
        kinds = list(some)
        public = any(kind.item in ("user", "comment") for kind in kinds)
        found[Column(rank, "int32")] = f"e.{rank}" if exact or not public else "NULL"
        name = "list" if rank in ("position", "rank") else rank.removesuffix("_rank")
        found[Column(name, "text")] = _outcome(kinds)
    return found


def _outcome(kinds: list[ListKind]) -> str:
    """Say how the list of a row ended; lists of several kinds are told apart by what the row is."""
    stands = {kind: _stands(kind) for kind in kinds}
    if len(kinds) == 1:
        return stands[kinds[0]]
    cases = " ".join(f"WHEN '{kind.edge.engagement_type}' THEN {sql}" for kind, sql in stands.items() if kind.edge)
    return f"CASE e.engagement_type {cases} END"


def _stands(kind: ListKind) -> str:
    assert kind.edge is not None
    return (
        "coalesce((SELECT coalesce(l.outcome, r.state) FROM tasks AS l"  # noqa: S608 - our own declarations
        " JOIN readings AS r ON r.task_id = l.id AND r.number = l.reading"
        f" WHERE l.kind = '{kind.name}' AND l.subject_id = e.{kind.edge.subject}), 'not asked')"
    )


def _rows(one: ListTable, *, exact: bool) -> str:
    """Write where the rows come from, and in which order."""
    first, *others = one.ends
    joins = [f"FROM {_LEFT[first.thing]} AS x0 CROSS JOIN {one.table} AS e ON e.{first.column} = x0.id"]
    for place, end in enumerate(others, 1):
        left = "accounts" if end.loose else _LEFT[end.thing]
        joins.append(f"{'LEFT ' * end.loose}JOIN {left} AS x{place} ON x{place}.id = e.{end.column}")
    ends = [f"x{place}.out" if not exact or end.loose else f"x{place}.id" for place, end in enumerate(one.ends)]
    ranks = [f"e.{kind.edge.rank}" for kind in one.kinds if kind.edge]
    order = [ends[0], *ranks] if "e.position" in ranks else [*ends, *ranks]
    return f"{' '.join(joins)} WHERE {one.where} ORDER BY {', '.join(dict.fromkeys(order))}"
