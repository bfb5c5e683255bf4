-- Full-text search over title, artist and tags of every track, kept current in the transaction that changes them.

-- What the search index holds of each track.
CREATE VIEW track_texts AS
SELECT
    t.id AS track_id,
    t.title,
    coalesce(t.metadata_artist, (SELECT username FROM users WHERE id = t.uploader_id)) AS artist,
    (
        SELECT group_concat(g.words, ', ') FROM track_tags AS c JOIN tags AS g ON g.id = c.tag_id
        WHERE c.track_id = t.id
    ) AS tags
FROM tracks AS t;

-- The index. It keeps no text of its own and looks the text up in the view (external content), nor the lengths of texts,
-- which would cost a write to another place for each track. Case and accents make no difference.
CREATE VIRTUAL TABLE track_search USING fts5 (
    title, artist, tags,
    content="track_texts", content_rowid="track_id", columnsize=0, tokenize="unicode61 remove_diacritics 2"
);

-- Tracks that are not in the index yet. Filled and emptied within the transaction of a page: new tracks go into the
-- index together, when their tags stand there too (harvest/store/search.py).
CREATE TABLE search_waiting (
    track_id INTEGER PRIMARY KEY
) STRICT;

CREATE TRIGGER search_track_added AFTER INSERT ON tracks
BEGIN
    INSERT INTO search_waiting (track_id) VALUES (new.id);
END;

-- What changes later is rare: the track is taken out, for which the index needs its text as it was, and put in again.

CREATE TRIGGER search_track_changed AFTER UPDATE OF title, metadata_artist, uploader_id ON tracks
WHEN (new.title IS NOT old.title
        OR new.metadata_artist IS NOT old.metadata_artist
        OR new.uploader_id IS NOT old.uploader_id)
    AND NOT EXISTS (SELECT 1 FROM search_waiting WHERE track_id = old.id)
BEGIN
    INSERT INTO track_search (track_search, rowid, title, artist, tags)
    SELECT 'delete', old.id, old.title,
        coalesce(old.metadata_artist, (SELECT username FROM users WHERE id = old.uploader_id)), x.tags
    FROM track_texts AS x WHERE x.track_id = old.id;
    INSERT INTO track_search (rowid, title, artist, tags)
    SELECT x.track_id, x.title, x.artist, x.tags FROM track_texts AS x WHERE x.track_id = old.id;
END;

CREATE TRIGGER search_track_deleted AFTER DELETE ON tracks
BEGIN
    INSERT INTO track_search (track_search, rowid, title, artist, tags)
    SELECT 'delete', old.id, old.title,
        coalesce(old.metadata_artist, (SELECT username FROM users WHERE id = old.uploader_id)),
        (
            SELECT group_concat(g.words, ', ') FROM track_tags AS c JOIN tags AS g ON g.id = c.tag_id
            WHERE c.track_id = old.id
        )
    WHERE NOT EXISTS (SELECT 1 FROM search_waiting WHERE track_id = old.id);
    DELETE FROM search_waiting WHERE track_id = old.id;
END;

CREATE TRIGGER search_user_renamed AFTER UPDATE OF username ON users
WHEN new.username IS NOT old.username
BEGIN
    INSERT INTO track_search (track_search, rowid, title, artist, tags)
    SELECT 'delete', x.track_id, x.title, old.username, x.tags
    FROM tracks AS t JOIN track_texts AS x ON x.track_id = t.id
    WHERE t.uploader_id = old.id AND t.metadata_artist IS NULL
        AND NOT EXISTS (SELECT 1 FROM search_waiting WHERE track_id = t.id);
    INSERT INTO track_search (rowid, title, artist, tags)
    SELECT x.track_id, x.title, x.artist, x.tags
    FROM tracks AS t JOIN track_texts AS x ON x.track_id = t.id
    WHERE t.uploader_id = old.id AND t.metadata_artist IS NULL
        AND NOT EXISTS (SELECT 1 FROM search_waiting WHERE track_id = t.id);
END;

CREATE TRIGGER search_track_tagged AFTER INSERT ON track_tags
WHEN NOT EXISTS (SELECT 1 FROM search_waiting WHERE track_id = new.track_id)
BEGIN
    INSERT INTO track_search (track_search, rowid, title, artist, tags)
    SELECT 'delete', x.track_id, x.title, x.artist,
        (
            SELECT group_concat(g.words, ', ') FROM track_tags AS c JOIN tags AS g ON g.id = c.tag_id
            WHERE c.track_id = new.track_id AND c.tag_id <> new.tag_id
        )
    FROM track_texts AS x WHERE x.track_id = new.track_id;
    INSERT INTO track_search (rowid, title, artist, tags)
    SELECT x.track_id, x.title, x.artist, x.tags FROM track_texts AS x WHERE x.track_id = new.track_id;
END;

CREATE TRIGGER search_track_untagged AFTER DELETE ON track_tags
WHEN NOT EXISTS (SELECT 1 FROM search_waiting WHERE track_id = old.track_id)
BEGIN
    INSERT INTO track_search (track_search, rowid, title, artist, tags)
    SELECT 'delete', x.track_id, x.title, x.artist,
        coalesce(x.tags || ', ', '') || (SELECT words FROM tags WHERE id = old.tag_id)
    FROM track_texts AS x WHERE x.track_id = old.track_id;
    INSERT INTO track_search (rowid, title, artist, tags)
    SELECT x.track_id, x.title, x.artist, x.tags FROM track_texts AS x WHERE x.track_id = old.track_id;
END;
