-- What the person who works with the file thinks of its tracks. No crawl writes here, and no service is told.

-- Every verdict, in the order in which they were given: the last one of a track counts, the others are its history.
CREATE TABLE judgments (
    id       INTEGER PRIMARY KEY,
    track_id INTEGER NOT NULL REFERENCES tracks (id),
    verdict  TEXT    NOT NULL CHECK (verdict IN ('liked', 'not_interested', 'not_quite', 'none')), -- none: taken back
    at       TEXT    NOT NULL
) STRICT;

-- The last verdict of a track, and all of them in order.
CREATE INDEX judgments_by_track ON judgments (track_id, id);

-- The verdict that counts of every track that has one.
CREATE VIEW verdicts AS
SELECT j.track_id, j.verdict, j.at AS judged_at, t.title, t.permalink_url
FROM judgments AS j
JOIN tracks AS t ON t.id = j.track_id
WHERE j.verdict <> 'none' AND j.id = (SELECT max(l.id) FROM judgments AS l WHERE l.track_id = j.track_id);
