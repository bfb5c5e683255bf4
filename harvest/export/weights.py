"""Give each exported user their sampling weight: how they were chosen, with which chance, and how much of their list
was read. In: a selection. Out: its table `weights`. Never: a number that the file does not hold.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from harvest.analysis.eligible_lists import FRAMES

TABLE = """
CREATE TABLE weights (                  -- how people who are left were sampled
    id          INTEGER PRIMARY KEY,
    chance      REAL,                   -- with which they were to be chosen; NULL: not known, `reason` says why
    reason      TEXT,
    listed_rank INTEGER,                -- place among those chosen with them
    depth       INTEGER,
    design      TEXT NOT NULL,          -- how they were chosen
    seed_kind   TEXT,                   -- of the harvest that chose them; NULL: it has several seeds
    outcome     TEXT,                   -- of their list of likes
    claimed     INTEGER,                -- likes that the service claimed of it
    likes_read  INTEGER                 -- likes it holds here
);
"""

# Of several harvests, the oldest that knows a chance, else the oldest. Who was not visited has no row in `chosen`.
FILL = """
INSERT INTO weights
WITH controlled AS MATERIALIZED (   -- tracks around which a control sample was drawn beside those whom a rule chose
    SELECT DISTINCT v.harvest_id, p.subject_id AS track_id
    FROM harvests AS h
    JOIN visits AS v INDEXED BY visits_by_round
        ON v.harvest_id = h.id AND v.round = 1 AND v.thing = 'user' AND v.place IS NOT NULL AND v.chance < 1
    JOIN tasks AS p ON p.id = v.parent_task_id
    WHERE coalesce(h.last_options, h.options) ->> 'order' NOT IN ('random', 'walk')
),
chosen AS (
    SELECT
        p.id,
        v.chance,
        v.place,
        v.depth,
        v.round,
        coalesce(coalesce(h.last_options, h.options) ->> 'order', 'newest') AS rule,
        h.seed_kind,
        EXISTS (
            SELECT 1 FROM controlled AS k JOIN tasks AS t ON t.subject_id = k.track_id
            WHERE k.harvest_id = v.harvest_id AND t.id = v.parent_task_id
        ) AS is_controlled,
        row_number() OVER (PARTITION BY p.id ORDER BY v.chance IS NULL, v.harvest_id) AS choice
    FROM people AS p
    CROSS JOIN visits AS v ON v.thing_id = p.id AND v.thing = 'user'
    CROSS JOIN harvests AS h ON h.id = v.harvest_id
)
SELECT
    p.id,
    c.chance,
    CASE
        WHEN c.chance IS NOT NULL THEN NULL
        WHEN c.id IS NULL THEN 'not followed'
        WHEN c.round = 0 THEN 'a seed'
        WHEN c.place IS NULL THEN 'left from an earlier choice'
        WHEN c.rule <> 'random' THEN 'not drawn by lot'
        ELSE 'a list that names people could not be read'
    END,
    c.place,
    c.depth,
    CASE
        WHEN c.id IS NULL THEN 'not followed'
        WHEN c.round = 0 THEN 'seed'
        WHEN c.chance = 1 AND NOT c.is_controlled THEN 'everybody'
        WHEN c.chance < 1 AND c.rule <> 'random' AND c.rule <> 'walk' THEN 'control'
        ELSE c.rule
    END,
    c.seed_kind,
    l.outcome,
    l.claimed,
    CASE WHEN l.outcome IS NOT NULL THEN l.collected END
FROM people AS p
LEFT JOIN chosen AS c ON c.id = p.id AND c.choice = 1
LEFT JOIN tasks AS l ON l.kind = 'user_likes' AND l.subject_id = p.id
"""

# `things` are tracks that are left.
_FRAMED = f"UPDATE things SET frame = 1 WHERE id IN (SELECT track_id FROM ({FRAMES}))"  # noqa: S608 - our own words


def mark_frames(connection: sqlite3.Connection, which: str) -> int:
    """Mark the tracks for which people were chosen, as far as `which` (see FRAMINGS) counts them; give how many."""
    return connection.execute(_FRAMED, {"which": which}).rowcount


def designs(connection: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    """Count people by how they were chosen, with how many chances are known and why others are not."""
    found: dict[str, dict[str, Any]] = {}
    for design, people, known in connection.execute(
        "SELECT design, count(*), count(chance) FROM weights GROUP BY design ORDER BY design"
    ):
        found[design] = {"people": people, "with a chance": known}
    for design, reason, people in connection.execute(
        "SELECT design, reason, count(*) FROM weights WHERE chance IS NULL GROUP BY 1, 2 ORDER BY 1, 2"
    ):
        found[design].setdefault("without, since", {})[reason] = people
    return found
