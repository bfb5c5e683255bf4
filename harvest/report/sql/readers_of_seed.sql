-- How many people who like the seed had their likes read: what the tracks around it are shares of.
SELECT count(*)
FROM user_engagements AS e INDEXED BY engagements_by_track
CROSS JOIN lists AS l ON l.kind = 'user_likes' AND l.subject_id = e.user_id
WHERE e.track_id = :seed AND e.engagement_type = 'like' AND l.pages_read > 0;
