-- How many tracks of each genre some people like, of those whose count the service gives, frames left out: from this
-- follows how far people are from the share that all of them have. `people` at most, chosen by their scrambled ids.
WITH some AS MATERIALIZED (
    SELECT subject_id AS user_id
    FROM tasks
    WHERE kind = 'user_likes' AND outcome IS NOT NULL AND pages_read > 0
    ORDER BY subject_id * 2654435761 % 4294967296, subject_id
    LIMIT :people
),
framed AS MATERIALIZED (
    SELECT track_id FROM temp.heard WHERE is_frame
)
SELECT
    s.user_id,
    replace(replace(replace(lower(coalesce(t.genre, '')), ' ', ''), '-', ''), '_', '') AS folded,
    count(*) AS likes
FROM some AS s
CROSS JOIN user_engagements AS e ON e.user_id = s.user_id
CROSS JOIN tracks AS t ON t.id = e.track_id
WHERE e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL AND t.likes_count > 0
    AND e.track_id NOT IN (SELECT track_id FROM framed)
GROUP BY s.user_id, folded
ORDER BY s.user_id, folded;
