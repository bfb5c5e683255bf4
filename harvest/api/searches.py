"""What is searched for: one spelling of each search, its id, and what the service is asked. Pure.

A search is known by its address, `search:tracks?bpm=120:128&q=velvet+drift`: what is searched, then the filters by
name, each in one spelling, so that the same search is one seed. Ranges are FROM:TO, both counted in, either left out.

What the service offers: OpenAPI description of 2026-07-19, `GET /tracks`, `/users`, `/playlists`. It shows a thousand
results at most (soundcloud/api issue 505).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode

from harvest.api.urns import id_of_text
from harvest.errors import SeedError
from harvest.system.lengths import parse_length

SCHEME = "search:"
SEARCHED = ("tracks", "users", "playlists")
MOST = 1000  # results that the service shows
_PAGES = {"sounds": "tracks", "people": "users", "sets": "playlists"}  # of the site, and what they list
_SAFE = ":,"
_LONGEST = 500  # characters of one filter
_WHOLE = re.compile(r"[0-9]{1,6}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

Parameters = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Search:
    """One search: what is searched (`tracks`, `users`, `playlists`), and its filters by name, each in its one spelling.

    Filters are `q` (words), `genres`, `tags`, `bpm`, `duration`, `created`; only tracks have others than `q`.
    """

    what: str
    filters: tuple[tuple[str, str], ...]

    @property
    def address(self) -> str:
        """The one spelling of this search."""
        return f"{SCHEME}{self.what}?{urlencode(self.filters, safe=_SAFE)}"

    @property
    def thing(self) -> str:
        """The kind of thing a harvest visits when it starts here."""
        return f"search_for_{self.what}"

    @property
    def id(self) -> int:
        """Its id, made of the address, the same in every file."""
        return id_of_text(self.address)

    @property
    def words(self) -> str | None:
        """The words that are searched for, None where filters stand alone."""
        return dict(self.filters).get("q")

    @property
    def page(self) -> str | None:
        """The page of the site that searches for the same words."""
        page = next(page for page, what in _PAGES.items() if what == self.what)
        return f"https://soundcloud.com/search/{page}?q={quote_plus(self.words)}" if self.words else None

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """What the service is asked, as parameters of its path."""
        return tuple(one for name, text in self.filters for one in _FILTERS[name].asks(text))


def search(what: str, wanted: Mapping[str, str]) -> Search:
    """Bring a search, filters by name as they were typed, into its one spelling.

    Raises SeedError for what cannot be searched for.
    """
    if what not in SEARCHED:
        raise SeedError(f"{_shown(what)} cannot be searched, only {', '.join(SEARCHED)}.")
    filters = [(name, _spelt(what, name, text)) for name, text in sorted(wanted.items()) if text.strip()]
    if not any(text for _, text in filters):
        raise SeedError("A search needs words" + (", or a filter." if what == "tracks" else "."))
    return Search(what, tuple((name, text) for name, text in filters if text))


@lru_cache(maxsize=64)
def read_search(address: str) -> Search:
    """Read `search:tracks?q=velvet+drift`. Raises SeedError."""
    what, _, query = address.removeprefix(SCHEME).partition("?")
    given = parse_qsl(query, keep_blank_values=True)
    if not address.startswith(SCHEME) or not query or len(dict(given)) < len(given):
        raise SeedError(f"{_shown(address)} is no search; write it like search:tracks?q=velvet+drift&bpm=120:128.")
    return search(what, dict(given))


def search_of_page(segments: list[str], query: Mapping[str, str]) -> Search | None:
    """Read what a search page of the site (`search/sounds?q=...`) looks for, None where it says no more than words."""
    what = _PAGES.get("".join(segments[1:]) or "sounds")
    if what is None or set(query) - {"q"} or not query.get("q", "").strip():
        return None
    return search(what, query)


@dataclass(frozen=True, slots=True)
class _Filter:
    """`spell` gives the one spelling and raises ValueError with what to write; `asks` gives the parameters."""

    spell: Callable[[str], str]
    asks: Callable[[str], Parameters]


def _spelt(what: str, name: str, text: str) -> str:
    if name not in _FILTERS:
        raise SeedError(f"There is no filter {_shown(name)}; there are {', '.join(_FILTERS)}.")
    if what != "tracks" and name != "q":
        raise SeedError(f"{name.capitalize()} narrows a search for tracks; {what} are found by their words alone.")
    try:
        if len(text) > _LONGEST:
            raise ValueError(f"has more than {_LONGEST} characters")
        if not text.isprintable():
            raise ValueError("has characters that cannot be seen")
        return _FILTERS[name].spell(text)
    except ValueError as error:
        raise SeedError(f"{name.capitalize()} {_shown(text)} {error}.") from error


def _shown(text: str) -> str:
    line = "".join(character if character.isprintable() else "?" for character in text)
    return f"'{line[:80]}…'" if len(line) > 80 else f"'{line}'"


def _words(text: str) -> str:
    return " ".join(text.split())


def _names(text: str) -> str:
    return ",".join(dict.fromkeys(filter(None, (_words(name) for name in text.split(",")))))


def _range(spell: Callable[[str], str], order: Callable[[str], Any], example: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        low, mark, high = text.partition(":")
        try:
            ends = [spell(end.strip()) if end.strip() else "" for end in (low, high if mark else low)]
        except ValueError:
            ends = ["", ""]
        if not any(ends):
            raise ValueError(f"is no range; write it like {example}")
        if all(ends) and order(ends[0]) > order(ends[1]):
            raise ValueError("ends before it begins")
        return ":".join(ends)

    return read


def _bounds(parameter: str, low: Callable[[str], str], high: Callable[[str], str]) -> Callable[[str], Parameters]:
    def ask(text: str) -> Parameters:
        for end, write, part in zip(("from", "to"), (low, high), text.split(":"), strict=True):
            if part:
                yield f"{parameter}[{end}]", write(part)

    return ask


def _number(text: str) -> str:
    if not _WHOLE.fullmatch(text):
        raise ValueError
    return str(int(text))


def _length(text: str) -> str:
    return f"{parse_length(text)}s"


def _day(text: str) -> str:
    if not _DAY.fullmatch(text):
        raise ValueError
    return date.fromisoformat(text).isoformat()


def _milliseconds(text: str) -> str:
    return str(1000 * parse_length(text))


_FILTERS = {
    "q": _Filter(_words, lambda text: [("q", text)]),
    "genres": _Filter(_names, lambda text: [("genres", text)]),
    "tags": _Filter(_names, lambda text: [("tags", text)]),
    "bpm": _Filter(_range(_number, int, "120:128, 120: or :128"), _bounds("bpm", str, str)),
    "duration": _Filter(
        _range(_length, parse_length, "3m:10m, 90s: or :10m"), _bounds("duration", _milliseconds, _milliseconds)
    ),
    "created": _Filter(
        _range(_day, str, "2026-11-01:2026-11-30, 2026-11-01: or :2026-11-30"),
        _bounds("created_at", lambda day: f"{day} 00:00:00", lambda day: f"{day} 23:59:59"),
    ),
}
