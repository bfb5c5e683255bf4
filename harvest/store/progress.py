"""The row of `progress`, by which other processes know how a crawl goes.

In: how it goes. Out: that one row, or what stands there. Never: a commit of its own.
"""

from __future__ import annotations

import sqlite3
from dataclasses import astuple, dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """How a crawl goes, as it said last; the units are those of the columns (schema/README.md)."""

    run_id: int
    told_at: str
    phase: str
    depth: int
    in_flight: int
    per_second: float
    allowed_per_second: float | None
    waiting_for: str | None
    waiting_until: str | None
    waited_ms: int
    requests_left: int
    at_least: bool
    seconds_left: float | None


_COLUMNS = ", ".join(f.name for f in fields(ProgressRow))
_WRITE = f"""
INSERT OR REPLACE INTO progress (id, {_COLUMNS})
VALUES (1, {", ".join("?" * len(fields(ProgressRow)))})
"""  # noqa: S608 - built from our own field names


def write_progress(connection: sqlite3.Connection, progress: ProgressRow) -> None:
    """Write how the crawl into this file goes."""
    connection.execute(_WRITE, astuple(progress))


def read_progress(connection: sqlite3.Connection) -> ProgressRow | None:
    """Give what the last crawl into this file wrote, None before the first one has."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM progress").fetchone()  # noqa: S608 - our own field names
    if row is None:
        return None
    progress = ProgressRow(*row)
    return replace(progress, at_least=bool(progress.at_least))
