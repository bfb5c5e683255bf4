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
asked AS MATERIALIZED (
    SELECT
        CAST(coalesce(nullif(:at_least, ''), 2) AS INTEGER) AS at_least,
        CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER) AS rows,
        (SELECT count(*) FROM fans) * 4 > (
            SELECT count(*) FROM tasks WHERE kind = 'user_likes' AND collected > 0
        ) AS are_many                                -- then what they like is nearly everything, and few artists count
),
liked AS (                                          -- by index alone
    SELECT track_id, count(*) AS likes FROM user_engagements
    WHERE engagement_type = 'like' AND (SELECT are_many FROM asked)
    GROUP BY track_id
),
reached AS MATERIALIZED (                           -- an artist shares no more fans than their tracks have likes
    SELECT t.uploader_id AS artist_id, sum(l.likes) AS most
    FROM liked AS l
    CROSS JOIN tracks AS t ON t.id = l.track_id
    WHERE t.uploader_id <> (SELECT artist_id FROM given)
    GROUP BY t.uploader_id
),
most_liked AS MATERIALIZED (
    SELECT (
        SELECT count(DISTINCT e.user_id)
        FROM tracks AS t CROSS JOIN user_engagements AS e ON e.track_id = t.id AND e.engagement_type = 'like'
        WHERE t.uploader_id = r.artist_id AND +e.user_id IN (SELECT user_id FROM fans)
    ) AS shared_fans
    FROM (SELECT artist_id FROM reached ORDER BY most DESC LIMIT (SELECT rows FROM asked)) AS r
),
likely AS MATERIALIZED (                            -- what may be among the first
    SELECT artist_id FROM reached
    WHERE most >= CASE
        WHEN (SELECT count(*) FROM most_liked) >= (SELECT rows FROM asked)
            THEN (SELECT min(shared_fans) FROM most_liked)
        ELSE 0 END
),
shared AS MATERIALIZED (
    SELECT * FROM (
        SELECT t.uploader_id AS artist_id, count(DISTINCT f.user_id) AS shared_fans
        FROM fans AS f
        CROSS JOIN user_engagements AS e ON e.user_id = f.user_id AND e.engagement_type = 'like'
        CROSS JOIN tracks AS t ON t.id = e.track_id
        WHERE NOT (SELECT are_many FROM asked) AND t.uploader_id <> (SELECT artist_id FROM given)
        GROUP BY t.uploader_id
        UNION ALL
        SELECT l.artist_id, count(DISTINCT e.user_id) AS shared_fans
        FROM likely AS l
        CROSS JOIN tracks AS t ON t.uploader_id = l.artist_id
        CROSS JOIN user_engagements AS e ON e.track_id = t.id AND e.engagement_type = 'like'
        WHERE +e.user_id IN (SELECT user_id FROM fans)
        GROUP BY l.artist_id
    )
    WHERE shared_fans >= (SELECT at_least FROM asked)
    ORDER BY shared_fans DESC, artist_id
    LIMIT (SELECT rows FROM asked)
),
counted AS MATERIALIZED (
    SELECT
        s.*,
        (
            SELECT count(DISTINCT e.user_id)
            FROM tracks AS t CROSS JOIN user_engagements AS e ON e.track_id = t.id AND e.engagement_type = 'like'
            WHERE t.uploader_id = s.artist_id
        ) AS fans_here,
        (
            SELECT count(*) FROM tracks AS t
            WHERE t.uploader_id = s.artist_id AND EXISTS (
                SELECT 1 FROM user_engagements AS e
                WHERE e.track_id = t.id AND e.engagement_type = 'like' AND +e.user_id IN (SELECT user_id FROM fans)
            )
        ) AS tracks
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
