-- Which lists are not whole, what is missing, and why?
--
-- :kind     text = all               one kind of list, as in list_kinds, for example user_likes
-- :outcome  text = all               one outcome, for example capped; todo and doing are lists still open
-- :limit    integer = 100            maximum rows
--
-- The lists with the most missing come first. `missing` is what SoundCloud claimed minus what was collected; NULL if it
-- claimed nothing. A count on a profile includes liked playlists, which the list does not, so a few missing are normal.
-- `reason` is the newest unresolved entry in failures.
WITH chosen AS MATERIALIZED (
    SELECT task_id, kind, subject_id, outcome, claimed, collected, missing
    FROM lists
    WHERE outcome <> 'complete'
        AND coalesce(nullif(:kind, ''), 'all') IN ('all', kind)
        AND coalesce(nullif(:outcome, ''), 'all') IN ('all', outcome)
    ORDER BY missing DESC NULLS LAST, kind, subject_id
    LIMIT CAST(coalesce(nullif(:limit, ''), 100) AS INTEGER)
)
SELECT
    c.kind,
    c.subject_id,
    l.subject,
    c.outcome,
    c.claimed,
    c.collected,
    c.missing,
    l.read_until,
    l.goes_on,
    (
        SELECT f.class || ': ' || f.message FROM failures AS f
        WHERE f.task_id = c.task_id AND f.resolved_at IS NULL ORDER BY f.last_at DESC, f.id DESC LIMIT 1
    ) AS reason
FROM chosen AS c
CROSS JOIN lists AS l ON l.task_id = c.task_id
ORDER BY c.missing DESC NULLS LAST, c.kind, c.subject_id;
