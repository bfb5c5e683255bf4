"""Which new lists a list gives birth to, read from the edges that are stored.

Births come from stored edges only, whether a page has just brought them or another harvest did long ago, so who is
chosen never depends on the order of arrival (design 10.3, 10.4). Every statement may run again without effect.

In: a harvest that wants a list. Out: rows of `tasks`, `harvest_tasks` and `claims`. Never: a commit of its own.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from harvest.lists import KINDS, RESOLVE, SPILL, ListKind, chosen_next, chosen_with
from harvest.models import ORDERS, Limits, Outcome, Page
from harvest.store import drawing
from harvest.store.edges import of_type
from harvest.store.outcomes import Tolerance

_AS_LISTED = ORDERS[0]
_SUBJECT_TABLES = {"track": "tracks", "user": "users", "playlist": "playlists"}
_LAST = 2**62

# Kinds of lists of which an entry of another list says how long they are (`claims`).
_TOLD_BY_ENTRIES = frozenset(name for kind in KINDS.values() if kind.edge for name in kind.births)


@dataclass(frozen=True, slots=True)
class Want:
    """One harvest's wish for one list."""

    harvest_id: int
    task_id: int
    depth: int
    cap: int | None
    limits: Limits


def wants_of(connection: sqlite3.Connection, task_id: int) -> list[Want]:
    """Give the wishes of the running harvests for a list; the others catch up when they run."""
    rows = connection.execute(
        """
        SELECT w.harvest_id, w.depth, w.cap, h.options
        FROM harvest_tasks AS w
        JOIN harvests AS h ON h.id = w.harvest_id AND h.state = 'running'
        WHERE w.task_id = ?
        """,
        (task_id,),
    )
    return [Want(row[0], task_id, row[1], row[2], Limits(**json.loads(row[3]))) for row in rows]


def note_claims(
    connection: sqlite3.Connection, task_id: int, kind: ListKind, page: Page, fresh: Iterable[int], page_id: int
) -> None:
    """Keep what the new entries of a page say of the lists they may lead to."""
    if kind.edge is None:
        return
    entries: Mapping[int, object] = getattr(page, f"{kind.item}s")
    for name in kind.births:
        told = ((item, getattr(entries[item], KINDS[name].claimed or "", None)) for item in sorted(fresh))
        connection.executemany(
            "INSERT OR IGNORE INTO claims (task_id, kind, subject_id, claimed, page_id) VALUES (?, ?, ?, ?, ?)",
            [(task_id, name, item, claimed, page_id) for item, claimed in told if claimed is not None],
        )


def spread(
    connection: sqlite3.Connection, want: Want, kind: ListKind, subject_id: int, *, from_rank: int, ended: bool
) -> None:
    """Let a list give birth: to what its items from `from_rank` on are wanted for, and, once it has ended, to what had
    to wait for its end.
    """
    if kind is RESOLVE:
        spill(connection, want.harvest_id, [(subject_id, want.task_id)], depth=1, limits=want.limits)
        return
    if want.limits.order == _AS_LISTED:
        if kind.births:
            _follow(connection, want, kind, subject_id, from_rank)
        if ended:
            for later in chosen_next(kind):
                for waiting in _wants_of_list(connection, want, later, subject_id):
                    _follow(connection, waiting, later, subject_id, 0)
    if ended and kind.births:
        _follow_the_pool(connection, want, kind, subject_id)


def spill(
    connection: sqlite3.Connection,
    harvest_id: int,
    tracks: list[tuple[int, int | None]],
    *,
    depth: int,
    limits: Limits,
) -> None:
    """Want the likers and reposters of tracks, given as (track, the list that named it), best first.

    Lists that were read for another harvest serve at once.
    """
    _choose(connection, [(track_id, place, parent) for place, (track_id, parent) in enumerate(tracks)])
    for name in SPILL:
        _want_chosen(connection, harvest_id, KINDS[name], depth, _cap(KINDS[name], limits))
    for track_id, _ in tracks:
        catch_up(connection, harvest_id, track_id)


