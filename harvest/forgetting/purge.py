"""Take out of a file what the service has not shown for a while, or all of it: lists and what they hold, then whatever
nothing that stays refers to. Unlike what is forgotten, it may come back when it is asked for again.

How old an edge is says the list that shows it: when it was read last. How old a thing is says the last day it was seen,
and whether a list that stays names it, is its own, or is of something that it made.

In: a path, an age. Out: rows that are gone, lists that are `purged`, a file written again. Never: a request.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from harvest.forgetting import doomed, kept
from harvest.forgetting.erase import erase
from harvest.forgetting.leads import is_of_things, leads
from harvest.forgetting.writing import note_erased, opened, write_down
from harvest.lists import KINDS, Edge, ListKind
from harvest.models import Outcome
from harvest.store import lease
from harvest.store.database import check_readable, storage_errors
from harvest.store.edges import of_type
from harvest.system.clock import as_text
from harvest.system.sqlite_busy import fold, rewrite, writing_in
from harvest.things import SHOWN

_NEVER = "9999"  # later than any moment


@dataclass(frozen=True, slots=True)
class Purged:
    """What was purged: lists, things and rows; whether their bytes are gone, which a reader may prevent; the
    `replies` that were reached.
    """

    lists: int = 0
    things: int = 0
    rows: int = 0
    erased: bool = True
    replies: Path | None = None


def purge(path: Path, older_than: float | None, *, now: datetime) -> Purged:
    """Purge what was last shown longer ago than so many seconds, None: everything. Raises StoreError."""
    check_readable(path)
    with storage_errors(path), opened(path) as connection:
        with writing_in(connection):
            lease.check_free(connection, path, then="run this command again")
            replies = kept.find(connection, path)
            mark = _mark(older_than, now)
            purged = purge_rows(connection, older_than, now)
            any_rows = bool(purged.lists or purged.things or purged.rows)
            if not any_rows and not kept.has_older(replies, mark):
                return purged
            kept.begin(connection, replies, before=mark)
        if replies is not None:
            kept.take_out_before(connection, path, replies, mark, now=as_text(now))
        erased = fold(connection) and rewrite(connection) and kept.fold(replies) and note_erased(connection, now)
        return Purged(purged.lists, purged.things, purged.rows, erased, replies)


def _mark(older_than: float | None, now: datetime) -> str:
    return _NEVER if older_than is None else as_text(now - timedelta(seconds=older_than))


def purge_rows(connection: sqlite3.Connection, older_than: float | None, now: datetime) -> Purged:
    """Purge, within the caller's transaction; foreign keys must be off."""
    mark = _mark(older_than, now)
    lists = _expire(connection, mark)
    rows = sum(_drop_edges(connection)) if lists else 0
    rows += sum(_drop_past(connection, mark))
    doomed.make_table(connection)
    _doom_what_is_old(connection, mark)
    doomed.number(connection)
    things = doomed.things(connection)
    if not (lists or rows or things):
        return Purged()
    _empty_changes(connection, mark)
    connection.execute("UPDATE failures SET reply = NULL WHERE last_at < ?", (mark,))
    rows += erase(connection, (), as_text(now), key=None, outcome=Outcome.PURGED)
    write_down(connection, things, rows, as_text(now))
    return Purged(lists, things, rows)


def _expire(connection: sqlite3.Connection, mark: str) -> int:
    """Fill `temp.expired` with the lists that were read last before a moment, and end them; give how many."""
    connection.execute("DROP TABLE IF EXISTS temp.expired")
    connection.execute("CREATE TEMP TABLE expired (task_id INTEGER PRIMARY KEY, kind TEXT, subject_id INTEGER)")
    connection.execute(
        """
        INSERT INTO temp.expired
        SELECT t.id, t.kind, t.subject_id FROM tasks AS t
        JOIN list_kinds AS k ON k.kind = t.kind AND k.subject NOT IN ('seed', 'batch')
        JOIN outcomes AS o ON o.outcome = t.outcome AND o.answered = 1
        WHERE t.subject_id > 0
            AND (SELECT max(r.ended_at) FROM readings AS r WHERE r.task_id = t.id) < ?1
            AND NOT EXISTS (SELECT 1 FROM readings AS r WHERE r.task_id = t.id AND r.state <> 'ended')
        """,
        (mark,),
    )
    these = "SELECT e.task_id FROM temp.expired AS e"
    connection.execute(f"DELETE FROM reading_items WHERE task_id IN ({these})")  # noqa: S608 - our own text
    connection.execute(
        f"UPDATE readings SET outcome = ?, forgotten = collected, unproven = 0, doubted = 0 WHERE task_id IN ({these})",  # noqa: S608
        (Outcome.PURGED,),
    )
    return connection.execute(
        f"UPDATE tasks SET outcome = ?, collected = 0 WHERE id IN ({these})",  # noqa: S608 - our own text
        (Outcome.PURGED,),
    ).rowcount


