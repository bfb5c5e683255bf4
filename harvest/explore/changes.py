"""Read what changed: rows of `changes` since some moment, and what each says in words, with names.

In: an open file. Out: changes, sentences. Never: a row written.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from harvest.errors import SeedError
from harvest.store import changes as stored
from harvest.store import provenance
from harvest.store.changes import Summary
from harvest.system.clock import as_text
from harvest.system.lengths import parse_length
from harvest.things import SHOWN, THINGS, of_urn

# Table → what a row of it says, `{column}` the name of the thing that a column holds, and the column that is linked to.
SAYS = {
    "user_engagements": ("{user_id} {verb} {track_id}", "track_id"),
    "user_follows": ("{follower_id} follows {followee_id}", "followee_id"),
    "playlist_engagements": ("{user_id} {verb} {playlist_id}", "playlist_id"),
    "playlist_tracks": ("{playlist_id} holds {track_id}", "track_id"),
    "station_tracks": ("{station_id} holds {track_id}", "track_id"),
    "station_likes": ("{user_id} likes {station_id}", "station_id"),
    "related_tracks": ("{track_id} is related to {related_track_id}", "related_track_id"),
    "search_results": ("{search_id} finds {thing_id}", "thing_id"),
    "comments": ("a comment on {track_id}", "track_id"),
    "web_profiles": ("a link of {user_id}", "user_id"),
    "users": ("{id}", "id"),
    "tracks": ("{id}", "id"),
    "playlists": ("{id}", "id"),
    "stations": ("{id}", "id"),
}
_LISTED = {"tracks": "{uploader_id} has the track {id}", "playlists": "{owner_id} has the playlist {id}"}
SOMEBODY = "somebody"
_DOERS = ("user_id", "follower_id")
_VERBS = {"like": "likes", "repost": "reposts"}
_HOLDS = {
    "user_id": "user", "follower_id": "user", "followee_id": "user", "uploader_id": "user", "owner_id": "user",
    "track_id": "track", "related_track_id": "track", "playlist_id": "playlist", "station_id": "station",
    "search_id": "search_for_tracks",
}  # fmt: skip
_ROWS = 'SELECT version, at, what, "table", ids, old, new, reason, page_id FROM changes'


class Change(NamedTuple):
    """One change, as `changes` has it; `ids` are its key columns by name."""

    version: int
    at: str
    what: str
    table: str
    ids: dict[str, Any]
    old: str | None
    new: str | None
    reason: str | None
    page_id: int | None


@dataclass(frozen=True, slots=True)
class Said:
    """A change in words, and the address of the page of what it is about, None where none is known."""

    text: str
    url: str | None


def changes(
    connection: sqlite3.Connection, since: int = 0, *, of: tuple[str, int] | None = None, limit: int | None = None
) -> Iterator[Change]:
    """Go through the changes later than a version, in their order; `of` one thing, as kind and id, alone."""
    wanted = {"since": since, "limit": -1 if limit is None else limit, "id": of[1] if of else None}
    for row in connection.execute(changes_sql(of[0] if of else None), wanted):
        yield as_change(*row)


@cache
def changes_sql(kind: str | None = None) -> str:
    """Write the query for the changes later than `:since`, `:limit` at most; of a `kind` those about thing `:id`."""
    return f"""
        {_ROWS}
        WHERE version > :since {only(kind)}
        ORDER BY version LIMIT :limit
    """


def summed(connection: sqlite3.Connection, since: int = 0, *, of: tuple[str, int] | None = None) -> Summary:
    """Sum up the changes later than a version; `of` one thing alone."""
    return stored.summed(connection, since, only=only(of[0] if of else None), thing_id=of[1] if of else None)


def last(connection: sqlite3.Connection, since: int, n: int, *, of: tuple[str, int] | None = None) -> list[Change]:
    """Give the last `n` changes later than a version, the last one last; `of` one thing alone."""
    wanted = {"since": since, "limit": n, "id": of[1] if of else None}
    rows = connection.execute(last_sql(of[0] if of else None), wanted).fetchall()
    return [as_change(*row) for row in reversed(rows)]


@cache
def last_sql(kind: str | None = None) -> str:
    """Write the query for the last changes later than `:since`, `:limit` at most, the last one first."""
    return f"""
        {_ROWS}
        WHERE version > :since {only(kind)}
        ORDER BY version DESC LIMIT :limit
    """


def newest(connection: sqlite3.Connection, what: str, since: int, n: int) -> list[Change]:
    """Give the newest `n` changes of one kind that are later than a version, the newest first."""
    rows = connection.execute(f"{_ROWS} WHERE version > ? AND what = ? ORDER BY version DESC LIMIT ?", (since, what, n))
    return [as_change(*row) for row in rows]


def as_change(*row: Any) -> Change:
    """Read a row of these queries."""
    version, at, what, table, ids, *rest = row
    return Change(version, at, what, table, json.loads(ids), *rest)


def parse_since(text: str) -> int | str:
    """Read a version, a length of time or a moment: 1200, 7d, 2026-11-01, 2026-11-01T12:00Z. Give the version, or the
    moment as text; raise ValueError with what to write instead.
    """
    if text.isascii() and text.isdecimal():
        return int(text[:18])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            return as_text(datetime.now(UTC) - timedelta(seconds=parse_length(text)))
        except (ValueError, OverflowError):
            raise ValueError(f"{text!r} is no version, day or length of time: write 1200, 2026-11-01 or 7d") from None
    try:
        return as_text(moment.replace(tzinfo=moment.tzinfo or UTC))
    except OverflowError:  # an offset may lead out of the calendar
        raise ValueError(f"{text!r} lies outside the calendar: write 2026-11-01") from None


def version_at(connection: sqlite3.Connection, since: int | str) -> int:
    """Give the version that `parse_since` has read, or the newest one before the moment, 0 where all are later."""
    if isinstance(since, int):
        return since
    row = connection.execute(
        "SELECT version FROM changes WHERE at < ? ORDER BY version DESC LIMIT 1", (since,)
    ).fetchone()
    return int(row[0]) if row else 0


def newest_version(connection: sqlite3.Connection) -> int:
    """Give the version of the last change, 0 where there is none."""
    return int(connection.execute("SELECT coalesce(max(version), 0) FROM changes").fetchone()[0])


def last_refresh(connection: sqlite3.Connection) -> tuple[int, str] | None:
    """Give the newest version before the last refresh, and when that began; None where there was none."""
    row = connection.execute("SELECT first_version, begun_at FROM refreshes ORDER BY id DESC LIMIT 1").fetchone()
    return None if row is None else (row[0], row[1])


def thing_at(connection: sqlite3.Connection, wanted: str) -> tuple[str, int]:
    """Give kind and id of what a URN or the address of a page names in a file. Raises SeedError."""
    named = of_urn(wanted)
    for kind in [named[0]] if named else SHOWN:
        try:
            return kind.name, provenance.find(connection, kind.name, wanted)[0]
        except SeedError:
            continue
    raise SeedError(f"There is nothing at {wanted} in this file; a URN or the page's address names it.")


def in_words(connection: sqlite3.Connection, change: Change, *, listeners: bool = True) -> Said:
    """Say what a change is about, with names. Without `listeners`, people who like or follow stay unnamed, and so do
    all others who have uploaded nothing.
    """
    if change.what == "forgotten":
        return Said("something that was forgotten", None)
    says, linked = SAYS[change.table]
    if change.table in _LISTED and len(change.ids) > 1:
        says = _LISTED[change.table]
    names: dict[str, str] = {"verb": _VERBS.get(str(change.ids.get("engagement_type")), "")}
    url = None
    for column, value in change.ids.items():
        kind = _kind_of(change, column)
        if kind not in THINGS:
            names[column] = str(value)
            continue
        if kind == "user" and not listeners and (column in _DOERS or not _has_uploaded(connection, int(value))):
            if change.table == "users":
                return Said(SOMEBODY, None)
            names[column] = SOMEBODY
            continue
        name, address = _named(connection, kind, int(value))
        names[column] = name or f"{kind} {value}"
        url = address if column == linked else url
    text = says.format_map(names)
    if change.what in ("renamed", "retitled"):
        text = f"{change.new or text}, once {change.old}"
    elif change.what == "moved":
        text = f"{text}: {_moved(change)}"
    return Said(text, url)


def _kind_of(change: Change, column: str) -> str | None:
    """Give the kind of thing whose id a key column of a change holds; None where it holds something else."""
    if column == "id":
        return change.table.removesuffix("s")
    return change.ids["thing"] if column == "thing_id" else _HOLDS.get(column)


def _has_uploaded(connection: sqlite3.Connection, user_id: int) -> bool:
    row = connection.execute(
        """
        SELECT 1 FROM users AS u
        WHERE u.id = ? AND (u.track_count > 0 OR EXISTS (SELECT 1 FROM tracks AS t WHERE t.uploader_id = u.id))
        """,
        (user_id,),
    ).fetchone()
    return row is not None


def _moved(change: Change) -> str:
    old, new = json.loads(change.old or "{}"), json.loads(change.new or "{}")
    return ", ".join(f"{name.removesuffix('_count').replace('_', ' ')} {old[name]:,} to {new[name]:,}" for name in new)


def _named(connection: sqlite3.Connection, kind: str, thing_id: int) -> tuple[str | None, str | None]:
    thing = THINGS[kind]
    row = connection.execute(
        f"SELECT {thing.label}, permalink_url FROM {thing.table} WHERE id = ?",  # noqa: S608 - our own words
        (thing_id,),
    ).fetchone()
    return (None, None) if row is None else (row[0], row[1])


def only(kind: str | None) -> str:
    """Write the condition, `AND ...`, that a change is about thing `:id` of a kind; '' without one."""
    return f"AND ({_about(kind)})" if kind else ""


@cache
def _about(kind: str) -> str:
    """Write the condition that a change is about a thing."""
    columns = [column for column, holds in _HOLDS.items() if holds == kind]
    return " OR ".join(
        [f"ids ->> '{column}' = :id" for column in columns]
        + [f"ids ->> 'thing' = '{kind}' AND ids ->> 'thing_id' = :id"]
        + [f"\"table\" = '{THINGS[kind].table}' AND ids ->> 'id' = :id"]
    )
