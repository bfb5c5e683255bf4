"""Read and write the books of derivations: what was computed, from what, and how far.

A derivation is whole, or it is unfinished and says so; what the next run needs to go on, or to compute only what has
changed, stands beside it. Every function works inside the caller's transaction.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Derivation:
    """A row of `derivations`. `done_to` is None for a whole one, and for one whose rows were not redone in order."""

    id: int
    parameters: str
    state: str
    done_to: int | None
    fingerprint: str | None
    lists_used: int | None
    max_page_id: int | None


def find(connection: sqlite3.Connection, method: str) -> Derivation | None:
    """Give the derivation of a method, None when it was never computed."""
    row = connection.execute(
        "SELECT id, parameters, state, done_to, fingerprint, lists_used, max_page_id FROM derivations WHERE method = ?",
        (method,),
    ).fetchone()
    return row and Derivation(*row)


def newest_page(connection: sqlite3.Connection) -> int | None:
    """Give the newest page of the file."""
    row = connection.execute("SELECT max(id) FROM pages").fetchone()
    return None if row[0] is None else int(row[0])


def begin(
    connection: sqlite3.Connection, method: str, parameters: str, fingerprint: str | None, now: str, *, in_order: bool
) -> int:
    """Mark a derivation as unfinished; give its id.

    `in_order`: all of it is computed from the beginning, and what it was made from is forgotten.
    """
    connection.execute(
        """
        INSERT INTO derivations (method, parameters, made_at, state, done_to, fingerprint)
        VALUES (:method, :parameters, :now, 'unfinished', :done_to, :fingerprint)
        ON CONFLICT (method) DO UPDATE SET parameters = excluded.parameters, made_at = excluded.made_at,
            state = excluded.state, done_to = excluded.done_to, fingerprint = excluded.fingerprint
        """,
        {
            "method": method,
            "parameters": parameters,
            "now": now,
            "done_to": -1 if in_order else None,
            "fingerprint": fingerprint,
        },
    )
    (number,) = connection.execute("SELECT id FROM derivations WHERE method = ?", (method,)).fetchone()
    if in_order:
        forget(connection, number)
    return int(number)


def reach(connection: sqlite3.Connection, derivation_id: int, done_to: int) -> None:
    """Note how far rows are written."""
    connection.execute("UPDATE derivations SET done_to = ? WHERE id = ?", (done_to, derivation_id))


def finish(
    connection: sqlite3.Connection,
    derivation_id: int,
    *,
    max_page_id: int | None,
    lists_used: int | None,
    now: str,
) -> None:
    """Mark a derivation as whole."""
    connection.execute(
        "UPDATE derivations SET state = 'whole', done_to = NULL, max_page_id = ?, lists_used = ?, made_at = ?"
        " WHERE id = ?",
        (max_page_id, lists_used, now, derivation_id),
    )


def still_holds(connection: sqlite3.Connection, derivation_id: int, max_page_id: int | None, lists_used: int) -> None:
    """Note that newer pages changed nothing that the derivation depends on."""
    connection.execute(
        "UPDATE derivations SET max_page_id = ?, lists_used = ? WHERE id = ?", (max_page_id, lists_used, derivation_id)
    )


def forget(connection: sqlite3.Connection, derivation_id: int) -> None:
    """Forget what a derivation was made from."""
    connection.execute("DELETE FROM derivation_sizes WHERE derivation_id = ?", (derivation_id,))
