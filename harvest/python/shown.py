"""What comes of a question or an act, so that a notebook shows it: its numbers, and what it lists as a table.

Each is what the room below gives, with nothing but these two ways of looking at it on top.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from harvest.python import html
from harvest.python.opened import plain
from harvest.python.sequences import Rows
from harvest.python.sources import Held

_PLAIN = (str, int, float, bool, type(None), Path)


class Shown:
    """Something that a notebook shows; `_listed` names the field that holds what it lists."""

    __slots__ = ()
    _listed: ClassVar[str] = ""

    @property
    def table(self) -> Rows[tuple[Any, ...]]:
        """What it lists, as a sequence that becomes a data frame."""
        return table_of(getattr(self, self._listed) if self._listed else ())

    def _repr_html_(self) -> str:
        told = {name: value for name, value in _fields(self) if isinstance(value, _PLAIN)}
        shown = html.facts(told, type(self).__name__)
        return shown + self.table._repr_html_() if self._listed else shown


Of = TypeVar("Of")
Item = TypeVar("Item")


def shown(kind: type[Of], found: Any) -> Of:
    """Give what was found as something that is shown: an instance of a subclass with the same fields."""
    return kind(**{one.name: getattr(found, one.name) for one in fields(found) if one.init})


class Several(list[Item]):
    """A list of results that a notebook shows."""

    @property
    def table(self) -> Rows[tuple[Any, ...]]:
        """All of them, as a sequence that becomes a data frame."""
        return table_of(self)

    def _repr_html_(self) -> str:
        return self.table._repr_html_()


class ByKind(dict[str, Item]):
    """What was found, by kind of thing; a notebook shows a row for each."""

    @property
    def table(self) -> Rows[tuple[Any, ...]]:
        """A row for each kind."""
        found = table_of(self.values())
        return Rows(
            Held(["kind", *found.columns], [(kind, *row) for kind, row in zip(self, found, strict=True)]), plain
        )

    def _repr_html_(self) -> str:
        return self.table._repr_html_()


def table_of(listed: Iterable[Any]) -> Rows[tuple[Any, ...]]:
    """Give a row for each thing, with the names of its fields; what is inside of a field stands beside the others."""
    rows = [dict(_flat(one)) for one in listed]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return Rows(Held(columns, [tuple(row.get(name) for name in columns) for row in rows]), plain)


def _flat(one: Any) -> Iterator[tuple[str, Any]]:
    for name, value in _fields(one):
        if is_dataclass(value) or hasattr(value, "_asdict"):
            yield from _flat(value)
        elif isinstance(value, _PLAIN):
            yield name, str(value) if isinstance(value, Path) else value
        elif isinstance(value, tuple | list):
            yield name, ", ".join(map(str, value))


def _fields(one: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(one, "_asdict"):  # a named tuple
        yield from one._asdict().items()
    elif is_dataclass(one):
        yield from ((field.name, getattr(one, field.name)) for field in fields(one))
