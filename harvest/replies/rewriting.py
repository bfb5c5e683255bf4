"""Write a file of kept replies again, so that nothing of what was cut stays in its bytes.

In: a path, and what stays of each body and act. Out: the same file, with as many acts and maybe more, in one
transaction; a file without old bytes, unless a reader is in the way. Never: a choice of what stays.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from harvest.replies import files, frames, sums
from harvest.replies.keeper import drop_later, unfinished
from harvest.replies.recording import Act, Recording
from harvest.system import sqlite_busy

Told = tuple[str, dict[str, Any]]  # what an act is, and what it says
_ACTS_AT_ONCE = 1000


def belongs(path: Path, key: bytes) -> bool:
    """Say whether a path holds the replies of the main file that has this key. Raises StoreError."""
    if not path.exists():
        return False
    with Recording.open(path) as recording:
        return recording.facts.key == key


def last_of(path: Path) -> tuple[str, int]:
    """Give what names the pair, and the number of the last act, 0 before the first. Raises StoreError."""
    with contextlib.closing(files.open_to_read(path)) as connection, files.complaints(path):
        sql = "SELECT pair, (SELECT coalesce(max(number), 0) FROM acts) FROM facts"
        pair, last = connection.execute(sql).fetchone()
        return str(pair), int(last)


def begin(path: Path, told: Told) -> int:
    """Add an act without a body; give its number. Raises StoreError."""
    with contextlib.closing(files.open_to_write(path)) as connection, files.complaints(path):
        (last,) = connection.execute("SELECT coalesce(max(number), 0) FROM acts").fetchone()
        _Rewriter(connection, path).write(last + 1, told, None)
        return int(last) + 1


def take_back(path: Path, after: int) -> None:
    """Take back the acts after one. Raises StoreError."""
    with contextlib.closing(files.open_to_write(path)) as connection, files.complaints(path):
        drop_later(connection, after)


def unfinished_in(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Give what the acts say, with their numbers, by which something was begun to be taken out that may still be there.
    Raises StoreError.
    """
    with contextlib.closing(files.open_to_read(path)) as connection, files.complaints(path):
        found = unfinished(connection)
        return [(number, msgspec.json.decode(detail, type=dict[str, Any])) for number, detail in found]


def has_told_before(path: Path, moment: str) -> bool:
    """Say whether a reply is there that came before a moment, or the file as it was then. Raises StoreError."""
    with contextlib.closing(files.open_to_read(path)) as connection, files.complaints(path):
        sql = """
            SELECT 1 FROM acts
            WHERE body_id IS NOT NULL AND coalesce(detail ->> 'fetched_at', detail ->> 'now') < ? LIMIT 1
        """
        return connection.execute(sql, (moment,)).fetchone() is not None


def rewrite(
    path: Path,
    *,
    cut: Callable[[bytes], bytes | None],
    tell: Callable[[Act], Told | None],
    blank: Told,
    more: Iterable[tuple[Told, bytes]],
) -> None:
    """Write a file again: `cut` gives what stays of a body, the body itself where it stays as it is, None where nothing
    does; `tell` what stays of an act. What is nothing any more keeps its number, as `blank`. Each of `more` follows as
    an act with its body. All of it happens, or nothing. Raises StoreError.
    """
    with contextlib.closing(files.open_to_write(path)) as connection, files.complaints(path):
        connection.execute("PRAGMA secure_delete = ON")
        with sqlite_busy.writing_in(connection):
            _Rewriter(connection, path).rewrite(cut, tell, blank, more)


def fold(path: Path) -> bool:
    """Write the file without its free room, and its log into it; False when a reader prevents it. Raises StoreError."""
    with contextlib.closing(files.open_to_write(path)) as connection, files.complaints(path):
        return sqlite_busy.rewrite(connection)


class _Rewriter:
    """Rewrites one file, inside the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection, self._recording = connection, Recording(connection, path)
        facts = self._recording.facts
        self._sum = sums.of_file(facts.pair, facts.key)
        self._full_profiles = facts.full_profiles
        self._packer = frames.Packer()
        connection.execute(
            "INSERT INTO dictionaries VALUES (?, ?) ON CONFLICT DO NOTHING",
            (self._packer.dictionary_id, frames.dictionary().as_bytes()),
        )

    def rewrite(
        self,
        cut: Callable[[bytes], bytes | None],
        tell: Callable[[Act], Told | None],
        blank: Told,
        more: Iterable[tuple[Told, bytes]],
    ) -> None:
        gone = self._cut_bodies(cut)
        last = 0
        while acts := self._acts_after(last):
            for act in acts:
                told = None if act.body_id in gone else tell(act)
                self.write(act.number, told or blank, act.body_id if told else None)
            last = acts[-1].number
        self._connection.execute(
            "DELETE FROM bodies AS b WHERE NOT EXISTS (SELECT 1 FROM acts AS a WHERE a.body_id = b.id)"
        )
        for number, (told, body) in enumerate(more, start=last + 1):
            self.write(number, told, self._add(body))

    def _cut_bodies(self, cut: Callable[[bytes], bytes | None]) -> set[int]:
        """Cut every body; give those of which nothing stays."""
        gone = set()
        for (body_id,) in self._connection.execute("SELECT id FROM bodies ORDER BY id").fetchall():
            body = self._recording.body(body_id)
            kept = cut(body)
            if kept is None:
                gone.add(body_id)
            elif kept != body:
                self._connection.execute(
                    "UPDATE bodies SET hash = ?, dictionary_id = ?, size = ?, frame = ? WHERE id = ?",
                    (_any_hash(), self._packer.dictionary_id, len(kept), self._packer.pack(kept), body_id),
                )
        return gone

    def _acts_after(self, number: int) -> list[Act]:
        rows = self._connection.execute(
            "SELECT number, what, detail, body_id FROM acts WHERE number > ? ORDER BY number LIMIT ?",
            (number, _ACTS_AT_ONCE),
        ).fetchall()
        return [Act(row[0], row[1], msgspec.json.decode(row[2], type=dict[str, Any]), None, row[3]) for row in rows]

    def write(self, number: int, told: Told, body_id: int | None) -> None:
        """Write an act, in the place of the one that has its number."""
        what, words = told[0], msgspec.json.encode(told[1]).decode()
        self._connection.execute(
            "INSERT OR REPLACE INTO acts (number, what, detail, body_id, checksum) VALUES (?, ?, ?, ?, ?)",
            (number, what, words, body_id, sums.of_act(self._sum, number, what, words, body_id)),
        )

    def _add(self, body: bytes) -> int:
        cursor = self._connection.execute(
            "INSERT INTO bodies (hash, full_profiles, dictionary_id, size, frame) VALUES (?, ?, ?, ?, ?)",
            (_any_hash(), int(self._full_profiles), self._packer.dictionary_id, len(body), self._packer.pack(body)),
        )
        return int(cursor.lastrowid or 0)


def _any_hash() -> int:
    """Draw a hash that no reply has, so that what was cut from one says nothing of it, nor is taken for it again."""
    return int.from_bytes(secrets.token_bytes(8), signed=True)
