-- The ledger by kind and by how lists ended, the looking up of seeds left out; kinds that were not asked for have no
-- outcome and no lists. One index holds all that have ended.
WITH stands AS (
    SELECT kind, outcome, collected, claimed FROM tasks WHERE outcome IS NOT NULL
    UNION ALL
    SELECT r.kind, r.state, r.collected, r.claimed
    FROM readings AS r JOIN tasks AS t ON t.id = r.task_id AND t.reading = r.number AND t.outcome IS NULL
    WHERE r.state <> 'ended'
)
SELECT
    k.kind,
    k.title,
    s.outcome,
    count(s.kind) AS lists,
    coalesce(sum(s.collected), 0) AS collected,
    CAST(sum(1.0 * s.claimed) AS INTEGER) AS claimed,
    coalesce(sum(s.collected) FILTER (WHERE s.claimed IS NOT NULL), 0) AS collected_of_claimed,
    coalesce(CAST(sum(1.0 * max(s.claimed - s.collected, 0)) AS INTEGER), 0) AS missing,
    count(s.kind) - count(s.claimed) AS without_claim,
    coalesce(max(s.collected), 0) AS longest
FROM list_kinds AS k
LEFT JOIN stands AS s ON s.kind = k.kind
WHERE k.subject NOT IN ('seed', 'batch')
GROUP BY k.kind, s.outcome
ORDER BY k.kind, s.outcome;
