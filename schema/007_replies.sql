-- The file of replies that is kept beside this one, NAME.replies.db, and how far this one is by it. No row: none is kept.
CREATE TABLE replies (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    pair TEXT    NOT NULL,                          -- drawn at random; the file of replies says the same
    act  INTEGER NOT NULL                           -- the last of its acts that is in this file; later ones never were
) STRICT;
