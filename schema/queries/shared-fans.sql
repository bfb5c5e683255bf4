-- Which artists share their fans with an artist?
--
-- :artist    user = seed             the artist; by default the artist of the default track of co-likes
-- :at_least  integer = 2             minimum number of shared fans
-- :limit     integer = 20            maximum rows
--
-- An artist is a person who uploaded a track in this file; a fan is a person who likes one of these tracks here. In a
-- file with one seed, nearly all people are fans of the seed's artist, so compare `share_of_theirs` with the number.
WITH
given AS (
    SELECT coalesce(
        CAST(nullif(:artist, '') AS INTEGER),
        (
            SELECT t.uploader_id FROM seeds AS s JOIN tracks AS t ON t.id = s.thing_id
            WHERE s.thing = 'track' AND t.uploader_id IS NOT NULL ORDER BY s.id LIMIT 1
        ),
        (
            SELECT t.uploader_id FROM tasks AS l JOIN tracks AS t ON t.id = l.subject_id
            WHERE l.kind = 'track_likers' AND l.collected > 0 AND t.uploader_id IS NOT NULL
            ORDER BY l.collected DESC, l.subject_id LIMIT 1
        )
    ) AS artist_id
),
fans AS MATERIALIZED (
    SELECT DISTINCT e.user_id
    FROM tracks AS t
    CROSS JOIN user_engagements AS e ON e.track_id = t.id AND e.engagement_type = 'like'
    WHERE t.uploader_id = (SELECT artist_id FROM given)
),
shared AS MATERIALIZED (
    SELECT t.uploader_id AS artist_id, count(DISTINCT f.user_id) AS shared_fans, count(DISTINCT t.id) AS tracks
    FROM fans AS f
    CROSS JOIN user_engagements AS e ON e.user_id = f.user_id AND e.engagement_type = 'like'
    CROSS JOIN tracks AS t ON t.id = e.track_id
    WHERE t.uploader_id <> (SELECT artist_id FROM given)
    GROUP BY t.uploader_id
    HAVING count(DISTINCT f.user_id) >= CAST(coalesce(nullif(:at_least, ''), 2) AS INTEGER)
    ORDER BY shared_fans DESC, t.uploader_id
    LIMIT CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER)
),
counted AS MATERIALIZED (
    SELECT s.*, (
        SELECT count(DISTINCT e.user_id)
        FROM tracks AS t CROSS JOIN user_engagements AS e ON e.track_id = t.id AND e.engagement_type = 'like'
        WHERE t.uploader_id = s.artist_id
    ) AS fans_here
    FROM shared AS s
)
SELECT
    c.artist_id,
    u.username AS artist,
    c.shared_fans,
    c.fans_here,
    round(1.0 * c.shared_fans / c.fans_here, 3) AS share_of_theirs,
    round(1.0 * c.shared_fans / (SELECT count(*) FROM fans), 3) AS share_of_ours,
    c.tracks AS tracks_they_like,
    u.followers_count,
    u.permalink_url
FROM counted AS c
JOIN users AS u ON u.id = c.artist_id
ORDER BY c.shared_fans DESC, c.artist_id;
