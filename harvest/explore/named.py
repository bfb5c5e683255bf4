"""The queries that have a name: schema/queries/NAME.sql. The comment at the head of each says what it answers, what it
takes, and what a reader must know.

A parameter is a line `:name type = default  meaning`. Types: `integer`, `text`, `words` (a text that takes all words
given), `tracks` (a JSON array of ids, which takes all tracks given), `tag` (in any spelling), `track` and `user` (an
id, or NULL for the default in words), or the values allowed, `people|lift`. A parameter without a default must be
given. The queries apply their defaults themselves to NULL and to empty text, so that they run the same elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from harvest.plugins.registry import Offer, faulty, offers
from harvest.store.schema import schema_folder

_PARAMETER = re.compile(r":(?P<name>\w+) +(?P<type>[\w|]+)(?: = (?P<default>\S+))?  +(?P<meaning>\S.*)")
THINGS = ("track", "user")  # types whose values name something that stands in the file


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. The default is as written; for a track or user it is in words, and NULL stands for it."""

    name: str
    type: str
    default: str | None
    meaning: str

    @property
    def choices(self) -> tuple[str, ...]:
        """The values allowed; none: any."""
        return tuple(self.type.split("|")) if "|" in self.type else ()


@dataclass(frozen=True, slots=True)
class Named:
    """A query with its description. `sql` is the whole file, `body` what follows the comment at its head."""

    name: str
    question: str
    parameters: tuple[Parameter, ...]
    notes: str
    sql: str
    body: str


def named_queries() -> dict[str, Named]:
    """Give all of them by name, in alphabetical order, those of plug-ins among them. Raises PluginError."""
    found = {query.name: query for offer in offers("queries", _ours) for query in _offered(offer)}
    return dict(sorted(found.items()))


def named_query(name: str) -> Named | None:
    """Give one, in either spelling of its name (co-likes, co_likes); None when there is none. Raises PluginError."""
    name = name.replace("_", "-").lower()
    files = _ours().iterdir()  # a name that was typed may be none of a file at all
    file = next((file for file in files if file.name == f"{name}.sql"), None)
    return read_named(name, file.read_text(encoding="utf-8")) if file else named_queries().get(name)


def _ours() -> Traversable:
    return schema_folder().joinpath("queries")


def _offered(offer: Offer) -> Iterator[Named]:
    """Read a folder of queries."""
    there = {file.name.removesuffix(".sql") for file in _ours().iterdir()} if offer.plugin else ()
    for file in sorted((file for file in offer.what.iterdir() if file.name.endswith(".sql")), key=str):
        offer.check_name(file.name.removesuffix(".sql"), there)
        try:
            yield read_named(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise faulty(offer.plugin, error) from error


def read_named(name: str, sql: str) -> Named:
    """Take a file apart. Pure. Raises ValueError where the comment at its head is not as described above."""
    lines = sql.splitlines()
    length = next((place for place, line in enumerate(lines) if not line.startswith("--")), len(lines))
    parts = "\n".join(line[2:].removeprefix(" ") for line in lines[:length]).split("\n\n")
    parameters = [part for part in parts[1:] if part.startswith(":")]
    return Named(
        name,
        " ".join(parts[0].split()),
        tuple(_parameter(name, line) for part in parameters for line in part.splitlines()),
        "\n\n".join(part for part in parts[1:] if not part.startswith(":")),
        sql,
        "\n".join(lines[length:]).strip(),
    )


def _parameter(name: str, line: str) -> Parameter:
    found = _PARAMETER.fullmatch(line)
    if found is None:
        raise ValueError(f"{name}.sql: {line!r} is no parameter")
    return Parameter(found["name"], found["type"], found["default"], found["meaning"])
