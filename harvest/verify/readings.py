"""Checks of how each list was read: its readings, how they ended, what the list says of itself, and its edges.

A list tells of the last reading that the service answered, or, while there is none, of the last that ended. The edges
of a list are those of its first reading while that is open, page by page; afterwards as many as the list says.
"""

from __future__ import annotations

from harvest.lists import KINDS, Edge
from harvest.models import Outcome
from harvest.store.edges import of_type
from harvest.store.outcomes import BARREN_PAGES
from harvest.store.rounds import READERS
from harvest.verify.check import Check
from harvest.verify.pages import READING

_NAMED = {outcome.failure: outcome for outcome in Outcome if outcome.failure}
_UNNAMED = next(outcome for outcome in Outcome if not outcome.answered and outcome.failure is None)
_CASES = " ".join(f"WHEN '{name}' THEN '{outcome}'" for name, outcome in _NAMED.items())
_OUTCOME_OF = f"CASE f.class {_CASES} ELSE '{_UNNAMED}' END"
_STANDS = "f.resolved_at IS NULL AND f.class <> 'unsupported_urn'"  # that one is of an entry, not of the list
# Lists none of whose readings is open, with what ended last.
_LAST = """
    SELECT task_id, max(coalesce(ended_at, '') || printf('%9d', number)), outcome
    FROM readings GROUP BY task_id HAVING sum(state <> 'ended') = 0
"""


_LOOK_UPS = ", ".join(f"'{kind.name}'" for kind in KINDS.values() if kind.looks_up)


def _edges(kind: str, edge: Edge) -> Check:
    """Check one kind of list: as many ranked edges as the list says, from 0 without holes, unless it was read again,
    the list of the other side has moved some out, or some were forgotten.
    """
    moved_out = (
        f"AND NOT EXISTS (SELECT 1 FROM {edge.past} AS p WHERE p.{edge.subject} = f.subject_id"  # noqa: S608
        f" AND p.{edge.rank} IS NOT NULL {of_type(edge, 'p.')})"
        if edge.past
        else ""
    )
    return Check(
        f"edges.{kind}",
        f"the edges of every list of kind {kind} are as many as the list says, ranked from 0 without holes",
        f"""
        WITH found AS MATERIALIZED (
            SELECT {edge.subject} AS subject_id, count(*) AS n, min({edge.rank}) AS low, max({edge.rank}) AS high,
                count(DISTINCT {edge.rank}) AS places
            FROM {edge.table}
            WHERE {edge.rank} IS NOT NULL {of_type(edge)}
            GROUP BY {edge.subject}
        )
        SELECT '{kind} ' || x.subject_id || ': ' || coalesce(f.n, 0) || ' edges, ranks '
            || coalesce(f.low || ' to ' || f.high, 'none') || ', the list says ' || x.said
        FROM (
            SELECT t.subject_id,
                iif(r.state <> 'ended', r.collected - r.forgotten, coalesce(t.collected, 0)) AS said,
                (SELECT sum(l.forgotten) FROM readings AS l WHERE l.task_id = t.id) > 0 AS forgotten,
                EXISTS (SELECT 1 FROM readings AS l WHERE l.task_id = t.id AND l.number > 0) AS again
            FROM tasks AS t JOIN readings AS r ON r.task_id = t.id AND r.number = 0
            WHERE t.kind = '{kind}'
        ) AS x
        LEFT JOIN found AS f ON f.subject_id = x.subject_id
        WHERE coalesce(f.n, 0) <> x.said OR f.places <> f.n OR f.low > 0 AND NOT x.forgotten {moved_out}
            OR f.low < 0 AND NOT x.again OR f.high - f.low <> f.n - 1 AND NOT x.forgotten {moved_out}
        UNION ALL
        SELECT '{kind} ' || f.subject_id || ': ' || f.n || ' edges of a list that was never asked for'
        FROM found AS f
        WHERE NOT EXISTS (SELECT 1 FROM tasks AS t WHERE t.kind = '{kind}' AND t.subject_id = f.subject_id)
        """,  # noqa: S608 - built from our own declarations
    )


