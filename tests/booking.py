"""Write books by hand, as a crawl would have left them: lists with their readings, whom a harvest visits and reads."""

from __future__ import annotations

import sqlite3


def add_list(
    connection: sqlite3.Connection,
    kind: str,
    subject_id: int,
    outcome: str | None = "complete",
    *,
    collected: int = 0,
    claimed: int | None = None,
    pages_read: int = 1,
) -> int:
    """Add a list that ended so, or is still to be read; give its task."""
    told = (outcome, collected, claimed, pages_read) if outcome else (None, None, None, None)
    task_id = connection.execute(
        "INSERT INTO tasks (kind, subject_id, outcome, collected, claimed, pages_read) VALUES (?, ?, ?, ?, ?, ?)",
        (kind, subject_id, *told),
    ).lastrowid
    connection.execute(
        "INSERT INTO readings (task_id, number, kind, state, outcome, collected, claimed, pages_read)"
        " VALUES (?, 0, ?, ?, ?, ?, ?, ?)",
        (task_id, kind, "ended" if outcome else "todo", outcome, collected, claimed, pages_read),
    )
    return int(task_id or 0)


def add_harvest(connection: sqlite3.Connection, harvest_id: int, *, state: str = "drained", **caps: int) -> None:
    """Add a harvest that reads these kinds of lists of whatever it visits, each up to a cap."""
    connection.execute(
        "INSERT INTO harvests (id, options, state, started_at) VALUES (?, '{}', ?, '2026-01-01T00:00:00Z')",
        (harvest_id, state),
    )
    connection.executemany(
        "INSERT INTO recipes (harvest_id, kind, thing, reach, turn, cap)"
        " SELECT ?, kind, subject, 0, ?, ? FROM list_kinds WHERE kind = ?",
        [(harvest_id, turn, cap, kind) for turn, (kind, cap) in enumerate(caps.items())],
    )


def add_seed(
    connection: sqlite3.Connection,
    harvest_id: int,
    address: str,
    thing: str | None = None,
    thing_id: int | None = None,
    *,
    reason: str | None = None,
) -> int:
    """Let a harvest start from an address, behind those it has; give the seed. Without a thing it was not found."""
    connection.execute(
        "INSERT INTO seeds (address, thing, thing_id, reason, resolved_at)"
        " VALUES (?1, ?2, ?3, ?4, iif(?2 IS NULL, NULL, '2026-11-01T00:00:00Z')) ON CONFLICT DO NOTHING",
        (address, thing, thing_id, reason),
    )
    (seed_id,) = connection.execute("SELECT id FROM seeds WHERE address = ?", (address,)).fetchone()
    connection.execute(
        "INSERT INTO harvest_seeds SELECT ?1, ?2, count(*) FROM harvest_seeds WHERE harvest_id = ?1",
        (harvest_id, seed_id),
    )
    return int(seed_id)


def add_visit(
    connection: sqlite3.Connection,
    harvest_id: int,
    thing: str,
    thing_id: int,
    number: int,
    *,
    depth: int = 0,
    place: int | None = 0,
    chance: float | None = None,
    parent: int | None = None,
) -> None:
    """Let a harvest visit a thing in a round."""
    connection.execute(
        "INSERT INTO visits (harvest_id, thing, thing_id, round, depth, place, chance, parent_task_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (harvest_id, thing, thing_id, number, depth, place, chance, parent),
    )
