-- Ten views to start from. They say 'not asked' where a list was never asked for, never 'none'.

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
    coalesce(l.outcome, l.state, 'not asked') AS user_list
FROM user_engagements AS e
JOIN users AS u ON u.id = e.user_id
JOIN tracks AS t ON t.id = e.track_id
LEFT JOIN users AS a ON a.id = t.uploader_id
LEFT JOIN tasks AS l ON l.kind = 'user_likes' AND l.subject_id = e.user_id AND l.argument = ''
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
    coalesce(l.outcome, l.state, 'not asked') AS user_list
FROM user_engagements AS e
JOIN users AS u ON u.id = e.user_id
JOIN tracks AS t ON t.id = e.track_id
LEFT JOIN users AS a ON a.id = t.uploader_id
LEFT JOIN tasks AS l ON l.kind = 'user_reposts' AND l.subject_id = e.user_id AND l.argument = ''
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
    END AS subject,
    coalesce(t.outcome, t.state) AS outcome,
    t.claimed,
    t.collected,
    max(t.claimed - t.collected, 0) AS missing,     -- NULL where the service claimed nothing
    t.skipped,
    t.pages_read,
    (SELECT max(p.fetched_at) FROM pages AS p WHERE p.task_id = t.id) AS read_until,
    t.next_cursor IS NOT NULL OR t.outcome IS 'capped' OR t.state <> 'ended' AS goes_on -- there is, or may be, more
FROM tasks AS t
JOIN list_kinds AS k ON k.kind = t.kind
WHERE k.subject <> 'harvest';

-- What each harvest wanted, per kind of list, and how far it got.
CREATE VIEW seed_coverage AS
SELECT
    w.harvest_id,
    h.seed_id,
    w.depth,
    t.kind,
    count(*) AS lists,
    sum(t.state <> 'ended') AS open,
    sum(t.outcome IS 'complete') AS complete,
    sum(t.outcome IS 'capped') AS capped,
    sum(t.outcome IS 'short') AS short,
    count(*) FILTER (WHERE t.outcome IN ('gone', 'forbidden')) AS unanswered,
    count(*) FILTER (WHERE t.outcome IN ('loop', 'unreadable', 'failed')) AS broken,
    sum(t.claimed) AS claimed,                      -- of the lists that claimed anything
    sum(t.collected) AS collected,
    sum(t.claimed IS NULL) AS without_claim
FROM harvest_tasks AS w
JOIN harvests AS h ON h.id = w.harvest_id
JOIN tasks AS t ON t.id = w.task_id
GROUP BY w.harvest_id, w.depth, t.kind;

-- Everybody listed around the tracks of a harvest: who was chosen to be followed, and what came of it.
CREATE VIEW sample AS
SELECT
    w.harvest_id,
    t.subject_id AS track_id,
    e.user_id,
    u.username,
    e.engagement_type,
    e.track_list_rank,
    u.likes_given_count,
    f.task_id IS NOT NULL AS chosen,
    CASE WHEN o.subject_id = t.subject_id THEN f.chance END AS chance, -- of the draw around this very track
    f.task_id IS NOT NULL AND l.outcome IS 'capped' AS censored, -- of another harvest's list nothing is said
    CASE
        WHEN f.task_id IS NULL THEN 'not asked'
        WHEN l.outcome IN ('complete', 'short', 'capped', 'loop') THEN 'answered'
        WHEN l.outcome IS NULL THEN 'not yet'
        ELSE 'unanswered'
    END AS answer,
    CASE WHEN f.task_id IS NOT NULL THEN l.collected END AS likes_read,
    t.kind = 'track_likers' OR NOT EXISTS (         -- 1 in one row per person and track: likers before reposters
        SELECT 1 FROM user_engagements AS b
        WHERE b.user_id = e.user_id AND b.track_id = e.track_id AND b.engagement_type = 'like'
            AND b.track_list_rank < w.cap
    ) AS once
FROM harvest_tasks AS w
JOIN tasks AS t ON t.id = w.task_id AND t.kind IN ('track_likers', 'track_reposters')
JOIN user_engagements AS e
    ON e.track_id = t.subject_id
    AND e.engagement_type = CASE t.kind WHEN 'track_likers' THEN 'like' ELSE 'repost' END
    AND e.track_list_rank < w.cap
JOIN users AS u ON u.id = e.user_id
LEFT JOIN tasks AS l ON l.kind = 'user_likes' AND l.subject_id = e.user_id AND l.argument = ''
LEFT JOIN harvest_tasks AS f ON f.harvest_id = w.harvest_id AND f.task_id = l.id
LEFT JOIN tasks AS o ON o.id = f.parent_task_id;

-- Where an edge comes from: page, list, the list that led there, and so on up to the seed. `chain` is a JSON array
-- of these lists, from the page's own to the looking up of the seed.
CREATE VIEW why AS
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
    w.harvest_id,
    h.seed_id,
    w.depth,
    w.listed_rank,
    w.parent_task_id,
    o.kind AS parent_kind,
    o.subject_id AS parent_subject_id,
    (
        WITH RECURSIVE up (step, task_id, parent_task_id, depth, listed_rank) AS (
            SELECT 0, w.task_id, w.parent_task_id, w.depth, w.listed_rank
            UNION ALL
            SELECT up.step + 1, v.task_id, v.parent_task_id, v.depth, v.listed_rank
            FROM up JOIN harvest_tasks AS v ON v.harvest_id = w.harvest_id AND v.task_id = up.parent_task_id
            WHERE up.step < 1000
        )
        SELECT json_group_array(json(list)) FROM (
            SELECT json_object('task_id', up.task_id, 'kind', c.kind, 'subject_id', c.subject_id, 'depth', up.depth,
                'listed_rank', up.listed_rank) AS list
            FROM up JOIN tasks AS c ON c.id = up.task_id ORDER BY up.step
        )
    ) AS chain
FROM user_engagements AS e
JOIN pages AS p ON p.id = e.first_page_id
JOIN tasks AS t ON t.id = p.task_id
JOIN harvest_tasks AS w ON w.task_id = t.id
JOIN harvests AS h ON h.id = w.harvest_id
LEFT JOIN tasks AS o ON o.id = w.parent_task_id;

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
        (SELECT coalesce(l.outcome, l.state) FROM tasks AS l
            WHERE l.kind = 'track_likers' AND l.subject_id = t.id AND l.argument = ''),
        'not asked'
    ) AS likers_list,
    t.playback_count,
    t.genre,
    t.permalink_url
FROM tracks AS t
LEFT JOIN users AS a ON a.id = t.uploader_id;

-- Everybody who uploaded a track that stands in this file.
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
