"""The floor: the least a page can cost. A program of its own that shares nothing with harvest.

http.client over one kept connection, typed decoding of the fields that are kept, and plain `executemany` into tables
with the same columns: no constraints, no triggers, no ranks looked up, no births, no retries, no pace, nobody told.
The same pages are asked for, in the same order, and each is one transaction with the place to go on from.

Usage: `python tests/bench/floor.py URL TOKEN REQUESTS OUT`, where REQUESTS is a file with one path and query a line.
Prints one JSON object: pages, rows, and the CPU milliseconds a page spent on fetching, reading and writing.
"""

from __future__ import annotations

import http.client
import json
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec


class _User(msgspec.Struct, gc=False):
    urn: str
    username: str | None = None
    permalink_url: str | None = None
    avatar_url: str | None = None
    created_at: str | None = None
    followers_count: int | None = None
    followings_count: int | None = None
    track_count: int | None = None
    playlist_count: int | None = None
    public_favorites_count: int | None = None
    reposts_count: int | None = None


class _Track(msgspec.Struct, gc=False):
    urn: str | None = None
    id: int | None = None
    user: _User | None = None
    title: str | None = None
    permalink_url: str | None = None
    created_at: str | None = None
    duration: int | None = None
    genre: str | None = None
    label_name: str | None = None
    isrc: str | None = None
    bpm: float | None = None
    key_signature: str | None = None
    metadata_artist: str | None = None
    license: str | None = None
    release_year: int | None = None
    description: str | None = None
    artwork_url: str | None = None
    playback_count: int | None = None
    favoritings_count: int | None = None
    reposts_count: int | None = None
    comment_count: int | None = None
    download_count: int | None = None
    access: str | None = None
    sharing: str | None = None
    tag_list: str | None = None


class _Tracks(msgspec.Struct):
    collection: list[_Track | None]
    next_href: str | None = None


class _Users(msgspec.Struct):
    collection: list[_User | None]
    next_href: str | None = None


_USER_COLUMNS = (
    "id, username, permalink_url, avatar_url, created_at, followers_count, followings_count, track_count,"
    " playlist_count, likes_given_count, reposts_given_count, seen_as, counts_seen_at, counts_page_id, first_seen_at,"
    " last_seen_on"
)
_TRACK_COLUMNS = (
    "id, uploader_id, title, permalink_url, created_at, duration_ms, genre, label_name, isrc, bpm, key_signature,"
    " metadata_artist, license, release_date, description, artwork_url, playback_count, likes_count, reposts_count,"
    " comment_count, download_count, access, sharing, seen_as, counts_seen_at, counts_page_id, first_seen_at,"
    " last_seen_on"
)
_PAGE_COLUMNS = (
    "id, list, number, request, next_cursor, first_rank, received, skipped, kept, fetched_at, elapsed_ms, bytes"
)
_SCHEMA = (
    f"CREATE TABLE users ({_USER_COLUMNS.replace('id,', 'id INTEGER PRIMARY KEY,', 1)})",
    f"CREATE TABLE tracks ({_TRACK_COLUMNS.replace('id,', 'id INTEGER PRIMARY KEY,', 1)})",
    "CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT UNIQUE, folded TEXT)",
    "CREATE TABLE track_tags (track_id INTEGER, tag_id INTEGER, PRIMARY KEY (track_id, tag_id)) WITHOUT ROWID",
    "CREATE TABLE engagements (user_id INTEGER, track_id INTEGER, is_repost INTEGER, user_list_rank INTEGER,"
    " track_list_rank INTEGER, first_page_id INTEGER, PRIMARY KEY (user_id, track_id, is_repost)) WITHOUT ROWID",
    "CREATE INDEX engagements_by_track ON engagements (track_id, user_id)",
    f"CREATE TABLE pages ({_PAGE_COLUMNS.replace('id,', 'id INTEGER PRIMARY KEY,', 1)})",
    "CREATE TABLE cursors (list TEXT PRIMARY KEY, next_cursor TEXT, collected INTEGER) WITHOUT ROWID",
)


