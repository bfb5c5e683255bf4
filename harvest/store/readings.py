"""Begin a reading of a list, end it, and give the list the ranks that a re-reading found.

The first reading of a list writes its edges page by page. A later one keeps what it sees in `reading_items` and changes
the list when it has ended, in one transaction:

1. It ended `complete`: the list has the order of the new reading; what the reading did not show comes behind, in its
   old order. Nothing is called gone here: that takes a look-up (docs/adr/0002-readings.md).
2. Any other answer: what is new comes behind what is known, and the order stays.
3. No answer: nothing changes; the items wait for the reading to go on, or for the next one.

In: a task. Out: rows of `readings`, `tasks` and the edges. Never: a commit of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from functools import cache

from harvest.lists import KINDS, Edge, ListKind
from harvest.models import Outcome, Task
from harvest.store.edges import of_type, typed
from harvest.store.lookups import OF_THING, TELLS
from harvest.things import THINGS

# Whether no reading of a list is open, by the task's id in SQL: a list is read once at a time.
AT_REST = "NOT EXISTS (SELECT 1 FROM readings AS o WHERE o.task_id = {task} AND o.state <> 'ended')"

_NOT_SEEN = 2**40  # added to the rank of what a reading did not show: behind all that it did


def begin_again(connection: sqlite3.Connection, task_id: int, now: str) -> int:
    """Begin another reading of a list, whole, with the claim as it stands now; give its number.

    What an unanswered reading before it has seen is given to the list first.
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
        _settle(connection, Task(task_id, kind_name, subject_id, reading=last), kind.edge, in_order=False)
        connection.execute(
            "UPDATE tasks SET collected = ? WHERE id = ?", (_count(connection, kind.edge, subject_id), task_id)
        )
    connection.execute(
        f"""
        INSERT INTO readings (task_id, number, kind, claimed, claimed_at)
        VALUES (?1, ?2, ?3, {claim_of(kind, "?4")}, ?5)
        """,  # noqa: S608 - built from our own declarations
        (task_id, last + 1, kind_name, subject_id, now),
    )
    return int(last) + 1


def end(connection: sqlite3.Connection, task: Task, kind: ListKind, outcome: Outcome, now: str) -> None:
    """Say that a reading has ended, and what the list is by it. `task` stands where the reading stopped."""
    connection.execute(
        "UPDATE readings SET state = 'ended', outcome = ?, ended_at = ? WHERE task_id = ? AND number = ?",
        (outcome, now, task.id, task.reading),
    )
    collected = task.collected
    answered = outcome.answered
    if task.reading and kind.edge is not None:
        if answered:
            _settle(connection, task, kind.edge, in_order=outcome is Outcome.COMPLETE)
        collected = _count(connection, kind.edge, task.subject_id)
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
        judge(connection, kind.subject, task.subject_id)


def reopen(
    connection: sqlite3.Connection, which: Iterable[tuple[int, int]], *, second_run_id: int | None = None
) -> None:
    """Let readings, as (task, number), go on from their cursor."""
    rows = [(second_run_id, *one) for one in which]
    connection.executemany(
        """
        UPDATE readings SET state = 'todo', outcome = NULL, ended_at = NULL, second_run_id = ?
        WHERE task_id = ? AND number = ?
        """,
        rows,
    )
    connection.executemany("UPDATE tasks SET outcome = NULL WHERE id = ? AND reading = ?", [row[1:] for row in rows])


def judge(connection: sqlite3.Connection, thing: str, thing_id: int) -> None:
    """Say whether a thing is there. The first that holds:

    1. The last look-up that tells of it found nothing, and no list of it has named anything since: it is gone.
    2. One of its lists names anything: it is there. An empty list proves nothing: the followers of an account that is
       gone are answered with none (soundcloud/api 121).
    3. A list says that it is gone, and no look-up has shown it since.
    4. A list says that it is forbidden.
    """
    connection.execute(_judge_sql(thing), (thing_id,))


def claim_of(kind: ListKind, subject: str) -> str:
    """Write the query for how long the service says a list is, as its subject's row knows it; `subject` is SQL."""
    if kind.claimed is None:
        return "NULL"
    return f"(SELECT {kind.claimed} FROM {THINGS[kind.subject].table} WHERE id = {subject})"  # noqa: S608


def _settle(connection: sqlite3.Connection, task: Task, edge: Edge, *, in_order: bool) -> None:
    """Bring what a re-reading has seen into the list, and forget that it waited."""
    parameters = {"task": task.id, "reading": task.reading, "subject": task.subject_id, "beyond": _NOT_SEEN}
    for statement in _settle_sql(edge, in_order):
        connection.execute(statement, parameters)
    connection.execute("DELETE FROM reading_items WHERE task_id = :task AND reading = :reading", parameters)


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
    named = f"SELECT 1 FROM {lists} IN ({answered}) AND t.collected > 0"  # noqa: S608
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
    UPDATE {THINGS[thing].table} SET status = says.status FROM says
    WHERE id = ?1 AND {THINGS[thing].table}.status IN ('ok', 'gone', 'forbidden')
        AND {THINGS[thing].table}.status <> says.status
    """  # noqa: S608 - built from our own declarations


@cache
def _settle_sql(edge: Edge, in_order: bool) -> tuple[str, ...]:
    seen = "reading_items AS i WHERE i.task_id = :task AND i.reading = :reading"
    mine = f"{edge.subject} = :subject {of_type(edge)}"
    if edge.repeats:  # places are the key: the list is replaced as a whole, or stays
        return (
            (
                f"DELETE FROM {edge.table} WHERE {mine}",  # noqa: S608
                f"""
                INSERT INTO {edge.table} ({edge.subject}, {edge.item}, {edge.rank}, first_page_id)
                SELECT :subject, i.item_id, i.place, i.page_id FROM {seen}
                """,  # noqa: S608
            )
            if in_order
            else ()
        )
    columns, values = (
        f"{own}{more}"
        for own, more in zip(
            (f"{edge.subject}, {edge.item}, {edge.rank}, first_page_id", ":subject, i.item_id, NULL, i.page_id"),
            typed(edge),
            strict=True,
        )
    )
    add = (
        f"UPDATE {edge.table} SET {edge.subject} = coalesce({edge.subject}, :subject)"  # noqa: S608
        f" WHERE {edge.item} IN (SELECT i.item_id FROM {seen})"
        if edge.on_item
        else f"INSERT INTO {edge.table} ({columns}) SELECT {values} FROM {seen} ON CONFLICT DO NOTHING"  # noqa: S608
    )
    # In order: by the new place, then what was not seen by the old rank. Else: by the old rank, then what is new.
    place = f"(SELECT i.place FROM {seen} AND i.item_id = e.{edge.item})"  # noqa: S608
    turn = f"coalesce({place}, :beyond + e.{edge.rank})" if in_order else f"coalesce(e.{edge.rank}, :beyond + {place})"
    rank = f"""
    UPDATE {edge.table} SET {edge.rank} = n.rank
    FROM (
        SELECT {edge.item} AS item, row_number() OVER (ORDER BY turn) - 1 AS rank
        FROM (SELECT e.{edge.item}, {turn} AS turn FROM {edge.table} AS e WHERE e.{mine.replace("AND ", "AND e.")})
        WHERE turn IS NOT NULL
    ) AS n
    WHERE {edge.table}.{edge.item} = n.item AND {edge.table}.{mine} AND {edge.table}.{edge.rank} IS NOT n.rank
    """  # noqa: S608 - built from our own declarations
    return add, rank
