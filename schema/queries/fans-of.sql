-- Who likes a track, in the order of its list?
--
-- :track  track = seed               the track; without a seed track, the one with the longest list of likers
-- :limit  integer = 50               maximum rows
--
-- `rank` is the place in the track's list of likers, 0 newest as far as is known. NULL: the like was seen only in the
-- person's list, as for all tracks except seeds and those a deeper crawl went around. `their_list` is the outcome of
-- the person's own list of likes.
SELECT
    e.track_list_rank AS rank,
    e.user_id,
    u.username,
    u.followers_count,
    u.likes_given_count,
    coalesce(
        l.outcome,
        (SELECT r.state FROM readings AS r WHERE r.task_id = l.id AND r.number = l.reading),
        'not asked'
    ) AS their_list,
    u.permalink_url
FROM user_engagements AS e
CROSS JOIN users AS u ON u.id = e.user_id
LEFT JOIN tasks AS l ON l.kind = 'user_likes' AND l.subject_id = e.user_id
WHERE e.engagement_type = 'like' AND e.track_id = coalesce(
    CAST(nullif(:track, '') AS INTEGER),
    (SELECT thing_id FROM seeds WHERE thing = 'track' ORDER BY id LIMIT 1),
    (
        SELECT subject_id FROM tasks WHERE kind = 'track_likers' AND collected > 0
        ORDER BY collected DESC, subject_id LIMIT 1
    )
)
ORDER BY e.track_list_rank IS NULL, e.track_list_rank, e.user_id
LIMIT CAST(coalesce(nullif(:limit, ''), 50) AS INTEGER);
