-- Who of the people who like the seed likes which of these tracks; of `people` of them at most, chosen by a number that
-- their id is scrambled to, so that the same file gives the same people. `tracks` is a JSON array of ids.
WITH some AS MATERIALIZED (
    SELECT user_id
    FROM user_engagements
    WHERE track_id = :seed AND engagement_type = 'like'
    ORDER BY user_id * 2654435761 % 4294967296, user_id
    LIMIT :people
)
SELECT e.user_id, e.track_id
FROM some AS s
CROSS JOIN user_engagements AS e ON e.user_id = s.user_id
WHERE e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
    AND e.track_id IN (SELECT value FROM json_each(:tracks))
ORDER BY e.user_id, e.track_id;
