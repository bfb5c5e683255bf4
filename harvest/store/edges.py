"""Turn the items of a page into edges: which are new, which rank each takes, where our cap cuts.

Ranks count the distinct edges of one list, 0 first. Null, alien and repeated entries take none; within a reading the
first place wins; a rank missing in a known row is filled in. What a re-reading sees waits in `reading_items` until it
has ended (readings.py).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from harvest.lists import Edge
from harvest.models import Page, Task


@dataclass(frozen=True, slots=True)
class Kept:
    """What of a page is kept: `fresh` are the new edges' items in rank order, `items` all that may be stored."""

    fresh: tuple[int, ...]
    items: tuple[int, ...]
    cut: bool


def choose(connection: sqlite3.Connection, task: Task, edge: Edge | None, items: tuple[int, ...]) -> Kept:
    """Pick the edges of a page that are new to the reading, up to the cap; nothing beyond it may be stored."""
    room = len(items) if task.cap is None else max(0, task.cap - task.collected)
    if edge is not None and edge.repeats:
        fresh = items[_kept_of(connection, task) :]
        return Kept(fresh[:room], items[: len(items) - len(fresh) + room], cut=len(fresh) > room)
    seen = _seen_before(connection, task, edge, items)
    fresh = tuple(item for item in dict.fromkeys(items) if item not in seen)
    if len(fresh) <= room:
        return Kept(fresh, items, cut=False)
    return Kept(fresh[:room], items[: items.index(fresh[room])], cut=True)


def write(connection: sqlite3.Connection, task: Task, edge: Edge, fresh: tuple[int, ...], page_id: int) -> None:
    """Write the new edges of a page with their ranks, in the order of the key: the table packs more closely so."""
    if edge.type_column == "method" and fresh:
        connection.execute(_NOTE_DERIVATION, (edge.engagement_type, page_id))
    ranked = sorted((item, rank) for rank, item in enumerate(fresh, start=task.collected))
    if task.reading:
        rows = [(task.id, task.reading, item, place, page_id) for item, place in ranked]
        connection.executemany("INSERT INTO reading_items VALUES (?, ?, ?, ?, ?)", rows)
    elif edge.on_item:
        connection.executemany(_rank_item_sql(edge), [(rank, task.subject_id, item) for item, rank in ranked])
    else:
        connection.executemany(_insert_sql(edge), [(task.subject_id, item, rank, page_id) for item, rank in ranked])


def stand_in_order(connection: sqlite3.Connection, task: Task, edge: Edge | None, page: Page) -> bool:
    """Say whether a page lists what the list holds already, all of it, in the order in which it stands there."""
    if edge is None or edge.repeats or not page.items or page.skipped:
        return False
    rows = connection.execute(
        f"SELECT {edge.item}, {edge.rank} FROM {edge.table}"  # noqa: S608 - built from our own declarations
        f" WHERE {edge.subject} = ? AND {edge.item} IN (SELECT value FROM json_each(?)) {of_type(edge)}"
        f" AND +{edge.rank} IS NOT NULL",
        (task.subject_id, json.dumps(page.items)),
    )
    ranks: dict[int, int] = dict(rows.fetchall())
    places = [ranks[item] for item in page.items if item in ranks]
    return len(places) == len(page.items) and all(one < other for one, other in pairwise(places))


def new_to(connection: sqlite3.Connection, edge: Edge, subject_id: int, items: Sequence[int]) -> list[int]:
    """Give those of some items that do not stand in a list yet."""
    rows = connection.execute(_known_sql(edge), (subject_id, json.dumps(items)))
    known = {row[0] for row in rows}
    return [item for item in items if item not in known]


def are_known(connection: sqlite3.Connection, edge: Edge, subject_id: int) -> bool:
    """Say whether the file knows anything that stands in a list, no matter which list brought it."""
    sql = f"SELECT 1 FROM {edge.table} WHERE {edge.subject} = ? {of_type(edge)} LIMIT 1"  # noqa: S608
    return connection.execute(sql, (subject_id,)).fetchone() is not None


