"""Read a file of kept replies, which is not trusted: facts first, then what happened, one act at a time.

In: a path. Out: plain values whose types and sizes have been checked. Never: a file changed, or more than one body in
memory.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import msgspec

from harvest.errors import NothingThere
from harvest.replies import files, frames, sums

_Number = Annotated[int, msgspec.Meta(ge=0)]
_Word = Annotated[str, msgspec.Meta(max_length=1000)]
_DICTIONARIES = 8  # held at once
_MOST_WORDS = 1024 * 1024  # bytes of one act without its body


class Facts(msgspec.Struct, frozen=True):
    """Whose replies these are. `pages_before` counts the pages of the main file of which no reply was kept; with
    `full_profiles` some bodies hold personal fields.
    """

    pair: _Word
    key: Annotated[bytes, msgspec.Meta(max_length=64)]
    harvest: _Word
    main_schema: _Number
    full_profiles: bool
    pages_before: _Number
    service: _Word


class Act(msgspec.Struct, frozen=True):
    """What happened to the main file; `body` is the reply that belongs to it, None where there is none.

    `body_id` names the body in its file, where the act was read without it.
    """

    number: int
    what: str
    detail: dict[str, Any]
    body: bytes | None = None
    body_id: int | None = None


class Recording:
    """A file of kept replies, read-only. To be closed, or used in a `with`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path
        self._unpacker = lru_cache(_DICTIONARIES)(self._read_dictionary)
        self.facts = self._read_facts()
        self._sum = sums.of_file(self.facts.pair, self.facts.key)

    @classmethod
    def open(cls, path: Path) -> Recording:
        """Open a file of replies.

        Raises NothingThere where there is none, SchemaTooNew for one of a newer harvest, NotADatabase for anything
        else that is not as we make them, StorageFailed where it cannot be read.
        """
        connection = files.open_to_read(path)
        try:
            with files.complaints(path):
                return cls(connection, path)
        except BaseException:
            connection.close()
            raise

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def acts(self, *, with_bodies: bool = True) -> Iterator[Act]:
        """Give what happened, in order. Raises NotADatabase where the file is damaged, StorageFailed."""
        with files.complaints(self.path):
            rows = self._connection.execute(
                "SELECT number, what, detail, body_id, checksum, length(detail) FROM acts ORDER BY number"
            )
            for place, row in enumerate(rows, start=1):
                act = self._act(place, row)
                if with_bodies and act.body_id is not None:
                    act = msgspec.structs.replace(act, body=self.body(act.body_id))
                yield act

    def body(self, body_id: int) -> bytes:
        """Give the body of an act by its `body_id`. Raises NotADatabase where it is damaged or missing."""
        with files.complaints(self.path):
            row = self._connection.execute(
                "SELECT dictionary_id, size, frame FROM bodies WHERE id = ?", (body_id,)
            ).fetchone()
        if row is None:
            raise files.damaged(self.path, f"body {body_id} is missing")
        dictionary_id, size, frame = row
        if not isinstance(size, int) or not isinstance(frame, bytes) or not isinstance(dictionary_id, int):
            raise files.damaged(self.path, f"body {body_id} is of other types")
        if not 0 <= size <= files.LARGEST:
            raise files.damaged(self.path, f"body {body_id} is said to have {size} bytes")
        try:
            with files.complaints(self.path):  # the dictionary is read here
                return self._unpacker(dictionary_id).unpack(frame, size)
        except frames.BadFrame as error:
            raise files.damaged(self.path, f"body {body_id}: {error}") from error

    def _act(self, place: int, row: tuple[Any, ...]) -> Act:
        number, what, detail, body_id, checksum, length = row
        if number != place:
            raise files.damaged(self.path, f"act {place} is missing")
        if not isinstance(what, str) or not isinstance(detail, str) or not isinstance(body_id, int | None):
            raise files.damaged(self.path, f"act {place} is of other types")
        if length > _MOST_WORDS or len(what) > _MOST_WORDS:
            raise files.damaged(self.path, f"act {place} is too long")
        if sums.of_act(self._sum, number, what, detail, body_id) != checksum:
            raise files.damaged(self.path, f"act {place} is not as it was written")
        try:
            read = msgspec.json.decode(detail, type=dict[str, Any])
        except (ValueError, RecursionError) as error:
            raise files.damaged(self.path, f"act {place} is no JSON object") from error
        return Act(number, what, read, None, body_id)

    def _read_facts(self) -> Facts:
        names = Facts.__struct_fields__
        rows = self._connection.execute(f"SELECT {', '.join(names)} FROM facts").fetchmany(2)  # noqa: S608
        if len(rows) != 1:
            raise files.damaged(self.path, "it does not say whose replies it holds")
        said = dict(zip(names, rows[0], strict=True))
        said["full_profiles"] = bool(said["full_profiles"])
        try:
            return msgspec.convert(said, Facts)
        except msgspec.ValidationError as error:
            raise files.damaged(self.path, f"whose replies it holds is unreadable ({error})") from error

    def _read_dictionary(self, dictionary_id: int) -> frames.Unpacker:
        row = self._connection.execute("SELECT body FROM dictionaries WHERE id = ?", (dictionary_id,)).fetchone()
        if row is None or not isinstance(row[0], bytes):
            raise frames.BadFrame("its dictionary is missing")
        return frames.Unpacker(row[0])


def first_acts(path: Path, most: int) -> list[str]:
    """Give what the first acts of a file are, also of one that was only just begun. Raises StoreError."""
    try:
        connection = files.open_to_read(path)
    except NothingThere:  # not even its tables
        return []
    with files.complaints(path), contextlib.closing(connection):
        rows = connection.execute("SELECT what FROM acts ORDER BY number LIMIT ?", (most,))
        return [str(row[0]) for row in rows]
