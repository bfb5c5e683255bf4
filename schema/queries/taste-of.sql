-- What does a person like more than the others here do: which genres, tags and artists?
--
-- :user      user = longest          the person; by default the one with the longest list
-- :at_least  integer = 2             minimum number of their likes
-- :limit     integer = 30            maximum rows
--
-- `share` is the share of the person's likes with this genre, tag or artist, `share_here` the share of all likes in
-- this file that come from people's own lists, `times` the one divided by the other: 1 is average. Likes of tracks for
-- which people were chosen are left out, since all have them, except in a census (see the view frames). Tags count in
-- any spelling, genres in any case; the artist is the uploader. The average is over the people whose likes were read,
-- who were chosen around the seeds. Few likes say little: a share of two likes is often chance. What the person likes
-- most beyond the average comes first.
WITH
one AS MATERIALIZED (
    SELECT coalesce(CAST(nullif(:user, '') AS INTEGER), (
        SELECT subject_id FROM tasks WHERE kind = 'user_likes' AND collected > 0
        ORDER BY collected DESC, subject_id LIMIT 1
    )) AS user_id
),
given AS (
    SELECT CAST(coalesce(nullif(:at_least, ''), 2) AS INTEGER) AS at_least
),
framed AS MATERIALIZED (SELECT track_id FROM frames WHERE counts),
mine AS MATERIALIZED (
    SELECT e.track_id, lower(t.genre) AS genre, t.uploader_id
    FROM user_engagements AS e CROSS JOIN tracks AS t ON t.id = e.track_id
    WHERE e.user_id = (SELECT user_id FROM one) AND e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
        AND e.track_id NOT IN (SELECT track_id FROM framed)
),
tagged AS MATERIALIZED (
    SELECT DISTINCT m.track_id, g.folded
    FROM mine AS m CROSS JOIN track_tags AS c ON c.track_id = m.track_id CROSS JOIN tags AS g ON g.id = c.tag_id
),
features (what, id, name, likes) AS MATERIALIZED (  -- with how many of their likes
    SELECT 'genre', NULL, genre, count(*) FROM mine WHERE genre IS NOT NULL
    GROUP BY genre HAVING count(*) >= (SELECT at_least FROM given)
    UNION ALL
    SELECT 'tag', NULL, folded, count(*) FROM tagged
    GROUP BY folded HAVING count(*) >= (SELECT at_least FROM given)
    UNION ALL
    SELECT 'artist', u.id, u.username, count(*) FROM mine AS m CROSS JOIN users AS u ON u.id = m.uploader_id
    GROUP BY u.id HAVING count(*) >= (SELECT at_least FROM given)
),
carried (what, id, name, track_id) AS (             -- all tracks that have one of them
    SELECT 'genre', NULL, lower(t.genre), t.id FROM tracks AS t
    WHERE lower(t.genre) IN (SELECT name FROM features WHERE what = 'genre')
    UNION ALL
    SELECT DISTINCT 'tag', NULL, f.name, c.track_id
    FROM features AS f CROSS JOIN tags AS g ON g.folded = f.name CROSS JOIN track_tags AS c ON c.tag_id = g.id
    WHERE f.what = 'tag'
    UNION ALL
    SELECT 'artist', f.id, f.name, t.id FROM features AS f CROSS JOIN tracks AS t ON t.uploader_id = f.id
    WHERE f.what = 'artist'
),
elsewhere AS MATERIALIZED (                         -- likes that only a track's list tells
    SELECT track_id, count(*) AS likes FROM user_engagements
    WHERE track_list_rank IS NOT NULL AND user_list_rank IS NULL AND engagement_type = 'like'
    GROUP BY track_id
),
heard AS MATERIALIZED (                             -- counted by index alone
    SELECT c.what, c.id, c.name, sum((
        SELECT count(*) FROM user_engagements AS e WHERE e.track_id = c.track_id AND e.engagement_type = 'like'
    ) - coalesce(w.likes, 0)) AS likes_here
    FROM carried AS c LEFT JOIN elsewhere AS w ON w.track_id = c.track_id
    WHERE c.track_id NOT IN (SELECT track_id FROM framed)
    GROUP BY c.what, c.id, c.name
),
summed AS MATERIALIZED (
    SELECT (SELECT count(*) FROM mine) AS mine, (SELECT likes FROM totals) - (SELECT total(likes) FROM elsewhere) - (
        SELECT count(*) FROM framed AS f CROSS JOIN user_engagements AS e ON e.track_id = f.track_id
        WHERE e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
    ) AS likes
),
counted AS MATERIALIZED (
    SELECT f.*, h.likes_here FROM features AS f CROSS JOIN heard AS h
    WHERE h.what = f.what AND h.id IS f.id AND h.name IS f.name
)
SELECT
    c.what,
    c.name,
    c.id AS artist_id,
    c.likes,
    round(1.0 * c.likes / s.mine, 3) AS share,
    round(1.0 * c.likes_here / s.likes, 3) AS share_here,
    round(1.0 * c.likes / s.mine / (1.0 * c.likes_here / s.likes), 2) AS times
FROM counted AS c CROSS JOIN summed AS s
ORDER BY 1.0 * c.likes / c.likes_here DESC, c.likes DESC, c.what, c.name, c.id
LIMIT CAST(coalesce(nullif(:limit, ''), 30) AS INTEGER);
