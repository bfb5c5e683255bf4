-- How many tracks have how many likers among the people followed, frames left out; cut as in likes_per_person.
SELECT
    CASE
        WHEN likes < 100 THEN likes
        WHEN likes < 1000 THEN likes / 10 * 10
        WHEN likes < 10000 THEN likes / 100 * 100
        WHEN likes < 100000 THEN likes / 1000 * 1000
        ELSE likes / 10000 * 10000
    END AS value,
    count(*) AS n
FROM temp.heard
WHERE NOT is_frame
GROUP BY value
ORDER BY value;
