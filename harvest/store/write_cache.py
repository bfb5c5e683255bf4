"""Remember what was last written of users and tracks, so that the same again costs nothing. Bounded.

Popular tracks and their uploaders stand on page after page. A row that is the same, value for value, as the one last
written under its id on the same day would change nothing, so it need not go to SQLite at all.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

Row = TypeVar("Row", bound=Hashable)

REMEMBERED = 50_000  # ids; some 100 bytes each


class Recent:
    """The fingerprints of rows last written, by id."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._written: dict[int, int] = {}
        self._pending: dict[int, int] = {}

    def news(
        self, rows: Mapping[int, Row], *, day: str, beside: Mapping[int, Hashable] | None = None
    ) -> dict[int, Row]:
        """Give the rows that differ from those last written; `beside` is what belongs to a row, stored elsewhere."""
        known, beside = self._written, beside or {}
        self._pending = {i: hash((row, beside.get(i), day)) for i, row in rows.items()}
        return {i: rows[i] for i, mark in self._pending.items() if known.get(i) != mark}

    def settle(self) -> None:
        """Take the rows of the last `news` for written: their page is committed."""
        if len(self._written) + len(self._pending) > self._remembered:
            self._written.clear()
        self._written.update(self._pending)
        self._pending = {}
