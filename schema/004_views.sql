-- Views to start from. They say 'not asked' where a list was never asked for, never 'none'. A list stands as its outcome
-- says, or, while it has none, as the state of the reading that its task names.

-- Who likes what, with names. `user_list` tells whether the user's own list is whole.
CREATE VIEW likes AS
SELECT
    e.user_id,
    u.username,
    e.track_id,
    t.title,
    coalesce(t.metadata_artist, a.username) AS artist,
    t.permalink_url,
    e.user_list_rank,
    e.track_list_rank,
    coalesce(
        l.outcome,
        (SELECT r.state FROM readings AS r WHERE r.task_id = l.id AND r.number = l.reading),
        'not asked'
    ) AS user_list
FROM user_engagements AS e
JOIN users AS u ON u.id = e.user_id
JOIN tracks AS t ON t.id = e.track_id
LEFT JOIN users AS a ON a.id = t.uploader_id
LEFT JOIN tasks AS l ON l.kind = 'user_likes' AND l.subject_id = e.user_id
WHERE e.engagement_type = 'like';

-- Who reposted what, with names. Users' own lists of reposts are not asked for by a plain crawl.
CREATE VIEW reposts AS
SELECT
    e.user_id,
    u.username,
    e.track_id,
    t.title,
    coalesce(t.metadata_artist, a.username) AS artist,
    t.permalink_url,
    e.user_list_rank,
    e.track_list_rank,
    coalesce(
        l.outcome,
        (SELECT r.state FROM readings AS r WHERE r.task_id = l.id AND r.number = l.reading),
        'not asked'
    ) AS user_list
FROM user_engagements AS e
JOIN users AS u ON u.id = e.user_id
JOIN tracks AS t ON t.id = e.track_id
LEFT JOIN users AS a ON a.id = t.uploader_id
LEFT JOIN tasks AS l ON l.kind = 'user_reposts' AND l.subject_id = e.user_id
WHERE e.engagement_type = 'repost';

-- The ledger, readable: every list, how it ended, what is missing.
CREATE VIEW lists AS
SELECT
    t.id AS task_id,
    t.kind,
    k.title AS what,
    t.subject_id,
    CASE k.subject
        WHEN 'track' THEN (SELECT title FROM tracks WHERE id = t.subject_id)
        WHEN 'user' THEN (SELECT username FROM users WHERE id = t.subject_id)
        WHEN 'playlist' THEN (SELECT title FROM playlists WHERE id = t.subject_id)
        WHEN 'station' THEN (SELECT title FROM stations WHERE id = t.subject_id)
        ELSE (SELECT address FROM searches WHERE id = t.subject_id)
    END AS subject,
    coalesce(t.outcome, r.state) AS outcome,
    iif(t.outcome IS NULL, r.claimed, t.claimed) AS claimed,
    iif(t.outcome IS NULL, r.collected, t.collected) AS collected,
    iif(t.outcome IS NULL, max(r.claimed - r.collected, 0), max(t.claimed - t.collected, 0))
        AS missing,                                 -- NULL where the service claimed nothing
    r.skipped,
    r.pages_read,
    (SELECT max(p.fetched_at) FROM pages AS p WHERE p.task_id = t.id) AS read_until,
    r.next_cursor IS NOT NULL AND coalesce(t.outcome NOT IN ('complete', 'short'), 1)   -- an empty page may name a next
        OR t.outcome IS 'capped' OR EXISTS (
            SELECT 1 FROM readings AS o WHERE o.task_id = t.id AND o.state <> 'ended'
        ) AS goes_on                                -- there is, or may be, more
FROM tasks AS t
JOIN list_kinds AS k ON k.kind = t.kind
JOIN readings AS r ON r.task_id = t.id AND r.number = t.reading
WHERE k.subject NOT IN ('seed', 'batch');

