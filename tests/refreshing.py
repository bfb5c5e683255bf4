"""Crawl a world, let it move, refresh the file, and compare that with the truth of the moment."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harvest.lists import KINDS
from harvest.models import Limits
from harvest.rules import RULES
from harvest.simulator import Drift, Server, World
from harvest.simulator.truth.changes import Changes
from harvest.store.refreshes import Refresh
from harvest.system.clock import SystemClock
from tests.crawling import crawl_together, read

EVERYTHING = tuple(kind.option for kind in KINDS.values() if kind.subject in RULES and not kind.own)
BUSY = Drift(
    come=0.02, go=0.02, people_go=0.01, tracks_go=0.01, playlists_go=0.01, uploads=0.01, renames=0.02, edits=0.2
)
LIMITS = Limits(max_users=15, max_tracks=5, read=EVERYTHING, seed_read=EVERYTHING)
PAGE = 20
BEGAN = datetime(2026, 11, 2, tzinfo=UTC)  # of a world's first day
# What a list of the other side tells as well: table, type of edge -> the kind of list of the person, and its columns.
_TOLD_BY = {
    ("user_engagements", "like"): ("user_likes", "user_id", "track_id"),
    ("user_engagements", "repost"): ("user_reposts", "user_id", "track_id"),
    ("playlist_engagements", "like"): ("user_playlist_likes", "user_id", "playlist_id"),
    ("playlist_engagements", "repost"): ("user_playlist_reposts", "user_id", "playlist_id"),
    ("user_follows", None): ("user_followings", "follower_id", "followee_id"),
    ("station_likes", None): ("user_station_likes", "user_id", "station_id"),
    ("playlist_tracks", None): ("playlist_tracks", "playlist_id", "track_id"),
    ("comments", None): ("track_comments", "track_id", "id"),
    ("web_profiles", None): ("user_links", "user_id", "id"),
    ("tracks", None): ("user_tracks", "uploader_id", "id"),
    ("playlists", None): ("user_playlists", "owner_id", "id"),
}


class WorldClock(SystemClock):
    """Tells the day that it is in the served world."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def now(self) -> datetime:
        return BEGAN + timedelta(days=self._server.world.moment)


def a_world(seed: int, drift: Drift = BUSY) -> World:
    """Make a small world in which much changes."""
    return World(seed, users=40, tracks=80, seed_likers=20, seed_reposters=5, drift=drift)


async def first(path: Path, server: Server, faults: str = "") -> None:
    """Crawl the world as it is at first."""
    server.use(faults)
    await crawl_together(path, server, [(server.world.seed_url(), LIMITS)], page_size=PAGE)


async def refreshed(
    path: Path, server: Server, moment: float, refresh: Refresh, faults: str = "", **options: Any
) -> str:
    """Let the world move, and refresh the file; give why that ended."""
    server.move(moment)
    server.use(faults)
    return await crawl_together(path, server, [], refresh=refresh, page_size=PAGE, **options)


def untrue(path: Path, world: World) -> list[tuple[Any, ...]]:
    """Give the lists that the last refresh read whole and that are not as they are now: kind, subject, what they have
    too much, what they lack, how they were read.
    """
    found = []
    with closing(sqlite3.connect(path)) as db:
        for task_id, kind_name, subject in db.execute(
            """
            SELECT t.id, t.kind, t.subject_id
            FROM tasks AS t JOIN readings AS r ON r.task_id = t.id AND r.number = t.reading
            WHERE r.outcome = 'complete' AND r.refresh_id = (SELECT max(id) FROM refreshes)
            """
        ).fetchall():
            kind = KINDS[kind_name]
            edge = kind.edge
            assert edge is not None
            truth = list(world.listing(kind_name, subject))
            if not edge.repeats:
                truth = list(dict.fromkeys(truth))
            of_type = f"AND {edge.type_column} = '{edge.engagement_type}'" if edge.engagement_type else ""
            rows = db.execute(
                f"SELECT {edge.item} FROM {edge.table} WHERE {edge.subject} = ? AND {edge.rank} IS NOT NULL {of_type}"
                f" ORDER BY {edge.rank}",
                (subject,),
            )
            have = [row[0] for row in rows]
            if have != truth:
                readings = db.execute(
                    "SELECT number, outcome, claimed, collected FROM readings WHERE task_id = ?", (task_id,)
                ).fetchall()
                too_much = [item for item in have if item not in truth]
                lacks = [item for item in truth if item not in have]
                found.append((kind_name, subject, too_much, lacks, readings))
    return found


