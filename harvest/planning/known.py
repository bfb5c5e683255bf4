"""What a file holds of a harvest, and what of it is still to be read. Reads only.

The file is looked at from a database in memory that has tables of its own for one harvest: there the crawl's own rules
choose round by round, under the options of today, as far as what is stored tells.

In: the path of a file, addresses, limits. Out: an Outlook. Never: a row in the file.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harvest.errors import OutOfTime
from harvest.lists import KINDS
from harvest.models import Limits
from harvest.planning.excerpts import excerpts_of, seen_on
from harvest.planning.outlook import Group, Listed, Outlook, Visit
from harvest.profiles import USUAL
from harvest.rules import leads_of, recipe
from harvest.store import harvests, rounds, seeds, sweeps
from harvest.store.database import attach_to_read, open_if_begun
from harvest.store.samples import Judged, coverages
from harvest.things import THINGS

_OWN = ("harvests", "harvest_seeds", "recipes", "visits", "rounds")  # what choosing writes
_STEPS = 100_000  # of SQLite between two looks at the clock
_HARVEST = 0  # the one that is chosen for
_LIKED = {  # the columns with how often a thing was liked and reposted, or has done so
    "track": ("likes_count", "reposts_count"),
    "user": ("likes_given_count", "reposts_given_count"),
    **{thing.name: ("NULL", "NULL") for thing in THINGS.values() if thing.prefix},
}
_AT_ONCE = 500  # ids in one statement
_VISITED = """
SELECT thing, round, thing_id FROM visits WHERE harvest_id = ? AND place IS NOT NULL
ORDER BY thing, round, place, thing_id
"""


@dataclass(frozen=True, slots=True)
class KnownSeed:
    """What a file knows of a seed."""

    thing: str
    thing_id: int
    title: str | None
    likes_count: int | None
    reposts_count: int | None


@dataclass(frozen=True, slots=True)
class HarvestStanding:
    """How far a harvest is."""

    state: str
    lists_read: int
    lists_open: int


@contextlib.contextmanager
def look_into(path: Path, is_over: Callable[[], int] | None = None) -> Iterator[Known | None]:
    """Open a file to be asked what it holds, None where there is none yet. Raises StoreError, and OutOfTime once
    `is_over` says so while it is asked.
    """
    with open_if_begun(path) as file:
        if file is None:
            yield None
            return
        with contextlib.closing(_beside(file, path)) as own:
            if is_over is not None:
                file.set_progress_handler(is_over, _STEPS)
                own.set_progress_handler(is_over, _STEPS)
            try:
                yield Known(file, own)
            except sqlite3.OperationalError as error:
                if is_over is not None and is_over():
                    raise OutOfTime("Reading the file took longer than it may.") from error
                raise


def _beside(file: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """Open a database in memory with tables of its own in front of the file's."""
    own = sqlite3.connect(":memory:", uri=True, isolation_level=None)
    for table in _OWN:
        for (sql,) in file.execute(
            "SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type = 'index'", (table,)
        ):
            own.execute(sql)
    attach_to_read(own, path)
    return own


