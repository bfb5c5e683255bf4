"""Begin a reading of a list, end it, and give the list the ranks that a re-reading found.

The first reading of a list writes its edges page by page. A later one keeps what it sees in `reading_items` and changes
the list when it has ended, in one transaction:

1. It ended `complete`: the list has the order of the new reading. What the reading did not show has vanished where that
   is proven (proof.py), else it comes behind, in its old order.
2. Any other answer: what is known keeps its rank. What is new and stands before all of it gets ranks below the
   smallest, the rest comes behind. A reading of the head ends so.
3. No answer: nothing changes; the items wait for the reading to go on, or for the next one.

In: a task. Out: rows of `readings`, `tasks` and the edges. Never: a commit of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from functools import cache

from harvest.lists import KINDS, Edge, ListKind
from harvest.models import Outcome, Task
from harvest.store import history, lookups
from harvest.store.edges import of_type, typed
from harvest.store.lookups import OF_THING, TELLS
from harvest.things import THINGS

# Whether no reading of a list is open, by the task's id in SQL: a list is read once at a time.
AT_REST = "NOT EXISTS (SELECT 1 FROM readings AS o WHERE o.task_id = {task} AND o.state <> 'ended')"

_NOT_SEEN = 2**40  # added to the rank of what a reading did not show: behind all that it did


def begin_again(
    connection: sqlite3.Connection,
    task_id: int,
    now: str,
    *,
    head: bool = False,
    cap: int | None = None,
    refresh_id: int | None = None,
) -> int:
    """Begin another reading of a list, whole or of its head, with the claim as it stands now; give its number.

    What an unanswered reading before it has seen is given to the list first. With a `cap` it is read whether a harvest
    wants it or not.
    """
    kind_name, subject_id, last = connection.execute(
        """
        SELECT t.kind, t.subject_id, max(r.number) FROM tasks AS t JOIN readings AS r ON r.task_id = t.id
        WHERE t.id = ?
        """,
        (task_id,),
    ).fetchone()
    kind = KINDS[kind_name]
    if last and kind.edge is not None:
        _settle(connection, Task(task_id, kind_name, subject_id, reading=last), kind, None, now)
        connection.execute(
            "UPDATE tasks SET collected = ? WHERE id = ?", (_count(connection, kind.edge, subject_id), task_id)
        )
    connection.execute(
        f"""
        INSERT INTO readings (task_id, number, kind, claimed, claimed_at, mode, cap, refresh_id)
        VALUES (?1, ?2, ?3, {claim_of(kind, "?4")}, ?5, ?6, ?7, ?8)
        """,  # noqa: S608 - built from our own declarations
        (task_id, last + 1, kind_name, subject_id, now, "head" if head else "whole", cap, refresh_id),
    )
    return int(last) + 1


def confirm(connection: sqlite3.Connection, now: str) -> bool:
    """Read once more, this time for good, what ended well and lacks something that may have vanished; say whether
    there is anything to read.
    """
    rows = history.to_confirm(connection)
    for task_id, cap, refresh_id in rows:
        begin_again(connection, task_id, now, cap=cap, refresh_id=refresh_id)
    return bool(rows)


def are_open(connection: sqlite3.Connection) -> bool:
    """Say whether lists are to be read again that no harvest waits for."""
    # Uses readings_open.
    row = connection.execute("SELECT 1 FROM readings WHERE state <> 'ended' AND cap IS NOT NULL LIMIT 1").fetchone()
    return row is not None


def end(connection: sqlite3.Connection, task: Task, kind: ListKind, outcome: Outcome, now: str) -> None:
    """Say that a reading has ended, and what the list is by it. `task` stands where the reading stopped."""
    ((forgotten,),) = connection.execute(
        """
        UPDATE readings SET state = 'ended', outcome = ?, ended_at = ? WHERE task_id = ? AND number = ?
        RETURNING forgotten
        """,
        (outcome, now, task.id, task.reading),
    ).fetchall()
    collected = task.collected - forgotten
    answered = outcome.answered
    if task.reading and kind.edge is not None:
        if answered:
            _settle(connection, task, kind, outcome, now)
        collected = _count(connection, kind.edge, task.subject_id)
    if outcome is Outcome.CAUGHT_UP:  # says nothing of the rest of the list
        connection.execute("UPDATE tasks SET collected = ? WHERE id = ?", (collected, task.id))
        return
    connection.execute(
        """
        UPDATE tasks SET reading = ?, outcome = ?, collected = ?, claimed = ?, pages_read = ?
        WHERE id = ? AND (? OR outcome IS NULL OR reading = ? OR outcome IN (
            SELECT o.outcome FROM outcomes AS o WHERE o.answered = 0
        ))
        """,
        (task.reading, outcome, collected, task.claimed, task.page_number, task.id, answered, task.reading),
    )
    if kind.subject in THINGS:
        judge(connection, kind.subject, task.subject_id, now)
    if task.reading and outcome is Outcome.GONE:
        _look_up(connection, kind.subject, task.subject_id)


def reopen(
    connection: sqlite3.Connection, which: Iterable[tuple[int, int]], *, second_run_id: int | None = None
) -> None:
    """Let readings, as (task, number), go on from their cursor; meanwhile a list tells of the answered reading before,
    where there is one.
    """
    rows = [(second_run_id, *one) for one in which]
    connection.executemany(
        """
        UPDATE readings SET state = 'todo', outcome = NULL, ended_at = NULL, second_run_id = ?
        WHERE task_id = ? AND number = ?
        """,
        rows,
    )
    these = [row[1:] for row in rows]
    connection.executemany("UPDATE tasks SET outcome = NULL WHERE id = ? AND reading = ?", these)
    connection.executemany(
        """
        UPDATE tasks SET (reading, outcome, claimed, pages_read) = (b.number, b.outcome, b.claimed, b.pages_read)
        FROM (
            SELECT r.task_id, max(r.number) AS number, r.outcome, r.claimed, r.pages_read
            FROM readings AS r JOIN outcomes AS o ON o.outcome = r.outcome AND o.answered = 1
            WHERE r.task_id = ?1 AND r.number < ?2 AND r.outcome <> 'caught_up'
        ) AS b
        WHERE tasks.id = b.task_id AND tasks.reading = ?2
        """,
        [one for one in these if one[1] > 0],
    )


def judge(connection: sqlite3.Connection, thing: str, thing_id: int, now: str | None = None) -> None:
    """Say whether a thing is there, `now` or when the newest page was read. The first that holds:

    1. The last look-up that tells of it found nothing, and no list of it has named anything since: it is gone.
    2. One of its lists names anything: it is there. An empty list proves nothing: the followers of an account that is
       gone are answered with none (soundcloud/api 121).
    3. A list says that it is gone, and no look-up has shown it since.
    4. A list says that it is forbidden.
    """
    connection.execute(_judge_sql(thing), (thing_id, now))


def claim_of(kind: ListKind, subject: str) -> str:
    """Write the query for how long the service says a list is, as its subject's row knows it; `subject` is SQL."""
    if kind.claimed is None:
        return "NULL"
    return f"(SELECT {kind.claimed} FROM {THINGS[kind.subject].table} WHERE id = {subject})"  # noqa: S608


