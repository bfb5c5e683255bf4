"""Say why a drained harvest is not complete all the same: whole kinds of lists that nobody got to see. Reads only."""

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
    outcomes of the lists that are to be read anew.
    """

    kind: str
    lists: int
    sentence: str
    ends: tuple[str, ...] = ()


def gaps(connection: sqlite3.Connection, seen: Standing) -> tuple[Gap, ...]:
    """Give what is missing, by kind of list."""
    return (*_unread(seen), *_barren(connection))


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
