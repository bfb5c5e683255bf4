-- The same where most people here like the seed, as around a single one: what all like, which temp.heard has counted, less
-- what the few like who do not like the seed.
WITH
others AS MATERIALIZED (
    SELECT l.subject_id AS user_id
    FROM tasks AS l
    WHERE l.kind = 'user_likes' AND NOT EXISTS (
        SELECT 1 FROM user_engagements AS e
        WHERE e.track_id = :seed AND e.user_id = l.subject_id AND e.engagement_type = 'like'
    )
),
theirs AS MATERIALIZED (
    SELECT e.track_id, count(*) AS likes
    FROM others AS o
    CROSS JOIN user_engagements AS e ON e.user_id = o.user_id
    WHERE e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
    GROUP BY e.track_id
)
SELECT c.track_id, c.common, t.title, t.permalink_url, t.uploader_id, u.username AS artist, u.permalink_url AS artist_url,
    nullif(t.likes_count, 0) AS likes_count, t.genre
FROM (
    SELECT h.track_id, h.likes - coalesce(x.likes, 0) AS common
    FROM temp.heard AS h LEFT JOIN theirs AS x ON x.track_id = h.track_id
    WHERE h.track_id <> :seed AND h.likes > coalesce(x.likes, 0)
    ORDER BY common DESC, h.track_id
    LIMIT :rows
) AS c
JOIN tracks AS t ON t.id = c.track_id
LEFT JOIN users AS u ON u.id = t.uploader_id
ORDER BY c.common DESC, c.track_id;
