"""Look for what was forgotten in the bytes of every file of ours: the database, what SQLite puts beside it, our copies.

In: paths, texts. Out: where each stands. Never: a row.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path

from harvest.settings import state_folder

_BESIDE = ("", "-wal", "-shm", "-journal")
_BETWEEN = "\x00"  # stands in no text of ours, and is no part of a word
_PIECE, _OVERLAP = 4 << 20, 4096  # bytes
_DIGITS = frozenset("0123456789")
_SHORTEST = 4  # bytes: a shorter name stands in every file by chance


# Columns of words of our own and of times: they name no one, and the largest tables have no others.
_OURS = (
    "engagement_type", "method", "kind", "thing", "outcome", "status", "status_before", "seen_as", "basis", "state",
    "mode", "what", "table", "reason", "sharing", "access", "license", "class", "created_at", "release_date",
    "counts_seen_at", "first_seen_at", "last_seen_on", "gone_at", "fetched_at", "cursor_time", "ended_at", "claimed_at",
)  # fmt: skip


def files_of(path: Path) -> list[Path]:
    """Give the files that hold, or may hold, what the database does: itself, what SQLite puts beside it, copies made
    before its schema was changed, and ours in the state folder.
    """
    found = files_of_database(path)
    found += sorted(path.parent.glob(f"{glob_safe(path.name)}.schema-*"))
    with contextlib.suppress(OSError):
        found += sorted(one for one in state_folder().rglob("*") if one.is_file())
    return [one for one in found if one.is_file()]


def files_of_database(path: Path) -> list[Path]:
    """Give a database and what SQLite puts beside it, as far as they are there."""
    found = [path.with_name(path.name + ending) for ending in _BESIDE]
    return [one for one in found if one.is_file()]


def glob_safe(name: str) -> str:
    """Give a name so that a pattern takes every character for itself."""
    return re.sub(r"([*?[])", r"[\1]", name)


def search(paths: Iterable[Path], texts: Collection[str]) -> dict[Path, Counter[str]]:
    """Count the texts in the bytes of some files, by the form in which they stand there; give those that hold any."""
    sought = pattern_of(texts)
    found: dict[Path, Counter[str]] = {}
    for path in paths:
        counted = Counter(match.decode("utf-8", "replace") for match in _matches(path, sought))
        if counted:
            found[path] = counted
    return found


def can_be_found(text: str) -> bool:
    """Say whether a text is long enough to be looked for."""
    return len(text.encode()) >= _SHORTEST


def pattern_of(texts: Collection[str]) -> re.Pattern[bytes]:
    """Give one pattern for all texts, as they stand in UTF-8, in JSON, and encoded for an address. A URN ends where its
    number does; an address is sought without its scheme.
    """
    return re.compile(trie(text.removeprefix("https://") for text in texts if can_be_found(text)))


def pattern_of_words(texts: Collection[str]) -> re.Pattern[bytes]:
    """Give one pattern for all texts, where they begin and end as words do."""
    return re.compile(rb"(?<![\w])(?:" + pattern_of(texts).pattern + rb")(?![\w-])")


def trie(words: Iterable[str]) -> bytes:
    """Write a pattern for many words that takes every character once: one branch for each next one."""
    root: dict[str, dict[str, object]] = {}
    for word in words:
        node = root
        for character in word:
            node = node.setdefault(character, {})  # type: ignore[assignment]
        node[""] = {}
    return _written(root) if root else b"(?!)"


def _written(node: dict[str, dict[str, object]]) -> bytes:
    """Write a node: the longest word counts."""
    ends = "" in node
    branches = []
    for character, below in sorted((one, below) for one, below in node.items() if one):
        last, text = character, as_written(character)
        while len(below) == 1 and "" not in below:  # a tail without branches
            ((last, below),) = below.items()  # type: ignore[assignment]
            text += as_written(last)
        branches.append(text + _written(below) if set(below) != {""} else text + _end(last))  # type: ignore[arg-type]
    if not branches:
        return b""
    written = branches[0] if len(branches) == 1 else b"(?:" + b"|".join(branches) + b")"
    return b"(?:" + written + b")?" if ends else written


def _end(last: str) -> bytes:
    """Let a number end where it ends."""
    return rb"(?![0-9])" if last in _DIGITS else b""


@cache
def as_written(character: str) -> bytes:
    """Write a pattern for a character in every form in which we write it down: as it is, in JSON (a letter of another
    script by its number, with capitals or without), and in addresses (by its bytes, a space also as a plus).
    """
    if character.isascii() and (character.isalnum() or character in "-_.~"):
        return re.escape(character.encode())
    raw = character.encode("utf-8", "surrogatepass")
    in_address = b"".join(b"%" + _any_case(b"%02x" % byte) for byte in raw)
    forms = [re.escape(raw), in_address]
    in_json = json.dumps(character)[1:-1].encode()
    if in_json != raw:
        units = in_json.split(rb"\u")
        forms.append(rb"\\u".join(map(_any_case, units)) if len(units) > 1 else re.escape(in_json))
    if character == " ":
        forms.append(rb"\+")
    if character == "/":
        forms.append(rb"\\/")
    return b"(?:" + b"|".join(forms) + b")"


def _any_case(hexadecimal: bytes) -> bytes:
    return b"".join(b"[%c%c]" % (one, one - 32) if one in b"abcdef" else b"%c" % one for one in hexadecimal.lower())


def _matches(path: Path, sought: re.Pattern[bytes]) -> Iterator[bytes]:
    """Go through a file piece by piece; what lies across two pieces is seen in the second."""
    with path.open("rb") as file:
        kept, end = b"", 0
        while piece := file.read(_PIECE):
            looked_at = kept + piece
            for match in sought.finditer(looked_at):
                if match.end() > end:
                    yield match[0]
            kept = looked_at[-_OVERLAP:]
            end = len(kept)


def mentions(connection: sqlite3.Connection, texts: Collection[str]) -> dict[str, int]:
    """Count the rows in which others name what was forgotten, by table and column: titles, comments, descriptions."""
    sought = pattern_of(texts)  # quicker: it knows which bytes a text begins with
    bounded: re.Pattern[bytes] | None = None
    found: Counter[str] = Counter()
    columns: dict[str, list[str]] = {}
    for table, column in connection.execute(
        f"""
        SELECT s.name, c.name FROM sqlite_schema AS s CROSS JOIN pragma_table_info(s.name) AS c
        WHERE s.type = 'table' AND s.name NOT LIKE 'track_search%' AND c.type = 'TEXT' AND c.name NOT IN {_OURS}
        ORDER BY 1, 2
        """  # noqa: S608 - our own words
    ):
        columns.setdefault(table, []).append(column)
    for table, named in columns.items():
        quoted = ", ".join(f'"{column}"' for column in named)
        for row in connection.execute(f'SELECT {quoted} FROM "{table}"'):  # noqa: S608 - our own schema
            said = [text if isinstance(text, str) else "" for text in row]
            if sought.search(_BETWEEN.join(said).encode()):  # most rows name no one
                bounded = bounded or pattern_of_words(texts)
                for column, text in zip(named, said, strict=True):
                    found[f"{table}.{column}"] += bounded.search(text.encode()) is not None
    return dict(+found)
