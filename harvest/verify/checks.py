"""Derive every claim of the file again from its rows, and name what does not agree. Reads only.

Each check is one query that gives nothing on a sound file and a line per contradiction otherwise. All of them read a
table or an index once, so the whole takes time in proportion to the file. The search index is compared with one made
anew (harvest/store/search.py).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harvest.lists import KINDS, Edge
from harvest.store.database import schema_as_shipped, without_comments
from harvest.store.edges import of_type
from harvest.store.entities import fold_tag
from harvest.store.outcomes import Tolerance
from harvest.store.search import differences
from harvest.verify.check import Check
from harvest.verify.choices import WISH_CHECKS
from harvest.verify.pages import PAGE_CHECKS, place_asked_for

SHOWN = 5  # contradictions told per check


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim with what contradicts it; nothing when it holds."""

    check: Check
    contradictions: int
    examples: tuple[str, ...]


_LEDGER = (
    Check(
        "schema",
        "every table, view, index and trigger is there as it was made",
        """
        SELECT x.value ->> 0 || ' ' || (x.value ->> 1) || iif(s.name IS NULL, ' is missing', ' was changed')
        FROM json_each(schema_as_shipped()) AS x
        LEFT JOIN sqlite_schema AS s ON s.type = x.value ->> 0 AND s.name = x.value ->> 1
        WHERE s.name IS NULL OR without_comments(s.sql) <> x.value ->> 2
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
        "pages.numbers",
        "the pages of a list are numbered without holes, and the ledger knows how many there are",
        """
        SELECT t.kind || ' ' || t.subject_id || ': ' || count(p.id) || ' pages, ledger says ' || t.pages_read
        FROM tasks AS t LEFT JOIN pages AS p ON p.task_id = t.id AND p.reading = t.reading
        GROUP BY t.id
        HAVING count(p.id) <> t.pages_read OR coalesce(max(p.number) + 1, 0) <> t.pages_read
        """,
    ),
    Check(
        "pages.kept",
        "what the pages of a list kept adds up to what the ledger says was collected",
        """
        SELECT t.kind || ' ' || t.subject_id || ': pages kept ' || sum(p.kept) || ', ledger says ' || t.collected
        FROM tasks AS t JOIN pages AS p ON p.task_id = t.id
        JOIN list_kinds AS k ON k.kind = t.kind AND k.subject <> 'harvest'
        GROUP BY t.id HAVING sum(p.kept) <> t.collected
        """,
    ),
    Check(
        "pages.skipped",
        "what the pages of a list skipped adds up to what the ledger says",
        """
        SELECT t.kind || ' ' || t.subject_id || ': pages skipped ' || sum(p.skipped) || ', ledger says ' || t.skipped
        FROM tasks AS t JOIN pages AS p ON p.task_id = t.id
        GROUP BY t.id HAVING sum(p.skipped) <> t.skipped
        """,
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
        " WHERE kept + skipped > received OR kept < 0 OR skipped < 0",
    ),
    Check(
        "pages.cursor",
        "a list goes on where its last page said, or was cut",
        """
        SELECT t.kind || ' ' || t.subject_id || ': goes on at ' || coalesce(t.next_cursor, 'nothing')
            || ', its last page says ' || coalesce(p.next_cursor, 'nothing')
        FROM tasks AS t JOIN pages AS p
            ON p.task_id = t.id AND p.reading = t.reading AND p.number = t.pages_read - 1
        WHERE t.next_cursor IS NOT p.next_cursor
        """,
    ),
    Check(
        "ledger.unread",
        "a list without pages has collected nothing",
        "SELECT kind || ' ' || subject_id || ': ' || collected || ' collected without a page' FROM tasks"
        " WHERE pages_read = 0 AND (collected <> 0 OR outcome IN ('complete', 'short', 'capped', 'loop'))",
    ),
    Check(
        "ledger.ended_open",
        "a list that the service ended has no next page",
        """
        SELECT t.kind || ' ' || t.subject_id || ' is ' || t.outcome || ' but goes on at ' || t.next_cursor
        FROM tasks AS t JOIN list_kinds AS k ON k.kind = t.kind
        WHERE t.outcome IN ('complete', 'short') AND t.next_cursor IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM pages AS p WHERE p.task_id = t.id AND p.number = t.pages_read - 1
                AND p.received = 0)
        """,
    ),
    Check(
        "ledger.capped",
        "a capped list holds as much as the largest cap asked for (more where caps were larger once)",
        """
        SELECT t.kind || ' ' || t.subject_id || ' is capped at ' || t.collected || ', wanted ' || max(w.cap)
        FROM tasks AS t JOIN harvest_tasks AS w ON w.task_id = t.id
            JOIN harvests AS h ON h.id = w.harvest_id AND h.state = 'drained'
        WHERE t.outcome = 'capped'
        GROUP BY t.id HAVING max(w.cap) IS NULL OR t.collected < max(w.cap)
        """,
    ),
    Check(
        "ledger.failed",
        "what failed, is gone, forbidden or unreadable has its reason in failures, of that very class",
        """
        SELECT t.kind || ' ' || t.subject_id || ' is ' || t.outcome || ' without a reason'
        FROM tasks AS t
        WHERE t.outcome IN ('gone', 'forbidden', 'unreadable', 'failed')
            AND NOT EXISTS (
                SELECT 1 FROM failures AS f
                WHERE f.task_id = t.id AND f.resolved_at IS NULL AND f.class <> 'unsupported_urn' AND t.outcome = CASE
                    f.class WHEN 'gone' THEN 'gone' WHEN 'forbidden' THEN 'forbidden'
                    WHEN 'unexpected_reply' THEN 'unreadable' ELSE 'failed' END
            )
        """,
    ),
    Check(
        "failures.resolved",
        "what went wrong with a list that ended well after all is resolved",
        """
        SELECT t.kind || ' ' || t.subject_id || ' is ' || t.outcome || ', yet ' || f.class || ' stands'
        FROM failures AS f JOIN tasks AS t ON t.id = f.task_id
        WHERE f.resolved_at IS NULL AND f.class <> 'unsupported_urn'
            AND t.outcome IN ('complete', 'short', 'capped', 'loop')
        """,
    ),
    Check(
        "harvests.drained",
        "a drained harvest has nothing open, but for what another one has taken up again that is not drained",
        """
        SELECT 'harvest ' || h.id || ': ' || t.kind || ' ' || t.subject_id || ' is ' || t.state
        FROM tasks AS t JOIN harvest_tasks AS w ON w.task_id = t.id
            JOIN harvests AS h ON h.id = w.harvest_id AND h.state = 'drained'
        WHERE t.state <> 'ended' AND NOT EXISTS (
            SELECT 1 FROM harvest_tasks AS v JOIN harvests AS o ON o.id = v.harvest_id AND o.state <> 'drained'
            WHERE v.task_id = t.id
        )
        """,
    ),
    Check(
        "harvests.seed",
        "a harvest has its seed's track, and wants its likers and reposters",
        """
        SELECT 'harvest ' || h.id || ' does not want both lists of track ' || coalesce(h.seed_id, 'nothing')
        FROM harvests AS h
        WHERE h.state = 'drained' AND 2 <> (
            SELECT count(*) FROM harvest_tasks AS w JOIN tasks AS t ON t.id = w.task_id
            WHERE w.harvest_id = h.id AND t.subject_id = h.seed_id AND t.kind IN ('track_likers', 'track_reposters')
        )
        """,
    ),
    Check(
        "harvests.followed",
        "a drained harvest follows as many people around its seed as its bound allows",
        """
        SELECT 'harvest ' || id || ' follows ' || followed || ' of ' || people
        FROM (
            SELECT h.id, json_extract(h.options, '$.max_users') AS bound,
                (
                    SELECT count(w.listed_rank) FROM harvest_tasks AS w JOIN tasks AS t ON t.id = w.task_id
                    WHERE w.harvest_id = h.id AND w.depth = 1 AND t.kind = 'user_likes'
                ) AS followed,
                (
                    SELECT count(DISTINCT e.user_id) FROM user_engagements AS e
                    WHERE e.track_id = h.seed_id AND e.track_list_rank >= 0
                        AND e.track_list_rank < json_extract(h.options, '$.max_listed')
                ) AS people
            FROM harvests AS h
            WHERE h.state = 'drained' AND NOT EXISTS (
                SELECT 1 FROM tasks AS t
                WHERE t.subject_id = h.seed_id AND t.outcome = 'failed' AND (
                    t.kind = 'track_likers'
                    OR t.kind = 'track_reposters' AND json_extract(h.options, '$.order') <> 'newest'
                )
            )
        )
        WHERE followed < min(bound, people)
        """,
    ),
    Check(
        "harvests.chance",
        "who was drawn around a track had the chance of all drawn there: the bound by the number of people listed",
        """
        WITH drawn AS (
            SELECT w.harvest_id, p.subject_id AS track_id, count(*) AS n, min(w.chance) AS low, max(w.chance) AS high,
                json_extract(h.options, '$.max_users') AS bound, json_extract(h.options, '$.max_listed') AS cap
            FROM harvests AS h
            JOIN harvest_tasks AS w ON w.harvest_id = h.id AND w.chance IS NOT NULL
            JOIN tasks AS p ON p.id = w.parent_task_id
            WHERE h.state = 'drained'
            GROUP BY w.harvest_id, p.subject_id
        )
        SELECT 'harvest ' || harvest_id || ', track ' || track_id || ': ' || low || ' to ' || high || ' of ' || people
        FROM (
            SELECT d.*, (
                SELECT count(DISTINCT e.user_id) FROM user_engagements AS e
                WHERE e.track_id = d.track_id AND e.track_list_rank >= 0 AND e.track_list_rank < d.cap
            ) AS people
            FROM drawn AS d
        )
        WHERE low <> high OR n > people OR abs(low - min(1.0, bound * 1.0 / max(people, 1))) > 1e-9
        """,
    ),
    Check(
        "harvests.wanted",
        "every list is wanted by a harvest",
        "SELECT kind || ' ' || subject_id || ' is wanted by nobody' FROM tasks AS t"
        " WHERE NOT EXISTS (SELECT 1 FROM harvest_tasks AS w WHERE w.task_id = t.id)",
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
    Check(
        "edges.ranked",
        "every like and repost was seen in at least one list",
        "SELECT 'user ' || user_id || ', track ' || track_id || ': ' || engagement_type || ' of no list'"
        " FROM user_engagements WHERE user_list_rank IS NULL AND track_list_rank IS NULL",
    ),
    Check(
        "edges.provenance",
        "every like and repost comes from a page of a list of its user or its track, the one that holds its rank",
        """
        SELECT 'user ' || e.user_id || ', track ' || e.track_id || ': came with page ' || p.number || ' of ' || t.kind
            || ' ' || t.subject_id
        FROM user_engagements AS e
        JOIN pages AS p ON p.id = e.first_page_id
        JOIN tasks AS t ON t.id = p.task_id
        JOIN list_kinds AS k ON k.kind = t.kind
        WHERE t.subject_id <> CASE k.subject WHEN 'user' THEN e.user_id ELSE e.track_id END
            OR p.reading = 0
                AND coalesce(CASE k.subject WHEN 'user' THEN e.user_list_rank ELSE e.track_list_rank END, -1)
                NOT BETWEEN p.first_rank AND p.first_rank + p.kept - 1
        """,
    ),
    Check(
        "graph.seen_as",
        "what was only seen inside other objects has no zero count",
        "SELECT 'user ' || id FROM users WHERE seen_as = 'embedded' AND 0 IN (followers_count, followings_count,"
        " likes_given_count, reposts_given_count)",
    ),
    Check(
        "graph.status",
        "a user or a track is gone or forbidden if a list of theirs is, and only then",
        """
        WITH answered AS MATERIALIZED (
            SELECT k.subject, t.subject_id, t.kind, t.outcome
            FROM tasks AS t JOIN list_kinds AS k ON k.kind = t.kind
            WHERE t.outcome IN ('gone', 'forbidden')
        ), things AS (
            SELECT 'user' AS what, id, status FROM users UNION ALL SELECT 'track', id, status FROM tracks
        )
        SELECT what || ' ' || id || ' is ' || status FROM things
        WHERE status IN ('gone', 'forbidden') AND (what, id, status) NOT IN (
            SELECT subject, subject_id, outcome FROM answered
        )
        UNION ALL
        SELECT a.subject || ' ' || a.subject_id || ' is ok, but ' || a.kind || ' is ' || a.outcome
        FROM answered AS a
        WHERE EXISTS (SELECT 1 FROM users AS u WHERE a.subject = 'user' AND u.id = a.subject_id AND u.status = 'ok')
            OR EXISTS (SELECT 1 FROM tracks AS r WHERE a.subject = 'track' AND r.id = a.subject_id AND r.status = 'ok')
        """,
    ),
    Check(
        "graph.listed",
        "whoever was seen in a list stands in it",
        """
        SELECT 'user ' || u.id || ' is in no list' FROM users AS u
        WHERE u.seen_as = 'list' AND u.status <> 'forgotten'
            AND NOT EXISTS (SELECT 1 FROM user_engagements AS e WHERE e.user_id = u.id)
            AND NOT EXISTS (SELECT 1 FROM user_follows AS f WHERE f.follower_id = u.id)
            AND NOT EXISTS (SELECT 1 FROM user_follows AS f WHERE f.followee_id = u.id)
            AND NOT EXISTS (SELECT 1 FROM playlist_engagements AS p WHERE p.user_id = u.id)
        """,
    ),
    Check(
        "tags.folded",
        "every tag is folded as its name says",
        "SELECT 'tag ' || id || ': ' || name FROM tags WHERE folded <> fold_tag(name)",
    ),
)


SEARCH = Check("search.index", "the search index holds title, artist and tags of every track as they are", "")


def checks() -> Iterator[Check]:
    """Give every check: those of the ledger, and for each kind of list that its edges are those it says."""
    yield from _LEDGER
    yield from PAGE_CHECKS
    yield from WISH_CHECKS
    yield Check(
        "ledger.claims",
        "a complete list has what the service claimed, if it did, and a short one lacks it",
        """
        SELECT kind || ' ' || subject_id || ' is ' || outcome || ' with ' || collected || ' of '
            || coalesce(claimed, 'nothing claimed')
        FROM tasks
        WHERE outcome IN ('complete', 'short') AND is_short(claimed, collected) <> (outcome = 'short')
        """,
    )
    for kind in KINDS.values():
        if kind.edge is not None:
            yield _edges_check(kind.name, kind.edge)
    yield SEARCH


def _edges_check(kind: str, edge: Edge) -> Check:
    """Check one kind of list: as many ranked edges as collected, ranks from 0 without holes."""
    return Check(
        f"edges.{kind}",
        f"the edges of every list of kind {kind} are as many as the ledger says, ranked from 0 without holes",
        f"""
        WITH found AS (
            SELECT {edge.subject} AS subject_id, count(*) AS n, min({edge.rank}) AS low, max({edge.rank}) AS high,
                count(DISTINCT {edge.rank}) AS places
            FROM {edge.table}
            WHERE {edge.rank} IS NOT NULL {of_type(edge)}
            GROUP BY {edge.subject}
        )
        SELECT '{kind} ' || t.subject_id || ': ' || coalesce(f.n, 0) || ' edges, ranks '
            || coalesce(f.low || ' to ' || f.high, 'none') || ', ledger says ' || t.collected
        FROM tasks AS t LEFT JOIN found AS f ON f.subject_id = t.subject_id
        WHERE t.kind = '{kind}' AND t.reading = 0
            AND (coalesce(f.n, 0) <> t.collected OR f.low <> 0 OR f.high <> f.n - 1 OR f.places <> f.n)
        UNION ALL
        SELECT '{kind} ' || f.subject_id || ': ' || f.n || ' edges of a list that was never asked for'
        FROM found AS f
        WHERE NOT EXISTS (SELECT 1 FROM tasks AS t WHERE t.kind = '{kind}' AND t.subject_id = f.subject_id)
        """,  # noqa: S608 - built from our own declarations
    )


def verify(
    connection: sqlite3.Connection,
    *,
    tolerance: Tolerance | None = None,
    on_check: Callable[[str], None] = lambda name: None,
) -> Iterator[Finding]:
    """Run every check, SQLite's own first; `on_check` hears the name of each before it begins."""
    limit = tolerance or Tolerance()
    connection.create_function("fold_tag", 1, fold_tag, deterministic=True)
    connection.create_function("place_asked_for", 1, place_asked_for, deterministic=True)
    connection.create_function("schema_as_shipped", 0, lambda: json.dumps(schema_as_shipped()), deterministic=True)
    connection.create_function("without_comments", 1, without_comments, deterministic=True)
    connection.create_function(
        "is_short", 2, lambda claimed, got: int(limit.is_short(claimed, got)), deterministic=True
    )
    for check in (
        Check("sqlite.integrity", "SQLite finds the file sound", "PRAGMA integrity_check"),
        Check("sqlite.foreign_keys", "every reference leads to a row", "PRAGMA foreign_key_check"),
        *checks(),
    ):
        on_check(check.name)
        yield _find(connection, check)


def _find(connection: sqlite3.Connection, check: Check) -> Finding:
    n = 0
    examples: list[str] = []
    for row in differences(connection) if check is SEARCH else connection.execute(check.sql):
        text = " ".join(str(value) for value in row)
        if check.name == "sqlite.integrity" and text == "ok":
            continue
        n += 1
        if len(examples) < SHOWN:
            examples.append(text)
    return Finding(check, n, tuple(examples))
