-- What did each day of the crawl bring?
--
-- Days are UTC. `entries` is what replies contained, `kept` what was new to its list; a like in two lists, the track's
-- and the person's, is kept in both. Users and tracks count on the day they were first seen. Likes have no time of
-- their own, so this is the growth of the file, not of anything on SoundCloud; for that, see track-history.
WITH
days AS (
    SELECT substr(fetched_at, 1, 10) AS day, count(*) AS pages, sum(received) AS entries, sum(kept) AS kept,
        sum(bytes) AS bytes, 0 AS users, 0 AS tracks
    FROM pages GROUP BY 1
    UNION ALL
    SELECT substr(first_seen_at, 1, 10), 0, 0, 0, 0, count(*), 0 FROM users GROUP BY 1
    UNION ALL
    SELECT substr(first_seen_at, 1, 10), 0, 0, 0, 0, 0, count(*) FROM tracks GROUP BY 1
)
SELECT
    day,
    sum(pages) AS pages,
    sum(entries) AS entries,
    sum(kept) AS kept,
    sum(users) AS new_users,
    sum(tracks) AS new_tracks,
    sum(sum(kept)) OVER (ORDER BY day) AS kept_so_far,
    round(sum(bytes) / 1e6, 1) AS megabytes
FROM days
GROUP BY day
ORDER BY day;
