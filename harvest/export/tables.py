"""What can leave: each table's name, columns with their types, and query. An export is made of these.

Rows come in the order of their first columns, read along keys: nothing is sorted, but under pseudonyms, where the order
of the real ids would tell something, and there one user at a time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harvest.export.choices import ExportChoices
from harvest.export.selection import Selection
from harvest.export.selection_sql import PAIR, SHARED
from harvest.store.judgments import verdict_of

ROWS_AT_ONCE = 50_000  # in memory, as Python objects

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `type` is one of int64, int32, int16, float32, float64, bool, text, kind, list, time, day."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Table:
    """A query and the columns it gives. `split`: one more column, last, is 1 for what goes to test."""

    name: str
    columns: tuple[Column, ...]
    sql: str
    expected: int | None = None  # rows, for the progress shown
    split: bool = False

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    @property
    def types(self) -> tuple[str, ...]:
        """The types of the columns."""
        return tuple(column.type for column in self.columns)

    def parameters(self, selection: Selection) -> dict[str, int]:
        """Give the values that the query takes."""
        wanted = {**selection.parameters, "both": selection.choices.likes and selection.choices.reposts}
        return {name: value for name, value in wanted.items() if f":{name}" in self.sql}

    def batches(self, selection: Selection) -> Iterator[list[Row]]:
        """Give the rows in lists of bounded length."""
        cursor = selection.connection.execute(self.sql, self.parameters(selection))
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield rows


# How the list ended that an interaction would stand in: the user's own of its kind.
OUTCOME_OF_REPOSTS = "(SELECT r.outcome FROM tasks AS r WHERE r.kind = 'user_reposts' AND r.subject_id = p.id)"
_OUTCOME = f"CASE e.engagement_type WHEN 'like' THEN w.outcome ELSE {OUTCOME_OF_REPOSTS} END"
WANTED_KINDS = "((:likes AND e.engagement_type = 'like') OR (:reposts AND e.engagement_type = 'repost'))"

# How the list of likes of `p` stands, with `l` its task, if there is one.
LIKES_LIST = """coalesce(
    l.outcome, (SELECT r.state FROM readings AS r WHERE r.task_id = l.id AND r.number = l.reading), 'not asked'
)"""

_INTERACTION = (
    Column("user_id", "int64"),
    Column("item_id", "int64"),
    Column("kind", "kind"),
    Column("weight", "float32"),
    Column("user_list_rank", "int32"),
    Column("track_list_rank", "int32"),
    Column("chance", "float64"),
    Column("list_outcome", "kind"),
    Column("censored", "bool"),
)
_PAIR_SOURCE = (Column("source_id", "int64"), Column("target_id", "int64"))
_SCORE = (Column("measure", "text"), Column("score", "float64"), Column("common", "int32"))

_EDGES = (
    "FROM people AS p CROSS JOIN user_engagements AS e ON e.user_id = p.id CROSS JOIN things AS t ON t.id = e.track_id"
)


def _by(choices: ExportChoices) -> str:
    """Name the columns that order users and tracks as their written ids do, and that an index is read along."""
    return "p.out, t.out" if choices.ids == "pseudonym" else "p.id, e.track_id"


def interactions(selection: Selection) -> Table:
    """Every like and repost that is left, a row each, in the order of the key that they are read along, a like before a
    repost. Under pseudonyms, without the place in a track's public list.
    """
    choices = selection.choices
    there = "NULL" if choices.ids == "pseudonym" else "e.track_list_rank"
    test = f", {selection.in_test}" if choices.split.how != "none" else ""
    sql = (
        f"SELECT p.out, t.out, e.engagement_type, 1.0, e.user_list_rank, {there},"
        f" w.chance, {_OUTCOME}, {_OUTCOME} IS 'capped'"
        f"{test} {_EDGES} CROSS JOIN weights AS w ON w.id = p.id WHERE {WANTED_KINDS}"
        f" ORDER BY {_by(choices)}{', e.engagement_type' if choices.ids == 'pseudonym' else ''}"
    )
    expected = selection.left.interactions if len(choices.kinds) == 1 else None
    return Table("interactions", _INTERACTION, sql, expected, split=bool(test))


def pairs(selection: Selection, *, unknown: int) -> Table:
    """One row per user and track: ids, a rating, an order (larger is newer), 1 for test.

    The rating is 1, and 2 where a track is both liked and reposted. The order is the negated place in the user's own
    list, and `unknown` where the track was not seen in it.
    """
    return Table(
        "interactions",
        (Column("user_id", "int64"), Column("item_id", "int64"), Column("rating", "float32"), Column("order", "int32")),
        "SELECT p.out, t.out, "
        f"{RATING}, coalesce(-e.user_list_rank, {unknown:d}), {selection.in_test} "
        f"{_EDGES} WHERE {PAIR} ORDER BY {_by(selection.choices)}",
        selection.left.interactions,
        split=True,
    )


def places(selection: Selection) -> Table:
    """One row per user and track: row and column of a matrix, the rating, 1 for test."""
    return Table(
        "interactions",
        (Column("row", "int64"), Column("column", "int32"), Column("rating", "float32")),
        f"SELECT p.place, t.place, {RATING}, {selection.in_test} {_EDGES} WHERE {PAIR} "
        f"ORDER BY {_by(selection.choices)}",
        selection.left.interactions,
        split=True,
    )


RATING = """1.0 + (:both AND e.engagement_type = 'like' AND EXISTS (
    SELECT 1 FROM user_engagements AS r
    WHERE r.user_id = e.user_id AND r.track_id = e.track_id AND r.engagement_type = 'repost'
))"""


def oldest_order(selection: Selection) -> int:
    """Give an order below all that are known: for what was not seen in its user's own list."""
    sql = f"SELECT max(e.user_list_rank) {_EDGES} WHERE {PAIR}"
    (worst,) = selection.connection.execute(sql, selection.parameters).fetchone()
    return 0 if worst is None else -int(worst) - 1


