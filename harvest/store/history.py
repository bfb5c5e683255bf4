"""Bring a list up to date with a reading of it, and say what came, what came back and what vanished.

What is proven to have vanished (proof.py) moves into the table of the past at once; its change is written when what it
leads to has been looked up, with the reason. Until then it is `unexplained`; whatever shows it again takes that back.

In: a reading that has ended. Out: edges, past ones, changes. Never: a commit of its own.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from harvest.lists import KINDS, Edge, ListKind
from harvest.models import Outcome, Task
from harvest.store import changes, lookups
from harvest.store.changes import Change
from harvest.store.edges import of_type, typed
from harvest.store.proof import Ended, before_of, is_whole, readings_before, weigh
from harvest.things import THINGS

_HISTORY = ("last_page_id", "gone_page_id", "reason")  # what a row of the past has besides


@dataclass(frozen=True, slots=True)
class Reread:
    """A reading of a list, as far as its edges are concerned; `at` is when it was, `page_id` its newest page."""

    task: Task
    kind: ListKind
    edge: Edge
    at: str
    page_id: int

    def ids(self, connection: sqlite3.Connection, item: int, place: int | None = None) -> str:
        """Give the key of an edge, as `changes` has it: in the order of the table's columns."""
        edge = self.edge
        known: dict[str, int | str | None] = {edge.subject: self.task.subject_id, edge.item: item, edge.rank: place}
        if edge.engagement_type:
            known[edge.type_column] = edge.engagement_type
        return changes.as_ids({name: known[name] for name in _columns(connection, edge.table) if name in edge.key})


def note_new(connection: sqlite3.Connection, read: Reread) -> int:
    """Write down what the reading shows that the list did not have: it came, it came back, or it was merely found. Give
    how much that is.
    """
    new = connection.execute(_new_sql(read.edge), _of(read)).fetchall()
    if not new:
        return 0
    what = _word_for_new(connection, read)
    noted = []
    for item, page_id in new:
        last = _last_past(connection, read, item)
        if last is not None and last.reason is None:
            _take_back(connection, read, item, last)
            continue
        if not read.edge.past and _waited(connection, read, item) is not None:
            continue
        word = "back" if last is not None else what
        noted.append(Change(read.at, word, read.edge.table, read.ids(connection, item), page_id=page_id))
    changes.add(connection, noted)
    return len(new)


def note_returned(connection: sqlite3.Connection, read: Reread, fresh: Sequence[int]) -> None:
    """Write down which edges of a page, of a list that is read for the first time, had vanished from another list."""
    edge = read.edge
    if not edge.past or not fresh or connection.execute(f"SELECT 1 FROM {edge.past} LIMIT 1").fetchone() is None:  # noqa: S608
        return
    named = {"subject": read.task.subject_id, "page": read.page_id, "items": json.dumps(fresh)}
    rows = connection.execute(_returned_sql(edge), named)
    for (item,) in rows.fetchall():
        last = _last_past(connection, read, item)
        assert last is not None
        if last.reason is None:
            _take_back(connection, read, item, last)
        else:
            changes.add(
                connection, [Change(read.at, "back", edge.table, read.ids(connection, item), page_id=read.page_id)]
            )


def move_out(connection: sqlite3.Connection, read: Reread) -> tuple[int, int]:
    """Move out what is proven to have vanished; give how much that is, and how much is missing unproven."""
    missing = connection.execute(_missing_sql(read.kind), _of(read)).fetchall()
    if not missing:
        return 0, 0
    shown = [row[0] for row in connection.execute(_shown_sql(read.edge), _of(read))]
    proof = weigh(connection, read.task, read.kind, shown)
    vanished = [row for row in missing if proof.holds(row[1])]
    _vanish(connection, read, vanished)
    return len(vanished), len(missing) - len(vanished)


