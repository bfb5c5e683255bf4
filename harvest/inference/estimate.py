"""Estimate means, shares and totals over everybody listed around a seed, from those who were drawn.

Of each person counts what the harvest keeps of their list. Who did not answer is left out and taken to be like the
others. Whose list was cut at the cap is taken to like as much as their profile says, times what the lists of the others
hold of what theirs say, and what was not read is taken to be like what was.

In: a connection, a question. Out: a Result, which says what it is conditional on. Never: a write.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from statistics import fmean
from typing import Any, NamedTuple

from harvest.errors import SettingsError
from harvest.estimates.totals import Estimate, Unit, hajek, ht, ratio, regression
from harvest.inference.questions import BY, CAPPED, ESTIMATORS, LIKES, OF, OF_PEOPLE, OF_TRACKS, PER
from harvest.models import Outcome
from harvest.store import rounds
from harvest.store.samples import Judged, Sample, harvests, samples

GROUPS = 12  # shown, unless more are asked for


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the number `of`, by groups of tracks, a mean over people or over likes, or a total.

    `track_id` names the seed, None the only one. `estimator` None is the usual one of what is asked. `seed` is that of
    the bootstrap.
    """

    of: str = LIKES
    by: str | None = None
    per: str = "person"
    total: bool = False
    estimator: str | None = None
    capped: str = CAPPED[0]
    track_id: int | None = None
    groups: int = GROUPS
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """An estimate for one group of tracks, None for all; a group None are tracks that say nothing of it."""

    group: str | None
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Result:
    """Answers, and what they are conditional on, in sentences."""

    question: Question
    words: str
    estimator: str
    harvest_id: int
    track_id: int
    population: int
    drawn: int
    answered: int
    censored: int
    answers: tuple[Answer, ...]
    conditions: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        told = asdict(self)
        told["answers"] = [{"group": one.group, **asdict(one.estimate)} for one in self.answers]
        return told


class _Listed(NamedTuple):
    """Somebody listed around the seed: what their profile claims, and the number asked for where that is on it."""

    user_id: int
    claimed: int | None
    asked: int | None


