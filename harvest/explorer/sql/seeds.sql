-- The things the file was crawled around, a row each, in the order in which they were given.
SELECT
    s.thing,
    s.thing_id,
    s.address,
    coalesce(t.title, u.username, p.title, w.title) AS name
FROM seeds AS s
LEFT JOIN tracks AS t ON s.thing = 'track' AND t.id = s.thing_id
LEFT JOIN users AS u ON s.thing = 'user' AND u.id = s.thing_id
LEFT JOIN playlists AS p ON s.thing = 'playlist' AND p.id = s.thing_id
LEFT JOIN stations AS w ON s.thing = 'station' AND w.id = s.thing_id
WHERE s.thing_id IS NOT NULL
ORDER BY s.id
LIMIT :most;
