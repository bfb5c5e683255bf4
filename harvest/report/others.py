"""Gather what the lists say that are neither likes nor likers: the people and things they name most, and what stands
beside a seed in them. Each kind of list by its declaration.

People are named where they uploaded something: a person who merely follows, likes or comments is counted.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import NamedTuple

from harvest.analysis.beside import Neighbour, beside
from harvest.explore.named import named_query
from harvest.lists import KINDS, ListKind
from harvest.report.rows import ListsEnded, SeedRow
from harvest.store.edges import of_type
from harvest.things import SHOWN, THINGS

_NAMED = {thing.name for thing in SHOWN}
_UPLOADED = "AND ({id} IN (SELECT uploader_id FROM tracks) OR (SELECT track_count FROM users WHERE id = {id}) > 0)"
_BESIDE = {"track": ("playlists", "stations", "soundcloud"), "user": ("followers",)}  # methods that name no listener
_CHOSEN = "followee_id"
_OWNER = {"track": "uploader_id", "playlist": "owner_id"}

_MOST_NAMED = """
SELECT t.{label}, t.permalink_url, {artist}, m.lists, m.place, m.things
FROM (
    SELECT {item} AS id, count(*) AS lists, min({rank}) AS place, count(*) OVER () AS things
    FROM {table} AS e
    WHERE {rank} IS NOT NULL {typed} {uploaded}
    GROUP BY {item}
    ORDER BY lists DESC, place, {item}
    LIMIT :rows
) AS m
JOIN {things} AS t ON t.id = m.id
{owners}
ORDER BY m.lists DESC, m.place, m.id
"""
_OWN_LISTS = """
SELECT l.what, l.outcome, l.claimed, l.collected
FROM list_kinds AS k
CROSS JOIN lists AS l ON l.kind = k.kind AND l.subject_id = :subject
WHERE k.subject = :thing
ORDER BY l.kind
"""


class NamedThing(NamedTuple):
    """A thing that lists name: how many of them, and its best place in one."""

    name: str | None
    url: str | None
    artist: str | None
    artist_url: str | None
    lists: int
    place: int


class OwnList(NamedTuple):
    """A list of a seed itself."""

    title: str
    outcome: str
    claimed: int | None
    collected: int


class Shared(NamedTuple):
    """How many tracks the service puts beside a seed, how many of them its fans here like, and how many most of all."""

    source: str
    tracks: int
    co_liked: int
    near: int
    share: float | None


@dataclass(frozen=True, slots=True)
class MostNamed:
    """What the lists of one kind name most, of so many lists that brought anything, and of so many different things."""

    kind: ListKind
    lists: int
    things: int
    named: list[NamedThing]


@dataclass(frozen=True, slots=True)
class BesideSeed:
    """What stands beside a seed in one way; `words` say what both stand in, one and several."""

    method: str
    words: tuple[str, str]
    near: tuple[Neighbour, ...]


@dataclass(frozen=True, slots=True)
class SeedLists:
    """A seed with its own lists, what stands beside it in lists of others, and how much of that its fans like."""

    seed: SeedRow
    lists: list[OwnList]
    beside: list[BesideSeed]
    shared: list[Shared]


def most_named(connection: sqlite3.Connection, ledger: list[ListsEnded], rows: int) -> list[MostNamed]:
    """Give what lists name most, for each kind of list that was read and may be told of."""
    found = []
    for kind in KINDS.values():
        lists = sum(row.lists for row in ledger if row.kind == kind.name and row.collected)
        if lists and _may_be_told(kind, lists):
            named = connection.execute(_statement(kind), {"rows": rows}).fetchall()
            if named:
                found.append(MostNamed(kind, lists, named[0][-1], [NamedThing(*row[:-1]) for row in named]))
    return found


def _may_be_told(kind: ListKind, lists: int) -> bool:
    """Likes are told of elsewhere, and people are where others chose to follow them. What has one owner stands in one
    list, and says something as long as that is the only one.
    """
    if kind.edge is None or kind.searches or kind.item not in _NAMED or kind.name in ("user_likes", "track_likers"):
        return False
    if kind.edge.on_item:
        return lists == 1
    return kind.item != "user" or kind.edge.item == _CHOSEN


def _statement(kind: ListKind) -> str:
    edge, thing = kind.edge, THINGS[kind.item]
    assert edge is not None
    owner = _OWNER.get(thing.name)
    return _MOST_NAMED.format(
        label=thing.label,
        artist="o.username, o.permalink_url" if owner else "NULL, NULL",
        owners=f"LEFT JOIN users AS o ON o.id = t.{owner}" if owner else "",
        item=f"e.{edge.item}",
        rank=f"e.{edge.rank}",
        table=edge.table,
        typed=of_type(edge),
        uploaded=_UPLOADED.format(id=f"e.{edge.item}") if thing.name == "user" else "",
        things=thing.table,
    )


def seed_lists(connection: sqlite3.Connection, seed: SeedRow, rows: int) -> SeedLists:
    """Give the lists of a seed that was found, and what stands beside it."""
    assert seed.seed_kind is not None
    own = connection.execute(_OWN_LISTS, {"thing": seed.seed_kind, "subject": seed.seed_id}).fetchall()
    near = []
    for method in _BESIDE.get(seed.seed_kind, ()):
        found = beside(connection, seed.seed_kind, str(seed.seed_id), method=method, limit=10 * rows)
        told = [one for one in found.near if seed.seed_kind == "track" or _uploaded(connection, one.id)][:rows]
        if told:
            near.append(BesideSeed(method, found.words, tuple(told)))
    return SeedLists(seed, [OwnList(*row) for row in own], near, _shared(connection, seed))


def _uploaded(connection: sqlite3.Connection, user: int) -> bool:
    return connection.execute(f"SELECT 1 WHERE 1 {_UPLOADED.format(id=':id')}", {"id": user}).fetchone() is not None


def _shared(connection: sqlite3.Connection, seed: SeedRow) -> list[Shared]:
    """Ask `harvest sql mirror` about a track."""
    query = named_query("mirror")
    assert query is not None
    if seed.seed_kind != "track":
        return []
    rows = connection.execute(query.sql, {"track": seed.seed_id, "nearest": None})
    return [shared for shared in (Shared(*row) for row in rows) if shared.tracks]
