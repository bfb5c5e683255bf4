"""Cut from a reply what was forgotten, wherever it stands in it. Pure.

Rule 1. An object goes that is something forgotten, was made by it, or leads to it: a track with its uploader, a comment
        with its author and with its track.
Rule 2. In a list null stands in its place, so that places stay; the list itself stays.
Rule 3. What does not say what kind of thing its number is of goes where the number is that of anything forgotten.

In: a body, and who says whether a thing was forgotten. Out: the body. Never: a name looked for; objects are known by
number and URN.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any
from urllib.parse import unquote

from harvest.api import urns
from harvest.replies.cutting import put_together, taken_apart
from harvest.store.suppression import Named, around
from harvest.things import SHOWN

IsGone = Callable[[Named], bool]
_KINDS = tuple(thing.name for thing in SHOWN)
_URN = re.compile(r"soundcloud:([a-z-]+):([0-9]{1,18})", re.ASCII)
_ADDRESS = re.compile(r"/(users|tracks|playlists|stations)/([0-9]{1,18})(?=[/?#]|$)", re.ASCII)
_STATION = re.compile(r"soundcloud:system-playlists:[^\s\"/?#&,]+", re.ASCII)
_NUMBERS = re.compile(rb"[0-9]{1,18}")
_GONE = object()


def numbers_in(body: bytes) -> set[int] | None:
    """Give every number that stands in a body, None where something may be named in another way."""
    if b"\\u00" in body or b"\0" in body or b"system-playlists" in body:
        return None
    return {int(digits) for digits in _NUMBERS.findall(body)}


def without_gone(body: bytes, is_gone: IsGone) -> bytes | None:
    """Give what stays of a body: itself where nothing in it was forgotten, None where nothing is left."""
    try:
        value = taken_apart(body)
    except ValueError:
        return None if body else body  # nothing of ours has such a body
    cut = _Cut(is_gone)
    kept = cut.value(value, "")
    if kept is _GONE:
        return None
    return put_together(kept) if cut.found else body


def named_in(text: str) -> Iterator[Named]:
    """Give the things that a text names by URN, or by the path of the API."""
    text = unquote(text)
    for kind, number in _URN.findall(text):
        yield kind.removesuffix("s"), int(number)
    for kind, number in _ADDRESS.findall(text):
        yield kind.removesuffix("s"), int(number)
    for urn in _STATION.findall(text):
        if (centre := around(urn)) is not None:
            yield centre
        if isinstance(number_of := urns.identify("station", urn=urn), int):
            yield "station", number_of


def addresses_in(body: bytes) -> Iterator[str]:
    """Give what stands in the fields of a body that hold addresses and URNs."""
    try:
        waiting = [("", taken_apart(body))]
    except ValueError:
        return
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(key, entry) for entry in value]
        elif isinstance(value, str) and key.endswith(("url", "uri", "urn", "href")):
            yield value


class _Cut:
    """Cuts values, of which `key` is the name they stand under."""

    def __init__(self, is_gone: IsGone) -> None:
        self._is_gone = is_gone
        self.found = False

    def value(self, value: Any, key: str) -> Any:
        """Give what stays of a value, _GONE where nothing does."""
        if isinstance(value, list):
            kept = [self.value(entry, key) for entry in value]
            return [None if entry is _GONE else entry for entry in kept]
        if isinstance(value, dict):
            if any(map(self._is_gone, _named(value, key))):
                self.found = True
                return _GONE
            fields = {name: self.value(part, name) for name, part in value.items()}
            return _GONE if any(part is _GONE for part in fields.values()) else fields
        return None if isinstance(value, float) and not isfinite(value) else value


def _named(fields: dict[str, Any], key: str) -> Iterator[Named]:
    """Give the things that an object is, was made by or leads to, as far as its own fields say."""
    kind = fields.get("kind")
    kinds = [kind] if kind in _KINDS else [key] if key in _KINDS else []
    for name, said in fields.items():
        if isinstance(said, str) and (name == "id" or name.endswith(("urn", "uri"))):
            yield from named_in(said)
        if name == "id" and _is_number(said):
            if not kinds and not isinstance(kind, str):
                kinds = list(_KINDS)
            yield from ((one, int(said)) for one in kinds)
        elif name.endswith("_id") and name[:-3] in _KINDS and _is_number(said):
            yield name[:-3], int(said)


def _is_number(said: object) -> bool:
    return (isinstance(said, int) and not isinstance(said, bool)) or (isinstance(said, str) and said.isdecimal())
