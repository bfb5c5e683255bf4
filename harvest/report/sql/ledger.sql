-- The ledger by kind and by how lists ended, the looking up of seeds left out; kinds that nobody asked for have no
-- outcome and no lists. One index holds all of it.
SELECT
    k.kind,
    k.title,
    coalesce(t.outcome, t.state) AS outcome,
    count(t.kind) AS lists,
    coalesce(sum(t.collected), 0) AS collected,
    sum(t.claimed) AS claimed,
    coalesce(sum(t.collected) FILTER (WHERE t.claimed IS NOT NULL), 0) AS collected_of_claimed,
    coalesce(sum(max(t.claimed - t.collected, 0)), 0) AS missing,
    count(t.kind) - count(t.claimed) AS without_claim
FROM list_kinds AS k
LEFT JOIN tasks AS t ON t.kind = k.kind
WHERE k.subject <> 'harvest'
GROUP BY k.kind, t.outcome, t.state
ORDER BY k.kind, outcome;
