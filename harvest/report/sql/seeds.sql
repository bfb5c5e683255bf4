-- The seeds of every harvest, with what each of them is. Titles of tracks, playlists and stations, names of people; a
-- search is called what it asks. A harvest of several seeds has several rows, `place` 0 first; `seeds` says how many.
SELECT
    row_number() OVER (ORDER BY c.harvest_id, c.place) AS id,
    c.harvest_id,
    c.place,
    count(*) OVER (PARTITION BY c.harvest_id) AS seeds,
    s.address AS seed_url,
    s.thing AS seed_kind,
    s.thing_id AS seed_id,
    coalesce(t.title, p.title, u.username, n.title, f.words) AS name,
    coalesce(t.permalink_url, p.permalink_url, u.permalink_url, n.permalink_url, f.permalink_url) AS url,
    a.username AS artist,
    a.permalink_url AS artist_url,
    t.likes_count,
    t.reposts_count,
    h.state,
    h.level,
    coalesce(s.reason, h.reason) AS reason,
    h.options,
    h.started_at,
    h.finished_at
FROM harvest_seeds AS c
JOIN harvests AS h ON h.id = c.harvest_id
JOIN seeds AS s ON s.id = c.seed_id
LEFT JOIN tracks AS t ON s.thing = 'track' AND t.id = s.thing_id
LEFT JOIN playlists AS p ON s.thing = 'playlist' AND p.id = s.thing_id
LEFT JOIN stations AS n ON s.thing = 'station' AND n.id = s.thing_id
LEFT JOIN searches AS f ON s.thing = 'search_for_' || f.what AND f.id = s.thing_id
LEFT JOIN users AS u ON s.thing = 'user' AND u.id = s.thing_id
LEFT JOIN users AS a ON a.id = coalesce(t.uploader_id, p.owner_id)
ORDER BY c.harvest_id, c.place;
