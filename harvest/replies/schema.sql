-- The replies that were kept of a crawl: everything that happened to the file beside this one, in order.
--
-- No word of this file may hold a quotation mark: a reader compares what stands here with what a stranger's file says.

-- Whose replies these are.
CREATE TABLE facts (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    pair           TEXT    NOT NULL,                -- drawn at random; the main file says the same
    key            BLOB    NOT NULL,                -- of the main file: its pages hash their bodies under it
    harvest        TEXT    NOT NULL,                -- version that began to keep
    main_schema    INTEGER NOT NULL,                -- version of the tables of the main file, then
    full_profiles  INTEGER NOT NULL CHECK (full_profiles IN (0, 1)), -- 1: some bodies hold personal fields
    pages_before   INTEGER NOT NULL,                -- pages of the main file of which nothing was kept
    service        TEXT    NOT NULL                 -- address of the API that replied
) STRICT;

-- What frames are packed with. A newer harvest may add one; what was packed with an older one stays readable.
CREATE TABLE dictionaries (
    id   INTEGER PRIMARY KEY,                       -- as the dictionary names itself in each frame
    body BLOB    NOT NULL
) STRICT;

-- The bodies of replies, without what must not be kept. One frame each, so that a single one can be rewritten.
CREATE TABLE bodies (
    id            INTEGER PRIMARY KEY,
    hash          INTEGER NOT NULL,                 -- of the body as it came, under the key
    full_profiles INTEGER NOT NULL CHECK (full_profiles IN (0, 1)), -- 1: personal fields were left in it
    dictionary_id INTEGER NOT NULL REFERENCES dictionaries (id),
    size          INTEGER NOT NULL,                 -- bytes, unpacked
    frame         BLOB    NOT NULL,                 -- zstd
    UNIQUE (hash, full_profiles)
) STRICT;

-- What happened to the main file, one row per transaction.
CREATE TABLE acts (
    number   INTEGER PRIMARY KEY,                   -- 1 first, without gaps
    what     TEXT    NOT NULL,                      -- begin, page, fail, round, end, ...
    detail   TEXT    NOT NULL,                      -- JSON, an object
    body_id  INTEGER REFERENCES bodies (id),        -- NULL: no reply belongs to it
    checksum INTEGER NOT NULL                       -- CRC-32 of the four before it, and of pair and key
) STRICT;

-- Who else uses a body, when an act is taken back.
CREATE INDEX acts_by_body ON acts (body_id) WHERE body_id IS NOT NULL;