def replace(connection: sqlite3.Connection, read: Reread) -> tuple[int, int, int]:
    """Give a list whose places are its rows the order of the reading, unless something speaks against what it lacks;
    give how much came, how much went, and how much is missing unproven.
    """
    edge, mine = read.edge, _of(read)
    rows = connection.execute(
        f"SELECT {edge.item}, {edge.rank}, first_page_id FROM {edge.table} WHERE {edge.subject} = :subject"  # noqa: S608
        f" ORDER BY {edge.rank}",
        mine,
    ).fetchall()
    seen = connection.execute(
        "SELECT item_id, page_id FROM reading_items WHERE task_id = :task AND reading = :reading ORDER BY place", mine
    ).fetchall()
    if [row[0] for row in rows] == [row[0] for row in seen]:
        return 0, 0, 0
    known: dict[int, deque[tuple[int, int]]] = defaultdict(deque)
    for item, place, page_id in rows:
        known[item].append((place, page_id))
    matched = [known[item].popleft() if known[item] else None for item, _ in seen]
    lost = sorted((place, item) for item, left in known.items() for place, _ in left)
    shown = [one[0] for one in matched if one is not None]
    if lost and not read.kind.computed:
        proof = weigh(connection, read.task, read.kind, shown)
        if not all(proof.holds(place) for place, _ in lost):
            return 0, 0, len(lost)
    what = _word_for_new(connection, read)
    first_pages = [
        _take_back_entry(connection, read, item) if old is None else old[1]
        for (item, _), old in zip(seen, matched, strict=True)
    ]
    away = _away(connection, read)
    noted = []
    for place, ((item, page_id), first) in enumerate(zip(seen, first_pages, strict=True)):
        if first is None:
            word = "back" if away[item] > 0 else what
            away[item] -= 1
            noted.append(Change(read.at, word, edge.table, read.ids(connection, item, place), page_id=page_id))
    if shown != sorted(shown):
        key = changes.as_ids({"id": read.task.subject_id})
        was, now = (json.dumps([row[0] for row in order], separators=(",", ":")) for order in (rows, seen))
        table = THINGS[read.kind.subject].table
        noted.append(Change(read.at, "edited", table, key, was, now, page_id=read.page_id))
    changes.add(connection, noted)
    _vanish(connection, read, [(item, place, None) for place, item in lost])
    connection.execute(f"DELETE FROM {edge.table} WHERE {edge.subject} = :subject", mine)  # noqa: S608
    connection.executemany(
        f"INSERT INTO {edge.table} ({edge.subject}, {edge.item}, {edge.rank}, first_page_id) VALUES (?, ?, ?, ?)",  # noqa: S608
        [
            (read.task.subject_id, item, place, page_id if first is None else first)
            for place, ((item, page_id), first) in enumerate(zip(seen, first_pages, strict=True))
        ],
    )
    return first_pages.count(None), len(lost), 0


def explain(connection: sqlite3.Connection, thing: str, ids: Iterable[int], reason: str, at: str) -> None:
    """Give what vanished with these things its reason, and write the changes."""
    rows = connection.execute(
        """
        SELECT id, kind, subject_id, item_id, place, gone_page_id FROM unexplained
        WHERE thing = ? AND thing_id IN (SELECT value FROM json_each(?)) ORDER BY id
        """,
        (thing, json.dumps(list(ids))),
    ).fetchall()
    for row_id, kind_name, subject_id, item, place, gone_page_id in rows:
        kind = KINDS[kind_name]
        edge = kind.edge
        assert edge is not None
        if edge.past:
            connection.execute(
                f"UPDATE {edge.past} SET reason = ? WHERE {edge.subject} = ? AND {edge.item} = ? AND gone_page_id = ?"  # noqa: S608
                f" AND reason IS NULL {of_type(edge)} {f'AND {edge.rank} = {place}' if edge.repeats else ''}",
                (reason, subject_id, item, gone_page_id),
            )
        read = Reread(Task(0, kind_name, subject_id), kind, edge, at, gone_page_id)
        key = read.ids(connection, item, place if edge.repeats else None)
        changes.add(connection, [Change(at, "went", edge.table, key, reason=reason, page_id=gone_page_id)])
        connection.execute("DELETE FROM unexplained WHERE id = ?", (row_id,))


