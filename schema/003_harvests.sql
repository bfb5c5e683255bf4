-- What was asked for: seeds, harvests, what each visits and why, round by round.

-- Where harvests start, one row per thing. `address` is the only place that may hold the secret of a private link.
CREATE TABLE seeds (
    id          INTEGER PRIMARY KEY,
    address     TEXT NOT NULL UNIQUE,               -- normalised
    aliases     TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(aliases)), -- other addresses that led to the same thing
    thing       TEXT REFERENCES things (thing),     -- NULL: not known yet; a URN says it
    thing_id    INTEGER,
    task_id     INTEGER REFERENCES tasks (id),      -- its look-up: of its address, or of a batch of URNs
    own         INTEGER NOT NULL DEFAULT 0 CHECK (own IN (0, 1)), -- 1: the person who is signed in
    resolved_at TEXT,                               -- NULL: not looked up, or not found
    reason      TEXT,                               -- why it could not be resolved
    UNIQUE (thing, thing_id)
) STRICT;

CREATE INDEX seeds_with_aliases ON seeds (id) WHERE aliases <> '[]';
CREATE INDEX seeds_by_task ON seeds (task_id);

-- What was searched for.
CREATE TABLE searches (
    id            INTEGER PRIMARY KEY,              -- the first 52 bits of the BLAKE2b of the address
    address       TEXT NOT NULL UNIQUE,             -- search:tracks?bpm=120:128&q=velvet+drift
    what          TEXT NOT NULL CHECK (what IN ('tracks', 'users', 'playlists')),
    words         TEXT,                             -- NULL: filters alone
    filters       TEXT NOT NULL CHECK (json_valid(filters)), -- by name: {"bpm": "120:128"}
    permalink_url TEXT,                             -- the page of the site that searches for the same words
    status        TEXT NOT NULL DEFAULT 'ok' CHECK (status IN ('ok', 'gone', 'forbidden', 'forgotten')),
    gone_at       TEXT                              -- when it was found to be gone; NULL: it is not
) STRICT;

