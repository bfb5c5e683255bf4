-- Likes and reposts of tracks, a sixth smaller: the type is a number where it is stored, and a word where it is read.
--
-- 'like' and 'repost' took four to six bytes in the table and as many in each index. SQLite stores 0 and 1 in none. The
-- word stays in the view `user_engagements`, which has the name and the columns that the table had. SQLite reads the
-- view by the indexes of the table below, which a generated column would not allow.

CREATE TABLE engagements (
    user_id         INTEGER NOT NULL REFERENCES users (id),
    track_id        INTEGER NOT NULL REFERENCES tracks (id),
    is_repost       INTEGER NOT NULL CHECK (is_repost IN (0, 1)), -- 0: a like
    user_list_rank  INTEGER,
    track_list_rank INTEGER,
    first_page_id   INTEGER NOT NULL REFERENCES pages (id),
    PRIMARY KEY (user_id, track_id, is_repost)
) STRICT, WITHOUT ROWID;

INSERT INTO engagements
SELECT user_id, track_id, engagement_type = 'repost', user_list_rank, track_list_rank, first_page_id
FROM user_engagements;

DROP TABLE user_engagements;

-- The way back, track to users: co-likes, 'who likes this'. The key's last column comes with it.
CREATE INDEX engagements_by_track ON engagements (track_id, user_id);

-- Only rows read from a track's own list, in its order: people to follow next. Small: spilled tracks only.
CREATE INDEX engagements_listed ON engagements (track_id, track_list_rank) WHERE track_list_rank IS NOT NULL;

CREATE VIEW user_engagements AS
SELECT user_id, track_id, iif(is_repost, 'repost', 'like') AS engagement_type, user_list_rank, track_list_rank, first_page_id
FROM engagements;

-- What is written to the view goes to the table; another word than these two becomes NULL, which the table refuses.
CREATE TRIGGER engagements_written INSTEAD OF INSERT ON user_engagements BEGIN
    INSERT INTO engagements VALUES (
        new.user_id, new.track_id, CASE new.engagement_type WHEN 'like' THEN 0 WHEN 'repost' THEN 1 END,
        new.user_list_rank, new.track_list_rank, new.first_page_id
    );
END;

CREATE TRIGGER engagements_rewritten INSTEAD OF UPDATE ON user_engagements BEGIN
    UPDATE engagements SET user_id = new.user_id, track_id = new.track_id,
        is_repost = CASE new.engagement_type WHEN 'like' THEN 0 WHEN 'repost' THEN 1 END,
        user_list_rank = new.user_list_rank, track_list_rank = new.track_list_rank, first_page_id = new.first_page_id
    WHERE user_id = old.user_id AND track_id = old.track_id AND is_repost = (old.engagement_type = 'repost');
END;

CREATE TRIGGER engagements_deleted INSTEAD OF DELETE ON user_engagements BEGIN
    DELETE FROM engagements
    WHERE user_id = old.user_id AND track_id = old.track_id AND is_repost = (old.engagement_type = 'repost');
END;

CREATE TRIGGER engagements_counted AFTER INSERT ON engagements BEGIN
    UPDATE totals SET likes = likes + (new.is_repost = 0), reposts = reposts + new.is_repost;
END;

CREATE TRIGGER engagements_uncounted AFTER DELETE ON engagements BEGIN
    UPDATE totals SET likes = likes - (old.is_repost = 0), reposts = reposts - old.is_repost;
END;

-- The same as in 004_views.sql but for two pluses: they keep SQLite from going through all who are listed beside a track,
-- by engagements_listed, to find one person among them, who is one seek away by the key.
DROP VIEW sample;

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
                AND +b.track_list_rank < d.cap
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
            WHERE b.user_id = e.user_id AND b.track_id = v.thing_id AND +b.track_list_rank < d.cap
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