def ask_why(connection: sqlite3.Connection, at: str) -> bool:
    """Want looked up what vanished things lead to, all at once; say whether there is anything. To be called when no
    look-up of them is open: of what is then not explained, nothing can be known.
    """
    for thing, thing_id in connection.execute(
        "SELECT DISTINCT thing, thing_id FROM unexplained WHERE asked = 1"
    ).fetchall():
        if not lookups.is_open(connection, thing, thing_id):
            explain(connection, thing, [thing_id], "unknown", at)
    for (thing,) in connection.execute("SELECT DISTINCT thing FROM unexplained WHERE asked = 0").fetchall():
        ids = [
            row[0]
            for row in connection.execute(
                "SELECT DISTINCT thing_id FROM unexplained WHERE asked = 0 AND thing = ? ORDER BY thing_id", (thing,)
            )
        ]
        lookups.ask(connection, thing, ids)
    return connection.execute("UPDATE unexplained SET asked = 1 WHERE asked = 0").rowcount > 0


def to_confirm(connection: sqlite3.Connection) -> list[tuple[int, int, int | None]]:
    """Give the lists, each with a cap and the refresh of its last reading, that lack something of which nothing proves
    that it has vanished, and that another reading may prove. Nothing is read for that twice. The cap is that of the
    reading or, of one without, the largest that a harvest has for it, else what the list has: by now the harvest may be
    drained and wait for nothing.
    """
    # Uses readings_again.
    rows = connection.execute(
        """
        SELECT r.task_id, r.number,
            coalesce(
                r.cap, (SELECT max(w.cap) FROM harvest_tasks AS w WHERE w.task_id = r.task_id), t.collected
            ),
            r.refresh_id
        FROM readings AS r CROSS JOIN tasks AS t ON t.id = r.task_id
        WHERE r.number > 0 AND r.unproven > 0
            AND NOT EXISTS (SELECT 1 FROM readings AS l WHERE l.task_id = r.task_id AND l.number > r.number)
        ORDER BY r.task_id
        """
    ).fetchall()
    found = []
    for task_id, number, cap, refresh_id in rows:
        before = before_of(connection, Task(task_id, "", 0, reading=number))
        confirmed = before is not None and before.unproven > 0 and before.outcome == Outcome.COMPLETE
        if not confirmed or (before is not None and before.refresh_id != refresh_id):
            found.append((task_id, cap, refresh_id))
    return found


def is_pending(connection: sqlite3.Connection) -> bool:
    """Say whether anything has vanished of which it is not known why, nor that it cannot be known."""
    return connection.execute("SELECT 1 FROM unexplained LIMIT 1").fetchone() is not None


def _word_for_new(connection: sqlite3.Connection, read: Reread) -> str:
    """Give the word for what the list did not have: who knows what the whole list was knows that it is new."""
    before = before_of(connection, read.task)
    return "came" if before is not None and is_whole(before) else "found"


@dataclass(frozen=True, slots=True)
class _Past:
    gone_page_id: int
    reason: str | None
    first_page_id: int
    at_other: int | None  # its place in the list of the other side


def _last_past(connection: sqlite3.Connection, read: Reread, item: int) -> _Past | None:
    """Give how an edge vanished the last time; None where it never did."""
    edge = read.edge
    if not edge.past:
        return None
    row = connection.execute(
        f"SELECT gone_page_id, reason, first_page_id, {read.kind.rank_at_other or 'NULL'} FROM {edge.past}"  # noqa: S608
        f" WHERE {edge.subject} = ? AND {edge.item} = ? {of_type(edge)} ORDER BY gone_page_id DESC LIMIT 1",
        (read.task.subject_id, item),
    ).fetchone()
    return None if row is None else _Past(*row)


