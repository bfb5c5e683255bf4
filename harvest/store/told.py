"""The row in which a crawl tells those who look from outside how it goes."""

from __future__ import annotations

import sqlite3
from dataclasses import astuple, dataclass, fields


@dataclass(frozen=True, slots=True)
class Told:
    """What a crawl tells those who look from outside: a row of `progress`."""

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


_TELL = f"""
INSERT OR REPLACE INTO progress (id, {", ".join(f.name for f in fields(Told))})
VALUES (1, {", ".join("?" * len(fields(Told)))})
"""  # noqa: S608 - built from our own field names


def tell(connection: sqlite3.Connection, told: Told) -> None:
    """Leave word for those who look from outside."""
    connection.execute(_TELL, astuple(told))


def told(connection: sqlite3.Connection) -> Told | None:
    """Give the last word a crawl left in this file."""
    names = [f.name for f in fields(Told)]
    row = connection.execute(f"SELECT {', '.join(names)} FROM progress").fetchone()  # noqa: S608 - our own field names
    return Told(**{**dict(zip(names, row, strict=True)), "at_least": bool(row[11])}) if row else None
