"""Which known things are looked up again in batches, and what came of it.

A thing is due when nothing but embedded objects has shown it, which tell little, and it was never asked for; when its
counts are older than is wanted; or when it was read by a run that kept less of it than is kept now. What is being asked
for already is not asked for twice, so a sweep that was killed goes on, and a second one asks nothing.

In: a file, what to look up. Out: look-ups to be made (`lookups.py`), and counts of what they found. Never: a commit of
its own.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from harvest.profiles import USUAL, rank
from harvest.store import levels, lookups
from harvest.store.lookups import OF_THING
from harvest.system.clock import as_text
from harvest.things import THINGS

# What can be swept: kinds of things, each with a condition on its row `x`.
PARTS: dict[str, dict[str, str]] = {
    "artists": {"user": "EXISTS (SELECT 1 FROM tracks AS t WHERE t.uploader_id = x.id)"},
    "people": {"user": "true"},
    "tracks": {"track": "true"},
    "all": {"user": "true", "track": "true"},
}
ALL_SHOWN = "shown"  # everything that can be looked up by itself; a private playlist is shown by its link alone
_PARTS = {**PARTS, ALL_SHOWN: {**PARTS["all"], "playlist": "x.sharing IS NOT 'private'"}}


def _asked_for(thing: str, after: str) -> str:
    """Ask whether a look-up of `x` is under way, has failed, or was answered after a run."""
    return f"""
        SELECT 1 FROM {OF_THING.format(thing=thing, thing_id="x.id")} AND (
            l.outcome IS NULL
            OR l.outcome IN (SELECT o.outcome FROM outcomes AS o WHERE o.answered = 0)
            OR EXISTS (SELECT 1 FROM pages AS p WHERE p.task_id = l.id AND p.run_id > {after})
        )
    """  # noqa: S608 - our own text


# Whether what a person says of themselves was never kept (embedded objects do not hold it), and no look-up that would
# keep it is under way or has failed.
_PROFILE_MISSING = f"""
    x.status NOT IN ('gone', 'forgotten')
    AND coalesce(x.full_name, x.city, x.country, x.description, x.website) IS NULL
    AND (
        x.seen_as = 'embedded'
        OR NOT EXISTS (SELECT 1 FROM pages AS p WHERE p.id = x.counts_page_id AND p.run_id > :below_full)
    )
    AND NOT EXISTS ({_asked_for("user", ":below_full")})
"""  # noqa: S608 - our own text
# Likewise what the service shows of a person or a track, after a run that kept nothing but ids.
_BARE = {
    thing: f"""
        :below_minimal > 0 AND (x.created_at IS NULL OR x.{THINGS[thing].label} IS NULL)
        AND x.status NOT IN ('gone', 'forgotten')
        AND NOT EXISTS ({_asked_for(thing, ":below_minimal")})
    """
    for thing in ("user", "track")
}
# The people of a harvest: those it visits, and the artists of the tracks it starts from.
_PEOPLE = """
    SELECT v.thing_id FROM visits AS v WHERE v.harvest_id = :harvest AND v.thing = 'user'
    UNION
    SELECT t.uploader_id FROM visits AS v INDEXED BY visits_by_round
    CROSS JOIN tracks AS t ON t.id = v.thing_id
    WHERE v.harvest_id = :harvest AND v.round = 0 AND v.thing = 'track'
"""
_LACKING = f"SELECT x.id FROM users AS x WHERE x.id IN ({_PEOPLE}) AND {_PROFILE_MISSING}"  # noqa: S608 - our own text
_LACKING_ALL = {
    thing: f"SELECT x.id FROM {THINGS[thing].table} AS x WHERE {missing}"  # noqa: S608 - our own text
    for thing, missing in _BARE.items()
}


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is looked up: `of` names a part of the file, `older_than` an age of counts in seconds; also that of which
    less was kept than `profiles`, a level, keeps.
    """

    of: str = "all"
    older_than: float | None = None
    profiles: str = USUAL


