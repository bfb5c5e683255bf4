"""Derive every claim of the file again from its rows, and name what does not agree. Reads only.

Each check gives nothing on a sound file and a line per contradiction otherwise. All of them read a table or an index
once, so the whole takes time in proportion to the file. What was chosen is chosen again (choices.py), and the search
index compared with one made again (harvest/store/search.py).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice

from harvest.lists import KINDS, Edge, ListKind
from harvest.store.edges import of_type
from harvest.store.entities import fold_tag
from harvest.store.outcomes import is_short
from harvest.store.schema import declared, schema_of
from harvest.store.search import differences
from harvest.system.sql import as_name, without_comments
from harvest.things import THINGS, Thing
from harvest.verify.check import Check
from harvest.verify.choices import CHOICE_CHECKS
from harvest.verify.history import HISTORY_CHECKS
from harvest.verify.pages import PAGE_CHECKS, asks, place_asked_for
from harvest.verify.readings import READING_CHECKS

SHOWN = 5  # contradictions told per check
_LARGEST = "engagements"  # of the tables
_MAPPED = 1 << 40  # bytes of the file at most; SQLite itself takes less of them


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim with what contradicts it; nothing when it holds."""

    check: Check
    contradictions: int
    examples: tuple[str, ...]


def _edge_tables() -> Iterator[tuple[str, list[tuple[ListKind, Edge]]]]:
    """Give the tables whose rows are edges and nothing else, each with the lists that write it."""
    lists = [(kind, kind.edge) for kind in KINDS.values() if kind.edge is not None and not kind.edge.on_item]
    for table, those in groupby(sorted(lists, key=lambda one: one[1].table), key=lambda one: one[1].table):
        yield table, list(those)


def _shown(edge: Edge) -> str:
    return f"'{edge.subject} ' || e.{edge.subject} || ', {edge.item} ' || e.{edge.item}"


def _ranked() -> str:
    """Write the query for edges without a rank in any list."""
    return " UNION ALL ".join(
        f"SELECT {_shown(lists[0][1])} || ': one of {table}, of no list' FROM {table} AS e WHERE "  # noqa: S608
        + " AND ".join(sorted({f"e.{edge.rank} IS NULL" for _, edge in lists}))
        for table, lists in _edge_tables()
    )


def _provenance() -> str:
    """Write the query for edges that came with a page of another list. Where a list was read again, its ranks are those
    of that reading, and no longer tell the page.
    """
    parts = []
    for table, lists in _edge_tables():
        cases = " ".join(
            f"""
            WHEN '{kind.name}' THEN t.subject_id = e.{edge.subject} {of_type(edge, "e.")} AND (
                t.reading > 0 OR p.reading > 0 OR t.outcome = 'purged'
                OR coalesce(e.{edge.rank}, -1) BETWEEN p.first_rank AND p.first_rank + p.kept - 1
            )
            """
            for kind, edge in lists
        )
        parts.append(
            f"""
            SELECT {_shown(lists[0][1])} || ': one of {table}, came with page ' || p.number || ' of ' || t.kind || ' '
                || t.subject_id
            FROM {table} AS e JOIN pages AS p ON p.id = e.first_page_id JOIN tasks AS t ON t.id = p.task_id
            WHERE NOT CASE t.kind {cases} ELSE 0 END
            """  # noqa: S608 - built from our own declarations
        )
    return " UNION ALL ".join(parts)


