"""Remember on this machine what was forgotten in any file, so that a new file, made of what had left an older one, does
not bring it back.

Beside the key stands a list of the numbers that files have of it, a line each: the name of the key, the number.

In: a file in which something was forgotten, or one just made. Out: the list; a file without what is in it. Never: an
id in the list.
"""

from __future__ import annotations

import os
import sqlite3
from hashlib import blake2b
from pathlib import Path

from harvest.errors import SettingsError
from harvest.forgetting import doomed
from harvest.forgetting.erase import erase
from harvest.forgetting.writing import write_down
from harvest.store import suppression
from harvest.things import SHOWN


def list_file() -> Path:
    """Give the file with the numbers."""
    return suppression.key_file().with_name("forget.numbers")


def remember(connection: sqlite3.Connection) -> None:
    """Add to the list what was forgotten in a file. Raises SettingsError, KeyMissing."""
    if not suppression.has_any(connection):
        return
    key = suppression.key_for(connection)
    known, name = _numbers(key), _name(key)
    rows = connection.execute("SELECT hash FROM suppressed")
    _add([f"{name} {number}\n" for (number,) in rows if number not in known])


def export_key(out: Path) -> None:
    """Write the keys of this user into a new file that no other user can read, with the numbers in the list that were
    made under them. Raises SettingsError.
    """
    numbers = [f"{_name(key)} {number}" for key in suppression.stored_keys() for number in sorted(_numbers(key))]
    suppression.export_keys(out, more=numbers)


def import_key(source: Path) -> tuple[int, int]:
    """Add keys that another user has exported to those of this user, and the numbers made under them to the list; give
    how many of each are new. Raises SettingsError.
    """
    lines = suppression.exported_lines(source)
    for name in {line.partition(" ")[0] for line in lines if " " in line}:
        _numbers_in(lines, name, source)  # nothing is imported where one line is wrong
    keys = suppression.import_keys(source)
    new = []
    for key in suppression.stored_keys():
        there, name = _numbers(key), _name(key)
        new += [f"{name} {number}\n" for number in sorted(_numbers_in(lines, name, source) - there)]
    _add(new)
    return keys, len(new)


def _add(new: list[str]) -> None:
    if not new:
        return
    place = list_file()
    try:
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="ascii") as file:
            file.writelines(["\n", *new])  # behind a line that a kill has cut
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise SettingsError(f"{place}: {error.strerror or error}.") from error


def forget_again(connection: sqlite3.Connection, now: str) -> int:
    """Forget in a file that was just made what was forgotten in others, inside the caller's transaction; give how many
    things that were in it. Foreign keys must be off. Raises SettingsError, KeyMissing.
    """
    known = {key: numbers for key in suppression.stored_keys() if (numbers := _numbers(key))}
    if not known:
        return 0
    wanted = [
        (thing.name, one)
        for thing in SHOWN
        for (one,) in connection.execute(f"SELECT id FROM {thing.table}")  # noqa: S608 - our own words
        if any(suppression.number_of(key, thing.name, one) in numbers for key, numbers in known.items())
    ]
    key = suppression.key_to_forget_with(connection)
    connection.executemany(
        "INSERT OR IGNORE INTO suppressed (hash) VALUES (?)", [(number,) for number in known.get(key, ())]
    )
    if not wanted:
        return 0
    doomed.doom(connection, wanted)
    things = doomed.things(connection)
    write_down(connection, things, erase(connection, doomed.texts(connection), now, key=key), now)
    connection.execute("UPDATE forgettings SET erased_at = ?", (now,))  # the file never had a name of it
    return things


def _numbers(key: bytes) -> set[int]:
    """Give the numbers in the list that were made under a key."""
    try:
        lines = list_file().read_text("ascii").splitlines()
    except FileNotFoundError:
        return set()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{list_file()}, the list of what was forgotten, cannot be read: {error}.") from error
    return _numbers_in(lines, _name(key), list_file())


def _numbers_in(lines: list[str], name: str, place: Path) -> set[int]:
    found = (line.split(" ") for line in lines if line.startswith(f"{name} "))
    try:
        return {int(number) for _, number in found}
    except ValueError as error:
        raise SettingsError(f"{place}, the list of what was forgotten, cannot be read: {error}.") from error


def _name(key: bytes) -> str:
    return blake2b(b"the name of this key", digest_size=6, key=key).hexdigest()
