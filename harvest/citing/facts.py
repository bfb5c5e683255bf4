"""What is to be said of how a file was made, read from its ledger in one look.

In: a connection. Out: Facts. Never: a write.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from harvest.api.seed_urls import public_address
from harvest.models import MOST, Limits
from harvest.store import rounds
from harvest.store.rounds import Choice
from harvest.store.samples import Judged, coverages
from harvest.terms import is_made_up


@dataclass(frozen=True, slots=True)
class Started:
    """One harvest: its seeds by kind of thing and address, options, and the people it listed, followed and judged.

    `followed` and `drawn` are of the first round that leads to people, `chances` those of people around the seeds.
    """

    id: int
    state: str
    limits: Limits
    seeds: tuple[tuple[str, str], ...]
    listed: int
    followed: int
    drawn: int
    controls: int  # of them, drawn at random beside those that a rule chose
    chances: tuple[float, ...]
    mark: int | None
    judged: tuple[Judged, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan that was saved before the crawl: its hash, and the first run that followed it."""

    digest: str
    run_id: int
    begun_at: str


@dataclass(frozen=True, slots=True)
class Facts:
    """How a file was made. `lists` has counts by kind and outcome, `requests` those of all runs."""

    versions: tuple[str, ...]
    made_up: bool
    service: str
    first_page_at: str | None
    last_page_at: str | None
    runs: int
    requests: int
    users: int
    tracks: int
    likes: int
    reposts: int
    lists: dict[str, dict[str, int]]
    harvests: tuple[Started, ...]
    plans: tuple[Plan, ...]
    refreshed: int

    def ended(self, *outcomes: str, kind: str | None = None) -> int:
        """Count the lists, of one kind or of all, that ended in one of these outcomes, or in any."""
        chosen = [by for name, by in self.lists.items() if kind in (None, name)]
        return sum(n for by in chosen for outcome, n in by.items() if not outcomes or outcome in outcomes)


def facts(connection: sqlite3.Connection, judged: Sequence[Judged] | None = None) -> Facts:
    """Read how a file was made; `judged` is the coverage of its samples, where that is known already."""
    versions = connection.execute("SELECT DISTINCT version FROM runs ORDER BY id").fetchall()
    addresses = [row[0] for row in connection.execute("SELECT DISTINCT api_url FROM runs ORDER BY id")]
    first, last = connection.execute("SELECT min(fetched_at), max(fetched_at) FROM pages").fetchone()
    (runs,) = connection.execute("SELECT count(*) FROM runs").fetchone()
    (requests,) = connection.execute("SELECT coalesce(sum(n), 0) FROM run_requests").fetchone()
    users, tracks, likes, reposts = connection.execute("SELECT users, tracks, likes, reposts FROM totals").fetchone()
    (refreshed,) = connection.execute("SELECT count(*) FROM refreshes WHERE state = 'done'").fetchone()
    address = addresses[0] if addresses else ""
    return Facts(
        versions=tuple(row[0] for row in versions),
        made_up=is_made_up(address),
        service=urlsplit(address).hostname or address,
        first_page_at=first,
        last_page_at=last,
        runs=runs,
        requests=requests,
        users=users,
        tracks=tracks,
        likes=likes,
        reposts=reposts,
        lists=_lists(connection),
        harvests=tuple(_harvests(connection, coverages(connection) if judged is None else judged)),
        plans=tuple(_plans(connection)),
        refreshed=refreshed,
    )


def _lists(connection: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """Count the ended lists by kind and outcome; look-ups are none."""
    found: dict[str, dict[str, int]] = {}
    for kind, outcome, n in connection.execute(
        """
        SELECT t.kind, t.outcome, count(*) FROM tasks AS t
        WHERE t.outcome IS NOT NULL AND t.kind NOT IN ('resolve', 'lookup') GROUP BY t.kind, t.outcome
        ORDER BY t.kind, t.outcome
        """
    ):
        found.setdefault(kind, {})[outcome] = n
    return found


def _harvests(connection: sqlite3.Connection, judged: Sequence[Judged]) -> Iterator[Started]:
    for harvest_id, state, options, mark in connection.execute(
        "SELECT id, state, coalesce(last_options, options), mark FROM harvests ORDER BY id"
    ).fetchall():
        seeds = connection.execute(
            """
            SELECT coalesce(d.thing, 'seed'), d.address FROM harvest_seeds AS s JOIN seeds AS d ON d.id = s.seed_id
            WHERE s.harvest_id = ? ORDER BY s.place
            """,
            (harvest_id,),
        ).fetchall()
        limits = Limits.load(options)
        listed = sum(_listed(connection, choice) for choice in rounds.draws(connection, harvest_id, limits))
        followed, drawn, controls = connection.execute(
            """
            SELECT count(*), count(chance), count(*) FILTER (WHERE chance < 1) FROM visits
            WHERE harvest_id = ?1 AND thing = 'user' AND place IS NOT NULL AND round = (
                SELECT min(round) FROM visits
                WHERE harvest_id = ?1 AND thing = 'user' AND round > 0 AND place IS NOT NULL
            )
            """,
            (harvest_id,),
        ).fetchone()
        chances = connection.execute(
            "SELECT DISTINCT chance FROM visits WHERE harvest_id = ? AND round = 1 AND chance IS NOT NULL ORDER BY 1",
            (harvest_id,),
        ).fetchall()
        yield Started(
            id=harvest_id,
            state=state,
            limits=limits,
            seeds=tuple((thing, public_address(address)) for thing, address in seeds),
            listed=listed,
            followed=followed,
            drawn=drawn,
            controls=controls if limits.controls else 0,
            chances=tuple(row[0] for row in chances),
            mark=mark,
            judged=tuple(one for one in judged if one.harvest_id == harvest_id),
        )


def _listed(connection: sqlite3.Connection, choice: Choice) -> int:
    """Count the people listed around the seeds, each once."""
    sql = f"SELECT count(DISTINCT user_id) FROM ({choice.sql})"  # noqa: S608 - our own text
    return int(connection.execute(sql, {**choice.parameters, "most": MOST}).fetchone()[0])


def _plans(connection: sqlite3.Connection) -> Iterator[Plan]:
    """Give the plans that runs followed, each once."""
    seen: dict[str, Plan] = {}
    for run_id, begun_at, options in connection.execute("SELECT id, started_at, options FROM runs ORDER BY id"):
        told: Any = json.loads(options)
        digest = told.get("plan") if isinstance(told, dict) else None
        if isinstance(digest, str):
            seen.setdefault(digest, Plan(digest, run_id, begun_at))
    yield from seen.values()
