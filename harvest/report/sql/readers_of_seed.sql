-- How many people who like the seed had their likes read, which the tracks around it are shares of, and how many like it.
SELECT
    (
        SELECT count(*)
        FROM user_engagements AS e
        CROSS JOIN lists AS l ON l.kind = 'user_likes' AND l.subject_id = e.user_id
        WHERE e.track_id = :seed AND e.engagement_type = 'like' AND l.pages_read > 0
    ) AS people,
    (
        SELECT count(*)
        FROM user_engagements
        WHERE track_id = :seed AND engagement_type = 'like'
    ) AS listed;
