"""Look things up by their URNs, as many in one request as the service allows.

A batch is the subject of a list of the kind `lookup`, read like any other: paged, counted, resumed. The service
promises no order and leaves out what it does not show. What a batch leaves out is asked for by itself, in a batch of
one; only when that is answered with 'there is no such thing' is the thing gone.

In: things by kind and id. Out: rows of `batches`, `batch_items`, `tasks`, `readings`. Never: a commit of its own.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from harvest.lists import LOOKUP
from harvest.models import Task
from harvest.things import THINGS

_URN = " ".join(f"WHEN '{thing.name}' THEN {thing.urn_of('i.thing_id')}" for thing in THINGS.values())
# The URNs of a batch, with commas between them, the same whenever it is asked; `{batch}` is its id in SQL.
URNS = f"""(
    SELECT group_concat(CASE b.thing {_URN} END) FROM batches AS b
    JOIN batch_items AS i ON i.batch_id = b.id
    WHERE b.id = {{batch}}
)"""  # noqa: S608 - built from our own declarations
# The look-ups of a thing; `{thing}` is its kind, `{thing_id}` its id in SQL.
OF_THING = """
    batch_items AS i
    CROSS JOIN batches AS b ON b.id = i.batch_id AND b.thing = '{thing}'
    CROSS JOIN tasks AS l ON l.kind = 'lookup' AND l.subject_id = b.id
    WHERE i.thing_id = {thing_id}
