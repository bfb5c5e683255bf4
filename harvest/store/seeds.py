"""Where harvests start: addresses, the things they lead to, and which harvest a set of things is.

Two addresses of one thing are one seed: the second becomes an alias of the first, and what it was asked for another
reading of the first one's look-up. A harvest is known by its set of seeds; a command that turns out to name the same
set goes on with the harvest that is there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from harvest.lists import RESOLVE
from harvest.models import Page, Task


def known(connection: sqlite3.Connection, addresses: Sequence[str]) -> list[int | None]:
    """Give the seed of each address, None for one that is new to the file."""
    return [_seed_at(connection, address) for address in addresses]


def enrol(connection: sqlite3.Connection, addresses: Sequence[str]) -> list[int]:
    """Give the seeds of these addresses, each once, in their order; those that are new get a look-up to be made."""
    seeds = [_seed_at(connection, address) or _add(connection, address) for address in addresses]
    return list(dict.fromkeys(seeds))


def of(connection: sqlite3.Connection, harvest_id: int) -> list[int]:
    """Give the seeds a harvest starts from, in their order."""
    rows = connection.execute("SELECT seed_id FROM harvest_seeds WHERE harvest_id = ? ORDER BY place", (harvest_id,))
    return [row[0] for row in rows]


def harvest_of(connection: sqlite3.Connection, seeds: Sequence[int]) -> int | None:
    """Give the harvest that starts from exactly these seeds: of several one that has begun, then the oldest."""
    if not seeds:
        return None
    candidates = connection.execute(
        """
        SELECT a.harvest_id FROM harvest_seeds AS a JOIN harvests AS h ON h.id = a.harvest_id
        WHERE a.seed_id = ?1
            AND ?2 = (SELECT count(*) FROM harvest_seeds AS b WHERE b.harvest_id = a.harvest_id)
        ORDER BY h.round < 0, h.id
        """,
        (seeds[0], len(seeds)),
    ).fetchall()
    wanted = set(seeds)
    return next((int(harvest_id) for (harvest_id,) in candidates if set(of(connection, harvest_id)) == wanted), None)


def harvest_at(connection: sqlite3.Connection, addresses: Sequence[str]) -> int | None:
    """Give the harvest that starts from exactly these addresses; None when there is none, or one is new to the file."""
    found = dict.fromkeys(known(connection, addresses))
    return None if None in found else harvest_of(connection, [one for one in found if one is not None])


def found(connection: sqlite3.Connection, task: Task, page: Page) -> None:
    """Note what the address of a seed leads to, and let the harvests that start there visit it."""
    thing_id = page.items[0]
    first = connection.execute(
        "SELECT id FROM seeds WHERE thing = ? AND thing_id = ? AND id <> ?", (page.thing, thing_id, task.subject_id)
    ).fetchone()
    if first is not None:
        _unite(connection, task, first[0])
    else:
        connection.execute(
            "UPDATE seeds SET thing = ?, thing_id = ?, resolved_at = ?, reason = NULL WHERE id = ?",
            (page.thing, thing_id, page.fetched_at, task.subject_id),
        )
    connection.execute(
        """
        UPDATE harvests SET seed_kind = ?, seed_id = ?
        WHERE seed_url IS NOT NULL AND id IN (SELECT harvest_id FROM harvest_seeds WHERE seed_id = ?)
        """,
        (page.thing, thing_id, task.subject_id if first is None else first[0]),
    )


def not_found(connection: sqlite3.Connection, seed_id: int, reason: str) -> None:
    """Note why a seed could not be resolved."""
    connection.execute("UPDATE seeds SET reason = ? WHERE id = ?", (reason, seed_id))


def _seed_at(connection: sqlite3.Connection, address: str) -> int | None:
    row = (
        connection.execute("SELECT id FROM seeds WHERE address = ?", (address,)).fetchone()
        or connection.execute(
            "SELECT s.id FROM seeds AS s, json_each(s.aliases) AS a WHERE s.aliases <> '[]' AND a.value = ?", (address,)
        ).fetchone()
    )
    return row and int(row[0])


def _add(connection: sqlite3.Connection, address: str) -> int:
    seed_id = connection.execute("INSERT INTO seeds (address) VALUES (?)", (address,)).lastrowid
    task = connection.execute("INSERT INTO tasks (kind, subject_id) VALUES (?, ?)", (RESOLVE.name, seed_id))
    connection.execute("INSERT INTO readings (task_id, number, kind) VALUES (?, 0, ?)", (task.lastrowid, RESOLVE.name))
    return int(seed_id or 0)


def _unite(connection: sqlite3.Connection, task: Task, first: int) -> None:
    """Make a seed an alias of the one that led to the same thing before, and its look-up a reading of that one's."""
    (task_id,) = connection.execute(
        "SELECT id FROM tasks WHERE kind = ? AND subject_id = ?", (RESOLVE.name, first)
    ).fetchone()
    (number,) = connection.execute("SELECT max(number) + 1 FROM readings WHERE task_id = ?", (task_id,)).fetchone()
    connection.execute(
        """
        INSERT INTO readings
        SELECT ?1, ?2 + number, kind, mode, state, outcome, next_cursor, claimed, claimed_at, collected, skipped,
            pages_read, barren, attempts, second_run_id, ended_at
        FROM readings WHERE task_id = ?3
        """,
        (task_id, number, task.id),
    )
    connection.execute(
        "UPDATE pages SET task_id = ?1, reading = ?2 + reading WHERE task_id = ?3", (task_id, number, task.id)
    )
    connection.execute("UPDATE tasks SET reading = ?2 + ?3 WHERE id = ?1", (task_id, number, task.reading))
    connection.execute("UPDATE OR REPLACE failures SET task_id = ?1 WHERE task_id = ?2", (task_id, task.id))
    connection.execute("DELETE FROM readings WHERE task_id = ?", (task.id,))
    connection.execute("DELETE FROM tasks WHERE id = ?", (task.id,))
    connection.execute(
        """
        UPDATE seeds SET aliases = json_insert(aliases, '$[#]', (SELECT address FROM seeds WHERE id = ?1))
        WHERE id = ?2
        """,
        (task.subject_id, first),
    )
    connection.execute(
        """
        INSERT INTO harvest_seeds SELECT harvest_id, ?1, place FROM harvest_seeds WHERE seed_id = ?2
        ON CONFLICT DO NOTHING
        """,
        (first, task.subject_id),
    )
    connection.execute("DELETE FROM harvest_seeds WHERE seed_id = ?", (task.subject_id,))
    connection.execute("DELETE FROM seeds WHERE id = ?", (task.subject_id,))