def _look_up(connection: sqlite3.Connection, thing: str, thing_id: int) -> None:
    """Want a thing looked up of which a list that was there is gone, unless those of its kind are looked up together
    before their lists are read again.
    """
    if THINGS[thing].at_once == 1 and not THINGS[thing].prefix:
        lookups.ask_again(connection, thing, [thing_id])


def _settle(connection: sqlite3.Connection, task: Task, kind: ListKind, outcome: Outcome | None, now: str) -> None:
    """Bring what a re-reading has seen into the list, and forget that it waited; without an outcome it was not
    answered.
    """
    edge = kind.edge
    assert edge is not None
    (page_id,) = connection.execute(
        "SELECT max(id) FROM pages WHERE task_id = ? AND reading = ?", (task.id, task.reading)
    ).fetchone()
    if page_id is None:
        return
    read = history.Reread(task, kind, edge, now, page_id)
    parameters = {"task": task.id, "reading": task.reading, "subject": task.subject_id, "beyond": _NOT_SEEN}
    whole = outcome is Outcome.COMPLETE
    came, went, unproven = 0, 0, 0
    if not edge.repeats:
        came = history.note_new(connection, read)
        connection.execute(_add_sql(edge), parameters)
        if whole and not kind.own:
            went, unproven = history.move_out(connection, read)
        connection.execute(_order_sql(edge) if whole else _rank_new_sql(edge), parameters)
    elif whole:  # places are the key: the list is replaced as a whole, or stays
        came, went, unproven = history.replace(connection, read)
    if outcome is not None or came:  # what an answered reading found was written down when it ended
        connection.execute(
            "UPDATE readings SET came = ?, went = ?, unproven = ? WHERE task_id = ? AND number = ?",
            (came, went, unproven, task.id, task.reading),
        )
    connection.execute("DELETE FROM reading_items WHERE task_id = :task AND reading = :reading", parameters)


