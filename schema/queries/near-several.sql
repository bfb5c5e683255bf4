-- Which tracks are near several tracks at once, by who likes them?
--
-- :tracks    tracks = first          the tracks; by default the three most people here like
-- :at_least  integer = 2             minimum number of people shared with one of them
-- :limit     integer = 20            maximum rows
--
-- Only likes from people's own lists count, as far as those lists were read. A track is near another if the same people
-- like both: c / sqrt(a b), where a and b people like the one and the other and c like both. `score` is the mean over
-- all the tracks given, so a track near each of them comes before one that is very near only one; `near` is how many of
-- them it shares `at_least` people with. Tracks people were chosen for (view frames) are left out of the answer, but
-- may be given.
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
given AS MATERIALIZED (
    SELECT DISTINCT value AS track_id FROM json_each(
        coalesce(
            nullif(:tracks, ''),
            (
                SELECT json_group_array(track_id) FROM (
                    SELECT c.track_id
                    FROM counted AS c LEFT JOIN elsewhere AS e ON e.track_id = c.track_id
                    WHERE c.people > coalesce(e.people, 0) AND c.track_id NOT IN (SELECT track_id FROM framed)
                    ORDER BY c.people - coalesce(e.people, 0) DESC, c.track_id LIMIT 3
                )
            )
        )
    )
),
common AS MATERIALIZED (
    SELECT g.track_id AS given_id, o.track_id, count(*) AS people
    FROM given AS g
    CROSS JOIN user_engagements AS e ON e.track_id = g.track_id
    CROSS JOIN user_engagements AS o ON o.user_id = e.user_id
    WHERE e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
        AND o.engagement_type = 'like' AND o.user_list_rank IS NOT NULL
        AND o.track_id NOT IN (SELECT track_id FROM given) AND o.track_id NOT IN (SELECT track_id FROM framed)
    GROUP BY g.track_id, o.track_id
    HAVING count(*) >= CAST(coalesce(nullif(:at_least, ''), 2) AS INTEGER)
),
involved AS MATERIALIZED (
    SELECT track_id FROM given UNION SELECT track_id FROM common
),
sizes AS MATERIALIZED (
    SELECT i.track_id, (
        SELECT count(*) FROM user_engagements AS e WHERE e.track_id = i.track_id AND e.engagement_type = 'like'
    ) - coalesce(w.people, 0) AS people
    FROM involved AS i LEFT JOIN elsewhere AS w ON w.track_id = i.track_id
),
found AS MATERIALIZED (
    SELECT
        c.track_id,
        round(sum(c.people / sqrt(1.0 * a.people * b.people)) / (SELECT count(*) FROM given), 6) AS score,
        count(*) AS near,
        sum(c.people) AS people_in_common,
        b.people
    FROM common AS c
    JOIN sizes AS a ON a.track_id = c.given_id
    JOIN sizes AS b ON b.track_id = c.track_id
    GROUP BY c.track_id
    ORDER BY score DESC, c.track_id
    LIMIT CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER)
)
SELECT
    f.track_id,
    x.title,
    x.artist,
    f.score,
    f.near,
    (SELECT count(*) FROM given) AS of_given,
    f.people_in_common,
    f.people,
    t.permalink_url
FROM found AS f
CROSS JOIN tracks AS t ON t.id = f.track_id
CROSS JOIN track_texts AS x ON x.track_id = f.track_id
ORDER BY f.score DESC, f.track_id;
