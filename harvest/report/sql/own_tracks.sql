-- The tracks that are liked here far more than the service's own counts would lead one to expect; `least` keeps out
-- those whose few likes may be chance. The ratio is rounded, so that equal ones are in the order of their ids.
SELECT h.track_id, t.title, t.permalink_url, u.username AS artist, u.permalink_url AS artist_url, h.likes, h.likes_count
FROM (
    SELECT track_id, uploader_id, likes, likes_count FROM temp.heard
    WHERE NOT is_frame AND likes >= :least AND likes_count IS NOT NULL
    ORDER BY round(1.0 * likes / likes_count, 9) DESC, likes DESC, track_id LIMIT :rows
) AS h
JOIN tracks AS t ON t.id = h.track_id
LEFT JOIN users AS u ON u.id = h.uploader_id
ORDER BY round(1.0 * h.likes / h.likes_count, 9) DESC, h.likes DESC, h.track_id;
