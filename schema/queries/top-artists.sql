-- Whose tracks do people here like most?
--
-- :limit  integer = 20               maximum rows
--
-- An artist is a person who uploaded a track in this file. `likes_here` adds up over their tracks, so one person may
-- count several times; shared-fans counts people. Reads every track of the file.
SELECT user_id AS artist_id, username AS artist, likes_here, tracks_here, track_count, followers_count, permalink_url
FROM uploaders
ORDER BY likes_here DESC, user_id
LIMIT CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER);
