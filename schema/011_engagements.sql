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
