"""Write users, tracks, tags, playlists, stations and comments, new or seen again.

Merging: a known value is never replaced by NULL, by an embedded object's zero count, or by an older sighting. A set, as
the tags of a track, is one value: what the newest sighting leaves out is no longer in it.
The statements are built once from the column lists of `models.py`, so that a page's named tuples bind as they are.
A row that says nothing new is not written at all, but for one write a day.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import normalize

from harvest.models import Comment, Playlist, Row, Station, Track, User, WebProfile
from harvest.own_lists import OwnList

USER_COUNTS = (
    "followers_count",
    "followings_count",
    "track_count",
    "playlist_count",
    "likes_given_count",
    "reposts_given_count",
)
TRACK_COUNTS = ("playback_count", "likes_count", "reposts_count", "comment_count", "download_count")


@dataclass(frozen=True, slots=True)
class Sighting:
    """When and by which page something was seen: goes with every row written."""

    page_id: int
    seen_at: str

    @property
    def seen_on(self) -> str:
        """The day."""
        return self.seen_at[:10]


def _newest(table: str, column: str) -> str:
    """The newer of two known values; a known one before an unknown one."""
    return (
        f"CASE WHEN excluded.last_seen_on >= {table}.last_seen_on\n"
        f"            THEN coalesce(excluded.{column}, {table}.{column})\n"
        f"            ELSE coalesce({table}.{column}, excluded.{column}) END"
    )


def _newest_count(table: str, column: str, distrust_zero: str) -> str:
    """As above, but a zero from a poor sighting says nothing about a known count."""
    return (
        f"CASE WHEN excluded.{column} IS NULL OR (excluded.{column} = 0 AND {distrust_zero}"
        f" AND {table}.{column} IS NOT NULL)\n"
        f"            THEN {table}.{column}\n"
        f"            WHEN {table}.{column} IS NULL OR excluded.counts_seen_at >= {table}.counts_seen_at\n"
        f"            THEN excluded.{column}\n"
        f"            ELSE {table}.{column} END"
    )


def _richest(table: str) -> str:
    return (
        f"CASE WHEN 'full' IN (excluded.seen_as, {table}.seen_as) THEN 'full'\n"
        f"            WHEN 'list' IN (excluded.seen_as, {table}.seen_as) THEN 'list'\n"
        f"            ELSE 'embedded' END"
    )


def _merge_counted(table: str, columns: Sequence[str], counts: Sequence[str], distrust_zero: str) -> str:
    """Build the upsert of a table whose rows carry counts."""
    merged = {
        column: _newest_count(table, column, distrust_zero) if column in counts else _newest(table, column)
        for column in columns
        if column not in ("id", "seen_as")
    }
    merged["seen_as"] = _richest(table)
    counted = "\n            OR ".join(f"{table}.{count} IS NOT {merged[count]}" for count in counts)
    news = "\n    OR ".join(f"{table}.{column} IS NOT {value}" for column, value in merged.items())
    sets = ",\n    ".join(f"{column} = {value}" for column, value in merged.items())
    places = ", ".join(f"?{i}" for i in range(1, len(columns) + 1))
    at, day, page = (f"?{len(columns) + i}" for i in (1, 2, 3))
    known = ", ".join(f"?{columns.index(count) + 1}" for count in counts)
    return f"""
INSERT INTO {table} ({", ".join(columns)}, counts_seen_at, counts_page_id, first_seen_at, last_seen_on)
VALUES ({places},
    CASE WHEN coalesce({known}) IS NOT NULL THEN {at} END,
    CASE WHEN coalesce({known}) IS NOT NULL THEN {page} END,
    {at}, {day})
ON CONFLICT (id) DO UPDATE SET
    {sets},
    counts_page_id = CASE WHEN {counted}
            THEN excluded.counts_page_id ELSE {table}.counts_page_id END,
    counts_seen_at = CASE WHEN excluded.counts_seen_at > {table}.counts_seen_at OR {table}.counts_seen_at IS NULL
            THEN coalesce(excluded.counts_seen_at, {table}.counts_seen_at) ELSE {table}.counts_seen_at END,
    last_seen_on = max(excluded.last_seen_on, {table}.last_seen_on)
WHERE excluded.last_seen_on > {table}.last_seen_on
    OR {news}
"""  # noqa: S608 - built from our own column names


_MERGE_USERS = _merge_counted("users", User._fields, USER_COUNTS, "excluded.seen_as <> 'full'")
_MERGE_TRACKS = _merge_counted("tracks", Track._fields, TRACK_COUNTS, "excluded.seen_as = 'embedded'")


def _merge_seen(table: str, columns: Sequence[str]) -> str:
    """Build the upsert of a table whose rows are as the newest sighting says, and name the page of the first."""
    sets = ",\n    ".join(f"{column} = {_newest(table, column)}" for column in columns if column not in ("id", "urn"))
    return f"""
INSERT INTO {table} ({", ".join(columns)}, first_seen_at, last_seen_on, first_page_id)
VALUES ({", ".join("?" * (len(columns) + 3))})
ON CONFLICT (id) DO UPDATE SET
    {sets},
    last_seen_on = max(excluded.last_seen_on, {table}.last_seen_on)
"""  # noqa: S608 - built from our own column names


_MERGE_PLAYLISTS = _merge_seen("playlists", Playlist._fields)
_MERGE_STATIONS = _merge_seen("stations", Station._fields)

_MERGE_COMMENTS = f"""
INSERT INTO comments ({", ".join(Comment._fields)}, first_page_id)
VALUES ({", ".join("?" * (len(Comment._fields) + 1))})
ON CONFLICT (id) DO UPDATE SET
    track_id = coalesce(comments.track_id, excluded.track_id),
    user_id = coalesce(comments.user_id, excluded.user_id),
    created_at = coalesce(comments.created_at, excluded.created_at),
    timestamp_ms = coalesce(comments.timestamp_ms, excluded.timestamp_ms),
    body = coalesce(excluded.body, comments.body)