def catch_up(connection: sqlite3.Connection, harvest_id: int, track_id: int) -> None:
    """Give birth to everything the stored lists of a track stand for in this harvest."""
    for name in SPILL:
        kind = KINDS[name]
        for task_id, read, ended in connection.execute(
            "SELECT id, collected > 0, state = 'ended' FROM tasks WHERE kind = ? AND subject_id = ? AND argument = ''",
            (name, track_id),
        ).fetchall():
            for want in wants_of(connection, task_id):
                if want.harvest_id == harvest_id and (read or ended):
                    spread(connection, want, kind, track_id, from_rank=0, ended=bool(ended))


def _follow(connection: sqlite3.Connection, want: Want, kind: ListKind, subject_id: int, from_rank: int) -> None:
    """Choose whom to follow among the items of a list, in its order, up to the harvest's bound."""
    before = 0
    if kind.chosen_after is not None:
        first = _ended_list(connection, want, KINDS[kind.chosen_after], subject_id)
        if first is None:
            return  # they are chosen when that list has ended
        before = _listed(connection, KINDS[kind.chosen_after], subject_id, first.cap)
    if before >= want.limits.max_users:
        return
    _choose(connection, _candidates(connection, want, kind, subject_id, from_rank, before))
    for name in kind.births:
        _want_chosen(connection, want.harvest_id, KINDS[name], want.depth, _cap(KINDS[name], want.limits))


def _follow_the_pool(connection: sqlite3.Connection, want: Want, kind: ListKind, subject_id: int) -> None:
    """Once all lists of a subject have ended: draw whom to follow, where an order asks for it, and note the chances."""
    pool = drawing.ended_pool(connection, want.harvest_id, chosen_with(kind), subject_id)
    if pool is None or want.limits.max_users == 0:
        return
    size = drawing.size_of(connection, pool, subject_id)
    chance = drawing.chance(want.limits, size)
    if want.limits.order == _AS_LISTED:
        if chance is not None:
            for name in kind.births:
                drawing.note_certainty(connection, want.harvest_id, pool, subject_id, name)
    elif not drawing.is_drawn(connection, want.harvest_id, pool):
        _choose(connection, drawing.draw(connection, pool, subject_id, want.limits))
        for name in kind.births:
            cap = _cap(KINDS[name], want.limits)
            _want_chosen(connection, want.harvest_id, KINDS[name], want.depth, cap, chance)


def _candidates(
    connection: sqlite3.Connection, want: Want, kind: ListKind, subject_id: int, from_rank: int, before: int
) -> Iterator[tuple[int, int, int | None]]:
    """Give (item, place, parent task) of those chosen from a list."""
    edge = kind.edge
    assert edge is not None
    room = want.limits.max_users - before
    cap = want.cap if want.cap is not None else 2**62
    parameters = {"subject": subject_id, "cap": cap, "room": room, "from": from_rank}
    if kind.chosen_after is None:  # ranks are places: a page's own rows are enough
        sql = f"""
            SELECT {edge.item}, {edge.rank} FROM {edge.table}
            WHERE {edge.subject} = :subject {of_type(edge)}
                AND {edge.rank} >= :from AND {edge.rank} < min(:cap, :room)
            ORDER BY {edge.rank}
        """  # noqa: S608 - built from our own declarations
    else:
        first = KINDS[kind.chosen_after].edge
        assert first is not None
        sql = f"""
            SELECT b.{edge.item}, row_number() OVER (ORDER BY b.{edge.rank}) - 1 FROM {edge.table} AS b
            WHERE b.{edge.subject} = :subject {of_type(edge)} AND b.{edge.rank} >= 0 AND b.{edge.rank} < :cap
                AND NOT EXISTS (
                    SELECT 1 FROM {first.table} AS a
                    WHERE a.{first.item} = b.{edge.item} AND a.{first.subject} = :subject
                        AND a.engagement_type = '{first.engagement_type}' AND a.{first.rank} < :cap
                )
            ORDER BY b.{edge.rank} LIMIT :room
        """  # noqa: S608 - built from our own declarations
    for item, place in connection.execute(sql, parameters):
        yield item, before + place, want.task_id


