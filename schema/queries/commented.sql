-- What was said about a track, and when?
--
-- :track  track = seed               the track; without a seed track, the one with the most comments
-- :limit  integer = 50               maximum rows
--
-- Comments are the only engagement with a time of their own. `seconds` is the position in the track; NULL: the comment
-- is about all of it. A plain crawl reads no comments; use --read +comments.
SELECT
    c.created_at,
    c.user_id,
    u.username,
    c.timestamp_ms / 1000 AS seconds,
    c.body
FROM comments AS c
LEFT JOIN users AS u ON u.id = c.user_id
WHERE c.track_id = coalesce(
    CAST(nullif(:track, '') AS INTEGER),
    (SELECT thing_id FROM seeds WHERE thing = 'track' ORDER BY id LIMIT 1),
    (
        SELECT subject_id FROM tasks WHERE kind = 'track_comments' AND collected > 0
        ORDER BY collected DESC, subject_id LIMIT 1
    )
)
ORDER BY c.created_at DESC, c.id
LIMIT CAST(coalesce(nullif(:limit, ''), 50) AS INTEGER);
