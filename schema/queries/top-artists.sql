-- Whose tracks do people here like most?
--
-- :limit  integer = 20               rows at most
--
-- An artist is whoever uploaded a track that stands in this file. `likes_here` adds up over their tracks, so that one
-- person may count several times; shared-fans counts people. Looks up every track of the file.
SELECT user_id AS artist_id, username AS artist, likes_here, tracks_here, track_count, followers_count, permalink_url
FROM uploaders
ORDER BY likes_here DESC, user_id
LIMIT CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER);
