-- Whose likes are nearest to a person's?
--
-- :user      user = longest          the person; by default the one with the longest list
-- :at_least  integer = 2             minimum number of tracks in common
-- :limit     integer = 20            maximum rows
--
-- This compares people whose own list of likes was read, as far as it was read: only likes from people's own lists
-- count. `jaccard` is tracks both like divided by tracks either likes. All people followed from one seed have the seed
-- in common.
WITH
given AS (
    SELECT coalesce(
        CAST(nullif(:user, '') AS INTEGER),
        (
            SELECT subject_id FROM tasks WHERE kind = 'user_likes' AND collected > 0
            ORDER BY collected DESC, subject_id LIMIT 1
        )
    ) AS user_id
),
mine AS MATERIALIZED (
    SELECT track_id FROM user_engagements
    WHERE user_id = (SELECT user_id FROM given) AND engagement_type = 'like' AND user_list_rank IS NOT NULL
),
near AS MATERIALIZED (
    SELECT e.user_id, count(*) AS in_common
    FROM mine AS m
    CROSS JOIN user_engagements AS e ON e.track_id = m.track_id
    WHERE e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL AND e.user_id <> (SELECT user_id FROM given)
    GROUP BY e.user_id
    HAVING count(*) >= CAST(coalesce(nullif(:at_least, ''), 2) AS INTEGER)
)
SELECT
    n.user_id,
    u.username,
    n.in_common,
    l.collected AS their_likes,
    l.outcome AS their_list,
    round(1.0 * n.in_common / ((SELECT count(*) FROM mine) + l.collected - n.in_common), 3) AS jaccard,
    u.permalink_url
FROM near AS n
CROSS JOIN lists AS l
    ON l.kind = 'user_likes' AND l.subject_id = n.user_id AND l.collected > 0
CROSS JOIN users AS u ON u.id = n.user_id
ORDER BY jaccard DESC, n.in_common DESC, n.user_id
LIMIT CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER);