-- What each harvest wanted, per kind of list, and how far it got.
CREATE VIEW seed_coverage AS
SELECT
    w.harvest_id,
    h.seed_kind,                                    -- NULL: the harvest has several seeds
    h.seed_id,
    w.depth,
    t.kind,
    count(*) AS lists,
    sum(t.outcome IS NULL) AS open,
    sum(t.outcome IS 'complete') AS complete,
    sum(t.outcome IS 'capped') AS capped,
    sum(t.outcome IS 'short') AS short,
    count(*) FILTER (WHERE t.outcome IN ('gone', 'forbidden', 'withdrawn')) AS unanswered,
    count(*) FILTER (WHERE t.outcome IN ('loop', 'unreadable', 'failed', 'withdrawn')) AS broken,
    CAST(sum(1.0 * iif(t.outcome IS NULL, r.claimed, t.claimed)) AS INTEGER)
        AS claimed,                                 -- of the lists that claimed anything; no sum overflows
    sum(iif(t.outcome IS NULL, r.collected, t.collected)) AS collected,
    sum(iif(t.outcome IS NULL, r.claimed, t.claimed) IS NULL) AS without_claim
FROM harvest_tasks AS w
JOIN harvests AS h ON h.id = w.harvest_id
JOIN tasks AS t ON t.id = w.task_id
LEFT JOIN readings AS r ON t.outcome IS NULL AND r.task_id = t.id AND r.number = t.reading
GROUP BY w.harvest_id, w.depth, t.kind;

-- Whether the file holds a whole graph: every person who likes anything here is followed, and what they like was itself
-- listed to its end. Then no person's chance to be here depends on any one track. One row; the counts of likes are made
-- only where the ledger's own sums allow for it.
CREATE VIEW census AS
WITH listed AS MATERIALIZED (                       -- tracks with all their likers
    SELECT subject_id AS track_id, collected
    FROM tasks
    WHERE kind = 'track_likers' AND outcome IN ('complete', 'short')
),
own AS MATERIALIZED (
    SELECT coalesce(sum(collected), 0) AS likes FROM tasks WHERE kind = 'user_likes'
)
SELECT
    CASE
        WHEN own.likes = 0 OR (SELECT total(collected) FROM listed) < 0.95 * own.likes THEN 0
        WHEN (
            SELECT total(l.outcome IS NULL) > 0.05 * count(*)   -- people who like something and were not followed
            FROM users AS u
            LEFT JOIN tasks AS l ON l.kind = 'user_likes' AND l.subject_id = u.id
            WHERE EXISTS (SELECT 1 FROM user_engagements AS e WHERE e.user_id = u.id)
        ) THEN 0
        ELSE (
            SELECT count(*) >= 0.95 * own.likes
            FROM listed AS w
            CROSS JOIN user_engagements AS e ON e.track_id = w.track_id
            WHERE e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL
        )
    END AS is_census
FROM own;

-- Tracks around which a harvest has chosen people. `counts` 1: each person's chance to be in the file depends on liking
-- them, so that analyses leave them out or correct for it. 0: the file is a census, where no person's chance does.
CREATE VIEW frames AS
SELECT v.harvest_id, v.thing_id AS track_id, v.round = 0 AS is_seed, (SELECT NOT is_census FROM census) AS counts
FROM harvests AS h
CROSS JOIN visits AS v ON v.harvest_id = h.id AND v.thing = 'track'
WHERE EXISTS (
        SELECT 1 FROM visits AS p WHERE p.harvest_id = v.harvest_id AND p.thing = 'user' AND p.round > v.round
    )
    AND EXISTS (
        SELECT 1 FROM recipes AS c
        WHERE c.harvest_id = v.harvest_id AND c.kind IN ('track_likers', 'track_reposters')
            AND c.reach <= v.reach
    );

-- What people like by their own lists, where the service itself ended these: what analyses of taste count.
CREATE VIEW own_likes AS
SELECT
    e.user_id,
    e.track_id,
    e.user_list_rank AS rank,
    round(1.0 * e.user_list_rank / max(l.collected, 1), 4) AS age, -- 0 the newest, towards 1 the oldest of the list
    l.collected AS likes_read,
    l.outcome,
    e.track_id IN (SELECT track_id FROM frames WHERE counts) AS frame
FROM user_engagements AS e
JOIN tasks AS l ON l.kind = 'user_likes' AND l.subject_id = e.user_id
WHERE e.engagement_type = 'like' AND e.user_list_rank IS NOT NULL AND l.outcome IN ('complete', 'short');

