"""Find the artists that a title names beside its uploader. Pure.

Rules, made to miss a name rather than to invent one:

1. `featuring`: what stands behind 'feat.', 'ft.', 'featuring' or, in brackets, 'with', up to a bracket or dash.
2. `remix`: the name before 'remix', 'edit', 'bootleg', 'flip', 'rework' or 'refix', in brackets or behind a dash.
3. `together`: names joined by 'x', 'vs', '&', 'and' or a comma before the first ' - '. Without a dash, 'A x B' and
   'A vs B' count only if one of them is the uploader, since plain titles have such words too.
   A person who merely uploads 'A x B - title' is not related by it.
4. 'A, B & C' in the places of rules 1 and 2 are several names, but first of all one: who is called 'Simon & Garfunkel'
   is not split.

Titles are strangers' input, so only the beginning is matched: the patterns below take the cube of its length.

Names are only candidates: they count if exactly one uploader of the file has that name (`fold`), and no common word is
a name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import combinations

_BEHIND_FEAT = re.compile(r"(?:\b(?:feat|ft|featuring)\b\.?|[(\[]\s*with\b)\s*:?\s*([^()\[\]]+)", re.IGNORECASE)
_REMIXED = re.compile(
    r"(?:[(\[]|\s[-–—]\s)\s*([^()\[\]]+?)(?:['’]s)?\s+(?:(?:official|vip|dub|club|extended|radio)\s+)*"
    r"(?:remix|edit|bootleg|flip|rework|refix)\b",
    re.IGNORECASE,
)
_DASH = re.compile(r"\s[-–—]\s")
_BRACKETED = re.compile(r"[(\[][^()\[\]]*[)\]]")
_FEAT = re.compile(r"\b(?:feat|ft|featuring)\b", re.IGNORECASE)
_JOINED = re.compile(r"\s+(?:x|×|vs\.?|versus|&|\+|and|b2b)\s+|\s*,\s+", re.IGNORECASE)
_JOINED_SURELY = re.compile(r"\s+(?:x|×|vs\.?|versus|b2b)\s+", re.IGNORECASE)

# Rough filter for SQL's LIKE: a title without any of these names no artist.
HINTS = (
    "%feat%", "%ft%", "%with %", "%remix%", "%edit%", "%bootleg%", "%flip%", "%rework%", "%refix%",
    "% x %", "%×%", "% vs%", "% & %", "% + %", "% and %", "%, %", "% versus %", "% b2b %",
)  # fmt: skip

# Folded words that stand where names stand, and are none.
_COMMON_WORDS = """
    original extended radio club dub vip official instrumental acoustic live free download unknown unknownartist
    various variousartists artist artists music records official audio video mix edit remix remixes bootleg flip
    version master final demo test dj mc the and with feat intro outro house techno trance trap garage jungle
    hardstyle dubstep drumandbass dnb hiphop rap lofi ambient love night day sunset summer winter future deep bass
    private own self my your our his her tbd tba wip new old
"""
_NO_NAMES = frozenset(_COMMON_WORDS.split())
_SHORTEST = 3
_LONGEST = (
    300  # characters of a title that are looked at, blanks in a row being one: what takes too long on more is hostile
)


def fold(name: str) -> str:
    """Bring spellings of a name together: letters and digits alone, without case and accents."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def is_name(folded: str) -> bool:
    """Say whether a folded text may stand for an artist."""
    return len(folded) >= _SHORTEST and folded not in _NO_NAMES and not folded.isdigit()


def named(title: str, uploader: int, artists: Mapping[str, int]) -> set[tuple[str, int, int]]:
    """Give what a title says as (method, artist, artist), each pair once per method, the lower id first.

    `artists` leads from folded names to ids; names that several uploaders have are not in it.
    """
    title = " ".join(title[: 2 * _LONGEST].split())[:_LONGEST]
    found: set[tuple[str, int, int]] = set()

    def note(method: str, one: int, other: int) -> None:
        if one != other:
            found.add((method, min(one, other), max(one, other)))

    leads = _leads(title, uploader, artists)
    for lead, other in combinations(leads, 2):
        note("together", lead, other)
    for method, pattern in (("featuring", _BEHIND_FEAT), ("remix", _REMIXED)):
        for match in pattern.finditer(title):
            for artist in _known(_before_dash(match[1]) if method == "featuring" else match[1], artists):
                for lead in leads or {uploader}:
                    note(method, lead, artist)
    return found


def _leads(title: str, uploader: int, artists: Mapping[str, int]) -> set[int]:
    """Give the artists named in front of the dash, or around a joining word where the uploader is one of them."""
    pieces = _DASH.split(_BRACKETED.sub(" ", title), maxsplit=1)
    front = _FEAT.split(pieces[0], maxsplit=1)[0]
    if len(pieces) == 2:
        return set(_known(front, artists))
    parts = [part for part in _JOINED_SURELY.split(front) if part.strip()]
    both = {artist for part in parts for artist in _known(part, artists)} if len(parts) > 1 else set()
    return both if uploader in both else set()


def _before_dash(text: str) -> str:
    return _DASH.split(text, maxsplit=1)[0]


def _known(text: str, artists: Mapping[str, int]) -> Iterator[int]:
    """Look up a name, or the names it is joined from."""
    whole = fold(text)
    if whole in artists:
        yield artists[whole]
        return
    for part in _JOINED.split(text):
        folded = fold(part)
        if folded in artists:
            yield artists[folded]
