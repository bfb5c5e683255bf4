"""Enrol seeds, take up what was left, go a level deeper, and say when a harvest is done.

A harvest is one seed and its options. What it holds is `harvest_tasks`, the lists it wants, with the edges in them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict

from harvest.lists import KINDS, RESOLVE, SPILL
from harvest.models import ORDERS, Limits
from harvest.store.births import catch_up, spill

_FOLLOWED = next(iter(KINDS[SPILL[0]].births))


def enrol(connection: sqlite3.Connection, seed_url: str, limits: Limits, now: str) -> int:
    """Add a seed with the task that resolves it, or set the options of one that is there; give the harvest's id."""
    options = json.dumps(asdict(limits))
    row = connection.execute("SELECT id FROM harvests WHERE seed_url = ?", (seed_url,)).fetchone()
    if row is not None:
        connection.execute("UPDATE harvests SET options = ?1 WHERE id = ?2 AND options <> ?1", (options, row[0]))
        return int(row[0])
    cursor = connection.execute(
        "INSERT INTO harvests (seed_url, options, state, started_at) VALUES (?, ?, 'paused', ?)",
        (seed_url, options, now),
    )
    harvest_id = int(cursor.lastrowid or 0)
    task = connection.execute("INSERT INTO tasks (kind, subject_id) VALUES (?, ?)", (RESOLVE.name, harvest_id))
    connection.execute(
        "INSERT INTO harvest_tasks (harvest_id, task_id, depth) VALUES (?, ?, 0)", (harvest_id, task.lastrowid)
    )
    return harvest_id


def stored_limits(connection: sqlite3.Connection, seed_url: str) -> Limits | None:
    """Give the options a seed was last harvested with, None for a new seed."""
    row = connection.execute("SELECT options FROM harvests WHERE seed_url = ?", (seed_url,)).fetchone()
    return row and Limits(**json.loads(row[0]))


