"""Keep what was forgotten from coming back: of each such thing the file has a number, made under a key that it has not.

The key is one per user, in the state folder. Writing into a file that has such numbers takes the key they were made
with: without it, what they stand for cannot be recognised, nor kept out.

In: a page. Out: the same without what was forgotten, and without what that made. Never: a commit of its own.
"""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
import shlex
import sqlite3
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path

from harvest.errors import KeyMissing, SeedError, SettingsError
from harvest.lists import KINDS
from harvest.models import Page, Row
from harvest.settings import state_folder
from harvest.things import THINGS, of_urn

Named = tuple[str, int]  # a kind of thing, and an id

_KEY_BYTES = 32
_NO_KEYS = "{} cannot be read as keys of `harvest forget --export-key`."
_OF_STATION = {"track-stations": "track", "artist-stations": "user"}  # around what a station is, by its URN


class Suppressed:
    """What may not come back into a file; nothing while nothing was forgotten. Raises KeyMissing."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._key = key_for(connection) if has_any(connection) else None

    def __bool__(self) -> bool:
        return self._key is not None

    def among(self, named: Iterable[Named]) -> set[Named]:
        """Give those of some things that were forgotten."""
        if self._key is None:
            return set()
        by_hash = {number_of(self._key, *one): one for one in named}
        rows = self._connection.execute(
            "SELECT hash FROM suppressed WHERE hash IN (SELECT value FROM json_each(?))", (json.dumps(list(by_hash)),)
        )
        return {by_hash[row[0]] for row in rows}

    def sift(self, item: str, page: Page) -> tuple[Page, int]:
        """Leave out of a page what was forgotten and what it made; `item` is the kind of its items. Give how many of
        the items that is.
        """
        if self._key is None:
            return page, 0
        gone = self.among(_named_in(item, page))
        if not gone:
            return page, 0
        users = {i: user for i, user in page.users.items() if ("user", i) not in gone}
        tracks = {
            i: track
            for i, track in page.tracks.items()
            if ("track", i) not in gone and ("user", track.uploader_id) not in gone
        }
        playlists = {
            i: one
            for i, one in page.playlists.items()
            if ("playlist", i) not in gone and ("user", one.owner_id) not in gone
        }
        stations = {
            i: one for i, one in page.stations.items() if ("station", i) not in gone and around(one.urn) not in gone
        }
        comments = {
            i: one
            for i, one in page.comments.items()
            if ("user", one.user_id) not in gone and ("track", one.track_id) not in gone
        }
        links = {i: one for i, one in page.links.items() if ("user", one.user_id) not in gone}
        own_rows = {i: row for i, row in page.own_rows.items() if gone.isdisjoint(_named_by_row(item, row))}
        lost = {
            "user": page.users.keys() - users.keys(),
            "track": page.tracks.keys() - tracks.keys(),
            "playlist": page.playlists.keys() - playlists.keys(),
            "station": page.stations.keys() - stations.keys(),
            "comment": page.comments.keys() - comments.keys(),
            "link": page.links.keys() - links.keys(),
            **({item: page.own_rows.keys() - own_rows.keys()} if page.own_rows else {}),
        }
        lost_items = {one for thing, one in gone if thing == item} | lost.get(item, set())
        items = tuple(one for one in page.items if one not in lost_items)
        sifted = dataclasses.replace(
            page,
            items=items,
            users=users,
            tracks=tracks,
            playlists=playlists,
            stations=stations,
            comments=comments,
            links=links,
            own_rows=own_rows,
            tags={i: tags for i, tags in page.tags.items() if i in tracks},
        )
        return sifted, len(page.items) - len(items)

    def refuse(self, addresses: Iterable[str]) -> None:
        """Raise SeedError for the URN of something that was forgotten."""
        named = {(urn[0].name, urn[1]): address for address in addresses if (urn := of_urn(address)) is not None}
        for one in self.among(named):
            raise SeedError(f"{named[one]} was forgotten in this file, and is not asked for again.")


def _named_by_row(item: str, row: Row) -> Iterator[Named]:
    """Give the thing that a row of a plug-in's list names, if it names one."""
    own = KINDS[item].own_rows
    if own is not None and own.names:
        named = row[2 + [name for name, _ in own.columns].index(own.names)]
        if isinstance(named, int):
            yield own.names.removesuffix("_id"), named


def _named_in(item: str, page: Page) -> list[Named]:
    """Give everything that a page names."""
    people = {
        *page.users,
        *(track.uploader_id for track in page.tracks.values()),
        *(one.owner_id for one in page.playlists.values()),
        *(one.user_id for one in page.comments.values()),
        *(one.user_id for one in page.links.values()),
    }
    tracks = {*page.tracks, *(one.track_id for one in page.comments.values())}
    named = [
        *(("user", one) for one in people if one is not None),
        *(("track", one) for one in tracks if one is not None),
        *(("playlist", one) for one in page.playlists),
        *(("station", one) for one in page.stations),
        *(centre for one in page.stations.values() if (centre := around(one.urn)) is not None),
    ]
    named += [one for row in page.own_rows.values() for one in _named_by_row(item, row)]
    if item in THINGS:
        named += [(item, one) for one in page.items]
    return named