# Of what `harvest analyze` found last; the largest is 0.
COMMUNITY = (
    "(SELECT c.community FROM {of}_communities AS c WHERE c.{of}_id = {id}"
    " AND c.derivation_id IN (SELECT id FROM sound))"
)

# How a person was sampled, and how much of their list of likes was read.
_WEIGHTS = (
    Column("chance", "float64"),
    Column("chance_unknown", "text"),
    Column("listed_rank", "int32"),
    Column("depth", "int16"),
    Column("design", "text"),
    Column("seed_kind", "text"),
    Column("claimed", "int64"),
    Column("likes_read", "int64"),
    Column("censored", "bool"),
)


def users(selection: Selection) -> Table:
    """One row per user with an interaction that is left."""
    exact = selection.choices.ids != "pseudonym"
    followers, likes = (
        ("u.followers_count", "u.likes_given_count")
        if exact
        else tuple(
            f"CAST({SHARED.format(what=count, sql=f'about(u.{count})')} AS INTEGER)"
            for count in ("followers_count", "likes_given_count")
        )
    )
    return Table(
        "users",
        (
            Column("user_id", "int64"),
            Column("followers_count", "int64"),
            Column("likes_total", "int64"),
            Column("likes_complete", "bool"),
            Column("likes_list", "text"),
            *_WEIGHTS,
            Column("community", "int32"),
        ),
        f"SELECT p.out, {followers}, {likes}, p.whole, {LIKES_LIST},"  # noqa: S608
        f" w.chance, w.reason, {'w.listed_rank' if exact else 'NULL'}, w.depth, w.design, w.seed_kind,"
        f" {'w.claimed' if exact else 'NULL'}, w.likes_read, w.outcome IS 'capped',"
        f" {COMMUNITY.format(of='user', id='p.id')}"
        " FROM people AS p CROSS JOIN users AS u ON u.id = p.id CROSS JOIN weights AS w ON w.id = p.id"
        " LEFT JOIN tasks AS l ON l.kind = 'user_likes' AND l.subject_id = p.id"
        f" ORDER BY {'p.id' if exact else 'p.out'}",
        selection.left.users,
    )