"""
# Whether a look-up of a thing tells whether it is there: it showed it, or was of it alone and found nothing.
TELLS = """(i.shown = 1 OR l.outcome = 'gone' AND NOT EXISTS (
    SELECT 1 FROM batch_items AS e WHERE e.batch_id = i.batch_id AND e.thing_id <> i.thing_id
))"""


def ask(connection: sqlite3.Connection, thing: str, ids: Iterable[int], *, alone: bool = False) -> dict[int, int]:
    """Want things looked up, each by itself or with others; give the task of each, by id."""
    return {one: task for batch, task in ask_in_batches(connection, thing, ids, alone=alone) for one in batch}


def ask_in_batches(
    connection: sqlite3.Connection, thing: str, ids: Iterable[int], *, alone: bool = False
) -> Iterator[tuple[list[int], int]]:
    """Want things looked up as it is gone through; give each batch with its task."""
    add = f"""
        INSERT INTO batch_items (batch_id, thing_id, status_before)
        VALUES (?1, ?2, (SELECT status FROM {THINGS[thing].table} WHERE id = ?2))
    """  # noqa: S608 - built from our own declarations
    for batch in _batches(ids, 1 if alone else THINGS[thing].at_once):
        batch_id = connection.execute("INSERT INTO batches (thing) VALUES (?)", (thing,)).lastrowid
        connection.executemany(add, [(batch_id, one) for one in sorted(batch)])
        task = connection.execute("INSERT INTO tasks (kind, subject_id) VALUES (?, ?)", (LOOKUP.name, batch_id))
        task_id = int(task.lastrowid or 0)
        connection.execute("INSERT INTO readings (task_id, number, kind) VALUES (?, 0, ?)", (task_id, LOOKUP.name))
        yield batch, task_id


def ask_for_artists(connection: sqlite3.Connection, harvest_id: int) -> None:
    """Want the artists of seed tracks looked up, once, so that they have counts: a track shows little of its artist."""
    rows = connection.execute(
        """
        SELECT DISTINCT u.id
        FROM visits AS v INDEXED BY visits_by_round
        CROSS JOIN tracks AS t ON t.id = v.thing_id
        CROSS JOIN users AS u ON u.id = t.uploader_id AND u.seen_as <> 'full'
        WHERE v.harvest_id = ? AND v.round = 0 AND v.thing = 'track' AND NOT EXISTS (
            SELECT 1 FROM batch_items AS i JOIN batches AS b ON b.id = i.batch_id AND b.thing = 'user'
            WHERE i.thing_id = u.id
        )
        ORDER BY u.id
        """,
        (harvest_id,),
    )
    ask(connection, "user", [row[0] for row in rows.fetchall()])


def are_open(connection: sqlite3.Connection) -> bool:
    """Say whether look-ups are to be made that no harvest waits for."""
    row = connection.execute(
        """
        SELECT 1 FROM readings AS r
        WHERE r.state <> 'ended' AND r.kind = 'lookup' AND NOT EXISTS (SELECT 1 FROM seeds WHERE task_id = r.task_id)
        LIMIT 1
        """
    ).fetchone()
    return row is not None


def note_shown(connection: sqlite3.Connection, task: Task, items: Sequence[int]) -> None:
    """Note what a page of a batch shows; what that says of the things, `readings.judge` knows."""
    connection.execute(
        """
        UPDATE batch_items SET shown = 1
        WHERE batch_id = ? AND thing_id IN (SELECT value FROM json_each(?))
        """,
        (task.subject_id, json.dumps(items)),
    )


def supersede(connection: sqlite3.Connection, task: Task, now: str) -> None:
    """Take what earlier look-ups failed with as settled, of things that this one tells of and that were asked alone."""
    connection.execute(
        """
        UPDATE failures SET resolved_at = ?1
        WHERE resolved_at IS NULL AND task_id IN (
            SELECT e.id
            FROM batches AS b
            CROSS JOIN batch_items AS i ON i.batch_id = b.id
            CROSS JOIN batch_items AS o ON o.thing_id = i.thing_id AND o.batch_id < b.id
            CROSS JOIN batches AS c ON c.id = o.batch_id AND c.thing = b.thing
            CROSS JOIN tasks AS e ON e.kind = 'lookup' AND e.subject_id = c.id
            WHERE b.id = ?2
                AND (i.shown = 1 OR 1 = (SELECT count(*) FROM batch_items WHERE batch_id = b.id))
                AND 1 = (SELECT count(*) FROM batch_items WHERE batch_id = c.id)
        )
        """,
        (now, task.subject_id),
    )


def gone_before(connection: sqlite3.Connection, thing: str, items: Sequence[int]) -> list[int]:
    """Give those of some things that the file calls gone."""
    rows = connection.execute(
        f"SELECT id FROM {THINGS[thing].table} WHERE status = 'gone' AND id IN (SELECT value FROM json_each(?))",  # noqa: S608
        (json.dumps(items),),
    )
    return [row[0] for row in rows]


def ask_again(connection: sqlite3.Connection, thing: str, items: Sequence[int]) -> None:
    """Want some things looked up once more, but for those that are being looked up."""
    ask(connection, thing, [one for one in items if not is_open(connection, thing, one)])


def is_open(connection: sqlite3.Connection, thing: str, thing_id: int) -> bool:
    """Say whether a thing is being looked up."""
    row = connection.execute(
        f"SELECT 1 FROM {OF_THING.format(thing=thing, thing_id='?')} AND l.outcome IS NULL LIMIT 1",  # noqa: S608
        (thing_id,),
    ).fetchone()
    return row is not None


def ask_for_the_rest(connection: sqlite3.Connection, task: Task) -> dict[int, int]:
    """Ask for each thing that a batch has left out by itself, now that it has ended; give the tasks, by id."""
    left_out = [
        row[0]
        for row in connection.execute(
            """
            SELECT thing_id FROM batch_items
            WHERE batch_id = ?1 AND shown = 0 AND 1 < (SELECT count(*) FROM batch_items WHERE batch_id = ?1)
            ORDER BY thing_id
            """,
            (task.subject_id,),
        )
    ]
    return ask(connection, thing_of(connection, task.subject_id), left_out, alone=True) if left_out else {}


def subjects(connection: sqlite3.Connection, batch_id: int) -> tuple[str, list[int]]:
    """Give what a batch asks for: the kind of thing, and the ids."""
    rows = connection.execute("SELECT thing_id FROM batch_items WHERE batch_id = ?", (batch_id,))
    return thing_of(connection, batch_id), [row[0] for row in rows]


def thing_of(connection: sqlite3.Connection, batch_id: int) -> str:
    """Give the kind of thing a batch asks for."""
    row = connection.execute("SELECT thing FROM batches WHERE id = ?", (batch_id,)).fetchone()
    return str(row[0])


def _batches(ids: Iterable[int], size: int) -> Iterator[list[int]]:
    going = iter(dict.fromkeys(ids))
    while batch := list(islice(going, size)):
        yield batch
