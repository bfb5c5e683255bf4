"""Gather what has changed since the last refresh began: how much of what, and the newest of each kind in words.

People who like, follow or the like are not named, nor are those who uploaded nothing, as everywhere in the report.

In: a connection opened to read. Out: SinceLast, None where nothing was ever refreshed. Never: a row written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from harvest.explore import changes as told
from harvest.store import refreshes
from harvest.store.refreshes import Found

NEWEST = 5  # shown of each kind of change
_LOOKED_AT = 50  # of each kind: some are about people who are not named
# The kinds of which some are shown, in this order. Counts that moved are only counted.
SHOWN = ("gone", "forbidden", "returned", "went", "back", "came", "found", "renamed", "retitled", "edited")


class Change(NamedTuple):
    """A change in words; `url` is the page of what it is about."""

    at: str
    what: str
    text: str
    url: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class SinceLast:
    """The last refresh: when it began, what it has found, the newest changes since then."""

    begun_at: str
    found: Found
    newest: list[Change]


def since_last(connection: sqlite3.Connection) -> SinceLast | None:
    """Give what the last refresh has found, and what has changed since it began."""
    found, last = refreshes.found(connection), told.last_refresh(connection)
    if found is None or last is None:
        return None
    version, begun_at = last
    newest = [
        one
        for what in SHOWN
        if found.changes.get(what)  # or all changes would be gone through to find none
        for one in islice(_newest(connection, what, version), NEWEST)
    ]
    return SinceLast(begun_at, found, newest)


def _newest(connection: sqlite3.Connection, what: str, version: int) -> Iterator[Change]:
    for change in told.newest(connection, what, version, _LOOKED_AT):
        said = told.in_words(connection, change, listeners=False)
        if said.url is not None or told.SOMEBODY not in said.text:
            yield Change(change.at, change.what, said.text, said.url, change.reason)
