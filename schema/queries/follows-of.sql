-- Who does a person follow, in the order of their list?
--
-- :user   user = longest             the person; by default the one with the longest list of followings
-- :limit  integer = 50               maximum rows
--
-- `rank` is the place in the list of followings, 0 newest as far as is known. NULL: seen in the other's list of
-- followers and not in the person's own. A plain crawl reads neither; use --read +followings.
SELECT
    f.followings_list_rank AS rank,
    f.followee_id AS user_id,
    u.username,
    u.followers_count,
    u.track_count,
    u.permalink_url
FROM user_follows AS f
CROSS JOIN users AS u ON u.id = f.followee_id
WHERE f.follower_id = coalesce(
    CAST(nullif(:user, '') AS INTEGER),
    (
        SELECT subject_id FROM tasks WHERE kind = 'user_followings' AND collected > 0
        ORDER BY collected DESC, subject_id LIMIT 1
    )
)
ORDER BY f.followings_list_rank IS NULL, f.followings_list_rank, f.followee_id
LIMIT CAST(coalesce(nullif(:limit, ''), 50) AS INTEGER);
