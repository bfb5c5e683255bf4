"""Take out of our logs what was forgotten: an event that names it stays in its place, and says nothing.

Which logs there are the file knows: who crawls into it with `--log-file` has that noted (store/handouts.py). Events are
overwritten in place, in as many bytes: a process that still writes into the log is not disturbed, and one that is
killed on the way has done no harm.

In: logs, and who says what was forgotten. Out: events without a word. Never: a line more or less.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harvest.errors import StorageFailed
from harvest.forgetting.bodies import IsGone, named_in
from harvest.lists import KINDS
from harvest.store.handouts import LOG

_SILENT = b'{"event": "forgotten"}'
_EVENT = (
    b'{"'  # so an event begins: a file from another person may name anything as its log, and nothing else is touched
)
_LONGEST = 1 << 20  # bytes of a line that may be an event of ours
_NOBODY = re.compile(b"(?!)")


def logs_of(connection: sqlite3.Connection, others: Sequence[Path] = ()) -> list[Path]:
    """Give the logs that are known to tell of a file, and `others`, as far as they are there."""
    noted = [Path(row[0]) for row in connection.execute("SELECT path FROM handouts WHERE what = ? ORDER BY id", (LOG,))]
    known = dict.fromkeys(one.absolute() for one in (*noted, *others))
    return [one for one in known if one.is_file()]


def silence(log: Path, is_gone: IsGone, sought: re.Pattern[bytes]) -> int:
    """Write over the events of a log that name what was forgotten; give how many. Raises StorageFailed."""
    try:
        with log.open("r+b") as file:
            silenced = 0
            for place, length in _naming(log, is_gone, sought):
                file.seek(place)
                file.write(_SILENT.ljust(length) if length >= len(_SILENT) else b" " * length)
                silenced += 1
    except OSError as error:
        raise StorageFailed(
            f"{log} is a log that may name what is to be forgotten, and cannot be written: {error.strerror}. Delete it"
            " or make it writable, then run this command again."
        ) from error
    return silenced


def naming(log: Path, is_gone: IsGone) -> Iterator[str]:
    """Give a line for every event of a log that leads to what was forgotten by an id. Raises OSError."""
    for place, _ in _naming(log, is_gone, _NOBODY):
        yield f"{log}: byte {place}"


def _naming(log: Path, is_gone: IsGone, sought: re.Pattern[bytes]) -> Iterator[tuple[int, int]]:
    """Give place and length, without its end, of every event that names what was forgotten."""
    place = 0
    with log.open("rb") as file:
        while line := file.readline(_LONGEST):
            event = line.rstrip(b"\r\n")
            if event.startswith(_EVENT) and (sought.search(event) or any(map(is_gone, _things_of(event)))):
                yield place, len(event)
            place += len(line)


def _things_of(line: bytes) -> Iterator[tuple[str, int]]:
    """Give the things that an event names by URN or address of the API, and the one whose list it tells of."""
    yield from named_in(line.decode("utf-8", "replace"))
    if b'"subject"' not in line:
        return
    try:
        event: Any = json.loads(line)
    except ValueError:
        return
    if isinstance(event, dict) and event.get("list") in KINDS and isinstance(event.get("subject"), int):
        yield KINDS[event["list"]].subject, event["subject"]
