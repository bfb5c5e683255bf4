"""Write books by hand, as a crawl would have left them: lists with their readings, whom a harvest visits and reads."""

from __future__ import annotations

import sqlite3

HARVEST = "INSERT INTO harvests (id, options, state, level, started_at) VALUES (?, '{}', 'drained', 1, '')"


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


def add_harvest(connection: sqlite3.Connection, harvest_id: int, **caps: int) -> None:
    """Add a harvest that reads these kinds of lists of whatever it visits, each up to a cap."""
    connection.execute(HARVEST, (harvest_id,))
    connection.executemany(
        "INSERT INTO recipes (harvest_id, kind, thing, seeds_only, turn, cap)"
        " SELECT ?, kind, subject, 0, ?, ? FROM list_kinds WHERE kind = ?",
        [(harvest_id, turn, cap, kind) for turn, (kind, cap) in enumerate(caps.items())],
    )


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
