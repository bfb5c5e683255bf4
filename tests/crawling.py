"""Crawl a simulated world inside a test and compare the file with the truth, whole."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from harvest.client.budget import Budget
from harvest.crawler.engine import Engine
from harvest.crawler.session import Conditions, crawl
from harvest.errors import ApiError
from harvest.models import Limits, Outcome, Page, Receipt, Task
from harvest.settings import Settings
from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Server, Truth, World, serve
from harvest.simulator.oracle import Oracle
from harvest.store.refreshes import Refresh
from harvest.store.sweeps import Sweep
from harvest.system.clock import Clock, SystemClock
from harvest.wiring import connect
from tests.unused import unused

USER_COLUMNS = (
    "username",
    "permalink_url",
    "avatar_url",
    "station_urn",
    "created_at",
    "followers_count",
    "followings_count",
    "track_count",
    "playlist_count",
    "likes_given_count",
    "reposts_given_count",
    "seen_as",
)
TRACK_COLUMNS = (
    "uploader_id",
    "title",
    "permalink_url",
    "created_at",
    "duration_ms",
    "genre",
    "label_name",
    "isrc",
    "bpm",
    "key_signature",
    "metadata_artist",
    "license",
    "release_date",
    "description",
    "artwork_url",
    "playback_count",
    "likes_count",
    "reposts_count",
    "comment_count",
    "download_count",
    "access",
    "sharing",
    "release",
    "purchase_url",
    "purchase_title",
    "waveform_url",
    "station_urn",
    "available_country_codes",
    "downloadable",
    "reveal_stats",
    "seen_as",
    "uploader_list_rank",
)
PLAYLIST_COLUMNS = (
    "owner_id",
    "title",
    "permalink_url",
    "created_at",
    "track_count",
    "likes_count",
    "duration_ms",
    "playlist_type",
    "genre",
    "label_name",
    "sharing",
    "artwork_url",
    "description",
    "owner_list_rank",
)
STATION_COLUMNS = (
    "urn",
    "title",
    "description",
    "permalink_url",
    "artwork_url",
    "updated_at",
    "track_count",
    "likes_count",
)
SEARCH_COLUMNS = ("address", "what", "words", "filters", "permalink_url", "status")
LINK_COLUMNS = ("user_id", "url", "service", "title", "username", "created_at", "user_list_rank")
COMMENT_COLUMNS = ("track_id", "user_id", "created_at", "timestamp_ms", "body", "track_list_rank")
PARTS = (
    "searches",
    "found",
    "engagements",
    "follows",
    "playlist_engagements",
    "playlist_tracks",
    "station_tracks",
    "station_likes",
    "related",
    "users",
    "tracks",
    "tags",
    "playlists",
    "stations",
    "comments",
    "links",
    "lists",
    "visits",
)
Start = str | Sequence[str]  # the seed of a harvest, or several
Session = Sequence[tuple[Start, Limits]]  # what is crawled together


class Onlooker:
    """Remembers what a crawl told of itself, and may stop it."""

    def __init__(self, stop_after_pages: int | None = None) -> None:
        self.pages: list[tuple[str, int, int]] = []
        self.failed: list[tuple[str, int, str]] = []
        self.levels = 0
        self.engine: Engine | None = None
        self._stop_after = stop_after_pages

    def page_committed(self, task: Task, page: Page, receipt: Receipt) -> None:
        self.pages.append((task.kind, task.subject_id, task.page_number))
        if self._stop_after is not None and len(self.pages) >= self._stop_after:
            assert self.engine is not None
            self.engine.stop()

    def list_failed(self, task: Task, error: ApiError, outcome: Outcome) -> None:
        self.failed.append((task.kind, task.subject_id, outcome.value))

    def level_begun(self) -> None:
        self.levels += 1

    def started(self, engine: Engine) -> None:
        self.engine = engine


def settings_for(server: Server, **changes: Any) -> Settings:
    usual = {"api_url": server.url, "auth_url": server.url, "hold_seconds": 0.05, "retry_seconds": 0.01}
    return Settings(client_id=DEMO_CLIENT_ID, client_secret=DEMO_CLIENT_SECRET, **{**usual, **changes})


async def crawl_into(
    path: Path,
    server: Server,
    seeds: Sequence[Start] | None = None,
    limits: Limits | None = None,
    **options: Any,
) -> str:
    """Crawl a served world, each of `seeds` a harvest of its own; give the reason of the stop."""
    together = [(seed, limits or Limits()) for seed in seeds or [server.world.seed_url()]]
    return await crawl_together(path, server, together, **options)


async def crawl_together(
    path: Path,
    server: Server,
    together: Session,
    *,
    onlooker: Onlooker | None = None,
    page_size: int = 200,
    max_in_flight: int = 8,
    delay: float = 0.0,
    clock: Clock | None = None,
    refresh: Refresh | None = None,
    budget: Budget | None = None,
    sweep: Sweep | None = None,
    keep_replies: bool = False,
    profiles: str = "minimal",
    retain: float | None = None,
    **settings: Any,
) -> str:
    """Crawl some harvests at once, each with its own options; give the reason of the stop."""
    onlooker = onlooker or Onlooker()
    clock = clock or SystemClock()
    wanted = [([seeds] if isinstance(seeds, str) else list(seeds), limits) for seeds, limits in together]
    async with connect(
        settings_for(server, **settings),
        clock=clock,
        delay=delay,
        max_in_flight=max_in_flight,
        budget=budget,
        profiles=profiles,
    ) as connection:
        return await crawl(
            path,
            wanted,
            client=connection.client,
            conditions=Conditions(
                server.url,
                connection.bearer.kind,
                {"profiles": profiles},
                max_in_flight=max_in_flight,
                page_size=page_size,
                keep_replies=keep_replies,
                retain=retain,
            ),
            witness=onlooker,
            clock=clock,
            on_start=onlooker.started,
            refresh=refresh,
            budget=budget,
            sweep=sweep,
        )


def crawl_sessions(path: Path, world: World, *sessions: Session, **options: Any) -> list[int]:
    """Crawl a world session after session into one file; give how many requests each took."""

    async def one_by_one() -> list[int]:
        totals = [0]
        async with serve(world, gzip=False) as server:
            for together in sessions:
                assert await crawl_together(path, server, together, **options) == "drained"
                totals.append(server.total)
        return [after - before for before, after in pairwise(totals)]

    _begin(path)
    return asyncio.run(one_by_one())


def crawl_world(
    path: Path,
    world: World,
    seeds: Sequence[Start] | None = None,
    limits: Limits | None = None,
    *,
    server_options: dict[str, Any] | None = None,
    **options: Any,
) -> Server:
    """Serve a world, crawl it, give the server with what was asked of it."""

    async def both() -> Server:
        async with serve(world, **{"gzip": False, "keep_log": True, **(server_options or {})}) as server:
            assert await crawl_into(path, server, seeds, limits, **options) == "drained"
        return server

    _begin(path)
    return asyncio.run(both())


def _begin(path: Path) -> None:
    if not path.exists():
        path.write_bytes(unused())


def read(path: Path, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql, parameters).fetchall()
    finally:
        connection.close()


def contents(path: Path) -> dict[str, Any]:
    """Read a file the way the truth is told."""
    with closing(sqlite3.connect(path)) as connection:  # one for all: each begins with reading the whole schema
        return _contents(connection)


def _contents(db: sqlite3.Connection) -> dict[str, Any]:
    tags: dict[int, set[str]] = {row[0]: set() for row in db.execute("SELECT id FROM tracks")}
    for track_id, name in db.execute("SELECT tt.track_id, t.name FROM track_tags tt JOIN tags t ON t.id = tt.tag_id"):
        tags[track_id].add(name)
    return {
        "engagements": _edges(
            db, "SELECT user_id, track_id, engagement_type, user_list_rank, track_list_rank FROM user_engagements"
        ),
        "follows": _edges(
            db, "SELECT follower_id, followee_id, followings_list_rank, followers_list_rank FROM user_follows"
        ),
        "playlist_engagements": _edges(
            db,
            "SELECT user_id, playlist_id, engagement_type, user_list_rank, playlist_list_rank"
            " FROM playlist_engagements",
        ),
        "playlist_tracks": {
            row[:2]: row[2] for row in db.execute("SELECT playlist_id, position, track_id FROM playlist_tracks")
        },
        "station_tracks": {
            row[:2]: row[2] for row in db.execute("SELECT station_id, position, track_id FROM station_tracks")
        },
        "station_likes": _edges(db, "SELECT user_id, station_id, 'like', user_list_rank, NULL FROM station_likes"),
        "related": _edges(
            db,
            "SELECT track_id, related_track_id, 'related', rank, NULL FROM related_tracks"
            " WHERE method = 'soundcloud' AND score IS NULL AND first_page_id IS NOT NULL",
        ),
        "users": _rows(db, "users", USER_COLUMNS),
        "tracks": _rows(db, "tracks", TRACK_COLUMNS),
        "tags": {track_id: frozenset(names) for track_id, names in tags.items()},
        "playlists": _rows(db, "playlists", PLAYLIST_COLUMNS),
        "stations": _rows(db, "stations", STATION_COLUMNS),
        "comments": _rows(db, "comments", COMMENT_COLUMNS),
        "links": _rows(db, "web_profiles", LINK_COLUMNS),
        "searches": {
            key: {**row, "filters": json.loads(row["filters"])}
            for key, row in _rows(db, "searches", SEARCH_COLUMNS).items()
        },
        "found": {row[:2]: row[2] for row in db.execute("SELECT search_id, thing_id, rank FROM search_results")},
        "lists": {
            (row[0], row[1]): tuple(row[2:])
            for row in db.execute(
                "SELECT kind, subject_id, outcome, collected, claimed FROM tasks"
                " WHERE kind NOT IN ('resolve', 'lookup')",
            )
        },
        "visits": {
            row[:3]: row[3:]
            for row in db.execute(
                "SELECT dense_rank() OVER (ORDER BY harvest_id) - 1, thing, thing_id, round, place, depth, chance"
                " FROM visits WHERE place IS NOT NULL",
            )
        },
    }


def _edges(db: sqlite3.Connection, sql: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Read edges with their ranks, the last two columns, by the others."""
    return {row[:-2]: row[-2:] for row in db.execute(sql)}


