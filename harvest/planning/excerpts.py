"""Look into lists that a file holds: what they name, and what is claimed of that. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice

from harvest.lists import KINDS, ListKind
from harvest.models import Limits
from harvest.planning.evidence import inverse_of, named_by
from harvest.planning.outlook import Excerpt, Listed, Visit
from harvest.rules import recipe
from harvest.store.edges import of_type
from harvest.things import THINGS

_LISTS = 12  # of one kind and round
_ENTRIES = 200  # of one list
_LOOKED_AT = 8  # times as many things, of which some may be unread

Place = tuple[str, int, int]  # a visit: thing, round, id


def excerpts_of(file: sqlite3.Connection, visits: Sequence[Place], limits: Limits) -> list[Excerpt]:
    """Give the beginnings of some lists of each round that were read, evenly among the visits of the round."""
    found = []
    for (thing, number), group in groupby(visits, key=lambda visit: visit[:2]):
        ids = [visit[2] for visit in group]
        n = min(len(ids), _LISTS * _LOOKED_AT)
        some = [ids[place * len(ids) // n] for place in range(n)]
        for line in recipe(limits):
            if line.kind.subject == thing and inverse_of(line.kind) is not None:
                found += list(islice(_read(file, line.kind, number, some), _LISTS))
    return found


def _read(file: sqlite3.Connection, kind: ListKind, number: int, ids: Iterable[int]) -> Iterator[Excerpt]:
    edge = kind.edge
    assert edge is not None
    sql = f"""
        SELECT {edge.item} FROM {edge.table}
        WHERE {edge.subject} = ? {of_type(edge)} AND {edge.rank} >= 0 AND {edge.rank} < {_ENTRIES} ORDER BY {edge.rank}
    """  # noqa: S608 - our own declarations
    for thing_id in ids:
        items = [int(row[0]) for row in file.execute(sql, (thing_id,))]
        if items:
            yield Excerpt(kind.name, thing_id, number, items)


def seen_on(
    file: sqlite3.Connection, excerpts: Sequence[Excerpt], limits: Limits
) -> tuple[dict[str, Mapping[int, Visit]], dict[int, int]]:
    """Give what is claimed of the lists of all that excerpts name, by kind of thing and id, and who owns the tracks."""
    seen: dict[str, Mapping[int, Visit]] = {}
    for thing in THINGS:
        ids = {item for excerpt in excerpts if named_by(KINDS[excerpt.kind]) == thing for item in excerpt.items}
        kinds = [line.kind for line in recipe(limits) if line.kind.subject == thing and not line.seeds_only]
        columns = ", ".join(["id", *(kind.claimed or "NULL" for kind in kinds)])
        seen[thing] = {
            row[0]: {kind.name: Listed(claim) for kind, claim in zip(kinds, row[1:], strict=True)}
            for row in _rows(file, columns, THINGS[thing].table, ids)
        }
    owned = _rows(file, "id, uploader_id", "tracks", seen["track"])
    return seen, {track: owner for track, owner in owned if owner is not None}


def _rows(file: sqlite3.Connection, columns: str, table: str, ids: Iterable[int]) -> Iterator[tuple[int, ...]]:
    rest = iter(ids)
    while some := list(islice(rest, 500)):
        yield from file.execute(
            f"SELECT {columns} FROM {table} WHERE id IN ({', '.join('?' * len(some))})",  # noqa: S608
            some,
        )