_TAGS = (
    "(SELECT json_group_array(name) FROM (SELECT g.name FROM track_tags AS m CROSS JOIN tags AS g ON g.id = m.tag_id"
    " WHERE m.track_id = t.id{only} ORDER BY g.name))"
)
_COMMON_ONLY = " AND EXISTS (SELECT 1 FROM common AS c WHERE c.what = 'tag' AND c.text = g.name)"


def items(selection: Selection) -> Table:
    """Every track with an interaction that is left. Under pseudonyms, nothing by which it could be looked up."""
    exact = selection.choices.ids != "pseudonym"
    columns = {
        Column("item_id", "int64"): "t.out",
        Column("title", "text"): "k.title" if exact else None,
        Column("artist_id", "int64"): "a.out",
        Column("genre", "text"): "k.genre" if exact else SHARED.format(what="genre", sql="k.genre"),
        Column("tags", "list"): _TAGS.format(only="" if exact else _COMMON_ONLY),
        Column("duration_ms", "int64"): "k.duration_ms" if exact else "(k.duration_ms + 5000) / 10000 * 10000",
        Column("playback_count", "int64"): "k.playback_count" if exact else "about(k.playback_count)",
        Column("created_at", "time"): "k.created_at" if exact else "substr(k.created_at, 1, 7) || '-01T00:00:00Z'",
        Column("artist", "text"): "coalesce(k.metadata_artist, w.username)" if exact else None,
        Column("permalink_url", "text"): "k.permalink_url" if exact else None,
        Column("frame", "bool"): "t.frame" if exact else None,
        Column("verdict", "text"): verdict_of(selection.connection, "t.id", schema="harvest") if exact else None,
        Column("users_here", "int32"): "t.here",
        Column("community", "int32"): COMMUNITY.format(of="track", id="t.id"),
    }
    said = {column: sql for column, sql in columns.items() if sql is not None}
    return Table(
        "items",
        tuple(said),
        f"SELECT {', '.join(said.values())}"  # noqa: S608
        " FROM things AS t CROSS JOIN tracks AS k ON k.id = t.id"
        " LEFT JOIN accounts AS a ON a.id = k.uploader_id LEFT JOIN users AS w ON w.id = k.uploader_id"
        f" ORDER BY {'t.id' if exact else 't.out'}",
        selection.left.items,
    )


def chance_of(user: str) -> str:
    """Write with which chance a user was to be chosen; unknown of who is not among those who leave."""
    return f"(SELECT w.chance FROM weights AS w WHERE w.id = {user})"  # noqa: S608 - our own words


def follows(selection: Selection) -> Table:
    """One row per follow between users that are left."""
    return Table(
        "follows",
        (*_PAIR_SOURCE, Column("source_chance", "float64"), Column("target_chance", "float64")),
        f"SELECT a.out, b.out, {chance_of('a.id')}, {chance_of('b.id')} FROM people AS a"  # noqa: S608
        " CROSS JOIN user_follows AS f ON f.follower_id = a.id"
        f" JOIN people AS b ON b.id = f.followee_id ORDER BY {_ends(selection)}",
    )


def playlist_items(selection: Selection) -> Table:
    """What playlists hold of the tracks that are left; positions keep their gaps."""
    order = "c.out" if selection.choices.ids == "pseudonym" else "c.id"
    return Table(
        "playlist_items",
        (Column("playlist_id", "int64"), Column("item_id", "int64"), Column("position", "int32")),
        "SELECT c.out, t.out, l.position FROM collections AS c"  # noqa: S608
        " CROSS JOIN playlist_tracks AS l ON l.playlist_id = c.id JOIN things AS t ON t.id = l.track_id"
        f" ORDER BY {order}, l.position",
    )


