"""Who was asked around a seed: how many were listed, chosen, answered, and with what chance. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from harvest.estimates.balance import MATTERS
from harvest.estimates.richness import Coverage
from harvest.inference.bias import MEASURES, Bias
from harvest.models import BY_LOT
from harvest.report.rows import SampleRow, SeedRow
from harvest.store.samples import Judged


@dataclass(frozen=True, slots=True)
class Sample:
    """A seed, the people listed around it, and how much of what they like has been seen."""

    seed: SeedRow
    rows: list[SampleRow]
    judged: Judged | None = None
    bias: Bias | None = None

    @property
    def order(self) -> str:
        """Give the order in which people were chosen."""
        return str(json.loads(self.seed.options).get("order", "newest"))

    @property
    def everybody(self) -> int:
        """Count the people listed."""
        return _people(self.rows)

    @property
    def followed(self) -> int:
        """Count the people chosen."""
        return _people(self._chosen)

    @property
    def drawn(self) -> int:
        """Count the people chosen by lot; the others may be followed for another track's sake."""
        return sum(row.with_chance for row in self._chosen)

    @property
    def control(self) -> int:
        """Count the people of a control sample, drawn beside those that a rule chose."""
        return 0 if self.order in BY_LOT else sum(row.by_lot for row in self._chosen)

    @property
    def chances(self) -> list[str]:
        """Give the chance with which people were drawn, or the least and the greatest; nothing where none were."""
        ends = [chance for row in self._chosen for chance in (row.least_chance, row.most_chance) if chance is not None]
        if not ends:
            return []
        least, most = min(ends), max(ends)
        return [f"{least:.3g}"] if round(least, 6) == round(most, 6) else [f"{least:.3g}", f"{most:.3g}"]

    def came(self, answer: str, *, capped: bool = False) -> int:
        """Count the people chosen who gave this answer."""
        return _people([row for row in self._chosen if row.answer == answer and bool(row.censored) == capped])

    @property
    def coverage(self) -> Coverage | None:
        """Give what a sample that chance has drawn, and that is no census, has seen; None where nothing can be said."""
        found = self.judged.coverage if self.judged else None
        return found if found is not None and found.new_share is not None and found.people < found.population else None

    @property
    def mean(self) -> float | None:
        """Give how many likes the people listed claim on average; None where no profile is known."""
        return _mean(self.rows)

    @property
    def mean_followed(self) -> float | None:
        """Give the same of the people chosen."""
        return _mean(self._chosen)

    @property
    def mean_others(self) -> float | None:
        """Give the same of the people not chosen."""
        return _mean([row for row in self.rows if not row.chosen])

    @property
    def off(self) -> list[str]:
        """Name what those who answered differ in from all people listed, by more than matters."""
        compared = self.bias.compared if self.bias else ()
        return [MEASURES[one.measure].words for one in compared if abs(one.answered_difference or 0) > MATTERS]

    @property
    def _chosen(self) -> list[SampleRow]:
        return [row for row in self.rows if row.chosen]


def judged_of(judged: Sequence[Judged], seed: SeedRow) -> Judged | None:
    """Give what was judged around a seed, None for one around which no one is followed."""
    return next((one for one in judged if (one.harvest_id, one.track_id) == (seed.harvest_id, seed.seed_id)), None)


def bias_of(biases: Sequence[Bias], seed: SeedRow) -> Bias | None:
    """Give how those followed around a seed differ; None where none or all are, so that there is nothing to compare."""
    found = next((one for one in biases if (one.harvest_id, one.track_id) == (seed.harvest_id, seed.seed_id)), None)
    return found if found and 0 < found.answered < found.listed else None


def _people(rows: Sequence[SampleRow]) -> int:
    return sum(row.people for row in rows)


def _mean(rows: Sequence[SampleRow]) -> float | None:
    claims = sum(row.claims for row in rows)
    return (
        sum(row.mean_claimed * row.claims for row in rows if row.mean_claimed is not None) / claims if claims else None
    )
