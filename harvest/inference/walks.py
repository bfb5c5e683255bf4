"""Estimate what those who can be reached from the seeds are like, from those that a walk came to.

A walk that takes each edge with the same chance comes to a person the more often the more ways lead on from them. So
each person counts with one over the number of their ways (Salganik & Heckathorn 2004; Volz & Heckathorn 2008). The
first fifth of the stops is left out, since a walker that has just set out is still near the seed. What is drawn again
for the interval are walkers, not stops: the stops of one are alike.

In: a connection, a question. Out: the walk, and its Result. Never: a write.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

from harvest.errors import SettingsError
from harvest.estimates.totals import Estimate, Unit, plain_error, ratio
from harvest.inference.people import Chosen, groups_of, plain_of, read_of, units_of
from harvest.inference.questions import CUT, OF_PEOPLE, Answer, Question, Result, estimator_of, words_of
from harvest.lists import ListKind
from harvest.models import Limits, Outcome
from harvest.rules import depth_of, leads_of, recipe
from harvest.store.edges import of_type
from harvest.store.samples import Drawn, harvests, track_seeds

LEFT_OUT = 0.2  # of the stops of each walker
# Where a walk went: what each visit came from, its depth, and how its list of likes ended. Uses visits_by_round.
_VISITS = """
SELECT v.thing, v.thing_id, v.depth, k.subject, p.subject_id, l.outcome
FROM visits AS v
LEFT JOIN tasks AS p ON p.id = v.parent_task_id
LEFT JOIN list_kinds AS k ON k.kind = p.kind
LEFT JOIN tasks AS l ON v.thing = 'user' AND l.kind = 'user_likes' AND l.subject_id = v.thing_id
WHERE v.harvest_id = ? AND v.round > 0 AND v.place IS NOT NULL AND v.depth > 0
ORDER BY v.round, v.place
"""


@dataclass(frozen=True, slots=True)
class Walk:
    """The people that a harvest's walkers came to beyond the first stops, by walker; `left_out` stops of each."""

    harvest_id: int
    track_id: int | None
    limits: Limits
    walkers: Mapping[int, Sequence[Drawn]]
    left_out: int

    @property
    def stops(self) -> list[Drawn]:
        """All stops, walker by walker."""
        return [stop for stops in self.walkers.values() for stop in stops]


def walk_of(connection: sqlite3.Connection, question: Question) -> Walk | None:
    """Find the walk that is meant, None where there is none. Raises SettingsError where several could be meant."""
    found = []
    for harvest_id, limits in harvests(connection):
        if limits.order == "walk" and depth_of("track", limits) > 1:
            seeds = track_seeds(connection, harvest_id)
            if question.track_id is None or question.track_id in seeds:
                found.append((harvest_id, limits, seeds))
    if not found:
        return None
    if len(found) > 1:
        named = ", ".join(str(seeds[0]) for _, _, seeds in found[:5] if seeds)
        raise SettingsError(f"There are several walks: say which with --track, one of {named}.")
    harvest_id, limits, seeds = found[0]
    left_out = ceil(LEFT_OUT * depth_of("track", limits))
    walkers: dict[int, list[Drawn]] = defaultdict(list)
    walker_at: dict[tuple[str, int], int] = {}
    for thing, thing_id, depth, before, before_id, outcome in connection.execute(_VISITS, (harvest_id,)):
        walker_at[thing, thing_id] = walker_at.get((before, before_id), thing_id)
        if thing == "user" and depth > left_out and outcome is not None:
            walkers[walker_at[thing, thing_id]].append(Drawn(thing_id, outcome))
    return Walk(harvest_id, seeds[0] if seeds else None, limits, walkers, left_out)


def along(connection: sqlite3.Connection, walk: Walk, question: Question) -> Result:
    """Answer a question from a walk. Raises SettingsError for one that a walk cannot answer, with the reason."""
    if question.total:
        raise SettingsError("The number of people a walk can reach is unknown: leave out --total.")
    if question.estimator not in (None, "hajek"):
        raise SettingsError(f"--estimator {question.estimator} needs all who are listed: leave it out for a walk.")
    lists = _both_ways(walk.limits)
    people = {
        walker: [_weighed(connection, stop, lists, question) for stop in stops if stop.answered]
        for walker, stops in walk.walkers.items()
    }
    answers = tuple(_answers(connection, walk, question, people))
    if not answers:
        raise SettingsError("No list beyond the first stops has been read yet, so there is nothing to estimate from.")
    return Result(
        question=question,
        words=words_of(question),
        estimator=estimator_of(question),
        harvest_id=walk.harvest_id,
        track_id=walk.track_id,
        population=None,
        drawn=len(walk.stops),
        answered=sum(map(len, people.values())),
        censored=sum(stop.outcome == Outcome.CAPPED for stop in walk.stops),
        answers=answers,
        conditions=tuple(_conditions(walk, lists, question)),
    )


