"""Go from round to round: when all lists of one have ended, choose what the next visits, and want their lists.

Choosing reads what is stored, all of a round at once, in one statement; so nothing depends on what arrived first, and
the same statement shows later whether a choice still holds (`choices`). Every statement may run again without effect.

In: a harvest whose open lists have all ended. Out: rows of `visits`, `tasks`, `readings`. Never: a commit of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

from harvest.lists import STAND_INS, ListKind, not_loaded
from harvest.models import BY_LOT, DEEPEST, ORDERS, Limits
from harvest.rules import Lead, depth_of, leads_of, recipe
from harvest.store import readings
from harvest.store.edges import of_type
from harvest.things import THINGS

_ORDERS = dict(
    zip(
        ORDERS,
        (
            "listed",
            "lot(:sample_seed, item), item",
            "(SELECT followers_count FROM users WHERE id = item) DESC NULLS LAST, item",
            "(SELECT followers_count FROM users WHERE id = item) ASC NULLS LAST, item",
            "lot(:sample_seed, item), item",
        ),
        strict=True,
    )
)
# Behind the people that a rule chooses come all others, by lot: the first of these are the control sample.
_CONTROLLED = """
            SELECT subject, turn, depth, item, task_id, people, row_number() OVER (
                PARTITION BY subject ORDER BY place >= :most, iif(place < :most, place, lot(:sample_seed, item)), item
            ) - 1 AS place
            FROM ruled
