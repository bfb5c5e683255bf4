"""Say how those who were followed, and those who answered, differ from all people listed around a seed.

Profiles give the same facts of all people, asked or not: so this is known, not estimated, however people were chosen.
For what is not on profiles, a control sample stands for the people that the rule left out: how many likes they have is
estimated from it.

In: a connection. Out: means and standardised differences. Never: a write, or more than one person in memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harvest.estimates.balance import Spread, standardised
from harvest.store.samples import harvests, track_seeds


@dataclass(frozen=True, slots=True)
class Measure:
    """A number on every profile: an expression over `users u`; whether it is a count."""

    words: str
    sql: str
    counts: bool = True


_LIKES_READ = "iif(s.answer = 'answered', s.likes_read, NULL)"
MEASURES = {
    "likes-claimed": Measure("likes by their profile", "u.likes_given_count"),
    "followers": Measure("followers", "u.followers_count"),
    "followings": Measure("people followed", "u.followings_count"),
    "uploads": Measure("tracks uploaded", "u.track_count"),
    "age": Measure("years since they joined", "(julianday(:now) - julianday(u.created_at)) / 365.25", counts=False),
    "likes-read": Measure("likes that were read", _LIKES_READ),
}
OF_CONTROLS = ("likes-read",)  # told where a control sample was drawn, and not on profiles: estimated


@dataclass(frozen=True, slots=True)
class Compared:
    """One number: known of so many of the people listed, its means, and how far those followed and those who answered
    are from all, in standard deviations; None where that is not known. Of a control sample, who was drawn by lot from
    those that the rule left out, the same; they are not among those followed and answered. What is not on profiles is
    `estimated` of all people listed.
    """

    measure: str
    known: int
    listed: float | None
    followed: float | None
    answered: float | None
    followed_difference: float | None
    answered_difference: float | None
    control: float | None = None
    control_difference: float | None = None
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Bias:
    """All people listed around a seed, those of them who were followed, and those who answered, compared."""

    harvest_id: int
    track_id: int
    listed: int
    followed: int
    answered: int
    compared: tuple[Compared, ...]
    control: int = 0

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return asdict(self)


def biases(connection: sqlite3.Connection) -> list[Bias]:
    """Compare around every seed that is a track, in the order of harvests and seeds."""
    return list(_biases(connection))


def _biases(connection: sqlite3.Connection) -> Iterator[Bias]:
    (now,) = connection.execute("SELECT (SELECT fetched_at FROM pages ORDER BY id DESC LIMIT 1)").fetchone()
    wanted = ", ".join(measure.sql for measure in MEASURES.values())
    people = f"""
        SELECT s.chosen, s.answer = 'answered', s.chance, {wanted}
        FROM sample AS s CROSS JOIN users AS u ON u.id = s.user_id
        WHERE s.harvest_id = :harvest AND s.track_id = :track AND s.once
    """  # noqa: S608 - our own expressions
    for harvest_id, limits in harvests(connection):
        for track in track_seeds(connection, harvest_id):
            listed, followed, answered, control = (_Group() for _ in range(4))
            parameters = {"now": now, "harvest": harvest_id, "track": track}
            for chosen, came, chance, *values in connection.execute(people, parameters):
                listed.add(values, 1 / chance if chance else 1.0)
                if limits.controls and chance is not None and chance < 1:
                    control.add(values)
                    continue
                if chosen:
                    followed.add(values)
                if chosen and came:
                    answered.add(values)
            compared = (
                _compared(measure, *(group.spreads[measure] for group in (listed, followed, answered, control)))
                for measure in MEASURES
                if control.people or measure not in OF_CONTROLS
            )
            yield Bias(
                harvest_id, track, listed.people, followed.people, answered.people, tuple(compared), control.people
            )


class _Group:
    """So many people, and what their profiles say; what is not on profiles counts by how many they stand for."""

    def __init__(self) -> None:
        self.people = 0
        self.spreads = {name: Spread(measure.counts) for name, measure in MEASURES.items()}

    def add(self, values: Sequence[float | None], weight: float = 1.0) -> None:
        self.people += 1
        for (name, spread), value in zip(self.spreads.items(), values, strict=True):
            spread.add(value, weight if name in OF_CONTROLS else 1.0)


def _compared(measure: str, listed: Spread, followed: Spread, answered: Spread, control: Spread) -> Compared:
    return Compared(
        measure,
        listed.n,
        listed.mean,
        followed.mean,
        answered.mean,
        standardised(followed, listed),
        standardised(answered, listed),
        control.mean,
        standardised(control, listed),
        measure in OF_CONTROLS,
    )