-- What a search found, in the order of the service.
CREATE TABLE search_results (
    search_id     INTEGER NOT NULL REFERENCES searches (id),
    thing         TEXT    NOT NULL REFERENCES things (thing), -- what was found: track, user, playlist
    thing_id      INTEGER NOT NULL,
    rank          INTEGER,                          -- 0 first
    first_page_id INTEGER NOT NULL REFERENCES pages (id),
    PRIMARY KEY (search_id, thing_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX search_results_by_thing ON search_results (thing_id, thing);

-- One per set of seeds. Asking for the same set again goes on with its harvest.
CREATE TABLE harvests (
    id           INTEGER PRIMARY KEY,
    seed_url     TEXT,                              -- of a harvest of one seed, without its secret
    seed_kind    TEXT REFERENCES things (thing),    -- likewise, once resolved
    seed_id      INTEGER,                           -- likewise: the track, user or playlist
    options      TEXT NOT NULL CHECK (json_valid(options)), -- recipe, caps, depth and order, as last asked for
    state        TEXT NOT NULL CHECK (state IN ('running', 'paused', 'drained', 'sated', 'failed')),
    round        INTEGER NOT NULL DEFAULT -1,        -- the round being read: 0 the seeds, -1 they are looked up
    level        INTEGER NOT NULL DEFAULT 1,        -- the depth being read
    reason       TEXT,                              -- why it failed
    started_at   TEXT NOT NULL,
    finished_at  TEXT,
    last_options TEXT,                              -- options its visits were last chosen by
    mark         INTEGER                            -- people drawn so far around each seed, under --until-new
) STRICT;

CREATE TABLE harvest_seeds (
    harvest_id INTEGER NOT NULL REFERENCES harvests (id),
    seed_id    INTEGER NOT NULL REFERENCES seeds (id),
    place      INTEGER NOT NULL,                    -- 0 first
    PRIMARY KEY (harvest_id, seed_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX harvest_seeds_by_seed ON harvest_seeds (seed_id);

-- Which lists a harvest reads of what it visits, and how much of each: the options, resolved (harvest/rules.py).
CREATE TABLE recipes (
    harvest_id INTEGER NOT NULL REFERENCES harvests (id),
    kind       TEXT    NOT NULL REFERENCES list_kinds (kind),
    thing      TEXT    NOT NULL REFERENCES things (thing), -- whose list
    reach      INTEGER NOT NULL CHECK (reach IN (0, 1, 2)), -- 0: read of all visits, 1: of seeds, 2: of ourselves alone
    turn       INTEGER NOT NULL,                    -- the order in which the lists of one thing are read
    cap        INTEGER NOT NULL,                    -- edges wanted of each list at most
    PRIMARY KEY (harvest_id, kind)
) STRICT, WITHOUT ROWID;

-- What a harvest visits, people among it, and why. A thing is visited once, in the first round that chooses it.
CREATE TABLE visits (
    harvest_id     INTEGER NOT NULL REFERENCES harvests (id),
    thing          TEXT    NOT NULL REFERENCES things (thing),
    thing_id       INTEGER NOT NULL,
    round          INTEGER NOT NULL,                -- 0 the seeds
    depth          INTEGER NOT NULL,                -- rises whenever people are chosen
    place          INTEGER,                         -- among those chosen with it; NULL: by an earlier choice, and read
    chance         REAL,                            -- inclusion probability; NULL: not drawn by chance
    claims         TEXT,                            -- what the service claimed of its lists then, by kind
    parent_task_id INTEGER REFERENCES tasks (id),   -- the list that named it first
    own            INTEGER NOT NULL DEFAULT 0 CHECK (own IN (0, 1)), -- 1: the person who is signed in, as a seed
    reach          INTEGER NOT NULL GENERATED ALWAYS AS ((round = 0) * (1 + own)) VIRTUAL, -- reads lines up to this reach
    PRIMARY KEY (harvest_id, thing, thing_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX visits_by_thing ON visits (thing_id, thing);
CREATE INDEX visits_by_round ON visits (harvest_id, round, thing, place);

-- Rounds that are closed: all their lists have ended, and the next round was chosen, or there is none.
CREATE TABLE rounds (
    harvest_id INTEGER NOT NULL REFERENCES harvests (id),
    round      INTEGER NOT NULL,
    page_id    INTEGER REFERENCES pages (id),       -- the newest page when it was closed
    closed_at  TEXT    NOT NULL,
    PRIMARY KEY (harvest_id, round)
) STRICT, WITHOUT ROWID;

-- Why a harvest wants a list: its visits, times its recipe.
CREATE VIEW harvest_tasks AS
SELECT
    v.harvest_id,
    t.id AS task_id,
    v.depth + (v.thing = 'track') AS depth,         -- 0 the seed itself, 1 around the seed, 2 around what was found there
    v.parent_task_id,
    r.cap,
    v.place AS listed_rank,
    v.chance
FROM visits AS v
JOIN recipes AS r ON r.harvest_id = v.harvest_id AND r.thing = v.thing AND r.reach <= v.reach
JOIN tasks AS t ON t.kind = r.kind AND t.subject_id = v.thing_id
UNION ALL
SELECT h.harvest_id, s.task_id, 0, NULL, NULL, NULL, NULL
FROM harvest_seeds AS h
JOIN seeds AS s ON s.id = h.seed_id
WHERE s.task_id IS NOT NULL
GROUP BY h.harvest_id, s.task_id;                   -- a batch looks up many

-- How the crawl goes: written every few seconds by the process that holds the lease, and once more when it ends.
CREATE TABLE progress (
    id                 INTEGER PRIMARY KEY CHECK (id = 1),
    run_id             INTEGER NOT NULL REFERENCES runs (id),
    told_at            TEXT    NOT NULL,
    phase              TEXT    NOT NULL,            -- seed, what the round visits (spill: tracks, users, ...), or done
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

-- How many rows the large tables hold, kept by triggers, so that no query has to count them. One row.
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
