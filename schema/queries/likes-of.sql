-- What does a person like, in the order of their list?
--
-- :user   user = longest             the person; by default the one with the longest list
-- :limit  integer = 50               maximum rows
--
-- `rank` is the place in the list, 0 newest as far as is known: SoundCloud returns no times of likes. NULL: the like
-- was seen in the track's list and not in the person's own.
SELECT
    e.user_list_rank AS rank,
    e.track_id,
    x.title,
    x.artist,
    t.genre,
    t.likes_count,
    t.permalink_url
FROM user_engagements AS e
CROSS JOIN tracks AS t ON t.id = e.track_id
CROSS JOIN track_texts AS x ON x.track_id = e.track_id
WHERE e.engagement_type = 'like' AND e.user_id = coalesce(
    CAST(nullif(:user, '') AS INTEGER),
    (
        SELECT subject_id FROM tasks WHERE kind = 'user_likes' AND collected > 0
        ORDER BY collected DESC, subject_id LIMIT 1
    )
)
ORDER BY e.user_list_rank IS NULL, e.user_list_rank, e.track_id
LIMIT CAST(coalesce(nullif(:limit, ''), 50) AS INTEGER);