def _upsert(table: str, columns: str) -> str:
    names = [name.strip() for name in columns.split(",")]
    sets = ", ".join(f"{name} = excluded.{name}" for name in names if name not in ("id", "first_seen_at"))
    places = ", ".join("?" * len(names))
    return f"INSERT INTO {table} ({columns}) VALUES ({places}) ON CONFLICT (id) DO UPDATE SET {sets}"


_PUT_USER, _PUT_TRACK = _upsert("users", _USER_COLUMNS), _upsert("tracks", _TRACK_COLUMNS)
_PUT_PAGE = f"INSERT INTO pages ({_PAGE_COLUMNS}) VALUES ({', '.join('?' * 12)})"
_PUT_TAG = "INSERT INTO tags (name, folded) VALUES (?, ?) ON CONFLICT DO NOTHING"
_TIE_TAG = "INSERT INTO track_tags SELECT ?, id FROM tags WHERE name = ? ON CONFLICT DO NOTHING"
_PUT_LIKE = (
    "INSERT INTO engagements (user_id, track_id, is_repost, user_list_rank, first_page_id)"
    " VALUES (?, ?, 0, ?, ?) ON CONFLICT DO UPDATE SET user_list_rank = excluded.user_list_rank"
)
_PUT_LIKER = (
    "INSERT INTO engagements (track_id, user_id, is_repost, track_list_rank, first_page_id)"
    " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET track_list_rank = excluded.track_list_rank"
)
_PUT_CURSOR = (
    "INSERT INTO cursors VALUES (?, ?, ?) ON CONFLICT (list) DO UPDATE SET next_cursor = excluded.next_cursor,"
    " collected = excluded.collected"
)
_DAY, _MOMENT = "2026-11-01", "2026-11-01T12:00:00Z"


def _number(urn: str | None, number: int | None = None) -> int:
    return int(urn.rpartition(":")[2]) if urn else number or 0


def _time(text: str | None) -> str | None:
    return f"{text[:4]}-{text[5:7]}-{text[8:10]}T{text[11:19]}Z" if text else None


def _tags(text: str) -> list[str]:
    if '"' not in text:
        return text.split()
    parts = text.split('"')  # every other one stood in quotes
    return [tag for i, part in enumerate(parts) for tag in ([part] if i % 2 else part.split()) if tag]


def _user_row(user: _User, seen_as: str, page: int) -> tuple[Any, ...]:
    return (
        _number(user.urn), user.username, user.permalink_url, user.avatar_url, _time(user.created_at),
        user.followers_count, user.followings_count, user.track_count, user.playlist_count,
        user.public_favorites_count, user.reposts_count, seen_as, _MOMENT, page, _MOMENT, _DAY,
    )  # fmt: skip


def _track_row(t: _Track, track_id: int, page: int) -> tuple[Any, ...]:
    return (
        track_id, _number(t.user.urn) if t.user else None, t.title, t.permalink_url, _time(t.created_at), t.duration,
        t.genre, t.label_name, t.isrc, t.bpm, t.key_signature, t.metadata_artist, t.license,
        str(t.release_year) if t.release_year else None, t.description, t.artwork_url, t.playback_count,
        t.favoritings_count, t.reposts_count, t.comment_count, t.download_count, t.access, t.sharing, "list", _MOMENT,
        page, _MOMENT, _DAY,
    )  # fmt: skip


