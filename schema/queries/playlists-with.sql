-- Which playlists hold a track?
--
-- :track  track = seed               the track; without a seed track, the one in most playlists
-- :limit  integer = 50               maximum rows
--
-- Only collected playlists can be found; a plain crawl collects none.
SELECT
    p.id AS playlist_id,
    p.title,
    u.username AS owner,
    min(s.position) AS position,
    p.track_count,
    p.likes_count,
    p.playlist_type,
    p.permalink_url
FROM playlist_tracks AS s
JOIN playlists AS p ON p.id = s.playlist_id
LEFT JOIN users AS u ON u.id = p.owner_id
WHERE s.track_id = coalesce(
    CAST(nullif(:track, '') AS INTEGER),
    (SELECT thing_id FROM seeds WHERE thing = 'track' ORDER BY id LIMIT 1),
    (
        SELECT track_id FROM playlist_tracks
        GROUP BY track_id ORDER BY count(DISTINCT playlist_id) DESC, track_id LIMIT 1
    )
)
GROUP BY p.id
ORDER BY p.likes_count DESC NULLS LAST, p.id
LIMIT CAST(coalesce(nullif(:limit, ''), 50) AS INTEGER);