class Sums(NamedTuple):
    """Of liked tracks whose number is known: how many, the sum of these numbers, and of their squares."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0


class _Read(NamedTuple):
    """Somebody drawn who answered: how many likes they have in all, as far as can be told, and how many were read."""

    user_id: int
    likes: float
    read: int
    claimed: int | None
    sums: Mapping[str | None, Sums]  # by group


def estimate(connection: sqlite3.Connection, question: Question) -> Result:
    """Answer a question. Raises SettingsError for one that makes no sense, or that the file cannot answer, with the
    reason.
    """
    _check(question)
    sample = _sample(connection, question)
    listed = _listed(connection, sample, question)
    if question.of in OF_PEOPLE:
        return _of_people(sample, listed, question)
    read = _read(connection, sample, listed, question)
    if not read:
        raise SettingsError("Nobody of the sample has answered with a list, so there is nothing to estimate from.")
    answers = tuple(_answers(sample, listed, read, question))
    return _result(
        sample, question, answers, len(read), _estimator(question), list(_conditions(sample, read, question))
    )


def _check(question: Question) -> None:
    for name, value, there in (
        ("--of", question.of, OF),
        ("--by", question.by, (None, *BY)),
        ("--per", question.per, PER),
        ("--estimator", question.estimator, (None, *ESTIMATORS)),
        ("--capped", question.capped, CAPPED),
    ):
        if value not in there:
            raise SettingsError(f"{name} is one of {', '.join(str(one) for one in there if one)}, not {value!r}.")
    if question.by and question.of in OF_PEOPLE:
        raise SettingsError(f"--by groups liked tracks, and {question.of} are of people: leave it out.")
    if question.total and question.of in OF_TRACKS:
        raise SettingsError(f"A total of {question.of} over likes means nothing: leave out --total.")
    if question.per == "like" and question.of not in OF_TRACKS and not question.by:
        raise SettingsError("--per like needs a number that tracks have, or --by: each like is one like.")
    if question.per == "like" and question.estimator not in (None, "hajek"):
        raise SettingsError("--per like is a mean over likes, which has one estimator: leave out --estimator.")
    if question.estimator == "ht" and question.of in OF_TRACKS:
        raise SettingsError("--estimator ht needs a number of everybody's, and who likes nothing has none: hajek does.")
    if question.total and question.per == "like":
        raise SettingsError("--total is over all people: leave out --per like.")


def _sample(connection: sqlite3.Connection, question: Question) -> Sample:
    """Find the sample that is meant. Raises SettingsError with the reason where there is none."""
    found: list[Sample | Judged] = []
    for harvest_id, limits in harvests(connection):
        found += samples(connection, harvest_id, limits)
    meant = [one for one in found if question.track_id in (None, one.track_id)]
    drawn = [one for one in meant if isinstance(one, Sample)]
    if len({one.track_id for one in drawn}) > 1:
        named = ", ".join(str(one.track_id) for one in drawn[:5])
        raise SettingsError(f"People were drawn around several tracks: say which with --track, one of {named}.")
    if drawn:
        return max(drawn, key=lambda one: len(one.people))
    reason = next((one.reason for one in meant if isinstance(one, Judged)), None)
    if reason is None:
        reason = "no seed is a track" if question.track_id is None else f"track {question.track_id} is no seed"
    raise SettingsError(f"There is nothing to estimate from: {reason}. A sample is drawn with --sample N.")


def _listed(connection: sqlite3.Connection, sample: Sample, question: Question) -> list[_Listed]:
    """Give everybody listed around the seed."""
    asked = f"u.{OF_PEOPLE[question.of].column}" if question.of in OF_PEOPLE else "NULL"
    return [
        _Listed(*row)
        for choice in rounds.draws(connection, sample.harvest_id, sample.limits)
        for row in connection.execute(
            f"""
            SELECT u.id, u.likes_given_count, {asked}
            FROM ({choice.sql}) AS d CROSS JOIN users AS u ON u.id = d.user_id WHERE d.track_id = :track
            """,  # noqa: S608 - our own columns
            {**choice.parameters, "most": sample.population, "track": sample.track_id},
        )
    ]


def _read(connection: sqlite3.Connection, sample: Sample, listed: Sequence[_Listed], question: Question) -> list[_Read]:
    """Give those of the sample who answered, with what they like by group."""
    claims = {one.user_id: one.claimed for one in listed}
    people = [one for one in sample.people if one.answered]
    value = OF_TRACKS[question.of].sql if question.of in OF_TRACKS else "1"
    sql = f"""
        SELECT {BY[question.by] if question.by else "NULL"}, count(*), count({value}), total({value}),
            total(1.0 * ({value}) * ({value}))
        FROM user_engagements AS e CROSS JOIN tracks AS t ON t.id = e.track_id
        WHERE e.user_id = ? AND e.engagement_type = 'like' AND e.user_list_rank < ?
        GROUP BY 1
    """  # noqa: S608 - our own expressions
    found = []
    for one in people:
        rows = connection.execute(sql, (one.user_id, sample.cap)).fetchall()
        found.append((one, sum(row[1] for row in rows), {row[0]: Sums(*row[2:]) for row in rows}))
    whole = [(n, claims[one.user_id]) for one, n, _ in found if one.outcome != Outcome.CAPPED]
    below = sum(claim for _, claim in whole if claim)
    per_claim = sum(n for n, claim in whole if claim) / below if below else 1.0
    read = []
    for one, n, sums in found:
        claimed, likes = claims[one.user_id], float(n)
        is_cut = one.outcome == Outcome.CAPPED
        if is_cut and question.capped == "left-out":
            continue
        if is_cut and question.capped == "by-profile" and claimed is not None:
            likes = max(likes, per_claim * claimed)
        read.append(_Read(one.user_id, likes, n, claimed, sums))
    return read


def _answers(sample: Sample, listed: Sequence[_Listed], read: Sequence[_Read], question: Question) -> Iterator[Answer]:
    groups: Sequence[str | None] = [None]
    if question.by:
        often: Counter[str | None] = Counter()
        for person in read:
            for group, sums in person.sums.items():
                often[group] += sums.n
        groups = sorted(often, key=lambda group: (-often[group], group is None, group or ""))[: question.groups]
    for group in groups:
        units = list(_units(sample, read, question, group))
        if units:
            plain = _plain(read, question, group) if question.per == "like" else None
            yield Answer(group, _by(question, units, sample, listed, plain))


def _units(sample: Sample, read: Sequence[_Read], question: Question, group: str | None) -> Iterator[Unit]:
    """Give the people on whom a group's number is known, with weight, number and what it is taken against."""
    weight = sample.population / len(sample.people)
    for person in read:
        n, total, _ = _sums(person, question, group)
        scale = person.likes / person.read if person.read else 1.0
        if question.of == LIKES:
            if question.per == "like":
                yield Unit(weight, n * scale, person.likes)
            elif question.by and not question.total:
                if person.read:
                    yield _against(question, weight, n / person.read, person)
            else:
                yield _against(question, weight, n * scale if question.by else person.likes, person)
        elif n and question.per == "like":
            yield Unit(weight, total * scale, n * scale)
        elif n:
            yield _against(question, weight, total / n, person)