_FILE = (
    Check(
        "schema",
        "every table, view, index and trigger is there as it was made",
        """
        WITH shipped AS MATERIALIZED ( -- taken apart once, not for every row of the other side
            SELECT value ->> 0 AS type, value ->> 1 AS name, value ->> 2 AS sql FROM json_each(schema_as_shipped())
        )
        SELECT x.type || ' ' || x.name || iif(s.name IS NULL, ' is missing', ' was changed')
        FROM shipped AS x
        LEFT JOIN sqlite_schema AS s ON s.type = x.type AND s.name = x.name
        WHERE s.name IS NULL OR without_comments(s.sql) <> x.sql
        """,
    ),
    Check(
        "totals",
        "the totals that status shows are the numbers of rows",
        """
        SELECT name || ': the total says ' || said || ', there are ' || rows
        FROM (
            SELECT 'users' AS name, users AS said, (SELECT count(*) FROM users) AS rows FROM totals
            UNION ALL SELECT 'tracks', tracks, (SELECT count(*) FROM tracks) FROM totals
            UNION ALL SELECT 'pages', pages, (SELECT count(*) FROM pages) FROM totals
            UNION ALL SELECT 'likes', likes, e.n FROM totals
                JOIN (SELECT count(*) AS n FROM user_engagements WHERE engagement_type = 'like') AS e
            UNION ALL SELECT 'reposts', reposts, e.n FROM totals
                JOIN (SELECT count(*) AS n FROM user_engagements WHERE engagement_type = 'repost') AS e
        )
        WHERE said <> rows
        """,
    ),
    Check(
        "runs.requests",
        "no run kept more pages than it had good answers",
        """
        SELECT 'run ' || r.id || ' kept ' || count(p.id) || ' pages of ' || coalesce(
            (SELECT n FROM run_requests WHERE run_id = r.id AND status = 200), 0) || ' good answers'
        FROM runs AS r JOIN pages AS p ON p.run_id = r.id
        GROUP BY r.id
        HAVING count(p.id) > coalesce((SELECT n FROM run_requests WHERE run_id = r.id AND status = 200), 0)
        """,
    ),
    Check("edges.ranked", "every edge was seen in at least one list", _ranked()),
    Check(
        "edges.provenance",
        "every edge comes from a page of a list of one of its two ends, the one that holds its rank",
        _provenance(),
    ),
    Check(
        "graph.seen_as",
        "what was only seen inside other objects has no zero count",
        "SELECT 'user ' || id FROM users WHERE seen_as = 'embedded' AND 0 IN (followers_count, followings_count,"
        " likes_given_count, reposts_given_count)",
    ),
    Check(
        "graph.listed",
        "whoever was seen in a list stands in it, has vanished from it, or waits for its reading to end; of a file in"
        " which anything was forgotten nobody can say that",
        """
        SELECT 'user ' || u.id || ' is in no list' FROM users AS u
        WHERE u.seen_as = 'list' AND u.status <> 'forgotten' AND NOT EXISTS (SELECT 1 FROM forgettings)
            AND NOT EXISTS (SELECT 1 FROM user_engagements AS e WHERE e.user_id = u.id)
            AND NOT EXISTS (SELECT 1 FROM user_follows AS f WHERE f.follower_id = u.id)
            AND NOT EXISTS (SELECT 1 FROM user_follows AS f WHERE f.followee_id = u.id)
            AND NOT EXISTS (SELECT 1 FROM playlist_engagements AS p WHERE p.user_id = u.id)
            AND NOT EXISTS (SELECT 1 FROM search_results AS s WHERE s.thing_id = u.id AND s.thing = 'user')
            AND NOT EXISTS (SELECT 1 FROM past_engagements AS e WHERE e.user_id = u.id)
            AND NOT EXISTS (SELECT 1 FROM past_follows AS f WHERE f.follower_id = u.id)
            AND NOT EXISTS (SELECT 1 FROM past_follows AS f WHERE f.followee_id = u.id)
            AND NOT EXISTS (SELECT 1 FROM past_playlist_engagements AS p WHERE p.user_id = u.id)
            AND u.id NOT IN (SELECT i.item_id FROM reading_items AS i)
            AND u.id NOT IN (SELECT c.ids ->> 'thing_id' FROM changes AS c WHERE c."table" = 'search_results')
        """,
    ),
    Check(
        "tags.folded",
        "every tag is folded as its name says",
        "SELECT 'tag ' || id || ': ' || name FROM tags WHERE folded <> fold_tag(name)",
    ),
)


def _declared(connection: sqlite3.Connection) -> Iterator[tuple[str]]:
    """Compare the tables of what is declared with the declarations. The words may be those of an older version, and it
    may not know yet what the next crawl adds.
    """
    for table, rows in declared().items():
        columns = table.partition(" ")[2].strip("()").split(", ")[:-1]
        stored = {tuple(row) for row in connection.execute(f"SELECT {', '.join(columns)} FROM {table.split()[0]}")}  # noqa: S608
        known = {row[0] for row in stored}
        stored = {row for row in stored if not str(row[0]).startswith("plugin_") or row[0] in KINDS}
        for row in sorted(stored ^ {row[:-1] for row in rows if row[0] in known}, key=str):
            yield (f"{table.split()[0]}: {' '.join(map(str, row))}",)


