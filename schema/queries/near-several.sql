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
asked AS MATERIALIZED (
    SELECT
        CAST(coalesce(nullif(:at_least, ''), 2) AS INTEGER) AS at_least,
        CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER) AS rows
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
sizes AS MATERIALIZED (
    SELECT g.track_id, (
        SELECT count(*) FROM user_engagements AS e
        WHERE e.track_id = g.track_id AND e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
    ) AS people
    FROM given AS g
),
fans AS MATERIALIZED (                              -- a row for each of the tracks given that a person likes
    SELECT e.user_id, s.track_id, s.people
    FROM sizes AS s
    CROSS JOIN user_engagements AS e ON e.track_id = s.track_id
    WHERE e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
),
weighed AS MATERIALIZED (
    SELECT user_id, sum(1 / sqrt(people)) AS weight FROM fans GROUP BY user_id
),
reached AS MATERIALIZED (
    SELECT o.track_id, sum(w.weight) AS weight
    FROM weighed AS w
    CROSS JOIN user_engagements AS o ON o.user_id = w.user_id
    WHERE o.engagement_type = 'like' AND o.user_list_rank IS NOT NULL
        AND o.track_id NOT IN (SELECT track_id FROM given) AND o.track_id NOT IN (SELECT track_id FROM framed)
    GROUP BY o.track_id
    HAVING count(*) >= (SELECT at_least FROM asked)
),
bounded AS MATERIALIZED (       -- a score is no more than what these sum up to, no less than that without the fewest
    SELECT
        track_id,
        people,
        weight / sqrt(people) / (SELECT count(*) FROM given) AS most,
        (weight - (SELECT max(at_least - 1, 0) FROM asked) * (SELECT sum(1 / sqrt(people)) FROM sizes WHERE people > 0))
        / sqrt(people) / (SELECT count(*) FROM given) AS least
    FROM (
        SELECT r.track_id, r.weight, (
            SELECT count(*) FROM user_engagements AS e WHERE e.track_id = r.track_id AND e.engagement_type = 'like'
        ) - coalesce(w.people, 0) AS people
        FROM reached AS r LEFT JOIN elsewhere AS w ON w.track_id = r.track_id
    )
),
likely AS MATERIALIZED (                            -- what may be among the first; scores are rounded
    SELECT track_id, people FROM bounded
    WHERE most > coalesce(
        (
            SELECT least FROM bounded WHERE (SELECT rows FROM asked) > 0
            ORDER BY least DESC LIMIT 1 OFFSET (SELECT rows - 1 FROM asked)
        ),
        0
    ) - 0.000002
),
common AS MATERIALIZED (
    SELECT f.track_id AS given_id, f.people AS given_people, l.track_id, l.people AS own_people, count(*) AS people
    FROM likely AS l
    CROSS JOIN user_engagements AS e ON e.track_id = l.track_id
    CROSS JOIN fans AS f ON f.user_id = e.user_id
    WHERE e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
    GROUP BY f.track_id, l.track_id
    HAVING count(*) >= (SELECT at_least FROM asked)
),
found AS MATERIALIZED (
    SELECT
        track_id,
        round(sum(people / sqrt(1.0 * given_people * own_people)) / (SELECT count(*) FROM given), 6) AS score,
        count(*) AS near,
        sum(people) AS people_in_common,
        own_people AS people
    FROM common
    GROUP BY track_id
    ORDER BY score DESC, track_id
    LIMIT (SELECT rows FROM asked)
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
