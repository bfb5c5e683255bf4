-- The tracks most of them like.
SELECT h.track_id, t.title, t.permalink_url, u.username AS artist, u.permalink_url AS artist_url, h.likes, h.likes_count
FROM (
    SELECT track_id, uploader_id, likes, likes_count FROM temp.heard WHERE NOT is_frame
    ORDER BY likes DESC, track_id LIMIT :rows
) AS h
JOIN tracks AS t ON t.id = h.track_id
LEFT JOIN users AS u ON u.id = h.uploader_id
ORDER BY h.likes DESC, h.track_id;