class Floor:
    """Fetches, reads and writes one page after the other."""

    def __init__(self, path: Path, *, synchronous: str = "NORMAL", pages_per_commit: int = 1) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, cached_statements=64)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(f"PRAGMA synchronous = {synchronous}")
        self._db.execute("PRAGMA cache_size = -32000")
        self._db.execute("PRAGMA wal_autocheckpoint = 4000")
        for statement in _SCHEMA:
            self._db.execute(statement)
        self._tracks, self._users = msgspec.json.Decoder(_Tracks), msgspec.json.Decoder(_Users)
        self._pages_per_commit = pages_per_commit
        self._collected: dict[str, int] = {}
        self.pages = self.rows = 0

    def read(self, request: str, body: bytes) -> tuple[list[tuple[Any, ...]], ...]:
        """Turn a body into rows: users, tracks, tags, edges; and how many entries came."""
        page = self.pages + 1
        subject = int(request.split("/", 3)[2].rpartition(":")[2])
        if request.startswith("/tracks/"):
            people = [user for user in self._users.decode(body).collection if user is not None]
            is_repost = int("/favoriters" not in request)
            rank = self._collected.get(request.partition("?")[0], 0)
            edges = [(subject, _number(user.urn), is_repost, rank + i, page) for i, user in enumerate(people)]
            return [_user_row(user, "list", page) for user in people], [], [], edges
        found = [track for track in self._tracks.decode(body).collection if track is not None]
        rank = self._collected.get(request.partition("?")[0], 0)
        numbers = [_number(track.urn, track.id) for track in found]
        makers = {track.user.urn: track.user for track in found if track.user}
        users = [_user_row(user, "embedded", page) for user in makers.values()]
        tracks = [_track_row(track, number, page) for track, number in zip(found, numbers, strict=True)]
        tags = [(n, name) for t, n in zip(found, numbers, strict=True) if t.tag_list for name in _tags(t.tag_list)]
        return users, tracks, tags, [(subject, number, rank + i, page) for i, number in enumerate(numbers)]

    def write(self, request: str, rows: tuple[list[tuple[Any, ...]], ...], size: int) -> None:
        """Keep a page with the place to go on from, as one transaction."""
        users, tracks, tags, edges = rows
        name = request.partition("?")[0]
        before = self._collected.get(name, 0)
        db, page = self._db, self.pages + 1
        if self.pages % self._pages_per_commit == 0:
            db.execute("BEGIN")
        db.execute(_PUT_PAGE, (page, name, 0, request, request, before, len(edges), 0, len(edges), _MOMENT, 1, size))
        db.executemany(_PUT_USER, users)
        if tracks:
            db.executemany(_PUT_TRACK, tracks)
            db.executemany(_PUT_TAG, [(tag, tag.lower()) for tag in dict.fromkeys(tag for _, tag in tags)])
            db.executemany(_TIE_TAG, tags)
        db.executemany(_PUT_LIKE if tracks else _PUT_LIKER, edges)
        self._collected[name] = before + len(edges)
        db.execute(_PUT_CURSOR, (name, request, before + len(edges)))
        self.pages += 1
        self.rows += len(edges)
        if self.pages % self._pages_per_commit == 0:
            db.execute("COMMIT")

    def close(self) -> None:
        """Leave one file behind."""
        if self._db.in_transaction:
            self._db.execute("COMMIT")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.close()


def main() -> None:
    """Do all requests of a file."""
    url, token, requests, out = sys.argv[1:5]
    floor = Floor(Path(out))
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    headers = {"Authorization": f"OAuth {token}", "Accept": "application/json"}
    spent = [0.0, 0.0, 0.0]
    began, wall = time.process_time(), time.perf_counter()
    for request in Path(requests).read_text().split():
        at = time.process_time()
        connection.request("GET", request, headers=headers)
        body = connection.getresponse().read()
        fetched = time.process_time()
        rows = floor.read(request, body)
        read = time.process_time()
        floor.write(request, rows, len(body))
        spent = [spent[0] + fetched - at, spent[1] + read - fetched, spent[2] + time.process_time() - read]
    floor.close()
    cpu, wall = time.process_time() - began, time.perf_counter() - wall
    parts = {name: 1000 * s / floor.pages for name, s in zip(("fetch", "read", "write"), spent, strict=True)}
    print(json.dumps({"pages": floor.pages, "rows": floor.rows, "cpu": cpu, "wall": wall, **parts}))


if __name__ == "__main__":
    main()
