"""Read who a thing of the API is: its number, from urn, kind and id, or uri. Pure.

Rule 1. `urn` speaks first, then `kind` with `id`, then the last segment of `uri` (soundcloud/api issues 398, 415).
Rule 2. A thing of another kind than expected is alien: it does not belong in this list.
Rule 3. A name that ends in no number, or in one that SQLite cannot hold, is unsupported, never a wrong row.
Rule 4. Stations alone are named in words (`track-stations:5`, `artist-stations:5`); their id is made of the whole URN.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from typing import Literal
from urllib.parse import unquote

LARGEST_ID = 2**63 - 1

Verdict = Literal["alien", "unreadable"]

_URN = re.compile(r"soundcloud:([a-z-]+):(\S+)", re.ASCII)
_STATION = re.compile(r"soundcloud:system-playlists:[!-.0-~]{1,300}")
_COLLECTIONS = {"station": "system-playlists"}  # the others are called after their things


class Unsupported(str):
    """A URN of the right kind that harvest cannot hold as a number."""

    __slots__ = ()


def identify(
    expected: str, *, urn: str | None = None, kind: str | None = None, number: int | None = None, uri: str | None = None
) -> int | Unsupported | Verdict:
    """Give the id of a `track`, `user`, `playlist`, `station` or `comment`, or say why there is none."""
    if expected == "station" and (station := station_urn(urn, uri)):
        return id_of_text(station)
    if kind and kind != expected and expected != "station":  # what a station says it is has not been seen yet
        return "alien"
    named = _URN.fullmatch(unquote(urn)) if urn else None
    if named:
        return _number(named[2], expected) if named[1] == _collection(expected) else "alien"
    if number is not None and (kind or not uri):
        return _number(str(number), expected)
    return _from_uri(expected, uri) if uri else "unreadable"


def _from_uri(expected: str, uri: str) -> int | Unsupported | Verdict:
    *_, collection, last = ["", "", *unquote(uri).partition("?")[0].rstrip("/").split("/")]
    named = _URN.fullmatch(last)
    if named:
        return _number(named[2], expected) if named[1] == _collection(expected) else "alien"
    if collection != _collection(expected):
        return "alien" if collection.replace("-", "").isalpha() else "unreadable"
    return _number(last, expected)


@lru_cache(maxsize=4096)
def id_of_text(text: str) -> int:
    """Make an id of what has no number: the first 52 bits of the BLAKE2b of a text, which any program holds exactly."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 12


def station_urn(*names: str | None) -> str | None:
    """Give the URN that the first of these ends in, each a URN or an address of the API; None when none does."""
    for name in names:
        last = unquote(name or "").partition("?")[0].rstrip("/").rpartition("/")[2]
        if _STATION.fullmatch(last):
            return last
    return None


def _collection(kind: str) -> str:
    return _COLLECTIONS.get(kind, f"{kind}s")


def _number(text: str, kind: str) -> int | Unsupported:
    if kind != "station" and text.isascii() and text.isdigit() and len(text) <= 19 and 0 < int(text) <= LARGEST_ID:
        return int(text)
    return Unsupported(f"soundcloud:{_collection(kind)}:{text[:200]}")
