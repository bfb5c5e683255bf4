"""Choose what leaves, in SQL beside the file: which users, which tracks, under which ids, and how they are split.

In: a harvest file and choices. Out: a connection with the tables `people`, `things` and `accounts`, inside one read
transaction: a crawl may go on meanwhile and does not show. Never: a write to the harvest; a Python object per edge.

Interactions are never copied. The tables hold the users and tracks that are left, each with the number of partners
that are left; leaving one out lowers the numbers of its partners, and so on until nothing changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harvest.errors import SeedError, SettingsError
from harvest.export.choices import PLAYERS, ExportChoices
from harvest.export.pseudonyms import about, pseudonym
from harvest.export.weights import FILL, TABLE, mark_frames
from harvest.store.database import attach_to_read
from harvest.store.entities import USER_COUNTS
from harvest.store.provenance import find
from harvest.system.sql import split_statements

# What is going on, how far, of how much (None: not known).
Tell = Callable[[str, int, int | None], None]

_COMMON_TO = 5  # people who must share a word or a rough count before a pseudonymised export tells it

_TABLES = """
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
_PEOPLE = f"""
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
_THINGS = f"""
INSERT INTO things (id, n)
SELECT e.track_id, count(*)
FROM user_engagements AS e
WHERE {PAIR}
GROUP BY e.track_id
"""  # noqa: S608

_LOWER_THINGS = f"""
UPDATE things SET n = things.n - lost.n
FROM (
    SELECT e.track_id AS id, count(*) AS n
    FROM leaving AS g CROSS JOIN user_engagements AS e ON e.user_id = g.id
    WHERE {PAIR}
    GROUP BY e.track_id
) AS lost
WHERE things.id = lost.id
"""  # noqa: S608

_LOWER_PEOPLE = f"""
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
_BY_LIKES = (
    "INSERT OR IGNORE INTO around SELECT 'track', e.track_id, :step + 1 FROM around AS b"  # noqa: S608
    f" CROSS JOIN user_engagements AS e ON e.user_id = b.id WHERE b.kind = 'user' AND b.step = :step AND {PAIR}",
    "INSERT OR IGNORE INTO around SELECT 'user', e.user_id, :step + 1 FROM around AS b"  # noqa: S608
    " CROSS JOIN user_engagements AS e ON e.track_id = b.id"
    f" WHERE b.kind = 'track' AND b.step = :step AND {PAIR}",
)
_BY_FOLLOWS = tuple(
    f"INSERT OR IGNORE INTO around SELECT 'user', p.id, :step + 1 FROM around AS b"  # noqa: S608
    f" CROSS JOIN user_follows AS f ON f.{here} = b.id JOIN people AS p ON p.id = f.{there}"
    " WHERE b.kind = 'user' AND b.step = :step"
    for here, there in (("follower_id", "followee_id"), ("followee_id", "follower_id"))
)
_THOSE_AROUND = (
    "DELETE FROM people WHERE id NOT IN (SELECT id FROM around WHERE kind = 'user')",
    "DELETE FROM things WHERE id NOT IN (SELECT id FROM around WHERE kind = 'track')",
    "UPDATE people SET n = (SELECT count(*) FROM user_engagements AS e JOIN things AS t ON t.id = e.track_id"  # noqa: S608
    f" WHERE e.user_id = people.id AND {PAIR})",
    "UPDATE things SET n = (SELECT count(*) FROM user_engagements AS e"  # noqa: S608
    f" JOIN people AS p ON p.id = e.user_id WHERE e.track_id = things.id AND {PAIR})",
)

# Those whose list is not whole are the few: they are taken off again.
_USERS_HERE = f"""
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
_CUT = """
UPDATE people SET (cut_rank, cut_item) = (
    SELECT e.user_list_rank, e.track_id
    FROM user_engagements AS e CROSS JOIN things AS t ON t.id = e.track_id
    WHERE e.user_id = people.id AND e.engagement_type = :kind AND e.user_list_rank IS NOT NULL
    ORDER BY e.user_list_rank, e.track_id
    LIMIT 1 OFFSET :newest - 1
)
WHERE n > :newest
"""

_ACCOUNTS = (
    "INSERT INTO accounts (id) SELECT id FROM people",
    "INSERT OR IGNORE INTO accounts (id) SELECT k.uploader_id FROM things AS t CROSS JOIN tracks AS k ON k.id = t.id"
    " WHERE k.uploader_id IS NOT NULL ORDER BY k.uploader_id",
    "INSERT OR IGNORE INTO collections (id) SELECT l.playlist_id FROM playlist_tracks AS l"
    " CROSS JOIN things AS t ON t.id = l.track_id",
)
# What leaves besides where all lists do.
_OWNERS = (
    "INSERT OR IGNORE INTO accounts (id) SELECT owner_id FROM playlists WHERE owner_id IS NOT NULL ORDER BY owner_id"
)
_ALL_LISTS = (
    _OWNERS,
    "INSERT OR IGNORE INTO collections (id) SELECT id FROM playlists ORDER BY id",
    "INSERT OR IGNORE INTO channels (id) SELECT id FROM stations ORDER BY id",
    "INSERT OR IGNORE INTO inquiries (id) SELECT id FROM searches ORDER BY id",
)

_IDS = {
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

_COMMON = (
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
_TOO_SMALL = (
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
_SOUND = """
INSERT INTO sound
SELECT id FROM derivations
WHERE state = 'whole'
    AND (:incomplete OR coalesce(json_extract(parameters, '$.include_incomplete'), 0) = 0)
