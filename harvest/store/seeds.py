"""Where harvests start: addresses, the things they lead to, and which harvest a set of things is.

Two addresses of one thing are one seed: the second becomes an alias of the first, and what it was asked for another
reading of the first one's look-up. A harvest is known by its set of seeds; a command that turns out to name the same
set goes on with the harvest that is there.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from harvest.api.searches import SCHEME, read_search
from harvest.lists import RESOLVE
from harvest.models import OURSELVES, Page, Task
from harvest.store import levels, lookups
from harvest.store.suppression import Suppressed
from harvest.things import of_urn

_ALIASES = "SELECT a.value, s.id FROM seeds AS s, json_each(s.aliases) AS a WHERE s.aliases <> '[]'"


def known(connection: sqlite3.Connection, addresses: Sequence[str]) -> list[int | None]:
    """Give the seed of each address, None for one that is new to the file. A URN finds its thing by any address."""
    found = {
        address: int(seed_id)
        for address, seed_id in connection.execute(
            "SELECT s.address, s.id FROM json_each(?) AS a CROSS JOIN seeds AS s ON s.address = a.value",
            (json.dumps(addresses),),
        )
    }
    missing = [address for address in addresses if address not in found]
    for address in missing:
        urn = of_urn(address)
        row = (
            urn
            and connection.execute(
                "SELECT id FROM seeds WHERE thing = ? AND thing_id = ?", (urn[0].name, urn[1])
            ).fetchone()
        )
        if row:
            found[address] = int(row[0])
    if missing:
        aliases = dict(connection.execute(_ALIASES).fetchall())
        found = aliases | found
        if any(alias.startswith(levels.HASHED) for alias in aliases):
            hidden = {address: aliases.get(levels.hashed(connection, address)) for address in missing}
            found = {address: seed_id for address, seed_id in hidden.items() if seed_id is not None} | found
    return [found.get(address) for address in addresses]


def enrol(connection: sqlite3.Connection, addresses: Sequence[str], now: str) -> list[int]:
    """Give the seeds of these addresses, each once, in their order; those that are new get a look-up to be made, but
    for searches, which are what they say. Raises SeedError for what was forgotten.
    """
    Suppressed(connection).refuse(addresses)
    seeds: list[int] = []
    new: dict[str, list[tuple[int, int]]] = {}
    for address, seed_id in zip(addresses, known(connection, addresses), strict=True):
        if seed_id is None:
            seed_id = _add(connection, address, now)
            urn = of_urn(address)
            if urn:
                new.setdefault(urn[0].name, []).append((urn[1], seed_id))
        seeds.append(seed_id)
    for thing, of_kind in new.items():
        _look_up(connection, thing, dict(of_kind))
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
    assert page.thing is not None
    thing_id = page.items[0]
    first = connection.execute(
        "SELECT id FROM seeds WHERE thing = ? AND thing_id = ? AND id <> ?", (page.thing, thing_id, task.subject_id)
    ).fetchone()
    if first is not None:
        _unite(connection, task, first[0])
    connection.execute(
        "UPDATE seeds SET thing = ?, thing_id = ?, own = max(own, ?), resolved_at = ?, reason = NULL WHERE id = ?",
        (
            page.thing,
            thing_id,
            int(task.about == OURSELVES),
            page.fetched_at,
            task.subject_id if first is None else first[0],
        ),
    )
    _show(connection, page.thing, [thing_id])


def shown(connection: sqlite3.Connection, task: Task, thing: str, page: Page) -> None:
    """Note which seeds of a batch are there."""
    connection.execute(
        """
        UPDATE seeds SET resolved_at = ?1, reason = NULL
        WHERE task_id = ?2 AND thing_id IN (SELECT value FROM json_each(?3))
        """,
        (page.fetched_at, task.id, json.dumps(page.items)),
    )
    _show(connection, thing, page.items)


def look_up_alone(connection: sqlite3.Connection, task: Task, tasks: Mapping[int, int]) -> None:
    """Let the seeds of a batch wait for the look-ups of what it has left out, by id."""
    connection.executemany(
        "UPDATE seeds SET task_id = ? WHERE task_id = ? AND thing_id = ?",
        [(alone, task.id, thing_id) for thing_id, alone in tasks.items()],
    )


def _show(connection: sqlite3.Connection, thing: str, ids: Sequence[int]) -> None:
    """Say in the harvests of a single seed what it is."""
    connection.execute(
        """
        UPDATE harvests SET seed_kind = ?1, seed_id = s.thing_id
        FROM json_each(?2) AS i
        CROSS JOIN seeds AS s ON s.thing = ?1 AND s.thing_id = i.value
        CROSS JOIN harvest_seeds AS h ON h.seed_id = s.id
        WHERE harvests.id = h.harvest_id AND harvests.seed_url IS NOT NULL
        """,
        (thing, json.dumps(ids)),
    )


def not_found(connection: sqlite3.Connection, task: Task, reason: str) -> None:
    """Note why the seeds of a look-up could not be resolved."""
    connection.execute(
        "UPDATE seeds SET reason = ?, resolved_at = NULL WHERE task_id = ? AND resolved_at IS NULL", (reason, task.id)
    )


def refuse(connection: sqlite3.Connection, task: Task) -> None:
    """Note that the address of a seed leads to something that was forgotten, and forget the address too."""
    connection.execute(
        """
        UPDATE seeds SET address = 'forgotten:' || id, aliases = '[]', thing = NULL, thing_id = NULL,
            resolved_at = NULL,
            reason = 'What stands at this address was forgotten in this file, and is not asked for again.'
        WHERE id = ?
        """,
        (task.subject_id,),
    )
    connection.execute(
        """
        UPDATE harvests SET seed_url = 'forgotten:' || ?1
        WHERE seed_url IS NOT NULL AND id IN (SELECT harvest_id FROM harvest_seeds WHERE seed_id = ?1)
        """,
        (task.subject_id,),
    )


def _add(connection: sqlite3.Connection, address: str, now: str) -> int:
    """Add a seed; an address that is no URN and no search gets a look-up of its own."""
    if address.startswith(SCHEME):
        return _add_search(connection, address, now)
    urn = of_urn(address)
    if urn:
        row = connection.execute(
            "INSERT INTO seeds (address, thing, thing_id) VALUES (?, ?, ?)", (address, urn[0].name, urn[1])
        )
        return int(row.lastrowid or 0)
    seed_id = int(connection.execute("INSERT INTO seeds (address) VALUES (?)", (address,)).lastrowid or 0)
    task = connection.execute("INSERT INTO tasks (kind, subject_id) VALUES (?, ?)", (RESOLVE.name, seed_id))
    connection.execute("INSERT INTO readings (task_id, number, kind) VALUES (?, 0, ?)", (task.lastrowid, RESOLVE.name))
    connection.execute("UPDATE seeds SET task_id = ? WHERE id = ?", (task.lastrowid, seed_id))
    return seed_id


def _add_search(connection: sqlite3.Connection, address: str, now: str) -> int:
    search = read_search(address)
    others = {name: text for name, text in search.filters if name != "q"}
    connection.execute(
        "INSERT INTO searches (id, address, what, words, filters, permalink_url) VALUES (?, ?, ?, ?, ?, ?)",
        (search.id, address, search.what, search.words, json.dumps(others, ensure_ascii=False), search.page),
    )
    row = connection.execute(
        "INSERT INTO seeds (address, thing, thing_id, resolved_at) VALUES (?, ?, ?, ?)",
        (address, search.thing, search.id, now),
    )
    return int(row.lastrowid or 0)


def _look_up(connection: sqlite3.Connection, thing: str, seeds: Mapping[int, int]) -> None:
    """Want seeds, given by the ids of their things, looked up in batches."""
    tasks = lookups.ask(connection, thing, seeds)
    connection.executemany(
        "UPDATE seeds SET task_id = ? WHERE id = ?", [(tasks[thing_id], seed) for thing_id, seed in seeds.items()]
    )


def _unite(connection: sqlite3.Connection, task: Task, first: int) -> None:
    """Make a seed an alias of the one that led to the same thing before, and its look-up a reading of that one's, or
    the first of its own where a batch has looked it up.
    """
    row = connection.execute("SELECT id FROM tasks WHERE kind = ? AND subject_id = ?", (RESOLVE.name, first)).fetchone()
    if row is None:
        connection.execute("UPDATE tasks SET subject_id = ? WHERE id = ?", (first, task.id))
        connection.execute("UPDATE seeds SET task_id = ? WHERE id = ? AND resolved_at IS NULL", (task.id, first))
    else:
        _append(connection, task, row[0])
    _alias(connection, task.subject_id, first)


def _append(connection: sqlite3.Connection, task: Task, task_id: int) -> None:
    """Make the reading of one look-up another one of an earlier look-up."""
    (number,) = connection.execute("SELECT max(number) + 1 FROM readings WHERE task_id = ?", (task_id,)).fetchone()
    connection.execute(
        """
        INSERT INTO readings
        SELECT ?1, ?2 + number, kind, mode, state, outcome, next_cursor, claimed, claimed_at, collected, skipped,
            suppressed, forgotten, pages_read, barren, attempts, doubted, second_run_id, came, went, unproven,
            refresh_id, cap, ended_at
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
    connection.execute("UPDATE seeds SET task_id = NULL WHERE task_id = ?", (task.id,))
    connection.execute("DELETE FROM tasks WHERE id = ?", (task.id,))


def _alias(connection: sqlite3.Connection, seed_id: int, first: int) -> None:
    """Let the first seed have the address and the harvests of another one, and drop that."""
    connection.execute(
        """
        UPDATE seeds SET aliases = json_insert(aliases, '$[#]', (SELECT address FROM seeds WHERE id = ?1))
        WHERE id = ?2
        """,
        (seed_id, first),
    )
    connection.execute(
        """
        INSERT INTO harvest_seeds SELECT harvest_id, ?1, place FROM harvest_seeds WHERE seed_id = ?2
        ON CONFLICT DO NOTHING
        """,
        (first, seed_id),
    )
    connection.execute("DELETE FROM harvest_seeds WHERE seed_id = ?", (seed_id,))
    connection.execute("DELETE FROM seeds WHERE id = ?", (seed_id,))
