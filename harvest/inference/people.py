"""What is known of the people of a sample: how many likes they have, and what they like by groups.

In: a connection, who was drawn and how their lists ended. Out: people, and the numbers asked for of each, weighted.
Never: a write.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt
from typing import Any, NamedTuple

from harvest.estimates.totals import Unit
from harvest.inference.questions import BY, LIKES, OF_TRACKS, Question
from harvest.models import Outcome
from harvest.store import rounds
from harvest.store.samples import Drawn, Sample


class Sums(NamedTuple):
    """Of liked tracks whose number is known: how many, the sum of these numbers, and of their squares."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0


class Chosen(NamedTuple):
    """A person of a sample, how many of the population they stand for, the likes that their profile claims, and whether
    they were chosen for certain.
    """

    drawn: Drawn
    weight: float
    claimed: int | None
    certain: bool = False


class Person(NamedTuple):
    """A person drawn who answered: how many likes they have in all, as far as can be told, and how many were read."""

    user_id: int
    weight: float
    likes: float
    read: int
    claimed: int | None
    sums: Mapping[str | None, Sums]  # by group
    certain: bool = False


def profiles_of(connection: sqlite3.Connection, sample: Sample, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Give what the profiles of all people listed around the seed say: the id, and columns of `users`."""
    wanted = ", ".join(f"u.{column}" for column in ("id", *columns))
    for choice in rounds.draws(connection, sample.harvest_id, sample.limits):
        yield from connection.execute(
            f"""
            SELECT {wanted} FROM ({choice.sql}) AS d CROSS JOIN users AS u ON u.id = d.user_id
            WHERE d.track_id = :track
            """,  # noqa: S608 - our own columns
            {**choice.parameters, "most": sample.population, "track": sample.track_id},
        )


def read_of(connection: sqlite3.Connection, chosen: Iterable[Chosen], cap: int, question: Question) -> list[Person]:
    """Give those who answered, with what they like by group: `cap` likes of each, as far as they are wanted."""
    value = OF_TRACKS[question.of].sql if question.of in OF_TRACKS else "1"
    sql = f"""
        SELECT {BY[question.by] if question.by else "NULL"}, count(*), count({value}), total({value}),
            total(1.0 * ({value}) * ({value}))
        FROM user_engagements AS e CROSS JOIN tracks AS t ON t.id = e.track_id
        WHERE e.user_id = ? AND e.engagement_type = 'like' AND e.user_list_rank < ?
        GROUP BY 1
    """  # noqa: S608 - our own expressions
    found = []
    for one in chosen:
        if one.drawn.answered:
            rows = connection.execute(sql, (one.drawn.user_id, cap)).fetchall()
            found.append((one, sum(row[1] for row in rows), {row[0]: Sums(*row[2:]) for row in rows}))
    whole = [(n, one.claimed) for one, n, _ in found if one.drawn.outcome != Outcome.CAPPED]
    below = sum(claim for _, claim in whole if claim)
    per_claim = sum(n for n, claim in whole if claim) / below if below else 1.0
    read = []
    for one, n, sums in found:
        likes, is_cut = float(n), one.drawn.outcome == Outcome.CAPPED
        if is_cut and question.capped == "left-out":
            continue
        if is_cut and question.capped == "by-profile" and one.claimed is not None:
            likes = max(likes, per_claim * one.claimed)
        read.append(Person(one.drawn.user_id, one.weight, likes, n, one.claimed, sums, one.certain))
    return read


def groups_of(read: Sequence[Person], question: Question) -> Sequence[str | None]:
    """Give the groups that are shown, those that people like most often first; None alone for all tracks together."""
    if not question.by:
        return [None]
    often: Counter[str | None] = Counter()
    for person in read:
        for group, sums in person.sums.items():
            often[group] += sums.n
    return sorted(often, key=lambda group: (-often[group], group is None, group or ""))[: question.groups]


def units_of(read: Iterable[Person], question: Question, group: str | None) -> Iterator[Unit]:
    """Give the people of a group whose number is known, with weight, number and what it is taken against."""
    for person in read:
        n, total, _ = _sums(person, question, group)
        scale = person.likes / person.read if person.read else 1.0
        if question.of == LIKES:
            if question.per == "like":
                yield Unit(person.weight, n * scale, person.likes, person.certain)
            elif question.by and not question.total:
                if person.read:
                    yield against(question, n / person.read, person)
            else:
                yield against(question, n * scale if question.by else person.likes, person)
        elif n and question.per == "like":
            yield Unit(person.weight, total * scale, n * scale, person.certain)
        elif n:
            yield against(question, total / n, person)


def plain_of(read: Sequence[Person], question: Question, group: str | None) -> float:
    """Give the standard error that a mean over as many likes would have, had each been drawn by itself."""
    mine = [_sums(person, question, group) for person in read]
    n, total, squares = (sum(column) for column in zip(*mine, strict=True))
    if question.of == LIKES:  # a share of all of them
        n = sum(person.read for person in read)
        squares = total
    return sqrt(max(0.0, squares / n - (total / n) ** 2) / n) if n else 0.0


def _sums(person: Person, question: Question, group: str | None) -> Sums:
    """Give the sums of a group, or of all groups."""
    if question.by:
        return person.sums.get(group, Sums())
    return Sums(*map(sum, zip(*person.sums.values(), strict=True))) if person.sums else Sums()


def against(question: Question, value: float, person: Person) -> Unit:
    """Give a person's number, against the likes that their profile claims where an estimator asks for them."""
    known = float(person.claimed or 0) if question.estimator in ("ratio", "regression") else 1.0
    return Unit(person.weight, value, known, person.certain)
