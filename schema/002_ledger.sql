-- How far each list was read: every list, its readings, their pages, what failed.

-- The kinds of things a harvest can visit, filled from the declarations in harvest/things.py.
CREATE TABLE things (
    thing TEXT PRIMARY KEY,                         -- track, user, playlist, ...; seed: what an address leads to; batch
    urn   TEXT NOT NULL,                            -- what its URN begins with
    title TEXT NOT NULL                             -- in words
) STRICT, WITHOUT ROWID;

-- The kinds of lists, filled from the declarations in harvest/lists.py.
CREATE TABLE list_kinds (
    kind    TEXT PRIMARY KEY,
    subject TEXT NOT NULL REFERENCES things (thing), -- whose list
    item    TEXT NOT NULL,                          -- what it lists
    name    TEXT NOT NULL,                          -- what options call it: --read likes
    title   TEXT NOT NULL                           -- in words
) STRICT, WITHOUT ROWID;

-- How a list can end, filled from the declarations in harvest/store/outcomes.py.
CREATE TABLE outcomes (
    outcome   TEXT PRIMARY KEY,
    answered  INTEGER NOT NULL CHECK (answered IN (0, 1)),  -- 1: the service showed the list
    whole     INTEGER NOT NULL CHECK (whole IN (0, 1)),     -- 1: all of it, as far as is known
    retryable INTEGER NOT NULL CHECK (retryable IN (0, 1)), -- 1: asking again may help
    title     TEXT NOT NULL                         -- in words
) STRICT, WITHOUT ROWID;

-- One per process that crawled.
CREATE TABLE runs (
    id              INTEGER PRIMARY KEY,
    started_at      TEXT NOT NULL,
    ended_at        TEXT,                           -- NULL: still running, or killed
    version         TEXT NOT NULL,                  -- of harvest
    options         TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(options)),
    api_url         TEXT NOT NULL,                  -- where the data came from; simulated crawls say so here
    world           TEXT,                           -- the simulated world that answered; '': none, NULL: no reply
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

-- The process that is crawling into this file now; no row: none.
CREATE TABLE lease (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    holder       TEXT NOT NULL,                     -- drawn at random by the process that took it
    host         TEXT NOT NULL,
    pid          INTEGER NOT NULL,
    process_born TEXT NOT NULL,                     -- start time of the process: a pid alone may be reused
    heartbeat_at TEXT NOT NULL
) STRICT;

-- The lists, one row each, shared by all harvests that want them. Outcome, collected, claimed and pages are those of the
-- last reading that the service answered, NULL before the first one has ended; `readings` tells of all.
CREATE TABLE tasks (
    id         INTEGER PRIMARY KEY,
    kind       TEXT    NOT NULL REFERENCES list_kinds (kind),
    subject_id INTEGER NOT NULL,                    -- whose list; of `resolve` the seed, of `lookup` the batch
    reading    INTEGER NOT NULL DEFAULT 0,          -- the reading these columns tell of
    outcome    TEXT    REFERENCES outcomes (outcome),
    collected  INTEGER,                             -- distinct edges the list has in this file
    claimed    INTEGER,                             -- how many the service said there are; NULL: it did not say
    pages_read INTEGER,
    UNIQUE (kind, subject_id)
) STRICT;

-- Things asked for by their URNs, up to 50 in one request: the subject of a list of the kind `lookup`.
CREATE TABLE batches (
    id    INTEGER PRIMARY KEY,
    thing TEXT NOT NULL REFERENCES things (thing)
) STRICT;