"""

# Where scores come from that may stay behind: the table they would stand in, and which derivations fill it.
_SCORES = {
    "item_item": "FROM things AS t CROSS JOIN related_tracks AS r ON r.track_id = t.id",
    "user_user": "FROM people AS p CROSS JOIN user_similarity AS r ON r.user_id = p.id",
    "artist_artist": "FROM accounts AS a CROSS JOIN artist_relationships AS r ON r.artist_id = a.id",
    "items.community": "FROM things AS t CROSS JOIN track_communities AS r ON r.track_id = t.id",
    "users.community": "FROM people AS p CROSS JOIN user_communities AS r ON r.user_id = p.id",
}
_HIDDEN_RANKS = (
    "left out of interactions: track_list_rank; of users: listed_rank, claimed; of items: frame; a place in a track's "
    "public list leads back to the account that stands there, an exact count to whose it is, a frame to the seed"
)
_UNFINISHED = "SELECT id FROM derivations WHERE state <> 'whole'"
_UNSOUND = "SELECT id FROM derivations WHERE state = 'whole' AND id NOT IN (SELECT id FROM sound)"

# Which rows go to test. `e` is user_engagements, `p` people, `t` things.
IN_TEST = {
    "none": "0",
    "hash": "in_test({p}, {t})",
    "last": "coalesce((e.user_list_rank, e.track_id) <= (p.cut_rank, p.cut_item), 0)",
}


@dataclass(frozen=True, slots=True)
class SelectionStep:
    """What is left after a filter; an interaction is a pair of user and track."""

    filter: str
    users: int
    items: int
    interactions: int
    rounds: int | None = None


@dataclass(slots=True)
class Selection:
    """What is to leave: a connection to ask, and how it came to be so little."""

    connection: sqlite3.Connection
    choices: ExportChoices
    steps: list[SelectionStep] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # in words
    frames: int = 0  # tracks that were frames, before any was left out
    ego: tuple[str, int] | None = None  # the user or track in the middle

    @property
    def parameters(self) -> dict[str, int]:
        """The parameters of PAIR."""
        return {"likes": self.choices.likes, "reposts": self.choices.reposts}

    @property
    def left(self) -> SelectionStep:
        """What is left in the end."""
        return self.steps[-1]

    @property
    def in_test(self) -> str:
        """The expression that is 1 for what goes to test; what is hashed are ids that its reader knows."""
        known = "out" if self.choices.ids == "pseudonym" else "id"
        return IN_TEST[self.choices.split.how].format(p=f"p.{known}", t=f"t.{known}")


@contextlib.contextmanager
def select(
    path: Path,
    scratch: Path,
    choices: ExportChoices,
    *,
    key: bytes = b"",
    tell: Tell,
    widen: Callable[[Selection], None] = lambda selection: None,
) -> Iterator[Selection]:
    """Open a harvest at one moment and choose from it; `scratch` is a file for tables of our own.

    `widen` takes along what leaves besides, where nothing was filtered. Raises StoreError when the harvest cannot be
    read, SettingsError when the choices leave nothing.
    """
    connection = sqlite3.connect(scratch, isolation_level=None, uri=True)
    try:
        _prepare(connection, choices, key, scratch)
        attach_to_read(connection, path)
        # A word of Python now and then, while SQLite works: so that Ctrl-C is heard.
        connection.set_progress_handler(lambda: 0, 100_000)
        connection.execute("BEGIN")
        selection = Selection(connection, choices)
        tell("choosing", 0, None)
        _filter(selection)
        if (choices.lists or choices.graph == "follows" or choices.format in PLAYERS) and not choices.filters:
            widen(selection)
        _check_something(selection)
        _number(selection)
        _cut(selection)
        _note_left_out(selection)
        yield selection
    finally:
        connection.close()


def _prepare(connection: sqlite3.Connection, choices: ExportChoices, key: bytes, scratch: Path) -> None:
    """Make our tables, which are not needed after a crash, and the functions that SQL lacks."""
    for pragma in (
        "main.journal_mode = OFF",
        "main.synchronous = OFF",
        "main.cache_size = -64000",
        f"temp_store = {'MEMORY' if scratch == Path(':memory:') else 'FILE'}",
    ):
        connection.execute(f"PRAGMA {pragma}")
    for statement in split_statements(_TABLES + TABLE):
        connection.execute(statement)
    seed, share = choices.seed, choices.split.share

    def in_test(user: int, item: int) -> bool:
        digest = hashlib.sha1(b"%d:%d:%d" % (seed, user, item), usedforsecurity=False).digest()
        return int.from_bytes(digest[:4], "big") / 2**32 < share

    connection.create_function("in_test", 2, in_test, deterministic=True)
    connection.create_function("pseudonym", 2, lambda kind, number: pseudonym(key, kind, number), deterministic=True)
    connection.create_function("about", 1, about, deterministic=True)


def _filter(selection: Selection) -> None:
    """Apply the filters in their order, and count after each."""
    choices, connection = selection.choices, selection.connection
    connection.execute(_PEOPLE, selection.parameters)
    connection.execute(_THINGS, selection.parameters)
    _count(selection, f"kind {','.join(choices.kinds)}")
    if choices.ego:
        selection.ego = _found(connection, choices.ego)
        if choices.graph == "follows":  # people alone, those who like nothing here too
            connection.execute("INSERT OR IGNORE INTO people (id, n, whole) SELECT follower_id, 0, 0 FROM user_follows")
            connection.execute("INSERT OR IGNORE INTO people (id, n, whole) SELECT followee_id, 0, 0 FROM user_follows")
        if choices.graph in ("all", "follows"):
            _keep_around(selection, *selection.ego)
    selection.frames = mark_frames(connection, choices.frames)
    if choices.drops_frames:
        _drop_things(selection, "frame", 0)
        _count(selection, "without frames")
    if choices.complete_users_only:
        _drop_people(selection, "NOT whole", 0)
        _count(selection, "complete users only")
    if choices.min_users:
        _drop_things(selection, "n < :least", choices.min_users)
        _count(selection, f"min users {choices.min_users}")
    if choices.min_items:
        _drop_people(selection, "n < :least", choices.min_items)
        _count(selection, f"min items {choices.min_items}")
    for name, k in (("kcore", choices.kcore), ("k", choices.k)):
        if k:
            _count(selection, f"{name} {k}", rounds=_drop_to_core(selection, k))


def _found(connection: sqlite3.Connection, wanted: str) -> tuple[str, int]:
    """Find a track or a person of the file. Raises SeedError where it is neither."""
    for kind in ("track", "user"):
        with contextlib.suppress(SeedError):
            return kind, find(connection, kind, wanted)[0]
    raise SeedError(f"There is no track or person {wanted} in this file: name one by id, URN or address with --ego.")


def _keep_around(selection: Selection, kind: str, number: int) -> None:
    """Keep what lies within so many steps of a user or a track. Raises SettingsError where that is not there."""
    run, choices = selection.connection.execute, selection.choices
    place = "people" if kind == "user" else "things"
    if run(f"SELECT 1 FROM {place} WHERE id = ?", (number,)).fetchone() is None:  # noqa: S608 - one of two
        raise SettingsError(f"{kind} {number} stands in none of what is exported: name another with --ego.")
    run("INSERT INTO around VALUES (?, ?, 0)", (kind, number))
    steps = _BY_FOLLOWS if choices.graph == "follows" else (*_BY_LIKES, *_BY_FOLLOWS)
    for step in range(choices.radius):
        for statement in steps:
            run(statement, {**selection.parameters, "step": step})
    for statement in _THOSE_AROUND:
        run(statement, selection.parameters)
    _count(selection, f"around {kind} {number}, {choices.radius} {'step' if choices.radius == 1 else 'steps'}")


def _check_something(selection: Selection) -> None:
    """Raise SettingsError where nothing is left, of anything that is to leave."""
    run = selection.connection.execute
    if not run("SELECT EXISTS (SELECT 1 FROM people) OR EXISTS (SELECT 1 FROM things)").fetchone()[0]:
        said = "; ".join(f"{step.filter}: {step.interactions:,}" for step in selection.steps)
        raise SettingsError(f"Nothing is left to export (interactions after each filter: {said}).")


def _drop_to_core(selection: Selection, k: int) -> int:
    """Drop users and tracks with fewer than k partners until there are none; give the rounds it took."""
    rounds = 0
    while _drop_people(selection, "n < :least", k) + _drop_things(selection, "n < :least", k):
        rounds += 1
    return rounds


def _drop_people(selection: Selection, condition: str, least: int) -> int:
    run, parameters = selection.connection.execute, {**selection.parameters, "least": least}
    run("DELETE FROM leaving")
    gone = run(f"INSERT INTO leaving SELECT id FROM people WHERE {condition}", {"least": least}).rowcount  # noqa: S608
    if gone:
        run(_LOWER_THINGS, parameters)
        run("DELETE FROM people WHERE id IN (SELECT id FROM leaving)")
        run("DELETE FROM things WHERE n = 0")
    return gone


def _drop_things(selection: Selection, condition: str, least: int) -> int:
    run, parameters = selection.connection.execute, {**selection.parameters, "least": least}
    run("DELETE FROM leaving")
    gone = run(f"INSERT INTO leaving SELECT id FROM things WHERE {condition}", {"least": least}).rowcount  # noqa: S608
    if gone:
        run(_LOWER_PEOPLE, parameters)
        run("DELETE FROM things WHERE id IN (SELECT id FROM leaving)")
        run("DELETE FROM people WHERE n = 0")
    return gone


def _count(selection: Selection, name: str, *, rounds: int | None = None) -> None:
    run = selection.connection.execute
    users, pairs = run("SELECT count(*), coalesce(sum(n), 0) FROM people").fetchone()
    (items,) = run("SELECT count(*) FROM things").fetchone()
    selection.steps.append(SelectionStep(name, users, items, pairs, rounds))


def _number(selection: Selection) -> None:
    """Count the users with complete lists, and give each user the id under which they leave."""
    choices, run = selection.choices, selection.connection.execute
    run("UPDATE things SET here = n")
    if not (choices.include_incomplete or choices.complete_users_only):
        run(_USERS_HERE, selection.parameters)
    run(FILL)
    for statement in (*_ACCOUNTS, *(_ALL_LISTS if choices.lists else ())):
        if statement is not _OWNERS or not choices.k:
            run(statement)
    if choices.k:
        for statement in _TOO_SMALL:
            run(statement, {"k": choices.k})
    for statement in _IDS[choices.ids]:
        run(statement)
    run(_SOUND, {"incomplete": choices.include_incomplete})
    if choices.ids == "pseudonym":
        _index_pseudonyms(run)
        for statement in _COMMON:
            run(statement, {"common_to": _COMMON_TO})


def _index_pseudonyms(run: Callable[[str], object]) -> None:
    """Make the order of pseudonyms quick, and see to it that no two share one. Raises SettingsError."""
    try:
        run("CREATE INDEX people_by_out ON people (out)")
        for table in ("things", "accounts", "collections", "channels", "inquiries"):  # people are accounts
            run(f"CREATE UNIQUE INDEX {table}_by_out ON {table} (out)")
    except sqlite3.IntegrityError as error:
        raise SettingsError(
            "Two of those who are left have the same pseudonym under this key, which happens once in many exports:"
            " name another file with --key."
        ) from error


def _note_left_out(selection: Selection) -> None:
    """Say which scores and ranks stay behind, and why."""
    if selection.choices.ids == "pseudonym":
        selection.left_out.append(_HIDDEN_RANKS)
    for which, why in (
        (_UNSOUND, "scores in which lists count that are not whole; --include-incomplete takes them along"),
        (_UNFINISHED, "scores of an interrupted computation; `harvest analyze` finishes it"),
    ):
        found = [
            table
            for table, rows in _SCORES.items()
            if selection.connection.execute(f"SELECT 1 {rows} WHERE r.derivation_id IN ({which}) LIMIT 1").fetchone()
        ]
        if found:
            selection.left_out.append(f"left out of {', '.join(found)}: {why}")


def _cut(selection: Selection) -> None:
    """Find where the newest of each user end, for a split by them."""
    split = selection.choices.split
    if split.how != "last":
        return
    (kind,) = selection.choices.kinds
    selection.connection.execute(_CUT, {"kind": kind, "newest": split.newest})
    if not selection.connection.execute("SELECT 1 FROM people WHERE cut_rank IS NOT NULL").fetchone():
        raise SettingsError(
            f"--split {split} needs users with more than {split.newest} {kind}s whose own list was read, and there are "
            "none: their order is not known. Use --split hash:0.2."
        )