def _take_back(connection: sqlite3.Connection, read: Reread, item: int, past: _Past) -> None:
    """Let an edge be as if it had never vanished: nothing was said of it yet."""
    edge, subject_id = read.edge, read.task.subject_id
    connection.execute(
        f"DELETE FROM {edge.past} WHERE {edge.subject} = ? AND {edge.item} = ? AND gone_page_id = ? {of_type(edge)}",  # noqa: S608
        (subject_id, item, past.gone_page_id),
    )
    other = read.kind.other_side
    (lacked_by,) = connection.execute(
        """
        DELETE FROM unexplained WHERE gone_page_id = ? AND (
            (kind, subject_id, item_id) = (?, ?, ?) OR (kind, subject_id, item_id) = (?, ?, ?)
        )
        RETURNING kind
        """,
        (past.gone_page_id, read.kind.name, subject_id, item, other.name if other else "", item, subject_id),
    ).fetchone()
    values: dict[str, object] = {edge.subject: subject_id, edge.item: item, "first_page_id": past.first_page_id}
    if other is not None and lacked_by == read.kind.name and past.at_other is not None:
        # That list was not read meanwhile, or it would have shown it first.
        values[read.kind.rank_at_other] = past.at_other
        connection.execute(
            "UPDATE tasks SET collected = collected + 1 WHERE kind = ? AND subject_id = ?", (other.name, item)
        )
    if edge.on_item:  # its row came with the page
        connection.execute(
            f"UPDATE {edge.table} SET first_page_id = ? WHERE {edge.item} = ?",  # noqa: S608
            (past.first_page_id, item),
        )
    else:
        columns, type_values = typed(edge)
        connection.execute(
            f"INSERT INTO {edge.stored} ({', '.join(values)}{columns})"  # noqa: S608 - built from our own declarations
            f" VALUES ({', '.join('?' * len(values))}{type_values})"
            " ON CONFLICT DO UPDATE SET first_page_id = excluded.first_page_id",
            list(values.values()),
        )


def _take_back_entry(connection: sqlite3.Connection, read: Reread, item: int) -> int | None:
    """Let an entry of a list whose places are its rows be as if it had never vanished; give the page that first brought
    it, None where nothing waits for a reason.
    """
    edge = read.edge
    waited = _waited(connection, read, item)
    if waited is None:
        return None
    row = connection.execute(
        f"DELETE FROM {edge.past} WHERE {edge.subject} = ? AND {edge.rank} = ? AND gone_page_id = ?"  # noqa: S608
        " RETURNING first_page_id",
        (read.task.subject_id, *waited),
    ).fetchone()
    return int(row[0])


def _away(connection: sqlite3.Connection, read: Reread) -> Counter[int]:
    """Count the entries that have vanished from a list whose places are its rows, with a reason, and are not back."""
    edge, away = read.edge, Counter[int]()
    if not edge.past:
        return away
    # Every entry stands as a row of its own, here or there: its first page brings it, and the last one takes it away.
    moves = connection.execute(
        f"""
        SELECT first_page_id AS page_id, {edge.item}, -1 FROM {edge.table} WHERE {edge.subject} = :subject
        UNION ALL SELECT first_page_id, {edge.item}, -1 FROM {edge.past} WHERE {edge.subject} = :subject
        UNION ALL SELECT gone_page_id, {edge.item}, 1 FROM {edge.past}
        WHERE {edge.subject} = :subject AND reason IS NOT NULL
        ORDER BY page_id
        """,  # noqa: S608 - built from our own declarations
        _of(read),
    )
    for _, item, one in moves:
        away[item] = max(0, away[item] + one)
    return away