-- All people listed around the tracks of a harvest: who was chosen to be followed, and what came of it.
CREATE VIEW sample AS
WITH listed (harvest_id, track_id, user_id, engagement_type, track_list_rank, once) AS (
    SELECT
        v.harvest_id,
        v.thing_id,
        e.user_id,
        e.engagement_type,
        e.track_list_rank,
        e.engagement_type = 'like' OR NOT EXISTS (
            SELECT 1 FROM user_engagements AS b
            JOIN recipes AS d ON d.harvest_id = v.harvest_id AND d.kind = 'track_likers'
                AND d.reach <= v.reach
            WHERE b.user_id = e.user_id AND b.track_id = e.track_id AND b.engagement_type = 'like'
                AND b.track_list_rank < d.cap
        )
    FROM visits AS v
    JOIN recipes AS c
        ON c.harvest_id = v.harvest_id AND c.kind IN ('track_likers', 'track_reposters')
        AND c.reach <= v.reach
    JOIN user_engagements AS e
        ON e.track_id = v.thing_id
        AND e.engagement_type = CASE c.kind WHEN 'track_likers' THEN 'like' ELSE 'repost' END
        AND e.track_list_rank < c.cap
    WHERE v.thing = 'track'
    UNION ALL
    SELECT
        v.harvest_id,
        v.thing_id,
        e.user_id,
        'comment',
        min(e.track_list_rank),                     -- who comments often is listed once
        NOT EXISTS (
            SELECT 1 FROM user_engagements AS b
            JOIN recipes AS d ON d.harvest_id = v.harvest_id
                AND d.kind = CASE b.engagement_type WHEN 'like' THEN 'track_likers' ELSE 'track_reposters' END
                AND d.reach <= v.reach
            WHERE b.user_id = e.user_id AND b.track_id = v.thing_id AND b.track_list_rank < d.cap
        )
    FROM visits AS v
    JOIN recipes AS c
        ON c.harvest_id = v.harvest_id AND c.kind = 'track_comments' AND c.reach <= v.reach
    JOIN comments AS e ON e.track_id = v.thing_id AND e.track_list_rank < c.cap AND e.user_id IS NOT NULL
    WHERE v.thing = 'track'
    GROUP BY v.harvest_id, v.thing_id, e.user_id
)
SELECT
    s.harvest_id,
    s.track_id,
    s.user_id,
    u.username,
    s.engagement_type,
    s.track_list_rank,
    u.likes_given_count,
    f.thing_id IS NOT NULL AS chosen,
    CASE WHEN o.id IS NOT NULL THEN f.chance END AS chance, -- of the draw around this very track
    l.outcome IS 'capped' AS censored,              -- of another harvest's list nothing is said
    CASE
        WHEN c.kind IS NULL THEN 'not asked'
        WHEN l.outcome IS NULL THEN 'not yet'
        WHEN (SELECT m.answered FROM outcomes AS m WHERE m.outcome = l.outcome) THEN 'answered'
        ELSE 'unanswered'
    END AS answer,
    CASE
        WHEN l.outcome IS NOT NULL THEN l.collected
        ELSE (SELECT r.collected FROM readings AS r WHERE r.task_id = l.id AND r.number = l.reading)
    END AS likes_read,
    s.once                                          -- 1 in one row per person and track: likers before reposters
FROM listed AS s
JOIN users AS u ON u.id = s.user_id
LEFT JOIN visits AS f ON f.harvest_id = s.harvest_id AND f.thing = 'user' AND f.thing_id = s.user_id
LEFT JOIN tasks AS o
    ON o.id = f.parent_task_id AND o.subject_id = s.track_id
    AND o.kind IN ('track_likers', 'track_reposters', 'track_comments')
LEFT JOIN recipes AS c
    ON c.harvest_id = f.harvest_id AND c.kind = 'user_likes' AND c.reach <= f.reach
LEFT JOIN tasks AS l ON l.kind = c.kind AND l.subject_id = f.thing_id;

