"""Checks of what the harvests want and why: seeds, recipes, rounds; and every closed round is chosen again.

Choosing again runs the very statements that chose (harvest/store/rounds.py), with the options that the visits were last
chosen by, and compares both ways. A harvest that will choose again, because a list of it was put back, is not judged;
nor is a round after a list of it, or of one before it, was read again, or something of it has vanished: the order of
that day is gone.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from harvest.errors import PluginError, SettingsError, StoreError
from harvest.lists import KINDS, LOOKUP, RESOLVE
from harvest.models import Limits
from harvest.rules import leads_of, recipe
from harvest.store import marks
from harvest.store.edges import of_type
from harvest.store.harvests import DONE
from harvest.store.rounds import LISTS, READS, Choice, choices
from harvest.verify.check import Check

_Found = Iterator[tuple[str]]
_BY_FOLLOWERS = ("popular", "least-known")


class _Visit(NamedTuple):
    """Who is visited, and why; `turn` tells apart the choices that name the same one, -1 what is stored."""

    thing: str
    thing_id: int
    turn: int
    depth: int
    place: int
    chance: float | None
    parent_task_id: int | None


class _Judged(NamedTuple):
    """A closed round to be chosen again. `touched`: a list of it has ended once more, or is open again, since."""

    harvest_id: int
    number: int
    limits: Limits
    page_id: int
    touched: bool


def _choose_again(connection: sqlite3.Connection) -> _Found:
    """Compare every closed round with what its lists lead to."""
    for judged in _closed_rounds(connection):
        again = list(choices(connection, judged.harvest_id, judged.number, judged.limits))
        if judged.limits.order in _BY_FOLLOWERS and _counts_moved(connection, judged):
            continue
        streams = [_stored(connection, judged), *(_chosen(connection, c, turn) for turn, c in enumerate(again))]
        for (thing, thing_id), same in groupby(heapq.merge(*streams), key=itemgetter(0, 1)):
            stored, chosen = None, None
            for visit in same:  # what is stored comes first; of several choices the first counts
                if visit.turn < 0:
                    stored = visit
                else:
                    chosen = chosen or visit
            said = _difference(stored, chosen, touched=judged.touched)
            if said:
                yield (f"harvest {judged.harvest_id}, round {judged.number + 1}: {thing} {thing_id} {said}",)


def _sated(connection: sqlite3.Connection) -> _Found:
    """Judge every sample again, at each mark that it came to; where a person was forgotten, what was judged is gone."""
    if connection.execute("SELECT 1 FROM forgettings LIMIT 1").fetchone() is not None:
        return
    rows = connection.execute("SELECT id, state, round, mark FROM harvests WHERE last_options IS NOT NULL").fetchall()
    stands = {harvest_id: (state, number, mark) for harvest_id, state, number, mark in rows}
    for judged in _closed_rounds(connection):
        if judged.number != 0:
            continue
        state, number, mark = stands[judged.harvest_id]
        told = f"harvest {judged.harvest_id} is {state} at mark {_shown(mark)}"
        if (mark is None) != (marks.first(judged.limits) is None):
            yield (f"{told}, and its options say otherwise",)
            continue
        if mark is None and state == "sated":
            yield (f"{told}, and has no sample that could be",)
        if mark is None or _is_read_anew(connection, judged.harvest_id):
            continue
        came_to = [*range(marks.STEP, mark, marks.STEP), mark]
        enough = marks.ends(connection, judged.harvest_id, judged.limits, came_to)
        ends = [one for one in came_to if one >= judged.limits.max_users or one in enough]
        for earlier in ends:
            if earlier < mark:
                yield (f"{told}, and had nothing more to draw, or had seen enough, at {earlier}",)
        if (number > 1 or state in DONE) and mark not in ends:
            yield (f"{told}, and has not seen enough there",)
        if (state == "sated") != (state in DONE and marks.is_sated(connection, judged.harvest_id, judged.limits)):
            yield (f"{told}, which is not how its sample ended",)


def _is_read_anew(connection: sqlite3.Connection, harvest_id: int) -> bool:
    """Say whether the likes of a person drawn around a seed were read once more."""
    row = connection.execute(
        f"""
        SELECT 1 FROM {LISTS} CROSS JOIN readings AS r ON r.task_id = t.id AND r.number > 0
        WHERE v.harvest_id = ? AND v.round = 1 AND c.kind = 'user_likes' LIMIT 1
        """,  # noqa: S608 - our own text
        (harvest_id,),
    ).fetchone()
    return row is not None


def _difference(stored: _Visit | None, chosen: _Visit | None, *, touched: bool) -> str:
    """Say what is wrong with a visit, '' when nothing is."""
    if stored is None:
        return f"is not visited, and should be, at place {chosen.place}" if chosen else ""
    if chosen is None:
        return f"has place {stored.place}, and nothing leads there"
    if touched and None in (stored.chance, chosen.chance):  # a list that failed then has been read since, or has failed
        stored = stored._replace(chance=chosen.chance)
    return ", ".join(
        f"has {name} {_shown(was)}, not {_shown(should)}"
        for name, was, should in (
            ("depth", stored.depth, chosen.depth),
            ("place", stored.place, chosen.place),
            ("chance", stored.chance, chosen.chance),
            ("the list that led there", stored.parent_task_id, chosen.parent_task_id),
        )
        if was != should
    )


def _shown(value: object) -> object:
    return "none" if value is None else value


def _closed_rounds(connection: sqlite3.Connection) -> Iterator[_Judged]:
    """Give the rounds that can be chosen again."""
    rows = connection.execute(
        f"""
        SELECT c.harvest_id, c.round, h.last_options, coalesce(c.page_id, 0), coalesce(x.touched, 0)
        FROM rounds AS c
        JOIN harvests AS h ON h.id = c.harvest_id AND h.last_options IS NOT NULL AND h.round >= c.round
        LEFT JOIN (
            SELECT o.harvest_id, o.round, max(r.state <> 'ended' OR r.ended_at > o.closed_at) AS touched,
                max(r.number > 0 AND EXISTS (
                    SELECT 1 FROM pages AS p WHERE p.task_id = r.task_id AND p.reading = r.number AND p.id > o.page_id
                ) OR r.number = t.reading AND r.state = 'ended' AND t.collected IS NOT r.collected) AS anew
            FROM {LISTS}
            CROSS JOIN readings AS r ON r.task_id = t.id
            CROSS JOIN rounds AS o ON o.harvest_id = v.harvest_id AND o.round >= v.round
            GROUP BY o.harvest_id, o.round
        ) AS x ON x.harvest_id = c.harvest_id AND x.round = c.round
        WHERE coalesce(x.anew, 0) = 0
        ORDER BY c.harvest_id, c.round
        """  # noqa: S608 - our own text
    ).fetchall()
    for harvest_id, number, options, page_id, touched in rows:
        limits = _limits(options)
        if limits is not None:
            yield _Judged(harvest_id, number, limits, page_id, bool(touched))


def _stored(connection: sqlite3.Connection, judged: _Judged) -> Iterator[_Visit]:
    rows = connection.execute(
        """
        SELECT thing, thing_id, -1, depth, place, chance, parent_task_id FROM visits
        WHERE harvest_id = ? AND round = ? AND place IS NOT NULL ORDER BY thing, thing_id
        """,
        (judged.harvest_id, judged.number + 1),
    )
    return (_Visit(*row) for row in rows)


def _chosen(connection: sqlite3.Connection, choice: Choice, turn: int) -> Iterator[_Visit]:
    rows = connection.execute(
        f"SELECT thing_id, depth, place, chance, parent_task_id FROM ({choice.sql}) ORDER BY thing_id",  # noqa: S608
        choice.parameters,
    )
    return (_Visit(choice.to, row[0], turn, *row[1:]) for row in rows)


def _counts_moved(connection: sqlite3.Connection, judged: _Judged) -> bool:
    """Say whether the counts of a person to choose from have changed since the round was closed."""
    things = connection.execute(
        "SELECT DISTINCT thing FROM visits WHERE harvest_id = ? AND round = ?", (judged.harvest_id, judged.number)
    ).fetchall()
    for edge in (
        kind.edge
        for (thing,) in things
        for lead, kinds in leads_of(thing, judged.limits)
        for kind in kinds
        if lead.to == "user" and not lead.in_common and kind.edge is not None
    ):
        row = connection.execute(
            f"""
            SELECT 1 FROM visits AS v INDEXED BY visits_by_round
            CROSS JOIN {edge.table} AS e ON e.{edge.subject} = v.thing_id {of_type(edge, "e.")}
            CROSS JOIN users AS u ON u.id = e.{edge.leads or edge.item} AND u.counts_page_id > ?3
            WHERE v.harvest_id = ?1 AND v.round = ?2 LIMIT 1
            """,  # noqa: S608 - built from our own declarations
            (judged.harvest_id, judged.number, judged.page_id),
        ).fetchone()
        if row is not None:
            return True
    return False


def _recipes(connection: sqlite3.Connection) -> _Found:
    """Compare what each harvest reads with what its options say."""
    columns = "kind, thing, reach, turn, cap"
    for harvest_id, options, last_options in connection.execute(
        "SELECT id, options, last_options FROM harvests ORDER BY id"
    ).fetchall():
        limits = _limits(last_options or options)
        if limits is None or _limits(options) is None:
            yield (f"harvest {harvest_id}: its options cannot be read",)
            continue
        if last_options is None:  # it is to choose again
            continue
        lines = recipe(limits)
        in_turn = all(line.kind.name in KINDS for line in lines)  # of what is not loaded, the turn is unknown
        said = {(x.kind.name, x.kind.subject, int(x.reach), turn * in_turn, x.cap) for turn, x in enumerate(lines)}
        rows: Iterable[tuple[str, str, int, int, int]] = connection.execute(
            f"SELECT {columns} FROM recipes WHERE harvest_id = ?",  # noqa: S608 - our own columns
            (harvest_id,),
        )
        stored = {(kind, thing, reach, turn * in_turn, cap) for kind, thing, reach, turn, cap in rows}
        for kind, _, reach, turn, cap in sorted(said ^ stored):
            of = ("of all", "of its seeds", "of ourselves")[reach]
            yield (
                f"harvest {harvest_id} reads {kind} {of} up to {cap} in turn {turn}, as its options or its recipe say",
            )


def _limits(options: str) -> Limits | None:
    """Read stored options; None when they are none, or name lists that there are not."""
    try:
        limits = Limits.load(options)
        recipe(limits)
    except PluginError:
        raise
    except (SettingsError, ValueError, TypeError, AttributeError, StoreError):
        return None
    return limits


def _named() -> str:
    """Write the condition that the list `p` names the thing that `v` visits, or did: what has vanished is in the past,
    and of what keeps no past, whatever was read again is believed.
    """
    cases = []
    for kind in KINDS.values():
        edge = kind.edge
        if edge is None:
            continue
        named = f"e.{edge.subject} = p.subject_id AND e.{edge.leads or edge.item} = v.thing_id {of_type(edge, 'e.')}"
        past = f"EXISTS (SELECT 1 FROM {edge.past} AS e WHERE {named})" if edge.past else "p.reading > 0"  # noqa: S608
        cases.append(f"""
        WHEN '{kind.name}' THEN v.thing = '{edge.leads_to or kind.item}' AND (
            EXISTS (
                SELECT 1 FROM {edge.table} AS e
                WHERE {"+" if edge.leads else ""}{named} AND (e.{edge.rank} IS NOT NULL OR p.reading > 0)
            )
            OR {past}
        )
        """)  # noqa: S608 - built from our own declarations
    return f"CASE p.kind {''.join(cases)} ELSE 0 END"


CHOICE_CHECKS = (
    Check(
        "visits.chosen", "whom and what each round visits is what the lists of the rounds before lead to", _choose_again
    ),
    Check(
        "harvests.sated",
        "a sample that is to end early ends at the first of its marks where it has seen enough, and nowhere else",
        _sated,
    ),
    Check(
        "harvests.recipe",
        "a harvest reads the lists that its options say, in their turn and up to their caps",
        _recipes,
    ),
    Check(
        "seeds.found",
        "a seed leads to a thing when its look-up has shown that, and only then; no alias is a seed",
        f"""
        SELECT 'seed ' || s.id || ' leads to ' || coalesce(s.thing || ' ' || s.thing_id, 'nothing')
            || ', its look-up is ' || coalesce(t.outcome, 'open')
        FROM seeds AS s LEFT JOIN tasks AS t ON t.id = s.task_id
        WHERE (s.thing IS NULL) <> (s.thing_id IS NULL)
            OR s.resolved_at IS NOT NULL AND (s.thing IS NULL OR s.reason IS NOT NULL)
            OR (s.resolved_at IS NOT NULL) <> CASE
                WHEN s.thing LIKE 'search/_for/_%' ESCAPE '/' THEN EXISTS (
                    SELECT 1 FROM searches AS q
                    WHERE q.id = s.thing_id AND q.address = s.address AND s.thing = 'search_for_' || q.what
                )
                WHEN t.kind = '{RESOLVE.name}' THEN t.outcome IS 'complete' AND t.subject_id = s.id
                ELSE EXISTS (
                    SELECT 1 FROM batch_items AS i
                    WHERE i.batch_id = t.subject_id AND i.thing_id = s.thing_id AND i.shown = 1
                )
            END
        UNION ALL
        SELECT 'the address of seed ' || s.id || ' is an alias of seed ' || o.id
        FROM seeds AS o, json_each(o.aliases) AS a JOIN seeds AS s ON s.address = a.value
        WHERE o.aliases <> '[]'
        """,  # noqa: S608 - our own name
    ),
    Check(
        "harvests.seeds",
        "a harvest has seeds; one that has a single seed shows it",
        """
        SELECT 'harvest ' || h.id || ' has no seed' FROM harvests AS h
        WHERE NOT EXISTS (SELECT 1 FROM harvest_seeds AS s WHERE s.harvest_id = h.id)
        UNION ALL
        SELECT 'harvest ' || h.id || ' shows the seed ' || coalesce(h.seed_kind || ' ' || h.seed_id, 'nothing')
            || ', it starts from ' || coalesce(d.thing || ' ' || d.thing_id, 'nothing')
        FROM harvests AS h
        JOIN harvest_seeds AS s ON s.harvest_id = h.id
        JOIN seeds AS d ON d.id = s.seed_id
        WHERE h.seed_url IS NOT NULL
            AND (h.seed_kind IS NOT iif(d.resolved_at IS NULL, NULL, d.thing)
                OR h.seed_id IS NOT iif(d.resolved_at IS NULL, NULL, d.thing_id))
        """,
    ),
    Check(
        "harvests.state",
        "a harvest is drained or sated if it visits a seed, failed if none was found, and since some moment",
        """
        SELECT 'harvest ' || h.id || ' is ' || h.state || iif(v.harvest_id IS NULL, ', and visits no seed',
            iif(h.finished_at IS NULL, ' since nobody knows when', ', yet it visits its seed'))
        FROM harvests AS h
        LEFT JOIN (SELECT DISTINCT harvest_id FROM visits WHERE round = 0) AS v ON v.harvest_id = h.id
        WHERE h.state IN ('drained', 'sated', 'failed')
            AND (h.finished_at IS NULL OR (h.state <> 'failed') <> (v.harvest_id IS NOT NULL))
        """,
    ),
    Check(
        "harvests.rounds",
        "the rounds before the one being read are closed in turn, of a drained harvest that one too, and no others;"
        " nothing is chosen beyond them, and the depth is that of the visits",
        """
        SELECT 'harvest ' || id || ' is ' || state || ' in round ' || round || ', ' || n || ' rounds up to '
            || coalesce(last, 'none') || ' are closed'
        FROM (
            SELECT h.id, h.state, h.round, h.round + (h.state IN ('drained', 'sated')) AS should, h.last_options,
                (SELECT count(*) FROM rounds AS c WHERE c.harvest_id = h.id) AS n,
                (SELECT max(c.round) FROM rounds AS c WHERE c.harvest_id = h.id) AS last
            FROM harvests AS h
        )
        WHERE n <> coalesce(last + 1, 0) OR n <> max(should, 0) AND last_options IS NOT NULL
        UNION ALL
        SELECT 'harvest ' || c.harvest_id || ': round ' || c.round || ' was closed before the one before it'
        FROM rounds AS c JOIN rounds AS b ON b.harvest_id = c.harvest_id AND b.round = c.round - 1
        WHERE b.page_id > c.page_id
        UNION ALL
        SELECT 'harvest ' || v.harvest_id || ', round ' || v.round || ': ' || v.thing || ' ' || v.thing_id
            || ' has place ' || v.place || ', and the round before is not closed'
        FROM harvests AS h CROSS JOIN visits AS v INDEXED BY visits_by_round ON v.harvest_id = h.id
        WHERE h.last_options IS NOT NULL AND v.round > 0 AND v.place IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM rounds AS c WHERE c.harvest_id = v.harvest_id AND c.round = v.round - 1)
        UNION ALL
        SELECT 'harvest ' || h.id || ' says depth ' || h.level || ' of round ' || h.round || ', its visits say '
            || coalesce(max(v.depth + (v.thing = 'track')), 'nothing')
        FROM harvests AS h
        LEFT JOIN visits AS v INDEXED BY visits_by_round ON v.harvest_id = h.id AND v.round = h.round
        WHERE h.round >= 0
        GROUP BY h.id HAVING max(v.depth + (v.thing = 'track')) IS NOT h.level
        """,
    ),
    Check(
        "harvests.drained",
        "a drained harvest has nothing open, but for what another one has taken up again that is not drained, and what"
        " is read again whether a harvest wants it or not",
        """
        SELECT 'harvest ' || h.id || ': ' || t.kind || ' ' || t.subject_id || ' is ' || r.state
        FROM readings AS r
        CROSS JOIN tasks AS t ON t.id = r.task_id
        CROSS JOIN harvest_tasks AS w ON w.task_id = t.id
        CROSS JOIN harvests AS h ON h.id = w.harvest_id AND h.state IN ('drained', 'sated')
        WHERE r.state <> 'ended' AND r.cap IS NULL AND (w.cap IS NULL OR r.collected < w.cap) AND NOT EXISTS (
            SELECT 1 FROM harvest_tasks AS o JOIN harvests AS g ON g.id = o.harvest_id
            WHERE o.task_id = t.id AND g.state IN ('running', 'paused')
        )
        """,
    ),
    Check(
        "visits.seeds",
        "a harvest visits the seeds that were found, in their places, and nothing else in round 0",
        """
        SELECT 'harvest ' || v.harvest_id || ' visits ' || v.thing || ' ' || v.thing_id
            || ' in round 0, and it is no seed of it, or not so'
        FROM visits AS v
        LEFT JOIN seeds AS d ON d.thing = v.thing AND d.thing_id = v.thing_id
        LEFT JOIN harvest_seeds AS s ON s.harvest_id = v.harvest_id AND s.seed_id = d.id
        WHERE v.round = 0 AND (
            s.place IS NULL OR v.place IS NOT s.place OR v.depth <> 0 OR v.chance IS NOT NULL
            OR v.parent_task_id IS NOT d.task_id OR v.own <> d.own
        )
        UNION ALL
        SELECT 'harvest ' || s.harvest_id || ' does not visit its seed ' || d.thing || ' ' || d.thing_id
        FROM rounds AS c
        JOIN harvest_seeds AS s ON s.harvest_id = c.harvest_id
        JOIN seeds AS d ON d.id = s.seed_id
        WHERE c.round = 0 AND d.resolved_at IS NOT NULL
            AND EXISTS (SELECT 1 FROM pages AS p WHERE p.task_id = d.task_id AND p.id <= c.page_id)
            AND NOT EXISTS (
            SELECT 1 FROM visits AS v
            WHERE v.harvest_id = s.harvest_id AND v.thing = d.thing AND v.thing_id = d.thing_id AND v.round = 0
        )
        """,
    ),
    Check(
        "visits.parents",
        "whatever is visited is named by the list that led there, of something that was visited before, unless one of"
        " the two was forgotten or purged",
        f"""
        SELECT 'harvest ' || v.harvest_id || ', round ' || v.round || ': ' || v.thing || ' ' || v.thing_id
            || ' was named by ' || coalesce(p.kind || ' ' || p.subject_id, 'nothing')
        FROM visits AS v
        LEFT JOIN tasks AS p ON p.id = v.parent_task_id
        LEFT JOIN list_kinds AS k ON k.kind = p.kind
        LEFT JOIN visits AS o ON o.harvest_id = v.harvest_id AND o.thing = k.subject AND o.thing_id = p.subject_id
        WHERE v.round > 0 AND v.thing_id > 0 AND (
            coalesce(p.subject_id, 1) > 0 AND p.outcome IS NOT 'purged' AND NOT {_named()}
            OR v.place IS NOT NULL AND (o.place IS NULL OR o.round >= v.round OR o.depth > v.depth)
        )
        """,  # noqa: S608 - built from our own declarations
    ),
    Check(
        "visits.left",
        "who has no place among those chosen was chosen once, and read",
        """
        SELECT 'harvest ' || v.harvest_id || ': ' || v.thing || ' ' || v.thing_id || ' has no place, and was never read'
        FROM visits AS v
        WHERE v.place IS NULL AND (v.chance IS NOT NULL OR NOT EXISTS (
            SELECT 1 FROM list_kinds AS k
            CROSS JOIN tasks AS t ON t.kind = k.kind AND t.subject_id = v.thing_id
            CROSS JOIN readings AS r ON r.task_id = t.id
            WHERE k.subject = v.thing AND (r.state = 'ended' OR r.pages_read > 0
                OR EXISTS (SELECT 1 FROM failures AS f WHERE f.task_id = t.id))
        ))
        """,
    ),
    Check(
        "visits.lists",
        "every list that a visit reads is there, once its round is reached and as long as the options choose it",
        f"""
        SELECT 'harvest ' || v.harvest_id || ', round ' || v.round || ': ' || c.kind || ' ' || v.thing_id
            || ' is read, and is not there'
        FROM {READS}
        CROSS JOIN harvests AS h ON h.id = v.harvest_id AND v.round <= h.round AND v.place IS NOT NULL
        WHERE v.thing_id > 0
            AND NOT EXISTS (SELECT 1 FROM tasks AS t WHERE t.kind = c.kind AND t.subject_id = v.thing_id)
        """,  # noqa: S608 - our own text
    ),
    Check(
        "lists.wanted",
        "every list is of something that a harvest visits, or starts from",
        f"""
        SELECT t.kind || ' ' || t.subject_id || ' is wanted by nobody'
        FROM tasks AS t CROSS JOIN list_kinds AS k ON k.kind = t.kind
        WHERE CASE t.kind
            WHEN '{RESOLVE.name}' THEN NOT EXISTS (SELECT 1 FROM harvest_seeds AS s WHERE s.seed_id = t.subject_id)
            WHEN '{LOOKUP.name}' THEN NOT EXISTS (SELECT 1 FROM batch_items AS i WHERE i.batch_id = t.subject_id)
            ELSE NOT EXISTS (SELECT 1 FROM visits AS v WHERE v.thing_id = t.subject_id AND v.thing = k.subject)
                AND (t.outcome IS NOT NULL OR NOT EXISTS (
                    SELECT 1 FROM harvests AS h WHERE h.state IN ('running', 'paused')
                ))
            END
        """,  # noqa: S608 - our own text
    ),
)
