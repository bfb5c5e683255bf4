"""Read and keep pages that were fetched before, without a network: what of a page's cost is whose.

The store is the real one; only the asking is left out.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harvest.api import cursors, endpoints, parse
from harvest.lists import KINDS, LOOKUP
from harvest.models import Limits, Page, Task
from harvest.store import harvests, runs
from harvest.store.commit import PageCommitter
from harvest.store.database import fold_wal, immediately, open_for_crawl
from harvest.store.frontier import Frontier
from harvest.store.schema import apply_schema
from tests.bench.standard import LIKES

_NOW = "2026-11-21T12:00:00Z"
_API = "http://127.0.0.1:1"


@dataclass
class Replayed:
    """CPU seconds for reading and keeping, wall seconds of each page's commit."""

    pages: int = 0
    read: float = 0.0
    keep: float = 0.0
    pauses: list[float] = field(default_factory=list)

    @property
    def wall(self) -> float:
        """Seconds of all commits."""
        return sum(self.pauses)


def replay(
    path: Path, seed_track: bytes, fetched: dict[str, bytes], *, synchronous: str = "NORMAL", pages_per_commit: int = 1
) -> Replayed:
    """Crawl into a new file from pages in memory."""
    db = open_for_crawl(path)
    db.conn.execute(f"PRAGMA synchronous = {synchronous}")
    with immediately(db):
        apply_schema(db)
        people = {request.partition("?")[0] for request in fetched if request.startswith("/users/")}
        limits = Limits(max_users=len(people), max_user_likes=LIKES)
        harvest_id = harvests.enrol(db.conn, ["https://soundcloud.com/a/b"], limits, _NOW)
        run_id = runs.start_run(db.conn, now=_NOW, options={}, api_url=_API, credential_kind="replay")
        harvests.begin(db.conn, [harvest_id], _NOW)
    frontier, found = Frontier(db.conn), Replayed()
    writer: Any = db if pages_per_commit == 1 else _Together(db.conn, pages_per_commit)
    committer = PageCommitter(writer, run_id, canonical=cursors.canonical)
    while (task := _next_task(frontier, db, run_id)) is not None:
        going: Task | None = task
        while going is not None:
            began = time.process_time()
            page = _read(going, seed_track, fetched)
            found.read += time.process_time() - began
            with _timing(found):
                receipt = committer.keep(going, page, Counter({200: 1}))
            found.pages += 1
            going = receipt.task if receipt.outcome is None else None
    with _timing(found):
        if db.conn.in_transaction:
            db.conn.execute("COMMIT")
        fold_wal(db.conn)
    db.conn.close()
    return found


def _next_task(frontier: Frontier, db: Any, run_id: int) -> Task | None:
    """Claim a list, in the next round when this one has none."""
    task = frontier.claim()
    if task is None:
        if db.conn.in_transaction:
            db.conn.execute("COMMIT")
        with immediately(db):
            more = harvests.next_round(db.conn, run_id, _NOW)
        return frontier.claim() if more else None
    return task


def _read(task: Task, seed_track: bytes, fetched: dict[str, bytes]) -> Page:
    if task.kind == LOOKUP.name:
        page, request, cursor = Page(request="", items=(), received=0), "/users", None
    elif task.about is not None:
        page, request, cursor = parse.parse_thing(seed_track, "track"), "/resolve", None
    else:
        kind = KINDS[task.kind]
        request = endpoints.request(task, kind).path_and_query
        page, next_href = parse.parse_page(fetched[request], kind)
        parameters = endpoints.list_parameters(task, kind)
        cursor = cursors.follow(next_href, asked=request, parameters=parameters, api_base=_API)
    return replace(page, request=request, next_cursor=cursor, fetched_at=_NOW, elapsed_ms=1, size_bytes=1)


@contextlib.contextmanager
def _timing(found: Replayed) -> Iterator[None]:
    cpu, wall = time.process_time(), time.perf_counter()
    yield
    found.keep += time.process_time() - cpu
    found.pauses.append(time.perf_counter() - wall)


class _Together:
    """A database whose transactions are brought together, so many at a time: what harvest does not do."""

    def __init__(self, connection: sqlite3.Connection, pages: int) -> None:
        self.conn, self._pages, self._n = connection, pages, 0

    @contextlib.contextmanager
    def atomic(self) -> Iterator[None]:
        if not self.conn.in_transaction:
            self.conn.execute("BEGIN")
        yield
        self._n += 1
        if self._n % self._pages == 0:
            self.conn.execute("COMMIT")