def _drop_edges(connection: sqlite3.Connection) -> Iterator[int]:
    """Drop what stands in expired lists alone; what another list shows as well loses its place in this one."""
    for kind in KINDS.values():
        edge = kind.edge
        if edge is None:
            continue
        mine = (
            f"{edge.subject} IN (SELECT x.subject_id FROM temp.expired AS x WHERE x.kind = '{kind.name}')"  # noqa: S608
            f" {of_type(edge, stored=True)} AND +{edge.rank} IS NOT NULL"
        )
        other = _other_rank(kind, edge)
        if is_of_things(edge.table) or other:
            alone = f"AND {other} IS NULL" if other else "AND false"
            yield connection.execute(f"DELETE FROM {edge.stored} WHERE {mine} {alone}").rowcount  # noqa: S608
            connection.execute(f"UPDATE {edge.stored} SET {edge.rank} = NULL WHERE {mine}")  # noqa: S608
        else:
            yield connection.execute(f"DELETE FROM {edge.stored} WHERE {mine}").rowcount  # noqa: S608


def _other_rank(kind: ListKind, edge: Edge) -> str:
    return kind.rank_at_other if kind.rank_at_other != edge.rank else ""


def _drop_past(connection: sqlite3.Connection, mark: str) -> Iterator[int]:
    """Drop what had vanished before a moment."""
    for table in sorted({kind.edge.past for kind in KINDS.values() if kind.edge and kind.edge.past}):
        yield connection.execute(
            f"DELETE FROM {table} WHERE (SELECT p.fetched_at FROM pages AS p WHERE p.id = gone_page_id) < ?",  # noqa: S608
            (mark,),
        ).rowcount
    yield connection.execute(
        "DELETE FROM unexplained WHERE (SELECT p.fetched_at FROM pages AS p WHERE p.id = gone_page_id) < ?", (mark,)
    ).rowcount


def _doom_what_is_old(connection: sqlite3.Connection, mark: str) -> None:
    """Doom the things that were last seen before a moment, and that nothing that stays refers to."""
    keeping = {kind.edge.table for kind in KINDS.values() if kind.edge} | {
        kind.edge.past for kind in KINDS.values() if kind.edge and kind.edge.past
    }
    stays: dict[str, list[str]] = {thing.name: [] for thing in SHOWN}
    for lead in leads(connection):
        if is_of_things(lead.table):  # its maker stays as long as it does
            made = next(thing for thing in SHOWN if thing.table == lead.table)
            which = f"y.id NOT IN ({doomed.of(made.name)})"
        elif lead.table in keeping:
            which = "y.method = 'soundcloud'" if lead.table == "related_tracks" else "true"
        else:
            continue
        stays[lead.thing].append(f"SELECT 1 FROM {lead.table} AS y WHERE y.{lead.column} = x.id AND {which}")  # noqa: S608
    for thing in sorted(SHOWN, key=lambda one: one.name == "user"):  # people last: what they made may stay
        kept = " ".join(f"AND NOT EXISTS ({query})" for query in stays[thing.name])
        fresh = f"""
            AND x.last_seen_on < '{mark[:10]}' {kept} AND NOT EXISTS (
                SELECT 1 FROM list_kinds AS k CROSS JOIN tasks AS t ON t.kind = k.kind AND t.subject_id = x.id
                WHERE k.subject = '{thing.name}' AND (t.outcome IS NULL OR t.outcome IN (
                    SELECT o.outcome FROM outcomes AS o WHERE o.answered = 1
                ))
            )
        """  # noqa: S608 - built from our own declarations
        connection.execute(
            f"""
            INSERT OR IGNORE INTO temp.doomed (thing, id)
            SELECT '{thing.name}', x.id FROM {thing.table} AS x WHERE true {"" if mark == _NEVER else fresh}
            """  # noqa: S608 - built from our own declarations
        )


def _empty_changes(connection: sqlite3.Connection, mark: str) -> None:
    """Empty the changes that were seen before a moment."""
    connection.execute(
        """
        UPDATE changes SET what = 'forgotten', ids = '{}', old = NULL, new = NULL, reason = NULL
        WHERE at < ? AND what <> 'forgotten'
        """,
        (mark,),
    )
