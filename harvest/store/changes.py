"""Write down what changed: rows of `changes`, each with its version, which are only ever added.

Names, titles, counts and the status of things write theirs by triggers (schema/006_history.sql).

In: edges that came or went. Out: rows. Never: a commit of its own.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

WHAT = (
    "came", "found", "went", "back", "edited", "renamed", "retitled", "moved", "gone", "forbidden", "returned",
    "emptied", "forgotten",
)  # fmt: skip
REASONS = ("withdrawn", "gone", "unknown")  # of what went; of what a list leaves out that the service makes up, none


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


@dataclass(frozen=True, slots=True)
class Summary:
    """How many changes there are of each kind there is any of, and for which reasons edges went; when the first of them
    was seen, None without any.
    """

    first_at: str | None
    counts: dict[str, int]
    reasons: dict[str, int]


def summed(connection: sqlite3.Connection, since: int, *, only: str = "", thing_id: int | None = None) -> Summary:
    """Sum up the changes later than a version; with `only` those alone for which that condition holds, `AND ...` in SQL
    with the `thing_id` as `:id`.
    """
    first_at, *numbers = connection.execute(summed_sql(only), {"since": since, "id": thing_id}).fetchone()
    counts = {what: n for what, n in zip(WHAT, numbers, strict=False) if n}
    reasons = {reason: n for reason, n in zip(REASONS, numbers[len(WHAT) :], strict=True) if n}
    return Summary(first_at, counts, reasons)


@cache
def summed_sql(only: str = "") -> str:
    """Write the query that sums up. It goes through the changes once and holds one row of them; to group them would be
    to sort them first, on the disk where they are a million.
    """
    counts = [f"count(*) FILTER (WHERE what = '{what}')" for what in WHAT]
    counts += [f"count(*) FILTER (WHERE what = 'went' AND coalesce(reason, 'unknown') = '{why}')" for why in REASONS]
    return f"""
        SELECT (SELECT at FROM changes WHERE version > :since {only} ORDER BY version LIMIT 1), {", ".join(counts)}
        FROM changes WHERE version > :since {only}
    """  # noqa: S608 - our own words


def as_ids(values: Mapping[str, int | str | None]) -> str:
    """Write key columns with their values as they stand in `changes.ids`."""
    return json.dumps(values, separators=(",", ":"))
