"""Keep what was asked for: harvests with their options, where each stands, and what failed of them.

In: sets of seeds, limits. Out: rows of `harvests` and what hangs on them. Never: a commit of its own.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from harvest.api.seed_urls import public_address
from harvest.lists import KINDS, LOOKUP, RESOLVE
from harvest.models import Limits, Outcome
from harvest.profiles import USUAL
from harvest.store import levels, lookups, marks, readings, rounds, seeds, sweeps

DONE = ("drained", "sated")  # states in which nothing is left to do
LOOKING_UP = -1  # the round before the first: the seeds' addresses are looked up

# How much of a list the running harvests want, NULL when none wants it; `{task}` is its task's id in SQL, not of `t`.
WANTED = f"""(
    SELECT max(c.cap) FROM tasks AS t {rounds.READERS}
    CROSS JOIN harvests AS h ON h.id = v.harvest_id AND h.state = 'running'
    WHERE t.id = {{task}}
)"""  # noqa: S608 - our own text
# Whether a look-up is to be made, by its task: a running harvest waits for a seed of it, or it is of no seeds at all.
LOOKED_UP = """(NOT EXISTS (SELECT 1 FROM seeds WHERE task_id = {task}) OR EXISTS (
    SELECT 1 FROM seeds AS d
    CROSS JOIN harvest_seeds AS s ON s.seed_id = d.id
    CROSS JOIN harvests AS h ON h.id = s.harvest_id AND h.state = 'running'
    WHERE d.task_id = {task}
))"""
# Lists that failed for a passing reason, had no second chance yet, and are wanted. Uses readings_failed_once.
FAILED_ONCE = f"""
SELECT r.task_id, r.number FROM readings AS r
WHERE r.outcome = 'failed' AND r.second_run_id IS NULL AND {readings.AT_REST.format(task="r.task_id")}
    AND r.number = (SELECT max(l.number) FROM readings AS l WHERE l.task_id = r.task_id)
    AND EXISTS (SELECT 1 FROM failures AS f WHERE f.task_id = r.task_id AND f.retryable = 1 AND f.resolved_at IS NULL)
    AND CASE r.kind WHEN 'lookup' THEN {LOOKED_UP.format(task="r.task_id")}
        ELSE coalesce(r.cap, {WANTED.format(task="r.task_id")}) IS NOT NULL END
ORDER BY r.task_id
"""  # noqa: S608 - our own text
# Lists that were empty against what is known, and are wanted: an empty reply may be that of an outage (soundcloud/api
# 69). Uses readings_doubted.
DOUBTED_ONCE = f"""
SELECT r.task_id, r.number FROM readings AS r
WHERE r.doubted > 0 AND r.doubted = 1 AND r.outcome IN ('complete', 'short')
    AND {readings.AT_REST.format(task="r.task_id")}
    AND r.number = (SELECT max(l.number) FROM readings AS l WHERE l.task_id = r.task_id)
    AND coalesce(r.cap, {WANTED.format(task="r.task_id")}) IS NOT NULL
