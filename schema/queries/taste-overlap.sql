-- How much do two people's likes have in common?
--
-- :user   user = longest             one person; by default the one with the longest list
-- :other  user = longest             the other; by default the one with the second longest list
--
-- `likes` counts the likes in this file. The lists may be cut: see `list` and `other_list`. All people followed from
-- the same seed like the seed, so `beside_seeds` leaves out the seeds and the tracks around which a deeper level went,
-- and so does `jaccard`: tracks both like divided by tracks either likes. `share_of_shorter` is tracks both like
-- divided by the likes of the person with fewer, likewise.
WITH
longest AS MATERIALIZED (
    SELECT subject_id AS user_id, row_number() OVER (ORDER BY collected DESC, subject_id) AS place
    FROM tasks WHERE kind = 'user_likes' AND collected > 0
    ORDER BY place LIMIT 3
),
one AS MATERIALIZED (
    SELECT coalesce(CAST(nullif(:user, '') AS INTEGER), (
        SELECT user_id FROM longest
        WHERE user_id IS NOT CAST(nullif(:other, '') AS INTEGER) ORDER BY place LIMIT 1
    )) AS user_id
),
two AS MATERIALIZED (
    SELECT coalesce(CAST(nullif(:other, '') AS INTEGER), (
        SELECT user_id FROM longest WHERE user_id <> (SELECT user_id FROM one) ORDER BY place LIMIT 1
    )) AS user_id
),
whole AS MATERIALIZED (
    SELECT is_census FROM census
),
framed AS MATERIALIZED (                            -- people were chosen because they like these
    SELECT track_id FROM frames WHERE NOT (SELECT is_census FROM whole)
    UNION SELECT thing_id FROM seeds WHERE thing = 'track' AND NOT (SELECT is_census FROM whole)
),
mine AS MATERIALIZED (
    SELECT track_id, track_id IN (SELECT track_id FROM framed) AS is_frame FROM user_engagements
    WHERE user_id = (SELECT user_id FROM one) AND engagement_type = 'like'
),
theirs AS MATERIALIZED (
    SELECT track_id, track_id IN (SELECT track_id FROM framed) AS is_frame FROM user_engagements
    WHERE user_id = (SELECT user_id FROM two) AND engagement_type = 'like'
),
counted AS MATERIALIZED (
    SELECT
        (SELECT count(*) FROM mine) AS likes,
        (SELECT count(*) FROM theirs) AS other_likes,
        (SELECT count(*) FROM mine WHERE NOT is_frame) AS unseeded,
        (SELECT count(*) FROM theirs WHERE NOT is_frame) AS other_unseeded,
        count(*) AS in_common,
        count(*) FILTER (WHERE NOT mine.is_frame) AS beside_seeds
    FROM mine JOIN theirs ON theirs.track_id = mine.track_id
)
SELECT
    u.id AS user_id,
    u.username,
    o.id AS other_id,
    o.username AS other,
    c.in_common,
    c.beside_seeds,
    c.likes,
    c.other_likes,
    round(1.0 * c.beside_seeds / nullif(c.unseeded + c.other_unseeded - c.beside_seeds, 0), 3) AS jaccard,
    round(1.0 * c.beside_seeds / nullif(min(c.unseeded, c.other_unseeded), 0), 3) AS share_of_shorter,
    coalesce(
        l.outcome,
        (SELECT r.state FROM readings AS r WHERE r.task_id = l.id AND r.number = l.reading),
        'not asked'
    ) AS list,
    coalesce(
        m.outcome,
        (SELECT r.state FROM readings AS r WHERE r.task_id = m.id AND r.number = m.reading),
        'not asked'
    ) AS other_list
FROM counted AS c
JOIN users AS u ON u.id = (SELECT user_id FROM one)
JOIN users AS o ON o.id = (SELECT user_id FROM two)
LEFT JOIN tasks AS l ON l.kind = 'user_likes' AND l.subject_id = u.id
LEFT JOIN tasks AS m ON m.kind = 'user_likes' AND m.subject_id = o.id;
