"""What is near a track or a person, by whatever it is measured: one way in for the command line and for Python."""

from __future__ import annotations

import sqlite3

from harvest.analysis.beside import Neighbours, beside, methods_of
from harvest.analysis.described import METHOD as METADATA
from harvest.analysis.described import Described, described
from harvest.analysis.methods import RELATED, SIMILAR
from harvest.analysis.related import Related, related
from harvest.analysis.similar import Similar, similar
from harvest.errors import SettingsError


def of_tracks() -> tuple[str, ...]:
    """Name the ways in which tracks may be near each other."""
    return (*RELATED, *methods_of("track"), METADATA)


def of_people() -> tuple[str, ...]:
    """Name the ways in which people may be near each other."""
    return (*SIMILAR, *methods_of("user"))


def near_track(
    connection: sqlite3.Connection, track: str, *, method: str, limit: int, framing: str | None
) -> Related | Neighbours | Described:
    """Tell what is near a track: by likes, by what else was read, or by what is said of it.

    Raises SeedError where it is not in the file, SettingsError for a method that there is not.
    """
    if method == METADATA:
        return described(connection, track, limit=limit)
    if method in methods_of("track"):
        return beside(connection, "track", track, method=method, limit=limit, framing=framing)
    _check(method, of_tracks())
    return related(connection, track, method=method, limit=limit, framing=framing)


def near_person(
    connection: sqlite3.Connection, user: str, *, method: str, limit: int, framing: str | None
) -> Similar | Neighbours:
    """Tell who is near a person, by likes or by what else was read. Raises SeedError, SettingsError."""
    if method in methods_of("user"):
        return beside(connection, "user", user, method=method, limit=limit, framing=framing)
    _check(method, of_people())
    return similar(connection, user, method=method, limit=limit, framing=framing)


def _check(method: str, there: tuple[str, ...]) -> None:
    if method not in there:
        raise SettingsError(f"There is no method {method!r}; there are {', '.join(there)}.")
