-- Fill it for one seed; `tracks` is a JSON array of ids.
INSERT INTO temp.fans
SELECT mine.user_id, other.track_id
FROM json_each(:tracks) AS chosen
CROSS JOIN user_engagements AS other INDEXED BY engagements_by_track ON other.track_id = chosen.value
CROSS JOIN user_engagements AS mine
    ON mine.user_id = other.user_id AND mine.track_id = :seed AND mine.engagement_type = 'like'
WHERE other.engagement_type = 'like' AND other.user_list_rank IS NOT NULL;
