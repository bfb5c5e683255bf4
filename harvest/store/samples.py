"""Who was drawn by lot around the seeds of each harvest, and how much of what people like there the file has seen.

A sample is judged by its first people, up to the first whose likes are still to be read: these are a sample by lot
themselves, whatever arrived first. Of each, what this very harvest wants of their list counts.

In: a connection. Out: samples, coverage, or the reason why there is none. Never: a write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from harvest.estimates.richness import Coverage, coverage
from harvest.models import BY_LOT, Limits, Outcome
from harvest.rules import recipe
from harvest.store import rounds

_ANSWERED = frozenset(one for one in Outcome if one.answered)
_RULES = {
    "newest": "newest first",
    "popular": "the most followed first",
    "least-known": "the least followed first",
}
_LIKES = """
SELECT track_id FROM user_engagements
WHERE user_id = ? AND engagement_type = 'like' AND user_list_rank < ?
"""
_CAME = "SELECT outcome FROM tasks WHERE kind = 'user_likes' AND subject_id = ?"


class Drawn(NamedTuple):
    """A person of a sample, and how their list of likes ended."""

    user_id: int
    outcome: str

    @property
    def answered(self) -> bool:
        """Say whether the service showed the list."""
        return self.outcome in _ANSWERED


@dataclass(frozen=True, slots=True)
class Sample:
    """The people drawn around a track, in the order of their lots, up to the first whose likes are still to be read.

    `population` are listed around it, `wanted` of them are, or are to be, followed; `cap` likes are kept of each. By
    a rule (an order other than random) no one is drawn: then all of the population are in it. Of a control sample
    `certain` are those that the rule chose, all read, and `people` were drawn from the others.
    """

    harvest_id: int
    track_id: int
    limits: Limits
    population: int
    wanted: int
    cap: int
    people: tuple[Drawn, ...]
    certain: tuple[Drawn, ...] = ()

    @property
    def everybody(self) -> tuple[Drawn, ...]:
        """The people whose lists were read."""
        return self.certain + self.people

    @property
    def weight(self) -> float:
        """So many of those listed does each of the people drawn stand for; who is certain for one."""
        return (self.population - len(self.certain)) / len(self.people)

    @property
    def censored(self) -> int:
        """Count the people whose list was cut at the cap."""
        return sum(one.outcome == Outcome.CAPPED for one in self.everybody)


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known of the coverage around one seed: the coverage with its sample, or the reason why there is none."""

    harvest_id: int
    track_id: int
    reason: str | None = None
    sample: Sample | None = None
    coverage: Coverage | None = None

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values. What was not drawn by chance has no share."""
        told: dict[str, Any] = {"harvest_id": self.harvest_id, "track_id": self.track_id}
        if self.reason is not None:
            told["reason"] = self.reason
        if self.coverage is not None and self.sample is not None:
            told |= {**asdict(self.coverage), "cap": self.sample.cap, "censored": self.sample.censored}
        return told


def coverages(connection: sqlite3.Connection, harvest_id: int | None = None) -> list[Judged]:
    """Judge the people followed around every seed that is a track, in the order of harvests and seeds; of one harvest,
    where that is given.

    Of a random sample it goes through all likes twice, read by the key of the table: two seconds for a million of them.
    Of all others it costs next to nothing.
    """
    judged: list[Judged] = []
    for one, limits in harvests(connection):
        if harvest_id not in (None, one):
            continue
        if limits.order not in BY_LOT:
            judged += _without_a_draw(connection, one, limits)
            continue
        for found in samples(connection, one, limits):
            judged.append(found if isinstance(found, Judged) else judge(connection, found))
    return judged


def harvests(connection: sqlite3.Connection) -> list[tuple[int, Limits]]:
    """Give all harvests, each with the options by which its visits were chosen last."""
    rows = connection.execute("SELECT id, coalesce(last_options, options) FROM harvests ORDER BY id")
    return [(harvest_id, Limits.load(options)) for harvest_id, options in rows]


def samples(connection: sqlite3.Connection, harvest_id: int, limits: Limits) -> Iterator[Sample | Judged]:
    """Give the sample around each seed that is a track, or why there is none."""
    tracks = track_seeds(connection, harvest_id)
    cap = next((line.cap for line in recipe(limits) if line.kind.name == "user_likes" and not line.seeds_only), None)
    if cap is None:
        yield from (Judged(harvest_id, track, "the likes of people are not read") for track in tracks)
        return
    if not limits.controls and _by_a_rule(connection, harvest_id, limits):
        yield from (Judged(harvest_id, track, _rule(limits)) for track in tracks)
        return
    drawn: dict[int, tuple[int, float | None, list[int]]] = {}
    for choice in rounds.draws(connection, harvest_id, limits) if _is_chosen(connection, harvest_id) else ():
        for track, user, _, people, chance in connection.execute(choice.sql, choice.parameters):
            drawn.setdefault(track, (people, chance, []))[2].append(user)
    for track in tracks:
        if track not in drawn:
            yield Judged(harvest_id, track, "nobody has been drawn yet")
            continue
        people, chance, users = drawn[track]
        if chance is None:
            why = "a list that names people could not be read, so nobody's chance is known: `harvest retry` asks again"
            yield Judged(harvest_id, track, why)
            continue
        read = tuple(_read(connection, users))
        is_controlled = limits.controls > 0 and people > len(users)
        certain = min(limits.max_users, len(users)) if is_controlled else 0
        least = certain + 1 if is_controlled or limits.order in BY_LOT else people
        if len(read) < least:
            yield Judged(harvest_id, track, "the likes of the people followed are still to be read")
            continue
        yield Sample(harvest_id, track, limits, people, len(users), cap, read[certain:], read[:certain])


def judge(connection: sqlite3.Connection, sample: Sample) -> Judged:
    """Work out the coverage of a sample."""
    found = coverage(likes_of(connection, sample), sample.population)
    return Judged(sample.harvest_id, sample.track_id, None, sample, found)


def likes_of(connection: sqlite3.Connection, sample: Sample) -> Iterator[list[int]]:
    """Give the tracks that each of a sample likes, as far as the harvest wants them; nothing of who did not answer."""
    for person in sample.people:
        yield [row[0] for row in connection.execute(_LIKES, (person.user_id, sample.cap))]


def _without_a_draw(connection: sqlite3.Connection, harvest_id: int, limits: Limits) -> Iterator[Judged]:
    """Say why there is no estimate around seeds whose people were not drawn."""
    why = "everybody listed is followed, so nothing is left to estimate"
    if not _is_chosen(connection, harvest_id):
        why = "nobody has been chosen yet"
    elif not _follows(connection, harvest_id):
        why = "nobody is followed"
    elif _by_a_rule(connection, harvest_id, limits):
        why = _rule(limits)
        if limits.controls:
            why += "; what a control sample tells is in `harvest estimate` and `harvest bias`"
    yield from (Judged(harvest_id, track, why) for track in track_seeds(connection, harvest_id))


def _follows(connection: sqlite3.Connection, harvest_id: int) -> bool:
    """Say whether any person around the seeds is followed."""
    row = connection.execute(
        """
        SELECT 1 FROM visits INDEXED BY visits_by_round
        WHERE harvest_id = ? AND round = 1 AND thing = 'user' AND place IS NOT NULL LIMIT 1
        """,
        (harvest_id,),
    ).fetchone()
    return row is not None


def _rule(limits: Limits) -> str:
    order = _RULES.get(limits.order, "by a rule")
    return f"people were not drawn by chance, but followed {order}"


def track_seeds(connection: sqlite3.Connection, harvest_id: int) -> list[int]:
    """Give the seeds of a harvest that are tracks, in order."""
    rows = connection.execute(
        """
        SELECT thing_id FROM visits INDEXED BY visits_by_round
        WHERE harvest_id = ? AND round = 0 AND thing = 'track' AND place IS NOT NULL ORDER BY place, thing_id
        """,
        (harvest_id,),
    )
    return [int(row[0]) for row in rows]


def _read(connection: sqlite3.Connection, users: list[int]) -> Iterator[Drawn]:
    """Give people up to the first whose likes are still to be read."""
    for user in users:
        row = connection.execute(_CAME, (user,)).fetchone()
        if row is None or row[0] is None:
            return
        yield Drawn(user, row[0])


def _is_chosen(connection: sqlite3.Connection, harvest_id: int) -> bool:
    """Say whether the people that the seeds lead to have been chosen."""
    return (
        connection.execute("SELECT 1 FROM rounds WHERE harvest_id = ? AND round = 0", (harvest_id,)).fetchone()
        is not None
    )


def _by_a_rule(connection: sqlite3.Connection, harvest_id: int, limits: Limits) -> bool:
    """Say whether a rule chose, and left people out: it shows in chances that are unknown, and, where a control
    sample was drawn from these, in chances below one.
    """
    if limits.order in BY_LOT:
        return False
    row = connection.execute(
        """
        SELECT 1 FROM visits INDEXED BY visits_by_round
        WHERE harvest_id = ? AND round = 1 AND thing = 'user' AND place IS NOT NULL AND coalesce(chance, 0) < 1 LIMIT 1
        """,
        (harvest_id,),
    ).fetchone()
    return row is not None


def in_short(judged: Sequence[Judged]) -> dict[str, Any]:
    """Give the coverage around the first seed, and around all where there are several; nothing where there is none."""
    told = [one.as_json() for one in judged]
    return {**({"coverage": told[0]} if told else {}), **({"coverages": told} if len(told) > 1 else {})}
