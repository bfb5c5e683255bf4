-- What did each day of the crawl bring?
--
-- Days are UTC. `entries` came in replies, `kept` were new to their list; a like that stands in two lists, the track's
-- and the person's, is kept in both. Users and tracks count on the day on which they were first seen. No like has a
-- time of its own, so this is the growth of the file and not of anything on SoundCloud; for that see track-history.
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