def _status(thing: Thing) -> str:
    """Write the query for things of one kind whose status is not what their lists and look-ups say."""
    return f"""
        SELECT * FROM (
        WITH
        lists AS (
            SELECT t.subject_id AS id, sum(t.outcome IS NULL) AS unknown,
                max(r.ended_at) FILTER (WHERE o.answered AND r.collected > 0) AS named_at,
                max(r.ended_at) FILTER (WHERE t.outcome = 'gone') AS gone_at,
                count(*) FILTER (WHERE t.outcome = 'forbidden') AS forbidden
            FROM tasks AS t
            JOIN list_kinds AS k ON k.kind = t.kind AND k.subject = '{thing.name}'
            LEFT JOIN readings AS r ON r.task_id = t.id AND r.number = t.reading
            LEFT JOIN outcomes AS o ON o.outcome = t.outcome
            GROUP BY t.subject_id
        ),
        look_ups AS (
            SELECT i.thing_id AS id, max(i.batch_id) FILTER (WHERE i.shown = 1) AS last_shown,
                max(i.batch_id) FILTER (WHERE i.shown = 0 AND t.outcome = 'gone' AND n.things = 1) AS last_gone,
                max(r.ended_at) FILTER (WHERE i.shown = 0 AND t.outcome = 'gone' AND n.things = 1) AS gone_at,
                max(p.fetched_at) FILTER (WHERE i.shown = 1) AS shown_at
            FROM batches AS b
            JOIN batch_items AS i ON i.batch_id = b.id
            JOIN (SELECT batch_id, count(*) AS things FROM batch_items GROUP BY batch_id) AS n ON n.batch_id = b.id
            JOIN tasks AS t ON t.kind = 'lookup' AND t.subject_id = b.id
            LEFT JOIN readings AS r ON r.task_id = t.id AND r.number = t.reading
            LEFT JOIN pages AS p ON p.task_id = t.id
            WHERE b.thing = '{thing.name}'
            GROUP BY i.thing_id
        )
        SELECT '{thing.name} ' || x.id || ' is ' || x.status || ', its lists and look-ups say ' || x.says
        FROM (
            SELECT x.id, x.status, l.unknown, CASE
                WHEN u.last_gone > coalesce(u.last_shown, 0) AND u.gone_at >= coalesce(l.named_at, '') THEN 'gone'
                WHEN l.named_at IS NOT NULL THEN 'ok'
                WHEN l.gone_at > coalesce(u.shown_at, '') THEN 'gone'
                WHEN l.forbidden THEN 'forbidden'
                ELSE 'ok' END AS says
            FROM {thing.table} AS x LEFT JOIN lists AS l ON l.id = x.id LEFT JOIN look_ups AS u ON u.id = x.id
        ) AS x
        WHERE x.status IN ('ok', 'gone', 'forbidden') AND x.status <> x.says AND (x.status <> 'ok' OR x.unknown = 0)
        )
    """  # noqa: S608 - built from our own declarations


def checks() -> Iterator[Check]:
    """Give every check of ours; SQLite's own come before them."""
    yield from _FILE
    yield from PAGE_CHECKS
    yield from READING_CHECKS
    yield from HISTORY_CHECKS
    yield from CHOICE_CHECKS
    yield Check(
        "graph.status",
        "a thing is gone or forbidden if a list of it is and no list of it names anything, and only then",
        " UNION ALL ".join(_status(thing) for thing in THINGS.values()),
    )
    yield Check("declared", "the kinds of things and lists and the outcomes are those that are declared", _declared)
    yield Check("search.index", "the search index holds title, artist and tags of every track as they are", differences)


def _dangling(connection: sqlite3.Connection) -> Iterator[tuple[object, ...]]:
    """Find references that lead nowhere. SQLite itself looks up three rows for each like, nearly all of its work in a
    large file. Here each person and track of a like is looked up once, in the order of an index, which was checked.
    """
    for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall():
        if table != _LARGEST:
            yield from connection.execute("SELECT * FROM pragma_foreign_key_check(?)", (table,))
            continue
        for parent, column, key in connection.execute(
            'SELECT "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY "from"', (table,)
        ).fetchall():
            each = "" if column == "first_page_id" else "DISTINCT"  # without an index to take them from
            refers, known = as_name(column), f"SELECT {as_name(key)} FROM {as_name(parent)}"  # noqa: S608 - quoted
            for (value,) in connection.execute(
                f"SELECT {each} {refers} FROM {table} WHERE {refers} NOT IN ({known})"  # noqa: S608 - likewise
            ):
                yield table, column, value, parent


_SQLITE = (
    Check(
        "sqlite.integrity",
        "SQLite finds the file sound",
        lambda connection: (row for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"),
    ),
    Check("sqlite.foreign_keys", "every reference leads to a row", _dangling),
)


def _trust_sound_pages(connection: sqlite3.Connection) -> None:
    """Let SQLite go from place to place without copying pages, and, once it has looked at each of them and found none
    that is unsound, without looking at a page again whenever it comes back to it.
    """
    connection.execute(f"PRAGMA mmap_size = {_MAPPED}")
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok":
        connection.execute("PRAGMA cell_size_check = OFF")


def verify(
    connection: sqlite3.Connection,
    *,
    on_check: Callable[[str], None] = lambda name: None,
    more: Iterable[Check] = (),
) -> Iterator[Finding]:
    """Run every check, SQLite's own first, and `more` last; `on_check` hears the name of each before it begins."""
    for function, places in (
        (fold_tag, 1),
        (place_asked_for, 1),
        (asks, 1),
        (without_comments, 1),
        (is_short, 2),
    ):
        connection.create_function(function.__name__, places, function, deterministic=True)
    shipped = json.dumps(schema_of(connection))
    connection.create_function("schema_as_shipped", 0, lambda: shipped, deterministic=True)
    on_check(_SQLITE[0].name)
    _trust_sound_pages(connection)
    for check in (*_SQLITE, *checks(), *more):
        on_check(check.name)
        found = check.find(connection)
        examples = tuple(islice(found, SHOWN))
        yield Finding(check, len(examples) + sum(1 for _ in found), examples)
