"""What shares of people stand for: how many were read, of how many, chosen how; and so their intervals. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harvest.estimates.shares import Interval, share_of_likes, share_of_people
from harvest.models import BY_LOT
from harvest.report.sampling import Sample
from harvest.report.texts import share


@dataclass(frozen=True, slots=True)
class Asked:
    """People whose likes were read, of `listed` in all (None: not known), `chosen` by "lot", by a "rule", or "all"."""

    people: int
    listed: int | None
    chosen: str

    def of_people(self, part: int) -> str:
        """Write the interval of the share of people that `part` of them are."""
        return between(share_of_people(min(part, self.people), self.people, self.listed)) if self.people else "–"

    def of_likes(self, part: int, whole: int, spread: float | None) -> str:
        """Write the interval of a share of likes, from how far people are from it."""
        if not whole or spread is None or not self.people:
            return "–"
        return between(share_of_likes(part / whole, spread, self.people, self.listed))


def between(interval: Interval) -> str:
    """Write an interval of shares, with a digit more where its ends would look the same: '0.5–2.1%', '26.8–27.4%'."""
    low, high = (share(end, 1.0).removeprefix("over ").removeprefix("under ") for end in interval)
    if low == high and interval[0] != interval[1]:
        low, high = (f"{100 * end:.1f}%" for end in interval)
    return low if low == high else f"{low.removesuffix('%')}–{high}"


def asked_around(sample: Sample | None, people: int, listed: int) -> Asked:
    """Say what shares of the people around one seed stand for."""
    if people >= listed:
        return Asked(people, people, "all")
    return Asked(people, listed, "lot" if sample is not None and _by_lot(sample) else "rule")


def asked_in_all(samples: Sequence[Sample], people: int, *, went_on: bool) -> Asked:
    """Say what shares of all people read stand for; around several seeds the number listed is unknown."""
    if not samples or went_on:
        return Asked(people, None, "rule")
    if all(sample.came("answered") + sample.came("answered", capped=True) >= sample.everybody for sample in samples):
        return Asked(people, people, "all")
    listed = max(samples[0].everybody, people) if len(samples) == 1 else None
    return Asked(people, listed, "lot" if all(map(_by_lot, samples)) else "rule")


def _by_lot(sample: Sample) -> bool:
    """Say whether chance alone chose people: a rule chooses no one where all were followed."""
    chance_chose = sample.order in BY_LOT or sample.followed == sample.everybody
    return chance_chose and 0 < sample.drawn == sample.followed
