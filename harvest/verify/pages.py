"""Checks of how the pages of a reading hang together: where each was asked for, where it says the list goes on, and
what all of them add up to.

A request stands in the file without secrets, and in another size of page when there was trouble; so two spellings are
compared by what they ask for (`place_asked_for`). A page that our cap has cut goes on at itself: it keeps the cursor it
was asked with, which is none for a first page, and may be asked again.
"""

from __future__ import annotations

from hashlib import blake2b

from harvest.api.cursors import canonical, resized
from harvest.api.endpoints import redacted
from harvest.lists import KINDS
from harvest.things import THINGS
from harvest.verify.check import Check

_PATHS = ", ".join(f"('{kind.name}', '{kind.path}')" for kind in KINDS.values() if not kind.looks_up)
_URNS = " ".join(f"WHEN '{thing.name}' THEN {thing.urn_of('t.subject_id')}" for thing in THINGS.values())
# The reading `r` of the task `t`, in words.
READING = "t.kind || ' ' || t.subject_id || iif(r.number, ', reading ' || r.number, '')"


def place_asked_for(path_and_query: str) -> str:
    """Name the place in a list that a request asks for, whatever its spelling, its size and its secrets."""
    return canonical(resized(redacted(path_and_query), 1))


def asks(path_and_query: str | None) -> int | None:
    """Give the number that stands for what a request asks for."""
    if path_and_query is None:
        return None
    return int.from_bytes(blake2b(canonical(path_and_query).encode(), digest_size=8).digest(), signed=True)


PAGE_CHECKS = (
    Check(
        "pages.numbers",
        "the pages of a reading are numbered without holes, and it knows how many there are",
        f"""
        SELECT {READING} || ': ' || count(p.id) || ' pages up to number ' || coalesce(max(p.number), 'none')
            || ', the reading says ' || r.pages_read
        FROM readings AS r CROSS JOIN tasks AS t ON t.id = r.task_id
        LEFT JOIN pages AS p ON p.task_id = r.task_id AND p.reading = r.number
        GROUP BY r.task_id, r.number
        HAVING count(p.id) <> r.pages_read OR coalesce(max(p.number) + 1, 0) <> r.pages_read
        """,  # noqa: S608 - our own text
    ),
    Check(
        "pages.sums",
        "what the pages of a reading kept, skipped and left out, and how many brought nothing at its end, is what it"
        " says",
        f"""
        SELECT {READING} || ': pages kept ' || x.kept || ', skipped ' || x.skipped || ', the last ' || x.barren
            || ' brought nothing; the reading says ' || r.collected || ', ' || r.skipped || ', ' || r.barren
        FROM (
            SELECT task_id, reading, sum(kept) AS kept, sum(skipped) AS skipped,
                max(number) - coalesce(max(number) FILTER (WHERE kept + suppressed > 0), -1) AS barren,
                sum(suppressed) AS suppressed
            FROM pages GROUP BY task_id, reading
        ) AS x
        CROSS JOIN readings AS r ON r.task_id = x.task_id AND r.number = x.reading
        CROSS JOIN tasks AS t ON t.id = x.task_id
        WHERE (x.kept, x.skipped, x.barren, x.suppressed) <> (r.collected, r.skipped, r.barren, r.suppressed)
        """,  # noqa: S608 - our own text
    ),
    Check(
        "pages.first_rank",
        "each page begins at the rank at which the one before it ended",
        """
        SELECT 'page ' || id || ' begins at rank ' || first_rank || ', not ' || before
        FROM (
            SELECT id, first_rank, coalesce(sum(kept) OVER (
                PARTITION BY task_id, reading ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0
            ) AS before
            FROM pages
        )
        WHERE first_rank <> before
        """,
    ),
    Check(
        "pages.room",
        "no page kept more than it received",
        "SELECT 'page ' || id || ' kept ' || kept || ' of ' || received FROM pages"
        " WHERE kept + skipped + suppressed > received OR kept < 0 OR skipped < 0 OR suppressed < 0",
    ),
    Check(
        "pages.asks",
        "a page is known by what it asked for; one that is not was cut, and goes on where it began",
        """
        SELECT 'page ' || p.id || ' asked for ' || p.request || coalesce(
            ', but is known as ' || p.asks, ', is not known by it, and goes on at ' || p.next_cursor)
        FROM pages AS p
        LEFT JOIN pages AS f ON p.asks IS NULL AND f.task_id = p.task_id AND f.reading = p.reading AND f.number = 0
        WHERE CASE WHEN p.asks IS NULL
            THEN place_asked_for(p.request) <> place_asked_for(coalesce(p.next_cursor, f.request, ''))
            ELSE p.asks <> asks(p.request) END
        """,
    ),
    Check(
        "pages.cursor",
        "a reading goes on where its last page said, or was cut",
        f"""
        SELECT {READING} || ': goes on at ' || coalesce(r.next_cursor, 'nothing')
            || ', its last page says ' || coalesce(p.next_cursor, 'nothing')
        FROM readings AS r CROSS JOIN tasks AS t ON t.id = r.task_id
        JOIN pages AS p ON p.task_id = r.task_id AND p.reading = r.number AND p.number = r.pages_read - 1
        WHERE r.next_cursor IS NOT p.next_cursor
        """,  # noqa: S608 - our own text
    ),
    Check(
        "pages.first",
        "the first page of a list was asked for under the path of its list and its subject",
        f"""
        WITH paths (kind, path) AS (VALUES {_PATHS})
        SELECT 'page ' || p.id || ' of ' || t.kind || ' ' || t.subject_id || ' was asked for as ' || p.request
        FROM pages AS p
        CROSS JOIN tasks AS t ON t.id = p.task_id
        JOIN list_kinds AS k ON k.kind = t.kind
        JOIN paths AS w ON w.kind = t.kind
        WHERE p.number = 0 AND t.subject_id > 0
            AND instr(p.request, replace(w.path, '{{urn}}', CASE k.subject {_URNS} END) || '?') <> 1
        """,  # noqa: S608 - built from our own declarations
    ),
    Check(
        "pages.next",
        "each page was asked for where the one before it says that the list goes on",
        """
        SELECT 'page ' || q.id || ' of ' || t.kind || ' ' || t.subject_id || ' was asked for as ' || q.request
            || ', the one before it says ' || coalesce(p.next_cursor, 'nothing')
        FROM pages AS p
        JOIN pages AS q ON q.task_id = p.task_id AND q.reading = p.reading AND q.number = p.number + 1
        JOIN tasks AS t ON t.id = p.task_id
        LEFT JOIN pages AS f ON f.task_id = p.task_id AND f.reading = p.reading AND f.number = 0
        WHERE q.request <> coalesce(p.next_cursor, f.request)
            AND place_asked_for(q.request) <> place_asked_for(coalesce(p.next_cursor, f.request))
        """,
    ),
)
