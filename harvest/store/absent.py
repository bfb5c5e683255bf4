"""Lists of plug-ins that are not loaded, in a file that has them: what it says of itself stands in for them.

In: a connection. Out: stand-ins, for all that reads; an error, for all that would crawl on. Never: a text of the file.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator

from harvest.lists import KINDS, STAND_INS, not_loaded, plugin_of, stand_in
from harvest.things import SHOWN

_NAME = re.compile(r"plugin_[a-z][a-z0-9]{0,30}_[a-z][a-z0-9_]{0,40}", re.ASCII)
# With the cap that is usual for it: of a harvest whose options give it none.
_USED = r"""
SELECT k.kind, k.subject, coalesce(
    (
        SELECT max(r.cap) FROM recipes AS r JOIN harvests AS h ON h.id = r.harvest_id
        WHERE r.kind = k.kind
            AND NOT EXISTS (SELECT 1 FROM json_each(h.options, '$.caps') AS c WHERE c.value ->> 0 = k.name)
    ),
    (SELECT max(r.cap) FROM recipes AS r WHERE r.kind = k.kind),
    1
)
FROM list_kinds AS k
WHERE k.kind LIKE 'plugin\_%' ESCAPE '\' AND (
    EXISTS (SELECT 1 FROM tasks AS t WHERE t.kind = k.kind)
    OR EXISTS (SELECT 1 FROM harvests AS h WHERE instr(h.options, '"' || k.name || '"'))
)
ORDER BY (SELECT min(r.turn) FROM recipes AS r WHERE r.kind = k.kind), k.kind
"""


def learn(connection: sqlite3.Connection) -> None:
    """Let what a file says of lists whose plug-in is not loaded stand in for them, in this process."""
    STAND_INS.update((kind, stand_in(kind, subject, cap)) for kind, subject, cap in _absent(connection))


def check(connection: sqlite3.Connection) -> None:
    """Raise PluginError where a file has lists of plug-ins that are not loaded: a crawl cannot go on without them."""
    if names := [kind for kind, _, _ in _absent(connection)]:
        raise not_loaded(names)


def named() -> dict[str, list[str]]:
    """Give the lists that have a stand-in, as options call them, by plug-in."""
    found: dict[str, list[str]] = {}
    for kind in STAND_INS.values():
        found.setdefault(plugin_of(kind.name), []).append(kind.option)
    return found


def lists_of(connection: sqlite3.Connection) -> list[tuple[str, str, int]]:
    """Give plug-in, kind as options call it, and number of lists in the file, of each kind that has a stand-in."""
    counted = "SELECT kind, count(*) FROM tasks GROUP BY kind ORDER BY kind"
    rows = connection.execute(counted) if STAND_INS else ()
    return [(plugin_of(kind), STAND_INS[kind].option, n) for kind, n in rows if kind in STAND_INS]


def _absent(connection: sqlite3.Connection) -> Iterator[tuple[str, str, int]]:
    rows: list[tuple[str, str, int]] = []
    with contextlib.suppress(sqlite3.DatabaseError):  # a file that is damaged is found to be by what reads it
        rows = [(row[0], row[1], row[2]) for row in connection.execute(_USED)]
    things = {thing.name for thing in SHOWN}
    for kind, subject, cap in rows:
        if kind not in KINDS and _NAME.fullmatch(kind) and subject in things:
            columns = {row[1] for row in connection.execute(f"PRAGMA table_info({kind})")}
            if columns >= {"id", f"{subject}_id", "rank", "first_page_id"}:
                yield kind, subject, cap
