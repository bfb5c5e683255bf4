-- The same people's likes by their profiles, which count liked playlists too.
SELECT
    CASE
        WHEN claimed < 100 THEN claimed
        WHEN claimed < 1000 THEN claimed / 10 * 10
        WHEN claimed < 10000 THEN claimed / 100 * 100
        WHEN claimed < 100000 THEN claimed / 1000 * 1000
        ELSE claimed / 10000 * 10000
    END AS value,
    count(*) AS n
FROM tasks
WHERE kind = 'user_likes' AND outcome IN (SELECT outcome FROM outcomes WHERE answered = 1) AND claimed IS NOT NULL
GROUP BY value
ORDER BY value;
