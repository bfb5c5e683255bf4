-- The uploaders whose tracks they like most, with how many different people that is. People are counted for these few
-- uploaders alone, by their tracks.
SELECT
    a.uploader_id AS artist_id,
    u.username AS artist,
    u.permalink_url AS artist_url,
    a.tracks,
    a.likes,
    (
        SELECT count(DISTINCT e.user_id)
        FROM tracks AS t
        CROSS JOIN user_engagements AS e ON e.track_id = t.id
        WHERE t.uploader_id = a.uploader_id AND e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
            AND t.id NOT IN (SELECT track_id FROM temp.heard WHERE is_frame)
    ) AS people,
    u.followers_count,
    a.counted_likes,
    a.likes_count
FROM (
    SELECT
        uploader_id,
        count(*) AS tracks,
        sum(likes) AS likes,
        coalesce(sum(likes) FILTER (WHERE likes_count IS NOT NULL), 0) AS counted_likes,
        CAST(sum(1.0 * likes_count) AS INTEGER) AS likes_count
    FROM temp.heard
    WHERE NOT is_frame AND uploader_id IS NOT NULL
    GROUP BY uploader_id
    ORDER BY likes DESC, uploader_id
    LIMIT :rows
) AS a
LEFT JOIN users AS u ON u.id = a.uploader_id
ORDER BY a.likes DESC, a.uploader_id;