def _waited(connection: sqlite3.Connection, read: Reread, item: int) -> tuple[int, int] | None:
    """Forget that what vanished from this list waits for a reason; give its place and the page that lacked it."""
    if read.kind.witness is None:
        return None
    row = connection.execute(
        """
        DELETE FROM unexplained WHERE id = (
            SELECT id FROM unexplained
            WHERE thing = ? AND thing_id = ? AND kind = ? AND subject_id = ? ORDER BY id LIMIT 1
        )
        RETURNING place, gone_page_id
        """,
        (read.kind.witness[0], item, read.kind.name, read.task.subject_id),
    ).fetchone()
    return None if row is None else (row[0], row[1])


def _vanish(connection: sqlite3.Connection, read: Reread, vanished: Sequence[tuple[int, int, int | None]]) -> None:
    """Move edges out, each as (item, place, place in the list of the other side); those that a list of the other side
    still held later only lose their place here.
    """
    edge, other, task = read.edge, read.kind.other_side, read.task
    kept_by_other = {item for item, _, place in vanished if place is not None and _held_later(connection, read, item)}
    connection.executemany(
        f"UPDATE {edge.table} SET {edge.rank} = NULL WHERE {edge.subject} = ? AND {edge.item} = ? {of_type(edge)}",  # noqa: S608
        [(task.subject_id, item) for item in kept_by_other],
    )
    leaves = [(item, place, at_other) for item, place, at_other in vanished if item not in kept_by_other]
    earlier = list(readings_before(connection, task))
    for item, place, at_other in sorted(leaves, key=lambda one: one[1]):
        _leave(connection, read, item, place, _last_page_with(connection, task, earlier, place))
        if other is not None and at_other is not None:
            connection.execute(
                "UPDATE tasks SET collected = collected - 1 WHERE kind = ? AND subject_id = ?", (other.name, item)
            )


def _last_page_with(connection: sqlite3.Connection, task: Task, earlier: Sequence[Ended], place: int) -> int:
    """Give the last page of the last reading that showed what stands at a place: behind the length of a re-reading that
    ended well stands what it lacked.
    """
    lacked = (one.number > 0 and one.outcome == Outcome.COMPLETE and place >= one.collected for one in earlier)
    number = next((one.number for one, no in zip(earlier, lacked, strict=True) if not no), 0)
    row = connection.execute(
        "SELECT max(id) FROM pages WHERE task_id = ? AND reading = ?", (task.id, number)
    ).fetchone()
    return int(row[0])


