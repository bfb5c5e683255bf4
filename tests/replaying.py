"""Keep the replies of crawls, make the file again from them, and compare the two, every table of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from harvest.crawler.replay import Replayed, replay
from harvest.replies import sums
from tests.faulty import assert_no_contradiction

# What tells of processes, not of what they found: who crawls, how the display stands, when tables were made, the pair,
# and what has left the file.
_OF_PROCESSES = {"lease", "progress", "_sqlite_migrations", "replies", "handouts"}
_COLUMNS_OF_PROCESSES = {"readings": {"attempts"}}


def everything(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Give every row of every table."""
    with closing(sqlite3.connect(path)) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: _rows(db, name) for name in sorted(set(names) - _OF_PROCESSES) if name != "sqlite_sequence"}


def _rows(db: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    there = [row[1] for row in db.execute("SELECT * FROM pragma_table_xinfo(?)", (table,))]
    columns = ", ".join(f'"{name}"' for name in there if name not in _COLUMNS_OF_PROCESSES.get(table, ()))
    if table == "readings":  # in the midst of a crawl somebody reads them
        columns = columns.replace('"state"', "iif(state = 'doing', 'todo', state)")
    return sorted(db.execute(f'SELECT {columns} FROM "{table}"').fetchall(), key=repr)


def seal(replies: Path) -> None:
    """Let the acts of a file of replies have the sums that they should, whatever they say: a stranger can do that."""
    with closing(sqlite3.connect(replies)) as db:
        db.create_function("sum_of", -1, sums.of_act)
        db.execute("PRAGMA foreign_keys = OFF")
        (pair, key) = db.execute("SELECT pair, key FROM facts").fetchone()
        db.execute(
            "UPDATE acts SET checksum = sum_of(?, number, what, detail, body_id)",
            (sums.of_file(pair, key),),
        )
        db.commit()


def acts_of(path: Path) -> tuple[int, int]:
    """Give the last act that is kept beside a file, and the last that it holds."""
    with closing(sqlite3.connect(path.with_name(f"{path.stem}.replies.db"))) as db:
        (kept,) = db.execute("SELECT coalesce(max(number), 0) FROM acts").fetchone()
    with closing(sqlite3.connect(path)) as db:
        (held,) = db.execute("SELECT act FROM replies").fetchone()
    return kept, held


def assert_replays(path: Path) -> Replayed:
    """Make the file again, and compare the two."""
    again = path.with_name("again.db")
    done = replay(path.with_name(f"{path.stem}.replies.db"), again, force=True)
    assert (
        again.read_bytes()[18:20] == b"\2\2"
    )  # in the mode of a log, as every file of ours: readers disturb no writer
    there, made = everything(path), everything(again)
    assert there.keys() == made.keys()
    for table, rows in there.items():
        if rows != made[table]:
            lacks = [row for row in rows if row not in made[table]][:3]
            more = [row for row in made[table] if row not in rows][:3]
            raise AssertionError(f"{table}: lacks {lacks}, and has {more}")
    assert_no_contradiction(again)
    return done
