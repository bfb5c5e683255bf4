"""Check that what was forgotten is gone, without knowing what it was: by the numbers that stand for it.

Needs the key that the numbers were made with (harvest/store/suppression.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from harvest.forgetting.bodies import named_in, without_gone
from harvest.forgetting.gone import Gone
from harvest.forgetting.leads import GOES, KEPT_UNDER_A_NUMBER, leads
from harvest.forgetting.logs import logs_of, naming
from harvest.lists import KINDS
from harvest.replies import rewriting
from harvest.replies.files import kept_of
from harvest.replies.keeper import STATE
from harvest.replies.recording import Recording
from harvest.store import suppression
from harvest.store.suppression import Suppressed
from harvest.things import SHOWN
from harvest.verify.check import Check

_AT_ONCE = 10_000


def _named(connection: sqlite3.Connection) -> Iterator[tuple[str, str, int]]:
    """Give every id in the file that leads to a thing, with its kind and where it stands."""
    for thing in SHOWN:
        for (one,) in connection.execute(f"SELECT id FROM {thing.table}"):  # noqa: S608 - our own words
            yield thing.table, thing.name, one
    for lead in leads(connection):
        rows = connection.execute(f"SELECT DISTINCT {lead.column} FROM {lead.table} WHERE {lead.column} > 0")  # noqa: S608
        for (one,) in rows:
            yield lead.table, lead.thing, one
    for named in (*GOES, *KEPT_UNDER_A_NUMBER):
        rows = connection.execute(
            f"SELECT DISTINCT {named.kind}, x.{named.column} FROM {named.table} AS x WHERE x.{named.column} > 0"  # noqa: S608
        )
        for thing, one in rows:
            if thing is not None:
                yield named.table, thing, one


def _still_there(connection: sqlite3.Connection) -> Iterator[tuple[str]]:
    suppressed = Suppressed(connection)
    if not suppressed:
        return
    going = _named(connection)
    while some := list(islice(going, _AT_ONCE)):
        gone = suppressed.among({(thing, one) for _, thing, one in some})
        yield from ((f"{table}: {thing} {one}",) for table, thing, one in some if (thing, one) in gone)


def _in_logs(connection: sqlite3.Connection) -> Iterator[tuple[str]]:
    is_gone = _gone(connection)
    if is_gone is None:
        return
    for log in logs_of(connection):
        yield from ((said,) for said in naming(log, is_gone))


def _in_replies(connection: sqlite3.Connection) -> Iterator[tuple[str]]:
    is_gone = _gone(connection)
    (path,) = connection.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()
    (key,) = connection.execute("SELECT key FROM file_key").fetchone()
    if is_gone is None or not path or not rewriting.belongs(replies := kept_of(Path(path)), key):
        return
    with Recording.open(replies) as recording:
        for act in recording.acts(with_bodies=False):
            told = f"{replies.name}: act {act.number}"
            named = [*named_in(msgspec.json.encode(act.detail).decode())]
            kind, subject = act.detail.get("kind"), act.detail.get("subject")
            if kind in KINDS and isinstance(subject, int):
                named.append((KINDS[kind].subject, subject))
            if any(map(is_gone, named)):
                yield (f"{told} leads there",)
            if act.body_id is None or act.what == STATE:
                continue
            body = recording.body(act.body_id)
            if without_gone(body, is_gone) != body:
                yield (f"{told} has a body that holds it",)


def _gone(connection: sqlite3.Connection) -> Gone | None:
    return Gone(connection, None) if suppression.has_any(connection) else None


FORGOTTEN_CHECKS = (
    Check(
        "forgotten.rows", "nothing that was forgotten stands in any table, nor does anything lead there", _still_there
    ),
    Check(
        "forgotten.bytes",
        "the old bytes of what was forgotten or purged are gone; else `harvest forget --finish` erases them",
        "SELECT 'forgotten at ' || at FROM forgettings WHERE erased_at IS NULL",
    ),
    Check("forgotten.logs", "no log of ours has an event that leads to what was forgotten", _in_logs),
    Check("forgotten.replies", "no kept reply holds what was forgotten, nor is told of it", _in_replies),
    Check(
        "forgotten.numbers",
        "what stands in the ledger for something forgotten says nothing of it",
        """
        SELECT t.kind || ' ' || t.subject_id || ': page ' || p.id || ' says ' || p.request
        FROM tasks AS t CROSS JOIN pages AS p ON p.task_id = t.id
        WHERE t.subject_id < 0 AND (p.request <> '' OR coalesce(p.asks, p.next_cursor, p.cursor_time, p.body_hash)
            IS NOT NULL)
        UNION ALL
        SELECT 'seed ' || s.id || ' has the address ' || s.address FROM seeds AS s
        WHERE s.thing_id < 0 AND (s.address NOT LIKE 'forgotten:%' OR s.aliases <> '[]')
        """,
    ),
)
