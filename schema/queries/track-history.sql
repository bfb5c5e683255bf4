-- How did a track's counts change while it was watched?
--
-- :track  track = seed               the track; without a seed track, the one with the longest list of likers
--
-- One row with SoundCloud's counts as first seen, one for each change, and the current counts, marked `now`; a track
-- that never changed has only this row. A count is NULL if the uploader hides it.
WITH
given AS (
    SELECT coalesce(
        CAST(nullif(:track, '') AS INTEGER),
        (SELECT thing_id FROM seeds WHERE thing = 'track' ORDER BY id LIMIT 1),
        (
            SELECT subject_id FROM tasks WHERE kind = 'track_likers' AND collected > 0
            ORDER BY collected DESC, subject_id LIMIT 1
        )
    ) AS track_id
),
told AS (
    SELECT p.fetched_at AS seen_at, iif(c.page_id = min(c.page_id) OVER (), 'first', 'changed') AS what,
        c.playback_count, c.likes_count, c.reposts_count, c.comment_count, c.download_count, c.page_id AS turn
    FROM track_counts AS c
    JOIN pages AS p ON p.id = c.page_id
    WHERE c.id = (SELECT track_id FROM given)
    UNION ALL
    SELECT t.counts_seen_at, 'now', t.playback_count, t.likes_count, t.reposts_count, t.comment_count, t.download_count,
        NULL
    FROM tracks AS t
    WHERE t.id = (SELECT track_id FROM given)
)
SELECT seen_at, what, playback_count, likes_count, reposts_count, comment_count, download_count
FROM told
ORDER BY turn IS NULL, turn;
