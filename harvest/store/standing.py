"""Say how far a file is without counting its large tables: one row of totals, two indexes over the ledger.

Everything here costs milliseconds on a file of ten million likes, so it may be asked every second.

In: a connection. Out: a Standing. Never: a scan of users, tracks
or likes.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from itertools import combinations
from math import exp

from harvest.lists import KINDS, LOOKUP, RESOLVE, ListKind, every_kind
from harvest.models import Limits, Outcome
from harvest.rules import Lead, leads_of, recipe
from harvest.store import marks, rounds
from harvest.store.edges import of_type
from harvest.store.harvests import DONE, LOOKED_UP, LOOKING_UP, WANTED
from harvest.things import THINGS

_UNREAD = frozenset(o.value for o in Outcome if not o.answered)  # a request each that brought no page
_PRIOR = 20.0  # requests that must have been seen before what we expect is corrected by them


@dataclass(frozen=True, slots=True)
class Lists:
    """How the lists of one kind stand. `claimed` and `collected` are sums over the ended ones whose claim is known
    (None: of none), `kept` is over all of them; `left` are the requests that the open ones still need.
    """

    kind: str
    todo: int = 0
    doing: int = 0
    outcomes: tuple[tuple[str, int], ...] = ()
    claimed: int | None = None
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
        """Distinct likes and reposts of tracks, and the entries of all lists of other things."""
        return self.likes + self.reposts + sum(kind.kept for kind in self.lists if KINDS[kind.kind].edge_of_its_own)

    @property
    def at_work(self) -> tuple[ListKind, ...]:
        """The kinds of lists that are open of the things whose turn it is."""
        return tuple(
            KINDS[kind.kind] for kind in self.lists if kind.open and _phase_of(KINDS[kind.kind].subject) == self.phase
        )

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
            if not KINDS[kind.kind].looks_up:
                for outcome, n in kind.outcomes:
                    found[outcome] = found.get(outcome, 0) + n
        return found


# Uses tasks_by_outcome alone.
ENDED_LISTS = """
SELECT outcome, count(*), coalesce(sum(collected), 0), coalesce(sum(collected) FILTER (WHERE claimed IS NOT NULL), 0),
    CAST(sum(1.0 * claimed) AS INTEGER), coalesce(sum(pages_read), 0), count(claimed),
    coalesce(sum(max(1, (min(claimed, :cap) + :size - 1) / :size)), 0),
    coalesce(sum(pages_read) FILTER (WHERE claimed IS NOT NULL), 0)
FROM tasks WHERE kind = :kind AND outcome IS NOT NULL GROUP BY outcome
"""

# Uses readings_open alone, unless the file has harvests that are not at work: then each list is asked who wants it.
OPEN_LISTS = """
SELECT kind, state, count(*), sum(collected), sum(pages_read), count(*) - count(claimed),
    sum(max(1, (max(min(claimed, {cap}) - collected, 0) + :size - 1) / :size))
FROM readings AS r WHERE state <> 'ended' {wanted} GROUP BY kind, state
"""
_WANTED = f"""AND CASE WHEN r.kind IN ('resolve', 'lookup') THEN {LOOKED_UP.format(task="r.task_id")}
    ELSE r.collected < {WANTED.format(task="r.task_id")} END"""

_TO_BE_LISTED = f"""
SELECT min(:most, sum(CASE WHEN r.state = 'ended' THEN r.collected
    ELSE max(min(coalesce(r.claimed, 0), c.cap), r.collected) END))
FROM {rounds.LISTS}
CROSS JOIN readings AS r ON r.task_id = t.id AND r.number = t.reading
WHERE v.harvest_id = :harvest AND v.round = :round AND v.thing = :thing AND c.kind IN ({{kinds}})
GROUP BY v.thing_id
"""  # noqa: S608 - our own text

# By visits_by_round, then by the subject's task.
_SOME_ENDED = """
SELECT v.thing_id FROM visits AS v CROSS JOIN tasks AS t ON t.kind = :kind AND t.subject_id = v.thing_id
WHERE v.harvest_id = :harvest AND v.round = :round AND v.thing = :thing AND t.outcome IS NOT NULL LIMIT :lists
"""
_IS_VISITED = "SELECT count(*) FROM visits WHERE harvest_id = ? AND thing = ? AND thing_id = ?"
_SOME_LISTS, _SOME_ENTRIES = 16, 40  # that are compared to see how much lists have in common

# Open lists of every harvest, at work or not.
LISTS_OPEN = f"""
SELECT v.harvest_id, count(*)
FROM readings AS r CROSS JOIN tasks AS t ON t.id = r.task_id {rounds.READERS}
WHERE r.state <> 'ended' AND r.collected < c.cap
GROUP BY v.harvest_id
"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class _AtWork:
    """A harvest at work, or one that could be: where it is and what it wants."""

    state: str
    id: int
    round: int
    level: int
    limits: Limits