def _leave(connection: sqlite3.Connection, read: Reread, item: int, place: int, last_page_id: int) -> None:
    """Move one edge out."""
    edge, subject_id = read.edge, read.task.subject_id
    here = f"{edge.subject} = :subject AND {edge.item} = :item {of_type(edge)}" + (
        f" AND {edge.rank} = :place" if edge.repeats else ""
    )
    values = {"subject": subject_id, "item": item, "place": place, "last": last_page_id, "gone": read.page_id}
    thing, thing_id = None, None
    if read.kind.witness is not None:
        thing, column = read.kind.witness
        (thing_id,) = connection.execute(f"SELECT {column} FROM {edge.table} WHERE {here}", values).fetchone()  # noqa: S608
    # A link is the person's own word, and the person answers.
    reason = (
        None if thing_id is not None or read.kind.computed else "withdrawn" if read.kind.item == "link" else "unknown"
    )
    if edge.past:
        names = ", ".join(name for name in _columns(connection, edge.past) if name not in _HISTORY)
        connection.execute(
            f"INSERT INTO {edge.past} ({names}, {', '.join(_HISTORY)})"  # noqa: S608 - built from our own declarations
            f" SELECT {names}, max(:last, first_page_id), :gone, :reason FROM {edge.table} WHERE {here}",
            {**values, "reason": reason},
        )
    if edge.past or not edge.on_item:
        connection.execute(f"DELETE FROM {edge.table} WHERE {here}", values)  # noqa: S608
    else:
        connection.execute(f"UPDATE {edge.table} SET {edge.rank} = NULL WHERE {here}", values)  # noqa: S608
    if thing_id is not None:
        connection.execute(
            """
            INSERT INTO unexplained (kind, subject_id, item_id, place, thing, thing_id, gone_page_id)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            (read.kind.name, subject_id, item, place, thing, thing_id, read.page_id),
        )
    else:
        key = read.ids(connection, item, place if edge.repeats else None)
        changes.add(connection, [Change(read.at, "went", edge.table, key, reason=reason, page_id=read.page_id)])


def _held_later(connection: sqlite3.Connection, read: Reread, item: int) -> bool:
    """Say whether the list of the other side, which holds the edge, was read after this reading began."""
    other = read.kind.other_side
    assert other is not None
    row = connection.execute(
        """
        SELECT 1 FROM tasks AS t
        WHERE t.kind = ?1 AND t.subject_id = ?2
            AND (SELECT max(p.id) FROM pages AS p WHERE p.task_id = t.id AND p.reading = t.reading)
                > (SELECT min(p.id) FROM pages AS p WHERE p.task_id = ?3 AND p.reading = ?4)
        """,
        (other.name, item, read.task.id, read.task.reading),
    ).fetchone()
    return row is not None


def _of(read: Reread) -> dict[str, int]:
    return {"task": read.task.id, "reading": read.task.reading, "subject": read.task.subject_id}


_COLUMNS: dict[str, tuple[str, ...]] = {}


def _columns(connection: sqlite3.Connection, table: str) -> tuple[str, ...]:
    if table not in _COLUMNS:  # the same in every file of this version
        _COLUMNS[table] = tuple(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))
    return _COLUMNS[table]


_SEEN = "FROM reading_items AS i WHERE i.task_id = :task AND i.reading = :reading"


@cache
def _new_sql(edge: Edge) -> str:
    mine = "" if edge.on_item else f"AND e.{edge.subject} = :subject {of_type(edge, 'e.')}"
    placed = f"AND e.{edge.rank} IS NOT NULL" if edge.on_item else ""
    return f"""
        SELECT i.item_id, i.page_id {_SEEN}
            AND NOT EXISTS (SELECT 1 FROM {edge.table} AS e WHERE e.{edge.item} = i.item_id {mine} {placed})
        ORDER BY i.place
    """  # noqa: S608 - built from our own declarations


@cache
def _returned_sql(edge: Edge) -> str:
    return f"""
        SELECT DISTINCT e.{edge.item} FROM {edge.table} AS e
        JOIN {edge.past} AS p ON p.{edge.subject} = e.{edge.subject} AND p.{edge.item} = e.{edge.item}
            {of_type(edge, "p.")}
        WHERE e.{edge.subject} = :subject AND e.{edge.item} IN (SELECT value FROM json_each(:items))
            AND e.first_page_id = :page {of_type(edge, "e.")}
        ORDER BY 1
    """  # noqa: S608 - built from our own declarations


@cache
def _missing_sql(kind: ListKind) -> str:
    edge = kind.edge
    assert edge is not None
    at_other = f"e.{kind.rank_at_other}" if kind.rank_at_other else "NULL"
    return f"""
        SELECT e.{edge.item}, e.{edge.rank}, {at_other} FROM {edge.table} AS e
        WHERE e.{edge.subject} = :subject AND e.{edge.rank} IS NOT NULL {of_type(edge, "e.")}
            AND NOT EXISTS (SELECT 1 {_SEEN} AND i.item_id = e.{edge.item})
        ORDER BY e.{edge.rank}
    """  # noqa: S608 - built from our own declarations


@cache
def _shown_sql(edge: Edge) -> str:
    return f"""
        SELECT e.{edge.rank} FROM reading_items AS i
        CROSS JOIN {edge.table} AS e ON e.{edge.item} = i.item_id AND e.{edge.subject} = :subject
            {of_type(edge, "e.")} AND e.{edge.rank} IS NOT NULL
        WHERE i.task_id = :task AND i.reading = :reading
        ORDER BY i.place
    """  # noqa: S608 - built from our own declarations
