-- Which tracks are the same recording, uploaded more than once?
--
-- :seconds  integer = 2              maximum difference in length
-- :limit    integer = 50             maximum pairs
--
-- `why` is 'isrc' if both have the same recording code, and 'title' if both have the same title (ASCII letters in
-- either case) and the same artist (the one the track names, else the uploader), and their lengths differ by at most
-- `seconds`. Titles shorter than four characters, and titles or codes shared by more than twenty tracks here, are
-- ignored. A re-upload under a different title is not found; a different master of the same length is. `people` like
-- either here, `both` like both. The most liked pairs come first.
WITH
given AS (
    SELECT CAST(coalesce(nullif(:seconds, ''), 2) AS INTEGER) * 1000 AS apart_ms
),
named AS MATERIALIZED (
    SELECT t.id, t.isrc, t.duration_ms, lower(trim(x.title)) AS title, lower(trim(x.artist)) AS artist
    FROM tracks AS t CROSS JOIN track_texts AS x ON x.track_id = t.id
),
codes AS MATERIALIZED (
    SELECT isrc FROM named WHERE isrc <> '' GROUP BY isrc HAVING count(*) BETWEEN 2 AND 20
),
titles AS MATERIALIZED (
    SELECT title, artist FROM named
    WHERE length(title) >= 4 AND artist <> ''
    GROUP BY title, artist HAVING count(*) BETWEEN 2 AND 20
),
pairs AS MATERIALIZED (
    SELECT a.id AS track_id, b.id AS other_id, 'isrc' AS why, abs(a.duration_ms - b.duration_ms) AS apart_ms
    FROM codes AS c JOIN named AS a ON a.isrc = c.isrc JOIN named AS b ON b.isrc = c.isrc AND b.id > a.id
    UNION ALL
    SELECT a.id, b.id, 'title', abs(a.duration_ms - b.duration_ms)
    FROM titles AS c
    JOIN named AS a ON a.title = c.title AND a.artist = c.artist
    JOIN named AS b ON b.title = c.title AND b.artist = c.artist AND b.id > a.id
    WHERE abs(a.duration_ms - b.duration_ms) <= (SELECT apart_ms FROM given)
        AND NOT coalesce(a.isrc = b.isrc AND a.isrc IN (SELECT isrc FROM codes), 0)
),
counted AS MATERIALIZED (
    SELECT
        p.*,
        (SELECT count(*) FROM user_engagements AS e WHERE e.track_id = p.track_id AND e.engagement_type = 'like')
            AS likes_here,
        (SELECT count(*) FROM user_engagements AS e WHERE e.track_id = p.other_id AND e.engagement_type = 'like')
            AS other_likes_here,
        (
            SELECT count(*) FROM user_engagements AS e
            CROSS JOIN user_engagements AS o
                ON o.user_id = e.user_id AND o.track_id = p.other_id AND o.engagement_type = 'like'
            WHERE e.track_id = p.track_id AND e.engagement_type = 'like'
        ) AS both
    FROM pairs AS p
)
SELECT
    c.track_id,
    c.other_id,
    x.title,
    y.title AS other_title,
    x.artist,
    y.artist AS other_artist,
    c.why,
    round(c.apart_ms / 1000.0, 1) AS seconds_apart,
    c.likes_here + c.other_likes_here - c.both AS people,
    c.both,
    t.permalink_url,
    u.permalink_url AS other_url
FROM counted AS c
CROSS JOIN tracks AS t ON t.id = c.track_id
CROSS JOIN tracks AS u ON u.id = c.other_id
CROSS JOIN track_texts AS x ON x.track_id = c.track_id
CROSS JOIN track_texts AS y ON y.track_id = c.other_id
ORDER BY c.likes_here + c.other_likes_here - c.both DESC, c.track_id, c.other_id
LIMIT CAST(coalesce(nullif(:limit, ''), 50) AS INTEGER);