def standing(connection: sqlite3.Connection, *, page_size: int = 200) -> Standing:
    """Look at a file. While a crawl runs, only lists that it wants count as open."""
    users, tracks, likes, reposts, pages = connection.execute(
        "SELECT users, tracks, likes, reposts, pages FROM totals"
    ).fetchone()
    at_work, partly = _at_work(connection)
    caps: dict[str, int] = {}
    for harvest in at_work:
        for line in recipe(harvest.limits):
            caps[line.kind.name] = max(caps.get(line.kind.name, 0), line.cap)
    opened = _open_lists(connection, caps, page_size, partly=partly)
    lists = {
        kind.name: _lists(connection, kind, caps.get(kind.name, kind.cap), page_size, opened) for kind in every_kind()
    }
    promised, at_least = _promised(connection, lists, at_work, {"user": users, "track": tracks})
    left = sum(kind.left for kind in lists.values()) + promised
    shown = tuple(kind for kind in lists.values() if kind.open or kind.outcomes)
    depth = max((harvest.level for harvest in at_work), default=0)
    return Standing(users, tracks, likes, reposts, pages, shown, _phase(shown), depth, left, at_least and bool(left))


def _at_work(connection: sqlite3.Connection) -> tuple[list[_AtWork], bool]:
    """Give the harvests at work (those that can go on, when none is), and whether others in the file are not."""
    rows = connection.execute("SELECT state, id, round, level, options FROM harvests").fetchall()
    states = {row[0] for row in rows}
    for wanted in ("running", "paused", "drained", "sated", "failed"):
        chosen = [_AtWork(row[0], row[1], row[2], row[3], Limits.load(row[4])) for row in rows if row[0] == wanted]
        if chosen:
            return chosen, {"running", "paused"} <= states
    return [], False


def _open_lists(
    connection: sqlite3.Connection, caps: dict[str, int], size: int, *, partly: bool
) -> dict[str, dict[str, tuple[int, int, int, int, int]]]:
    """Give, by kind and state, how many lists are open, what they hold and what they still need."""
    cases = " ".join(f"WHEN '{kind}' THEN {cap}" for kind, cap in caps.items())
    sql = OPEN_LISTS.format(cap=f"CASE kind {cases} END" if cases else "NULL", wanted=_WANTED if partly else "")
    found: dict[str, dict[str, tuple[int, int, int, int, int]]] = {}
    for kind, state, n, kept, asked, unknown, left in connection.execute(sql, {"size": size}):
        found.setdefault(kind, {})[state] = (n, kept, asked, unknown, left or 0)
    return found


def _lists(
    connection: sqlite3.Connection,
    kind: ListKind,
    cap: int,
    size: int,
    opened: dict[str, dict[str, tuple[int, int, int, int, int]]],
) -> Lists:
    collected = kept = asked = expected = compared = 0
    claims: list[int] = []
    outcomes: dict[str, int] = {}
    for row in connection.execute(ENDED_LISTS, {"kind": kind.name, "cap": cap, "size": size}):
        outcome, n = row[0], row[1]
        unread = n if outcome in _UNREAD else 0
        outcomes[outcome] = n
        kept += row[2]
        collected, asked = collected + row[3], asked + row[5] + unread
        claims += [] if row[4] is None else [row[4]]
        expected, compared = expected + row[7], compared + row[8] + (unread if row[6] else 0)
    states = opened.get(kind.name, {})
    still_open, kept_so_far, asked_so_far, unknown, left = (
        sum(column) for column in zip((0,) * 5, *states.values(), strict=True)
    )
    kept, asked = kept + kept_so_far, asked + asked_so_far
    ended = sum(outcomes.values())
    known = left * (compared + _PRIOR) / (expected + _PRIOR)  # people who are gone, and counts that are wrong
    each = asked / ended if ended else 1.0
    whole = max(round(known + unknown * each), still_open)
    todo = states.get("todo", (0,))[0]
    by_outcome = tuple(sorted(outcomes.items()))
    claimed = sum(claims) if claims else None
    return Lists(
        kind.name, todo, still_open - todo, by_outcome, claimed, collected, kept, asked, expected, whole, unknown
    )