def _rows(db: sqlite3.Connection, table: str, columns: Sequence[str]) -> dict[int, dict[str, Any]]:
    return {
        row[0]: dict(zip(columns, row[1:], strict=True))
        for row in db.execute(f"SELECT id, {', '.join(columns)} FROM {table}")
    }


def told(truth: Truth) -> dict[str, Any]:
    """Give the truth in the same form."""
    visits = {
        (place, visit.thing, visit.id): (visit.round, visit.place, visit.depth, visit.chance)
        for place, chosen in enumerate(truth.visits)
        for visit in chosen
    }
    return {name: visits if name == "visits" else dict(getattr(truth, name)) for name in PARTS}


def assert_exact(
    path: Path,
    world: World,
    seeds: Sequence[Start] | None = None,
    limits: Limits | None = None,
    *,
    page_size: int = 200,
) -> None:
    """Compare every edge, rank, thing, tag, count, list and visit of a file with the world it came from."""
    together = [(seed, limits or Limits()) for seed in seeds or [world.seed_url()]]
    assert_union(path, world, together, page_size=page_size)


def assert_union(path: Path, world: World, *sessions: Session, page_size: int = 200) -> None:
    """Compare as above a file into which was crawled session after session."""
    oracle = Oracle(world, page_size=page_size)
    for together in sessions:
        oracle.crawl(*[(seeds, asdict(limits)) for seeds, limits in together])
    assert_holds(path, told(oracle.truth))
    assert_sound(path)


