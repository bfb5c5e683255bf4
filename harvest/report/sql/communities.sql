-- The largest communities of tracks, as `harvest analyze` found them: of each so many tracks that the people followed
-- like, their likes, the most frequent genre, and the three tracks most liked, a row each.
WITH placed AS MATERIALIZED (
    SELECT c.community, h.track_id, h.likes, h.genre
    FROM temp.heard AS h
    CROSS JOIN track_communities AS c ON c.track_id = h.track_id AND c.method = 'leiden_tracks'
    WHERE NOT h.is_frame
),
sizes AS MATERIALIZED (
    SELECT community, count(*) AS tracks, sum(likes) AS likes, count(nullif(genre, '')) AS with_genre
    FROM placed
    GROUP BY community
    ORDER BY community
    LIMIT :rows
),
genres AS (
    SELECT
        community, genre, count(*) AS tracks,
        row_number() OVER (PARTITION BY community ORDER BY count(*) DESC, genre) AS place
    FROM placed
    WHERE genre <> ''
    GROUP BY community, genre
),
ranked AS (
    SELECT
        community, track_id,
        row_number() OVER (PARTITION BY community ORDER BY likes DESC, track_id) AS place
    FROM placed
)
SELECT
    s.community,
    s.tracks,
    s.likes,
    m.genre,
    1.0 * m.tracks / s.with_genre AS of_genre,
    t.title,
    t.permalink_url AS url,
    u.username AS artist,
    u.permalink_url AS artist_url
FROM sizes AS s
CROSS JOIN ranked AS r ON r.community = s.community AND r.place <= 3
CROSS JOIN tracks AS t ON t.id = r.track_id
LEFT JOIN users AS u ON u.id = t.uploader_id
LEFT JOIN genres AS m ON m.community = s.community AND m.place = 1
ORDER BY s.community, r.place;