def suppressed_in(connection: sqlite3.Connection, task: Task) -> int:
    """Say how many entries of a reading stand for something that was forgotten before it was read."""
    row = connection.execute(
        "SELECT suppressed FROM readings WHERE task_id = ? AND number = ?", (task.id, task.reading)
    ).fetchone()
    return int(row[0])


def _count(connection: sqlite3.Connection, edge: Edge, subject_id: int) -> int:
    sql = f"SELECT count({edge.rank}) FROM {edge.table} WHERE {edge.subject} = ? {of_type(edge)}"  # noqa: S608
    return int(connection.execute(sql, (subject_id,)).fetchone()[0])


@cache
def _judge_sql(thing: str) -> str:
    kinds = ", ".join(f"'{kind.name}'" for kind in KINDS.values() if kind.subject == thing)
    answered = ", ".join(f"'{outcome}'" for outcome in Outcome if outcome.answered)
    lists = f"""
        tasks AS t CROSS JOIN readings AS r ON r.task_id = t.id AND r.number = t.reading
        WHERE t.subject_id = ?1 AND t.kind IN ({kinds}) AND t.outcome
    """
    named = f"SELECT 1 FROM {lists} IN ({answered}) AND r.collected > 0"  # noqa: S608
    look_ups = OF_THING.format(thing=thing, thing_id="?1")
    shown_since = f"""
        SELECT 1 FROM {look_ups} AND i.shown = 1
            AND r.ended_at <= (SELECT max(p.fetched_at) FROM pages AS p WHERE p.task_id = l.id)
    """  # noqa: S608 - built from our own declarations
    status = f"""CASE
        WHEN EXISTS (
            SELECT 1 FROM (
                SELECT i.shown, l.id, l.reading FROM {look_ups} AND {TELLS} ORDER BY i.batch_id DESC LIMIT 1
            ) AS last
            CROSS JOIN readings AS g ON g.task_id = last.id AND g.number = last.reading
            WHERE last.shown = 0 AND NOT EXISTS ({named} AND r.ended_at > g.ended_at)
        ) THEN 'gone'
        WHEN EXISTS ({named}) THEN 'ok'
        WHEN EXISTS (SELECT 1 FROM {lists} = 'gone' AND NOT EXISTS ({shown_since})) THEN 'gone'
        WHEN EXISTS (SELECT 1 FROM {lists} = 'forbidden') THEN 'forbidden'
        ELSE 'ok' END"""  # noqa: S608 - built from our own declarations
    return f"""
    WITH says (status) AS (SELECT {status})
    UPDATE {THINGS[thing].table} SET status = says.status,
        gone_at = iif(says.status = 'gone', coalesce(?2, (SELECT fetched_at FROM pages ORDER BY id DESC LIMIT 1)), NULL)
    FROM says
    WHERE id = ?1 AND {THINGS[thing].table}.status IN ('ok', 'gone', 'forbidden')
        AND {THINGS[thing].table}.status <> says.status
    """  # noqa: S608 - built from our own declarations


