-- What each harvest wanted, level by level.
SELECT harvest_id, depth, kind, lists, open, complete, capped, short, unanswered, broken
FROM seed_coverage
WHERE kind NOT IN ('resolve', 'lookup')
ORDER BY harvest_id, depth, kind;
