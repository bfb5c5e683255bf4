"""Read who a thing of the API is: its number, from urn, kind and id, or uri. Pure.

Rule 1. `urn` speaks first, then `kind` with `id`, then the last segment of `uri` (soundcloud/api issues 398, 415).
Rule 2. A thing of another kind than expected is alien: it does not belong in this list.
Rule 3. A name that ends in no number, or in one that SQLite cannot hold, is unsupported, never a wrong row.
"""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import unquote

LARGEST_ID = 2**63 - 1

Verdict = Literal["alien", "unreadable"]

_URN = re.compile(r"soundcloud:([a-z-]+):(\S+)", re.ASCII)


class Unsupported(str):
    """A URN of the right kind that harvest cannot hold as a number."""

    __slots__ = ()


def identify(
    expected: str, *, urn: str | None = None, kind: str | None = None, number: int | None = None, uri: str | None = None
) -> int | Unsupported | Verdict:
    """Give the number of a `track`, `user`, `playlist` or `comment`, or say why there is none."""
    if kind and kind != expected:
        return "alien"
    named = _URN.fullmatch(unquote(urn)) if urn else None
    if named:
        return _number(named[2], expected) if named[1] == f"{expected}s" else "alien"
    if number is not None and (kind or not uri):
        return _number(str(number), expected)
    return _from_uri(expected, uri) if uri else "unreadable"


def _from_uri(expected: str, uri: str) -> int | Unsupported | Verdict:
    *_, collection, last = ["", "", *unquote(uri).partition("?")[0].rstrip("/").split("/")]
    named = _URN.fullmatch(last)
    if named:
        return _number(named[2], expected) if named[1] == f"{expected}s" else "alien"
    if collection != f"{expected}s":
        return "alien" if collection.isalpha() else "unreadable"
    return _number(last, expected)


def _number(text: str, kind: str) -> int | Unsupported:
    if text.isascii() and text.isdigit() and len(text) <= 19 and 0 < int(text) <= LARGEST_ID:
        return int(text)
    return Unsupported(f"soundcloud:{kind}s:{text[:200]}")
