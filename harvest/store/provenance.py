"""Say how a thing came into the file: page, list, the list that led there, up to the seed. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from harvest.api.seed_urls import public_address
from harvest.api.urns import LARGEST_ID
from harvest.errors import SeedError
from harvest.lists import KINDS, Edge
from harvest.models import Limits
from harvest.store.edges import of_type
from harvest.store.rounds import LINES, READERS
from harvest.things import THINGS, Thing, label

_FARTHEST = 1000  # steps up to a seed; only a damaged file has more


@dataclass(frozen=True, slots=True)
class Step:
    """One list on the way to the seed; `place` is its subject's place among those chosen."""

    task_id: int
    kind: str
    what: str
    thing: str
    subject_id: int
    subject: str | None
    depth: int
    place: int | None


@dataclass(frozen=True, slots=True)
class Because:
    """A list that names something, with the lists from there up to the seed.

    `thing`, `id` and `name` are what it names. Of the ends of the entry, what it names and whose list it is, `user_id`
    is the one that is a person and `track_id` the one that is a track. Without a page of this list, another one brought
    the row first.
    """

    thing: str
    id: int
    name: str | None
    user_id: int | None
    username: str | None
    engagement_type: str | None
    track_id: int | None
    title: str | None
    place: int
    page: int | None
    request: str | None
    fetched_at: str | None
    seed: str
    chain: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A harvest that visits something: in which round, for which place among those chosen with it (None: by an earlier
    choice), with which chance (None: none was drawn by chance), and whether as one of a control sample. `lists` says
    how those it reads stand, by kind.
    """

    seed: str
    round: int
    depth: int
    place: int | None
    chance: float | None
    control: bool
    lists: dict[str, str]
    chain: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is in the file. `because` holds the first ones of `total`."""

    thing: str
    id: int
    name: str | None
    url: str | None
    seed_of: tuple[str, ...]
    uploaded: tuple[int, ...]
    chosen: tuple[Chosen, ...]
    total: int
    because: tuple[Because, ...]

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return asdict(self)


def why(connection: sqlite3.Connection, thing: str, wanted: str, *, limit: int = 3) -> Reason:
    """Tell why a user, track, playlist or station, named by id, URN or page address, is here.

    Raises SeedError when it is not.
    """
    number, name, url = find(connection, thing, wanted)
    uploaded: tuple[int, ...] = ()
    if thing == "user":
        uploaded = tuple(
            row[0] for row in connection.execute("SELECT id FROM tracks WHERE uploader_id = ? ORDER BY id", (number,))
        )
    total, because = _named(connection, thing, "= :id", number, limit)
    if not total and uploaded:
        total, because = _named(
            connection, "track", "IN (SELECT id FROM tracks WHERE uploader_id = :id)", number, limit
        )
    seeds = connection.execute("SELECT address FROM seeds WHERE thing = ? AND thing_id = ?", (thing, number))
    return Reason(
        thing,
        number,
        name,
        url,
        tuple(public_address(row[0]) for row in seeds),
        uploaded[:limit],
        tuple(_chosen(connection, thing, number)),
        total,
        because,
    )


def find(connection: sqlite3.Connection, thing: str, wanted: str) -> tuple[int, str | None, str | None]:
    """Give id, name and address of the thing that an id, URN or address names. Raises SeedError."""
    kind = THINGS[thing]
    column, value = _key(kind, wanted.strip())
    row = connection.execute(
        f"SELECT id, {kind.label}, permalink_url FROM {kind.table} WHERE {column} = ?",  # noqa: S608 - our own words
        (value,),
    ).fetchone()
    if row is None:
        raise SeedError(f"There is no {thing} {wanted} in this file; an id, a URN or the page's address names one.")
    return row[0], row[1], row[2]


def _key(kind: Thing, wanted: str) -> tuple[str, int | str]:
    """Give the column that names the thing, and its value."""
    number = wanted.removeprefix(kind.urn)
    if kind.by_name and number != wanted:
        return kind.by_name, wanted
    if number.isascii() and number.isdigit() and len(number) <= 19 and int(number) <= LARGEST_ID:
        return "id", int(number)
    try:
        address = urlsplit(wanted if "://" in wanted else f"https://{wanted}")
    except ValueError:  # an address of nothing, such as https://[
        return "permalink_url", wanted
    path = address.path.rstrip("/")
    host = (address.hostname or "").removeprefix("www.").removeprefix("m.")
    if host != "soundcloud.com":
        path = f"/{wanted.strip('/')}"
    return "permalink_url", f"https://soundcloud.com{path}"


def _named(
    connection: sqlite3.Connection, thing: str, which: str, number: int, limit: int
) -> tuple[int, tuple[Because, ...]]:
    """Count the lists that name something, each as often as it does, and tell of the first pages that did."""
    entries = " UNION ALL ".join(
        _entries(kind.name, kind.edge, which)
        for kind in KINDS.values()
        if kind.edge is not None and (kind.edge.leads_to or kind.item) == thing
    )
    total = connection.execute(f"SELECT count(*) FROM ({entries})", {"id": number}).fetchone()[0]  # noqa: S608
    first = connection.execute(
        f"""
        SELECT e.item, e.place, e.engagement_type, t.id, p.number, p.request, p.fetched_at
        FROM ({entries}) AS e
        JOIN tasks AS t ON t.kind = e.kind AND t.subject_id = e.subject
        LEFT JOIN pages AS p ON p.id = e.page_id AND p.task_id = t.id
        ORDER BY p.id IS NULL, p.id, e.place, t.id LIMIT :limit
        """,  # noqa: S608 - built from our own declarations
        {"id": number, "limit": limit},
    ).fetchall()
    return int(total), tuple(because for entry in first for because in _reasons(connection, thing, *entry))


