-- The numbers for the methods section of a paper: what was requested, when, and how complete it is.
--
-- One row per number, in sections. `claimed` is the sum of SoundCloud's counts for the lists that have one, and
-- `collected (of these)` is what was collected from the same lists; the difference is missing from the file. `refused`
-- requests are those that returned 429, 403 or 401. People 'listed' appear in the lists of likers and reposters that
-- were read; 'followed' are those whose own likes were requested because a list named them. A seed of two harvests
-- counts in both states.
WITH
ledger AS MATERIALIZED (
    SELECT kind, iif(outcome IN ('todo', 'doing'), 'open', outcome) AS outcome, subject_id, collected, claimed, skipped,
        pages_read
    FROM lists
),
followed AS MATERIALIZED (
    SELECT v.thing_id AS user_id, max(v.chance < 1) AS by_chance
    FROM visits AS v
    JOIN recipes AS c ON c.harvest_id = v.harvest_id AND c.kind = 'user_likes' AND c.reach = 0
    WHERE v.thing = 'user' AND v.round > 0
    GROUP BY v.thing_id
),
listed AS MATERIALIZED (
    SELECT count(DISTINCT user_id) AS people FROM user_engagements WHERE track_list_rank IS NOT NULL
),
requests AS MATERIALIZED (
    SELECT coalesce(sum(n), 0) AS sent, coalesce(sum(n) FILTER (WHERE status IN (401, 403, 429)), 0) AS refused,
        coalesce(sum(n) FILTER (WHERE status = 0 OR status >= 500), 0) AS unanswered
    FROM run_requests
),
numbers (section, what, value, place) AS (
    SELECT 'source', 'service', group_concat(DISTINCT api_url), 1 FROM runs
    UNION ALL SELECT 'source', 'software', 'harvest ' || group_concat(DISTINCT version), 2 FROM runs
    UNION ALL SELECT 'source', 'first page', min(fetched_at), 3 FROM pages
    UNION ALL SELECT 'source', 'last page', max(fetched_at), 4 FROM pages
    UNION ALL SELECT 'source', 'runs', count(*), 5 FROM runs
    UNION ALL SELECT 'source', 'pages', pages, 6 FROM totals
    UNION ALL SELECT 'source', 'requests sent', sent, 7 FROM requests
    UNION ALL SELECT 'source', 'requests refused', refused, 8 FROM requests
    UNION ALL SELECT 'source', 'requests unanswered', unanswered, 9 FROM requests
    UNION ALL SELECT 'source', 'seconds waited', sum(waited_ms) / 1000, 10 FROM runs
    UNION ALL
    SELECT 'seeds', 'seeds', count(*), 20 FROM seeds
    UNION ALL SELECT 'seeds', 'seeds ' || h.state, count(*), 21
        FROM harvests AS h JOIN harvest_seeds AS s ON s.harvest_id = h.id GROUP BY h.state
    UNION ALL
    SELECT 'limits', o.key, group_concat(DISTINCT coalesce(o.value, h.level)), 30
    FROM harvests AS h, json_each(h.options) AS o
    WHERE o.value IS NOT NULL OR o.key = 'depth'    -- unless told otherwise, as deep as it went
    GROUP BY o.key
    UNION ALL
    SELECT 'people', 'tracks whose people were listed', count(DISTINCT subject_id), 40
    FROM ledger WHERE kind IN ('track_likers', 'track_reposters') AND pages_read > 0
    UNION ALL SELECT 'people', 'listed', people, 41 FROM listed
    UNION ALL SELECT 'people', 'followed', count(*), 42 FROM followed
    UNION ALL SELECT 'people', 'followed and answered', count(*), 43
        FROM followed AS f
        JOIN tasks AS l ON l.kind = 'user_likes' AND l.subject_id = f.user_id
        JOIN outcomes AS o ON o.outcome = l.outcome AND o.answered = 1
    UNION ALL SELECT 'people', 'drawn by chance', count(*), 44 FROM followed WHERE by_chance
    UNION ALL
    SELECT 'lists: ' || kind, outcome, count(*), 50 FROM ledger GROUP BY kind, outcome
    UNION ALL SELECT 'lists: ' || kind, 'collected', sum(collected), 51
        FROM ledger GROUP BY kind
    UNION ALL SELECT 'lists: ' || kind, 'claimed', CAST(sum(1.0 * claimed) AS INTEGER), 52
        FROM ledger GROUP BY kind
    UNION ALL SELECT 'lists: ' || kind, 'collected (of these)', sum(collected) FILTER (WHERE claimed IS NOT NULL), 53
        FROM ledger GROUP BY kind
    UNION ALL SELECT 'lists: ' || kind, 'entries left out', sum(skipped), 54
        FROM ledger GROUP BY kind
    UNION ALL
    SELECT 'rows', 'users', users, 60 FROM totals
    UNION ALL SELECT 'rows', 'tracks', tracks, 61 FROM totals
    UNION ALL SELECT 'rows', 'likes', likes, 62 FROM totals
    UNION ALL SELECT 'rows', 'reposts', reposts, 63 FROM totals
    UNION ALL
    SELECT 'failures', class, count(*), 70 FROM failures WHERE resolved_at IS NULL GROUP BY class
)
SELECT section, what, value
FROM numbers
ORDER BY CASE substr(section, 1, 5)
        WHEN 'sourc' THEN 1 WHEN 'seeds' THEN 2 WHEN 'limit' THEN 3 WHEN 'peopl' THEN 4 WHEN 'lists' THEN 5
        WHEN 'rows' THEN 6 ELSE 7
    END, section, place, what;