-- The people each walker of a walk came to, stop by stop. A walker is named by the person it set out from. One step looks at
-- one round of visits.
CREATE VIEW walks AS
WITH RECURSIVE steps (harvest_id, walker, stop, round, thing, thing_id) AS (
    SELECT v.harvest_id, v.thing_id, 1, v.round, v.thing, v.thing_id
    FROM harvests AS h
    JOIN visits AS v ON v.harvest_id = h.id AND v.thing = 'user' AND v.depth = 1 AND v.place IS NOT NULL
    LEFT JOIN tasks AS p ON p.id = v.parent_task_id
    LEFT JOIN visits AS b ON b.harvest_id = v.harvest_id AND b.thing = 'user' AND b.thing_id = p.subject_id
        AND b.depth = 1 AND p.kind IN (SELECT k.kind FROM list_kinds AS k WHERE k.subject = 'user')
    WHERE coalesce(h.last_options, h.options) ->> 'order' = 'walk' AND b.thing_id IS NULL
    UNION ALL
    SELECT s.harvest_id, s.walker, s.stop + (v.thing = 'user'), v.round, v.thing, v.thing_id
    FROM steps AS s
    JOIN visits AS v ON v.harvest_id = s.harvest_id AND v.round = s.round + 1 AND v.place IS NOT NULL
    JOIN tasks AS p ON p.id = v.parent_task_id AND p.subject_id = s.thing_id
    JOIN list_kinds AS k ON k.kind = p.kind AND k.subject = s.thing
)
SELECT
    s.harvest_id,
    s.walker,
    s.stop,
    s.thing_id AS user_id,
    u.username,
    l.collected AS likes_read,
    1.0 / nullif(l.collected, 0) AS weight,         -- NULL: not answered, or nothing listed
    l.outcome IS 'capped' AS censored
FROM steps AS s
JOIN users AS u ON u.id = s.thing_id
LEFT JOIN tasks AS l ON l.kind = 'user_likes' AND l.subject_id = s.thing_id
WHERE s.thing = 'user';

-- Where an edge comes from: page, list, the list that led there, and so on up to the seed. `chain` is a JSON array
-- of these lists, from the page's own to the looking up of the seed.
CREATE VIEW why AS
SELECT
    y.user_id,
    y.track_id,
    y.engagement_type,
    y.page_id,
    y.request,
    y.fetched_at,
    y.task_id,
    y.kind,
    y.subject_id,
    y.harvest_id,
    s.thing AS seed_kind,
    s.thing_id AS seed_id,
    y.depth,
    y.listed_rank,
    y.parent_task_id,
    y.parent_kind,
    y.parent_subject_id,
    y.chain
FROM (
    SELECT
        e.user_id,
        e.track_id,
        e.engagement_type,
        p.id AS page_id,
        p.request,
        p.fetched_at,
        t.id AS task_id,
        t.kind,
        t.subject_id,
        v.harvest_id,
        v.depth + (v.thing = 'track') AS depth,
        v.place AS listed_rank,
        v.parent_task_id,
        o.kind AS parent_kind,
        o.subject_id AS parent_subject_id,
        (
            WITH RECURSIVE up (step, task_id, parent_task_id, depth, listed_rank) AS (
                SELECT 0, t.id, v.parent_task_id, v.depth + (v.thing = 'track'), v.place
                UNION ALL
                SELECT up.step + 1, up.parent_task_id, w.parent_task_id, coalesce(w.depth + (w.thing = 'track'), 0),
                    w.place
                FROM up
                JOIN tasks AS n ON n.id = up.parent_task_id
                JOIN list_kinds AS d ON d.kind = n.kind
                LEFT JOIN visits AS w    -- none: the looking up of the seed
                    ON w.harvest_id = v.harvest_id AND w.thing = d.subject AND w.thing_id = n.subject_id
                WHERE up.step < 1000
            )
            SELECT json_group_array(json(list)) FROM (
                SELECT json_object('task_id', up.task_id, 'kind', n.kind, 'subject_id', n.subject_id, 'depth', up.depth,
                    'listed_rank', up.listed_rank) AS list
                FROM up JOIN tasks AS n ON n.id = up.task_id ORDER BY up.step
            )
        ) AS chain
    FROM user_engagements AS e
    JOIN pages AS p ON p.id = e.first_page_id
    JOIN tasks AS t ON t.id = p.task_id
    JOIN list_kinds AS k ON k.kind = t.kind
    JOIN visits AS v ON v.thing_id = t.subject_id AND v.thing = k.subject
    JOIN recipes AS c ON c.harvest_id = v.harvest_id AND c.kind = t.kind AND c.reach <= v.reach
    LEFT JOIN tasks AS o ON o.id = v.parent_task_id
) AS y
-- The list of the seed: behind it there is only its look-up, and of a search not even that.
LEFT JOIN list_kinds AS f ON f.kind = y.chain ->> '$[#-1].kind'
LEFT JOIN list_kinds AS b ON b.kind = y.chain ->> iif(f.subject IN ('seed', 'batch'), '$[#-2].kind', '$[#-1].kind')
LEFT JOIN visits AS s
    ON s.harvest_id = y.harvest_id AND s.round = 0 AND s.thing = b.subject
    AND s.thing_id = y.chain ->> iif(f.subject IN ('seed', 'batch'), '$[#-2].subject_id', '$[#-1].subject_id');

