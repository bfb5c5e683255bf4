"""Make a file of a dehydrated folder, with all that is to be looked up wanted already; and say what came of that.

The folder is another person's: its files are read as data, row by row, into tables of ours, which check every value;
what does not fit is refused as a whole. Making the file is one transaction. From then on it is a file like any other,
whose open look-ups any crawl goes on with.

In: a folder, a path. Out: a file; counts. Never: a request.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from harvest._version import __version__
from harvest.api.urns import id_of_text
from harvest.errors import NotADatabase, SettingsError, StoreError
from harvest.export.folder import MANIFEST
from harvest.export.pseudonyms import key_name, pseudonym, read_key
from harvest.forgetting import people_lists
from harvest.forgetting.remembered import forget_again
from harvest.models import Outcome
from harvest.sharing.columns import FORMAT, HIDDEN_STATION, ends_of, tables
from harvest.store import harvests, lookups, search
from harvest.store.database import immediately, open_for_crawl, open_if_begun, open_to_read
from harvest.store.schema import apply_schema, schema_version
from harvest.things import SHOWN, THINGS

_LONGEST_LINE = 10_000_000  # bytes
_AT_ONCE = 5000  # rows
_PERSON = THINGS["user"].urn
_AROUND = f"{THINGS['station'].urn}artist-stations:"
_HIDDEN = ("users", "stations")  # tables whose ids may be pseudonyms
# Columns in which they stand where another column says so; an id of anything else is no pseudonym.
_BY_THING = frozenset(
    {
        ("search_results", "thing_id"), ("visits", "thing_id"), ("seeds", "thing_id"), ("tasks", "subject_id"),
        ("batch_items", "thing_id"), ("harvests", "seed_id"),
    }
)  # fmt: skip
_KIND = "hydrated"  # what the run is called that stands for the making of the file


@dataclass(frozen=True, slots=True)
class Folder:
    """A dehydrated folder, as its manifest tells. `mark` is made of the manifest: another folder, another mark."""

    path: Path
    manifest: dict[str, Any]
    mark: str

    @property
    def hides_people(self) -> bool:
        """Whether the ids of people are pseudonyms."""
        return bool(self.manifest["ids"]["people"] == "pseudonym")

    @property
    def key_name(self) -> str:
        """The name of the key they were made with."""
        return str(self.manifest["ids"].get("key", ""))


@dataclass(frozen=True, slots=True)
class _Back:
    """What leads pseudonyms back, of people and of the stations around them: by id, and by URN."""

    ids: dict[int, int] = field(default_factory=dict)
    urns: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, key: bytes, people: Sequence[int]) -> _Back:
        """Make the pseudonyms of these people again."""
        ids: dict[int, int] = {}
        urns: dict[str, str] = {}
        for one in people:
            person, station = pseudonym(key, "user", one), id_of_text(f"{_AROUND}{one}")
            around = pseudonym(key, "station", station)
            ids |= {person: one, around: station}
            urns |= {f"{_PERSON}{person}": f"{_PERSON}{one}", f"{HIDDEN_STATION}{around}": f"{_AROUND}{one}"}
        return cls(ids, urns)


class Persistence(NamedTuple):
    """What became of one kind of thing: how many were asked for, came, are gone, had other counts, are still open."""

    asked: int
    came: int
    gone: int
    changed: int
    left: int


def read_folder(path: Path) -> Folder:
    """Read what a folder says of itself. Raises StoreError for one that is none of ours, or not whole."""
    try:
        text = (path / MANIFEST).read_bytes()
        manifest = json.loads(text)
        if manifest["made_by"] != FORMAT or manifest["ids"]["people"] not in ("raw", "pseudonym"):
            raise ValueError
        files = {str(file["path"]): str(file["sha256"]) for file in manifest["files"]}
        schema = int(manifest["schema"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotADatabase(f"{path} is no folder that `harvest dehydrate` has written.") from error
    if schema > schema_version():
        raise StoreError(f"{path} was written by a newer harvest (tables {schema}): upgrade.")
    for name, digest in files.items():
        if Path(name).name != name or not _is_as_told(path / name, digest):
            raise NotADatabase(f"{path / name} differs from the manifest beside it: get a new copy of the folder.")
    return Folder(path, manifest, hashlib.sha256(text).hexdigest())


def key_of(folder: Folder, key_file: Path | None) -> tuple[bytes | None, list[int]]:
    """Give the key of a folder with the people it stands for; None where we have none. Raises SettingsError."""
    if not folder.hides_people:
        if key_file is not None:
            raise SettingsError("--key belongs to a folder with pseudonyms.")
        return None, []
    place = key_file or people_lists.usual_key()
    if key_file is None and not (place.exists() and key_name(read_key(place)) == folder.key_name):
        return None, []
    if not place.exists():
        raise SettingsError(f"--key {place}: there is no such file.")
    return read_key(place), people_lists.read_people(place)


def is_made(path: Path, folder: Folder) -> bool:
    """Say whether a file was made of this folder. Raises StoreError where there is another one."""
    with open_if_begun(path) as connection:
        if connection is None:
            return False
        row = connection.execute(
            "SELECT 1 FROM runs WHERE credential_kind = ? AND options ->> '$.dehydrated' = ?", (_KIND, folder.mark)
        ).fetchone()
    if row is None:
        raise StoreError(f"{path} holds something else than {folder.path}: name a new file with --cache-path.")
    return True


def make(path: Path, folder: Folder, *, now: str, key: bytes | None, people: Sequence[int]) -> int:
    """Make the file, all of it or nothing. With the key, pseudonyms of these people are led back. What was forgotten on
    this machine is not in it; give how many things that were.

    Raises StoreError where the folder does not hold what its manifest says, or a value that no file of ours can.
    """
    back = _Back() if key is None else _Back.of(key, people)
    if key is not None and key_name(key) != folder.key_name:
        raise StoreError(f"{folder.path} was made with another key ({folder.key_name}).")
    db = open_for_crawl(path)
    try:
        db.conn.execute("PRAGMA foreign_keys = OFF")
        db.conn.execute("PRAGMA secure_delete = ON")
        with immediately(db):
            apply_schema(db)
            _fill(db.conn, folder, back)
            _finish(db.conn, folder, now, set(people) if folder.hides_people else None)
            forgotten = forget_again(db.conn, now)
        db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return forgotten
    except (sqlite3.IntegrityError, sqlite3.DataError, OverflowError, sqlite3.ProgrammingError) as error:
        raise NotADatabase(f"{folder.path} holds what no harvest can hold: {error}.") from error
    finally:
        db.conn.close()


def to_ask(connection: sqlite3.Connection) -> tuple[dict[str, int], int]:
    """Give how many things of each kind wait to be looked up, and in how many requests."""
    rows = connection.execute(
        """
        SELECT b.thing, count(*), count(DISTINCT b.id)
        FROM readings AS r
        CROSS JOIN tasks AS t ON t.id = r.task_id
        CROSS JOIN batches AS b ON b.id = t.subject_id
        CROSS JOIN batch_items AS i ON i.batch_id = b.id
        WHERE r.state <> 'ended' AND r.kind = 'lookup'
        GROUP BY b.thing
        """
    ).fetchall()
    return {row[0]: row[1] for row in rows}, sum(row[2] for row in rows)


def persistence(connection: sqlite3.Connection) -> dict[str, Persistence]:
    """Give what became of what a hydrated file asked for, by kind of thing."""
    (options,) = connection.execute("SELECT options FROM runs WHERE credential_kind = ?", (_KIND,)).fetchone()
    first_batch, last_page = json.loads(options)["first_batch"], json.loads(options)["last_page"]
    found = {}
    for thing in SHOWN:
        history = f"{thing.name}_counts" if thing.name in ("user", "track") else None
        changed = (
            f"(SELECT count(DISTINCT c.id) FROM {history} AS c WHERE c.page_id > :page"  # noqa: S608 - our own words
            " AND c.id IN (SELECT id FROM asked))"
            if history
            else "0"
        )
        row = connection.execute(
            f"""
            WITH asked AS MATERIALIZED (
                SELECT i.thing_id AS id, max(i.shown) AS shown, max(r.state <> 'ended') AS is_open
                FROM batches AS b
                CROSS JOIN batch_items AS i ON i.batch_id = b.id
                CROSS JOIN tasks AS t ON t.kind = 'lookup' AND t.subject_id = b.id
                CROSS JOIN readings AS r ON r.task_id = t.id AND r.number = t.reading
                WHERE b.id >= :batch AND b.thing = :thing
                GROUP BY i.thing_id
            )
            SELECT count(*), coalesce(sum(a.shown), 0),
                coalesce(sum(a.shown = 0 AND x.status = 'gone'), 0),
                {changed},
                coalesce(sum(a.shown = 0 AND x.status <> 'gone'), 0)
            FROM asked AS a CROSS JOIN {thing.table} AS x ON x.id = a.id
            """,  # noqa: S608 - our own words
            {"batch": first_batch, "page": last_page, "thing": thing.name},
        ).fetchone()
        found[thing.name] = Persistence(*row)
    return found


def _is_as_told(file: Path, digest: str) -> bool:
    try:
        with file.open("rb") as read:
            return hashlib.file_digest(read, "sha256").hexdigest() == digest
    except OSError:
        return False


def _fill(connection: sqlite3.Connection, folder: Folder, back: _Back) -> None:
    """Put the rows of every file into its table."""
    ours = tables(connection)
    for file in folder.manifest["files"]:
        name = Path(str(file["path"])).stem
        if name not in ours:
            raise NotADatabase(f"{folder.path} tells of a table {name!r}, which there is not.")
        rows = _rows(folder.path / f"{name}.jsonl")
        columns = next(rows, [])
        if not columns or not set(columns) <= set(ours[name]) or len(set(columns)) < len(columns):
            raise NotADatabase(f"{folder.path / name}.jsonl has other columns than {', '.join(ours[name])}.")
        lead = _leads(connection, name, columns, back) if back.ids else None
        insert = f"INSERT INTO {name} ({', '.join(map(_quoted, columns))}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - our own columns
        some: list[list[Any]] = []
        for row in rows:
            if len(row) != len(columns):
                raise NotADatabase(f"{folder.path / name}.jsonl has a row of {len(row)} values, not {len(columns)}.")
            some.append(lead(row) if lead else row)
            if len(some) == _AT_ONCE:
                connection.executemany(insert, some)
                some.clear()
        connection.executemany(insert, some)


def _rows(file: Path) -> Iterator[list[Any]]:
    """Read lists of plain values, a line each. Raises NotADatabase."""
    with file.open("rb") as read:
        while line := read.readline(_LONGEST_LINE + 1):
            try:
                row = json.loads(line) if len(line) <= _LONGEST_LINE else None
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, list) or not all(v is None or isinstance(v, str | int | float) for v in row):
                raise NotADatabase(f"{file} has a line that is no list of plain values.")
            yield row


def _leads(
    connection: sqlite3.Connection, table: str, columns: Sequence[str], back: _Back
) -> Callable[[list[Any]], list[Any]]:
    """Give what leads the pseudonyms in a row of a table back."""
    ends = ends_of(connection, table)
    hidden = {column for column, end in ends.items() if end in _HIDDEN} | ({"id"} if table in _HIDDEN else set())
    places = [place for place, column in enumerate(columns) if column in hidden or (table, column) in _BY_THING]
    texts = [place for place, column in enumerate(columns) if column in ("address", "seed_url", "urn")]

    def led(row: list[Any]) -> list[Any]:
        for place in places:
            row[place] = back.ids.get(row[place], row[place])
        for place in texts:
            row[place] = back.urns.get(row[place], row[place])
        return row

    return led


def _finish(connection: sqlite3.Connection, folder: Folder, now: str, people: set[int] | None) -> None:
    """Check that all hangs together, bring what is made of others up to date, and want the rest looked up, of people
    these alone; None: all of them.
    """
    wrong = connection.execute("PRAGMA foreign_key_check").fetchone()
    if wrong is not None:
        raise NotADatabase(
            f"{folder.path} is not whole: a row of {wrong[0]} speaks of one of {wrong[2]} that is missing."
        )
    _end_own_lists(connection)
    search.add_new_tracks(connection)
    harvests.take_back(connection)
    harvests.pause(connection)
    connection.execute("UPDATE runs SET credential_kind = 'unknown' WHERE credential_kind = ?", (_KIND,))
    (batch,) = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM batches").fetchone()
    (page,) = connection.execute("SELECT coalesce(max(id), 0) FROM pages").fetchone()
    options = {"profiles": "none", "dehydrated": folder.mark, "first_batch": batch, "last_page": page}
    connection.execute(
        "INSERT INTO runs (started_at, ended_at, version, options, api_url, world, credential_kind, stop_reason)"
        " VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, 'drained')",
        (now, __version__, json.dumps(options), folder.manifest["api_url"], folder.manifest["world"], _KIND),
    )
    for thing in SHOWN:
        known = connection.execute(
            f"SELECT id, urn FROM {thing.table} WHERE status <> 'forgotten' ORDER BY id"  # noqa: S608 - our own words
        ).fetchall()
        ids = [
            one
            for one, urn in known
            if not (
                urn.startswith(HIDDEN_STATION) or (thing.name == "user" and people is not None and one not in people)
            )
        ]
        for _ in lookups.ask_in_batches(connection, thing.name, ids):
            pass


def _end_own_lists(connection: sqlite3.Connection) -> None:
    """Let lists of plug-ins, whose rows no folder has, say that nothing of them is here, as purged ones do."""
    of_plugins = r"kind LIKE 'plugin\_%' ESCAPE '\'"
    answered = "outcome IN (SELECT o.outcome FROM outcomes AS o WHERE o.answered = 1)"
    for table, empty in (("readings", "forgotten = collected, unproven = 0, doubted = 0"), ("tasks", "collected = 0")):
        connection.execute(
            f"UPDATE {table} SET {empty}, outcome = iif({answered}, '{Outcome.PURGED}', outcome) WHERE {of_plugins}"  # noqa: S608 - our own words
        )


def _quoted(name: str) -> str:
    return f'"{name}"'


def seen(path: Path) -> dict[str, Persistence]:
    """Give `persistence` of a file."""
    with open_to_read(path) as connection:
        return persistence(connection)
