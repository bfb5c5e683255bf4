"""Say why a drained harvest is not complete all the same: whole kinds of lists that could not be read. Reads only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from harvest.lists import KINDS
from harvest.models import Outcome
from harvest.store.rounds import barren_seeds
from harvest.store.standing import Standing

_ANSWERED = frozenset(outcome.value for outcome in Outcome if outcome.answered)
_BROKEN = (Outcome.UNREADABLE, Outcome.FAILED)  # nothing that says anything of the list itself


@dataclass(frozen=True, slots=True)
class Gap:
    """A kind of list of which something is missing, how many lists that are, a sentence that says what and why, and the
    outcomes of the lists that are to be read again. `once`: it concerns the run alone that found it.
    """

    kind: str
    lists: int
    sentence: str
    ends: tuple[str, ...] = ()
    once: bool = False


def gaps(connection: sqlite3.Connection, seen: Standing) -> tuple[Gap, ...]:
    """Give what is missing, by kind of list."""
    return (*_unread(seen), *_barren(connection), *_withdrawn(connection))


def _withdrawn(connection: sqlite3.Connection) -> Iterator[Gap]:
    """Find the kinds of lists of which the last run found out that the service shows none any more."""
    rows = connection.execute(
        """
        SELECT t.kind, f.message, (SELECT count(*) FROM tasks AS w WHERE w.kind = t.kind AND w.outcome = 'withdrawn')
        FROM failures AS f JOIN tasks AS t ON t.id = f.task_id
        WHERE f.class = 'withdrawn' AND f.resolved_at IS NULL
            AND f.last_at >= (SELECT started_at FROM runs ORDER BY id DESC LIMIT 1)
        ORDER BY f.id
        """
    )
    for kind, message, lists in rows.fetchall():
        yield Gap(
            kind, lists, f"Withdrawn: {message} {lists:,} lists were not read.", (Outcome.WITHDRAWN.value,), once=True
        )


def _barren(connection: sqlite3.Connection) -> Iterator[Gap]:
    """Find the harvests whose seeds brought nothing."""
    for (harvest_id,) in connection.execute("SELECT id FROM harvests ORDER BY id").fetchall():
        for kind, lists, claimed in barren_seeds(connection, harvest_id):
            yield Gap(
                kind,
                lists,
                f"No list of {KINDS[kind].title} brought anything, though {claimed:,} are claimed:"
                " running again asks once more.",
            )


def _unread(seen: Standing) -> Iterator[Gap]:
    """Find the kinds of which no list was answered and some are broken: the service, or the way to it, has changed."""
    for kind in seen.lists:
        ends = dict(kind.outcomes)
        broken = {outcome: ends[outcome] for outcome in _BROKEN if outcome in ends}
        if broken and not KINDS[kind.kind].looks_up and not _ANSWERED & ends.keys():
            how = ", ".join(f"{n:,} {outcome}" for outcome, n in broken.items())
            why = "the service has changed what it answers" if Outcome.UNREADABLE in broken else "none was answered"
            sentence = f"No list could be read of {KINDS[kind.kind].title} ({how}): {why}."
            yield Gap(kind.kind, sum(broken.values()), sentence, tuple(broken))
