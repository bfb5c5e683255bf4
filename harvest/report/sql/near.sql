-- The tracks that most people who like the seed like as well, among those whose likes were read.
SELECT c.track_id, c.common, t.title, t.permalink_url, t.uploader_id, u.username AS artist, u.permalink_url AS artist_url,
    nullif(t.likes_count, 0) AS likes_count, t.genre
FROM (
    SELECT other.track_id, count(*) AS common
    FROM user_engagements AS mine
    CROSS JOIN user_engagements AS other ON other.user_id = mine.user_id
    WHERE mine.track_id = :seed AND mine.engagement_type = 'like'
        AND other.engagement_type = 'like' AND other.user_list_rank IS NOT NULL AND other.track_id <> :seed
    GROUP BY other.track_id
    ORDER BY common DESC, other.track_id
    LIMIT :rows
) AS c
JOIN tracks AS t ON t.id = c.track_id
LEFT JOIN users AS u ON u.id = t.uploader_id
ORDER BY c.common DESC, c.track_id;
