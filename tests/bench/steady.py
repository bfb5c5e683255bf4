"""i. What must cost the same however much there is: a page of a long list, a page among many people, a seed among many.

The store alone, without a network: what claims, commits and chooses.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sqlite_utils import Database

from harvest.api.cursors import canonical
from harvest.models import Limits, Page, SeenAs, Task, Track, User
from harvest.store import harvests, runs
from harvest.store.commit import PageCommitter
from harvest.store.database import open_for_crawl
from harvest.store.frontier import Frontier
from harvest.store.schema import apply_schema
from tests.bench.line import Line, line_of

_NOW = "2026-11-21T12:00:00Z"
_OK = Counter({200: 1})
_PEOPLE_A_PAGE = 20
_ROUNDS = 3


def measure(*, quick: bool) -> Iterator[Line]:
    """Run the three, each in a file of its own."""
    pages = 4_000 if quick else 20_000
    ratios, figure = _long_list(pages)
    yield line_of("i", f"CPU of a page, last / first of {pages:,}", ratios, 1.2, noise=0.15, figure=figure)
    few, many = 10_000, 100_000 if quick else 1_000_000
    ratios, figure = _among_people(few, many)
    yield line_of(
        "i", f"CPU of a page, {many:.0e} / 1e4 people".replace("e+0", "e"), ratios, 1.2, noise=0.15, figure=figure
    )
    few, many = (500, 5_000) if quick else (1_000, 10_000)
    ratios, figure = _seeds(few, many)
    yield line_of("i", f"CPU of a seed, {many:,} / {few:,}", ratios, 1.2, noise=0.15, figure=figure)


def _long_list(pages: int) -> tuple[list[float], str]:
    """Read one list of likers page by page; compare its last tenth with its second."""
    costs = []
    with _books(Limits(max_listed=10**9), ["https://soundcloud.com/a/b"]) as (db, committer):
        frontier = Frontier(db.conn)
        _answer_seeds(db, frontier, committer)
        task: Task | None = next(task for task in iter(frontier.claim, None) if task.kind == "track_likers")
        for number in range(pages):
            page = _users_page(number, last=number == pages - 1)
            began = time.process_time()
            assert task is not None
            receipt = committer.keep(task, page, _OK)
            costs.append(time.process_time() - began)
            task = receipt.task
    tenth = pages // 10
    first, last = statistics.median(costs[tenth : 2 * tenth]), statistics.median(costs[-tenth:])
    return [last / first], f"{1000 * last:.2f} ms, {1000 * first:.2f} ms"


def _among_people(few: int, many: int) -> tuple[list[float], str]:
    """Read lists of likes at depth 3 in files that know so many people."""
    costs: dict[int, list[float]] = {few: [], many: []}
    for people, found in costs.items():
        with _books(Limits(depth=3), ["https://soundcloud.com/a/b"]) as (db, committer):
            _fill(db, people)
            frontier = Frontier(db.conn)
            for number in range(_ROUNDS * 300):
                began = time.process_time()
                task = frontier.claim()
                assert task is not None
                committer.keep(task, _tracks_page(number), _OK)
                found.append(time.process_time() - began)
    half = _ROUNDS * 150
    before, after = statistics.median(costs[few][half:]), statistics.median(costs[many][half:])
    return [after / before], f"{1000 * after:.2f} ms, {1000 * before:.2f} ms"


def _seeds(few: int, many: int) -> tuple[list[float], str]:
    """Enrol seeds, look them up, and want their lists."""
    costs: dict[int, list[float]] = {few: [], many: []}
    for _ in range(_ROUNDS):
        for seeds, found in costs.items():
            began = time.process_time()
            with _books(Limits(), [f"https://soundcloud.com/a/track-{n}" for n in range(seeds)]) as (db, committer):
                frontier = Frontier(db.conn)
                _answer_seeds(db, frontier, committer)
                assert db.execute("SELECT count(*) FROM visits").fetchone() == (seeds,)
                for _ in range(20):
                    assert frontier.claim() is not None
            found.append((time.process_time() - began) / seeds)
    pairs = zip(costs[many], costs[few], strict=True)
    figure = f"{1000 * statistics.median(costs[many]):.2f} ms, {1000 * statistics.median(costs[few]):.2f} ms"
    return [after / before for after, before in pairs], figure


class _books:
    """A new file in which one harvest is running, as (database, committer)."""

    def __init__(self, limits: Limits, addresses: list[str]) -> None:
        self._limits, self._addresses = limits, addresses

    def __enter__(self) -> tuple[Database, PageCommitter]:
        self._folder = tempfile.TemporaryDirectory()
        self._db = open_for_crawl(Path(self._folder.name) / "steady.db")
        with self._db.atomic():
            apply_schema(self._db)
            harvest_id = harvests.enrol(self._db.conn, self._addresses, self._limits, _NOW)
            run_id = runs.start_run(self._db.conn, now=_NOW, options={}, api_url="x", credential_kind="none")
            harvests.begin(self._db.conn, [harvest_id], _NOW)
        return self._db, PageCommitter(self._db, run_id, canonical=canonical)

    def __exit__(self, *error: object) -> None:
        self._db.conn.close()
        self._folder.cleanup()


def _answer_seeds(db: Database, frontier: Frontier, committer: PageCommitter) -> None:
    for number, task in enumerate(iter(frontier.claim, None), start=1):
        track = Track(number, *[None] * (len(Track._fields) - 2), SeenAs.FULL)
        committer.keep(task, Page("/r", (number,), 1, thing="track", tracks={number: track}, fetched_at=_NOW), _OK)
    with db.atomic():
        assert harvests.next_round(db.conn, 1, _NOW)


def _fill(db: Database, people: int) -> None:
    """Let so many people be visited, all read but the last thousand."""
    with db.atomic():
        db.execute("UPDATE harvests SET round = 5, level = 3")
        db.execute("UPDATE readings SET state = 'ended', outcome = 'complete'")
        db.execute(
            "INSERT INTO users (id, seen_as, first_seen_at, last_seen_on)"
            " WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " SELECT i * 7919 % 1000003 + i * 1000003, 'list', 'x', 'x' FROM n",
            [people],
        )
        db.execute(
            "INSERT INTO visits (harvest_id, thing, thing_id, round, depth, place)"
            " SELECT 1, 'user', id, 1 + 2 * (n % 3), 1 + n % 3, n"
            " FROM (SELECT id, row_number() OVER () AS n FROM users)"
        )
        db.execute(
            "INSERT INTO tasks (kind, subject_id, outcome, collected, claimed, pages_read)"
            " SELECT 'user_likes', thing_id, 'complete', 20, 20, 1 FROM visits ORDER BY place"
        )
        db.execute(
            "INSERT INTO readings (task_id, number, kind, state, outcome, collected, pages_read)"
            " SELECT id, 0, kind, iif(id <= ?, 'ended', 'todo'), iif(id <= ?, 'complete', NULL), 0, 1"
            " FROM tasks WHERE kind = 'user_likes'",
            [people - 1000, people - 1000],
        )
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _users_page(number: int, *, last: bool) -> Page:
    ids = tuple(range(number * _PEOPLE_A_PAGE + 1, (number + 1) * _PEOPLE_A_PAGE + 1))
    return Page(
        f"/tracks/1/favoriters?cursor={number}",
        ids,
        len(ids),
        next_cursor=None if last else f"/tracks/1/favoriters?cursor={number + 1}",
        users={i: User(i, f"user {i}", *[None] * (len(User._fields) - 3), SeenAs.LIST) for i in ids},
        fetched_at=_NOW,
    )


def _tracks_page(number: int) -> Page:
    ids = tuple(range(number * _PEOPLE_A_PAGE + 1, (number + 1) * _PEOPLE_A_PAGE + 1))
    tracks = {i: Track(i, None, f"track {i}", *[None] * (len(Track._fields) - 4), SeenAs.LIST) for i in ids}
    return Page(f"/users/{number}/likes", ids, len(ids), tracks=tracks, fetched_at=_NOW)
