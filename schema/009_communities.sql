-- Communities: tracks, and people, that stand nearer to each other than to the rest, as `harvest analyze` finds them.
--
-- Everything here is derived, from related_tracks and user_similarity, and can be computed again.

-- In which community a track is. A track without a neighbour is in none, and neither is one for which people were chosen.
CREATE TABLE track_communities (
    track_id      INTEGER NOT NULL REFERENCES tracks (id),
    method        TEXT    NOT NULL,                 -- leiden_tracks
    community     INTEGER NOT NULL,                 -- 0 the largest
    derivation_id INTEGER NOT NULL REFERENCES derivations (id),
    PRIMARY KEY (track_id, method)
) STRICT, WITHOUT ROWID;

-- In which community a person is, by what they like.
CREATE TABLE user_communities (
    user_id       INTEGER NOT NULL REFERENCES users (id),
    method        TEXT    NOT NULL,                 -- leiden_people
    community     INTEGER NOT NULL,                 -- 0 the largest
    derivation_id INTEGER NOT NULL REFERENCES derivations (id),
    PRIMARY KEY (user_id, method)
) STRICT, WITHOUT ROWID;

-- How good such a division is: how much denser it is inside than by chance, and how much of it depends on the seed.
CREATE TABLE partitions (
    derivation_id INTEGER PRIMARY KEY REFERENCES derivations (id) ON DELETE CASCADE,
    things        INTEGER NOT NULL,                 -- tracks or people that are in a community
    edges         INTEGER NOT NULL,                 -- pairs of them that are near each other
    communities   INTEGER NOT NULL,
    modularity    REAL,                             -- NULL: there is no pair
    seed          INTEGER NOT NULL,                 -- the one of the seeds whose division is kept: the best
    seeds         INTEGER NOT NULL,                 -- how many were tried
    rand          REAL,                             -- mean adjusted Rand index of every two of these divisions
    information   REAL                              -- mean normalised mutual information of every two of them
) STRICT;
