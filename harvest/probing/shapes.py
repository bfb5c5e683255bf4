"""Take the values out of a reply: what is left are paths, the types that stood there, and how often. Pure.

In: a decoded reply. Out: `{"collection[].title": {"string": 198, "null": 2}}`. Never: a value of a person or thing.

Rule 1. A key that is known, to us or to the official description, is kept as it is.
Rule 2. Another one is kept where it looks like the name of a field, and is neither a text of this reply nor a word of
a person's name in it: a map from people to something has people for keys.
Rule 3. A key that is not kept becomes `*`, and so do the new ones of an object that has more of them than any object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from harvest.probing.expected import SEEN
from harvest.probing.facts import official
from harvest.probing.parsers import KINDS, read_fields

Fields = dict[str, dict[str, int]]

WITHHELD = "*"
_DEEPEST = 12
_MOST_NEW = 30  # unknown keys of one object
_LONGEST_TEXT = 200  # of those that are taken apart into words
_FIELD = re.compile(r"[a-z][a-z0-9_]{1,39}|[a-z][A-Za-z]{1,39}", re.ASCII)
_NUMBER = re.compile(r"\d{4}")
_CALLED = frozenset({"username", "permalink", "full_name", "first_name", "last_name", "city", "country"})


def shape_of(value: object) -> Fields:
    """Count the types that stand at each path; '' is the whole, `[]` the entries of an array."""
    texts = frozenset(_texts(value))
    fields: Fields = {}
    _count(value, "", fields, texts, 0)
    return fields


def type_of(value: object) -> str:
    """Name the JSON type of a decoded value; `integer` is told from `number`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return {int: "integer", float: "number", str: "string", list: "array"}.get(type(value), "object")


def kept_key(key: str, texts: frozenset[str]) -> str:
    """Give a key as it may be told."""
    if key in known_names():
        return key
    plain = _FIELD.fullmatch(key) is not None and _NUMBER.search(key) is None
    return key if plain and key.casefold() not in texts else WITHHELD


@cache
def known_names() -> frozenset[str]:
    """List the names of all fields that we read, that are officially described, or that were seen besides."""
    ours = (path for kind in KINDS for path in read_fields(kind))
    theirs = (path for fields in official().schemas.values() for path in fields)
    parts = {part.removesuffix("[]") for path in (*ours, *theirs) for part in path.split(".")}
    return frozenset(parts - {""}).union(*SEEN.values())


def _count(value: object, path: str, fields: Fields, texts: frozenset[str], depth: int) -> None:
    types = fields.setdefault(path, {})
    name = type_of(value)
    types[name] = types.get(name, 0) + 1
    if depth >= _DEEPEST:
        return
    if isinstance(value, list):
        for entry in value:
            _count(entry, f"{path}[]", fields, texts, depth + 1)
    elif isinstance(value, dict):
        crowded = len(value.keys() - known_names()) > _MOST_NEW
        for key, part in value.items():
            told = WITHHELD if crowded and key not in known_names() else kept_key(key, texts)
            _count(part, f"{path}.{told}" if path else told, fields, texts, depth + 1)


def _texts(value: Any) -> Iterator[str]:
    """Give every text of a reply, and each word of what people are called there; upper and lower case are one."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part.casefold()
        elif isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, dict):
            waiting.extend(part.values())
            for name in _CALLED & part.keys():
                if isinstance(part[name], str):
                    yield from re.findall(r"\w+", part[name][:_LONGEST_TEXT].casefold())
