"""What our parsers read of each kind of thing, taken from the shapes they decode with. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from msgspec import inspect

from harvest.api import schemas

Types = frozenset[str]

# Kind of thing → the widest shape it is read with, and the schema of the official description that tells of it, with
# the path inside it. A station is described nowhere; what is known of it is like a playlist.
KINDS: dict[str, tuple[Any, str, str]] = {
    "track": (schemas.WireTrack[schemas.WireProfile], "Track", ""),
    "user": (schemas.WireProfile, "User", ""),
    "playlist": (schemas.WirePlaylist[schemas.WireProfile], "Playlist", ""),
    "station": (schemas.WireStationTracks[schemas.WireProfile], "Playlist", ""),
    "comment": (schemas.WireComment[schemas.WireProfile], "Comment", ""),
    "link": (schemas.WireLink, "WebProfiles", "[]"),
    "me": (schemas.WireProfile, "Me", ""),
}


@cache
def read_fields(kind: str) -> Mapping[str, Types]:
    """Give the types each field of a kind of thing is read with, by its path; `object` stands for another thing."""
    shape, _, _ = KINDS[kind]
    found: dict[str, set[str]] = {}
    described = inspect.type_info(shape)
    assert isinstance(described, inspect.StructType)
    for field in described.fields:
        for path, word in _words(field.encode_name, field.type):
            found.setdefault(path, set()).add(word)
    return {path: frozenset(words) for path, words in found.items()}


def _words(path: str, of: inspect.Type) -> Iterator[tuple[str, str]]:
    """Give each type a field may have, and those of what stands in its array."""
    if isinstance(of, inspect.UnionType):
        for one in of.types:
            yield from _words(path, one)
    elif isinstance(of, inspect.ListType):
        yield path, "array"
        yield from _words(f"{path}[]", of.item_type)
    else:
        yield path, _WORDS[type(of)]


_WORDS: dict[type[inspect.Type], str] = {
    inspect.StrType: "string",
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
    inspect.NoneType: "null",
    inspect.StructType: "object",
}


def takes(types: Types, word: str) -> bool:
    """Say whether a field that is read with these types takes another one: null always, an integer as a number."""
    return word == "null" or word in types or (word == "integer" and "number" in types)
