-- What did a search find?
--
-- :search text = last                its words or its address; by default the last search
-- :limit  integer = 200              maximum rows
--
-- In SoundCloud's order, `rank` 0 first. SoundCloud returns at most a thousand results and never reports how many there
-- are.
SELECT
    r.rank,
    r.thing_id AS id,
    r.thing,
    coalesce(t.title, p.title, u.username) AS title,
    coalesce(t.metadata_artist, o.username) AS by,
    coalesce(t.genre, p.genre) AS genre,
    coalesce(t.likes_count, p.likes_count) AS likes,
    u.followers_count AS followers,
    coalesce(t.permalink_url, p.permalink_url, u.permalink_url) AS permalink_url
FROM searches AS s
CROSS JOIN search_results AS r ON r.search_id = s.id
LEFT JOIN tracks AS t ON r.thing = 'track' AND t.id = r.thing_id
LEFT JOIN playlists AS p ON r.thing = 'playlist' AND p.id = r.thing_id
LEFT JOIN users AS u ON r.thing = 'user' AND u.id = r.thing_id
LEFT JOIN users AS o ON o.id = coalesce(t.uploader_id, p.owner_id)
WHERE s.id = (
    SELECT f.id FROM seeds AS d
    CROSS JOIN searches AS f ON f.id = d.thing_id AND d.thing = 'search_for_' || f.what
    WHERE coalesce(nullif(:search, ''), 'last') IN ('last', f.address, f.words)
    ORDER BY d.id DESC LIMIT 1
)
ORDER BY r.rank IS NULL, r.rank, r.thing_id
LIMIT CAST(coalesce(nullif(:limit, ''), 200) AS INTEGER);
