-- Which tracks are in the same playlists as a track?
--
-- :track     track = seed            the track; without a seed track, the one in most playlists
-- :at_least  integer = 1             minimum number of shared playlists
-- :limit     integer = 20            maximum rows
--
-- `steps` is the smallest distance of the two in any of these playlists; 1 is adjacent. Only collected playlists count;
-- a plain crawl collects none.
WITH
given AS (
    SELECT coalesce(
        CAST(nullif(:track, '') AS INTEGER),
        (SELECT thing_id FROM seeds WHERE thing = 'track' ORDER BY id LIMIT 1),
        (
            SELECT track_id FROM playlist_tracks
            GROUP BY track_id ORDER BY count(DISTINCT playlist_id) DESC, track_id LIMIT 1
        )
    ) AS track_id
),
near AS MATERIALIZED (
    SELECT o.track_id, count(DISTINCT o.playlist_id) AS playlists, min(abs(o.position - m.position)) AS steps
    FROM playlist_tracks AS m
    CROSS JOIN playlist_tracks AS o ON o.playlist_id = m.playlist_id
    WHERE m.track_id = (SELECT track_id FROM given) AND o.track_id <> m.track_id
    GROUP BY o.track_id
    HAVING count(DISTINCT o.playlist_id) >= CAST(coalesce(nullif(:at_least, ''), 1) AS INTEGER)
    ORDER BY playlists DESC, steps, o.track_id
    LIMIT CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER)
)
SELECT n.track_id, x.title, x.artist, n.playlists, n.steps, t.likes_count, t.permalink_url
FROM near AS n
CROSS JOIN tracks AS t ON t.id = n.track_id
CROSS JOIN track_texts AS x ON x.track_id = n.track_id
ORDER BY n.playlists DESC, n.steps, n.track_id;
