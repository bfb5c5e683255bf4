"""How likes are spread, over people or over tracks, as curves and as a table. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harvest.report.asked import Asked
from harvest.report.curves import reaching
from harvest.report.pictures import Curve
from harvest.report.rows import Bucket
from harvest.report.texts import share

_MARKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Spread:
    """How many have how much: here, and by the service's own counts."""

    here: list[Bucket]
    there: list[Bucket]

    @property
    def things(self) -> int:
        """Count those that have something here, or nothing."""
        return sum(bucket.n for bucket in self.here)

    @property
    def once(self) -> int:
        """Count those that have one."""
        return sum(bucket.n for bucket in self.here if bucket.value == 1)

    @property
    def lines(self) -> list[Curve]:
        """Give the curve of what is here and, where the service told something, the one beside it."""
        here, there = reaching(self.here), reaching(self.there)
        if not here:
            return []
        return [Curve(here, "here"), *([Curve(there, "there", dashed=True)] if there else [])]

    def intervals(self, asked: Asked) -> list[str]:
        """Give the interval of each share of people here that `shares` tells, for people asked for like `asked`."""
        own = replace(asked, people=self.things)
        return [own.of_people(sum(n for value, n in self.here if value >= mark)) for mark, _ in self.shares]

    @property
    def shares(self) -> list[tuple[int, list[str]]]:
        """Give round numbers, each with the share that has so much or more by each of the curves."""
        lines = self.lines
        most = max(line.points[-1][0] for line in lines)
        return [(mark, [_share_from(line, mark) for line in lines]) for mark in _MARKS if mark <= most]


def _share_from(line: Curve, mark: int) -> str:
    """Say which share has `mark` or more; exact, since the marks are among the values that buckets are cut to."""
    return share(next((reached for value, reached in line.points if value >= mark), 0.0), 1.0)
