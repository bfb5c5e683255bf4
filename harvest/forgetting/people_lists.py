"""Keep beside a key of pseudonyms the ids of the people it was used for, which lead the pseudonyms back; and take out
of such a list who was forgotten.

In: the place of a key. Out: a list for its owner alone. Never: a name.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path

from harvest.errors import SettingsError
from harvest.forgetting.gone import Gone
from harvest.settings import state_folder
from harvest.system.files import beside as place_beside
from harvest.system.files import write_through

_END = ".people"
HANDED_OUT = "people"  # what a list of people is called among the handouts of a file


def usual_key() -> Path:
    """Give the place of the key when none is named."""
    return state_folder() / "pseudonyms.key"


def people_beside(key_file: Path) -> Path:
    """Give the place of the list of people that belongs to a key."""
    return key_file.with_name(f"{key_file.name}{_END}")


def keep_people(key_file: Path, people: list[int]) -> Path:
    """Add people to the list beside a key, for its owner alone; give where it is. Raises SettingsError."""
    beside = people_beside(key_file)
    known = set(_read(beside)) if beside.exists() else set()
    _write(beside, known | set(people))
    return beside


def read_people(key_file: Path) -> list[int]:
    """Read the list of people beside a key. Raises SettingsError."""
    return _read(people_beside(key_file))


def take_out(connection: sqlite3.Connection) -> Iterator[Path]:
    """Take out of every list that a file has handed out, and is still there, who was forgotten in the file; give the
    lists that changed. What cannot be read as such a list is left alone. Raises SettingsError, KeyMissing.
    """
    told = connection.execute("SELECT DISTINCT path FROM handouts WHERE what = ? ORDER BY path", (HANDED_OUT,))
    gone = Gone(connection, None)
    for beside in dict.fromkeys([people_beside(usual_key()), *(Path(row[0]) for row in told)]):
        people = _found(beside) or []
        left = [one for one in people if not gone(("user", one))]
        if len(left) < len(people):
            _write(beside, left)
            yield beside


def is_reached(beside: Path) -> bool:
    """Say whether people are taken out of a list that was handed out: whether it is there, and can be read."""
    return _found(beside) is not None


def _found(beside: Path) -> list[int] | None:
    """Give the people of what a file calls a list of them, None where it is none."""
    try:
        return _read(beside) if beside.name.endswith(_END) else None
    except SettingsError:
        return None


def _read(beside: Path) -> list[int]:
    try:
        return [int(line) for line in beside.read_text("ascii").split()]
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{beside}, the list of people whose pseudonyms use this key, cannot be read ({error})."
        ) from error


def _write(beside: Path, people: Collection[int]) -> None:
    try:
        with place_beside(beside) as part:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.writelines(f"{one}\n" for one in sorted(people))
            write_through(part)
            part.replace(beside)
    except OSError as error:
        raise SettingsError(f"{beside}: {error.strerror or error}.") from error
