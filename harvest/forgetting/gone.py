"""Say what was forgotten, of things that are named by number.

In: things, or a file whose `suppressed` has numbers of them. Out: yes or no. Never: a name.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from functools import lru_cache

from harvest.forgetting.bodies import numbers_in
from harvest.store import suppression
from harvest.store.suppression import Named
from harvest.things import SHOWN

_REMEMBERED = 1 << 18


class Gone:
    """Says what was forgotten: those `wanted`, or all that `suppressed` has numbers of."""

    def __init__(self, connection: sqlite3.Connection, wanted: Collection[Named] | None) -> None:
        """With None it is what was forgotten in the file. Raises KeyMissing."""
        self._wanted = None if wanted is None else frozenset(wanted)
        self._ids = None if wanted is None else {number for _, number in wanted}
        self._key = suppression.key_for(connection) if wanted is None else b""
        self._hashes = (
            {row[0] for row in connection.execute("SELECT hash FROM suppressed")} if wanted is None else set()
        )
        self._is_number_gone = lru_cache(_REMEMBERED)(self._number_gone)

    def __call__(self, named: Named) -> bool:
        """Say whether a thing was forgotten."""
        if self._wanted is not None:
            return named in self._wanted
        return suppression.number_of(self._key, *named) in self._hashes

    def may_stand_in(self, body: bytes) -> bool:
        """Say whether anything forgotten may stand in a body: quick, and right when it says no."""
        numbers = numbers_in(body)
        if numbers is None:
            return True
        if self._ids is not None:
            return not self._ids.isdisjoint(numbers)
        return any(map(self._is_number_gone, numbers))

    def _number_gone(self, number: int) -> bool:
        return any(self((thing.name, number)) for thing in SHOWN)
