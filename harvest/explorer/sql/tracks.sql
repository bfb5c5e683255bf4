-- What a page says of each of its tracks, in the order in which their ids were given.
SELECT
    t.title,
    coalesce(t.metadata_artist, a.username) AS artist,
    t.permalink_url,
    t.duration_ms,
    t.genre,
    t.bpm,
    substr(t.created_at, 1, 10) AS uploaded_on,
    t.likes_count
FROM json_each(:ids) AS wanted
CROSS JOIN tracks AS t ON t.id = wanted.value
LEFT JOIN users AS a ON a.id = t.uploader_id
ORDER BY wanted.key;
