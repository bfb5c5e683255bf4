-- Which tracks do two people both like?
--
-- :user   user = longest             one person; by default the one with the longest list
-- :other  user = longest             the other; by default the one with the second longest list
-- :limit  integer = 50               maximum rows
--
-- `rank` and `other_rank` are places in each person's own list, 0 newest as far as is known; ranks of two lists cannot
-- be compared. The order is that of the first person's list.
WITH
longest AS MATERIALIZED (
    SELECT subject_id AS user_id, row_number() OVER (ORDER BY collected DESC, subject_id) AS place
    FROM tasks WHERE kind = 'user_likes' AND collected > 0
    ORDER BY place LIMIT 3
),
one AS MATERIALIZED (
    SELECT coalesce(CAST(nullif(:user, '') AS INTEGER), (
        SELECT user_id FROM longest
        WHERE user_id IS NOT CAST(nullif(:other, '') AS INTEGER) ORDER BY place LIMIT 1
    )) AS user_id
),
two AS MATERIALIZED (
    SELECT coalesce(CAST(nullif(:other, '') AS INTEGER), (
        SELECT user_id FROM longest WHERE user_id <> (SELECT user_id FROM one) ORDER BY place LIMIT 1
    )) AS user_id
)
SELECT
    m.user_list_rank AS rank,
    o.user_list_rank AS other_rank,
    m.track_id,
    x.title,
    x.artist,
    t.likes_count,
    t.permalink_url
FROM user_engagements AS m
CROSS JOIN user_engagements AS o
    ON o.user_id = (SELECT user_id FROM two) AND o.track_id = m.track_id AND o.engagement_type = 'like'
CROSS JOIN tracks AS t ON t.id = m.track_id
CROSS JOIN track_texts AS x ON x.track_id = m.track_id
WHERE m.user_id = (SELECT user_id FROM one) AND m.engagement_type = 'like'
ORDER BY m.user_list_rank IS NULL, m.user_list_rank, m.track_id
LIMIT CAST(coalesce(nullif(:limit, ''), 50) AS INTEGER);
