-- Working table: the tracks that the people followed like, with how many of them do. A like counts when it stands in
-- a person's own list (user_list_rank): likers of a track who were not followed would make that track look popular here.
-- Counted by index alone; the few likes known only from a track's list are then taken off again. `is_frame`: people
-- were chosen because they like the track. So are seeds, and what a deeper level went around; in a census nothing is.
CREATE TEMP TABLE heard AS
WITH whole AS MATERIALIZED (
    SELECT is_census FROM census
),
framed AS MATERIALIZED (
    SELECT track_id FROM frames WHERE NOT (SELECT is_census FROM whole)
    UNION SELECT thing_id FROM seeds WHERE thing = 'track' AND NOT (SELECT is_census FROM whole)
),
counted AS (
    SELECT track_id, count(*) AS likes
    FROM user_engagements
    WHERE engagement_type = 'like'
    GROUP BY track_id
),
elsewhere AS (
    SELECT track_id, count(*) AS likes
    FROM user_engagements
    WHERE track_list_rank IS NOT NULL AND engagement_type = 'like' AND user_list_rank IS NULL
    GROUP BY track_id
)
SELECT
    t.id AS track_id,
    c.likes - coalesce(e.likes, 0) AS likes,        -- people here
    nullif(t.likes_count, 0) AS likes_count,        -- people on SoundCloud, by its own count; NULL: hidden or not seen
    t.uploader_id,
    t.genre,
    t.id IN (SELECT track_id FROM framed) AS is_frame
FROM counted AS c
CROSS JOIN tracks AS t ON t.id = c.track_id         -- CROSS: in the order of the tracks, as they were counted
LEFT JOIN elsewhere AS e ON e.track_id = c.track_id
WHERE c.likes > coalesce(e.likes, 0);