@dataclass(frozen=True, slots=True)
class Found:
    """What a sweep found of one kind of thing: how many were looked up, and of how many that was news."""

    looked_up: int = 0
    changed: int = 0
    gone: int = 0
    came_back: int = 0

    def __add__(self, other: Found) -> Found:
        """Add what was found of another kind."""
        return Found(*map(sum, zip(astuple(self), astuple(other), strict=True)))


class Mark(NamedTuple):
    """How far a file was written at some moment: its newest page and failure."""

    page: int
    failure: int


def due(connection: sqlite3.Connection, sweep: Sweep, now: datetime) -> dict[str, array[int]]:
    """Give the ids of what is to be looked up, by kind of thing, what was seen longest ago first."""
    mark = None if sweep.older_than is None else as_text(now - timedelta(seconds=sweep.older_than))
    given = {"mark": mark, **_below(connection)}
    return {
        thing: array("q", (row[0] for row in connection.execute(_due_sql(thing, which, sweep), given)))
        for thing, which in _PARTS[sweep.of].items()
    }


def ask(connection: sqlite3.Connection, sweep: Sweep, now: datetime) -> None:
    """Want what is due looked up."""
    for thing, ids in due(connection, sweep, now).items():
        for _ in lookups.ask_in_batches(connection, thing, ids):
            pass


def under_way(connection: sqlite3.Connection) -> tuple[dict[str, int], int]:
    """Give how many things wait to be looked up that no harvest waits for, by kind, and in how many requests."""
    rows = connection.execute(
        """
        SELECT b.thing, count(*), count(DISTINCT b.id)
        FROM readings AS r
        CROSS JOIN tasks AS t ON t.id = r.task_id
        CROSS JOIN batches AS b ON b.id = t.subject_id
        CROSS JOIN batch_items AS i ON i.batch_id = b.id
        WHERE r.state <> 'ended' AND r.kind = 'lookup' AND NOT EXISTS (SELECT 1 FROM seeds WHERE task_id = r.task_id)
        GROUP BY b.thing
        """
    ).fetchall()
    return {row[0]: row[1] for row in rows}, sum(row[2] for row in rows)


def ask_for_profiles(connection: sqlite3.Connection, harvest_id: int, level: str) -> None:
    """Want looked up what was read by a run that kept less than a level does: every person and track of which ids
    alone were kept, and with `full` the people of a harvest.
    """
    for thing, ids in _lacking(connection, harvest_id, level):
        for _ in lookups.ask_in_batches(connection, thing, ids):
            pass


def profiles_missing(connection: sqlite3.Connection, harvest_id: int, level: str) -> int:
    """Count what `ask_for_profiles` wants looked up."""
    return sum(len(ids) for _, ids in _lacking(connection, harvest_id, level))


def _lacking(connection: sqlite3.Connection, harvest_id: int, level: str) -> Iterator[tuple[str, array[int]]]:
    """Give the ids, by kind of thing. What was asked for meanwhile is wanted no more."""
    below = _below(connection)
    if rank(level) > 0 and below["below_minimal"]:
        for thing, sql in _LACKING_ALL.items():
            yield thing, array("q", (row[0] for row in connection.execute(sql, below)))
    if level == "full":
        given = {"harvest": harvest_id, **below}
        yield "user", array("q", (row[0] for row in connection.execute(_LACKING, given)))


def _below(connection: sqlite3.Connection) -> dict[str, int]:
    """Give the last run that kept less than each level: what was kept before it has been emptied."""
    return {f"below_{level}": levels.last_below(connection, level) for level in ("minimal", "full")}


def present(connection: sqlite3.Connection) -> Mark:
    """Give the place up to which a file is written, for `found` to begin at."""
    row = connection.execute(
        "SELECT (SELECT coalesce(max(id), 0) FROM pages), (SELECT coalesce(max(id), 0) FROM failures)"
    ).fetchone()
    return Mark(*row)