def assert_holds(path: Path, expected: dict[str, Any]) -> None:
    """Compare a file with what it must hold, part by part."""
    found = contents(path)
    for part, rows in expected.items():
        assert found[part].keys() == rows.keys(), part
        wrong = {key: (found[part][key], row) for key, row in rows.items() if found[part][key] != row}
        assert wrong == {}, part


def assert_sound(path: Path) -> None:
    """Let SQLite check the file."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def graph_of(path: Path) -> dict[str, Any]:
    """Everything that must be equal between two crawls of one world: graph tables with ranks, and the ledger."""
    ledger = read(
        path,
        "SELECT t.kind, CASE WHEN t.kind IN ('resolve', 'lookup') THEN 0 ELSE t.subject_id END, p.reading, p.number,"
        " p.request,"
        " p.next_cursor, p.first_rank, p.received, p.skipped, p.kept FROM pages p JOIN tasks t ON t.id = p.task_id"
        " WHERE t.kind <> 'lookup'"  # who is looked up together depends on what is crawled together
        " ORDER BY 1, 2, 3, 4, 5",
    )
    wants = read(
        path,
        "SELECT (SELECT group_concat(s.address) FROM harvest_seeds hs JOIN seeds s ON s.id = hs.seed_id"
        " WHERE hs.harvest_id = w.harvest_id), t.kind,"
        " CASE WHEN t.kind IN ('resolve', 'lookup') THEN 0 ELSE t.subject_id END,"
        " w.depth, w.cap,"
        " w.listed_rank, w.chance, o.kind, CASE o.kind WHEN 'resolve' THEN 0 ELSE o.subject_id END FROM harvest_tasks w"
        " JOIN tasks t ON t.id = w.task_id"
        " LEFT JOIN tasks o ON o.id = w.parent_task_id ORDER BY 1, 2, 3",
    )
    return {**contents(path), "ledger": ledger, "wants": wants}
