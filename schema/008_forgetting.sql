-- What was forgotten, what keeps it from coming back, and where copies went.
--
-- Of what was forgotten nothing stands in the file but a number made of it under a key that is not in the file. Where the
-- ledger needs something in its place, who was visited, whose list it was, there is a number below 0 that says nothing.

-- What may not come back: of each thing a number, made of its kind and its id under the key.
CREATE TABLE suppressed (
    hash INTEGER PRIMARY KEY
) STRICT;

-- Which key that is: a number made under it of this file alone.
CREATE TABLE suppression_key (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    mark INTEGER NOT NULL
) STRICT;

-- Every time something was forgotten: when, how much, and whether its bytes are gone too.
CREATE TABLE forgettings (
    id        INTEGER PRIMARY KEY,
    at        TEXT    NOT NULL,
    version   INTEGER NOT NULL,                     -- its row in `changes`: readers of earlier ones may hold more
    things    INTEGER NOT NULL,                     -- people, tracks, playlists, stations that were in the file
    rows      INTEGER NOT NULL,                     -- rows that were deleted
    erased_at TEXT                                  -- NULL: old bytes may still stand in the file or beside it
) STRICT;

-- What left the file: exports, reports, snapshots. What is forgotten later still stands there.
CREATE TABLE handouts (
    id   INTEGER PRIMARY KEY,
    at   TEXT NOT NULL,
    what TEXT NOT NULL,                             -- export, report, snapshot, playlist, log, people
    path TEXT NOT NULL,                             -- where it was written
    hash TEXT                                       -- of an export: the SHA-256 of its manifest
) STRICT;