def around(station_urn: str) -> Named | None:
    """Give the track or the artist that a station is around, None where its URN does not say it."""
    *_, kind, number = station_urn.rsplit(":", 2)
    return (_OF_STATION[kind], int(number)) if kind in _OF_STATION and number.isdecimal() else None


def number_of(key: bytes, thing: str, thing_id: int) -> int:
    """Give what stands for a thing that was forgotten: a number of 64 bits, another one under every key."""
    return int.from_bytes(blake2b(f"{thing}:{thing_id}".encode(), digest_size=8, key=key).digest(), signed=True)


def has_any(connection: sqlite3.Connection) -> bool:
    """Say whether anything was forgotten in a file."""
    try:
        return connection.execute("SELECT 1 FROM suppression_key").fetchone() is not None
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return False  # a file without tables, or of an older schema


def check(connection: sqlite3.Connection) -> None:
    """Raise KeyMissing for a file in which something was forgotten under a key that this user has not."""
    if has_any(connection):
        key_for(connection)


def key_for(connection: sqlite3.Connection) -> bytes:
    """Give the key of a file in which something was forgotten. Raises KeyMissing when this user has another one."""
    (mark,) = connection.execute("SELECT mark FROM suppression_key").fetchone()
    for key in stored_keys():
        if _mark(connection, key) == mark:
            return key
    raise KeyMissing(
        f"Something was forgotten in this file under a key that is not in {key_file()}, so it can be read and not"
        " written: what may not come back could not be told. Bring the key from where it was forgotten, with `harvest"
        " forget --export-key FILE` there and `harvest forget --import-key FILE` here."
    )


def key_to_forget_with(connection: sqlite3.Connection) -> bytes:
    """Give the key of a file; the first time something is forgotten in it, that of this user, who may get one now."""
    if has_any(connection):
        return key_for(connection)
    key = _own_key()
    connection.execute("INSERT INTO suppression_key (id, mark) VALUES (1, ?)", (_mark(connection, key),))
    return key


def export_keys(out: Path, *, more: Iterable[str] = ()) -> None:
    """Write the keys of this user, and `more` lines, into a new file that no other user can read. Raises
    SettingsError.
    """
    keys = stored_keys() or [_own_key()]
    _write_keys(out, keys, more, new=True)


def exported_lines(source: Path) -> list[str]:
    """Give the lines that another user has exported: keys, and after a key's name a number. Raises SettingsError."""
    try:
        return source.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(_NO_KEYS.format(source)) from error


def import_keys(source: Path) -> int:
    """Add keys that another user has exported to those of this user; give how many are new. Raises SettingsError."""
    try:
        keys = _keys_in("\n".join(line for line in exported_lines(source) if " " not in line))
    except ValueError as error:
        raise SettingsError(_NO_KEYS.format(source)) from error
    there = stored_keys()
    new = [key for key in keys if key not in there]
    if new:
        _write_keys(key_file(), [*there, *new])
    return len(new)


def key_file() -> Path:
    """Give the file with the keys of this user, the own one first."""
    return state_folder() / "forget.key"


def _mark(connection: sqlite3.Connection, key: bytes) -> int:
    (own,) = connection.execute("SELECT key FROM file_key").fetchone()
    return int.from_bytes(blake2b(b"suppression " + own, digest_size=8, key=key).digest(), signed=True)


def _own_key() -> bytes:
    keys = stored_keys()
    if not keys:
        keys = [secrets.token_bytes(_KEY_BYTES)]
        _write_keys(key_file(), keys)
    return keys[0]


def stored_keys() -> list[bytes]:
    """Give the keys of this user, the own one first; none where nothing was ever forgotten. Raises SettingsError."""
    try:
        return _keys_in(key_file().read_text("ascii"))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise SettingsError(f"{key_file()} cannot be read as keys: {error}.") from error


def _keys_in(text: str) -> list[bytes]:
    keys = [bytes.fromhex(line) for line in text.split()]
    if not all(len(key) == _KEY_BYTES for key in keys):
        raise ValueError("a key has another length")
    return keys


def _write_keys(out: Path, keys: Iterable[bytes], more: Iterable[str] = (), *, new: bool = False) -> None:
    """Write keys so that they are there whole or not at all, for this user alone."""
    text = "".join(f"{line}\n" for line in (*(key.hex() for key in keys), *more))
    if new and out.exists():
        raise SettingsError(f"{out} exists: name a new file for the key.")
    part = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(out)
    except OSError as error:
        raise SettingsError(f"{shlex.quote(str(out))} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)