def _entries(kind: str, edge: Edge, which: str) -> str:
    """Write the query for the entries of one kind of list that name certain things."""
    item, page = edge.leads or edge.item, "NULL" if edge.table == THINGS["track"].table else "first_page_id"
    return (
        f"SELECT '{kind}' AS kind, {edge.subject} AS subject, {item} AS item, {edge.rank} AS place,"  # noqa: S608
        f" {repr(edge.engagement_type) if edge.engagement_type else 'NULL'} AS engagement_type, {page} AS page_id"
        f" FROM {edge.table} WHERE {item} {which} {of_type(edge)}"
        f" AND {edge.rank} IS NOT NULL AND {edge.subject} IS NOT NULL"
    )


def _reasons(
    connection: sqlite3.Connection,
    thing: str,
    item: int,
    place: int,
    engagement_type: str | None,
    task_id: int,
    *page: Any,  # number, request, time
) -> Iterator[Because]:
    """Follow one entry of a list up to the seed, once per harvest that wants the list."""
    rows = connection.execute(
        f"SELECT v.harvest_id FROM tasks AS t {READERS} WHERE t.id = ? ORDER BY v.harvest_id",  # noqa: S608
        (task_id,),
    ).fetchall()
    kind = THINGS[thing]
    (name,) = connection.execute(f"SELECT {kind.label} FROM {kind.table} WHERE id = ?", (item,)).fetchone()  # noqa: S608
    for (harvest_id,) in rows:
        chain = tuple(_up(connection, harvest_id, task_id))
        ends = {chain[0].thing: (chain[0].subject_id, chain[0].subject), thing: (item, name)}
        user_id, username = ends.get("user", (None, None))
        track_id, title = ends.get("track", (None, None))
        yield Because(
            thing=thing,
            id=item,
            name=name,
            user_id=user_id,
            username=username,
            engagement_type=engagement_type,
            track_id=track_id,
            title=title,
            place=place,
            page=page[0],
            request=page[1],
            fetched_at=page[2],
            seed=_seed(connection, chain, thing, item),
            chain=chain,
        )


def _up(connection: sqlite3.Connection, harvest_id: int, task_id: int | None) -> Iterator[Step]:
    """Give the lists from one up to the look-up of the seed: each names whose list the one before is."""
    for _ in range(_FARTHEST):
        if task_id is None:
            return
        row = connection.execute(
            f"""
            SELECT t.kind, k.title, k.subject, t.subject_id, {label("k.subject", "t.subject_id")},
                coalesce(v.depth + (v.thing = 'track'), 0), v.place, v.parent_task_id
            FROM tasks AS t
            JOIN list_kinds AS k ON k.kind = t.kind
            LEFT JOIN visits AS v ON v.harvest_id = ? AND v.thing = k.subject AND v.thing_id = t.subject_id
            WHERE t.id = ?
            """,  # noqa: S608 - built from our own declarations
            (harvest_id, task_id),
        ).fetchone()
        yield Step(task_id, *tuple(row)[:-1])
        task_id = row[-1]


def _seed(connection: sqlite3.Connection, chain: tuple[Step, ...], thing: str, thing_id: int) -> str:
    """Give the address of the seed that a chain leads to; of an empty one that is the thing itself."""
    lists = [(step.thing, step.subject_id) for step in chain if not KINDS[step.kind].looks_up]
    (address,) = connection.execute(
        "SELECT address FROM seeds WHERE thing = ? AND thing_id = ?", lists[-1] if lists else (thing, thing_id)
    ).fetchone()
    return public_address(address)


def _chosen(connection: sqlite3.Connection, thing: str, number: int) -> Iterator[Chosen]:
    """Give the harvests that visit something."""
    for harvest_id, number_of_round, depth, place, chance, parent, options in connection.execute(
        """
        SELECT v.harvest_id, v.round, v.depth, v.place, v.chance, v.parent_task_id,
            coalesce(h.last_options, h.options)
        FROM visits AS v JOIN harvests AS h ON h.id = v.harvest_id
        WHERE v.thing = ? AND v.thing_id = ? ORDER BY v.harvest_id
        """,
        (thing, number),
    ).fetchall():
        lists = connection.execute(
            f"""
            SELECT c.kind, l.outcome FROM visits AS v {LINES}
            JOIN lists AS l ON l.kind = c.kind AND l.subject_id = v.thing_id
            WHERE v.harvest_id = ? AND v.thing = ? AND v.thing_id = ? ORDER BY c.turn
            """,  # noqa: S608 - our own text
            (harvest_id, thing, number),
        )
        chain = tuple(_up(connection, harvest_id, parent))
        seed, stand = _seed(connection, chain, thing, number), dict(lists.fetchall())
        control = chance is not None and chance < 1 and Limits.load(options).controls > 0
        yield Chosen(seed, number_of_round, depth, place, chance, control, stand, chain)
