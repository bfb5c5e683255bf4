"""Say in SQL what leaves: the tables beside the file, what they begin with, what is taken off them, and their ids.

Out: statements over the file and over `people`, `things`, `accounts` and the other tables of a selection. Never: a
value of the file.
"""

from __future__ import annotations

from harvest.store.entities import USER_COUNTS

TABLES = """
CREATE TABLE people (                   -- users that are left
    id       INTEGER PRIMARY KEY,
    n        INTEGER NOT NULL,          -- their tracks that are left
    whole    INTEGER NOT NULL,          -- 1: their list of likes ended `complete`
    out      INTEGER,                   -- the id that is written
    place    INTEGER,                   -- 0, 1, 2, ... in the order of `out`
    cut_rank INTEGER,                   -- the last of their newest that go to test; NULL: none does
    cut_item INTEGER
);
CREATE TABLE things (                   -- tracks that are left
    id       INTEGER PRIMARY KEY,
    n        INTEGER NOT NULL,          -- their users that are left
    here     INTEGER NOT NULL DEFAULT 0, -- of these, the ones with a whole list
    frame    INTEGER NOT NULL DEFAULT 0, -- 1: people were chosen for liking it
    out      INTEGER,
    place    INTEGER
);
CREATE TABLE leaving (id INTEGER PRIMARY KEY);
CREATE TABLE around (kind TEXT, id INTEGER, step INTEGER, PRIMARY KEY (kind, id)) WITHOUT ROWID; -- somebody, or a track
CREATE TABLE accounts (id INTEGER PRIMARY KEY, out INTEGER); -- people, then uploaders of things
CREATE TABLE collections (id INTEGER PRIMARY KEY, out INTEGER); -- playlists with a thing in them
CREATE TABLE channels (id INTEGER PRIMARY KEY, out INTEGER); -- stations
CREATE TABLE inquiries (id INTEGER PRIMARY KEY, out INTEGER); -- searches
CREATE TABLE sound (id INTEGER PRIMARY KEY); -- derivations that may leave: whole, and of whole lists unless asked
CREATE TABLE common (what TEXT, text TEXT, PRIMARY KEY (what, text)) WITHOUT ROWID; -- words and counts many share
"""

# One row per user and track: a repost counts only where there is no like, if both are wanted. `e` is user_engagements.
PAIR = """(
    (:likes AND e.engagement_type = 'like')
    OR (:reposts AND e.engagement_type = 'repost' AND NOT (:likes AND EXISTS (
        SELECT 1 FROM user_engagements AS b
        WHERE b.user_id = e.user_id AND b.track_id = e.track_id AND b.engagement_type = 'like'
    )))
)"""

# Read along the primary key, so that nothing is sorted.
PEOPLE = f"""
INSERT INTO people (id, n, whole)
SELECT
    e.user_id,
    count(*),
    EXISTS (
        SELECT 1 FROM tasks AS l
        WHERE l.kind = 'user_likes' AND l.subject_id = e.user_id AND l.outcome = 'complete'
    )
FROM user_engagements AS e
WHERE {PAIR}
GROUP BY e.user_id
"""  # noqa: S608 - our own words, as everywhere in this file

# Read along engagements_by_track, which holds all three columns.
THINGS = f"""
INSERT INTO things (id, n)
SELECT e.track_id, count(*)
FROM user_engagements AS e
WHERE {PAIR}
GROUP BY e.track_id
"""  # noqa: S608

LOWER_THINGS = f"""
UPDATE things SET n = things.n - lost.n
FROM (
    SELECT e.track_id AS id, count(*) AS n
    FROM leaving AS g CROSS JOIN user_engagements AS e ON e.user_id = g.id
    WHERE {PAIR}
    GROUP BY e.track_id
) AS lost
WHERE things.id = lost.id
"""  # noqa: S608

LOWER_PEOPLE = f"""
UPDATE people SET n = people.n - lost.n
FROM (
    SELECT e.user_id AS id, count(*) AS n
    FROM leaving AS g CROSS JOIN user_engagements AS e ON e.track_id = g.id
    WHERE {PAIR}
    GROUP BY e.user_id
) AS lost
WHERE people.id = lost.id
"""  # noqa: S608

