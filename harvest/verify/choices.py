"""Checks of what the harvests wanted and why: states, caps, the lists that led from one to the next, places."""

from __future__ import annotations

from harvest.lists import KINDS
from harvest.verify.check import Check

_CAPS = ", ".join(f"('{kind.name}', '$.{kind.cap}')" for kind in KINDS.values() if kind.cap)

WISH_CHECKS = (
    Check(
        "harvests.state",
        "a harvest is drained or failed as its seed was found or not, and since some moment",
        """
        SELECT 'harvest ' || h.id || ' is ' || h.state || ', the looking up of its seed ' || coalesce(t.outcome, 'open')
        FROM harvests AS h JOIN tasks AS t ON t.kind = 'resolve' AND t.subject_id = h.id
        WHERE h.state IN ('drained', 'failed') AND (t.outcome IS 'complete') <> (h.state = 'drained')
            OR h.state = 'failed' AND h.seed_id IS NOT NULL
        UNION ALL
        SELECT 'harvest ' || id || ' is ' || state || ' since nobody knows when' FROM harvests
        WHERE state IN ('drained', 'failed') AND finished_at IS NULL
        """,
    ),
    Check(
        "harvests.caps",
        "every list is wanted up to the bound that its harvest has for lists of its kind",
        f"""
        WITH named (kind, option) AS (VALUES {_CAPS}), bounds AS MATERIALIZED (
            SELECT h.id AS harvest_id, n.kind, json_extract(h.options, n.option) AS cap FROM harvests AS h, named AS n
        )
        SELECT 'harvest ' || w.harvest_id || ' wants ' || coalesce(w.cap, 'all') || ' of ' || t.kind || ' '
            || t.subject_id || ', its bound is ' || b.cap
        FROM harvest_tasks AS w
        JOIN tasks AS t ON t.id = w.task_id
        JOIN bounds AS b ON b.harvest_id = w.harvest_id AND b.kind = t.kind
        WHERE w.cap IS NOT b.cap AND b.cap IS NOT NULL
        """,  # noqa: S608 - built from our own declarations
    ),
    Check(
        "harvests.parents",
        "whatever a harvest wants was named by a list that it wants too, at no greater depth; its seed by none",
        """
        SELECT 'harvest ' || w.harvest_id || ', depth ' || w.depth || ': ' || t.kind || ' ' || t.subject_id
            || ' was named by ' || coalesce(p.kind || ' ' || p.subject_id, 'nothing')
        FROM harvest_tasks AS w
        JOIN tasks AS t ON t.id = w.task_id
        JOIN list_kinds AS k ON k.kind = t.kind
        LEFT JOIN tasks AS p ON p.id = w.parent_task_id
        LEFT JOIN list_kinds AS l ON l.kind = p.kind
        LEFT JOIN harvest_tasks AS v ON v.harvest_id = w.harvest_id AND v.task_id = w.parent_task_id
        WHERE CASE k.subject
            WHEN 'harvest' THEN w.depth <> 0 OR w.parent_task_id IS NOT NULL
            ELSE v.depth IS NULL OR v.depth > w.depth OR l.item <> k.subject OR CASE l.subject
                WHEN 'track' THEN NOT EXISTS (SELECT 1 FROM user_engagements AS e WHERE e.user_id = t.subject_id
                    AND e.track_id = p.subject_id AND e.track_list_rank IS NOT NULL)
                WHEN 'user' THEN NOT EXISTS (SELECT 1 FROM user_engagements AS e WHERE e.user_id = p.subject_id
                    AND e.track_id = t.subject_id AND e.user_list_rank IS NOT NULL)
                ELSE 0 END
            END
        """,
    ),
    Check(
        "harvests.places",
        "the tracks that a harvest spills at one depth, and the people whom it draws around one track, have places of"
        " their own",
        """
        SELECT 'harvest ' || w.harvest_id || ', depth ' || w.depth || ': ' || count(*) || ' of ' || t.kind
            || ' have place ' || w.listed_rank
        FROM harvest_tasks AS w
        JOIN tasks AS t ON t.id = w.task_id AND t.kind IN ('track_likers', 'track_reposters')
        WHERE w.listed_rank IS NOT NULL
        GROUP BY w.harvest_id, w.depth, t.kind, w.listed_rank HAVING count(*) > 1
        UNION ALL
        SELECT 'harvest ' || w.harvest_id || ': ' || t.kind || ' of its seed has no place'
        FROM harvest_tasks AS w
        JOIN tasks AS t ON t.id = w.task_id AND t.kind IN ('track_likers', 'track_reposters')
        WHERE w.depth = 1 AND w.listed_rank IS NOT 0
        UNION ALL
        SELECT 'harvest ' || w.harvest_id || ', track ' || p.subject_id || ': ' || count(*) || ' people have place '
            || w.listed_rank
        FROM harvests AS h
        JOIN harvest_tasks AS w ON w.harvest_id = h.id AND w.listed_rank IS NOT NULL
        JOIN tasks AS t ON t.id = w.task_id AND t.kind = 'user_likes'
        JOIN tasks AS p ON p.id = w.parent_task_id
        WHERE h.state = 'drained' AND json_extract(h.options, '$.order') <> 'newest'
        GROUP BY w.harvest_id, p.subject_id, w.listed_rank HAVING count(*) > 1
        """,
    ),
    Check(
        "harvests.listed",
        "who is followed as listed has the place of the list that led there: likers first, then other reposters",
        """
        WITH lists AS MATERIALIZED (
            SELECT w.harvest_id, w.task_id, t.subject_id AS track_id, w.cap,
                json_extract(h.options, '$.max_users') AS bound,
                CASE t.kind WHEN 'track_likers' THEN 'like' ELSE 'repost' END AS type
            FROM harvests AS h
            JOIN harvest_tasks AS w ON w.harvest_id = h.id
            JOIN tasks AS t ON t.id = w.task_id AND t.kind IN ('track_likers', 'track_reposters')
            WHERE h.state = 'drained' AND json_extract(h.options, '$.order') = 'newest'
        ), people AS (
            SELECT l.harvest_id, l.task_id, l.bound, e.user_id, row_number() OVER (
                PARTITION BY l.harvest_id, l.track_id ORDER BY l.type, e.track_list_rank
            ) - 1 AS place
            FROM lists AS l
            JOIN user_engagements AS e ON e.track_id = l.track_id AND e.engagement_type = l.type
                AND e.track_list_rank >= 0 AND e.track_list_rank < l.cap
            WHERE l.type = 'like' OR NOT EXISTS (
                SELECT 1 FROM user_engagements AS b WHERE b.user_id = e.user_id AND b.track_id = e.track_id
                    AND b.engagement_type = 'like' AND b.track_list_rank < l.cap
            )
        )
        SELECT 'harvest ' || p.harvest_id || ': user ' || p.user_id || ' has place ' || coalesce(w.listed_rank, 'none')
            || ', not ' || p.place
        FROM people AS p
        JOIN tasks AS t ON t.kind = 'user_likes' AND t.subject_id = p.user_id AND t.argument = ''
        JOIN harvest_tasks AS w ON w.harvest_id = p.harvest_id AND w.task_id = t.id AND w.parent_task_id = p.task_id
        WHERE p.place < p.bound AND w.listed_rank IS NOT p.place
        """,
    ),
)