"""  # noqa: S608 - built from our own column names

# An older sighting says nothing of what a set is now.
_SEEN_LATER = "SELECT id FROM tracks WHERE id IN (SELECT value FROM json_each(?)) AND last_seen_on > ?"
_MERGE_LINKS = f"""
INSERT INTO web_profiles ({", ".join(WebProfile._fields)}, first_page_id)
VALUES ({", ".join("?" * (len(WebProfile._fields) + 1))})
ON CONFLICT (id) DO UPDATE SET
    created_at = coalesce(excluded.created_at, web_profiles.created_at),
    url = coalesce(nullif(excluded.url, ''), web_profiles.url),
    service = coalesce(excluded.service, web_profiles.service),
    title = coalesce(excluded.title, web_profiles.title),
    username = coalesce(excluded.username, web_profiles.username)
"""  # noqa: S608 - built from our own column names

_ADD_TAG = "INSERT INTO tags (name, folded) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"
_TIE_TAG = """
INSERT INTO track_tags (track_id, tag_id)
SELECT ?, id FROM tags WHERE name = ?
ON CONFLICT DO NOTHING
"""
_TAGGED = "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM track_tags WHERE track_id = value)"
_UNTIE_TAGS = """
DELETE FROM track_tags
WHERE track_id = ? AND tag_id NOT IN (SELECT t.id FROM json_each(?) AS j CROSS JOIN tags AS t ON t.name = j.value)
"""


def merge_users(connection: sqlite3.Connection, users: Iterable[User], sighting: Sighting) -> None:
    """Write users, new or seen again."""
    extra = (sighting.seen_at, sighting.seen_on, sighting.page_id)
    connection.executemany(_MERGE_USERS, [user + extra for user in users])


def merge_tracks(connection: sqlite3.Connection, tracks: Iterable[Track], sighting: Sighting) -> None:
    """Write tracks, new or seen again; their uploaders must be there already."""
    extra = (sighting.seen_at, sighting.seen_on, sighting.page_id)
    connection.executemany(_MERGE_TRACKS, [track + extra for track in tracks])


def merge_tags(connection: sqlite3.Connection, tags: Mapping[int, tuple[str, ...]], sighting: Sighting) -> None:
    """Write which tags each track carries by its newest sighting, and no others; the tracks must be there already."""
    later = {row[0] for row in connection.execute(_SEEN_LATER, (json.dumps(list(tags)), sighting.seen_on))}
    tags = {track_id: those for track_id, those in tags.items() if track_id not in later}
    names = dict.fromkeys(name for those in tags.values() for name in those)
    connection.executemany(_ADD_TAG, [(name, fold_tag(name)) for name in names])
    tagged = [row[0] for row in connection.execute(_TAGGED, (json.dumps(list(tags)),))]
    connection.executemany(_UNTIE_TAGS, [(track_id, json.dumps(tags[track_id])) for track_id in tagged])
    connection.executemany(_TIE_TAG, [(track_id, name) for track_id, those in tags.items() for name in those])


def merge_playlists(connection: sqlite3.Connection, playlists: Iterable[Playlist], sighting: Sighting) -> None:
    """Write playlists, new or seen again; their owners must be there already."""
    extra = (sighting.seen_at, sighting.seen_on, sighting.page_id)
    connection.executemany(_MERGE_PLAYLISTS, [playlist + extra for playlist in playlists])


def merge_stations(connection: sqlite3.Connection, stations: Iterable[Station], sighting: Sighting) -> None:
    """Write stations, new or seen again."""
    extra = (sighting.seen_at, sighting.seen_on, sighting.page_id)
    connection.executemany(_MERGE_STATIONS, [station + extra for station in stations])


def merge_comments(connection: sqlite3.Connection, comments: Iterable[Comment], sighting: Sighting) -> None:
    """Write comments; their authors must be there already."""
    connection.executemany(_MERGE_COMMENTS, [(*comment, sighting.page_id) for comment in comments])


def merge_links(connection: sqlite3.Connection, links: Iterable[WebProfile], sighting: Sighting) -> None:
    """Write the links on a person's page."""
    connection.executemany(_MERGE_LINKS, [(*link, sighting.page_id) for link in links])


def merge_own(
    connection: sqlite3.Connection, table: str, own: OwnList, rows: Iterable[Row], sighting: Sighting, *, bare: bool
) -> None:
    """Write the rows of a plug-in's list, new or seen again; `bare` ones keep what they name alone."""
    names = [name for name, _ in own.columns]
    if bare:
        kept = [True, True, *(name == own.names for name in names)]
        rows = [tuple(value if keep else None for value, keep in zip(row, kept, strict=True)) for row in rows]
    connection.executemany(
        f"""
        INSERT INTO {table} ({", ".join(("id", own.subject_id, *names, "first_page_id"))})
        VALUES ({", ".join("?" * (len(names) + 3))})
        ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in ("id", *names))}
        """,  # noqa: S608 - names that are checked
        [(*row, sighting.page_id) for row in rows],
    )


@lru_cache(maxsize=8192)  # the same tags come back page after page
def fold_tag(name: str) -> str:
    """Bring spellings of one tag together: 'hip hop', 'Hip-Hop' and 'hiphop' are one, and so are 'é' as one
    character and as two, full width and half (NFKC)."""
    plain = normalize("NFKC", normalize("NFKC", name).casefold())  # folding may leave an accent beside its letter
    return "".join(c for c in plain if not c.isspace() and c not in "-_‐‑–—")