ORDER BY r.task_id
"""  # noqa: S608 - our own text


def enrol(connection: sqlite3.Connection, addresses: Sequence[str], limits: Limits, now: str) -> int:
    """Add the harvest of these seeds, or set the options of the one that is there; give its id."""
    wanted = seeds.enrol(connection, addresses, now)
    harvest_id = seeds.harvest_of(connection, wanted)
    if harvest_id is not None:
        connection.execute("UPDATE harvests SET options = ? WHERE id = ?", (limits.dump(), harvest_id))
        return harvest_id
    cursor = connection.execute(
        "INSERT INTO harvests (options, state, level, started_at) VALUES (?, 'paused', 1, ?)", (limits.dump(), now)
    )
    harvest_id = int(cursor.lastrowid or 0)
    connection.executemany(
        "INSERT INTO harvest_seeds (harvest_id, seed_id, place) VALUES (?, ?, ?)",
        [(harvest_id, seed_id, place) for place, seed_id in enumerate(wanted)],
    )
    _name_by_its_seed(connection, harvest_id)
    return harvest_id


def stored_limits(connection: sqlite3.Connection, addresses: Sequence[str]) -> Limits | None:
    """Give the options a set of seeds was last harvested with, None for a new set."""
    row = _row_of(connection, addresses, "options")
    return Limits.load(row[0]) if row else None


def last_conditions(connection: sqlite3.Connection) -> dict[str, object]:
    """Give the conditions (pace, page size, profiles) of the last run."""
    row = connection.execute("SELECT options FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    return dict(json.loads(row[0])) if row else {}


def is_drained(
    connection: sqlite3.Connection, addresses: Sequence[str], limits: Limits, *, profiles: str = USUAL
) -> bool:
    """Say whether nothing is left to do for a set of seeds under these options, and at this level of `profiles`."""
    row = _row_of(connection, addresses, "id, state, options")
    if row is None or row[1] not in DONE or Limits.load(row[2]) != limits:
        return False
    return not (
        _has_other_seeds(connection, row[0])
        or levels.is_above(connection, profiles)  # it is to be emptied
        or sweeps.profiles_missing(connection, row[0], profiles)
    )


def unfinished(connection: sqlite3.Connection) -> list[tuple[tuple[str, ...], Limits]]:
    """Give seeds and options of every harvest that can go on."""
    rows = connection.execute("SELECT id, options FROM harvests WHERE state IN ('running', 'paused') ORDER BY id")
    return [(addresses_of(connection, harvest_id), Limits.load(options)) for harvest_id, options in rows.fetchall()]


def addresses_of(connection: sqlite3.Connection, harvest_id: int) -> tuple[str, ...]:
    """Give the addresses a harvest starts from, in order."""
    rows = connection.execute(
        """
        SELECT s.address FROM harvest_seeds AS h JOIN seeds AS s ON s.id = h.seed_id
        WHERE h.harvest_id = ? ORDER BY h.place
        """,
        (harvest_id,),
    )
    return tuple(row[0] for row in rows)


def begin(connection: sqlite3.Connection, harvest_ids: Iterable[int], now: str) -> None:
    """Make these the running harvests: choose again where the options have changed, go on with what they now want."""
    connection.execute("UPDATE harvests SET state = 'paused' WHERE state = 'running'")
    take_back(connection)  # of a killed run
    for harvest_id in harvest_ids:
        _look_up_again(connection, harvest_id)
        _take_up(connection, harvest_id, now)


def take_back(connection: sqlite3.Connection) -> int:
    """Put back the lists that are marked as being read but no longer are; give how many. The caller reads none."""
    # Uses readings_open.
    return connection.execute("UPDATE readings SET state = 'todo' WHERE state <> 'ended' AND state = 'doing'").rowcount


def next_round(connection: sqlite3.Connection, run_id: int, now: str) -> bool:
    """Take every running harvest to its next round, or declare it drained; say whether there are lists to read.

    To be called when no list that a running harvest wants is open. Harvests that have turned out to be one become one
    first; what failed in a round has its second chance before the round is closed.
    """
    _unite(connection, now)
    if _second_chance(connection, run_id):
        return True
    found = [_advance(connection, harvest_id, now) for harvest_id in _running(connection)]
    return any(found) or lookups.are_open(connection) or readings.are_open(connection)


def pause(connection: sqlite3.Connection) -> None:
    """Leave the running harvests in a state that says so."""
    connection.execute("UPDATE harvests SET state = 'paused' WHERE state = 'running'")


def put_back(
    connection: sqlite3.Connection, now: str, *, failure_class: str | None = None, outcomes: Sequence[str] = ()
) -> int:
    """Put lists back and let the harvests that want them choose again; give how many.

    Without a class these are all that failed for a passing reason; with one, whatever ended in it, whether asking again
    seemed useful or not. They go on from their cursor. Lists that ended in one of `outcomes` are read again instead,
    except those that are being read again already.
    """
    if outcomes:
        marks = ", ".join("?" * len(outcomes))
        rows = connection.execute(
            f"""
            SELECT id FROM tasks AS t WHERE outcome IN ({marks}) AND kind NOT IN ('resolve', 'lookup')
                AND subject_id > 0 -- below, nobody knows any more whose list it was
                AND {readings.AT_REST.format(task="t.id")}
            ORDER BY id
            """,  # noqa: S608 - our own text
            outcomes,
        ).fetchall()
        for (task_id,) in rows:
            readings.begin_again(connection, task_id, now)
    else:
        rows = connection.execute(
            f"""
            SELECT r.task_id, r.number, r.kind FROM readings AS r JOIN outcomes AS o ON o.outcome = r.outcome
            WHERE o.answered = 0 AND r.kind <> ?2 AND {readings.AT_REST.format(task="r.task_id")}
                AND r.number = (SELECT max(l.number) FROM readings AS l WHERE l.task_id = r.task_id)
                AND EXISTS (
                    SELECT 1 FROM failures AS f
                    WHERE f.task_id = r.task_id AND f.resolved_at IS NULL
                        AND (f.class = ?1 OR ?1 IS NULL AND f.retryable = 1 AND o.retryable = 1)
                    UNION ALL SELECT 1 WHERE r.outcome = 'withdrawn' AND ?1 = 'withdrawn'
                )
            ORDER BY r.task_id
            """,  # noqa: S608 - our own text
            (failure_class, RESOLVE.name),
        ).fetchall()
        readings.reopen(connection, [(task_id, number) for task_id, number, _ in rows])
    if Outcome.WITHDRAWN in (failure_class, *outcomes):
        connection.execute(
            "UPDATE failures SET resolved_at = ? WHERE class = 'withdrawn' AND resolved_at IS NULL", (now,)
        )
    _reconsider(connection, [row[0] for row in rows])
    return len(rows) + (0 if outcomes else _seeds_put_back(connection, failure_class))


def take_back_verdicts(connection: sqlite3.Connection, of_the_app: Callable[[int, str], bool]) -> int:
    """Put lists back that were called forbidden because the app is refused, as status and message tell; give how many.

    Nothing of it stays: neither failures nor what was said of people and tracks.
    """
    rows = connection.execute(
        f"""
        SELECT f.id, f.status, f.message, r.task_id, r.number
        FROM failures AS f
        CROSS JOIN readings AS r ON r.task_id = f.task_id AND r.outcome = 'forbidden'
        WHERE f.class = 'forbidden' AND f.resolved_at IS NULL AND r.kind <> ?
            AND {readings.AT_REST.format(task="r.task_id")}
            AND r.number = (SELECT max(l.number) FROM readings AS l WHERE l.task_id = r.task_id)
        """,  # noqa: S608 - our own text
        (RESOLVE.name,),
    ).fetchall()
    same = [row for row in rows if of_the_app(row[1], row[2])]
    connection.executemany("DELETE FROM failures WHERE id = ?", [row[:1] for row in same])
    readings.reopen(connection, [(row[3], row[4]) for row in same])
    _reconsider(connection, [row[3] for row in same])
    return len(same)


def _seeds_put_back(connection: sqlite3.Connection, failure_class: str | None) -> int:
    """Let harvests go on whose seeds could not be resolved, as `put_back` does; give how many seeds these are.

    To begin such a harvest is to look for its seeds again.
    """
    rows = connection.execute(
        """
        SELECT s.id FROM seeds AS s JOIN tasks AS t ON t.kind = ?2 AND t.subject_id = s.id
        WHERE s.thing IS NULL AND t.outcome IS NOT NULL AND EXISTS (
            SELECT 1 FROM failures AS f
            WHERE f.task_id = t.id AND f.resolved_at IS NULL AND (f.class = ?1 OR ?1 IS NULL AND f.retryable = 1)
        )
        """,
        (failure_class, RESOLVE.name),
    ).fetchall()
    connection.executemany(
        """
        UPDATE harvests SET state = 'paused', last_options = NULL
        WHERE state IN ('failed', 'drained', 'sated') AND id IN (SELECT harvest_id FROM harvest_seeds WHERE seed_id = ?)
        """,
        rows,
    )
    return len(rows)


def _reconsider(connection: sqlite3.Connection, task_ids: list[int]) -> None:
    """Let the harvests that want these lists choose again, and take back what the lists said of their subjects."""
    for task_id in task_ids:
        connection.execute(
            """
            UPDATE harvests SET last_options = NULL,
                state = iif(state IN ('drained', 'sated', 'failed'), 'paused', state)
            WHERE id IN (SELECT w.harvest_id FROM harvest_tasks AS w WHERE w.task_id = ?)
            """,
            (task_id,),
        )
        kind, subject_id = connection.execute("SELECT kind, subject_id FROM tasks WHERE id = ?", (task_id,)).fetchone()
        is_batch = kind == LOOKUP.name
        thing, ids = lookups.subjects(connection, subject_id) if is_batch else (KINDS[kind].subject, [subject_id])
        for thing_id in ids:
            readings.judge(connection, thing, thing_id)


def _row_of(connection: sqlite3.Connection, addresses: Sequence[str], columns: str) -> tuple[Any, ...] | None:
    harvest_id = seeds.harvest_at(connection, addresses)
    return connection.execute(f"SELECT {columns} FROM harvests WHERE id = ?", (harvest_id,)).fetchone()  # type: ignore[no-any-return]  # noqa: S608


def _running(connection: sqlite3.Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT id FROM harvests WHERE state = 'running' ORDER BY id")]


def _take_up(connection: sqlite3.Connection, harvest_id: int, now: str) -> None:
    """Make a harvest run: choose again where options or seeds have changed, go on with lists that it wants more of."""
    options, last_options = connection.execute(
        "SELECT options, last_options FROM harvests WHERE id = ?", (harvest_id,)
    ).fetchone()
    connection.execute(
        """
        UPDATE harvests SET state = 'running', finished_at = NULL, reason = NULL, last_options = options
        WHERE id = ?
        """,
        (harvest_id,),
    )
    limits = Limits.load(options)
    if last_options is None or limits != Limits.load(last_options) or _has_other_seeds(connection, harvest_id):
        rounds.choose_anew(connection, harvest_id, limits)
    rounds.go_on_with_capped(connection, harvest_id, now)
    rounds.read_seeds_anew(connection, harvest_id, now)


def _unite(connection: sqlite3.Connection, now: str) -> None:
    """Make one of running harvests and those that start from the same things, now that the addresses are looked up."""
    for goes in _running(connection):
        stays = seeds.harvest_of(connection, seeds.of(connection, goes))
        if stays is not None and stays != goes:
            _go_on_with(connection, stays, goes)
            _take_up(connection, stays, now)


def _go_on_with(connection: sqlite3.Connection, stays: int, goes: int) -> None:
    """Give a harvest the options of another one that is the same, and what that one has visited; drop the other one."""
    moved = connection.execute(
        """
        UPDATE OR IGNORE visits SET harvest_id = ?1, place = NULL, chance = NULL WHERE harvest_id = ?2
        """,
        (stays, goes),
    ).rowcount
    connection.execute(
        """
        UPDATE harvests SET options = (SELECT options FROM harvests WHERE id = ?2),
            last_options = iif(?3, NULL, last_options)
        WHERE id = ?1
        """,
        (stays, goes, moved),
    )
    for table in ("recipes", "visits", "rounds", "harvest_seeds"):
        connection.execute(f"DELETE FROM {table} WHERE harvest_id = ?", (goes,))  # noqa: S608 - one of four tables
    connection.execute("DELETE FROM harvests WHERE id = ?", (goes,))


def _look_up_again(connection: sqlite3.Connection, harvest_id: int) -> None:
    """Ask again for seeds that could not be resolved."""
    rows = connection.execute(
        """
        SELECT DISTINCT t.id, t.reading
        FROM harvest_seeds AS s
        JOIN seeds AS d ON d.id = s.seed_id AND d.resolved_at IS NULL
        JOIN tasks AS t ON t.id = d.task_id
        WHERE s.harvest_id = ? AND t.outcome IS NOT NULL
        """,
        (harvest_id,),
    ).fetchall()
    readings.reopen(connection, [(row[0], row[1]) for row in rows])


def _has_other_seeds(connection: sqlite3.Connection, harvest_id: int) -> bool:
    """Say whether a harvest has seeds that it does not visit: not found then, maybe now, or found by another since."""
    row = connection.execute(
        """
        SELECT 1 FROM harvest_seeds AS s JOIN seeds AS d ON d.id = s.seed_id
        WHERE s.harvest_id = ? AND NOT EXISTS (
            SELECT 1 FROM visits AS v
            WHERE v.harvest_id = s.harvest_id AND v.thing = d.thing AND v.thing_id = d.thing_id AND v.round = 0
        )
        LIMIT 1
        """,
        (harvest_id,),
    ).fetchone()
    return row is not None


def _second_chance(connection: sqlite3.Connection, run_id: int) -> bool:
    """Put lists back once that failed for a passing reason, or were empty against what is known; failures stand until
    they end well.

    After that they are asked again only when a person says so (`put_back`), or wants more of them.
    """
    rows = [*connection.execute(FAILED_ONCE), *connection.execute(DOUBTED_ONCE)]
    readings.reopen(connection, [(row[0], row[1]) for row in rows], second_run_id=run_id)
    return bool(rows)


def _advance(connection: sqlite3.Connection, harvest_id: int, now: str) -> bool:
    """Close rounds until one has lists to read; without one the harvest is drained, sated, or failed for want of a
    seed. A sample may be drawn further before its round is closed.
    """
    number, options = connection.execute("SELECT round, options FROM harvests WHERE id = ?", (harvest_id,)).fetchone()
    limits = Limits.load(options)
    if number == LOOKING_UP:
        _name_by_its_seed(connection, harvest_id)
    elif rounds.is_open(connection, harvest_id, number):  # just taken up again
        return True
    if number == 0 and rounds.barren_seeds(connection, harvest_id):  # not closed: running again asks once more
        connection.execute("UPDATE harvests SET state = 'paused' WHERE id = ?", (harvest_id,))
        return False
    while True:
        if number != 1 or not marks.go_further(connection, harvest_id, limits):
            if not _open_round(connection, harvest_id, number, limits, now):
                break
            number += 1
            connection.execute(
                "UPDATE harvests SET round = ?2, level = ?3 WHERE id = ?1",
                (harvest_id, number, _level(connection, harvest_id, number)),
            )
        if rounds.want_lists(connection, harvest_id, number, now):
            return True
    rounds.drop_unwanted(connection)
    reason = connection.execute(
        """
        SELECT d.reason FROM harvest_seeds AS s JOIN seeds AS d ON d.id = s.seed_id
        WHERE s.harvest_id = ? ORDER BY d.resolved_at IS NULL, s.place LIMIT 1
        """,
        (harvest_id,),
    ).fetchone()[0]
    state = "failed" if number == LOOKING_UP else "drained"
    if marks.is_sated(connection, harvest_id, limits):
        state = "sated"
    connection.execute(
        "UPDATE harvests SET state = ?, reason = ?, finished_at = ? WHERE id = ?",
        (state, reason if state == "failed" else None, now, harvest_id),
    )
    level = str(last_conditions(connection).get("profiles", USUAL))  # of the run that is at work
    sweeps.ask_for_profiles(connection, harvest_id, level)
    return False


def _name_by_its_seed(connection: sqlite3.Connection, harvest_id: int) -> None:
    """Say in the harvest's own row where it starts, if that is one thing, and what that is, once it is found."""
    rows = connection.execute(
        """
        SELECT s.address, f.thing, f.thing_id
        FROM harvest_seeds AS h
        JOIN seeds AS s ON s.id = h.seed_id
        LEFT JOIN seeds AS f ON f.id = s.id AND f.resolved_at IS NOT NULL
        WHERE h.harvest_id = ? LIMIT 2
        """,
        (harvest_id,),
    ).fetchall()
    if len(rows) == 1:
        connection.execute(
            "UPDATE harvests SET seed_url = ?, seed_kind = ?, seed_id = ? WHERE id = ?",
            (public_address(rows[0][0]), rows[0][1], rows[0][2], harvest_id),
        )


def _open_round(connection: sqlite3.Connection, harvest_id: int, number: int, limits: Limits, now: str) -> bool:
    """Close a round and choose the next; say whether there is one."""
    if number == LOOKING_UP:
        found = rounds.visit_seeds(connection, harvest_id, limits) > 0
        lookups.ask_for_artists(connection, harvest_id)
        return found
    if number == 0:
        connection.execute("UPDATE harvests SET mark = ? WHERE id = ?", (marks.first(limits), harvest_id))
    connection.execute(
        "INSERT OR REPLACE INTO rounds VALUES (?, ?, (SELECT max(id) FROM pages), ?)", (harvest_id, number, now)
    )
    return rounds.choose(connection, harvest_id, number, limits) > 0


def _level(connection: sqlite3.Connection, harvest_id: int, number: int) -> int:
    """Give the depth of a round, as the lists read in it show it."""
    (level,) = connection.execute(
        "SELECT max(depth + (thing = 'track')) FROM visits WHERE harvest_id = ? AND round = ?", (harvest_id, number)
    ).fetchone()
    return int(level)