def _listed(connection: sqlite3.Connection, kind: ListKind, subject_id: int, cap: int | None) -> int:
    edge = kind.edge
    assert edge is not None
    sql = f"""
        SELECT count(*) FROM {edge.table}
        WHERE {edge.subject} = ? {of_type(edge)} AND {edge.rank} >= 0 AND {edge.rank} < ?
    """  # noqa: S608 - built from our own declarations
    (n,) = connection.execute(sql, (subject_id, cap if cap is not None else 2**62)).fetchone()
    return int(n)


def _ended_list(connection: sqlite3.Connection, want: Want, kind: ListKind, subject_id: int) -> Want | None:
    """Give this harvest's wish for another list of the subject, once that list is as whole as it will be.

    A failed list may still be retried, and then it names more people first.
    """
    row = connection.execute(
        """
        SELECT t.id, w.depth, w.cap
        FROM tasks AS t
        JOIN harvest_tasks AS w ON w.task_id = t.id AND w.harvest_id = ?
        WHERE t.kind = ? AND t.subject_id = ? AND t.argument = '' AND (
            t.state = 'ended' AND t.outcome <> 'failed' OR t.collected >= w.cap
        )
        """,
        (want.harvest_id, kind.name, subject_id),
    ).fetchone()
    return row and Want(want.harvest_id, row[0], row[1], row[2], want.limits)


def _wants_of_list(connection: sqlite3.Connection, want: Want, kind: ListKind, subject_id: int) -> list[Want]:
    row = connection.execute(
        "SELECT id FROM tasks WHERE kind = ? AND subject_id = ? AND argument = ''", (kind.name, subject_id)
    ).fetchone()
    if row is None:
        return []
    return [other for other in wants_of(connection, row[0]) if other.harvest_id == want.harvest_id]


def _choose(connection: sqlite3.Connection, chosen: Iterable[tuple[int, int, int | None]]) -> None:
    """Note (subject, place, the list that named it); the first place of a subject counts."""
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS chosen (id INTEGER PRIMARY KEY, place INTEGER, parent_task_id INTEGER)"
    )
    connection.execute("DELETE FROM temp.chosen")
    connection.executemany("INSERT OR IGNORE INTO temp.chosen VALUES (?, ?, ?)", chosen)


