-- In which communities these tracks are, as `harvest analyze` found them; `tracks` is a JSON array of ids.
SELECT track_id, community
FROM track_communities
WHERE method = 'leiden_tracks' AND track_id IN (SELECT value FROM json_each(:tracks));
