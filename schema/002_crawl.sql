-- What we did: which lists were wanted and why, how far each was read, every page, every failure.

-- The closed set of list kinds, filled from the declarations in harvest/lists.py.
CREATE TABLE list_kinds (
    kind    TEXT PRIMARY KEY,
    subject TEXT NOT NULL,                          -- whose list: track, user, playlist, harvest
    item    TEXT NOT NULL,                          -- what it lists
    title   TEXT NOT NULL                           -- in words
) STRICT, WITHOUT ROWID;

-- One per seed. Running the same seed again goes on with its harvest.
CREATE TABLE harvests (
    id          INTEGER PRIMARY KEY,
    seed_url    TEXT NOT NULL UNIQUE,               -- normalised; the only place that may hold a private link's secret
    seed_kind   TEXT NOT NULL DEFAULT 'track',
    seed_id     INTEGER,                            -- the track, once resolved
    options     TEXT NOT NULL CHECK (json_valid(options)), -- caps, depth and order, as last asked for
    state       TEXT NOT NULL CHECK (state IN ('running', 'paused', 'drained', 'failed')),
    level       INTEGER NOT NULL DEFAULT 1,         -- the depth being read
    reason      TEXT,                               -- why it failed
    started_at  TEXT NOT NULL,
    finished_at TEXT,
    last_options TEXT,                              -- options its wishes were last derived from
    last_run_id INTEGER REFERENCES runs (id)        -- the last run that served it
) STRICT;

-- One per process that crawled.
CREATE TABLE runs (
    id              INTEGER PRIMARY KEY,
    started_at      TEXT NOT NULL,
    ended_at        TEXT,                           -- NULL: still running, or killed
    version         TEXT NOT NULL,                  -- of harvest
    options         TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(options)),
    api_url         TEXT NOT NULL,                  -- where the data came from; simulated crawls say so here
    credential_kind TEXT NOT NULL,
    stop_reason     TEXT,                           -- drained, interrupted, blocked, ...
    waited_ms       INTEGER NOT NULL DEFAULT 0      -- time spent waiting because the service said so
) STRICT;

-- Every HTTP request that left the machine, retries and token calls included; status 0: no answer came.
CREATE TABLE run_requests (
    run_id INTEGER NOT NULL REFERENCES runs (id),
    status INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    PRIMARY KEY (run_id, status)
) STRICT, WITHOUT ROWID;

-- Who is crawling into this file just now; no row: nobody.
CREATE TABLE lease (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    holder       TEXT NOT NULL,                     -- drawn at random by whoever took it
    host         TEXT NOT NULL,
    pid          INTEGER NOT NULL,
    process_born TEXT NOT NULL,                     -- start time of the process: a pid alone may be reused
    heartbeat_at TEXT NOT NULL
) STRICT;

-- The ledger: one row per list, shared by all harvests that want it.
CREATE TABLE tasks (
    id          INTEGER PRIMARY KEY,
    kind        TEXT    NOT NULL REFERENCES list_kinds (kind),
    subject_id  INTEGER NOT NULL,                   -- whose list; for `resolve` the harvest
    argument    TEXT    NOT NULL DEFAULT '',        -- '' unless a search or the like
    state       TEXT    NOT NULL DEFAULT 'todo' CHECK (state IN ('todo', 'doing', 'ended')),
    outcome     TEXT    CHECK (outcome IN
                    ('complete', 'capped', 'short', 'loop', 'gone', 'forbidden', 'unreadable', 'failed')),
    next_cursor TEXT,                               -- path and query of the page to ask next; NULL: the first, or none
    collected   INTEGER NOT NULL DEFAULT 0,         -- distinct edges kept
    skipped     INTEGER NOT NULL DEFAULT 0,         -- null, alien and unreadable entries
    claimed     INTEGER,                            -- how many the service said there are; NULL: it did not say
    claimed_at  TEXT,
    reading     INTEGER NOT NULL DEFAULT 0,         -- 0: read for the first time
    pages_read  INTEGER NOT NULL DEFAULT 0,         -- in this reading
    attempts    INTEGER NOT NULL DEFAULT 0,         -- times a process took it up
    second_run_id INTEGER REFERENCES runs (id),     -- the run that gave it, failed, a second round
    ended_at    TEXT,
    UNIQUE (kind, subject_id, argument),
    CHECK ((state = 'ended') = (outcome IS NOT NULL))
) STRICT;

-- The frontier. Queries repeat the predicate word for word, or SQLite does not use it.
CREATE INDEX tasks_open ON tasks (state, id) WHERE state <> 'ended';
-- Holds all that a look at the ledger needs, so that the look stays away from the table.
CREATE INDEX tasks_by_outcome ON tasks (kind, outcome, state, claimed, collected, pages_read);

