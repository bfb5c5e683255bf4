-- Some of the people who like each track, those who did it last first: (place among the ids, user_id, name, page).
SELECT f.place, f.user_id, u.username, u.permalink_url FROM (
    SELECT
        wanted.key AS place,
        e.user_id,
        row_number() OVER (
            PARTITION BY wanted.key ORDER BY e.track_list_rank IS NULL, e.track_list_rank, e.user_id
        ) AS nth
    FROM json_each(:ids) AS wanted
    CROSS JOIN user_engagements AS e ON e.track_id = wanted.value AND e.engagement_type = 'like'
) AS f
CROSS JOIN users AS u ON u.id = f.user_id
WHERE f.nth <= :most
ORDER BY f.place, f.nth;
