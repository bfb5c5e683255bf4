-- What the world said: users, tracks, playlists, and who liked, reposted, followed and commented what.
--
-- Every id is the number at the end of a SoundCloud URN. Unknown is NULL, never 0. Times are UTC text,
-- 2026-08-07T14:18:05Z. Tables named after a `first_page_id` point to the page that first brought the row.

-- A SoundCloud account, merged from every sighting: a later known value replaces an earlier one, nothing known
-- is ever replaced by NULL or by the zero counts of an embedded object.
CREATE TABLE users (
    id                  INTEGER PRIMARY KEY,        -- the number in the URN
    urn                 TEXT    NOT NULL GENERATED ALWAYS AS ('soundcloud:users:' || id) VIRTUAL,
    username            TEXT,                       -- display name, anything a person can type
    permalink_url       TEXT,                       -- page on soundcloud.com, without query
    avatar_url          TEXT,
    station_urn         TEXT,                       -- of the station around this artist; see stations
    created_at          TEXT,                       -- when the account was made
    followers_count     INTEGER,                    -- the service's own counts; see counts_seen_at
    followings_count    INTEGER,
    track_count         INTEGER,
    playlist_count      INTEGER,
    likes_given_count   INTEGER,                    -- liked tracks AND playlists, as the service counts
    reposts_given_count INTEGER,
    full_name           TEXT,                       -- personal; NULL unless crawled with --profiles full
    city                TEXT,                       -- personal, as above
    country             TEXT,                       -- personal, as above
    description         TEXT,                       -- personal, as above
    website             TEXT,                       -- personal, as above
    seen_as             TEXT    NOT NULL CHECK (seen_as IN ('full', 'list', 'embedded')), -- richest sighting
    status              TEXT    NOT NULL DEFAULT 'ok' CHECK (status IN ('ok', 'gone', 'forbidden', 'forgotten')),
    gone_at             TEXT,                       -- when it was found to be gone; NULL: it is not
    counts_seen_at      TEXT,                       -- when the counts were last seen, to the day; NULL: none is known
    counts_page_id      INTEGER REFERENCES pages (id), -- the page that brought their present values
    first_seen_at       TEXT    NOT NULL,
    last_seen_on        TEXT    NOT NULL            -- a day, so that seeing someone again costs one write a day
) STRICT;

-- A track. Only the seed is asked for by itself (seen_as full); the others come as list items.
CREATE TABLE tracks (
    id                  INTEGER PRIMARY KEY,        -- the number in the URN
    urn                 TEXT    NOT NULL GENERATED ALWAYS AS ('soundcloud:tracks:' || id) VIRTUAL,
    uploader_id         INTEGER REFERENCES users (id), -- NULL when the reply named none
    title               TEXT,
    permalink_url       TEXT,                       -- page on soundcloud.com, without query
    created_at          TEXT,                       -- upload time, not publication
    duration_ms         INTEGER,
    genre               TEXT,                       -- as the uploader typed it
    label_name          TEXT,
    isrc                TEXT,
    bpm                 REAL,
    key_signature       TEXT,
    metadata_artist     TEXT,                       -- artist, where it differs from the uploader
    license             TEXT,
    release_date        TEXT,                       -- YYYY, YYYY-MM or YYYY-MM-DD
    description         TEXT,
    artwork_url         TEXT,
    playback_count      INTEGER,                    -- counts are NULL where the uploader hides them
    likes_count         INTEGER,
    reposts_count       INTEGER,
    comment_count       INTEGER,
    download_count      INTEGER,
    downloadable        INTEGER,                    -- 1: the uploader allows it
    purchase_url        TEXT,                       -- where the uploader says it can be bought or had
    purchase_title      TEXT,                       -- what that button says
    release             TEXT,                       -- catalogue number of the release, as typed
    available_country_codes TEXT,                   -- where it may be heard, codes joined by commas; NULL: not said
    waveform_url        TEXT,
    station_urn         TEXT,                       -- of the station around this track; see stations
    reveal_stats        INTEGER,                    -- 0: the uploader hides the counts
    access              TEXT,                       -- playable, preview, blocked: for this caller, in this country
    sharing             TEXT,                       -- public, private
    seen_as             TEXT    NOT NULL CHECK (seen_as IN ('full', 'list', 'embedded')),
    status              TEXT    NOT NULL DEFAULT 'ok' CHECK (status IN ('ok', 'gone', 'forbidden', 'forgotten')),
    gone_at             TEXT,                       -- when it was found to be gone; NULL: it is not
    uploader_list_rank  INTEGER,                    -- place in the uploader's list of tracks, 0 first; NULL: not read
    counts_seen_at      TEXT,                       -- when the counts were last seen, to the day; NULL: none is known
    counts_page_id      INTEGER REFERENCES pages (id),
    first_seen_at       TEXT    NOT NULL,
    last_seen_on        TEXT    NOT NULL
) STRICT;