def _plain(read: Sequence[_Read], question: Question, group: str | None) -> float:
    """Give the standard error that a mean over as many likes would have, had each been drawn by itself."""
    mine = [_sums(person, question, group) for person in read]
    n, total, squares = (sum(column) for column in zip(*mine, strict=True))
    if question.of == LIKES:  # a share of all of them
        n = sum(person.read for person in read)
        squares = total
    return sqrt(max(0.0, squares / n - (total / n) ** 2) / n) if n else 0.0


def _sums(person: _Read, question: Question, group: str | None) -> Sums:
    """Give the sums of a group, or of all groups."""
    if question.by:
        return person.sums.get(group, Sums())
    return Sums(*map(sum, zip(*person.sums.values(), strict=True))) if person.sums else Sums()


def _against(question: Question, weight: float, value: float, person: _Read) -> Unit:
    return Unit(weight, value, float(person.claimed or 0) if question.estimator in ("ratio", "regression") else 1.0)


def _by(
    question: Question, units: list[Unit], sample: Sample, listed: Sequence[_Listed], plain: float | None = None
) -> Estimate:
    """Estimate by the estimator that is asked for, or the usual one."""
    fraction, everybody = len(sample.people) / sample.population, sample.population
    factor = float(everybody) if question.total else 1.0
    if question.per == "like":
        return ratio(units, fraction, seed=question.seed, plain=plain)
    estimator = _estimator(question)
    if estimator == "ht":
        return ht(units, fraction, factor=1.0 if question.total else 1 / everybody, seed=question.seed)
    if estimator == "hajek":
        return hajek(units, fraction, factor=factor, seed=question.seed)
    claims = [one.claimed for one in listed if one.claimed is not None]
    if not claims or not any(unit.known for unit in units):
        raise SettingsError(f"--estimator {estimator} needs the likes that profiles claim, and none is known.")
    mean = fmean(claims)
    if estimator == "ratio":
        return ratio(units, fraction, known_mean=mean, factor=factor, seed=question.seed)
    return regression(units, fraction, known_mean=mean, factor=factor, seed=question.seed)