-- What of a batch was shown. What it left out was asked for by itself, in a batch of one; if that is refused for good,
-- the thing is gone.
CREATE TABLE batch_items (
    batch_id      INTEGER NOT NULL REFERENCES batches (id),
    thing_id      INTEGER NOT NULL,
    shown         INTEGER NOT NULL DEFAULT 0 CHECK (shown IN (0, 1)),
    status_before TEXT,                             -- of the thing when it was asked for; NULL: it was not in the file
    PRIMARY KEY (batch_id, thing_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX batch_items_by_thing ON batch_items (thing_id, batch_id);

-- Holds all that a look at the ledger needs, so that the look stays away from the table.
CREATE INDEX tasks_by_outcome ON tasks (kind, outcome, claimed, collected, pages_read);

-- Every reading of every list: 0 the first. A list that is read again gets another; one that continues does not.
CREATE TABLE readings (
    task_id       INTEGER NOT NULL REFERENCES tasks (id),
    number        INTEGER NOT NULL,
    kind          TEXT    NOT NULL,                 -- of its task, here for the index of open readings
    mode          TEXT    NOT NULL DEFAULT 'whole'  -- head: ends where a whole page is known
                  CHECK (mode IN ('whole', 'head')),
    state         TEXT    NOT NULL DEFAULT 'todo' CHECK (state IN ('todo', 'doing', 'ended')),
    outcome       TEXT    REFERENCES outcomes (outcome),
    next_cursor   TEXT,                             -- path and query of the page to ask next; NULL: the first, or none
    claimed       INTEGER,                          -- how many the service said there are, as it stood when it began
    claimed_at    TEXT,
    collected     INTEGER NOT NULL DEFAULT 0,       -- distinct items in this reading
    skipped       INTEGER NOT NULL DEFAULT 0,       -- null, alien and unreadable entries
    suppressed    INTEGER NOT NULL DEFAULT 0,       -- entries of what was forgotten before: they are not kept
    forgotten     INTEGER NOT NULL DEFAULT 0,       -- how much of what it has collected was forgotten since
    pages_read    INTEGER NOT NULL DEFAULT 0,
    barren        INTEGER NOT NULL DEFAULT 0,       -- pages in a row, up to the last, that brought nothing new
    attempts      INTEGER NOT NULL DEFAULT 0,       -- times a process took it up
    doubted       INTEGER NOT NULL DEFAULT 0 CHECK (doubted IN (0, 1, 2)), -- times it was empty against what is known
    second_run_id INTEGER REFERENCES runs (id),     -- the run that gave it, failed or doubted, a second chance
    came          INTEGER NOT NULL DEFAULT 0,       -- edges that a re-reading has added to the list, and taken from it
    went          INTEGER NOT NULL DEFAULT 0,
    unproven      INTEGER NOT NULL DEFAULT 0,       -- edges that it lacks, of which nothing proves that they have gone
    refresh_id    INTEGER,                          -- the refresh that began it; NULL: none
    cap           INTEGER,                          -- how much of it is wanted, of one begun to see what has changed;
                                                    -- NULL: as much as harvests want
    ended_at      TEXT,
    PRIMARY KEY (task_id, number),
    CHECK ((state = 'ended') = (outcome IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- The frontier, and all that a look at the open lists needs. Queries repeat the predicate word for word, or SQLite does
-- not use it.
CREATE INDEX readings_open ON readings (state, task_id, kind, claimed, collected, pages_read, cap)
    WHERE state <> 'ended';

-- What was read more than once. Likewise.
CREATE INDEX readings_again ON readings (task_id, number) WHERE number > 0;

-- What failed and has had no second chance yet. Likewise to be repeated word for word.
CREATE INDEX readings_failed_once ON readings (task_id) WHERE outcome = 'failed' AND second_run_id IS NULL;

-- Empty replies against a claim, or against what other lists know: to be asked once more (1), empty both times (2).
CREATE INDEX readings_doubted ON readings (doubted, second_run_id, kind) WHERE doubted > 0;

-- What a re-reading has seen so far; emptied when it has ended well and its ranks are written.
CREATE TABLE reading_items (
    task_id INTEGER NOT NULL,
    reading INTEGER NOT NULL,
    item_id INTEGER NOT NULL,
    place   INTEGER NOT NULL,                       -- in this reading, 0 first
    page_id INTEGER NOT NULL REFERENCES pages (id),
    PRIMARY KEY (task_id, reading, item_id, place),
    FOREIGN KEY (task_id, reading) REFERENCES readings (task_id, number)
) STRICT, WITHOUT ROWID;

-- A key of this file alone: what is hashed under it cannot be recognized elsewhere.
CREATE TABLE file_key (
    id  INTEGER PRIMARY KEY CHECK (id = 1),
    key BLOB    NOT NULL
) STRICT;

INSERT INTO file_key VALUES (1, randomblob(16));

-- Every page kept, with how it was asked for.
CREATE TABLE pages (
    id          INTEGER PRIMARY KEY,
    task_id     INTEGER NOT NULL REFERENCES tasks (id),
    reading     INTEGER NOT NULL,                   -- which reading of the list
    number      INTEGER NOT NULL,                   -- 0 first
    run_id      INTEGER NOT NULL REFERENCES runs (id),
    request     TEXT    NOT NULL,                   -- path and query, without secrets
    asks        INTEGER,                            -- hash of what it asks for, in any spelling; NULL: cut or doubted,
                                                    -- asked again
    next_cursor TEXT,                               -- where the service said the list goes on
    cursor_time TEXT,                               -- the time in that cursor, where it is plausible: an estimate
    first_rank  INTEGER NOT NULL,                   -- rank of the first edge kept
    received    INTEGER NOT NULL,                   -- entries in the reply
    skipped     INTEGER NOT NULL,                   -- null, alien and unreadable ones
    suppressed  INTEGER NOT NULL DEFAULT 0,         -- those of what was forgotten before: they are not kept
    kept        INTEGER NOT NULL,                   -- new distinct edges
    fetched_at  TEXT    NOT NULL,
    elapsed_ms  INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,                   -- of the body, unpacked
    body_hash   INTEGER,                            -- of the body, under the file's own key: the same again, or not
    UNIQUE (task_id, reading, number),
    UNIQUE (task_id, reading, asks),                -- no page is asked twice: a loop is a lookup
    FOREIGN KEY (task_id, reading) REFERENCES readings (task_id, number)
) STRICT;

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
