-- What was liked and reposted on a day, certainly or possibly?
--
-- :day    text = today               a day, or a UTC time as precise as you like: 2026-11-20T18
-- :user   user = all                 only this person's
-- :track  track = all                only this track's
-- :which  possible|certain = possible  certain leaves out what is only possible
-- :limit  integer = 100              maximum rows; -1: all
--
-- `certain` is 1 if a page showed it by then and a later complete reading still showed it. It is 0 if it is possible:
-- it appeared after a reading without it, its start is unknown, or it was not checked afterwards. A file that was read
-- once is certain only about that day. Without a person or track, this reads all likes.
WITH
given AS (
    SELECT day, day || '~' AS day_end                -- behind every moment that begins so
    FROM (SELECT coalesce(nullif(nullif(:day, ''), 'today'), date('now')) AS day)
    WHERE day GLOB '[0-9][0-9][0-9][0-9]*'
),
wanted AS (
    SELECT * FROM spells
    WHERE user_id = CAST(nullif(:user, '') AS INTEGER)
        AND (nullif(:track, '') IS NULL OR track_id = CAST(:track AS INTEGER))
    UNION ALL
    SELECT * FROM spells WHERE nullif(:user, '') IS NULL AND track_id = CAST(nullif(:track, '') AS INTEGER)
    UNION ALL
    SELECT * FROM spells WHERE nullif(:user, '') IS NULL AND nullif(:track, '') IS NULL
),
stood AS (
    SELECT w.*, max(w.seen_from <= g.day_end AND w.seen_until >= g.day) AS certain -- once, however often that day
    FROM given AS g
    CROSS JOIN wanted AS w
    WHERE (w.came_after IS NULL OR w.came_after <= g.day_end) AND (w.gone_by IS NULL OR w.gone_by >= g.day)
    GROUP BY w.user_id, w.track_id, w.engagement_type
)
SELECT
    s.user_id,
    u.username,
    s.track_id,
    t.title,
    s.engagement_type,
    s.certain,
    s.came_after,
    s.seen_from,
    s.seen_until,
    s.gone_by,
    s.reason
FROM stood AS s
JOIN users AS u ON u.id = s.user_id
JOIN tracks AS t ON t.id = s.track_id
WHERE s.certain OR coalesce(nullif(:which, ''), 'possible') = 'possible'
ORDER BY s.user_id, s.track_id, s.engagement_type
LIMIT CAST(coalesce(nullif(:limit, ''), 100) AS INTEGER);
