"""Crawl a simulated world inside a test and compare the file with the truth, whole."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harvest.crawler.engine import Engine
from harvest.crawler.session import Conditions, crawl
from harvest.errors import ApiError
from harvest.models import Limits, Outcome, Page, Receipt, Task
from harvest.settings import Settings
from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Server, Truth, World, serve
from harvest.simulator.oracle import expect
from harvest.system.clock import Clock, SystemClock
from harvest.wiring import connect

USER_COLUMNS = (
    "username",
    "permalink_url",
    "avatar_url",
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
    "seen_as",
)


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
    seeds: Sequence[str] | None = None,
    limits: Limits | None = None,
    *,
    onlooker: Onlooker | None = None,
    page_size: int = 200,
    max_in_flight: int = 8,
    delay: float = 0.0,
    clock: Clock | None = None,
    **settings: Any,
) -> str:
    """Crawl a served world; give the reason of the stop."""
    onlooker = onlooker or Onlooker()
    clock = clock or SystemClock()
    wanted = [([url], limits or Limits()) for url in seeds or [server.world.seed_url()]]
    async with connect(
        settings_for(server, **settings), clock=clock, delay=delay, max_in_flight=max_in_flight
    ) as connection:
        return await crawl(
            path,
            wanted,
            client=connection.client,
            conditions=Conditions(server.url, connection.bearer.kind, max_in_flight=max_in_flight, page_size=page_size),
            witness=onlooker,
            clock=clock,
            on_start=onlooker.started,
        )


def crawl_world(
    path: Path,
    world: World,
    seeds: Sequence[str] | None = None,
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

    return asyncio.run(both())


def read(path: Path, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql, parameters).fetchall()
    finally:
        connection.close()


def contents(path: Path) -> dict[str, Any]:
    """Read a file the way the truth is told."""
    tags: dict[int, set[str]] = {row[0]: set() for row in read(path, "SELECT id FROM tracks")}
    for track_id, name in read(path, "SELECT tt.track_id, t.name FROM track_tags tt JOIN tags t ON t.id = tt.tag_id"):
        tags[track_id].add(name)
    return {
        "engagements": {
            tuple(row[:3]): tuple(row[3:])
            for row in read(
                path,
                "SELECT user_id, track_id, engagement_type, user_list_rank, track_list_rank FROM user_engagements",
            )
        },
        "users": {
            row[0]: dict(zip(USER_COLUMNS, row[1:], strict=True))
            for row in read(path, f"SELECT id, {', '.join(USER_COLUMNS)} FROM users")
        },
        "tracks": {
            row[0]: dict(zip(TRACK_COLUMNS, row[1:], strict=True))
            for row in read(path, f"SELECT id, {', '.join(TRACK_COLUMNS)} FROM tracks")
        },
        "tags": {track_id: frozenset(names) for track_id, names in tags.items()},
        "lists": {
            (row[0], row[1]): tuple(row[2:])
            for row in read(
                path,
                "SELECT kind, subject_id, outcome, collected, claimed FROM tasks WHERE kind <> 'resolve'",
            )
        },
    }


def told(truth: Truth) -> dict[str, Any]:
    """Give the truth in the same form."""
    return {name: dict(getattr(truth, name)) for name in ("engagements", "users", "tracks", "tags", "lists")}


def assert_exact(
    path: Path, world: World, seeds: Sequence[str] | None = None, limits: Limits | None = None, *, page_size: int = 200
) -> None:
    """Compare every edge, rank, user, track, tag, count and list of a file with the world it came from."""
    truth = told(expect(world, list(seeds) if seeds else None, **asdict(limits or Limits()), page_size=page_size))
    found = contents(path)
    for part, expected in truth.items():
        assert found[part].keys() == expected.keys(), part
        wrong = {key: (found[part][key], value) for key, value in expected.items() if found[part][key] != value}
        assert wrong == {}, part
    assert_sound(path)


def assert_sound(path: Path) -> None:
    """Let SQLite check the file."""
    assert read(path, "PRAGMA foreign_key_check") == []
    assert read(path, "PRAGMA integrity_check") == [("ok",)]


def graph_of(path: Path) -> dict[str, Any]:
    """Everything that must be equal between two crawls of one world (design 10.7): graph tables and ledger."""
    ledger = read(
        path,
        "SELECT t.kind, CASE t.kind WHEN 'resolve' THEN 0 ELSE t.subject_id END, p.number, p.request, p.next_cursor,"
        " p.first_rank, p.received, p.skipped, p.kept FROM pages p JOIN tasks t ON t.id = p.task_id ORDER BY 1, 2, 3",
    )
    wants = read(
        path,
        "SELECT h.seed_url, t.kind, CASE t.kind WHEN 'resolve' THEN 0 ELSE t.subject_id END, w.depth, w.cap,"
        " w.listed_rank, w.chance, o.kind, CASE o.kind WHEN 'resolve' THEN 0 ELSE o.subject_id END FROM harvest_tasks w"
        " JOIN harvests h ON h.id = w.harvest_id JOIN tasks t ON t.id = w.task_id"
        " LEFT JOIN tasks o ON o.id = w.parent_task_id ORDER BY 1, 2, 3",
    )
    return {**contents(path), "ledger": ledger, "wants": wants}
