-- Which tracks do most people here like, compared with the likes SoundCloud counts?
--
-- :limit  integer = 20               maximum rows
--
-- A seed comes first in its own file, because its likers are how people were found. `of_all` is likes here divided by
-- SoundCloud's count. Reads the index of all likes once.
WITH top AS MATERIALIZED (
    SELECT track_id, count(*) FILTER (WHERE engagement_type = 'like') AS likes_here
    FROM user_engagements
    GROUP BY track_id
    HAVING likes_here > 0
    ORDER BY likes_here DESC, track_id
    LIMIT CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER)
)
SELECT
    p.track_id,
    x.title,
    x.artist,
    p.likes_here,
    t.likes_count,
    round(1.0 * p.likes_here / nullif(t.likes_count, 0), 4) AS of_all,
    t.genre,
    t.permalink_url
FROM top AS p
CROSS JOIN tracks AS t ON t.id = p.track_id
CROSS JOIN track_texts AS x ON x.track_id = p.track_id
ORDER BY p.likes_here DESC, p.track_id;