def item_item(selection: Selection) -> Table:
    """Tracks near each other, as `harvest analyze` or the service says."""
    return Table(
        "item_item",
        (*_PAIR_SOURCE, *_SCORE, Column("rank", "int16")),
        "SELECT a.out, b.out, r.method, r.score, r.common, r.rank"  # noqa: S608
        " FROM things AS a CROSS JOIN related_tracks AS r ON r.track_id = a.id"
        f" JOIN things AS b ON b.id = r.related_track_id WHERE {_MAY_LEAVE} ORDER BY {_ends(selection)}, r.method",
    )


def user_user(selection: Selection) -> Table:
    """Users with like taste."""
    return Table(
        "user_user",
        (*_PAIR_SOURCE, *_SCORE, Column("rank", "int16")),
        "SELECT a.out, b.out, r.method, r.score, r.common,"  # noqa: S608
        " row_number() OVER (PARTITION BY a.id, r.method ORDER BY r.score DESC, b.id) - 1"
        " FROM people AS a CROSS JOIN user_similarity AS r ON r.user_id = a.id"
        f" JOIN people AS b ON b.id = r.other_user_id WHERE {_MAY_LEAVE} ORDER BY {_ends(selection)}, r.method",
    )


def artist_artist(selection: Selection) -> Table:
    """Artists that belong together, of those who uploaded a track or are among the users that are left."""
    return Table(
        "artist_artist",
        (*_PAIR_SOURCE, *_SCORE),
        "SELECT a.out, b.out, r.method, r.score, r.common"  # noqa: S608
        " FROM accounts AS a CROSS JOIN artist_relationships AS r ON r.artist_id = a.id"
        f" JOIN accounts AS b ON b.id = r.other_artist_id WHERE {_MAY_LEAVE} ORDER BY {_ends(selection)}, r.method",
    )


# A score counts other people's likes. It leaves by default where none of them came from a list that is not whole.
_MAY_LEAVE = "r.derivation_id IN (SELECT id FROM sound)"


def _ends(selection: Selection) -> str:
    return "a.out, b.out" if selection.choices.ids == "pseudonym" else "a.id, b.id"


def maps(selection: Selection) -> list[Table]:
    """Lead dense ids back to SoundCloud's."""
    if selection.choices.ids != "dense":
        return []
    made = []
    of = (
        ("user", "accounts"), ("item", "things"), ("playlist", "collections"), ("station", "channels"),
        ("search", "inquiries"),
    )  # fmt: skip
    for name, table in of:
        columns = (Column(f"{name}_id", "int64"), Column("soundcloud_id", "int64"))
        made.append(Table(f"{name}_ids", columns, f"SELECT out, id FROM {table} ORDER BY out"))  # noqa: S608
    return [table for table in made if has_rows(selection, table)]


def extras(selection: Selection) -> list[Table]:
    """Give the tables that leave only when there is something in them."""
    makers = (follows, playlist_items, item_item, user_user, artist_artist)
    return [table for make in makers if has_rows(selection, table := make(selection))]


def has_rows(selection: Selection, table: Table) -> bool:
    """Say whether a table gives anything, without reading all of it."""
    cursor = selection.connection.execute(f"SELECT 1 FROM ({table.sql}) LIMIT 1", table.parameters(selection))  # noqa: S608
    return cursor.fetchone() is not None


def number_places(connection: sqlite3.Connection, *which: str) -> None:
    """Give `people` their row, and `things` their column, in the order of the ids that are written."""
    for table in which:
        connection.execute(
            f"UPDATE {table} SET place = o.place FROM (SELECT id, row_number() OVER (ORDER BY out) - 1 AS place"  # noqa: S608
            f" FROM {table}) AS o WHERE o.id = {table}.id"
        )