def _kept_of(connection: sqlite3.Connection, task: Task) -> int:
    """Say how much of the page just in stands in the list already: a page that our cap cut is asked again."""
    (kept,) = connection.execute(_KEPT_OF_CUT_PAGE, (task.id, task.reading)).fetchone()
    return int(kept)


def _seen_before(connection: sqlite3.Connection, task: Task, edge: Edge | None, items: tuple[int, ...]) -> set[int]:
    """Find the items that earlier pages of this reading have brought."""
    if edge is None or task.collected == 0 or not items:
        return set()
    if task.reading:
        rows = connection.execute(_SEEN_IN_READING, (task.id, task.reading, json.dumps(items)))
    else:
        rows = connection.execute(_known_sql(edge), (task.subject_id, json.dumps(items)))
    return {row[0] for row in rows}


def of_type(edge: Edge, alias: str = "", *, stored: bool = False) -> str:
    """Write the condition that picks this edge's rows out of a table it shares, or out of the one that has them stored;
    '' where it has its own.
    """
    column, value = edge.type_stored if stored else (edge.type_column, f"'{edge.engagement_type}'")
    return f"AND {alias}{column} = {value}" if edge.engagement_type else ""


def typed(edge: Edge) -> tuple[str, str]:
    """Write the columns that say the type of this edge where it is stored, and their values; '' where none do."""
    if not edge.engagement_type:
        return "", ""
    column, value = edge.type_stored
    columns, values = f", {column}", f", {value}"
    if edge.type_column == "method":  # every row of such a table names its derivation
        columns += ", derivation_id"
        values += f", (SELECT id FROM derivations WHERE method = '{edge.engagement_type}')"  # noqa: S608
    return columns, values


_KEPT_OF_CUT_PAGE = """
SELECT coalesce(sum(kept), 0) FROM pages
WHERE task_id = ?1 AND reading = ?2 AND asks IS NULL AND number > (
    SELECT coalesce(max(number), -1) FROM pages WHERE task_id = ?1 AND reading = ?2 AND asks IS NOT NULL
)
"""


# Pairs that the service says itself: whole at any time, as far as they were read.
_NOTE_DERIVATION = """
INSERT INTO derivations (method, max_page_id, made_at) SELECT ?, id, fetched_at FROM pages WHERE id = ?
ON CONFLICT (method) DO UPDATE SET max_page_id = excluded.max_page_id, made_at = excluded.made_at
"""


_SEEN_IN_READING = """
SELECT item_id FROM reading_items
WHERE task_id = ? AND reading = ? AND item_id IN (SELECT value FROM json_each(?))
"""


@cache
def _known_sql(edge: Edge) -> str:
    # The plus keeps SQLite from the index of ranks: it would read the whole list for each page of it.
    return f"""
SELECT {edge.item} FROM {edge.table}
WHERE {edge.subject} = ? AND {edge.item} IN (SELECT value FROM json_each(?)) {of_type(edge)}
    AND +{edge.rank} IS NOT NULL
"""  # noqa: S608 - built from our own declarations


@cache
def _insert_sql(edge: Edge) -> str:
    columns, values = typed(edge)
    return f"""
INSERT INTO {edge.stored} ({edge.subject}, {edge.item}, {edge.rank}, first_page_id{columns})
VALUES (?, ?, ?, ?{values})
ON CONFLICT DO UPDATE SET {edge.rank} = excluded.{edge.rank} WHERE {edge.rank} IS NULL
"""  # noqa: S608 - built from our own declarations


@cache
def _rank_item_sql(edge: Edge) -> str:
    return f"""
UPDATE {edge.table} SET {edge.rank} = ?1, {edge.subject} = coalesce({edge.subject}, ?2)
WHERE {edge.item} = ?3 AND {edge.rank} IS NULL
"""  # noqa: S608 - built from our own declarations
