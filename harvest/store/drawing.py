"""Choose among the people of a track's lists, once all of these have ended: by lot, or by how well known they are.

Rules:
1. Nobody is chosen before the last list has ended, so the order of arrival cannot matter; nor do other harvests.
2. A lot depends on the seed of the sample and the person alone. A resumed crawl draws the same people, a raised bound
   draws the same and more.
3. What a draw has chosen stands; it is made anew only when the harvest's options have changed.
4. The chance of everybody chosen is kept: 1 when all are followed, n / N for a simple random sample, and none (NULL)
   where a rule without chance has cut.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from hashlib import blake2b

from harvest.lists import ListKind
from harvest.models import Limits
from harvest.store.edges import of_type

_ORDERS = {
    "random": "lot(:sample_seed, p.id), p.id",
    "popular": "u.followers_count DESC NULLS LAST, p.id",
    "least-known": "u.followers_count ASC NULLS LAST, p.id",
}
_NO_CAP = 2**62


@dataclass(frozen=True, slots=True)
class Source:
    """One list of a pool: what kind, which task, and how much of it its harvest wants."""

    kind: ListKind
    task_id: int
    cap: int | None


Pool = tuple[Source, ...]


def lot(sample_seed: int, user_id: int) -> int:
    """Give the lot of a person: 63 bits that look random and are the same for ever."""
    return int.from_bytes(blake2b(f"{sample_seed}:{user_id}".encode(), digest_size=8).digest(), "big") >> 1


def ended_pool(
    connection: sqlite3.Connection, harvest_id: int, kinds: tuple[ListKind, ...], subject_id: int
) -> Pool | None:
    """Give the lists whose people are chosen together, None while one of them may still name somebody.

    A list that failed for a reason that may pass is one of those: `harvest retry` goes on with it.
    """
    sources = []
    for kind in kinds:
        row = connection.execute(
            """
            SELECT t.id, w.cap FROM tasks AS t JOIN harvest_tasks AS w ON w.task_id = t.id AND w.harvest_id = ?
            WHERE t.kind = ? AND t.subject_id = ? AND t.argument = '' AND (
                t.collected >= w.cap OR t.state = 'ended' AND NOT (t.outcome = 'failed' AND EXISTS (
                    SELECT 1 FROM failures AS f WHERE f.task_id = t.id AND f.retryable = 1 AND f.resolved_at IS NULL
                ))
            )
            """,
            (harvest_id, kind.name, subject_id),
        ).fetchone()
        if row is None:
            return None
        sources.append(Source(kind, row[0], row[1]))
    return tuple(sources)


def is_drawn(connection: sqlite3.Connection, harvest_id: int, pool: Pool) -> bool:
    """Say whether somebody is already chosen from a pool."""
    marks = ", ".join("?" * len(pool))
    row = connection.execute(
        f"""
        SELECT 1 FROM harvest_tasks
        WHERE harvest_id = ? AND listed_rank IS NOT NULL AND parent_task_id IN ({marks}) LIMIT 1
        """,  # noqa: S608 - question marks
        (harvest_id, *(source.task_id for source in pool)),
    ).fetchone()
    return row is not None


def size_of(connection: sqlite3.Connection, pool: Pool, subject_id: int) -> int:
    """Count the people of a pool, each once."""
    (n,) = connection.execute(f"SELECT count(*) FROM ({_people(pool)})", _caps(pool, subject_id)).fetchone()  # noqa: S608
    return int(n)


def draw(connection: sqlite3.Connection, pool: Pool, subject_id: int, limits: Limits) -> list[tuple[int, int, int]]:
    """Choose from a pool: (person, place, the list that names them first)."""
    connection.create_function("lot", 2, lot, deterministic=True)
    rows = connection.execute(
        f"""
        SELECT p.id, p.source FROM ({_people(pool)}) AS p JOIN users AS u ON u.id = p.id
        ORDER BY {_ORDERS[limits.order]} LIMIT :room
        """,  # noqa: S608 - built from our own declarations
        {**_caps(pool, subject_id), "room": limits.max_users, "sample_seed": limits.sample_seed},
    )
    return [(row[0], place, pool[row[1]].task_id) for place, row in enumerate(rows)]


def chance(limits: Limits, size: int) -> float | None:
    """Give the probability with which each person of a pool of this size was to be chosen, None where none applies."""
    if size <= limits.max_users:
        return 1.0
    return limits.max_users / size if limits.order == "random" else None


def note_certainty(connection: sqlite3.Connection, harvest_id: int, pool: Pool, subject_id: int, followed: str) -> None:
    """Write down that everybody of a pool is followed."""
    marks = ", ".join(str(source.task_id) for source in pool)
    connection.execute(
        f"""
        UPDATE harvest_tasks SET chance = 1
        WHERE harvest_id = :harvest AND chance IS NULL AND parent_task_id IN ({marks}) AND task_id IN (
            SELECT t.id FROM ({_people(pool)}) AS p
            JOIN tasks AS t ON t.kind = :followed AND t.subject_id = p.id AND t.argument = ''
        )
        """,  # noqa: S608 - whole numbers, and our own declarations
        {**_caps(pool, subject_id), "harvest": harvest_id, "followed": followed},
    )


def _people(pool: Pool) -> str:
    """Write the query for the people of a pool, with the number of the first list that names them."""
    parts = []
    for number, source in enumerate(pool):
        edge = source.kind.edge
        assert edge is not None
        parts.append(
            f"SELECT {edge.item} AS id, {number} AS source FROM {edge.table} WHERE {edge.subject} = :subject"  # noqa: S608
            f" {of_type(edge)} AND {edge.rank} >= 0 AND {edge.rank} < :cap{number}"
        )
    return f"SELECT id, min(source) AS source FROM ({' UNION ALL '.join(parts)}) GROUP BY id"  # noqa: S608


def _caps(pool: Pool, subject_id: int) -> dict[str, int]:
    caps = {f"cap{n}": source.cap if source.cap is not None else _NO_CAP for n, source in enumerate(pool)}
    return {"subject": subject_id, **caps}
