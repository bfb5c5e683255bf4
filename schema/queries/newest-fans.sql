-- Who likes a track among the newest of their likes?
--
-- :track   track = seed              the track; without a seed track, the one with the longest list of likers
-- :newest  integer = 20              how many likes of each person count as new
-- :limit   integer = 50              maximum rows
--
-- `place` is the track's position in the person's own list, 0 first, which is the newest as far as is known. People
-- whose list was not read, or not as far as the track, are missing. `share` is the part of their list that is newer.
WITH
given AS (
    SELECT
        coalesce(
            CAST(nullif(:track, '') AS INTEGER),
            (SELECT thing_id FROM seeds WHERE thing = 'track' ORDER BY id LIMIT 1),
            (
                SELECT subject_id FROM tasks WHERE kind = 'track_likers' AND collected > 0
                ORDER BY collected DESC, subject_id LIMIT 1
            )
        ) AS track_id,
        CAST(coalesce(nullif(:newest, ''), 20) AS INTEGER) AS newest
),
placed AS MATERIALIZED (
    SELECT
        e.user_id,
        l.collected,
        l.outcome,
        (
            SELECT count(*) FROM user_engagements AS n
            WHERE n.user_id = e.user_id AND n.engagement_type = 'like' AND n.user_list_rank < e.user_list_rank
        ) AS place
    FROM user_engagements AS e
    JOIN tasks AS l ON l.kind = 'user_likes' AND l.subject_id = e.user_id
    WHERE e.track_id = (SELECT track_id FROM given) AND e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
)
SELECT
    p.place,
    p.user_id,
    u.username,
    p.collected AS likes_read,
    round(1.0 * p.place / max(p.collected, 1), 3) AS share,
    p.outcome AS their_list,
    u.followers_count,
    u.permalink_url
FROM placed AS p
CROSS JOIN users AS u ON u.id = p.user_id
WHERE p.place < (SELECT newest FROM given)
ORDER BY p.place, p.user_id
LIMIT CAST(coalesce(nullif(:limit, ''), 50) AS INTEGER);
