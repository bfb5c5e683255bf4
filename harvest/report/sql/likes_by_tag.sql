-- The same for tags, those in `tags` alone, a JSON array of folded names.
WITH some AS MATERIALIZED (
    SELECT subject_id AS user_id
    FROM tasks
    WHERE kind = 'user_likes' AND outcome IS NOT NULL AND pages_read > 0
    ORDER BY subject_id * 2654435761 % 4294967296, subject_id
    LIMIT :people
),
framed AS MATERIALIZED (
    SELECT track_id FROM temp.heard WHERE is_frame
),
wanted AS MATERIALIZED (
    SELECT g.id, g.folded FROM json_each(:tags) AS n CROSS JOIN tags AS g ON g.folded = n.value
)
SELECT s.user_id, w.folded, count(DISTINCT e.track_id) AS likes
FROM some AS s
CROSS JOIN user_engagements AS e ON e.user_id = s.user_id
CROSS JOIN tracks AS t ON t.id = e.track_id
CROSS JOIN track_tags AS tt ON tt.track_id = e.track_id
CROSS JOIN wanted AS w ON w.id = tt.tag_id
WHERE e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL AND t.likes_count > 0
    AND e.track_id NOT IN (SELECT track_id FROM framed)
GROUP BY s.user_id, w.folded
ORDER BY s.user_id, w.folded;
