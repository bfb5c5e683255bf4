"""What a plug-in may offer. A plug-in is a module with functions of these names, marked with `hookimpl`.

None of them is given a client, settings, a token or a connection. Our own parts go the same way. docs/plugins.md has a
template.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import pluggy

hookspec = pluggy.HookspecMarker("harvest")
hookimpl = pluggy.HookimplMarker("harvest")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a plug-in: its name, the SQL that makes it, and which of its columns hold the id of a thing: column →
    user, track, playlist or station. `harvest forget` deletes the rows that name what is forgotten.
    """

    name: str
    create: str
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Analysis:
    """What `harvest analyze --method NAME` computes: `compute` fills the table, which is empty then, by a connection
    that reads everything and writes tables of the plug-in alone. `about` says in a few words what that is. With `near`,
    the columns of a thing (track_id, user_id), of one near it, and of a score, `harvest related` or `similar` reads it.
    """

    table: str
    compute: Callable[[sqlite3.Connection], object]
    about: str
    near: tuple[str, str, str] | None = None


@hookspec
def queries() -> Path | Traversable:  # type: ignore[empty-body]
    """Give a folder of named queries, NAME.sql, each with a comment at its head as ours have."""


@hookspec
def exporters() -> Mapping[str, Callable[[Any], list[Any]]]:  # type: ignore[empty-body]
    """Give formats of `harvest export` by name: what writes a `Job` into its folder and gives its `OutFile`s."""


@hookspec
def tables() -> Sequence[Table]:  # type: ignore[empty-body]
    """Give the tables that the plug-in keeps in a file, and which of their columns name things."""


@hookspec
def migrations() -> Sequence[str]:  # type: ignore[empty-body]
    """Give statements of SQL, in order: the first makes tables of version 0 those of version 1, and so on. A file
    without tables of the plug-in gets them as `tables` says, and is of the last version.
    """


@hookspec
def analyses() -> Mapping[str, Analysis]:  # type: ignore[empty-body]
    """Give analyses by name."""
