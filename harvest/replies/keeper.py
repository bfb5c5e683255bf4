"""Keep replies while a crawl goes on: one act after the other, each on the disk before the crawl commits what it says.

In: what happened, and the body that brought it. Out: a number. Never: a personal field that the profile level drops, or
a secret; they are cut here, before anything is packed.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

import msgspec

from harvest.errors import StoreError
from harvest.models import Plain
from harvest.replies import cutting, files, frames, scrub, sums
from harvest.system.sqlite_busy import fold, writing_in

STATE, FORGETS, GONE = "state", "forget", "gone"  # acts that tell of what was taken out: `act_kinds.py` has their words


class Keeper:
    """Writes one file of replies."""

    def __init__(self, connection: sqlite3.Connection, path: Path, pair: str, key: bytes, full_profiles: bool) -> None:
        self._connection = connection
        self._path = path
        self._key = key
        self._sum = sums.of_file(pair, key)
        self._full_profiles = full_profiles
        self._packer = frames.Packer()
        self._unpackers: dict[int, frames.Unpacker] = {}
        (last,) = connection.execute("SELECT max(number) FROM acts").fetchone()
        self._last = last or 0

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        pair: str,
        key: bytes,
        full_profiles: bool,
        harvest: str,
        main_schema: int,
        pages_before: int,
        service: str,
    ) -> Keeper:
        """Open the replies of the main file that says `pair`, or begin them: its key, whether personal fields are kept
        from now on, the versions of harvest and of its tables, how many pages it had by now, the address of the API.

        Raises StoreError where the file holds the replies of another file, is something else, or cannot be written.
        """
        connection = files.open_to_write(path)
        try:
            with files.complaints(path), writing_in(connection):
                connection.execute(
                    "INSERT INTO facts VALUES (1, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (pair, key, harvest, main_schema, int(full_profiles), pages_before, service),
                )
                if connection.execute("SELECT pair, key FROM facts").fetchone() != (pair, key):
                    raise StoreError(f"{path} holds the replies of another file: move it away, or keep none.")
                if full_profiles:
                    connection.execute("UPDATE facts SET full_profiles = 1 WHERE full_profiles = 0")
                connection.execute(
                    "INSERT INTO dictionaries VALUES (?, ?) ON CONFLICT DO NOTHING",
                    (frames.dictionary().dict_id(), frames.dictionary().as_bytes()),
                )
                return cls(connection, path, pair, key, full_profiles)
        except BaseException:
            connection.close()
            raise

    @property
    def last(self) -> int:
        """The number of the last act, 0 before the first."""
        return self._last

    def note(
        self,
        what: str,
        detail: Mapping[str, object],
        body: bytes | None = None,
        body_hash: int | None = None,
        *,
        is_read: bool = True,
        plain: Plain | None = None,
    ) -> int:
        """Keep what happened, and with what reply; give its number when all of it is on the disk.

        `detail` is kept as it is, so it must hold no secret. `body_hash` is what the main file calls the body, a hash
        under its key: a body whose hash is there is not stored again. Without one it is made here. Of a body that is
        not `is_read`, the content is unknown: the shape of what is cut stays in its place. `plain` is what the parser
        found it to be. Raises StoreError, and then nothing was kept.
        """
        number = self._last + 1
        words = msgspec.json.encode(detail).decode()
        with files.complaints(self._path), writing_in(self._connection):
            body_id = None if body is None else self._body(body, body_hash, is_read, plain)
            checksum = sums.of_act(self._sum, number, what, words, body_id)
            self._connection.execute(
                "INSERT INTO acts VALUES (?, ?, ?, ?, ?)", (number, what, words, body_id, checksum)
            )
        self._last = number
        return number

    def drop_after(self, number: int) -> None:
        """Take back the acts later than this one, with the bodies that no earlier one uses. Raises StoreError."""
        with files.complaints(self._path):
            self._last = drop_later(self._connection, number)

    def is_newer_than(self, number: int) -> bool:
        """Say whether something was taken out of the replies after the file was at this act. Raises StoreError."""
        sql = "SELECT 1 FROM acts WHERE number > ? AND what = ?"
        with files.complaints(self._path):
            return self._connection.execute(sql, (number, GONE)).fetchone() is not None

    def is_unfinished(self, *, was_cut: bool) -> bool:
        """Say whether something was begun to be taken out, and is not; other than by the last act only where something
        `was_cut` before, for all acts are looked through. Raises StoreError.
        """
        with files.complaints(self._path):
            sql = "SELECT what FROM acts WHERE number = ?"
            last = self._connection.execute(sql, (self._last,)).fetchone()
            return last == (FORGETS,) or (was_cut and bool(unfinished(self._connection)))

    def has_state(self) -> bool:
        """Say whether the file itself stands among the acts. Raises StoreError."""
        with files.complaints(self._path):
            return self._connection.execute("SELECT 1 FROM acts WHERE what = ?", (STATE,)).fetchone() is not None

    @property
    def has_full_profiles(self) -> bool:
        """Say whether some bodies hold personal fields."""
        (full,) = self._connection.execute("SELECT full_profiles FROM facts").fetchone()
        return bool(full)

    def cut_people(self) -> None:
        """Cut the personal fields from all bodies that were kept with them, and leave no bytes of them behind when the
        file is closed. Raises StoreError, and then it is to be done again.
        """
        with files.complaints(self._path):
            self._connection.execute("PRAGMA secure_delete = ON").fetchone()
            with writing_in(self._connection):
                rows = self._connection.execute(
                    """
                    SELECT id FROM bodies WHERE full_profiles = 1
                        AND id NOT IN (SELECT a.body_id FROM acts AS a WHERE a.what = ? AND a.body_id IS NOT NULL)
                    """,
                    (STATE,),
                ).fetchall()
                for (body_id,) in rows:
                    self._cut_people_of(body_id)
            self._connection.execute("VACUUM")  # also without what was taken back before
            self._connection.execute("UPDATE facts SET full_profiles = ?", (int(self._full_profiles),))

    def _unpacker(self, dictionary_id: int, dictionary: bytes) -> frames.Unpacker:
        if dictionary_id not in self._unpackers:
            self._unpackers[dictionary_id] = frames.Unpacker(dictionary)
        return self._unpackers[dictionary_id]

    def _cut_people_of(self, body_id: int) -> None:
        dictionary_id, size, frame, dictionary, is_there = self._connection.execute(
            """
            SELECT b.dictionary_id, b.size, b.frame, d.body,
                EXISTS (SELECT 1 FROM bodies AS other WHERE other.hash = b.hash AND other.full_profiles = 0)
            FROM bodies AS b JOIN dictionaries AS d ON d.id = b.dictionary_id
            WHERE b.id = ?
            """,
            (body_id,),
        ).fetchone()
        try:
            body = self._unpacker(dictionary_id, dictionary).unpack(frame, size)
        except frames.BadFrame as error:
            raise files.damaged(self._path, f"body {body_id}: {error}") from error
        kept = scrub.scrubbed(body)
        self._connection.execute(
            """
            UPDATE bodies
            SET full_profiles = 0, dictionary_id = ?, size = ?, frame = ?, hash = iif(?, random(), hash)
            WHERE id = ?
            """,  # the other one is found by the hash from now on
            (self._packer.dictionary_id, len(kept), self._packer.pack(kept), is_there, body_id),
        )

    def close(self) -> None:
        """Fold the log into the file, so that the file alone is all of it, and close it. Raises StoreError."""
        try:
            with files.complaints(self._path):
                fold(self._connection, 0.25)  # a reader may prevent it: another time, then
        finally:
            self._connection.close()

    def _body(self, body: bytes, body_hash: int | None, is_read: bool, plain: Plain | None) -> int:
        """Give the row of a body, made where there is none. One that was read is another than one that was not."""
        if body_hash is None:
            digest = blake2b(body, digest_size=8, key=self._key, person=b"" if is_read else b"unread").digest()
            body_hash = int.from_bytes(digest, signed=True)
        known = self._connection.execute(
            "SELECT id FROM bodies WHERE hash = ? AND full_profiles = ?", (body_hash, int(self._full_profiles))
        ).fetchone()
        if known:
            return int(known[0])
        if is_read:
            kept = scrub.scrubbed(body, full_profiles=self._full_profiles, plain=plain)
        else:
            kept = cutting.with_shapes(body, full_profiles=self._full_profiles)
        cursor = self._connection.execute(
            "INSERT INTO bodies (hash, full_profiles, dictionary_id, size, frame) VALUES (?, ?, ?, ?, ?)",
            (body_hash, int(self._full_profiles), self._packer.dictionary_id, len(kept), self._packer.pack(kept)),
        )
        return int(cursor.lastrowid or 0)


def unfinished(connection: sqlite3.Connection) -> list[tuple[int, str]]:
    """Give the acts, with their numbers, by which something was begun to be taken out that may still be there."""
    sql = "SELECT what, number, detail FROM acts WHERE what IN (?, ?) ORDER BY number DESC"
    found = itertools.takewhile(lambda row: row[0] != STATE, connection.execute(sql, (FORGETS, STATE)))
    return [(number, detail) for _, number, detail in found][::-1]


def drop_later(connection: sqlite3.Connection, number: int) -> int:
    """Take back the acts of a file that are later than one, with the bodies that no earlier one uses; give the last
    that stays. The main file itself, where it follows, tells what was done by then: it belongs to that act.
    """
    with writing_in(connection):
        while connection.execute("SELECT 1 FROM acts WHERE number = ? AND what = ?", (number + 1, STATE)).fetchone():
            number += 1
        unused = connection.execute(
            """
            SELECT DISTINCT body_id FROM acts AS a
            WHERE number > ? AND body_id IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM acts AS b WHERE b.body_id = a.body_id AND b.number <= ?)
            """,
            (number, number),
        ).fetchall()
        connection.execute("DELETE FROM acts WHERE number > ?", (number,))
        connection.executemany("DELETE FROM bodies WHERE id = ?", unused)
        (last,) = connection.execute("SELECT coalesce(max(number), 0) FROM acts").fetchone()
    return int(last)
