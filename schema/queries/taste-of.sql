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
framed AS MATERIALIZED (SELECT track_id FROM frames WHERE counts),
liked AS MATERIALIZED (                             -- of each track, how many like it, and whether the person does
    SELECT
        e.track_id,
        count(*) AS likes,
        coalesce(sum(e.user_id = (SELECT user_id FROM one)), 0) AS mine
    FROM user_engagements AS e
    WHERE e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
        AND e.track_id NOT IN (SELECT track_id FROM framed)
    GROUP BY e.track_id
),
summed AS MATERIALIZED (SELECT sum(likes) AS likes, sum(mine) AS mine FROM liked),
features AS (
    SELECT 'genre' AS what, NULL AS id, lower(t.genre) AS name, l.likes, l.mine
    FROM liked AS l CROSS JOIN tracks AS t ON t.id = l.track_id
    WHERE t.genre IS NOT NULL
    UNION ALL
    SELECT 'tag', NULL, g.folded, l.likes, l.mine
    FROM liked AS l
    CROSS JOIN (
        SELECT DISTINCT c.track_id, g.folded FROM track_tags AS c CROSS JOIN tags AS g ON g.id = c.tag_id
    ) AS g ON g.track_id = l.track_id
    UNION ALL
    SELECT 'artist', u.id, u.username, l.likes, l.mine
    FROM liked AS l
    CROSS JOIN tracks AS t ON t.id = l.track_id
    CROSS JOIN users AS u ON u.id = t.uploader_id
),
counted AS MATERIALIZED (
    SELECT what, id, name, sum(mine) AS likes, sum(likes) AS likes_here
    FROM features
    GROUP BY what, id, name
    HAVING sum(mine) >= CAST(coalesce(nullif(:at_least, ''), 2) AS INTEGER)
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
