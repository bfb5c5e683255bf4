-- Which genres do the tracks have?
--
-- :limit  integer = 20               rows at most
--
-- A genre is one word or more, as the uploader typed it; spellings are not brought together. `likes_count` adds up
-- what the service counts. NULL: the uploader named none.
SELECT genre, count(*) AS tracks, sum(likes_count) AS likes_count, sum(playback_count) AS playback_count
FROM tracks
GROUP BY genre
ORDER BY tracks DESC, genre
LIMIT CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER);