READING_CHECKS = (
    Check(
        "readings.numbers",
        "the readings of a list are numbered without holes, and it tells of one of them",
        """
        SELECT t.kind || ' ' || t.subject_id || ': ' || count(r.number) || ' readings up to number '
            || coalesce(max(r.number), 'none') || ', the list tells of ' || t.reading
        FROM tasks AS t LEFT JOIN readings AS r ON r.task_id = t.id
        GROUP BY t.id
        HAVING count(r.number) <> coalesce(max(r.number) + 1, 0) OR t.reading NOT BETWEEN 0 AND max(r.number)
            OR count(r.number) = 0
        """,
    ),
    Check(
        "readings.kind",
        "a reading is of the kind of its list",
        """
        SELECT t.kind || ' ' || t.subject_id || ' has a reading of kind ' || r.kind
        FROM readings AS r CROSS JOIN tasks AS t ON t.id = r.task_id WHERE r.kind <> t.kind
        """,
    ),
    Check(
        "readings.open",
        "a list is read once at a time",
        """
        SELECT t.kind || ' ' || t.subject_id || ' has ' || count(*) || ' open readings'
        FROM readings AS r CROSS JOIN tasks AS t ON t.id = r.task_id
        WHERE r.state <> 'ended' GROUP BY r.task_id HAVING count(*) > 1
        """,
    ),
    Check(
        "readings.told",
        "a list says of itself what the reading says that it tells of; nothing of how it ended while that is open",
        """
        SELECT t.kind || ' ' || t.subject_id || ': ' || coalesce(t.outcome, 'open') || ', '
            || coalesce(t.collected, 'none') || ' of ' || coalesce(t.claimed, 'nothing claimed') || ', '
            || coalesce(t.pages_read, 'no') || ' pages; its reading ' || r.number || ' says '
            || coalesce(r.outcome, 'open') || ', ' || r.collected || ' of ' || coalesce(r.claimed, 'nothing claimed')
            || ', ' || r.pages_read || ' pages'
        FROM tasks AS t JOIN readings AS r ON r.task_id = t.id AND r.number = t.reading
        WHERE t.outcome IS NOT r.outcome OR r.state = 'ended' AND (
            t.claimed IS NOT r.claimed OR t.pages_read IS NOT r.pages_read
            OR t.collected IS NOT r.collected - r.forgotten
                AND NOT EXISTS (SELECT 1 FROM readings AS l WHERE l.task_id = t.id AND l.number > 0)
                AND NOT EXISTS (SELECT 1 FROM changes AS c WHERE c.what = 'went')
                AND NOT EXISTS (SELECT 1 FROM unexplained)
        )
        """,
    ),
    Check(
        "readings.last",
        "a list tells of the last reading that was answered",
        f"""
        SELECT {READING} || ' was answered, yet the list tells of reading ' || t.reading
        FROM readings AS r CROSS JOIN tasks AS t ON t.id = r.task_id
        JOIN outcomes AS o ON o.outcome = r.outcome AND o.answered = 1
        LEFT JOIN outcomes AS u ON u.outcome = t.outcome
        WHERE r.outcome <> 'caught_up' AND r.number > t.reading OR u.answered = 0
        """,  # noqa: S608 - our own text
    ),
    Check(
        "readings.unread",
        "a reading without pages has brought nothing, and was not answered",
        f"""
        SELECT {READING} || ' is ' || coalesce(r.outcome, 'open') || ' with ' || r.collected || ' without a page'
        FROM readings AS r CROSS JOIN tasks AS t ON t.id = r.task_id LEFT JOIN outcomes AS o ON o.outcome = r.outcome
        WHERE r.pages_read = 0 AND (o.answered = 1 OR (r.collected, r.skipped, r.barren) <> (0, 0, 0))
        """,  # noqa: S608 - our own text
    ),
    Check(
        "readings.whole",
        "a list that the service ended has no next page; a complete one has what was claimed, a short one lacks it",
        f"""
        SELECT {READING} || ' is ' || r.outcome || ' with ' || r.collected || ' of '
            || coalesce(r.claimed, 'nothing claimed') || coalesce(', and goes on at ' || r.next_cursor, '')
        FROM readings AS r CROSS JOIN tasks AS t ON t.id = r.task_id
        WHERE r.outcome IN ('complete', 'short') AND (
            is_short(r.claimed, r.collected + r.suppressed) <> (r.outcome = 'short')
                AND NOT (r.outcome = 'short' AND r.number > 0 AND r.collected = 0) -- empty against what is known
            OR r.next_cursor IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM pages AS p WHERE p.task_id = r.task_id AND p.reading = r.number
                    AND p.number = r.pages_read - 1 AND p.received = 0
            )
        )
        """,  # noqa: S608 - our own text
    ),
    Check(
        "readings.head",
        "a reading that ended where the list was known was to be one of its head, and goes on",
        f"""
        SELECT {READING} || ' has caught up, ' || iif(r.mode = 'head', 'and does not go on', 'and was to be whole')
        FROM readings AS r CROSS JOIN tasks AS t ON t.id = r.task_id
        WHERE r.outcome = 'caught_up' AND (r.mode <> 'head' OR r.next_cursor IS NULL OR r.number = 0)
        """,  # noqa: S608 - our own text
    ),
    Check(
        "readings.loop",
        f"a loop goes on to a page that was asked for before, or its last {BARREN_PAGES} pages brought nothing new",
        f"""
        SELECT {READING} || ' is a loop, yet ' || CASE WHEN r.next_cursor IS NULL THEN 'ends'
            WHEN l.asks IS NULL THEN 'was cut at ' || r.collected ELSE 'goes on at ' || r.next_cursor END
        FROM readings AS r CROSS JOIN tasks AS t ON t.id = r.task_id
        LEFT JOIN pages AS l ON l.task_id = r.task_id AND l.reading = r.number AND l.number = r.pages_read - 1
        WHERE r.outcome = 'loop' AND (r.next_cursor IS NULL OR l.asks IS NULL OR r.barren < {BARREN_PAGES}
            AND NOT EXISTS (
                SELECT 1 FROM pages AS p
                WHERE p.task_id = r.task_id AND p.reading = r.number AND p.asks = asks(r.next_cursor)
            )
        )
        """,  # noqa: S608 - our own text
    ),
    Check(
        "lists.capped",
        "a capped list goes on, and holds as much as the largest cap asked for (more where caps were larger once, less"
        " where lists of the other side lack it now), unless reading it further has failed",
        f"""
        SELECT t.kind || ' ' || t.subject_id || ' is capped at ' || t.collected || ', wanted '
            || coalesce(max(c.cap), 'by nobody')
        FROM tasks AS t {READERS}
        CROSS JOIN harvests AS h ON h.id = v.harvest_id AND h.state IN ('drained', 'sated')
        CROSS JOIN readings AS r ON r.task_id = t.id AND r.number = t.reading
        WHERE t.outcome = 'capped'
            AND NOT EXISTS (SELECT 1 FROM readings AS l WHERE l.task_id = t.id AND l.number > t.reading)
        GROUP BY t.id HAVING max(t.collected, r.collected) < max(c.cap)
        UNION ALL
        SELECT t.kind || ' ' || t.subject_id || ' is capped, and the service has ended it'
        FROM readings AS r
        CROSS JOIN tasks AS t ON t.id = r.task_id
        JOIN pages AS p ON p.task_id = r.task_id AND p.reading = r.number AND p.number = r.pages_read - 1
        WHERE r.outcome = 'capped' AND p.asks IS NOT NULL AND p.next_cursor IS NULL
        """,  # noqa: S608 - our own text
    ),
    Check(
        "failures.stand",
        "what failed, is gone, forbidden or unreadable has its reason in failures, of that very class",
        f"""
        SELECT t.kind || ' ' || t.subject_id || ' is ' || l.outcome || ' without a reason'
        FROM ({_LAST}) AS l
        JOIN outcomes AS o ON o.outcome = l.outcome AND o.answered = 0
        CROSS JOIN tasks AS t ON t.id = l.task_id
        WHERE l.outcome NOT IN ('stale', 'forgotten', 'purged') AND NOT EXISTS (
            SELECT 1 FROM failures AS f WHERE f.task_id = l.task_id AND l.outcome = {_OUTCOME_OF}
                AND (f.resolved_at IS NULL OR t.kind = 'lookup') -- a later look-up of the thing takes its place
        ) AND NOT (l.outcome = 'withdrawn' AND EXISTS ( -- one reason for all lists of a kind
            SELECT 1 FROM failures AS f CROSS JOIN tasks AS b ON b.id = f.task_id AND b.kind = t.kind
            WHERE f.class = 'withdrawn'
        ))
        """,  # noqa: S608 - built from our own declarations
    ),
    Check(
        "failures.resolved",
        "what went wrong with a list that ended well after all is resolved",
        f"""
        SELECT t.kind || ' ' || t.subject_id || ' is ' || l.outcome || ', yet ' || f.class || ' stands'
        FROM ({_LAST}) AS l
        JOIN outcomes AS o ON o.outcome = l.outcome AND o.answered = 1
        CROSS JOIN failures AS f ON f.task_id = l.task_id AND {_STANDS}
        CROSS JOIN tasks AS t ON t.id = l.task_id
        """,  # noqa: S608 - built from our own declarations
    ),
    Check(
        "readings.items",
        "what a re-reading has seen waits until it was answered, and is as much as it says",
        f"""
        SELECT {READING} || ' is ' || coalesce(r.outcome, 'open') || ' with ' || r.collected || ', ' || i.n
            || ' wait at places up to ' || i.high
        FROM (
            SELECT task_id, reading, count(*) AS n, max(place) AS high, count(DISTINCT place) AS places
            FROM reading_items GROUP BY task_id, reading
        ) AS i
        CROSS JOIN readings AS r ON r.task_id = i.task_id AND r.number = i.reading
        CROSS JOIN tasks AS t ON t.id = i.task_id
        LEFT JOIN outcomes AS o ON o.outcome = r.outcome
        WHERE r.number = 0 OR o.answered = 1 OR i.n <> r.collected - r.forgotten OR i.places <> i.n
            OR i.high <> i.n - 1 AND r.forgotten = 0
        UNION ALL
        SELECT {READING} || ' has brought ' || r.collected || ', and none waits'
        FROM readings AS r CROSS JOIN tasks AS t ON t.id = r.task_id
        WHERE r.state <> 'ended' AND r.number > 0 AND r.collected > r.forgotten AND r.kind NOT IN ({_LOOK_UPS})
            AND NOT EXISTS (SELECT 1 FROM reading_items AS i WHERE i.task_id = r.task_id AND i.reading = r.number)
        """,  # noqa: S608 - built from our own declarations
    ),
    *(_edges(kind.name, kind.edge) for kind in KINDS.values() if kind.edge is not None),
)
