"""Say how far a file is without counting its large tables: one row of totals, one index over the ledger.

Everything here costs milliseconds on a file of ten million likes, so it may be asked every second.

In: a connection. Out: a Standing, and the row in which a crawl tells others how it goes. Never: a scan of users, tracks
or likes.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import astuple, dataclass, fields

from harvest.lists import KINDS, RESOLVE, SPILL, ListKind
from harvest.models import Limits

_NO_CAP = 2**62
_UNREAD = ("gone", "forbidden", "unreadable", "failed")  # these took a request that brought no page
_PRIOR = 20.0  # requests that must have been seen before what we expect is corrected by them


@dataclass(frozen=True, slots=True)
class Lists:
    """How the lists of one kind stand. `claimed` and `collected` are sums over the ended ones whose claim is known,
    `kept` is over all of them; `left` are the requests that the open ones still need.
    """

    kind: str
    todo: int = 0
    doing: int = 0
    outcomes: tuple[tuple[str, int], ...] = ()
    claimed: int = 0
    collected: int = 0
    kept: int = 0
    asked: int = 0
    expected: int = 0
    left: int = 0
    sizes_unknown: int = 0

    @property
    def open(self) -> int:
        """Lists that have not ended."""
        return self.todo + self.doing

    @property
    def ended(self) -> int:
        """Lists that have."""
        return sum(n for _, n in self.outcomes)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a file is: rows, lists, and the requests that are left as far as is known."""

    users: int
    tracks: int
    likes: int
    reposts: int
    pages: int
    lists: tuple[Lists, ...]
    phase: str
    depth: int
    requests_left: int
    at_least: bool

    @property
    def edges(self) -> int:
        """Distinct likes and reposts."""
        return self.likes + self.reposts

    @property
    def asked(self) -> int:
        """Pages kept and lists that ended without one: what is done of the work that `requests_left` counts on."""
        return sum(kind.asked for kind in self.lists)

    @property
    def open_lists(self) -> int:
        """Lists that have not ended."""
        return sum(kind.open for kind in self.lists)

    @property
    def outcomes(self) -> dict[str, int]:
        """Ended lists by outcome; the seeds' own look-up is none."""
        found: dict[str, int] = {}
        for kind in self.lists:
            if kind.kind != RESOLVE.name:
                for outcome, n in kind.outcomes:
                    found[outcome] = found.get(outcome, 0) + n
        return found


@dataclass(frozen=True, slots=True)
class Told:
    """What a crawl tells those who look from outside: a row of `progress`."""

    run_id: int
    told_at: str
    phase: str
    depth: int
    in_flight: int
    per_second: float
    allowed_per_second: float | None
    waiting_for: str | None
    waiting_until: str | None
    waited_ms: int
    requests_left: int
    at_least: bool
    seconds_left: float | None


_TELL = f"""
INSERT OR REPLACE INTO progress (id, {", ".join(f.name for f in fields(Told))})
VALUES (1, {", ".join("?" * len(fields(Told)))})
"""  # noqa: S608 - built from our own field names

# Uses tasks_by_outcome alone.
LISTS_OF_KIND = """
SELECT state, outcome, count(*), sum(collected), sum(collected) FILTER (WHERE claimed IS NOT NULL),
    coalesce(sum(claimed), 0), sum(pages_read), count(*) - count(claimed),
    sum(max(1, (min(claimed, :cap) + :size - 1) / :size)),
    sum(pages_read) FILTER (WHERE claimed IS NOT NULL),
    sum(max(1, (max(min(claimed, :cap) - collected, 0) + :size - 1) / :size))
FROM tasks WHERE kind = :kind GROUP BY outcome, state
"""

_WANTED = """ AND (t.state = 'ended' OR EXISTS (
    SELECT 1 FROM harvest_tasks AS w JOIN harvests AS h ON h.id = w.harvest_id AND h.state = 'running'
    WHERE w.task_id = t.id))"""
_WANTED_LISTS = LISTS_OF_KIND.replace("FROM tasks WHERE kind = :kind", f"FROM tasks AS t WHERE kind = :kind{_WANTED}")

_OPEN_SPILL = """
SELECT t.subject_id, t.kind, t.state = 'ended', t.claimed, t.collected FROM tasks AS t
WHERE t.kind IN (SELECT value FROM json_each(?1)) AND t.argument = '' AND t.subject_id IN (
    SELECT o.subject_id FROM tasks AS o WHERE o.state <> 'ended' AND o.kind IN (SELECT value FROM json_each(?1)))
"""


def standing(connection: sqlite3.Connection, *, page_size: int = 200) -> Standing:
    """Look at a file. While a crawl runs, only lists that it wants count as open."""
    users, tracks, likes, reposts, pages = connection.execute(
        "SELECT users, tracks, likes, reposts, pages FROM totals"
    ).fetchone()
    limits, depth, partly = _wishes(connection)
    sql = _WANTED_LISTS if partly else LISTS_OF_KIND
    lists = [_lists(connection, sql, kind, _cap(kind, limits), page_size) for kind in KINDS.values()]
    promised, at_least = _promised(connection, lists, limits, depth)
    left = sum(kind.left for kind in lists) + promised
    shown = tuple(kind for kind in lists if kind.open or kind.outcomes)
    return Standing(users, tracks, likes, reposts, pages, shown, _phase(shown), depth, left, at_least and bool(left))


