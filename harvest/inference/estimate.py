"""Estimate means, shares and totals over all people listed around a seed, from those who were drawn; where people were
walked to, over all who can be reached (`walks.py`).

Of each person counts what the harvest keeps of their list. Who did not answer is left out and taken to be like the
others. Whose list was cut at the cap is taken to like as much as their profile says, times what the lists of the others
hold of what theirs say, and what was not read is taken to be like what was.

In: a connection, a question. Out: a Result, which says what it is conditional on. Never: a write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import NamedTuple

from harvest.errors import SettingsError
from harvest.estimates.totals import Estimate, Unit, hajek, ht, ratio, regression
from harvest.inference.people import Chosen, Person, against, groups_of, plain_of, profiles_of, read_of, units_of
from harvest.inference.questions import CUT, LIKES, OF_PEOPLE, Answer, Question, Result, check, estimator_of, words_of
from harvest.inference.walks import along, walk_of
from harvest.inference.weights import raked
from harvest.store.samples import Judged, Sample, harvests, samples


class _Listed(NamedTuple):
    """A person listed around the seed: what their profile claims, and the number asked for where that is on it."""

    user_id: int
    claimed: int | None
    asked: int | None


def estimate(connection: sqlite3.Connection, question: Question) -> Result:
    """Answer a question. Raises SettingsError for one that makes no sense, or that the file cannot answer, with the
    reason.
    """
    check(question)
    walk = walk_of(connection, question)
    if walk is not None:
        if question.rake:
            raise SettingsError("--rake needs people drawn around a seed, and these were walked to: leave it out.")
        return along(connection, walk, question)
    sample = _sample(connection, question)
    listed = _listed(connection, sample, question)
    if question.of in OF_PEOPLE:
        return _of_people(sample, listed, question)
    claims = {one.user_id: one.claimed for one in listed}
    chosen = [Chosen(one, 1.0, claims[one.user_id], certain=True) for one in sample.certain]
    chosen += [Chosen(one, sample.weight, claims[one.user_id]) for one in sample.people]
    read = read_of(connection, chosen, sample.cap, question)
    if not read:
        raise SettingsError("No list of the sample was read, so there is nothing to estimate from.")
    said = list(_conditions(sample, read, question))
    if question.rake:
        weights, words = raked(connection, sample, {person.user_id: person.weight for person in read})
        read = [person._replace(weight=weights[person.user_id]) for person in read]
        said.append(words)
    answers = tuple(_answers(sample, listed, read, question))
    return _result(sample, question, answers, len(read), estimator_of(question), said)


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
        return max(drawn, key=lambda one: len(one.everybody))
    reason = next((one.reason for one in meant if isinstance(one, Judged)), None)
    if reason is None:
        reason = "no seed is a track" if question.track_id is None else f"track {question.track_id} is no seed"
    raise SettingsError(f"There is nothing to estimate from: {reason}. A sample is drawn with --sample N.")


def _listed(connection: sqlite3.Connection, sample: Sample, question: Question) -> list[_Listed]:
    """Give all people listed around the seed."""
    claimed = "likes_given_count"
    asked = OF_PEOPLE[question.of].column if question.of in OF_PEOPLE else claimed
    return [_Listed(*row) for row in profiles_of(connection, sample, (claimed, asked))]


def _answers(sample: Sample, listed: Sequence[_Listed], read: Sequence[Person], question: Question) -> Iterator[Answer]:
    for group in groups_of(read, question):
        units = list(units_of(read, question, group))
        if units:
            plain = plain_of(read, question, group) if question.per == "like" else None
            yield Answer(group, _by(question, units, sample, listed, plain))


def _by(
    question: Question, units: list[Unit], sample: Sample, listed: Sequence[_Listed], plain: float | None = None
) -> Estimate:
    """Estimate by the estimator that is asked for, or the usual one."""
    fraction, everybody = 1 / sample.weight, sample.population
    factor = float(everybody) if question.total else 1.0
    if question.per == "like":
        return ratio(units, fraction, seed=question.seed, plain=plain)
    estimator = estimator_of(question)
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
    """Say what stands on every profile: no estimate, unless an estimator is asked for."""
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
    read = [Person(one.user_id, 1.0, 0, 0, claims[one.user_id], {}, certain=True) for one in sample.certain]
    read += [Person(one.user_id, sample.weight, 0, 0, claims[one.user_id], {}) for one in sample.people]
    read = [person for person in read if person.user_id in known]
    units = [against(question, known[person.user_id], person) for person in read]
    if not units:
        raise SettingsError("No profile in the sample has this value, so there is nothing to estimate from.")
    answer = Answer(None, _by(question, units, sample, listed))
    return _result(sample, question, (answer,), len(units), question.estimator, [_of_the_listed(sample)])


def _result(
    sample: Sample, question: Question, answers: tuple[Answer, ...], answered: int, estimator: str, said: list[str]
) -> Result:
    return Result(
        question=question,
        words=words_of(question),
        estimator=estimator,
        harvest_id=sample.harvest_id,
        track_id=sample.track_id,
        population=sample.population,
        drawn=len(sample.everybody),
        answered=answered,
        censored=sample.censored,
        answers=answers,
        conditions=tuple(said),
    )


def _of_the_listed(sample: Sample) -> str:
    drawn, population = len(sample.people), sample.population
    if drawn == population:
        return f"The population is the {population:,} people listed around the seed, all of them followed."
    if sample.certain:
        n = len(sample.certain)
        return (
            f"The population is the {population:,} people listed around the seed; {n:,} of them were followed by a"
            f" rule, for certain, and {drawn:,} of the other {population - n:,} were drawn by lot, with a chance of"
            f" {1 / sample.weight:.3g} each."
        )
    return (
        f"The population is the {population:,} people listed around the seed; {drawn:,} of them were drawn by lot, with"
        f" a chance of {drawn / population:.3g} each."
    )


def _conditions(sample: Sample, read: Sequence[Person], question: Question) -> Iterator[str]:
    """Say what the estimate is conditional on."""
    yield _of_the_listed(sample)
    silent = sum(not one.answered for one in sample.everybody)
    if silent:
        taken = "count as liking nothing" if question.estimator == "ht" else "are taken to be like the others"
        yield f"{silent:,} of the sample did not answer (gone, forbidden or failed) and {taken}."
    left = sample.wanted - len(sample.everybody)
    if left > 0:
        yield f"{left:,} more are still to be read; those read so far are the first by lot."
    if sample.censored:
        yield f"Lists that were cut at {sample.cap:,}: {sample.censored:,}; {CUT[question.capped]}."
    if question.estimator in ("ratio", "regression"):
        yield (
            "It leans on the likes that profiles claim: a few that count what cannot be listed make the interval too"
            " narrow."
        )
    if not sample.censored and question.of == LIKES and not question.by:
        yield "Every list that was answered is whole."
