-- Which genres do the tracks have?
--
-- :limit  integer = 20               rows at most
--
-- A genre is one word or more, as the uploader typed it; spellings are not brought together. `likes_count` adds up
-- what the service counts. NULL: the uploader named none.
SELECT
    genre,
    count(*) AS tracks,
    CAST(sum(1.0 * likes_count) AS INTEGER) AS likes_count,
    CAST(sum(1.0 * playback_count) AS INTEGER) AS playback_count
FROM tracks
GROUP BY genre
ORDER BY tracks DESC, genre
LIMIT CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER);
