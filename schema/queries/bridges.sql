-- Which tracks connect the audiences of two tracks: liked by people of the one and of the other?
--
-- :track     track = first           one track; by default the one most people here like
-- :other     track = farthest        the other; by default, of the twenty most liked, the least shared
-- :at_least  integer = 2             minimum number of people on each side who like it
-- :limit     integer = 20            maximum rows
--
-- Only likes from people's own lists count, as far as those lists were read. People who like both tracks are on neither
-- side. Of the m people who like only the first, c like a track; of the n who like only the second, d. `bridge` is the
-- smaller of c / m and d / n: a track that one side loves and the other does not know is no bridge. Tracks people were
-- chosen for (view frames) are left out.
WITH
framed AS MATERIALIZED (
    SELECT track_id FROM frames WHERE counts
),
counted AS (                                        -- by index alone; then without what only a track's list says
    SELECT track_id, count(*) AS people FROM user_engagements WHERE engagement_type = 'like' GROUP BY track_id
),
elsewhere AS MATERIALIZED (
    SELECT track_id, count(*) AS people FROM user_engagements
    WHERE track_list_rank IS NOT NULL AND user_list_rank IS NULL AND engagement_type = 'like'
    GROUP BY track_id
),
popular AS MATERIALIZED (
    SELECT c.track_id, c.people - coalesce(e.people, 0) AS people
    FROM counted AS c LEFT JOIN elsewhere AS e ON e.track_id = c.track_id
    WHERE c.people > coalesce(e.people, 0) AND c.track_id NOT IN (SELECT track_id FROM framed)
        AND (nullif(:track, '') IS NULL OR nullif(:other, '') IS NULL)
    ORDER BY people DESC, c.track_id LIMIT 21
),
one AS MATERIALIZED (
    SELECT coalesce(
        CAST(nullif(:track, '') AS INTEGER),
        (SELECT track_id FROM popular ORDER BY people DESC, track_id LIMIT 1)
    ) AS track_id
),
ones AS MATERIALIZED (
    SELECT user_id FROM user_engagements
    WHERE track_id = (SELECT track_id FROM one) AND engagement_type = 'like' AND user_list_rank IS NOT NULL
),
two AS MATERIALIZED (
    SELECT coalesce(
        CAST(nullif(:other, '') AS INTEGER),
        (
            SELECT p.track_id FROM popular AS p WHERE p.track_id <> (SELECT track_id FROM one)
            ORDER BY 1.0 * (
                SELECT count(*) FROM user_engagements AS e
                WHERE e.track_id = p.track_id AND e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
                    AND e.user_id IN (SELECT user_id FROM ones)
            ) / p.people, p.people DESC, p.track_id LIMIT 1
        )
    ) AS track_id
),
twos AS MATERIALIZED (
    SELECT user_id FROM user_engagements
    WHERE track_id = (SELECT track_id FROM two) AND engagement_type = 'like' AND user_list_rank IS NOT NULL
),
sides AS MATERIALIZED (
    SELECT user_id, 1 AS is_one FROM ones WHERE user_id NOT IN (SELECT user_id FROM twos)
    UNION ALL
    SELECT user_id, 0 FROM twos WHERE user_id NOT IN (SELECT user_id FROM ones)
),
sizes AS MATERIALIZED (
    SELECT total(is_one) AS one, total(NOT is_one) AS other FROM sides
),
liked AS MATERIALIZED (
    SELECT e.track_id, sum(s.is_one) AS one, sum(NOT s.is_one) AS other
    FROM sides AS s
    CROSS JOIN user_engagements AS e ON e.user_id = s.user_id
    WHERE e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
        AND e.track_id NOT IN (SELECT track_id FROM framed)
        AND e.track_id NOT IN ((SELECT track_id FROM one), (SELECT track_id FROM two))
    GROUP BY e.track_id
    HAVING min(sum(s.is_one), sum(NOT s.is_one)) >= CAST(coalesce(nullif(:at_least, ''), 2) AS INTEGER)
),
found AS MATERIALIZED (
    SELECT l.*, round(min(l.one / z.one, l.other / z.other), 4) AS bridge
    FROM liked AS l CROSS JOIN sizes AS z
    ORDER BY bridge DESC, l.one + l.other DESC, l.track_id
    LIMIT CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER)
)
SELECT
    f.track_id,
    x.title,
    x.artist,
    f.bridge,
    f.one AS people_of_one,
    f.other AS people_of_other,
    (SELECT title FROM tracks WHERE id = (SELECT track_id FROM one)) AS one,
    (SELECT title FROM tracks WHERE id = (SELECT track_id FROM two)) AS other,
    t.permalink_url
FROM found AS f
CROSS JOIN tracks AS t ON t.id = f.track_id
CROSS JOIN track_texts AS x ON x.track_id = f.track_id
ORDER BY f.bridge DESC, f.one + f.other DESC, f.track_id;
