"""Checks of how the pages of a list hang together: where each was asked for, and where it says the list goes on.

A request stands in the file without secrets, and in another size of page when there was trouble; so two spellings are
compared by what they ask for (`place_asked_for`). A page that our cap has cut goes on at itself: it keeps the cursor it
was asked with, which is none for a first page.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from harvest.lists import KINDS
from harvest.store.outcomes import BARREN_PAGES
from harvest.verify.check import Check

_LEFT_OUT = frozenset(
    {"limit", "page_size", "linked_partitioning", "secret_token"}
    | {"client_id", "client_secret", "oauth_token", "access_token", "refresh_token"}
)
_SECRET = re.compile(r"/s-[A-Za-z0-9]+(?=[/?#]|$)|(?<=secret_token=)[^&#]+", re.ASCII)
_URN = re.compile(r"soundcloud:[a-z-]+:(\d+)", re.ASCII)
_PATHS = ", ".join(f"('{kind.name}', '{kind.path}')" for kind in KINDS.values())


def place_asked_for(path_and_query: str) -> str:
    """Name the place in a list that a request asks for, whatever its spelling, its size and its secrets."""
    path, _, query = path_and_query.partition("?")
    segments = [_URN.sub(r"\1", unquote(segment)) for segment in _hidden(path).split("/") if segment]
    pairs = {
        (unquote(name), _hidden(unquote(value))) for name, _, value in (p.partition("=") for p in query.split("&"))
    }
    asked = sorted(f"{name}={value}".replace("+", " ") for name, value in pairs if name and name not in _LEFT_OUT)
    return f"/{'/'.join(segments)}?{'&'.join(asked)}"


def _hidden(text: str) -> str:
    return _SECRET.sub(lambda found: "/s-***" if found[0].startswith("/") else "***", text)


PAGE_CHECKS = (
    Check(
        "pages.first",
        "the first page of a list was asked for under the path of its list and its subject",
        f"""
        WITH paths (kind, path) AS (VALUES {_PATHS})
        SELECT 'page ' || p.id || ' of ' || t.kind || ' ' || t.subject_id || ' was asked for as ' || p.request
        FROM pages AS p
        JOIN tasks AS t ON t.id = p.task_id
        JOIN (SELECT kind, 'soundcloud:' || subject || 's:' AS urns FROM list_kinds) AS k ON k.kind = t.kind
        JOIN paths AS w ON w.kind = t.kind
        WHERE p.number = 0
            AND instr(p.request, replace(w.path, '{{urn}}', k.urns || t.subject_id) || '?') <> 1
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
    Check(
        "ledger.loop",
        f"a loop goes on to a page that was asked for before, or its last {BARREN_PAGES} pages brought nothing new",
        f"""
        SELECT t.kind || ' ' || t.subject_id || ' is a loop, yet ' || CASE
            WHEN t.next_cursor IS NULL THEN 'ends'
            WHEN b.barren IS NULL THEN 'goes on at ' || t.next_cursor
            ELSE 'was cut at ' || t.collected END
        FROM tasks AS t
        LEFT JOIN (
            SELECT l.id, l.pages_read >= {BARREN_PAGES} AND NOT EXISTS (
                SELECT 1 FROM pages AS p
                WHERE p.task_id = l.id AND p.reading = l.reading AND p.number >= l.pages_read - {BARREN_PAGES}
                    AND p.kept > 0
            ) AS barren, EXISTS (
                SELECT 1 FROM pages AS p
                WHERE p.task_id = l.id AND p.reading = l.reading
                    AND place_asked_for(p.request) = place_asked_for(l.next_cursor)
            ) AS round, EXISTS (
                SELECT 1 FROM pages AS p
                WHERE p.task_id = l.id AND p.reading = l.reading AND p.number = l.pages_read - 1
                    AND p.kept > 0 AND p.kept + p.skipped < p.received AND p.cursor_time IS NULL
                    AND place_asked_for(p.request) = place_asked_for(l.next_cursor)
                    AND l.collected = (SELECT max(w.cap) FROM harvest_tasks AS w WHERE w.task_id = l.id)
            ) AS cut
            FROM tasks AS l WHERE l.outcome = 'loop' AND l.next_cursor IS NOT NULL
        ) AS b ON b.id = t.id AND (b.barren OR b.round)
        WHERE t.outcome = 'loop' AND (b.id IS NULL OR b.cut AND NOT b.barren)
        """,  # noqa: S608 - a whole number of ours
    ),
)
