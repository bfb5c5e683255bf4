-- The seeds, with what each of them is. Titles of tracks and playlists, names of people.
SELECT
    h.id,
    h.seed_url,
    h.seed_kind,
    h.seed_id,
    coalesce(t.title, p.title, u.username) AS name,
    coalesce(t.permalink_url, p.permalink_url, u.permalink_url) AS url,
    a.username AS artist,
    a.permalink_url AS artist_url,
    t.likes_count,
    t.reposts_count,
    h.state,
    h.level,
    h.reason,
    h.options,
    h.started_at,
    h.finished_at
FROM harvests AS h
LEFT JOIN tracks AS t ON h.seed_kind = 'track' AND t.id = h.seed_id
LEFT JOIN playlists AS p ON h.seed_kind = 'playlist' AND p.id = h.seed_id
LEFT JOIN users AS u ON h.seed_kind = 'user' AND u.id = h.seed_id
LEFT JOIN users AS a ON a.id = coalesce(t.uploader_id, p.owner_id)
ORDER BY h.id;