def _want_chosen(
    connection: sqlite3.Connection,
    harvest_id: int,
    kind: ListKind,
    depth: int,
    cap: int | None,
    chance: float | None = None,
) -> None:
    """Want one kind of list of everything chosen; a list cut by a smaller cap goes on.

    Of several lists that name a subject the first counts, whichever came first: the one at the lesser depth, then that
    of the better track, then likers before reposters. A wish without a place is left from an earlier choice and gets
    one, though never at a greater depth: parents would then lead in circles.
    """
    claimed = f"s.{kind.claimed}" if kind.claimed and kind.name not in _TOLD_BY_ENTRIES else "NULL"
    parameters = {"harvest": harvest_id, "kind": kind.name, "depth": depth, "cap": cap, "chance": chance}
    connection.execute(
        f"""
        INSERT INTO tasks (kind, subject_id, claimed, claimed_at)
        SELECT :kind, c.id, {claimed}, CASE WHEN {claimed} IS NOT NULL THEN s.counts_seen_at END
        FROM temp.chosen AS c JOIN {_SUBJECT_TABLES[kind.subject]} AS s ON s.id = c.id
        ORDER BY c.place
        ON CONFLICT DO NOTHING
        """,  # noqa: S608 - built from our own declarations
        parameters,
    )
    connection.execute(
        f"""
        INSERT INTO harvest_tasks (harvest_id, task_id, depth, parent_task_id, cap, listed_rank, chance)
        SELECT :harvest, t.id, :depth, c.parent_task_id, :cap, c.place, :chance
        FROM temp.chosen AS c
        JOIN tasks AS t ON t.kind = :kind AND t.subject_id = c.id AND t.argument = ''
        WHERE true
        ON CONFLICT DO UPDATE SET depth = excluded.depth, parent_task_id = excluded.parent_task_id,
            listed_rank = excluded.listed_rank, chance = excluded.chance
            WHERE excluded.depth < depth OR excluded.depth = depth AND (
                listed_rank IS NULL
                OR {_turn("excluded.parent_task_id")} < {_turn("harvest_tasks.parent_task_id")}
                OR excluded.parent_task_id = parent_task_id AND excluded.listed_rank <> listed_rank
            )
        """,  # noqa: S608 - built from our own declarations
        parameters,
    )
    if kind.name in _TOLD_BY_ENTRIES:
        _claim_as_named(connection, kind)
    connection.execute(
        """
        UPDATE tasks SET state = 'todo', outcome = NULL, ended_at = NULL
        WHERE kind = :kind AND argument = '' AND subject_id IN (SELECT id FROM temp.chosen)
            AND outcome = 'capped' AND collected < :cap
        """,
        parameters,
    )


def _turn(task_id: str) -> str:
    """Write when it is the turn of a list among those that this harvest spills: by the place of its track, then in the
    order in which the lists of one track count.
    """
    kinds = " ".join(f"WHEN '{name}' THEN {number}" for number, name in enumerate(SPILL))
    return f"""(
        SELECT coalesce(v.listed_rank, {_LAST // 10}) * 10 + CASE p.kind {kinds} ELSE 9 END
        FROM harvest_tasks AS v JOIN tasks AS p ON p.id = v.task_id
        WHERE v.harvest_id = :harvest AND v.task_id = {task_id}
    )"""  # noqa: S608 - built from our own declarations


def _claim_as_named(connection: sqlite3.Connection, kind: ListKind) -> None:
    """Let the lists of everybody chosen claim what the entry said that led the first harvest to them.

    That entry may arrive last: a list that has ended is then judged again.
    """
    news = connection.execute(
        """
        SELECT n.claimed, p.fetched_at, t.id
        FROM temp.chosen AS c
        JOIN tasks AS t ON t.kind = :kind AND t.subject_id = c.id AND t.argument = ''
        JOIN harvest_tasks AS w ON w.task_id = t.id
            AND w.harvest_id = (SELECT min(harvest_id) FROM harvest_tasks WHERE task_id = t.id)
        LEFT JOIN claims AS n ON n.task_id = w.parent_task_id AND n.kind = t.kind AND n.subject_id = t.subject_id
        LEFT JOIN pages AS p ON p.id = n.page_id
        WHERE t.claimed IS NOT n.claimed
        """,
        {"kind": kind.name},
    ).fetchall()
    connection.executemany("UPDATE tasks SET claimed = ?, claimed_at = ? WHERE id = ?", news)
    for _, _, task_id in news:
        _judge_again(connection, task_id)


def _judge_again(connection: sqlite3.Connection, task_id: int) -> None:
    """Say anew whether a list that the service has ended is short."""
    row = connection.execute(
        "SELECT claimed, collected FROM tasks WHERE id = ? AND outcome IN ('complete', 'short')", (task_id,)
    ).fetchone()
    if row is not None:
        outcome = Outcome.SHORT if Tolerance().is_short(*row) else Outcome.COMPLETE
        connection.execute("UPDATE tasks SET outcome = ?1 WHERE id = ?2 AND outcome <> ?1", (outcome, task_id))


def _cap(kind: ListKind, limits: Limits) -> int | None:
    return getattr(limits, kind.cap) if kind.cap else None