_SEEN = "reading_items AS i WHERE i.task_id = :task AND i.reading = :reading"


@cache
def _add_sql(edge: Edge) -> str:
    """Write the statement that gives the list what the reading has seen, without a rank."""
    if edge.on_item:
        return f"""
        UPDATE {edge.table} SET {edge.subject} = coalesce({edge.subject}, :subject)
        WHERE {edge.item} IN (SELECT i.item_id FROM {_SEEN})
        """  # noqa: S608 - built from our own declarations
    columns, values = (
        f"{own}{more}"
        for own, more in zip(
            (f"{edge.subject}, {edge.item}, {edge.rank}, first_page_id", ":subject, i.item_id, NULL, i.page_id"),
            typed(edge),
            strict=True,
        )
    )
    return f"INSERT INTO {edge.stored} ({columns}) SELECT {values} FROM {_SEEN} ON CONFLICT DO NOTHING"  # noqa: S608


@cache
def _order_sql(edge: Edge) -> str:
    """Write the statement that ranks by the new place, then what was not seen by the old rank."""
    mine = f"{edge.subject} = :subject {of_type(edge, stored=True)}"
    place = f"(SELECT i.place FROM {_SEEN} AND i.item_id = e.{edge.item})"  # noqa: S608
    turn = f"coalesce({place}, :beyond + e.{edge.rank})"
    return f"""
    UPDATE {edge.stored} SET {edge.rank} = n.rank
    FROM (
        SELECT {edge.item} AS item, row_number() OVER (ORDER BY turn) - 1 AS rank
        FROM (SELECT e.{edge.item}, {turn} AS turn FROM {edge.stored} AS e WHERE e.{mine.replace("AND ", "AND e.")})
        WHERE turn IS NOT NULL
    ) AS n
    WHERE {edge.stored}.{edge.item} = n.item AND {edge.stored}.{mine} AND {edge.stored}.{edge.rank} IS NOT n.rank
    """  # noqa: S608 - built from our own declarations


@cache
def _rank_new_sql(edge: Edge) -> str:
    """Write the statement that ranks what has no rank yet, before or behind all that has."""
    mine = f"e.{edge.subject} = :subject {of_type(edge, 'e.', stored=True)}"
    return f"""
    WITH
    seen AS MATERIALIZED (
        SELECT i.item_id, i.place, e.{edge.rank} AS rank
        FROM reading_items AS i
        CROSS JOIN {edge.stored} AS e ON e.{edge.item} = i.item_id AND {mine}
        WHERE i.task_id = :task AND i.reading = :reading
    ),
    known AS (
        SELECT coalesce(min(e.{edge.rank}), 0) AS low, coalesce(max(e.{edge.rank}), -1) AS high,
            (SELECT min(place) FROM seen WHERE rank IS NOT NULL) AS place
        FROM {edge.stored} AS e WHERE {mine}
    ),
    new AS (SELECT s.item_id, s.place, s.place < k.place AS newer FROM seen AS s, known AS k WHERE s.rank IS NULL),
    turns AS (
        SELECT item_id, newer, count(*) OVER (PARTITION BY newer) AS n,
            row_number() OVER (PARTITION BY newer ORDER BY place) AS turn
        FROM new
    )
    UPDATE {edge.stored} SET {edge.rank} = iif(t.newer, k.low - t.n - 1, k.high) + t.turn
    FROM turns AS t, known AS k
    WHERE {edge.stored}.{edge.item} = t.item_id
        AND {edge.stored}.{edge.subject} = :subject {of_type(edge, f"{edge.stored}.", stored=True)}
    """  # noqa: S608 - built from our own declarations