"""
_SOURCE = 2**40  # what comes of the n-th list of a lead stands behind all of the lists before it

# The lines of the recipe that a visit `v` reads.
LINES = "CROSS JOIN recipes AS c ON c.harvest_id = v.harvest_id AND c.thing = v.thing AND c.reach <= v.reach"
# The visits of a harvest, each with the lines of the recipe that it reads. To be followed by conditions on `v`.
READS = f"visits AS v INDEXED BY visits_by_round {LINES}"
# The same with the list.
LISTS = f"{READS} CROSS JOIN tasks AS t ON t.kind = c.kind AND t.subject_id = v.thing_id"
# Who reads a list `t`: visits, each with its line of the recipe. One seek per harvest that visits the subject.
READERS = f"CROSS JOIN visits AS v ON v.thing_id = t.subject_id {LINES} AND c.kind = t.kind"


@dataclass(frozen=True, slots=True)
class Choice:
    """One lead of one round: the query for what it chooses (`thing_id, depth, place, chance, parent_task_id`)."""

    to: str
    sql: str
    parameters: dict[str, int]


def lot(sample_seed: int, *ids: int) -> int:
    """Give the lot of a person, or of a step from one thing to another: 63 bits that look random and are the same for
    ever.
    """
    text = ":".join(map(str, (sample_seed, *ids)))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def visit_seeds(connection: sqlite3.Connection, harvest_id: int, limits: Limits) -> int:
    """Begin with the seeds that were found; give how many."""
    n = 0
    for thing in THINGS.values():
        cursor = connection.execute(
            f"""
            INSERT INTO visits (harvest_id, thing, thing_id, round, depth, place, claims, parent_task_id, own)
            SELECT h.harvest_id, s.thing, s.thing_id, 0, 0, h.place,
                {_claims(thing.name, limits, "s.thing_id", of_seed=True)}, s.task_id, s.own
            FROM harvest_seeds AS h
            JOIN seeds AS s ON s.id = h.seed_id AND s.thing = ?2 AND s.resolved_at IS NOT NULL
            WHERE h.harvest_id = ?1
            ON CONFLICT DO UPDATE SET round = 0, depth = 0, place = excluded.place, chance = NULL,
                claims = excluded.claims, parent_task_id = excluded.parent_task_id, own = excluded.own
            """,  # noqa: S608 - built from our own declarations
            (harvest_id, thing.name),
        )
        n += cursor.rowcount
    return n


def choose(connection: sqlite3.Connection, harvest_id: int, number: int, limits: Limits) -> int:
    """Choose what the round after this one visits; give how many."""
    n = 0
    for choice in choices(connection, harvest_id, number, limits):
        cursor = connection.execute(
            f"""
            INSERT INTO visits (harvest_id, thing, thing_id, round, depth, place, chance, claims, parent_task_id)
            SELECT :harvest, '{choice.to}', x.thing_id, :round + 1, x.depth, x.place, x.chance,
                {_claims(choice.to, limits, "x.thing_id")}, x.parent_task_id
            FROM ({choice.sql}) AS x
            WHERE true
            ON CONFLICT DO UPDATE SET round = excluded.round, depth = excluded.depth, place = excluded.place,
                chance = excluded.chance, claims = excluded.claims, parent_task_id = excluded.parent_task_id
                WHERE place IS NULL
            """,  # noqa: S608 - built from our own declarations
            choice.parameters,
        )
        n += cursor.rowcount
    return n


def choices(connection: sqlite3.Connection, harvest_id: int, number: int, limits: Limits) -> Iterator[Choice]:
    """Give the choices that follow a round, in the order in which they count: who is chosen by one is by no other."""
    connection.create_function("lot", -1, lot, deterministic=True)
    for thing, depth in connection.execute(
        "SELECT thing, min(depth) FROM visits WHERE harvest_id = ? AND round = ? AND place IS NOT NULL GROUP BY thing",
        (harvest_id, number),
    ).fetchall():
        for lead, lists in leads_of(thing, limits, depth):
            parameters = _parameters(connection, harvest_id, number, lead, limits, thing)
            write = _step if lead.step else _in_common if lead.in_common else _of_each
            yield Choice(lead.to, write(lead, lists, limits), parameters)


def draw_more(connection: sqlite3.Connection, harvest_id: int, mark: int, limits: Limits) -> None:
    """Choose the round after the seeds again, with so many people around each of them."""
    connection.execute("UPDATE harvests SET mark = ? WHERE id = ?", (mark, harvest_id))
    connection.execute(
        "UPDATE visits SET place = NULL, chance = NULL WHERE harvest_id = ? AND round = 1 AND place IS NOT NULL",
        (harvest_id,),
    )
    choose(connection, harvest_id, 0, limits)


def draws(connection: sqlite3.Connection, harvest_id: int, limits: Limits) -> Iterator[Choice]:
    """Give the queries for the people that each seed track leads to (`track_id, user_id, place, people, chance`), with
    those that are visited for another track's sake: `people` are listed, and so many of them have a place.
    """
    connection.create_function("lot", -1, lot, deterministic=True)
    for lead, lists in leads_of("track", limits, 0):
        parameters = _parameters(connection, harvest_id, 0, lead, limits, "track")
        yield Choice(
            lead.to,
            f"""
            WITH {_placed(lead, lists, limits)}
            SELECT subject AS track_id, item AS user_id, place, people, {_chance(lead, lists, limits)} AS chance
            FROM placed WHERE place < :most + :control ORDER BY turn, place
            """,  # noqa: S608 - built from our own declarations
            parameters,
        )


def want_lists(connection: sqlite3.Connection, harvest_id: int, number: int, now: str) -> bool:
    """Want what the visits of a round read; say whether anything of it is still to be read."""
    parameters = {"harvest": harvest_id, "round": number, "now": now}
    where = "v.harvest_id = :harvest AND v.round = :round AND v.place IS NOT NULL AND v.thing_id > 0"  # not forgotten
    connection.execute(
        f"""
        INSERT INTO tasks (kind, subject_id)
        SELECT c.kind, v.thing_id FROM {READS} WHERE {where} ORDER BY v.place, v.thing_id, c.turn
        ON CONFLICT DO NOTHING
        """,  # noqa: S608 - built from our own text
        parameters,
    )
    connection.execute(
        f"""
        INSERT INTO readings (task_id, number, kind, claimed, claimed_at)
        SELECT t.id, 0, c.kind, v.claims ->> c.kind, :now FROM {LISTS} WHERE {where} AND t.reading = 0
        ON CONFLICT DO NOTHING
        """,  # noqa: S608 - built from our own text
        parameters,
    )
    go_on_with_capped(connection, harvest_id, now, number=number)
    return is_open(connection, harvest_id, number)


def is_open(connection: sqlite3.Connection, harvest_id: int, number: int) -> bool:
    """Say whether anything of what the visits of a round read is still to be read."""
    row = connection.execute(
        f"""
        SELECT 1 FROM {LISTS} CROSS JOIN readings AS r ON r.task_id = t.id AND r.state <> 'ended'
        WHERE v.harvest_id = ? AND v.round = ? AND v.place IS NOT NULL AND r.collected < c.cap LIMIT 1
        """,  # noqa: S608 - built from our own text
        (harvest_id, number),
    ).fetchone()
    return row is not None


def barren_seeds(connection: sqlite3.Connection, harvest_id: int) -> list[tuple[str, int, int]]:
    """Give the lists of the seeds that were empty against a claim, as kind, number and sum of the claims, where no list
    of any seed brought anything. Those that are to be asked once more anyway are not among them.
    """
    return connection.execute(
        f"""
        WITH seeds AS (
            SELECT t.kind, t.claimed, t.collected, t.outcome IN ('complete', 'short') AND t.claimed > 0 AS against,
                r.doubted = 1 AS waits
            FROM {LISTS} CROSS JOIN readings AS r ON r.task_id = t.id AND r.number = t.reading
            WHERE v.harvest_id = ? AND v.round = 0
        )
        SELECT kind, count(*), CAST(sum(1.0 * claimed) AS INTEGER) FROM seeds
        WHERE against AND NOT EXISTS (SELECT 1 FROM seeds WHERE collected > 0 OR waits OR collected IS NULL)
        GROUP BY kind ORDER BY kind
        """,  # noqa: S608 - our own text
        (harvest_id,),
    ).fetchall()


def read_seeds_anew(connection: sqlite3.Connection, harvest_id: int, now: str) -> None:
    """Begin another reading of the lists of seeds of which none brought anything against what is claimed."""
    for kind, _, _ in barren_seeds(connection, harvest_id):
        rows = connection.execute(
            f"""
            SELECT t.id FROM {LISTS}
            WHERE v.harvest_id = ? AND v.round = 0 AND t.kind = ? AND {readings.AT_REST.format(task="t.id")}
            """,  # noqa: S608 - our own text
            (harvest_id, kind),
        ).fetchall()
        for (task_id,) in rows:
            readings.begin_again(connection, task_id, now)


def go_on_with_capped(connection: sqlite3.Connection, harvest_id: int, now: str, *, number: int | None = None) -> None:
    """Take up lists that were cut by a smaller cap than this harvest's, of one round or of all; those that are being
    read again go as far as it wants anyway.
    """
    rows = connection.execute(
        f"""
        SELECT t.id, (SELECT max(l.number) FROM readings AS l WHERE l.task_id = t.id) FROM {LISTS}
        WHERE v.harvest_id = :harvest {"" if number is None else "AND v.round = :round"}
            AND t.outcome = 'capped' AND t.collected < c.cap AND c.cap > (
                SELECT l.collected FROM readings AS l WHERE l.task_id = t.id AND l.number = t.reading
            )
            AND {readings.AT_REST.format(task="t.id")}
        ORDER BY t.id
        """,  # noqa: S608 - built from our own text
        {"harvest": harvest_id, "round": number},
    ).fetchall()
    readings.reopen(connection, [(task_id, last) for task_id, last in rows if last == 0])
    for task_id, last in rows:
        if last:  # what it had seen is in the list by now, in another order: it cannot go on
            readings.begin_again(connection, task_id, now)


def choose_anew(connection: sqlite3.Connection, harvest_id: int, limits: Limits) -> None:
    """Take all rounds of a harvest as not chosen yet. What was read stays visited, without a place; the rest goes.

    Raises PluginError where the plug-in of a list is not loaded.
    """
    lines = recipe(limits)
    if unknown := [line.kind.name for line in lines if line.kind.name in STAND_INS]:
        raise not_loaded(unknown)
    connection.execute("DELETE FROM recipes WHERE harvest_id = ?", (harvest_id,))
    connection.executemany(
        "INSERT INTO recipes (harvest_id, kind, thing, reach, turn, cap) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (harvest_id, line.kind.name, line.kind.subject, line.reach, turn, line.cap)
            for turn, line in enumerate(lines)
        ],
    )
    connection.execute(
        f"""
        DELETE FROM visits
        WHERE harvest_id = ?1 AND round > 0 AND NOT EXISTS (
            SELECT 1 FROM tasks AS t
            WHERE t.subject_id = visits.thing_id
                AND t.kind IN (SELECT k.kind FROM list_kinds AS k WHERE k.subject = visits.thing)
                AND ({_begun("t")})
        )
        """,  # noqa: S608 - built from our own text
        (harvest_id,),
    )
    connection.execute(
        "UPDATE visits SET place = NULL, chance = NULL WHERE harvest_id = ? AND round > 0", (harvest_id,)
    )
    connection.execute("DELETE FROM rounds WHERE harvest_id = ?", (harvest_id,))
    connection.execute("UPDATE harvests SET round = -1, mark = NULL WHERE id = ?", (harvest_id,))


def drop_unwanted(connection: sqlite3.Connection) -> None:
    """Forget lists that no harvest wants any more and that were never begun; look-ups are wanted for themselves."""
    wanted = "SELECT 1 FROM harvest_tasks AS w WHERE w.task_id = t.id"
    rows = connection.execute(
        f"""
        SELECT t.id FROM readings AS r JOIN tasks AS t ON t.id = r.task_id
        WHERE r.state <> 'ended' AND r.kind <> 'lookup' AND r.pages_read = 0 AND r.number = 0
            AND NOT ({_begun("t")}) AND NOT EXISTS ({wanted})
        """  # noqa: S608 - built from our own text
    ).fetchall()
    connection.executemany("DELETE FROM readings WHERE task_id = ?", rows)
    connection.executemany("DELETE FROM tasks WHERE id = ?", rows)


def _begun(task: str) -> str:
    """Write the condition that a list was begun: a page of it is kept, it has ended, or it has failed."""
    return (
        f"EXISTS (SELECT 1 FROM readings AS b WHERE b.task_id = {task}.id"  # noqa: S608
        " AND (b.state = 'ended' OR b.pages_read > 0))"
        f" OR EXISTS (SELECT 1 FROM failures AS f WHERE f.task_id = {task}.id)"
    )


def _parameters(
    connection: sqlite3.Connection, harvest_id: int, number: int, lead: Lead, limits: Limits, thing: str
) -> dict[str, int]:
    return {
        "harvest": harvest_id,
        "round": number,
        "deepest": DEEPEST + 1 if lead.opens else depth_of(thing, limits),
        "most": _bound(connection, harvest_id, number, lead, limits, thing),
        "control": limits.controls if _is_around_seeds(thing, lead, number) else 0,
        "sample_seed": limits.sample_seed,
    }


def _is_around_seeds(thing: str, lead: Lead, number: int) -> bool:
    """Say whether a lead is that to the people around the seeds that are tracks."""
    return thing == "track" and lead.to == "user" and number == 0


def _bound(connection: sqlite3.Connection, harvest_id: int, number: int, lead: Lead, limits: Limits, thing: str) -> int:
    most = int(getattr(limits, lead.most))
    if _is_around_seeds(thing, lead, number):
        row = connection.execute("SELECT mark FROM harvests WHERE id = ?", (harvest_id,)).fetchone()
        return most if row is None or row[0] is None else min(most, int(row[0]))
    if not lead.in_all:
        return most
    (chosen,) = connection.execute(
        "SELECT count(place) FROM visits WHERE harvest_id = ? AND thing = ? AND round BETWEEN 1 AND ?",
        (harvest_id, lead.to, number),
    ).fetchone()
    return max(0, most - int(chosen))


def _claims(thing: str, limits: Limits, thing_id: str, *, of_seed: bool = False) -> str:
    """Write what the service claims now of the lists that are read of a thing, as JSON by kind."""
    pairs = [
        f"'{line.kind.name}', {line.kind.claimed}"
        for line in recipe(limits)
        if line.kind.subject == thing and line.kind.claimed and (of_seed or not line.seeds_only)
    ]
    if not pairs:
        return "NULL"
    return f"(SELECT json_object({', '.join(pairs)}) FROM {THINGS[thing].table} WHERE id = {thing_id})"  # noqa: S608


def _of_each(lead: Lead, lists: tuple[ListKind, ...], limits: Limits) -> str:
    """Write the choice where each thing leads to so many of its own items; the first thing that names one counts."""
    return f"""
        WITH {_placed(lead, lists, limits)}
        SELECT item AS thing_id, depth + {THINGS[lead.to].steps} AS depth, place,
            {_chance(lead, lists, limits)} AS chance, task_id AS parent_task_id, min(turn * {_SOURCE} + place) AS first
        FROM placed WHERE place < :most + :control AND {_not_visited(lead)}
        GROUP BY item ORDER BY first LIMIT {"-1" if lead.to == "user" else ":most"}
    """  # noqa: S608 - built from our own declarations


def _step(lead: Lead, lists: tuple[ListKind, ...], limits: Limits) -> str:
    """Write the choice where each thing leads to one of its own items that are not visited yet, by a lot of the two;
    things that come to the same one go on as one.
    """
    return f"""
        WITH {_placed(lead, lists, limits)}
        SELECT item AS thing_id, depth + {THINGS[lead.to].steps} AS depth, min(turn) AS place, NULL AS chance,
            task_id AS parent_task_id
        FROM placed WHERE place = 0 AND :most > 0 GROUP BY item ORDER BY place
    """  # noqa: S608 - built from our own declarations


def _placed(lead: Lead, lists: tuple[ListKind, ...], limits: Limits) -> str:
    """Write what the lists of each thing of a round name, each once, with its place in the order that counts."""
    order = _ORDERS[limits.order] if lead.to == "user" else "listed"
    if lead.step:
        order = "lot(:sample_seed, subject, item), item"
    controlled = lead.to == "user" and limits.controls
    return f"""
        visited AS (
            SELECT v.thing_id, v.depth, v.round, v.reach, row_number() OVER (ORDER BY v.place, v.thing_id) - 1 AS turn
            FROM visits AS v INDEXED BY visits_by_round
            WHERE v.harvest_id = :harvest AND v.round = :round AND v.thing = '{lists[0].subject}'
                AND v.place IS NOT NULL AND v.depth < :deepest
        ),
        named AS ({_named(lists)}),
        once AS (
            SELECT subject, turn, depth, item, min(listed) AS listed, task_id FROM named
            {f"WHERE {_not_visited(lead)}" if lead.step else ""} GROUP BY subject, item
        ),
        {"ruled" if controlled else "placed"} AS (
            SELECT *, row_number() OVER (PARTITION BY subject ORDER BY {order}) - 1 AS place,
                count(*) OVER (PARTITION BY subject) AS people
            FROM once
        )
        {f", placed AS ({_CONTROLLED})" if controlled else ""}
    """  # noqa: S608 - built from our own declarations


def _chance(lead: Lead, lists: tuple[ListKind, ...], limits: Limits) -> str:
    """Write the chance of what is placed: 1 where all are chosen, n / N where they were drawn, and unknown where a rule
    without chance has cut or a list could not be read. Beside a control sample a rule chooses for certain.
    """
    if lead.to != "user":
        return "NULL"
    drawn = "1.0 * :most / people" if limits.order in BY_LOT else "NULL"
    kinds = ", ".join(f"'{kind.name}'" for kind in lists)
    failed = f"""
        SELECT 1 FROM recipes AS c CROSS JOIN tasks AS q ON q.kind = c.kind AND q.subject_id = subject
        WHERE c.harvest_id = :harvest AND c.kind IN ({kinds}) AND q.outcome IN ('failed', 'withdrawn')
            AND q.collected < c.cap
    """  # noqa: S608 - built from our own declarations
    if limits.controls:
        drawn = (
            "CASE WHEN :control = 0 THEN NULL WHEN place < :most THEN 1.0 ELSE 1.0 * :control / (people - :most) END"
        )
    return f"CASE WHEN EXISTS ({failed}) THEN NULL WHEN people <= :most + :control THEN 1.0 ELSE {drawn} END"


def _in_common(lead: Lead, lists: tuple[ListKind, ...], limits: Limits) -> str:
    """Write the choice of what most things visited so far name in common; the first to name it is the parent."""
    subject = lists[0].subject
    return f"""
        WITH visited AS MATERIALIZED (
            SELECT v.thing_id, v.depth, v.round, v.reach,
                row_number() OVER (ORDER BY v.round, p.round, p.place, v.place, v.thing_id) AS turn
            FROM visits AS v
            LEFT JOIN tasks AS o ON o.id = v.parent_task_id
            LEFT JOIN list_kinds AS k ON k.kind = o.kind
            LEFT JOIN visits AS p ON p.harvest_id = v.harvest_id AND p.thing = k.subject AND p.thing_id = o.subject_id
            WHERE v.harvest_id = :harvest AND v.thing = '{subject}' AND v.round <= :round AND v.place IS NOT NULL
                AND v.depth < :deepest
        ),
        named AS ({_named(lists)}),
        votes AS (
            SELECT item, count(DISTINCT subject) AS n, min(turn * {len(lists)} + source) AS first, task_id
            FROM named GROUP BY item
        )
        SELECT item AS thing_id,
            (SELECT max(depth) FROM visited WHERE round = :round) + {THINGS[lead.to].steps} AS depth,
            row_number() OVER (ORDER BY n DESC, item) - 1 AS place, NULL AS chance, task_id AS parent_task_id, first
        FROM votes WHERE {_not_visited(lead)}
        ORDER BY n DESC, item LIMIT :most
    """  # noqa: S608 - built from our own declarations


def _not_visited(lead: Lead) -> str:
    """Write the condition that an item has no place in this round or one before it."""
    return f"""NOT EXISTS (
            SELECT 1 FROM visits AS o WHERE o.harvest_id = :harvest AND o.thing = '{lead.to}' AND o.thing_id = item
                AND o.round <= :round AND o.place IS NOT NULL
        )"""  # noqa: S608 - built from our own declarations


def _named(lists: tuple[ListKind, ...]) -> str:
    """Write the query for what the lists of `visited` name, as far as the harvest wants it."""
    parts = []
    for source, kind in enumerate(lists):
        edge = kind.edge
        assert edge is not None
        parts.append(
            f"""
            SELECT p.thing_id AS subject, p.turn, p.depth, {source} AS source,
                {source} * {_SOURCE} + e.{edge.rank} AS listed, e.{edge.leads or edge.item} AS item, t.id AS task_id
            FROM visited AS p
            CROSS JOIN recipes AS c ON c.harvest_id = :harvest AND c.kind = '{kind.name}'
                AND c.reach <= p.reach
            CROSS JOIN tasks AS t ON t.kind = '{kind.name}' AND t.subject_id = p.thing_id
            CROSS JOIN {edge.table} AS e ON e.{edge.subject} = p.thing_id {of_type(edge, "e.")}
                AND e.{edge.rank} >= 0 AND e.{edge.rank} < c.cap AND e.{edge.leads or edge.item} IS NOT NULL
            """  # noqa: S608 - built from our own declarations
        )
    return " UNION ALL ".join(parts)
