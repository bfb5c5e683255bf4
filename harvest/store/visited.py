"""Say what was read of a thing when the last of its lists has ended. Reads only."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from harvest.lists import KINDS
from harvest.models import Outcome
from harvest.things import THINGS

# By the unique key of `tasks`, and the open readings of each.
_LISTS = """
SELECT t.kind, t.outcome, t.collected, EXISTS (
    SELECT 1 FROM readings AS r WHERE r.task_id = t.id AND r.state <> 'ended'
)
FROM tasks AS t
WHERE t.kind IN (SELECT value FROM json_each(:kinds)) AND t.subject_id = :subject
"""


@dataclass(frozen=True, slots=True)
class ReadList:
    """A list that has ended: what options call it, how many entries it brought, how it ended."""

    option: str
    collected: int
    outcome: str

    def __str__(self) -> str:
        return f"{self.option} {self.collected:,}{'' if self.outcome == Outcome.COMPLETE else f' ({self.outcome})'}"


@dataclass(frozen=True, slots=True)
class Visited:
    """A thing all whose lists have ended: what it is, the address of its page (or else its URN), its lists."""

    thing: str
    who: str
    lists: tuple[ReadList, ...]


def visited(connection: sqlite3.Connection, kind: str, subject: int) -> Visited | None:
    """Tell of the thing a list of this kind belongs to, None while another of its lists is open."""
    thing = THINGS.get(KINDS[kind].subject)
    if thing is None:
        return None
    kinds = [one.name for one in KINDS.values() if one.subject == thing.name]
    wanted = {"kinds": json.dumps(kinds), "subject": subject}
    found = {row[0]: row[1:] for row in connection.execute(_LISTS, wanted)}
    if any(is_open or outcome is None for outcome, _, is_open in found.values()):
        return None
    lists = tuple(ReadList(KINDS[name].option, found[name][1] or 0, found[name][0]) for name in kinds if name in found)
    (who,) = connection.execute(
        f"SELECT coalesce((SELECT permalink_url FROM {thing.table} WHERE id = :id), {thing.urn_of(':id')})",  # noqa: S608 - ours
        {"id": subject},
    ).fetchone()
    return Visited(thing.name, who, lists)
