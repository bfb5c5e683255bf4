"""What the first page says of a file, as it is at this moment. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harvest.api.seed_urls import public_address
from harvest.report.ledger import LedgerRows
from harvest.report.rows import ListsEnded
from harvest.report.statements import query
from harvest.things import THINGS

LEDGER = query("ledger")
_SEEDS = 12  # shown; a file may have ten thousand


@dataclass(frozen=True, slots=True)
class SeedLink:
    """A seed: what it is, its title, its page; the address it was given by where nothing is known of it."""

    thing: str | None
    thing_id: int | None
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Glance:
    """What is in the file, where it began, how its harvests stand (state → how many), how whole its lists are."""

    totals: Mapping[str, int]
    seeds: tuple[SeedLink, ...]
    seed_count: int
    states: Mapping[str, int]
    last_at: str | None
    ledger: LedgerRows | None = None


def glance(connection: sqlite3.Connection) -> Glance:
    """Read all of it but the ledger, which may take long."""
    totals = connection.execute("SELECT users, tracks, likes, reposts FROM totals").fetchone()
    seeds = connection.execute("SELECT address, thing, thing_id FROM seeds ORDER BY id LIMIT ?", (_SEEDS,)).fetchall()
    (last_at,) = connection.execute("SELECT (SELECT fetched_at FROM pages ORDER BY id DESC LIMIT 1)").fetchone()
    return Glance(
        totals=dict(zip(("people", "tracks", "likes", "reposts"), totals, strict=True)),
        seeds=tuple(_seed(connection, *seed) for seed in seeds),
        seed_count=connection.execute("SELECT count(*) FROM seeds").fetchone()[0],
        states=dict(tuple(row) for row in connection.execute("SELECT state, count(*) FROM harvests GROUP BY state")),
        last_at=last_at,
    )


def ledger(rows: Iterable[Sequence[Any]]) -> LedgerRows:
    """Add up how the lists ended, from what LEDGER gives."""
    return LedgerRows([ListsEnded(*row) for row in rows])


def _seed(connection: sqlite3.Connection, address: str, thing: str | None, thing_id: int | None) -> SeedLink:
    """Give title and page of what an address led to; the address itself where they are not known."""
    found = None
    if thing is not None:
        kind = THINGS[thing]
        found = connection.execute(
            f"SELECT {kind.label}, permalink_url FROM {kind.table} WHERE id = ?",  # noqa: S608 - our own declarations
            (thing_id,),
        ).fetchone()
    title, url = found or (None, None)
    return SeedLink(thing, thing_id, title or public_address(address), url or public_address(address))