def stream(path: Path, since: int = 0) -> list[tuple[Any, ...]]:
    """Give the changes later than a version without their versions, times and pages, in an order of their own."""
    rows = read(path, 'SELECT what, "table", ids, old, new, reason FROM changes WHERE version > ?', since)
    return sorted(rows, key=repr)


def newest(path: Path) -> int:
    """Give the newest version."""
    return int(read(path, "SELECT coalesce(max(version), 0) FROM changes")[0][0])


def reasons(path: Path, before: World, after: World, since: int) -> list[tuple[str, str, str]]:
    """Give what went since a version, each as ids, the reason given, and the true one: 'there' where it stands at the
    later moment, 'before' where it had gone by the earlier one.
    """
    changes, told = Changes(before, after), []
    for table, ids, reason in read(
        path, "SELECT \"table\", ids, reason FROM changes WHERE what = 'went' AND version > ?", since
    ):
        values = json.loads(ids)
        key = table, values.get("engagement_type")
        if key not in _TOLD_BY:
            continue
        kind, subject, item = _TOLD_BY[key]
        if subject not in values:  # a comment is named by its number alone
            values[subject] = read(path, f"SELECT {subject} FROM past_{table} WHERE id = ?", values["id"])[0][0]
        went = changes.of_list(kind, values[subject]).went
        stands = "there" if values[item] in after.listing(kind, values[subject]) else "before"
        if table == "playlist_tracks" and stands == "there":  # one of its places alone, which a fault may have made
            left = read(
                path,
                "SELECT count(*) FROM playlist_tracks WHERE (playlist_id, track_id) = (?, ?)",
                values[subject],
                values[item],
            )[0][0]
            if left:
                stands = "before"
        told.append((ids, reason, went.get(values[item], stands)))
    return told


def tables(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Give what stands now and what is past, without pages, times and numbers that two files give differently."""
    queries: dict[str, Sequence[str]] = {
        "user_engagements": ("user_id", "track_id", "engagement_type", "user_list_rank", "track_list_rank"),
        "past_engagements": ("user_id", "track_id", "engagement_type", "user_list_rank", "track_list_rank", "reason"),
        "user_follows": ("follower_id", "followee_id", "followers_list_rank", "followings_list_rank"),
        "past_follows": ("follower_id", "followee_id", "followers_list_rank", "followings_list_rank", "reason"),
        "playlist_tracks": ("playlist_id", "position", "track_id"),
        "past_playlist_tracks": ("playlist_id", "position", "track_id", "reason"),
        "playlist_engagements": ("user_id", "playlist_id", "engagement_type", "user_list_rank", "playlist_list_rank"),
        "past_playlist_engagements": (
            "user_id",
            "playlist_id",
            "engagement_type",
            "user_list_rank",
            "playlist_list_rank",
            "reason",
        ),
        "comments": ("id", "track_id", "user_id", "track_list_rank"),
        "past_comments": ("id", "track_id", "user_id", "track_list_rank", "reason"),
        "station_likes": ("user_id", "station_id", "user_list_rank"),
        "past_station_likes": ("user_id", "station_id", "user_list_rank", "reason"),
        "web_profiles": ("id", "user_id", "user_list_rank", "url"),
        "past_web_profiles": ("id", "user_id", "user_list_rank", "url", "reason"),
        "related_tracks": ("track_id", "related_track_id", "method", "rank"),
        "unexplained": ("kind", "subject_id", "item_id", "place"),
        "reading_items": ("item_id",),
        "users": ("id", "username", "status"),
        "tracks": ("id", "title", "status", "uploader_list_rank"),
        "playlists": ("id", "title", "status", "owner_list_rank"),
    }
    return {
        table: sorted(read(path, f"SELECT {', '.join(columns)} FROM {table}"), key=repr)
        for table, columns in queries.items()
    }
