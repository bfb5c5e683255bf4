-- Working table: which of the people who like the seed like which of the tracks drawn around it.
CREATE TEMP TABLE fans (
    user_id  INTEGER NOT NULL,
    track_id INTEGER NOT NULL,
    PRIMARY KEY (user_id, track_id)
) WITHOUT ROWID;
