-- Which genres do the tracks have?
--
-- :limit  integer = 20               maximum rows
--
-- A genre is one or more words, as the uploader typed them; spellings are not merged. `likes_count` is the sum of
-- SoundCloud's counts. NULL: the uploader entered none.
SELECT
    genre,
    count(*) AS tracks,
    CAST(sum(1.0 * likes_count) AS INTEGER) AS likes_count,
    CAST(sum(1.0 * playback_count) AS INTEGER) AS playback_count
FROM tracks
GROUP BY genre
ORDER BY tracks DESC, genre
LIMIT CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER);
