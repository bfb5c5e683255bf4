-- Which tracks fill a number of minutes, within a range of tempo and in one key?
--
-- :minutes  integer = 60             maximum length
-- :slowest  integer = 0              minimum beats per minute
-- :fastest  integer = 1000           maximum beats per minute
-- :key      text = any               the key as uploaders write it, ASCII letters in either case
-- :limit    integer = 100            maximum rows
--
-- The tracks that most people here like in their own lists come first, one per artist, until the next would exceed
-- `minutes`; a track that is too long on its own is skipped, and shorter ones further down are not added. Tracks that
-- cannot be played, whose length is unknown, or that people were chosen for (view frames) are left out. With a tempo or
-- key, tracks without one are left out too, which are most: uploaders enter both, and few do.
WITH
given AS (
    SELECT
        CAST(coalesce(nullif(:minutes, ''), 60) AS INTEGER) * 60000 AS longest_ms,
        CAST(coalesce(nullif(:slowest, ''), 0) AS INTEGER) AS slowest,
        CAST(coalesce(nullif(:fastest, ''), 1000) AS INTEGER) AS fastest,
        lower(coalesce(nullif(nullif(:key, ''), 'any'), '')) AS key
),
framed AS MATERIALIZED (
    SELECT track_id FROM frames WHERE counts
),
fitting AS MATERIALIZED (
    SELECT t.id AS track_id, t.duration_ms, t.bpm, t.key_signature, t.permalink_url, t.uploader_id
    FROM tracks AS t CROSS JOIN given AS g
    WHERE t.duration_ms BETWEEN 1 AND g.longest_ms AND t.status = 'ok' AND coalesce(t.access, 'playable') = 'playable'
        AND (g.slowest = 0 AND g.fastest = 1000 OR t.bpm BETWEEN g.slowest AND g.fastest)
        AND (g.key = '' OR lower(t.key_signature) = g.key)
        AND t.id NOT IN (SELECT track_id FROM framed)
),
liked AS MATERIALIZED (
    SELECT f.*, (
        SELECT count(*) FROM user_engagements AS e
        WHERE e.track_id = f.track_id AND e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
    ) AS people
    FROM fitting AS f
),
first AS MATERIALIZED (
    SELECT *, row_number() OVER (
        PARTITION BY coalesce(uploader_id, -track_id) ORDER BY people DESC, track_id
    ) AS of_artist
    FROM liked WHERE people > 0
),
summed AS MATERIALIZED (
    SELECT *, sum(duration_ms) OVER (ORDER BY people DESC, track_id) AS until_ms
    FROM first WHERE of_artist = 1
)
SELECT
    s.track_id,
    x.title,
    x.artist,
    s.bpm,
    s.key_signature,
    round(s.duration_ms / 60000.0, 2) AS minutes,
    round(s.until_ms / 60000.0, 2) AS minutes_so_far,
    s.people,
    s.permalink_url
FROM summed AS s
CROSS JOIN track_texts AS x ON x.track_id = s.track_id
WHERE s.until_ms <= (SELECT longest_ms FROM given)
ORDER BY s.people DESC, s.track_id
LIMIT CAST(coalesce(nullif(:limit, ''), 100) AS INTEGER);