def _of_people(sample: Sample, listed: Sequence[_Listed], question: Question) -> Result:
    """Say what stands on everybody's profile: no estimate, unless an estimator is asked for."""
    known = {one.user_id: float(one.asked) for one in listed if one.asked is not None}
    if not known:
        raise SettingsError(f"No profile says {OF_PEOPLE[question.of].words}, so there is nothing to estimate from.")
    if question.estimator is None:
        mean = fmean(known.values())
        value = sum(known.values()) if question.total else mean
        found = Estimate(value, value, value, 0.0, len(known), None)
        said = [f"Known of {len(known):,} of the {len(listed):,} people listed, so nothing is estimated."]
        return _result(sample, question, (Answer(None, found),), len(known), "known of everybody", said)
    claims = {one.user_id: one.claimed for one in listed}
    weight = sample.population / len(sample.people)
    read = [_Read(one.user_id, 0, 0, claims[one.user_id], {}) for one in sample.people if one.user_id in known]
    units = [_against(question, weight, known[person.user_id], person) for person in read]
    if not units:
        raise SettingsError("Nobody of the sample has this on their profile, so there is nothing to estimate from.")
    answer = Answer(None, _by(question, units, sample, listed))
    return _result(sample, question, (answer,), len(units), question.estimator, [_of_the_listed(sample)])


def _result(
    sample: Sample, question: Question, answers: tuple[Answer, ...], answered: int, estimator: str, said: list[str]
) -> Result:
    return Result(
        question=question,
        words=_words(question),
        estimator=estimator,
        harvest_id=sample.harvest_id,
        track_id=sample.track_id,
        population=sample.population,
        drawn=len(sample.people),
        answered=answered,
        censored=sample.censored,
        answers=answers,
        conditions=tuple(said),
    )


def _estimator(question: Question) -> str:
    return "ratio over likes" if question.per == "like" else question.estimator or "hajek"


def _words(question: Question) -> str:
    """Say in words what is estimated."""
    if question.of in OF_PEOPLE:
        words = OF_PEOPLE[question.of].words
        return f"{words}, in all" if question.total else f"{words} per person"
    if question.of == LIKES and question.by and not question.total:
        over = "all likes" if question.per == "like" else "a person's likes, on average over people"
        return f"share of {over}, by {question.by}"
    by = f", by {question.by}" if question.by else ""
    if question.of == LIKES:
        return f"tracks liked{by}, in all" if question.total else f"tracks liked per person{by}"
    over = "over likes" if question.per == "like" else "over people, each with the mean of what they like"
    return f"{OF_TRACKS[question.of].words}, mean {over}{by}"


def _of_the_listed(sample: Sample) -> str:
    drawn, population = len(sample.people), sample.population
    if drawn == population:
        return f"The population is the {population:,} people listed around the seed, all of whom were followed."
    return (
        f"The population is the {population:,} people listed around the seed; {drawn:,} of them were drawn by lot, with"
        f" a chance of {drawn / population:.3g} each."
    )


def _conditions(sample: Sample, read: Sequence[_Read], question: Question) -> Iterator[str]:
    """Say what the estimate is conditional on."""
    yield _of_the_listed(sample)
    silent = sum(not one.answered for one in sample.people)
    if silent:
        taken = "count as liking nothing" if question.estimator == "ht" else "are taken to be like the others"
        yield f"{silent:,} of the sample did not answer (gone, forbidden or failed) and {taken}."
    if sample.wanted > len(sample.people):
        left = sample.wanted - len(sample.people)
        yield f"{left:,} more are still to be read; those read so far are the first by lot."
    if sample.censored:
        yield f"{sample.censored:,} lists were cut at {sample.cap:,}: {_CUT[question.capped]}."
    if question.estimator in ("ratio", "regression"):
        yield (
            "It leans on the likes that profiles claim: a few that count what cannot be listed make the interval too"
            " narrow."
        )
    if not sample.censored and question.of == LIKES and not question.by:
        yield "Every list that was answered is whole."


_CUT = {
    "by-profile": "these people count with as many likes as their profiles let expect, like those that were read",
    "as-read": "these people count with what was read of them, the newest of what they like",
    "left-out": "these people, who like more than others, are left out, which lowers what grows with it",
}
