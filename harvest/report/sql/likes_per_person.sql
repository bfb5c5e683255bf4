-- How many people like how many tracks, as far as their lists were read. Numbers are cut to two significant digits
-- (1234 is 1200), which leaves a curve of 'so many or more' exact at every point drawn. `capped` lists go on.
SELECT
    CASE
        WHEN collected < 100 THEN collected
        WHEN collected < 1000 THEN collected / 10 * 10
        WHEN collected < 10000 THEN collected / 100 * 100
        WHEN collected < 100000 THEN collected / 1000 * 1000
        ELSE collected / 10000 * 10000
    END AS value,
    count(*) AS n
FROM tasks
WHERE kind = 'user_likes' AND outcome IN (SELECT outcome FROM outcomes WHERE answered = 1)
GROUP BY value
ORDER BY value;
