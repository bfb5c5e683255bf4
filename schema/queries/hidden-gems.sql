-- Which tracks do people here like that few others know?
--
-- :at_least  integer = 3             minimum number of people here who like it
-- :at_most   integer = 1000          maximum number of likes SoundCloud counts
-- :limit     integer = 20            maximum rows
--
-- Only likes from people's own lists count, as far as those lists were read. `times` compares two shares, like the lift
-- of co-likes: people here who like the track, over all likes here of tracks with a count; and SoundCloud's count of
-- its likes, over the sum of these counts. 10 means it is liked ten times as much here as everywhere. `share_here` is
-- the share of all its likers who are in this file. Tracks with an unknown count and tracks people were chosen for
-- (view frames) are left out. A count that is old, or below the people here, makes both too large; the number of people
-- here is then used as the count.
WITH
given AS (
    SELECT
        CAST(coalesce(nullif(:at_least, ''), 3) AS INTEGER) AS at_least,
        CAST(coalesce(nullif(:at_most, ''), 1000) AS INTEGER) AS at_most
),
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
liked AS (                                          -- whose own list says so
    SELECT c.track_id, c.people - coalesce(e.people, 0) AS people
    FROM counted AS c LEFT JOIN elsewhere AS e ON e.track_id = c.track_id
),
heard AS MATERIALIZED (
    SELECT l.track_id, l.people, max(t.likes_count, l.people) AS likes_count
    FROM liked AS l
    CROSS JOIN tracks AS t ON t.id = l.track_id
    WHERE l.people > 0 AND t.likes_count > 0 AND l.track_id NOT IN (SELECT track_id FROM framed)
),
every AS MATERIALIZED (
    SELECT sum(people) AS here, sum(1.0 * likes_count) AS counted FROM heard
),
found AS MATERIALIZED (
    SELECT
        h.track_id,
        h.people,
        h.likes_count,
        round(h.people / (1.0 * n.here) / (h.likes_count / n.counted), 2) AS times
    FROM heard AS h CROSS JOIN every AS n
    WHERE h.people >= (SELECT at_least FROM given) AND h.likes_count <= (SELECT at_most FROM given)
    ORDER BY times DESC, h.people DESC, h.track_id
    LIMIT CAST(coalesce(nullif(:limit, ''), 20) AS INTEGER)
)
SELECT
    f.track_id,
    x.title,
    x.artist,
    f.people,
    f.likes_count,
    round(1.0 * f.people / f.likes_count, 3) AS share_here,
    f.times,
    t.permalink_url
FROM found AS f
CROSS JOIN tracks AS t ON t.id = f.track_id
CROSS JOIN track_texts AS x ON x.track_id = f.track_id
ORDER BY f.times DESC, f.people DESC, f.track_id;