-- Why a harvest wanted a list.
CREATE TABLE harvest_tasks (
    harvest_id     INTEGER NOT NULL REFERENCES harvests (id),
    task_id        INTEGER NOT NULL REFERENCES tasks (id),
    depth          INTEGER NOT NULL,                -- 0 the seed itself, 1 around the seed, 2 around what was found there
    parent_task_id INTEGER REFERENCES tasks (id),   -- the list that named the subject
    cap            INTEGER,                         -- edges this harvest wants of it at most
    listed_rank    INTEGER,                         -- the subject's place among those chosen
    chance         REAL,                            -- inclusion probability; NULL: not drawn by chance
    PRIMARY KEY (harvest_id, task_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX harvest_tasks_by_task ON harvest_tasks (task_id);

-- Every page kept, with how it was asked for.
CREATE TABLE pages (
    id          INTEGER PRIMARY KEY,
    task_id     INTEGER NOT NULL REFERENCES tasks (id),
    reading     INTEGER NOT NULL,
    number      INTEGER NOT NULL,                   -- 0 first
    run_id      INTEGER NOT NULL REFERENCES runs (id),
    request     TEXT    NOT NULL,                   -- path and query, without secrets
    next_cursor TEXT,                               -- where the service said the list goes on
    cursor_time TEXT,                               -- the time in that cursor, where it is plausible: an estimate
    first_rank  INTEGER NOT NULL,                   -- rank of the first edge kept
    received    INTEGER NOT NULL,                   -- entries in the reply
    skipped     INTEGER NOT NULL,                   -- null, alien and unreadable ones
    kept        INTEGER NOT NULL,                   -- new distinct edges
    fetched_at  TEXT    NOT NULL,
    elapsed_ms  INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,                   -- of the body, unpacked
    UNIQUE (task_id, reading, number)
) STRICT;

-- What an entry of a list said of the list it may lead to. A person is often followed long after the page that named them
-- came; by then `users` may have heard other numbers.
CREATE TABLE claims (
    task_id    INTEGER NOT NULL REFERENCES tasks (id), -- the list that named the subject
    kind       TEXT    NOT NULL REFERENCES list_kinds (kind), -- of the list it may lead to
    subject_id INTEGER NOT NULL,                    -- whose list that is
    claimed    INTEGER NOT NULL,                    -- how many the entry said there are; no row: it did not say
    page_id    INTEGER NOT NULL REFERENCES pages (id), -- the page with the entry
    PRIMARY KEY (task_id, kind, subject_id)
) STRICT, WITHOUT ROWID;

-- What went wrong with a list; a list that was later read after all keeps its row, with resolved_at.
CREATE TABLE failures (
    id          INTEGER PRIMARY KEY,
    task_id     INTEGER NOT NULL REFERENCES tasks (id),
    class       TEXT    NOT NULL,                   -- gone, forbidden, server, unreachable, unsupported_urn, ...
    status      INTEGER NOT NULL,                   -- HTTP status; 0: no answer
    message     TEXT    NOT NULL,
    reply       TEXT,                               -- the beginning of the body, as evidence
    attempts    INTEGER NOT NULL DEFAULT 1,
    first_at    TEXT    NOT NULL,
    last_at     TEXT    NOT NULL,
    retryable   INTEGER NOT NULL CHECK (retryable IN (0, 1)),
    resolved_at TEXT,
    UNIQUE (task_id, class, message)
) STRICT;

-- How the crawl goes: written every few seconds by the process that holds the lease, and once more when it ends.
CREATE TABLE progress (
    id                 INTEGER PRIMARY KEY CHECK (id = 1),
    run_id             INTEGER NOT NULL REFERENCES runs (id),
    told_at            TEXT    NOT NULL,
    phase              TEXT    NOT NULL CHECK (phase IN ('seed', 'spill', 'users', 'done')),
    depth              INTEGER NOT NULL,
    in_flight          INTEGER NOT NULL,            -- requests on the wire
    per_second         REAL    NOT NULL,            -- requests started per second of late, waits included
    allowed_per_second REAL,                        -- as far as we ask and know; NULL: no limit is known
    waiting_for        TEXT,                        -- why nothing is asked just now; NULL: no wait
    waiting_until      TEXT,
    waited_ms          INTEGER NOT NULL,            -- in this run, because the service said so
    requests_left      INTEGER NOT NULL,            -- an estimate
    at_least           INTEGER NOT NULL CHECK (at_least IN (0, 1)), -- 1: more will come to light
    seconds_left       REAL                         -- an estimate; NULL: not known yet
) STRICT;

-- How many rows the large tables hold, kept by triggers, so that nobody has to count them. One row.
CREATE TABLE totals (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    users   INTEGER NOT NULL DEFAULT 0,
    tracks  INTEGER NOT NULL DEFAULT 0,
    likes   INTEGER NOT NULL DEFAULT 0,
    reposts INTEGER NOT NULL DEFAULT 0,
    pages   INTEGER NOT NULL DEFAULT 0
) STRICT;

INSERT INTO totals (id) VALUES (1);

CREATE TRIGGER users_counted AFTER INSERT ON users BEGIN
    UPDATE totals SET users = users + 1;
END;

CREATE TRIGGER users_uncounted AFTER DELETE ON users BEGIN
    UPDATE totals SET users = users - 1;
END;

CREATE TRIGGER tracks_counted AFTER INSERT ON tracks BEGIN
    UPDATE totals SET tracks = tracks + 1;
END;

CREATE TRIGGER tracks_uncounted AFTER DELETE ON tracks BEGIN
    UPDATE totals SET tracks = tracks - 1;
END;

CREATE TRIGGER engagements_counted AFTER INSERT ON user_engagements BEGIN
    UPDATE totals SET likes = likes + (new.engagement_type = 'like'), reposts = reposts + (new.engagement_type <> 'like');
END;

CREATE TRIGGER engagements_uncounted AFTER DELETE ON user_engagements BEGIN
    UPDATE totals SET likes = likes - (old.engagement_type = 'like'), reposts = reposts - (old.engagement_type <> 'like');
END;

CREATE TRIGGER pages_counted AFTER INSERT ON pages BEGIN
    UPDATE totals SET pages = pages + 1;
END;

CREATE TRIGGER pages_uncounted AFTER DELETE ON pages BEGIN
    UPDATE totals SET pages = pages - 1;
END;