def found(connection: sqlite3.Connection, since: Mark) -> dict[str, Found]:
    """Give what look-ups have found since then, by kind of thing."""
    return {thing: Found(*connection.execute(_found_sql(thing), since._asdict()).fetchone()) for thing in PARTS["all"]}


def failed(connection: sqlite3.Connection) -> int:
    """Count the look-ups that failed and may be tried again."""
    (n,) = connection.execute(
        """
        SELECT count(*) FROM outcomes AS o CROSS JOIN tasks AS t ON t.kind = 'lookup' AND t.outcome = o.outcome
        WHERE o.retryable = 1
        """
    ).fetchone()
    return int(n)


def _due_sql(thing: str, which: str, sweep: Sweep) -> str:
    """Write the query for what is due: what is little known once, what is old unless it was asked for since."""
    look_ups = f"SELECT 1 FROM {OF_THING.format(thing=thing, thing_id='x.id')}"  # noqa: S608 - our own text
    has_counts = thing in PARTS["all"]
    seen = "coalesce(x.counts_seen_at, x.last_seen_on)" if has_counts else "x.last_seen_on"
    wanted = f"x.seen_as = 'embedded' AND NOT EXISTS ({look_ups})" if has_counts else "false"
    if sweep.older_than is not None:
        wanted += f"""
            OR {seen} < :mark AND NOT EXISTS ({look_ups} AND (
                l.outcome IS NULL OR EXISTS (
                    SELECT 1 FROM readings AS r WHERE r.task_id = l.id AND r.number = l.reading AND r.ended_at >= :mark
                )
            ))
        """  # noqa: S608 - our own text
    if sweep.profiles == "full" and thing == "user":
        wanted += f" OR ({_PROFILE_MISSING})"
    if rank(sweep.profiles) > 0 and thing in _BARE:
        wanted += f" OR ({_BARE[thing]})"
    return f"""
        SELECT x.id FROM {THINGS[thing].table} AS x
        WHERE x.status <> 'forgotten' AND {which} AND ({wanted})
        ORDER BY {"x.counts_seen_at" if has_counts else seen}, x.id
    """  # noqa: S608 - our own text


def _found_sql(thing: str) -> str:
    """Write the query for what was found. The counts of a thing changed when its history says so of such a page."""
    history = f"{thing}_counts"
    return f"""
        WITH
        answered AS (
            SELECT p.id AS page_id, t.subject_id AS batch_id
            FROM pages AS p
            CROSS JOIN tasks AS t ON t.id = p.task_id AND t.kind = 'lookup'
            CROSS JOIN batches AS b ON b.id = t.subject_id AND b.thing = '{thing}'
            WHERE p.id > :page
        ),
        shown AS (
            SELECT i.thing_id AS id, max(i.status_before = 'gone') AS was_gone
            FROM (SELECT DISTINCT batch_id FROM answered) AS a
            CROSS JOIN batch_items AS i ON i.batch_id = a.batch_id AND i.shown = 1
            GROUP BY i.thing_id
        ),
        refused AS (
            SELECT i.thing_id AS id, i.status_before = 'gone' AS was_gone
            FROM failures AS f
            CROSS JOIN tasks AS t ON t.id = f.task_id AND t.kind = 'lookup' AND t.outcome = 'gone'
            CROSS JOIN batches AS b ON b.id = t.subject_id AND b.thing = '{thing}'
            CROSS JOIN batch_items AS i ON i.batch_id = b.id
            WHERE f.id > :failure AND f.class = 'gone' AND f.resolved_at IS NULL
                AND 1 = (SELECT count(*) FROM batch_items AS o WHERE o.batch_id = b.id)
        )
        SELECT (SELECT count(*) FROM shown) + (SELECT count(*) FROM refused),
            (
                SELECT count(*) FROM shown AS s
                WHERE s.id IN (SELECT c.id FROM {history} AS c WHERE c.page_id IN (SELECT page_id FROM answered))
            ),
            (SELECT count(*) FROM refused WHERE was_gone IS NOT 1),
            (SELECT count(*) FROM shown WHERE was_gone)
    """  # noqa: S608 - built from our own declarations
