"""Write down what changed: rows of `changes`, each with its version, which are only ever added.

Names, titles, counts and the status of things write theirs by triggers (schema/006_history.sql).

In: edges that came or went. Out: rows. Never: a commit of its own.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Change(NamedTuple):
    """One change of an edge, in the order of the columns. `ids` are its key columns as JSON."""

    at: str
    what: str
    table: str
    ids: str
    old: str | None = None
    new: str | None = None
    reason: str | None = None
    page_id: int | None = None


def add(connection: sqlite3.Connection, changes: Iterable[Change]) -> None:
    """Add changes, in their order."""
    connection.executemany(
        """
        INSERT INTO changes (at, what, "table", ids, old, new, reason, page_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        changes,
    )


def as_ids(values: Mapping[str, int | str | None]) -> str:
    """Write key columns with their values as they stand in `changes.ids`."""
    return json.dumps(values, separators=(",", ":"))
