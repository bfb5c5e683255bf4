"""Places in a list, written the way each list of the service writes them. Pure.

| form                | looks like                                                                |
|---------------------|---------------------------------------------------------------------------|
| `micros`            | 1637775162857218 (time of the last entry, microseconds)                   |
| `millis`            | 1567684271000 (the same in milliseconds)                                  |
| `offset`            | no cursor: `offset=50` with `limit=`                                      |
| `user-track-likes`  | 2024-06-01T16:23:38.001Z,user-track-likes,000-<user 20 digits>-<track 20> |
| `tracks`            | 2024-01-09T21:10:04.000Z,tracks,<track, 11 digits>                        |

The time is that of the last entry of the page, so the next page holds what is older.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from harvest.simulator.world.world import as_datetime


class CursorPlace(NamedTuple):
    """The last entry already given: its time in milliseconds, and its id where the form tells it."""

    millis: int
    item_id: int | None = None


def write(form: str, millis: int, subject_id: int, item_id: int) -> str:
    """Write the place of an entry."""
    if form == "millis":
        return str(millis)
    if form == "micros":
        return str(millis * 1000 + millis * 7919 % 1000)
    time = as_datetime(millis).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if form in ("tracks", "playlists"):
        return f"{time},{form},{item_id:011d}"
    return f"{time},{form},000-{subject_id:020d}-{item_id:020d}"


def read(form: str, cursor: str) -> CursorPlace | None:
    """Read a place back, None when it is not of this form."""
    try:
        if form == "millis":
            return CursorPlace(int(cursor))
        if form == "micros":
            return CursorPlace(int(cursor) // 1000)
        time, name, ids = cursor.split(",")
        moment = datetime.fromisoformat(time)
        millis = (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000
        return CursorPlace(round(millis), int(ids.rsplit("-", 1)[-1])) if name == form else None
    except (ValueError, TypeError, OverflowError):
        return None
