"""What a check is: one claim about the file, and what finds where it does not hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One claim: what must hold, and what finds where it does not, a query or a function that gives its rows."""

    name: str
    claim: str
    finder: str | Callable[[sqlite3.Connection], Iterable[tuple[Any, ...]]]

    def find(self, connection: sqlite3.Connection) -> Iterator[str]:
        """Give a line per contradiction, nothing where the claim holds."""
        rows = connection.execute(self.finder) if isinstance(self.finder, str) else self.finder(connection)
        for row in rows:
            yield " ".join(str(value) for value in row)