def _both_ways(limits: Limits) -> list[tuple[ListKind, int]]:
    """Give the lists by which people go on, with their caps. Raises SettingsError where a walk cannot come back by one,
    for then it is unknown how often it comes to a person.
    """
    forth = [(lead.to, kind) for lead, kinds in leads_of("user", limits, 1) if lead.step for kind in kinds]
    back = {kind for lead, kinds in leads_of("track", limits, 1) if lead.step for kind in kinds}
    back |= {kind for to, kind in forth if to == "user"}
    for _, kind in forth:
        if kind.other_side not in back:
            other = f"the {kind.other_side.option} are not walked by" if kind.other_side else "there is no way back"
            raise SettingsError(f"A walk by {kind.option} tells nothing of people it has not met: {other}.")
    caps = {line.kind: line.cap for line in recipe(limits)}
    return [(kind, caps[kind]) for _, kind in forth]


def _weighed(
    connection: sqlite3.Connection, stop: Drawn, lists: Sequence[tuple[ListKind, int]], question: Question
) -> Chosen:
    """Weigh a person by the ways that lead on from them, those not read included where profiles count."""
    named = " UNION ".join(
        f"""
        SELECT '{kind.item}', e.{kind.edge.item} FROM {kind.edge.table} AS e
        WHERE e.{kind.edge.subject} = :user {of_type(kind.edge, "e.")}
            AND e.{kind.edge.rank} >= 0 AND e.{kind.edge.rank} < {cap}
        """  # noqa: S608 - our own declarations
        for kind, cap in lists
        if kind.edge is not None
    )
    kinds = ", ".join(f"'{kind.name}'" for kind, _ in lists)
    ways, unread, claimed = connection.execute(
        f"""
        SELECT (SELECT count(*) FROM ({named})), (
            SELECT total(max(claimed - collected, 0)) FROM tasks
            WHERE subject_id = :user AND kind IN ({kinds}) AND outcome = 'capped'
        ), (SELECT likes_given_count FROM users WHERE id = :user)
        """,  # noqa: S608 - our own declarations
        {"user": stop.user_id},
    ).fetchone()
    return Chosen(stop, 1 / max(ways + (unread if question.capped == "by-profile" else 0), 1), claimed)


def _answers(
    connection: sqlite3.Connection, walk: Walk, question: Question, people: Mapping[int, Sequence[Chosen]]
) -> Iterator[Answer]:
    if question.of in OF_PEOPLE:
        column = OF_PEOPLE[question.of].column
        sql = f"SELECT {column} FROM users WHERE id = ? AND {column} IS NOT NULL"  # noqa: S608 - our own columns
        walkers = [
            [
                Unit(one.weight, float(value))
                for one in chosen
                for (value,) in connection.execute(sql, (one.drawn.user_id,))
            ]
            for chosen in people.values()
        ]
        if any(walkers):
            yield Answer(None, _together(walkers, question, None))
        return
    caps = {line.kind.name: line.cap for line in recipe(walk.limits)}
    everybody = [one for chosen in people.values() for one in chosen]
    walker_of = {one.drawn.user_id: walker for walker, chosen in people.items() for one in chosen}
    read = read_of(connection, everybody, caps.get("user_likes", 0), question)
    for group in groups_of(read, question):
        by_walker: dict[int, list[Unit]] = defaultdict(list)
        for person in read:
            by_walker[walker_of[person.user_id]] += units_of([person], question, group)
        if any(by_walker.values()):
            plain = plain_of(read, question, group) if question.per == "like" else None
            yield Answer(group, _together(list(by_walker.values()), question, plain))


def _together(walkers: Sequence[Sequence[Unit]], question: Question, plain: float | None) -> Estimate:
    """Estimate the sum of w y over that of w x; walkers are drawn again whole."""
    stops = [unit for units in walkers for unit in units]
    sums = [
        Unit(1.0, sum(one.weight * one.value for one in units), sum(one.weight * one.known for one in units))
        for units in walkers
        if units
    ]
    found = ratio(sums, 0.0, seed=question.seed, plain=plain_error(stops) if plain is None else plain)
    return replace(found, people=len(stops))


def _conditions(walk: Walk, lists: Sequence[tuple[ListKind, int]], question: Question) -> Iterator[str]:
    """Say what the estimate is conditional on."""
    by = " and ".join(dict.fromkeys(kind.option for kind, _ in lists))
    yield (
        f"The population is all people who can be reached by {by}: {len(walk.stops):,} stops of {len(walk.walkers):,}"
        f" walkers, the first {walk.left_out:,} of each left out, each with one over the number of ways on as weight."
    )
    yield "No person is visited twice, so the walk should reach only a small part of the population."
    silent = sum(not stop.answered for stop in walk.stops)
    if silent:
        yield f"{silent:,} of the stops did not answer (gone, forbidden or failed), and no walk goes on from there."
    if any(stop.outcome == Outcome.CAPPED for stop in walk.stops):
        cut = sum(stop.outcome == Outcome.CAPPED for stop in walk.stops)
        yield f"Lists that were cut: {cut:,}; {CUT[question.capped]}."
