"""What a check is: one claim about the file, and the query that finds where it does not hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One claim: what must hold, and the query that finds where it does not."""

    name: str
    claim: str
    sql: str
