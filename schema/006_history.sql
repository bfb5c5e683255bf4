-- What changed since it was read first: what came, what vanished and why, who was renamed.
--
-- The tables of 001_graph.sql hold what stood at the last reading. A row that has vanished moves into the table of the
-- past of its kind (`past_...`); it may do so often, each time with another `gone_page_id`.
-- `reason` is `withdrawn` (what it leads to is still there), `gone` (that is gone), `unknown` (the service does not
-- say), NULL while what it leads to is yet to be looked up.

CREATE TABLE past_engagements (
    user_id         INTEGER NOT NULL REFERENCES users (id),
    track_id        INTEGER NOT NULL REFERENCES tracks (id),
    engagement_type TEXT    NOT NULL,
    user_list_rank  INTEGER,                        -- its last places
    track_list_rank INTEGER,
    first_page_id   INTEGER NOT NULL REFERENCES pages (id),
    last_page_id    INTEGER NOT NULL REFERENCES pages (id), -- the last of the last reading that had it
    gone_page_id    INTEGER NOT NULL REFERENCES pages (id), -- the last of the reading that lacked it
    reason          TEXT    CHECK (reason IN ('withdrawn', 'gone', 'unknown')),
    PRIMARY KEY (user_id, track_id, engagement_type, gone_page_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX past_engagements_by_track ON past_engagements (track_id, user_id);

CREATE TABLE past_follows (
    follower_id          INTEGER NOT NULL REFERENCES users (id),
    followee_id          INTEGER NOT NULL REFERENCES users (id),
    followers_list_rank  INTEGER,
    followings_list_rank INTEGER,
    first_page_id        INTEGER NOT NULL REFERENCES pages (id),
    last_page_id         INTEGER NOT NULL REFERENCES pages (id),
    gone_page_id         INTEGER NOT NULL REFERENCES pages (id),
    reason               TEXT    CHECK (reason IN ('withdrawn', 'gone', 'unknown')),
    PRIMARY KEY (follower_id, followee_id, gone_page_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX past_follows_by_followee ON past_follows (followee_id);

CREATE TABLE past_playlist_tracks (
    playlist_id   INTEGER NOT NULL REFERENCES playlists (id),
    position      INTEGER NOT NULL,
    track_id      INTEGER NOT NULL REFERENCES tracks (id),
    first_page_id INTEGER NOT NULL REFERENCES pages (id),
    last_page_id  INTEGER NOT NULL REFERENCES pages (id),
    gone_page_id  INTEGER NOT NULL REFERENCES pages (id),
    reason        TEXT    CHECK (reason IN ('withdrawn', 'gone', 'unknown')),
    PRIMARY KEY (playlist_id, position, gone_page_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX past_playlist_tracks_by_track ON past_playlist_tracks (track_id);

CREATE TABLE past_playlist_engagements (
    user_id            INTEGER NOT NULL REFERENCES users (id),
    playlist_id        INTEGER NOT NULL REFERENCES playlists (id),
    engagement_type    TEXT    NOT NULL,
    user_list_rank     INTEGER,
    playlist_list_rank INTEGER,
    first_page_id      INTEGER NOT NULL REFERENCES pages (id),
    last_page_id       INTEGER NOT NULL REFERENCES pages (id),
    gone_page_id       INTEGER NOT NULL REFERENCES pages (id),
    reason             TEXT    CHECK (reason IN ('withdrawn', 'gone', 'unknown')),
    PRIMARY KEY (user_id, playlist_id, engagement_type, gone_page_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX past_playlist_engagements_by_playlist ON past_playlist_engagements (playlist_id, user_id);

CREATE TABLE past_comments (
    id              INTEGER NOT NULL,
    track_id        INTEGER REFERENCES tracks (id),
    user_id         INTEGER REFERENCES users (id),
    created_at      TEXT,
    timestamp_ms    INTEGER,
    body            TEXT,
    track_list_rank INTEGER,
    first_page_id   INTEGER NOT NULL REFERENCES pages (id),
    last_page_id    INTEGER NOT NULL REFERENCES pages (id),
    gone_page_id    INTEGER NOT NULL REFERENCES pages (id),
    reason          TEXT    CHECK (reason IN ('withdrawn', 'gone', 'unknown')), -- gone: its author
    PRIMARY KEY (id, gone_page_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX past_comments_by_track ON past_comments (track_id);
CREATE INDEX past_comments_by_user ON past_comments (user_id);

CREATE TABLE past_station_likes (
    user_id        INTEGER NOT NULL REFERENCES users (id),
    station_id     INTEGER NOT NULL REFERENCES stations (id),
    user_list_rank INTEGER,
    first_page_id  INTEGER NOT NULL REFERENCES pages (id),
    last_page_id   INTEGER NOT NULL REFERENCES pages (id),
    gone_page_id   INTEGER NOT NULL REFERENCES pages (id),
    reason         TEXT    CHECK (reason IN ('withdrawn', 'gone', 'unknown')),
    PRIMARY KEY (user_id, station_id, gone_page_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE past_web_profiles (
    id             INTEGER NOT NULL,
    user_id        INTEGER NOT NULL REFERENCES users (id),
    url            TEXT    NOT NULL,
    service        TEXT,
    title          TEXT,
    username       TEXT,
    created_at     TEXT,
    user_list_rank INTEGER,
    first_page_id  INTEGER NOT NULL REFERENCES pages (id),
    last_page_id   INTEGER NOT NULL REFERENCES pages (id),
    gone_page_id   INTEGER NOT NULL REFERENCES pages (id),
    reason         TEXT    CHECK (reason IN ('withdrawn', 'gone', 'unknown')),
    PRIMARY KEY (id, gone_page_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX past_web_profiles_by_user ON past_web_profiles (user_id);

-- What vanished from a list and has no reason yet, until what it leads to has been looked up. `place`: of an
-- item that stands in a list twice, one place may vanish.
CREATE TABLE unexplained (
    id           INTEGER PRIMARY KEY,
    kind         TEXT    NOT NULL REFERENCES list_kinds (kind),
    subject_id   INTEGER NOT NULL,
    item_id      INTEGER NOT NULL,
    place        INTEGER NOT NULL,
    thing        TEXT    NOT NULL REFERENCES things (thing), -- what is to be looked up, which may be who made the item
    thing_id     INTEGER NOT NULL,
    gone_page_id INTEGER NOT NULL REFERENCES pages (id),
    asked        INTEGER NOT NULL DEFAULT 0 CHECK (asked IN (0, 1)) -- 1: it is being looked up
) STRICT;

CREATE INDEX unexplained_by_thing ON unexplained (thing, thing_id);

-- Every change of what was known, in the order in which it was seen. Rows are only added; they are emptied when what they
-- speak of is forgotten, and those of counts that `--profiles none` does not keep are deleted. Nothing stands here of what
-- a list showed when it was read first.
CREATE TABLE changes (
    version INTEGER PRIMARY KEY,                    -- grows: ask for what is later than the last one you saw
    at      TEXT    NOT NULL,                       -- when it was seen; it happened before
    what    TEXT    NOT NULL CHECK (what IN (
        'came', 'found', 'went', 'back', 'edited',  -- of edges; found: new to us, unknown since when
        'renamed', 'retitled', 'moved',             -- of things; moved: a count, beyond noise
        'gone', 'forbidden', 'returned',
        'emptied',                                  -- of what is gone: its content is no longer kept
        'forgotten'                                 -- what was here, and about which thing, is forgotten: all else is empty
    )),
    "table" TEXT    NOT NULL,
    ids     TEXT    NOT NULL,                       -- key columns with their values: {"user_id":1,"track_id":2,...}
    old     TEXT,                                   -- what it was, where that is a name, a count, an order
    new     TEXT,
    reason  TEXT,                                   -- of what went
    page_id INTEGER REFERENCES pages (id)           -- that showed it; NULL where it is about the status of a thing
) STRICT;

-- A page is written before what it says, so the newest page is the one that renames a person.
CREATE TRIGGER users_renamed AFTER UPDATE OF username ON users WHEN new.username <> old.username
BEGIN
    INSERT INTO changes (at, what, "table", ids, old, new, page_id)
    SELECT fetched_at, 'renamed', 'users', '{"id":' || new.id || '}', old.username, new.username, id
    FROM pages ORDER BY id DESC LIMIT 1;
END;

CREATE TRIGGER tracks_retitled AFTER UPDATE OF title ON tracks WHEN new.title <> old.title
BEGIN
    INSERT INTO changes (at, what, "table", ids, old, new, page_id)
    SELECT fetched_at, 'retitled', 'tracks', '{"id":' || new.id || '}', old.title, new.title, id
    FROM pages ORDER BY id DESC LIMIT 1;
END;

CREATE TRIGGER playlists_retitled AFTER UPDATE OF title ON playlists WHEN new.title <> old.title
BEGIN
    INSERT INTO changes (at, what, "table", ids, old, new, page_id)
    SELECT fetched_at, 'retitled', 'playlists', '{"id":' || new.id || '}', old.title, new.title, id
    FROM pages ORDER BY id DESC LIMIT 1;
END;

CREATE TRIGGER stations_retitled AFTER UPDATE OF title ON stations WHEN new.title <> old.title
BEGIN
    INSERT INTO changes (at, what, "table", ids, old, new, page_id)
    SELECT fetched_at, 'retitled', 'stations', '{"id":' || new.id || '}', old.title, new.title, id
    FROM pages ORDER BY id DESC LIMIT 1;
END;

-- Counts that have moved too little to be told of: what they were when a change told of them last, or when they were seen
-- first. Moves that are small each add up, and are told of together when they come to more than noise.
CREATE TABLE untold_counts (
    "table" TEXT    NOT NULL,                       -- users, tracks
    id      INTEGER NOT NULL,
    name    TEXT    NOT NULL,                       -- of the count
    count   INTEGER NOT NULL,
    PRIMARY KEY ("table", id, name)
) STRICT, WITHOUT ROWID;

-- A count moves beyond noise when it is by more than 2, and by more than a tenth, not what a change has told last. What
-- has moved waits; what has moved beyond noise is told, and waits no more. A statement of a trigger can hand nothing to
-- the next one, so the bound and the counts as they are now stand in both.
CREATE TRIGGER users_moved AFTER UPDATE ON users
WHEN new.followers_count <> old.followers_count
    OR new.followings_count <> old.followings_count
    OR new.track_count <> old.track_count
    OR new.playlist_count <> old.playlist_count
    OR new.likes_given_count <> old.likes_given_count
    OR new.reposts_given_count <> old.reposts_given_count
BEGIN
    INSERT INTO untold_counts ("table", id, name, count)
    SELECT 'users', new.id, c.name, c.was
    FROM (
        SELECT 'followers_count' AS name, old.followers_count AS was, new.followers_count AS is_now
        UNION ALL SELECT 'followings_count', old.followings_count, new.followings_count
        UNION ALL SELECT 'track_count', old.track_count, new.track_count
        UNION ALL SELECT 'playlist_count', old.playlist_count, new.playlist_count
        UNION ALL SELECT 'likes_given_count', old.likes_given_count, new.likes_given_count
        UNION ALL SELECT 'reposts_given_count', old.reposts_given_count, new.reposts_given_count
    ) AS c
    WHERE c.was <> c.is_now
    ON CONFLICT DO NOTHING;
    INSERT INTO changes (at, what, "table", ids, old, new, page_id)
    SELECT p.fetched_at, 'moved', 'users', '{"id":' || new.id || '}',
        '{"' || u.name || '":' || u.count || '}', '{"' || u.name || '":' || u.is_now || '}', p.id
    FROM (
        SELECT name, count,
            CASE name
                WHEN 'followers_count' THEN new.followers_count
                WHEN 'followings_count' THEN new.followings_count
                WHEN 'track_count' THEN new.track_count
                WHEN 'playlist_count' THEN new.playlist_count
                WHEN 'likes_given_count' THEN new.likes_given_count
                WHEN 'reposts_given_count' THEN new.reposts_given_count
            END AS is_now
        FROM untold_counts WHERE "table" = 'users' AND id = new.id
    ) AS u
    CROSS JOIN (SELECT id, fetched_at FROM pages ORDER BY id DESC LIMIT 1) AS p
    WHERE abs(u.is_now - u.count) > max(2, 0.1 * u.count);
    DELETE FROM untold_counts
    WHERE "table" = 'users' AND id = new.id AND abs(
        CASE name
            WHEN 'followers_count' THEN new.followers_count
            WHEN 'followings_count' THEN new.followings_count
            WHEN 'track_count' THEN new.track_count
            WHEN 'playlist_count' THEN new.playlist_count
            WHEN 'likes_given_count' THEN new.likes_given_count
            WHEN 'reposts_given_count' THEN new.reposts_given_count
        END - count
    ) > max(2, 0.1 * count);
END;

CREATE TRIGGER tracks_moved AFTER UPDATE ON tracks
WHEN new.playback_count <> old.playback_count
    OR new.likes_count <> old.likes_count
    OR new.reposts_count <> old.reposts_count
    OR new.comment_count <> old.comment_count
    OR new.download_count <> old.download_count
BEGIN
    INSERT INTO untold_counts ("table", id, name, count)
    SELECT 'tracks', new.id, c.name, c.was
    FROM (
        SELECT 'playback_count' AS name, old.playback_count AS was, new.playback_count AS is_now
        UNION ALL SELECT 'likes_count', old.likes_count, new.likes_count
        UNION ALL SELECT 'reposts_count', old.reposts_count, new.reposts_count
        UNION ALL SELECT 'comment_count', old.comment_count, new.comment_count
        UNION ALL SELECT 'download_count', old.download_count, new.download_count
    ) AS c
    WHERE c.was <> c.is_now
    ON CONFLICT DO NOTHING;
    INSERT INTO changes (at, what, "table", ids, old, new, page_id)
    SELECT p.fetched_at, 'moved', 'tracks', '{"id":' || new.id || '}',
        '{"' || u.name || '":' || u.count || '}', '{"' || u.name || '":' || u.is_now || '}', p.id
    FROM (
        SELECT name, count,
            CASE name
                WHEN 'playback_count' THEN new.playback_count
                WHEN 'likes_count' THEN new.likes_count
                WHEN 'reposts_count' THEN new.reposts_count
                WHEN 'comment_count' THEN new.comment_count
                WHEN 'download_count' THEN new.download_count
            END AS is_now
        FROM untold_counts WHERE "table" = 'tracks' AND id = new.id
    ) AS u
    CROSS JOIN (SELECT id, fetched_at FROM pages ORDER BY id DESC LIMIT 1) AS p
    WHERE abs(u.is_now - u.count) > max(2, 0.1 * u.count);
    DELETE FROM untold_counts
    WHERE "table" = 'tracks' AND id = new.id AND abs(
        CASE name
            WHEN 'playback_count' THEN new.playback_count
            WHEN 'likes_count' THEN new.likes_count
            WHEN 'reposts_count' THEN new.reposts_count
            WHEN 'comment_count' THEN new.comment_count
            WHEN 'download_count' THEN new.download_count
        END - count
    ) > max(2, 0.1 * count);
END;

CREATE TRIGGER users_judged AFTER UPDATE OF status ON users
WHEN new.status <> old.status AND 'forgotten' NOT IN (new.status, old.status)
BEGIN
    INSERT INTO changes (at, what, "table", ids, old, new)
    SELECT coalesce(new.gone_at, (SELECT fetched_at FROM pages ORDER BY id DESC LIMIT 1)),
        iif(new.status = 'ok', 'returned', new.status), 'users', '{"id":' || new.id || '}', old.status, new.status;
END;

CREATE TRIGGER tracks_judged AFTER UPDATE OF status ON tracks
WHEN new.status <> old.status AND 'forgotten' NOT IN (new.status, old.status)
BEGIN
    INSERT INTO changes (at, what, "table", ids, old, new)
    SELECT coalesce(new.gone_at, (SELECT fetched_at FROM pages ORDER BY id DESC LIMIT 1)),
        iif(new.status = 'ok', 'returned', new.status), 'tracks', '{"id":' || new.id || '}', old.status, new.status;
END;

CREATE TRIGGER playlists_judged AFTER UPDATE OF status ON playlists
WHEN new.status <> old.status AND 'forgotten' NOT IN (new.status, old.status)
BEGIN
    INSERT INTO changes (at, what, "table", ids, old, new)
    SELECT coalesce(new.gone_at, (SELECT fetched_at FROM pages ORDER BY id DESC LIMIT 1)),
        iif(new.status = 'ok', 'returned', new.status), 'playlists', '{"id":' || new.id || '}', old.status, new.status;
END;

CREATE TRIGGER stations_judged AFTER UPDATE OF status ON stations
WHEN new.status <> old.status AND 'forgotten' NOT IN (new.status, old.status)
BEGIN
    INSERT INTO changes (at, what, "table", ids, old, new)
    SELECT coalesce(new.gone_at, (SELECT fetched_at FROM pages ORDER BY id DESC LIMIT 1)),
        iif(new.status = 'ok', 'returned', new.status), 'stations', '{"id":' || new.id || '}', old.status, new.status;
END;

-- Every time the file was refreshed: its lists read again where that was worth it.
CREATE TABLE refreshes (
    id            INTEGER PRIMARY KEY,
    options       TEXT    NOT NULL CHECK (json_valid(options)),
    state         TEXT    NOT NULL CHECK (state IN ('counting', 'reading', 'done')),
    begun_at      TEXT    NOT NULL,
    ended_at      TEXT,                             -- NULL: it goes on, or was stopped
    first_version INTEGER NOT NULL,                 -- the newest change before it
    first_page_id INTEGER NOT NULL,                 -- the newest page before it
    left_out      INTEGER                           -- lists whose count had moved for which its bound left no room
) STRICT;

-- Every stretch during which a like or a repost of a track stood, as far as readings tell. It stood at least from
-- `seen_from` to `seen_until`: a page showed it, and the last whole reading that showed it had begun. It stood at most
-- from `came_after`, when a reading had begun that was whole and lacked it, to `gone_by`, when one had ended that lacked
-- it. Readings take time, and at which moment of one a like came or went is unknown: so the inner bounds lie where it
-- stood for certain, the outer ones where it did not.
CREATE VIEW spells AS
SELECT
    e.user_id,
    e.track_id,
    e.engagement_type,
    nullif(max(
        coalesce(
            (
                SELECT b.fetched_at FROM pages AS b
                WHERE b.task_id = p.task_id AND b.number = 0 AND b.reading = (
                    SELECT max(r.number) FROM readings AS r
                    WHERE r.task_id = p.task_id AND r.number < p.reading AND r.outcome = 'complete'
                        AND (r.collected > 0 OR coalesce(r.claimed, 0) = 0) -- else it may have been an outage
                )
            ),
            ''
        ),
        coalesce(
            (
                SELECT b.fetched_at FROM past_engagements AS o
                CROSS JOIN pages AS g ON g.id = o.gone_page_id
                CROSS JOIN pages AS b ON b.task_id = g.task_id AND b.reading = g.reading AND b.number = 0
                WHERE o.user_id = e.user_id AND o.track_id = e.track_id AND o.engagement_type = e.engagement_type
                ORDER BY o.gone_page_id DESC LIMIT 1
            ),
            ''
        )
    ), '') AS came_after,                           -- NULL: unknown since when it is there
    p.fetched_at AS seen_from,
    max(
        p.fetched_at,
        coalesce(
            (
                SELECT b.fetched_at FROM tasks AS t
                CROSS JOIN readings AS r ON r.task_id = t.id AND r.number = (
                    SELECT max(w.number) FROM readings AS w
                    WHERE w.task_id = t.id AND (w.outcome = 'complete' OR w.number = 0)
                )
                CROSS JOIN pages AS b ON b.task_id = t.id AND b.reading = r.number AND b.number = 0
                WHERE t.kind = CASE e.engagement_type WHEN 'like' THEN 'user_likes' ELSE 'user_reposts' END
                    AND t.subject_id = e.user_id
                    AND e.user_list_rank BETWEEN 0 AND r.collected - 1 -- behind: it lacked it, and proved nothing
            ),
            ''
        ),
        coalesce(
            (
                SELECT b.fetched_at FROM tasks AS t
                CROSS JOIN readings AS r ON r.task_id = t.id AND r.number = (
                    SELECT max(w.number) FROM readings AS w
                    WHERE w.task_id = t.id AND (w.outcome = 'complete' OR w.number = 0)
                )
                CROSS JOIN pages AS b ON b.task_id = t.id AND b.reading = r.number AND b.number = 0
                WHERE t.kind = CASE e.engagement_type WHEN 'like' THEN 'track_likers' ELSE 'track_reposters' END
                    AND t.subject_id = e.track_id
                    AND e.track_list_rank BETWEEN 0 AND r.collected - 1
            ),
            ''
        )
    ) AS seen_until,
    NULL AS gone_by,                                -- NULL: it still stands, as far as is known
    NULL AS reason
FROM user_engagements AS e
CROSS JOIN pages AS p ON p.id = e.first_page_id
UNION ALL
SELECT
    e.user_id,
    e.track_id,
    e.engagement_type,
    nullif(max(
        coalesce(
            (
                SELECT b.fetched_at FROM pages AS b
                WHERE b.task_id = p.task_id AND b.number = 0 AND b.reading = (
                    SELECT max(r.number) FROM readings AS r
                    WHERE r.task_id = p.task_id AND r.number < p.reading AND r.outcome = 'complete'
                        AND (r.collected > 0 OR coalesce(r.claimed, 0) = 0) -- else it may have been an outage
                )
            ),
            ''
        ),
        coalesce(
            (
                SELECT b.fetched_at FROM past_engagements AS o
                CROSS JOIN pages AS g ON g.id = o.gone_page_id
                CROSS JOIN pages AS b ON b.task_id = g.task_id AND b.reading = g.reading AND b.number = 0
                WHERE o.user_id = e.user_id AND o.track_id = e.track_id AND o.engagement_type = e.engagement_type
                    AND o.gone_page_id < e.first_page_id
                ORDER BY o.gone_page_id DESC LIMIT 1
            ),
            ''
        )
    ), ''),
    p.fetched_at,
    max(
        p.fetched_at,
        coalesce(
            (
                SELECT b.fetched_at FROM pages AS l
                CROSS JOIN readings AS r ON r.task_id = l.task_id AND r.number = l.reading
                CROSS JOIN pages AS b ON b.task_id = l.task_id AND b.reading = l.reading AND b.number = 0
                WHERE l.id = e.last_page_id AND (r.outcome = 'complete' OR r.number = 0)
                    AND iif(r.kind IN ('user_likes', 'user_reposts'), e.user_list_rank, e.track_list_rank)
                        BETWEEN 0 AND r.collected - 1
            ),
            ''
        )
    ),
    g.fetched_at,
    e.reason
FROM past_engagements AS e
CROSS JOIN pages AS p ON p.id = e.first_page_id
CROSS JOIN pages AS g ON g.id = e.gone_page_id;
