-- The same tracks' likers on SoundCloud, by its own counts; cut to two significant digits up to a thousand million.
SELECT
    CASE
        WHEN likes_count < 100 THEN likes_count
        WHEN likes_count < 1000 THEN likes_count / 10 * 10
        WHEN likes_count < 10000 THEN likes_count / 100 * 100
        WHEN likes_count < 100000 THEN likes_count / 1000 * 1000
        WHEN likes_count < 1000000 THEN likes_count / 10000 * 10000
        WHEN likes_count < 10000000 THEN likes_count / 100000 * 100000
        WHEN likes_count < 100000000 THEN likes_count / 1000000 * 1000000
        ELSE likes_count / 10000000 * 10000000
    END AS value,
    count(*) AS n
FROM temp.heard
WHERE NOT is_frame AND likes_count IS NOT NULL
GROUP BY value
ORDER BY value;
