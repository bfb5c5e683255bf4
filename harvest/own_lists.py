"""Lists of plug-ins: how one is declared, and where the declarations are found.

In: entry points `harvest.lists` of what is installed. Out: declarations, each with the name of its plug-in. They are
read before anything of ours knows the lists, so whatever goes through all lists goes through these.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar

from harvest.errors import PluginError
from harvest.system.installed import packages
from harvest.things import SHOWN

GROUP = "harvest.lists"
_NAME = re.compile(r"[a-z][a-z0-9]{0,30}", re.ASCII)
_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,40}", re.ASCII)
_TYPES = ("INTEGER", "REAL", "TEXT")
# What such a module may import of ours at its top: nothing that knows the lists.
_BEFORE = ("harvest.lists", "harvest.own_lists", "harvest.plugins", "harvest.errors", "harvest.things")

OURS = ""  # the name of who makes our own lists
Ours = TypeVar("Ours")  # how we declare one
Read = tuple[int | str, Mapping[str, int | float | str | None]]


@dataclass(frozen=True, slots=True)
class OwnList:
    """A list of the service that a plug-in reads into a table of its own.

    `name` is what options call it behind the name of the plug-in: `words` of `mood` is `--read mood-words`. `subject`
    is a kind of thing, whose URN fills `path`. `read` takes one entry, as JSON says it, and gives a key that tells it
    from the others of its list, with the values of `columns`; None for what is no entry. `names` is a column that holds
    the id of a thing: user_id, track_id, playlist_id or station_id.
    """

    name: str
    subject: str
    path: str
    title: str
    columns: tuple[tuple[str, str], ...]
    read: Callable[[Mapping[str, Any]], Read | None]
    names: str = ""
    cap: int = 1_000
    by_offset: bool = False

    @property
    def subject_id(self) -> str:
        """The column that holds whose list a row stands in."""
        return f"{self.subject}_id"

    def fault(self) -> str | None:
        """Say what is wrong with the declaration, None where nothing is."""
        things = [thing.name for thing in SHOWN]
        if not self._is_typed():
            return (
                "name, subject, path, title and names are texts, columns pairs of texts, read a function, cap from 1 on"
            )
        taken = {"id", "rank", "first_page_id", self.subject_id}
        if not _COLUMN.fullmatch(self.name):
            return "its name must be of small letters, digits and underscores"
        if self.subject not in things:
            return f"its subject is one of {', '.join(things)}"
        if not self.path.startswith("/") or "{urn}" not in self.path:
            return "its path begins with / and contains {urn}"
        if any(not _COLUMN.fullmatch(name) or name in taken or kind not in _TYPES for name, kind in self.columns):
            return f"columns are small letters, other than {', '.join(sorted(taken))}, each {', '.join(_TYPES)}"
        if self.names and (self.names not in dict(self.columns) or self.names.removesuffix("_id") not in things):
            return "names is a column called as a kind of thing: user_id, track_id, playlist_id or station_id"
        return None

    def _is_typed(self) -> bool:
        texts = (self.name, self.subject, self.path, self.title, self.names)
        pairs = self.columns if isinstance(self.columns, tuple | list) else (None,)
        return (
            all(isinstance(text, str) for text in texts)
            and all(isinstance(pair, tuple | list) and [*map(type, pair)] == [str, str] for pair in pairs)
            and callable(self.read)
            and isinstance(self.cap, int)
            and self.cap > 0
        )

    def row(self, plugin: str, entry: dict[str, Any]) -> tuple[int | str, list[int | float | str | None]] | None:
        """Give the key and the values of an entry, in the order of the columns; None for what is none. Raises
        PluginError.
        """
        try:
            read = self.read(entry)
            if read is None:
                return None
            key, values = read
            unknown = values.keys() - dict(self.columns).keys()
        except Exception as error:
            raise PluginError.of(plugin, f"its list {self.name!r}: {type(error).__name__}: {error}") from error
        row = [values.get(name) for name, _ in self.columns]
        wrong = [
            *unknown,
            *(name for (name, kind), value in zip(self.columns, row, strict=True) if not _fits(kind, value)),
        ]
        if wrong or not isinstance(key, int | str):
            raise PluginError.of(plugin, f"its list {self.name!r} reads a wrong {wrong[0] if wrong else 'key'}")
        return key, row

    def made(self, table: str) -> str:
        """Write the statement that makes the table."""
        columns = "".join(f"{name} {kind}, " for name, kind in self.columns)
        return (
            f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, {self.subject_id} INTEGER, rank INTEGER, {columns}"
            "first_page_id INTEGER NOT NULL REFERENCES pages (id)) STRICT"
        )


def _fits(kind: str, value: object) -> bool:
    if kind == "INTEGER":
        return value is None or (isinstance(value, int) and abs(value) < 2**63)
    return value is None or isinstance(value, str if kind == "TEXT" else (int, float))


def offered(ours: Iterable[Ours]) -> Iterator[tuple[str, Ours | OwnList]]:
    """Give what is offered as lists, each with the name of its plug-in: ours, of none, then those of all plug-ins.
    Raises PluginError.
    """
    yield from ((OURS, one) for one in ours)
    for package in packages():
        for plugin, where in sorted(package.points.get(GROUP, {}).items()):
            if not _NAME.fullmatch(plugin):
                raise PluginError.of(repr(plugin), "its name is not of small letters and digits alone")
            for one in _loaded(plugin, where):
                fault = one.fault() if isinstance(one, OwnList) else "it is no OwnList"
                if fault is not None:
                    raise PluginError.of(plugin, f"its list {getattr(one, 'name', one)!r}: {fault}")
                yield plugin, one


def _loaded(plugin: str, where: str) -> list[Any]:
    module, _, attribute = where.partition(":")
    before = set(sys.modules)
    lists: list[Any] = []
    fault = None
    try:
        lists = list(getattr(import_module(module), attribute or "LISTS"))
    except (Exception, SystemExit) as error:
        fault = f"its lists: {type(error).__name__}: {error}"
    ours = (name for name in set(sys.modules) - before if name.startswith("harvest."))
    if early := sorted(name for name in ours if not name.startswith(_BEFORE)):
        fault = f"{module} imports {early[0]} at its top, before the lists are known: import it within a function"
    if fault is not None:
        raise PluginError.of(plugin, fault)
    return lists
