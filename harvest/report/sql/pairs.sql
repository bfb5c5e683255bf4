-- How many of them like both, for every two of these tracks.
SELECT a.track_id AS one, b.track_id AS other, count(*) AS common
FROM temp.fans AS a
JOIN temp.fans AS b ON b.user_id = a.user_id AND b.track_id > a.track_id
GROUP BY a.track_id, b.track_id
ORDER BY a.track_id, b.track_id;
