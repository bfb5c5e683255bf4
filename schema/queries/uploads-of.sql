-- What did a person upload?
--
-- :user   user = longest             the person; by default the one with the longest list of uploads
-- :limit  integer = 50               maximum rows
--
-- `rank` is the place in the list of uploads, 0 newest. NULL: the track was found elsewhere. A plain crawl does not
-- read this list; with --read +uploads, the tracks here are complete.
SELECT
    t.uploader_list_rank AS rank,
    t.id AS track_id,
    t.title,
    t.genre,
    t.created_at,
    t.likes_count,
    t.playback_count,
    t.permalink_url
FROM tracks AS t
WHERE t.uploader_id = coalesce(
    CAST(nullif(:user, '') AS INTEGER),
    (
        SELECT subject_id FROM tasks WHERE kind = 'user_tracks' AND collected > 0
        ORDER BY collected DESC, subject_id LIMIT 1
    )
)
ORDER BY t.uploader_list_rank IS NULL, t.uploader_list_rank, t.created_at DESC, t.id
LIMIT CAST(coalesce(nullif(:limit, ''), 50) AS INTEGER);
