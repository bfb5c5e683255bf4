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
from harvest.export import selection_sql as sql
from harvest.export.choices import PLAYERS, ExportChoices
from harvest.export.pseudonyms import about, pseudonym
from harvest.export.weights import FILL, TABLE, mark_frames
from harvest.store.database import attach_to_read
from harvest.store.provenance import find
from harvest.system.sql import split_statements

# What is going on, how far, of how much (None: not known).
Tell = Callable[[str, int, int | None], None]

_COMMON_TO = 5  # people who must share a word or a rough count before a pseudonymised export tells it
_HIDDEN_RANKS = (
    "left out of interactions: track_list_rank; of users: listed_rank, claimed; of items: frame; a place in a track's "
    "public list leads back to the account that stands there, an exact count to whose it is, a frame to the seed"
)


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
        return sql.IN_TEST[self.choices.split.how].format(p=f"p.{known}", t=f"t.{known}")


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
    for statement in split_statements(sql.TABLES + TABLE):
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
    connection.execute(sql.PEOPLE, selection.parameters)
    connection.execute(sql.THINGS, selection.parameters)
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
    steps = sql.BY_FOLLOWS if choices.graph == "follows" else (*sql.BY_LIKES, *sql.BY_FOLLOWS)
    for step in range(choices.radius):
        for statement in steps:
            run(statement, {**selection.parameters, "step": step})
    for statement in sql.THOSE_AROUND:
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
        run(sql.LOWER_THINGS, parameters)
        run("DELETE FROM people WHERE id IN (SELECT id FROM leaving)")
        run("DELETE FROM things WHERE n = 0")
    return gone


def _drop_things(selection: Selection, condition: str, least: int) -> int:
    run, parameters = selection.connection.execute, {**selection.parameters, "least": least}
    run("DELETE FROM leaving")
    gone = run(f"INSERT INTO leaving SELECT id FROM things WHERE {condition}", {"least": least}).rowcount  # noqa: S608
    if gone:
        run(sql.LOWER_PEOPLE, parameters)
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
        run(sql.USERS_HERE, selection.parameters)
    run(FILL)
    for statement in (*sql.ACCOUNTS, *(sql.ALL_LISTS if choices.lists else ())):
        if statement is not sql.OWNERS or not choices.k:
            run(statement)
    if choices.k:
        for statement in sql.TOO_SMALL:
            run(statement, {"k": choices.k})
    for statement in sql.IDS[choices.ids]:
        run(statement)
    run(sql.SOUND, {"incomplete": choices.include_incomplete})
    if choices.ids == "pseudonym":
        _index_pseudonyms(run)
        for statement in sql.COMMON:
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
        (
            sql.UNSOUND,
            "scores in which lists count that are not whole; --include-incomplete takes them along",
        ),
        (sql.UNFINISHED, "scores of an interrupted computation; `harvest analyze` finishes it"),
    ):
        found = [
            table
            for table, rows in sql.SCORES.items()
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
    selection.connection.execute(sql.CUT, {"kind": kind, "newest": split.newest})
    if not selection.connection.execute("SELECT 1 FROM people WHERE cut_rank IS NOT NULL").fetchone():
        raise SettingsError(
            f"--split {split} needs users with more than {split.newest} {kind}s whose own list was read, and there are "
            "none: their order is not known. Use --split hash:0.2."
        )
