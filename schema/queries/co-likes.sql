-- What do people who like a track also like, and how far beyond its popularity?
--
-- :track     track = seed            the track; without a seed track, the one with the longest list of likers
-- :at_least  integer = 2             minimum number of people in common
-- :order     people|lift = people    sort order
-- :at_most   integer = 0             maximum number of likes SoundCloud counts; 0: any number
-- :limit     integer = 20            maximum rows
--
-- This counts the people who like the track and whose own list of likes was read, as far as it was read. Only likes
-- from people's own lists count. at_most keeps the tracks that few people know and leaves out those
-- without a count; share and lift stay what they are without it.
--
-- `lift` compares two shares: the share of all likes these people gave to the tracks counted here, and the share of all
-- likes SoundCloud counts for the same tracks (likes_count). 2 means they like it twice as much as SoundCloud's users
-- do. It uses SoundCloud's counts because this file cannot measure chance: all people followed from a seed like the
-- seed, so nothing in the file is independent of it. `lift` is NULL if SoundCloud returns no count, and if people were
-- chosen because they like the track, so that there is no comparison with chance: a seed, and a track around which a
-- deeper level went (none in a census, see the view frames). Small numbers make large lifts: raise at_least with
-- order=lift.
WITH
given AS (
    SELECT
        coalesce(
            CAST(nullif(:track, '') AS INTEGER),
            (SELECT thing_id FROM seeds WHERE thing = 'track' ORDER BY id LIMIT 1),
            (
                SELECT subject_id FROM tasks WHERE kind = 'track_likers' AND collected > 0
                ORDER BY collected DESC, subject_id LIMIT 1
            )
        ) AS track_id,
        CAST(coalesce(nullif(:at_least, ''), 2) AS INTEGER) AS at_least,
        CAST(coalesce(nullif(:at_most, ''), 0) AS INTEGER) AS at_most
),
whole AS MATERIALIZED (
    SELECT is_census FROM census
),
framed AS MATERIALIZED (                            -- people were chosen because they like these
    SELECT track_id FROM frames WHERE NOT (SELECT is_census FROM whole)
    UNION SELECT thing_id FROM seeds WHERE thing = 'track' AND NOT (SELECT is_census FROM whole)
),
fans AS MATERIALIZED (
    SELECT e.user_id
    FROM user_engagements AS e
    JOIN lists AS l ON l.kind = 'user_likes' AND l.subject_id = e.user_id AND l.collected > 0
    WHERE e.track_id = (SELECT track_id FROM given) AND e.engagement_type = 'like'
),
common AS MATERIALIZED (
    SELECT e.track_id, count(*) AS people
    FROM fans AS f
    CROSS JOIN user_engagements AS e ON e.user_id = f.user_id AND e.engagement_type = 'like'
        AND e.user_list_rank IS NOT NULL
    WHERE e.track_id <> (SELECT track_id FROM given)
    GROUP BY e.track_id
),
every AS MATERIALIZED (                             -- likes on the tracks that have a count: given here, and counted
    SELECT sum(c.people) AS given_here, sum(1.0 * t.likes_count) AS counted
    FROM common AS c CROSS JOIN tracks AS t ON t.id = c.track_id
    WHERE t.likes_count > 0 AND c.track_id NOT IN (SELECT track_id FROM framed)
),
found AS MATERIALIZED (
    SELECT
        c.track_id,
        c.people,
        t.likes_count,
        CASE WHEN t.likes_count > 0 AND c.track_id NOT IN (SELECT track_id FROM framed)
            THEN round(1.0 * c.people / every.given_here / t.likes_count * every.counted, 2)
        END AS lift
    FROM common AS c CROSS JOIN tracks AS t ON t.id = c.track_id CROSS JOIN every
    WHERE c.people >= (SELECT at_least FROM given)
        AND (t.likes_count <= (SELECT at_most FROM given) OR (SELECT at_most FROM given) = 0)
    ORDER BY CASE nullif(:order, '') WHEN 'lift' THEN lift ELSE c.people END DESC, c.people DESC, c.track_id
    LIMIT CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER)
)
SELECT
    f.track_id,
    x.title,
    x.artist,
    f.people,
    round(1.0 * f.people / (SELECT count(*) FROM fans), 3) AS share,
    f.likes_count,
    f.lift,
    t.permalink_url
FROM found AS f
CROSS JOIN tracks AS t ON t.id = f.track_id
CROSS JOIN track_texts AS x ON x.track_id = f.track_id
ORDER BY CASE nullif(:order, '') WHEN 'lift' THEN f.lift ELSE f.people END DESC, f.people DESC, f.track_id;