def _promised(
    connection: sqlite3.Connection, lists: dict[str, Lists], at_work: list[_AtWork], there: dict[str, int]
) -> tuple[int, bool]:
    """Say what the next round of each harvest will ask, whose lists are not known yet, and whether more may follow."""
    requests, at_least = 0.0, False
    for harvest in at_work:
        if harvest.state in DONE:  # what its last round leads to is read, or nothing
            continue
        if harvest.round == LOOKING_UP:
            at_least = at_least or any(lists[kind.name].open for kind in KINDS.values() if kind.looks_up)
            continue
        at_least = at_least or (harvest.round == 1 and marks.first(harvest.limits) is not None)
        for thing, depth in connection.execute(
            "SELECT thing, min(depth) FROM visits WHERE harvest_id = ? AND round = ? GROUP BY thing",
            (harvest.id, harvest.round),
        ).fetchall():
            for lead, kinds in leads_of(thing, harvest.limits, depth):
                at_least = True
                most = _most(harvest, lead, thing)
                if lead.in_common:  # at least a page each; which they are, and how long their lists, is not known yet
                    requests += min(most, there.get(lead.to, most)) * sum(
                        line.kind.subject == lead.to and not line.seeds_only for line in recipe(harvest.limits)
                    )
                else:
                    n = _to_be_listed(connection, harvest, thing, lead, kinds)
                    requests += n * _requests_each(lead.to, harvest.limits, lists)
    return round(requests), at_least


def _most(harvest: _AtWork, lead: Lead, thing: str) -> int:
    """Say how many things a lead chooses at once at most."""
    most, mark = int(getattr(harvest.limits, lead.most)), marks.first(harvest.limits)
    return min(most, mark) if mark is not None and (harvest.round, thing, lead.to) == (0, "track", "user") else most


def _to_be_listed(
    connection: sqlite3.Connection, harvest: _AtWork, thing: str, lead: Lead, kinds: tuple[ListKind, ...]
) -> float:
    """Say how many other things the lists of a round will lead to, at most so many of each thing.

    What the beginnings of some lists have in common tells how many there are in all; where nothing tells, the longest
    list counts alone.
    """
    sql = _TO_BE_LISTED.format(kinds=", ".join(f"'{kind.name}'" for kind in kinds))
    most = _most(harvest, lead, thing)
    asked: dict[str, object] = {"harvest": harvest.id, "round": harvest.round, "thing": thing, "most": most}
    each = [float(row[0] or 0) for row in connection.execute(sql, asked)]
    if len(each) < 2:
        return sum(each)
    lists = _beginnings(connection, asked, kinds[0])
    pairs = list(combinations(lists, 2))
    same = sum(len(one & other) for one, other in pairs)
    if not same:
        return max(each)
    in_all = sum(len(one) * len(other) for one, other in pairs) / same
    seen = set().union(*lists)
    visited = sum(connection.execute(_IS_VISITED, (harvest.id, lead.to, one)).fetchone()[0] for one in seen)
    return float(max(in_all * (1 - exp(-sum(each) / in_all)), max(each)) * (1 - visited / len(seen)))


def _beginnings(connection: sqlite3.Connection, asked: dict[str, object], kind: ListKind) -> list[set[int]]:
    """Give the ids that the first entries of some ended lists of a round name."""
    edge = kind.edge
    assert edge is not None
    ended = connection.execute(_SOME_ENDED, {**asked, "kind": kind.name, "lists": _SOME_LISTS}).fetchall()
    sql = f"""
        SELECT {edge.leads or edge.item} FROM {edge.table}
        WHERE {edge.subject} = ? {of_type(edge)} AND {edge.rank} >= 0 AND {edge.rank} < {_SOME_ENTRIES}
    """  # noqa: S608 - our own declarations
    return [{int(row[0]) for row in connection.execute(sql, one) if row[0] is not None} for one in ended]


def _requests_each(thing: str, limits: Limits, lists: dict[str, Lists]) -> float:
    """Say how many requests a visit takes, judged by the lists read so far."""
    each = 0.0
    for line in recipe(limits):
        if line.kind.subject == thing and not line.seeds_only:
            kind = lists[line.kind.name]
            seen = kind.open + kind.ended
            each += (kind.asked + kind.left) / seen if seen else 1.0
    return each


def _phase(lists: tuple[Lists, ...]) -> str:
    at_work = {_phase_of(KINDS[kind.kind].subject) for kind in lists if kind.open}
    return next((phase for phase in _PHASES if phase in at_work), "done")


def _phase_of(subject: str) -> str:
    return _PHASE_OF.get(subject) or THINGS[subject].phase


_PHASE_OF = {RESOLVE.subject: "seed", LOOKUP.subject: "lookups"}
_PHASES = tuple(dict.fromkeys(("seed", *(thing.phase for thing in THINGS.values()), "lookups")))