# One step further around a user or a track, by likes and reposts either way and by follows either way.
BY_LIKES = (
    "INSERT OR IGNORE INTO around SELECT 'track', e.track_id, :step + 1 FROM around AS b"  # noqa: S608
    f" CROSS JOIN user_engagements AS e ON e.user_id = b.id WHERE b.kind = 'user' AND b.step = :step AND {PAIR}",
    "INSERT OR IGNORE INTO around SELECT 'user', e.user_id, :step + 1 FROM around AS b"  # noqa: S608
    " CROSS JOIN user_engagements AS e ON e.track_id = b.id"
    f" WHERE b.kind = 'track' AND b.step = :step AND {PAIR}",
)
BY_FOLLOWS = tuple(
    f"INSERT OR IGNORE INTO around SELECT 'user', p.id, :step + 1 FROM around AS b"  # noqa: S608
    f" CROSS JOIN user_follows AS f ON f.{here} = b.id JOIN people AS p ON p.id = f.{there}"
    " WHERE b.kind = 'user' AND b.step = :step"
    for here, there in (("follower_id", "followee_id"), ("followee_id", "follower_id"))
)
THOSE_AROUND = (
    "DELETE FROM people WHERE id NOT IN (SELECT id FROM around WHERE kind = 'user')",
    "DELETE FROM things WHERE id NOT IN (SELECT id FROM around WHERE kind = 'track')",
    "UPDATE people SET n = (SELECT count(*) FROM user_engagements AS e JOIN things AS t ON t.id = e.track_id"  # noqa: S608
    f" WHERE e.user_id = people.id AND {PAIR})",
    "UPDATE things SET n = (SELECT count(*) FROM user_engagements AS e"  # noqa: S608
    f" JOIN people AS p ON p.id = e.user_id WHERE e.track_id = things.id AND {PAIR})",
)

# Those whose list is not whole are the few: they are taken off again.
USERS_HERE = f"""
UPDATE things SET here = here - known.n
FROM (
    SELECT e.track_id AS id, count(*) AS n
    FROM people AS p CROSS JOIN user_engagements AS e ON e.user_id = p.id
    WHERE NOT p.whole AND {PAIR}
    GROUP BY e.track_id
) AS known
WHERE things.id = known.id
"""  # noqa: S608

# The N-th newest of each user who has more than N; ranks of one list, so ties come only from damaged files.
CUT = """
UPDATE people SET (cut_rank, cut_item) = (
    SELECT e.user_list_rank, e.track_id
    FROM user_engagements AS e CROSS JOIN things AS t ON t.id = e.track_id
    WHERE e.user_id = people.id AND e.engagement_type = :kind AND e.user_list_rank IS NOT NULL
    ORDER BY e.user_list_rank, e.track_id
    LIMIT 1 OFFSET :newest - 1
)
WHERE n > :newest
"""

ACCOUNTS = (
    "INSERT INTO accounts (id) SELECT id FROM people",
    "INSERT OR IGNORE INTO accounts (id) SELECT k.uploader_id FROM things AS t CROSS JOIN tracks AS k ON k.id = t.id"
    " WHERE k.uploader_id IS NOT NULL ORDER BY k.uploader_id",
    "INSERT OR IGNORE INTO collections (id) SELECT l.playlist_id FROM playlist_tracks AS l"
    " CROSS JOIN things AS t ON t.id = l.track_id",
)
# What leaves besides where all lists do.
OWNERS = (
    "INSERT OR IGNORE INTO accounts (id) SELECT owner_id FROM playlists WHERE owner_id IS NOT NULL ORDER BY owner_id"
)
ALL_LISTS = (
    OWNERS,
    "INSERT OR IGNORE INTO collections (id) SELECT id FROM playlists ORDER BY id",
    "INSERT OR IGNORE INTO channels (id) SELECT id FROM stations ORDER BY id",
    "INSERT OR IGNORE INTO inquiries (id) SELECT id FROM searches ORDER BY id",
)

IDS = {
    "raw": ("UPDATE people SET out = id", "UPDATE things SET out = id",
            "UPDATE accounts SET out = id", "UPDATE collections SET out = id", "UPDATE channels SET out = id",
            "UPDATE inquiries SET out = id"),
    "dense": (
        "UPDATE people SET out = o.place FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place"
        " FROM people) AS o WHERE o.id = people.id",
        "UPDATE things SET out = o.place FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place"
        " FROM things) AS o WHERE o.id = things.id",
        # people keep their numbers as accounts, uploaders who are not among them come after
        "UPDATE accounts SET out = o.place FROM (SELECT a.id, row_number() OVER (ORDER BY p.id IS NULL, a.id) - 1"
        " AS place FROM accounts AS a LEFT JOIN people AS p ON p.id = a.id) AS o WHERE o.id = accounts.id",
        "UPDATE collections SET out = o.place FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place"
        " FROM collections) AS o WHERE o.id = collections.id",
        "UPDATE channels SET out = o.place FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place"
        " FROM channels) AS o WHERE o.id = channels.id",
        "UPDATE inquiries SET out = o.place FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place"
        " FROM inquiries) AS o WHERE o.id = inquiries.id",
    ),
    "pseudonym": (
        "UPDATE people SET out = pseudonym('user', id)", "UPDATE things SET out = pseudonym('track', id)",
        "UPDATE accounts SET out = pseudonym('user', id)", "UPDATE collections SET out = pseudonym('playlist', id)",
        "UPDATE channels SET out = pseudonym('station', id)", "UPDATE inquiries SET out = pseudonym('search', id)",
    ),
}  # fmt: skip