def last_conditions(connection: sqlite3.Connection) -> dict[str, object]:
    """Give the conditions (pace, page size, profiles) of the last run."""
    row = connection.execute("SELECT options FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    return dict(json.loads(row[0])) if row else {}


def is_drained(connection: sqlite3.Connection, seed_url: str, limits: Limits) -> bool:
    """Say whether nothing is left to do for a seed under these options."""
    row = connection.execute(
        "SELECT 1 FROM harvests WHERE seed_url = ? AND options = ? AND state = 'drained'",
        (seed_url, json.dumps(asdict(limits))),
    ).fetchone()
    return row is not None


def unfinished(connection: sqlite3.Connection) -> list[tuple[str, Limits]]:
    """Give seed and options of every harvest that can go on."""
    rows = connection.execute("SELECT seed_url, options FROM harvests WHERE state IN ('running', 'paused') ORDER BY id")
    return [(row[0], Limits(**json.loads(row[1]))) for row in rows]


def begin(connection: sqlite3.Connection, harvest_ids: Iterable[int], run_id: int) -> None:
    """Make these the running harvests: set their caps, drop what they no longer want, take up what they now do."""
    connection.execute("UPDATE harvests SET state = 'paused' WHERE state = 'running'")
    for harvest_id in harvest_ids:
        row = connection.execute("SELECT options, last_options, last_run_id FROM harvests WHERE id = ?", (harvest_id,))
        options, last_options, last_run_id = row.fetchone()
        connection.execute(
            "UPDATE harvests SET state = 'running', finished_at = NULL, reason = NULL WHERE id = ?", (harvest_id,)
        )
        _reopen_seed(connection, harvest_id)
        if options != last_options or last_run_id != _last_run_before(connection, run_id):
            limits, last = Limits(**json.loads(options)), Limits(**json.loads(last_options or options))
            _forget_choice(connection, harvest_id, limits, last)
            _apply_limits(connection, harvest_id, limits)
        connection.execute(
            "UPDATE harvests SET last_options = options, last_run_id = ? WHERE id = ?", (run_id, harvest_id)
        )


def spread_levels(connection: sqlite3.Connection, run_id: int, now: str) -> bool:
    """Take every running harvest that has nothing open a level deeper, or declare it drained.

    Gives True when there is new work. Depth n + 1 begins only when depth n is drained (design 10.4), and not before
    what failed there has had a second round.
    """
    more = _second_round(connection, run_id)
    for harvest_id, options, level, seed_id in connection.execute(
        "SELECT id, options, level, seed_id FROM harvests WHERE state = 'running'"
    ).fetchall():
        if _has_open_lists(connection, harvest_id):
            more = True
            continue
        limits = Limits(**json.loads(options))
        if seed_id is not None and level < limits.depth:
            _deepen(connection, harvest_id, level + 1, limits)
            connection.execute("UPDATE harvests SET level = ? WHERE id = ?", (level + 1, harvest_id))
            more = True
        else:
            connection.execute(
                "UPDATE harvests SET state = ?, finished_at = ? WHERE id = ?",
                ("drained" if seed_id is not None else "failed", now, harvest_id),
            )
    return more


def fail_harvest(connection: sqlite3.Connection, task_id: int, reason: str, now: str) -> None:
    """End the harvest whose seed could not be resolved."""
    connection.execute(
        """
        UPDATE harvests SET state = 'failed', reason = ?, finished_at = ?
        WHERE id = (SELECT subject_id FROM tasks WHERE id = ? AND kind = ?)
        """,
        (reason, now, task_id, RESOLVE.name),
    )


def pause(connection: sqlite3.Connection) -> None:
    """Leave the running harvests in a state that says so."""
    connection.execute("UPDATE harvests SET state = 'paused' WHERE state = 'running'")


def _reopen_seed(connection: sqlite3.Connection, harvest_id: int) -> None:
    """Ask again for a seed that could not be resolved."""
    connection.execute(
        """
        UPDATE tasks SET state = 'todo', outcome = NULL, ended_at = NULL
        WHERE kind = ? AND subject_id = ? AND state = 'ended' AND outcome <> 'complete'
        """,
        (RESOLVE.name, harvest_id),
    )


def _last_run_before(connection: sqlite3.Connection, run_id: int) -> int | None:
    (last,) = connection.execute("SELECT max(id) FROM runs WHERE id < ?", (run_id,)).fetchone()
    return last if last is None else int(last)


def _apply_limits(connection: sqlite3.Connection, harvest_id: int, limits: Limits) -> None:
    """Bring what a harvest wants into line with its options, from what is stored."""
    for kind in KINDS.values():
        if kind.cap:
            connection.execute(
                """
                UPDATE harvest_tasks SET cap = ?1
                WHERE harvest_id = ?2 AND cap IS NOT ?1 AND task_id IN (SELECT id FROM tasks WHERE kind = ?3)
                """,
                (getattr(limits, kind.cap), harvest_id, kind.name),
            )
    _drop_unwanted(connection, harvest_id, limits)
    connection.execute(
        """
        UPDATE tasks SET state = 'todo', outcome = NULL, ended_at = NULL, second_run_id = NULL
        WHERE outcome = 'capped' AND id IN (
            SELECT w.task_id FROM harvest_tasks AS w WHERE w.harvest_id = ? AND w.task_id = tasks.id
                AND w.cap > tasks.collected
        )
        """,
        (harvest_id,),
    )
    connection.execute("UPDATE harvests SET level = min(level, 1) WHERE id = ?", (harvest_id,))
    for (track_id,) in connection.execute(
        """
        SELECT t.subject_id FROM harvest_tasks AS w JOIN tasks AS t ON t.id = w.task_id
        WHERE w.harvest_id = ? AND t.kind = ?
        ORDER BY w.depth, w.listed_rank
        """,
        (harvest_id, SPILL[0]),
    ).fetchall():
        catch_up(connection, harvest_id, track_id)


def _forget_choice(connection: sqlite3.Connection, harvest_id: int, limits: Limits, last: Limits) -> None:
    """Take place and chance from those followed when other options choose anew; whom they choose gets them back."""
    bounds = (limits.max_users, limits.max_listed) != (last.max_users, last.max_listed)
    anew = (limits.order, limits.sample_seed) != (last.order, last.sample_seed)
    for column, stale in (("chance", bounds or anew), ("listed_rank", anew or (bounds and limits.order != ORDERS[0]))):
        if stale:
            connection.execute(
                f"""
                UPDATE harvest_tasks SET {column} = NULL
                WHERE harvest_id = ? AND task_id IN (SELECT id FROM tasks WHERE kind = ?)
                """,  # noqa: S608 - one of two columns
                (harvest_id, _FOLLOWED),
            )


def _drop_unwanted(connection: sqlite3.Connection, harvest_id: int, limits: Limits) -> None:
    """Forget unread lists that smaller options leave out; those begun or put back stay, and so do all rows."""
    connection.execute(
        """
        DELETE FROM harvest_tasks
        WHERE harvest_id = ?1
            AND (depth > ?2 OR coalesce(listed_rank >= ?3, 1) AND task_id IN (SELECT id FROM tasks WHERE kind = ?4))
            AND task_id IN (
                SELECT t.id FROM tasks AS t WHERE t.state <> 'ended' AND t.pages_read = 0
                    AND NOT EXISTS (SELECT 1 FROM failures AS f WHERE f.task_id = t.id)
            )
        """,
        (harvest_id, limits.depth, limits.max_users, _FOLLOWED),
    )
    connection.execute(
        """
        DELETE FROM tasks
        WHERE state <> 'ended' AND pages_read = 0
            AND NOT EXISTS (SELECT 1 FROM harvest_tasks AS w WHERE w.task_id = tasks.id)
            AND NOT EXISTS (SELECT 1 FROM harvest_tasks AS w WHERE w.parent_task_id = tasks.id)
            AND NOT EXISTS (SELECT 1 FROM failures AS f WHERE f.task_id = tasks.id)
        """
    )


def _second_round(connection: sqlite3.Connection, run_id: int) -> bool:
    """Put lists that failed for a passing reason back once; their failures stand until they end well.

    After that they are asked again only when somebody says so (`put_back`), or wants more of them.
    """
    cursor = connection.execute(
        """
        UPDATE tasks SET state = 'todo', outcome = NULL, ended_at = NULL, second_run_id = ?1
        WHERE outcome = 'failed' AND second_run_id IS NULL
            AND EXISTS (
                SELECT 1 FROM failures AS f WHERE f.task_id = tasks.id AND f.retryable = 1 AND f.resolved_at IS NULL
            )
            AND EXISTS (
                SELECT 1 FROM harvest_tasks AS w JOIN harvests AS h ON h.id = w.harvest_id AND h.state = 'running'
                WHERE w.task_id = tasks.id
            )
        """,
        (run_id,),
    )
    return cursor.rowcount > 0


def put_back(connection: sqlite3.Connection, failure_class: str | None) -> int:
    """Put failed lists back, to go on from their cursor; give how many.

    Without a class these are all that failed for a passing reason; with one, whatever ended in it, whether asking again
    seemed useful or not. The harvests that want them can go on again.
    """
    cursor = connection.execute(
        """
        UPDATE tasks SET state = 'todo', outcome = NULL, ended_at = NULL, second_run_id = NULL
        WHERE outcome IN ('failed', 'gone', 'forbidden', 'unreadable')
            AND kind NOT IN (SELECT kind FROM list_kinds WHERE subject = 'harvest')
            AND EXISTS (
                SELECT 1 FROM failures AS f
                WHERE f.task_id = tasks.id AND f.resolved_at IS NULL
                    AND (f.class = ?1 OR ?1 IS NULL AND f.retryable = 1 AND tasks.outcome = 'failed')
            )
        """,
        (failure_class,),
    )
    for table in ("users", "tracks"):  # who is asked again is not gone until the answer says so
        connection.execute(
            f"""
            UPDATE {table} SET status = coalesce((
                SELECT t.outcome
                FROM tasks AS t JOIN list_kinds AS k ON k.kind = t.kind AND k.subject || 's' = '{table}'
                WHERE t.subject_id = {table}.id AND t.outcome IN ('gone', 'forbidden')
            ), 'ok')
            WHERE status IN ('gone', 'forbidden') AND NOT EXISTS (
                SELECT 1 FROM tasks AS t JOIN list_kinds AS k ON k.kind = t.kind AND k.subject || 's' = '{table}'
                WHERE t.subject_id = {table}.id AND t.outcome = {table}.status
            )
            """  # noqa: S608 - one of two tables
        )
    connection.execute(
        """
        UPDATE harvests SET state = 'paused'
        WHERE state = 'drained' AND EXISTS (
            SELECT 1 FROM harvest_tasks AS w JOIN tasks AS t ON t.id = w.task_id
            WHERE w.harvest_id = harvests.id AND t.state <> 'ended'
        )
        """
    )
    return cursor.rowcount


def _has_open_lists(connection: sqlite3.Connection, harvest_id: int) -> bool:
    row = connection.execute(
        """
        SELECT 1 FROM tasks AS t
        WHERE t.state <> 'ended'
            AND EXISTS (SELECT 1 FROM harvest_tasks AS w WHERE w.harvest_id = ? AND w.task_id = t.id)
        LIMIT 1
        """,
        (harvest_id,),
    ).fetchone()
    return row is not None


def _deepen(connection: sqlite3.Connection, harvest_id: int, depth: int, limits: Limits) -> None:
    """Spill the tracks most liked in common by the people followed so far, ties by id.

    Only the harvest's own edges count: likes of people it follows, within its cap, read at lesser depths. A track's
    parent is the list of the first person chosen who likes it (SQLite gives the other columns of the row with the min).
    Tracks of an earlier choice lose their places to those chosen now.
    """
    edge = KINDS[_FOLLOWED].edge
    assert edge is not None
    parameters = {
        "harvest": harvest_id,
        "depth": depth,
        "followed": _FOLLOWED,
        "type": edge.engagement_type,
        "likers": SPILL[0],
        "reposters": SPILL[1],
        "limit": limits.max_tracks,
    }
    connection.execute(
        """
        UPDATE harvest_tasks SET listed_rank = NULL
        WHERE harvest_id = :harvest AND depth >= :depth
            AND task_id IN (SELECT id FROM tasks WHERE kind IN (:likers, :reposters))
        """,
        parameters,
    )
    best = connection.execute(
        """
        WITH people AS (
            SELECT t.id AS task_id, t.subject_id AS user_id, w.cap, row_number() OVER (
                ORDER BY w.depth, w.listed_rank IS NULL, v.listed_rank, w.listed_rank, t.subject_id
            ) AS turn
            FROM harvest_tasks AS w
            JOIN tasks AS t ON t.id = w.task_id AND t.kind = :followed
            LEFT JOIN harvest_tasks AS v ON v.harvest_id = w.harvest_id AND v.task_id = w.parent_task_id
            WHERE w.harvest_id = :harvest AND w.depth < :depth
        )
        SELECT e.track_id, p.task_id, count(*) AS common, min(p.turn)
        FROM people AS p
        JOIN user_engagements AS e ON e.user_id = p.user_id AND e.engagement_type = :type AND e.user_list_rank < p.cap
        WHERE NOT EXISTS (
            SELECT 1 FROM tasks AS s JOIN harvest_tasks AS v ON v.task_id = s.id AND v.harvest_id = :harvest
            WHERE s.kind = :likers AND s.subject_id = e.track_id AND s.argument = '' AND v.depth < :depth
        )
        GROUP BY e.track_id
        ORDER BY common DESC, e.track_id
        LIMIT :limit
        """,
        parameters,
    ).fetchall()
    spill(connection, harvest_id, [(row[0], row[1]) for row in best], depth=depth, limits=limits)