def tell(connection: sqlite3.Connection, told: Told) -> None:
    """Leave word for those who look from outside."""
    connection.execute(_TELL, astuple(told))


def told(connection: sqlite3.Connection) -> Told | None:
    """Give the last word a crawl left in this file."""
    names = [f.name for f in fields(Told)]
    row = connection.execute(f"SELECT {', '.join(names)} FROM progress").fetchone()  # noqa: S608 - our own field names
    return Told(**{**dict(zip(names, row, strict=True)), "at_least": bool(row[11])}) if row else None


def _wishes(connection: sqlite3.Connection) -> tuple[Limits, int, bool]:
    """Give the widest limits of the harvests at work (of all that can go on, when none is), the depth they are at, and
    whether others in the file are not at work.
    """
    rows = connection.execute("SELECT state, level, options FROM harvests").fetchall()
    states = {row[0] for row in rows}
    for wanted in ("running", "paused", "drained", "failed"):
        chosen = [(row[1], Limits(**json.loads(row[2]))) for row in rows if row[0] == wanted]
        if chosen:
            widest = Limits(*(max(getattr(x, f.name) for _, x in chosen) for f in fields(Limits)))
            return widest, max(level for level, _ in chosen), {"running", "paused"} <= states
    return Limits(), 0, False


def _cap(kind: ListKind, limits: Limits) -> int:
    return int(getattr(limits, kind.cap)) if kind.cap else _NO_CAP


def _lists(connection: sqlite3.Connection, sql: str, kind: ListKind, cap: int, size: int) -> Lists:
    todo = doing = claimed = collected = kept = asked = expected = compared = left = unknown = 0
    outcomes: dict[str, int] = {}
    for row in connection.execute(sql, {"kind": kind.name, "cap": cap, "size": size}):
        state, outcome, n = row[0], row[1], row[2]
        unread = n if outcome in _UNREAD else 0
        kept += row[3]
        asked += row[6] + unread
        if outcome is None:
            todo, doing = (todo + n, doing) if state == "todo" else (todo, doing + n)
            left, unknown = left + (row[10] or 0), unknown + row[7]
        else:
            outcomes[outcome] = outcomes.get(outcome, 0) + n
            claimed, collected = claimed + row[5], collected + (row[4] or 0)
            expected, compared = expected + (row[8] or 0), compared + (row[9] or 0) + (unread if row[7] < n else 0)
    ended = sum(outcomes.values())
    known = left * (compared + _PRIOR) / (expected + _PRIOR)  # people who are gone, and counts that are wrong
    each = asked / ended if ended else 1.0
    whole = max(round(known + unknown * each), todo + doing)
    by_outcome = tuple(sorted(outcomes.items()))
    return Lists(kind.name, todo, doing, by_outcome, claimed, collected, kept, asked, expected, whole, unknown)


def _promised(connection: sqlite3.Connection, lists: list[Lists], limits: Limits, depth: int) -> tuple[int, bool]:
    """Say what is wanted but not yet known by name: people on pages to come; and whether there may be more."""
    by_name = {kind.kind: kind for kind in lists}
    followed = [by_name[name] for spilled in SPILL for name in KINDS[spilled].births]
    spilling = [by_name[name] for name in SPILL if by_name[name].open]
    at_least = bool(spilling or by_name[RESOLVE.name].open) or depth < limits.depth
    if not spilling or not followed:
        return 0, at_least
    people = sum(_people_to_come(connection, limits))
    seen = sum(kind.open + kind.ended for kind in followed)
    needed = sum(kind.asked + kind.left for kind in followed)
    return round(people * (needed / seen if seen else 1.0)), at_least


def _people_to_come(connection: sqlite3.Connection, limits: Limits) -> list[int]:
    """Give, per track whose people are still being listed, how many more of them will be followed."""
    tracks: dict[int, dict[str, tuple[bool, int, int]]] = {}
    for subject, name, ended, claimed, collected in connection.execute(_OPEN_SPILL, (json.dumps(SPILL),)):
        will = collected if ended else max(min(claimed or 0, _cap(KINDS[name], limits)), collected)
        tracks.setdefault(subject, {})[name] = (bool(ended), will, collected)
    to_come = []
    for found in tracks.values():
        chosen = sum(has for name, (_, _, has) in found.items() if _chosen_at_once(name, found))
        wanted = min(limits.max_users, sum(will for _, will, _ in found.values()))
        to_come.append(max(0, wanted - min(chosen, limits.max_users)))
    return to_come


def _chosen_at_once(name: str, found: dict[str, tuple[bool, int, int]]) -> bool:
    after = KINDS[name].chosen_after
    return after is None or after not in found or found[after][0]


def _phase(lists: tuple[Lists, ...]) -> str:
    at_work = {kind.kind for kind in lists if kind.open}
    if RESOLVE.name in at_work:
        return "seed"
    if at_work & set(SPILL):
        return "spill"
    return "users" if at_work else "done"