CREATE INDEX tracks_by_uploader ON tracks (uploader_id);
CREATE INDEX tracks_by_genre ON tracks (genre);

-- Every spelling of a tag; `folded` brings 'hip hop', 'Hip-Hop' and 'hiphop' together.
CREATE TABLE tags (
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,                   -- as typed
    folded  TEXT NOT NULL,                          -- lower case, without blanks, hyphens, underscores
    words   TEXT NOT NULL GENERATED ALWAYS AS       -- what the search finds it by: as typed, and folded where that differs
        (CASE WHEN folded = lower(name) THEN name ELSE name || ' ' || folded END) VIRTUAL
) STRICT;

CREATE INDEX tags_by_folded ON tags (folded);

-- Which track carries which tag.
CREATE TABLE track_tags (
    track_id INTEGER NOT NULL REFERENCES tracks (id),
    tag_id   INTEGER NOT NULL REFERENCES tags (id),
    PRIMARY KEY (track_id, tag_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX track_tags_by_tag ON track_tags (tag_id, track_id);

-- Likes and reposts of tracks, one row each, whichever side they were read from. SoundCloud gives no times: ranks
-- say what came before what within one list (smaller = newer as far as is known), and nothing across lists.
-- 011_engagements.sql stores them in fewer bytes, and makes this a view.
CREATE TABLE user_engagements (
    user_id         INTEGER NOT NULL REFERENCES users (id),
    track_id        INTEGER NOT NULL REFERENCES tracks (id),
    engagement_type TEXT    NOT NULL CHECK (engagement_type IN ('like', 'repost')),
    user_list_rank  INTEGER,                        -- place in the user's list; NULL: not seen there
    track_list_rank INTEGER,                        -- place in the track's list; NULL: not seen there
    first_page_id   INTEGER NOT NULL REFERENCES pages (id),
    PRIMARY KEY (user_id, track_id, engagement_type)
) STRICT, WITHOUT ROWID;

-- The way back, track to users: co-likes, 'who likes this'. The key's last column comes with it.
CREATE INDEX engagements_by_track ON user_engagements (track_id, user_id);

-- Only rows read from a track's own list, in its order: people to follow next. Small: spilled tracks only.
CREATE INDEX engagements_listed ON user_engagements (track_id, engagement_type, track_list_rank)
    WHERE track_list_rank IS NOT NULL;

-- Who follows whom.
CREATE TABLE user_follows (
    follower_id          INTEGER NOT NULL REFERENCES users (id),
    followee_id          INTEGER NOT NULL REFERENCES users (id),
    followers_list_rank  INTEGER,                   -- place among the followee's followers
    followings_list_rank INTEGER,                   -- place among the follower's followings
    first_page_id        INTEGER NOT NULL REFERENCES pages (id),
    PRIMARY KEY (follower_id, followee_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX follows_by_followee ON user_follows (followee_id);

-- A playlist, album or single.
CREATE TABLE playlists (
    id              INTEGER PRIMARY KEY,
    urn             TEXT    NOT NULL GENERATED ALWAYS AS ('soundcloud:playlists:' || id) VIRTUAL,
    owner_id        INTEGER REFERENCES users (id),
    title           TEXT,
    permalink_url   TEXT,
    created_at      TEXT,
    track_count     INTEGER,                        -- counts hidden tracks too; was 0 for everyone for months
    likes_count     INTEGER,
    duration_ms     INTEGER,
    playlist_type   TEXT,                           -- album, ep, single, compilation, other, ...
    genre           TEXT,
    label_name      TEXT,
    sharing         TEXT,
    artwork_url     TEXT,
    description     TEXT,
    status          TEXT    NOT NULL DEFAULT 'ok' CHECK (status IN ('ok', 'gone', 'forbidden', 'forgotten')),
    gone_at         TEXT,                           -- when it was found to be gone; NULL: it is not
    owner_list_rank INTEGER,                        -- place in the owner's list of playlists
    first_page_id   INTEGER NOT NULL REFERENCES pages (id),
    first_seen_at   TEXT    NOT NULL,
    last_seen_on    TEXT    NOT NULL
) STRICT;

CREATE INDEX playlists_by_owner ON playlists (owner_id);

-- What a playlist holds, in its order; a track may stand in it twice.
CREATE TABLE playlist_tracks (
    playlist_id   INTEGER NOT NULL REFERENCES playlists (id),
    position      INTEGER NOT NULL,                 -- 0 first, among the tracks the API shows
    track_id      INTEGER NOT NULL REFERENCES tracks (id),
    first_page_id INTEGER NOT NULL REFERENCES pages (id),
    PRIMARY KEY (playlist_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX playlist_tracks_by_track ON playlist_tracks (track_id);

-- A station: tracks that the service puts together around a track or an artist; it calls them system playlists. The only
-- kind of thing whose URN does not end in a number: the id is made of the URN, the same in every file.
CREATE TABLE stations (
    id            INTEGER PRIMARY KEY,              -- the first 52 bits of the BLAKE2b of the URN
    urn           TEXT    NOT NULL UNIQUE,          -- soundcloud:system-playlists:track-stations:5
    station_type  TEXT    NOT NULL GENERATED ALWAYS AS -- track-stations, artist-stations, ...: around what
        (substr(urn, 29, coalesce(nullif(instr(substr(urn, 29), ':'), 0) - 1, length(urn)))) VIRTUAL,
    title         TEXT,
    description   TEXT,
    permalink_url TEXT,
    artwork_url   TEXT,
    updated_at    TEXT,                             -- when the service last changed what it holds
    track_count   INTEGER,
    likes_count   INTEGER,
    status        TEXT    NOT NULL DEFAULT 'ok' CHECK (status IN ('ok', 'gone', 'forbidden', 'forgotten')),
    gone_at       TEXT,                             -- when it was found to be gone; NULL: it is not
    first_page_id INTEGER NOT NULL REFERENCES pages (id),
    first_seen_at TEXT    NOT NULL,
    last_seen_on  TEXT    NOT NULL
) STRICT;

-- What a station holds, in its order.
CREATE TABLE station_tracks (
    station_id    INTEGER NOT NULL REFERENCES stations (id),
    position      INTEGER NOT NULL,                 -- 0 first, among the tracks the API shows
    track_id      INTEGER NOT NULL REFERENCES tracks (id),
    first_page_id INTEGER NOT NULL REFERENCES pages (id),
    PRIMARY KEY (station_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX station_tracks_by_track ON station_tracks (track_id);

-- Who likes which station.
CREATE TABLE station_likes (
    user_id        INTEGER NOT NULL REFERENCES users (id),
    station_id     INTEGER NOT NULL REFERENCES stations (id),
    user_list_rank INTEGER,                         -- place in the user's list
    first_page_id  INTEGER NOT NULL REFERENCES pages (id),
    PRIMARY KEY (user_id, station_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX station_likes_by_station ON station_likes (station_id);

-- What the person who is signed in played last, each track once: the 25 that the service shows. It tells no times: a
-- track was played before its page was fetched, and after the tracks of greater rank.
CREATE TABLE plays (
    user_id        INTEGER NOT NULL REFERENCES users (id),
    track_id       INTEGER NOT NULL REFERENCES tracks (id),
    user_list_rank INTEGER,                         -- 0 played last
    first_page_id  INTEGER NOT NULL REFERENCES pages (id),
    PRIMARY KEY (user_id, track_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX plays_by_track ON plays (track_id);

-- The links on people's pages, to other sites. The service gives them no number of their own.
CREATE TABLE web_profiles (
    id             INTEGER PRIMARY KEY,             -- 52 bits of the BLAKE2b of user, service and address
    user_id        INTEGER NOT NULL REFERENCES users (id),
    url            TEXT    NOT NULL,
    service        TEXT,                            -- instagram, bandcamp, personal, ...
    title          TEXT,
    username       TEXT,                            -- their name there, as the service reads it from the address
    created_at     TEXT,
    user_list_rank INTEGER,                         -- place among the user's links
    first_page_id  INTEGER NOT NULL REFERENCES pages (id)
) STRICT;

CREATE INDEX web_profiles_by_user ON web_profiles (user_id);

-- Likes and reposts of playlists.
CREATE TABLE playlist_engagements (
    user_id            INTEGER NOT NULL REFERENCES users (id),
    playlist_id        INTEGER NOT NULL REFERENCES playlists (id),
    engagement_type    TEXT    NOT NULL CHECK (engagement_type IN ('like', 'repost')),
    user_list_rank     INTEGER,
    playlist_list_rank INTEGER,
    first_page_id      INTEGER NOT NULL REFERENCES pages (id),
    PRIMARY KEY (user_id, playlist_id, engagement_type)
) STRICT, WITHOUT ROWID;

CREATE INDEX playlist_engagements_by_playlist ON playlist_engagements (playlist_id, user_id);

-- Comments: the only engagement with a time of its own.
CREATE TABLE comments (
    id              INTEGER PRIMARY KEY,
    track_id        INTEGER REFERENCES tracks (id),
    user_id         INTEGER REFERENCES users (id),
    created_at      TEXT,
    timestamp_ms    INTEGER,                        -- place in the track; NULL: about the whole track
    body            TEXT,
    track_list_rank INTEGER,                        -- place in the track's list of comments
    first_page_id   INTEGER NOT NULL REFERENCES pages (id)
) STRICT;

CREATE INDEX comments_by_track ON comments (track_id);
CREATE INDEX comments_by_user ON comments (user_id);

-- How a track's counts moved: when one of them changes for the first time a row as they were, and a row whenever they
-- change. So a track that never changed has no row, which spares a write for every track that is seen.
CREATE TABLE track_counts (
    id             INTEGER NOT NULL REFERENCES tracks (id),
    page_id        INTEGER NOT NULL REFERENCES pages (id),
    playback_count INTEGER,
    likes_count    INTEGER,
    reposts_count  INTEGER,
    comment_count  INTEGER,
    download_count INTEGER,
    PRIMARY KEY (id, page_id)
) STRICT, WITHOUT ROWID;

-- How a user's counts moved, likewise.
CREATE TABLE user_counts (
    id                  INTEGER NOT NULL REFERENCES users (id),
    page_id             INTEGER NOT NULL REFERENCES pages (id),
    followers_count     INTEGER,
    followings_count    INTEGER,
    track_count         INTEGER,
    playlist_count      INTEGER,
    likes_given_count   INTEGER,
    reposts_given_count INTEGER,
    PRIMARY KEY (id, page_id)
) STRICT, WITHOUT ROWID;

-- `<>` is never true beside NULL: becoming known is no change.
CREATE TRIGGER track_counts_changed AFTER UPDATE ON tracks
WHEN new.playback_count <> old.playback_count
    OR new.likes_count <> old.likes_count
    OR new.reposts_count <> old.reposts_count
    OR new.comment_count <> old.comment_count
    OR new.download_count <> old.download_count
BEGIN
    INSERT INTO track_counts
    SELECT old.id, old.counts_page_id, old.playback_count, old.likes_count, old.reposts_count,
        old.comment_count, old.download_count
    WHERE NOT EXISTS (SELECT 1 FROM track_counts WHERE id = old.id);
    INSERT OR REPLACE INTO track_counts VALUES (
        new.id, new.counts_page_id,
        new.playback_count, new.likes_count, new.reposts_count, new.comment_count, new.download_count
    );
END;

CREATE TRIGGER user_counts_changed AFTER UPDATE ON users
WHEN new.followers_count <> old.followers_count
    OR new.followings_count <> old.followings_count
    OR new.track_count <> old.track_count
    OR new.playlist_count <> old.playlist_count
    OR new.likes_given_count <> old.likes_given_count
    OR new.reposts_given_count <> old.reposts_given_count
BEGIN
    INSERT INTO user_counts
    SELECT old.id, old.counts_page_id, old.followers_count, old.followings_count, old.track_count,
        old.playlist_count, old.likes_given_count, old.reposts_given_count
    WHERE NOT EXISTS (SELECT 1 FROM user_counts WHERE id = old.id);
    INSERT OR REPLACE INTO user_counts VALUES (
        new.id, new.counts_page_id,
        new.followers_count, new.followings_count, new.track_count,
        new.playlist_count, new.likes_given_count, new.reposts_given_count
    );
END;

-- One row per method: how the pairs that stand under it came to be.
CREATE TABLE derivations (
    id          INTEGER PRIMARY KEY,
    method      TEXT    NOT NULL UNIQUE,            -- soundcloud (the service's own), colike_cosine, taste_cosine, ...
    parameters  TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(parameters)),
    max_page_id INTEGER REFERENCES pages (id),      -- the newest page that was taken into account
    lists_used  INTEGER,                            -- people whose likes went in: the N of lift and NPMI
    made_at     TEXT    NOT NULL,                   -- begun, and when it is whole: finished
    state       TEXT    NOT NULL DEFAULT 'whole'    -- unfinished: interrupted, old pairs stand among the new
                CHECK (state IN ('whole', 'unfinished')),
    done_to     INTEGER,                            -- unfinished: up to this id all is new; NULL: not in order
    fingerprint TEXT                                -- of everything that went in: equal means nothing to compute
) STRICT;

-- What a derivation compared, and how much each has: the n of every formula. The next computation sees by the marks
-- which of them have changed.
CREATE TABLE derivation_sizes (
    derivation_id INTEGER NOT NULL REFERENCES derivations (id) ON DELETE CASCADE,
    subject_id    INTEGER NOT NULL,                 -- a track, a user, an artist, as the method compares
    size          INTEGER NOT NULL,                 -- people who like it; of a user: tracks they like
    frame         INTEGER NOT NULL CHECK (frame IN (0, 1)), -- 1: people were chosen because they like it
    mark          INTEGER NOT NULL,                 -- of who these people (tracks) are: another set, another number
    PRIMARY KEY (derivation_id, subject_id)
) STRICT, WITHOUT ROWID;

-- Tracks near each other, per method: the nearest ones of each track. A pair has one score; it stands under either
-- track among whose nearest the other is, so mostly both ways.
CREATE TABLE related_tracks (
    track_id         INTEGER NOT NULL REFERENCES tracks (id),
    related_track_id INTEGER NOT NULL REFERENCES tracks (id),
    method           TEXT    NOT NULL,
    score            REAL,
    common           INTEGER,                       -- users who like both
    rank             INTEGER,                       -- 0 nearest
    basis            TEXT    NOT NULL DEFAULT 'sample' -- whose counts of likes the score rests on: ours, the service's
                     CHECK (basis IN ('sample', 'service')),
    derivation_id    INTEGER NOT NULL REFERENCES derivations (id),
    first_page_id    INTEGER REFERENCES pages (id), -- the page that brought it, where the service says it; NULL: ours
    PRIMARY KEY (track_id, related_track_id, method)
) STRICT, WITHOUT ROWID;

-- Users with like taste, per method, in the same way.
CREATE TABLE user_similarity (
    user_id       INTEGER NOT NULL REFERENCES users (id),
    other_user_id INTEGER NOT NULL REFERENCES users (id),
    method        TEXT    NOT NULL,
    score         REAL,
    common        INTEGER,                          -- tracks both like
    derivation_id INTEGER NOT NULL REFERENCES derivations (id),
    PRIMARY KEY (user_id, other_user_id, method)
) STRICT, WITHOUT ROWID;

-- Artists that belong together, per method; pairs stand both ways.
CREATE TABLE artist_relationships (
    artist_id       INTEGER NOT NULL REFERENCES users (id),
    other_artist_id INTEGER NOT NULL REFERENCES users (id),
    method          TEXT    NOT NULL,
    score           REAL,
    common          INTEGER,
    derivation_id   INTEGER NOT NULL REFERENCES derivations (id),
    PRIMARY KEY (artist_id, other_artist_id, method)
) STRICT, WITHOUT ROWID;
