"""Add up how lists ended: of the whole file, or of one kind. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from harvest.lists import KINDS
from harvest.report.rows import ListsEnded

# Outcome → colour, in the order in which they are shown; the last two are open lists.
COLOURS = {
    "complete": "good",
    "capped": "cut",
    "short": "cut",
    "loop": "bad",
    "gone": "bad",
    "forbidden": "bad",
    "withdrawn": "bad",
    "unreadable": "bad",
    "failed": "bad",
    "stale": "open",
    "caught_up": "good",
    "forgotten": "cut",
    "purged": "cut",
    "doing": "open",
    "todo": "open",
}


@dataclass(frozen=True, slots=True)
class LedgerRows:
    """Rows of the ledger, and what they come to. Kinds of lists that were not asked for add nothing."""

    rows: list[ListsEnded]

    @property
    def kinds(self) -> dict[str, LedgerRows]:
        """Give the rows of each kind that was asked for, in the order of their declarations and of outcomes."""
        asked = sorted((row for row in self.rows if row.outcome), key=lambda row: list(COLOURS).index(str(row.outcome)))
        return {
            kind: LedgerRows([row for row in asked if row.kind == kind])
            for kind in KINDS
            if any(row.kind == kind for row in asked)
        }

    @property
    def titles(self) -> dict[str, str]:
        """Give what each kind of list is called."""
        return {row.kind: row.title for row in self.rows}

    @property
    def not_asked(self) -> list[str]:
        """Give the titles of the kinds that were not asked for."""
        return list(dict.fromkeys(row.title for row in self.rows if not row.outcome))

    def ended(self, *outcomes: str) -> int:
        """Count the lists with one of these outcomes (or states, while open)."""
        return sum(row.lists for row in self.rows if row.outcome in outcomes)

    @property
    def parts(self) -> list[tuple[int, str]]:
        """Give the lists of each row, with their colour."""
        return [(row.lists, COLOURS[str(row.outcome)]) for row in self.rows]

    @property
    def lists(self) -> int:
        """Count all of them."""
        return sum(row.lists for row in self.rows)

    @property
    def collected(self) -> int:
        """Count what these lists brought."""
        return sum(row.collected for row in self.rows)

    @property
    def longest(self) -> int:
        """Give how much the longest of them brought."""
        return max((row.longest for row in self.rows), default=0)

    @property
    def claimed(self) -> int:
        """Count what the service claims these lists hold, those left out of which it claims nothing."""
        return sum(row.claimed or 0 for row in self.rows)

    @property
    def collected_of_claimed(self) -> int:
        """Count what the lists with a claim brought."""
        return sum(row.collected_of_claimed for row in self.rows)

    @property
    def without_claim(self) -> int:
        """Count the lists of which the service claims nothing."""
        return sum(row.without_claim for row in self.rows)