COMMON = (
    "INSERT INTO common SELECT 'genre', k.genre FROM things AS t CROSS JOIN tracks AS k ON k.id = t.id"
    " WHERE k.genre IS NOT NULL GROUP BY k.genre HAVING count(DISTINCT k.uploader_id) >= :common_to",
    "INSERT INTO common SELECT 'tag', g.name FROM things AS t CROSS JOIN tracks AS k ON k.id = t.id"
    " CROSS JOIN track_tags AS m ON m.track_id = t.id CROSS JOIN tags AS g ON g.id = m.tag_id"
    " GROUP BY g.name HAVING count(DISTINCT k.uploader_id) >= :common_to",
    "INSERT INTO common SELECT 'playlist_type', l.playlist_type FROM collections AS c"
    " CROSS JOIN playlists AS l ON l.id = c.id WHERE l.playlist_type IS NOT NULL"
    " GROUP BY l.playlist_type HAVING count(DISTINCT l.owner_id) >= :common_to",
    "INSERT INTO common SELECT 'service', service FROM ("
    "SELECT w.user_id, w.service FROM people AS p CROSS JOIN web_profiles AS w ON w.user_id = p.id"
    " UNION SELECT w.user_id, w.service FROM people AS p CROSS JOIN past_web_profiles AS w ON w.user_id = p.id)"
    " WHERE service IS NOT NULL GROUP BY service HAVING count(*) >= :common_to",
    *(
        f"INSERT INTO common SELECT '{count}', about(u.{count}) FROM accounts AS a"  # noqa: S608
        " CROSS JOIN users AS u ON u.id = a.id"
        f" WHERE u.{count} IS NOT NULL GROUP BY about(u.{count}) HAVING count(*) >= :common_to"
        for count in USER_COUNTS
    ),
)
# Whether a text, or a count made rough, is one that many share.
SHARED = "(SELECT text FROM common WHERE what = '{what}' AND text = {sql})"

# What has fewer than k of the tracks, people and playlists that are left in it.
TOO_SMALL = (
    "DELETE FROM collections WHERE id NOT IN (SELECT l.playlist_id FROM playlist_tracks AS l"
    " CROSS JOIN things AS t ON t.id = l.track_id GROUP BY l.playlist_id HAVING count(DISTINCT l.track_id) >= :k)",
    "DELETE FROM channels WHERE id NOT IN (SELECT l.station_id FROM station_tracks AS l"
    " CROSS JOIN things AS t ON t.id = l.track_id GROUP BY l.station_id HAVING count(DISTINCT l.track_id) >= :k)",
    "DELETE FROM inquiries WHERE id NOT IN (SELECT r.search_id FROM search_results AS r"
    " WHERE r.thing_id IN (SELECT id FROM things) AND r.thing = 'track'"
    " OR r.thing_id IN (SELECT id FROM people) AND r.thing = 'user'"
    " OR r.thing_id IN (SELECT id FROM collections) AND r.thing = 'playlist'"
    " GROUP BY r.search_id HAVING count(*) >= :k)",
)

# A method that does not say whether it takes lists that are not whole (names in titles, a shared label) counts no list.
SOUND = """
INSERT INTO sound
SELECT id FROM derivations
WHERE state = 'whole'
    AND (:incomplete OR coalesce(json_extract(parameters, '$.include_incomplete'), 0) = 0)
"""

# Where scores come from that may stay behind: the table they would stand in, and which derivations fill it.
SCORES = {
    "item_item": "FROM things AS t CROSS JOIN related_tracks AS r ON r.track_id = t.id",
    "user_user": "FROM people AS p CROSS JOIN user_similarity AS r ON r.user_id = p.id",
    "artist_artist": "FROM accounts AS a CROSS JOIN artist_relationships AS r ON r.artist_id = a.id",
    "items.community": "FROM things AS t CROSS JOIN track_communities AS r ON r.track_id = t.id",
    "users.community": "FROM people AS p CROSS JOIN user_communities AS r ON r.user_id = p.id",
}
UNFINISHED = "SELECT id FROM derivations WHERE state <> 'whole'"
UNSOUND = "SELECT id FROM derivations WHERE state = 'whole' AND id NOT IN (SELECT id FROM sound)"

# Which rows go to test. `e` is user_engagements, `p` people, `t` things.
IN_TEST = {
    "none": "0",
    "hash": "in_test({p}, {t})",
    "last": "coalesce((e.user_list_rank, e.track_id) <= (p.cut_rank, p.cut_item), 0)",
}