-- ESTIMATES. When an edge was made, as far as page cursors tell: lists run newest first and a cursor carries the time
-- of the last entry of its page, to the second below. So an edge lies between the cursor of its page and that of the page
-- before, or the moment of fetching where none precedes. A cursor that does not lead back in time is no time: NULL.
CREATE VIEW edge_times_estimate AS
SELECT
    user_id,
    track_id,
    engagement_type,
    list_kind,
    CASE WHEN after < before THEN after END AS engaged_after,
    CASE WHEN after IS NULL OR after < before THEN strftime('%Y-%m-%dT%H:%M:%SZ', before, '+1 second') END
        AS engaged_before
FROM (
    SELECT
        e.user_id,
        e.track_id,
        e.engagement_type,
        t.kind AS list_kind,
        p.cursor_time AS after,
        coalesce(
            (
                SELECT min(b.cursor_time) FROM pages AS b
                WHERE b.task_id = p.task_id AND b.reading = p.reading AND b.number < p.number
            ),
            p.fetched_at
        ) AS before
    FROM user_engagements AS e
    JOIN pages AS p ON p.id = e.first_page_id
    JOIN tasks AS t ON t.id = p.task_id
);

-- One row per user and track, in the order of the table, so that it streams: the input of recommenders.
CREATE VIEW interactions AS
SELECT
    user_id,
    track_id,
    max(engagement_type = 'like') AS liked,
    max(engagement_type = 'repost') AS reposted,
    max(user_list_rank) FILTER (WHERE engagement_type = 'like') AS like_rank
FROM user_engagements
GROUP BY user_id, track_id;

-- How much of a track's audience stands in this file, beside the service's own counts.
CREATE VIEW track_stats AS
SELECT
    t.id AS track_id,
    t.title,
    a.username AS uploader,
    (SELECT count(*) FROM user_engagements AS e WHERE e.track_id = t.id AND e.engagement_type = 'like') AS likes_here,
    t.likes_count,
    (SELECT count(*) FROM user_engagements AS e WHERE e.track_id = t.id AND e.engagement_type = 'repost')
        AS reposts_here,
    t.reposts_count,
    coalesce(
        (
            SELECT coalesce(l.outcome, r.state)
            FROM tasks AS l JOIN readings AS r ON r.task_id = l.id AND r.number = l.reading
            WHERE l.kind = 'track_likers' AND l.subject_id = t.id
        ),
        'not asked'
    ) AS likers_list,
    t.playback_count,
    t.genre,
    t.permalink_url
FROM tracks AS t
LEFT JOIN users AS a ON a.id = t.uploader_id;

-- All who uploaded a track that is in this file.
CREATE VIEW uploaders AS
SELECT
    u.id AS user_id,
    u.username,
    count(*) AS tracks_here,
    u.track_count,
    sum((SELECT count(*) FROM user_engagements AS e WHERE e.track_id = t.id AND e.engagement_type = 'like'))
        AS likes_here,
    u.followers_count,
    u.permalink_url
FROM tracks AS t
JOIN users AS u ON u.id = t.uploader_id
GROUP BY u.id;