class Known:
    """One file, to be asked what it holds."""

    def __init__(self, file: sqlite3.Connection, own: sqlite3.Connection) -> None:
        self._file, self._own = file, own

    def seed(self, address: str) -> KnownSeed | None:
        """Tell of a seed, None where it was not looked up yet."""
        (seed_id,) = seeds.known(self._file, [address])
        thing, thing_id = self._file.execute(
            "SELECT max(thing), max(thing_id) FROM seeds WHERE id = ? AND resolved_at IS NOT NULL", (seed_id,)
        ).fetchone()
        if thing is None:
            return None
        likes, reposts = _LIKED.get(thing, ("likes_count", "NULL"))
        told = self._file.execute(
            f"SELECT {THINGS[thing].label}, {likes}, {reposts} FROM {THINGS[thing].table} WHERE id = ?",  # noqa: S608
            (thing_id,),
        ).fetchone()
        return KnownSeed(thing, thing_id, *(told or (None, None, None)))

    def standing(self, addresses: Sequence[str]) -> HarvestStanding | None:
        """Tell how far the harvest of these seeds is, None where there is none."""
        harvest_id = seeds.harvest_at(self._file, addresses)
        if harvest_id is None:
            return None
        row = self._file.execute(
            """
            SELECT h.state, count(t.outcome), count(t.id) - count(t.outcome)
            FROM harvests AS h
            LEFT JOIN harvest_tasks AS w ON w.harvest_id = h.id
            LEFT JOIN tasks AS t ON t.id = w.task_id
            WHERE h.id = ? GROUP BY h.id
            """,
            (harvest_id,),
        ).fetchone()
        return HarvestStanding(*row)

    def coverages(self, addresses: Sequence[str]) -> list[Judged]:
        """Tell how much of what people like the samples of the harvest of these seeds have seen."""
        harvest_id = seeds.harvest_at(self._file, addresses)
        return [] if harvest_id is None else coverages(self._file, harvest_id)

    def is_drained(self, addresses: Sequence[str], limits: Limits, *, profiles: str = USUAL) -> bool:
        """Say whether nothing is left to do for these seeds under these options."""
        return harvests.is_drained(self._file, addresses, limits, profiles=profiles)

    def profiles_missing(self, addresses: Sequence[str], level: str) -> int:
        """Count what a harvest of these seeds looks up because less was kept of it than a level does."""
        harvest_id = seeds.harvest_at(self._file, addresses)
        return 0 if harvest_id is None else sweeps.profiles_missing(self._file, harvest_id, level)

    def outlook(self, addresses: Sequence[str], limits: Limits) -> Outlook:
        """Tell what is known of the harvest of these seeds, all of which were looked up."""
        chosen = self._begin(addresses, limits)
        known: list[dict[str, Group]] = []
        while True:
            number = len(known)
            known.append(self._round(number, limits))
            if number < chosen:
                continue
            more = rounds.choose(self._own, _HARVEST, number, limits)
            if not more or not _is_read(known[-1]):
                break
        ahead = self._round(len(known), limits) if more else {}
        excerpts = excerpts_of(self._file, self._own.execute(_VISITED, (_HARVEST,)).fetchall(), limits)
        seen, owners = seen_on(self._file, excerpts, limits)
        return Outlook(
            known,
            [{thing: group.visits for thing, group in ahead.items()}] if ahead else [],
            excerpts=excerpts,
            seen=seen,
            owners=owners,
        )

    def lists_of(self, thing: str, ids: Iterable[int], limits: Limits) -> dict[int, Visit]:
        """Tell what the file holds of the lists of things of one kind, by id."""
        wanted = list(ids)
        caps = {line.kind.name: line.cap for line in recipe(limits) if line.kind.subject == thing}
        found: dict[int, dict[str, Listed]] = {}
        for first in range(0, len(wanted), _AT_ONCE):
            some = wanted[first : first + _AT_ONCE]
            rows = self._file.execute(
                f"""
                SELECT t.subject_id, t.kind, t.outcome, coalesce(o.collected, t.collected, 0), o.task_id IS NULL
                FROM tasks AS t LEFT JOIN readings AS o ON o.task_id = t.id AND o.state <> 'ended'
                WHERE t.kind IN ({", ".join("?" * len(caps))}) AND t.subject_id IN ({", ".join("?" * len(some))})
                """,  # noqa: S608 - question marks
                (*caps, *some),
            )
            for thing_id, kind, outcome, collected, is_closed in rows:
                ended = bool(is_closed) and outcome is not None
                read = ended and (outcome != "capped" or collected >= caps[kind])
                found.setdefault(thing_id, {})[kind] = Listed(collected=collected, read=read)
        return dict(found)

    def _begin(self, addresses: Sequence[str], limits: Limits) -> int:
        """Begin the harvest that is chosen for; give the last round that the file chose for it under these options."""
        for table in _OWN:
            self._own.execute(f"DELETE FROM {table}")  # noqa: S608 - one of five tables
        found = dict.fromkeys(seeds.known(self._file, addresses))
        self._own.executemany(
            "INSERT INTO harvest_seeds (harvest_id, seed_id, place) VALUES (?, ?, ?)",
            [(_HARVEST, seed_id, place) for place, seed_id in enumerate(found)],
        )
        rounds.choose_anew(self._own, _HARVEST, limits)
        stored = self._file.execute(
            "SELECT id, round, last_options FROM harvests WHERE id = ?", (seeds.harvest_at(self._file, addresses),)
        ).fetchone()
        changed = stored is None or stored[1] < 0 or stored[2] is None or Limits.load(stored[2]) != limits
        if changed or limits.until_new is not None:  # a sample may be drawn beyond those who are chosen by now
            rounds.visit_seeds(self._own, _HARVEST, limits)
            return 0
        columns = "thing, thing_id, round, depth, place, chance, claims, parent_task_id, own"
        self._own.execute(
            f"""
            INSERT INTO visits (harvest_id, {columns}) SELECT ?, {columns} FROM harvest.visits
            WHERE harvest_id = ? AND place IS NOT NULL
            """,  # noqa: S608 - our own columns
            (_HARVEST, stored[0]),
        )
        return int(stored[1])

    def _round(self, number: int, limits: Limits) -> dict[str, Group]:
        """Give the visits of a round, each with its lists."""
        rows = self._own.execute(
            """
            SELECT thing, thing_id, depth, claims FROM visits WHERE harvest_id = ? AND round = ? AND place IS NOT NULL
            ORDER BY place, thing_id
            """,
            (_HARVEST, number),
        ).fetchall()
        lines = [line for line in recipe(limits) if not line.kind.own]
        kinds = [line.kind for line in lines if number == 0 or not line.seeds_only]
        groups = {}
        for thing in dict.fromkeys(row[0] for row in rows):
            mine = [row for row in rows if row[0] == thing]
            held = self.lists_of(thing, (row[1] for row in mine), limits)
            visits = []
            for _, thing_id, _, claims in mine:
                claimed = json.loads(claims) if claims else {}
                lists = {kind.name: Listed(claimed.get(kind.name)) for kind in kinds if kind.subject == thing}
                visits.append(over(lists, held.get(thing_id, {})))
            groups[thing] = Group(visits, min(row[2] for row in mine))
        return groups


def over(seen: Visit, held: Visit) -> Visit:
    """Put what a file holds of lists over what is seen of them."""
    return {
        kind: replace(one, collected=held[kind].collected, read=held[kind].read) if kind in held else one
        for kind, one in seen.items()
    }


def is_enough(outlook: Outlook, limits: Limits) -> bool:
    """Say whether a file knows as much as a few requests would tell: where the seeds lead to, and what is liked there,
    or that nothing leads on.
    """
    if all(map(_is_read, outlook.rounds)) and not outlook.ahead:
        return True
    if (len(outlook.rounds) > 1 or outlook.ahead) and _tells_of_people(outlook):
        return True
    return not any(any(leads_of(thing, limits, 0)) for thing in outlook.rounds[0])


def _is_read(visits: Mapping[str, Group]) -> bool:
    return all(listed.read for group in visits.values() for visit in group.visits for listed in visit.values())


def _tells_of_people(outlook: Outlook) -> bool:
    return len({one.subject for one in outlook.excerpts if KINDS[one.kind].subject == "user"}) > 1
