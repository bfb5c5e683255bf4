"""Turn what a person typed into the one address of a seed, or say why it cannot be one. Pure.

in: text; out: a Seed whose `url` is the same for all spellings of one page; never: a request. Besides pages of the site
that is a URN, an address of the API, an embedded player, a search, or `me`.

The case of the path is kept: slugs are lower case on the site, but nothing seen says that the resolver ignores case,
and the codes of short links do depend on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NoReturn
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from harvest.api.searches import SCHEME, read_search, search_of_page
from harvest.api.urns import identify
from harvest.errors import SeedError
from harvest.lists import OUR_KINDS
from harvest.models import OURSELVES
from harvest.things import SHOWN, THINGS, of_urn

PAGE_HOSTS = frozenset({"soundcloud.com", "www.soundcloud.com", "m.soundcloud.com"})
SHORT_HOST = "on.soundcloud.com"
PLAYER_HOST = "w.soundcloud.com"
API_HOSTS = frozenset({"api.soundcloud.com", "api-v2.soundcloud.com"})

_SLUG = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_SHORTHAND = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)+/?([?#].*)?", re.ASCII)
_STATION = re.compile(r"[a-z-]+(::?[A-Za-z0-9_-]+)+", re.ASCII)  # track-stations:123
_SECRET = re.compile(r"s-[A-Za-z0-9]+", re.ASCII)
_LONGEST = 2000
_EXAMPLE = "https://soundcloud.com/artist/track"

# First segments of soundcloud.com that are pages of the site and no account.
# fmt: off
_SITE_PAGES = frozenset({
    "activate", "charts", "checkout", "community-guidelines", "connect", "creators", "discover", "download",
    "explore", "feed", "for", "for-artists", "getstarted", "go", "help", "home", "imprint", "jobs", "library",
    "login", "logout", "messages", "mobile", "notifications", "oembed", "pages", "people", "player", "popular",
    "premium", "press", "pro", "search", "settings", "signin", "signup", "stations", "stream", "subscriptions",
    "tags", "terms-of-use", "tracks", "trending", "upload", "you",
})
# fmt: on
# Second segments that are a list of the account and no track: the lists that are read of it then; none: no such list.
_ACCOUNT_PAGES: dict[str, tuple[str, ...]] = {
    "albums": ("playlists",),
    "comments": (),
    "followers": ("followers",),
    "following": ("followings",),
    "likes": ("likes",),
    "playlists": ("playlists",),
    "popular-tracks": (),
    "reposts": ("reposts",),
    "sets": ("playlists",),
    "spotlight": (),
    "stations": ("liked-stations",),
    "toptracks": (),
    "tracks": ("uploads",),
}
_OF_OURSELVES = ("uploads", "likes", "reposts", "playlists", "followings", "recently-played")
_OF_LIBRARY = {**_ACCOUNT_PAGES, "history": ("recently-played",)}


@dataclass(frozen=True, slots=True)
class Seed:
    """Where a harvest starts. `kind` is unknown for short links, which only the service can resolve. `reads` are the
    lists that are read of a person instead of the usual ones, where the address names some.
    """

    url: str
    kind: str
    secret: str | None = field(default=None, repr=False)
    reads: tuple[str, ...] = ()


def normalise_seed(text: str) -> Seed:
    """Give the one spelling of this address; raise SeedError with what to do when it cannot be a seed."""
    shown = _shown(text)
    plain = text.strip()
    if plain == OURSELVES:
        return Seed(OURSELVES, "user", reads=_OF_OURSELVES)
    if plain.startswith("soundcloud:"):
        return _of_urn(plain, shown)
    if plain.startswith(SCHEME):
        searched = read_search(plain)
        return Seed(searched.address, searched.thing)
    address = _split(plain, shown)
    host = address.hostname or ""
    segments = [unquote(segment) for segment in address.path.split("/") if segment]
    if host == SHORT_HOST:
        return _short_link(segments, shown)
    if host == PLAYER_HOST and (embedded := dict(parse_qsl(address.query)).get("url")):
        return normalise_seed(embedded)
    if host in API_HOSTS:
        return _of_api(segments, address.query, shown)
    if host not in PAGE_HOSTS:
        _refuse(shown, "is not on soundcloud.com; give the page of a track, a person or a playlist, " + _EXAMPLE)
    if segments[:1] == ["search"] and (found := search_of_page(segments, dict(parse_qsl(address.query)))):
        return Seed(found.address, found.thing)
    if not all(_SLUG.fullmatch(segment) or _STATION.fullmatch(segment) for segment in segments):
        _refuse(shown, "has characters that no address there has; copy the address of the page")
    secret = dict(parse_qsl(address.query)).get("secret_token")
    if secret and len(segments) >= 2 and segments[-1] != secret:
        segments.append(secret)
    return _page(segments, shown)


def _of_urn(text: str, shown: str) -> Seed:
    """Read soundcloud:tracks:5."""
    if text.startswith(THINGS["station"].urn) and isinstance(identify("station", urn=text), int):
        return Seed(text, "station")
    named = of_urn(unquote(text))
    if named is None:
        _refuse(shown, "is no URN of " + _or(f"{thing.title} ({thing.urn}N)" for thing in SHOWN))
    return Seed(f"{named[0].urn}{named[1]}", named[0].name)


def _of_api(segments: list[str], query: str, shown: str) -> Seed:
    """Read /tracks/5, /users/soundcloud:users:5/likes/tracks: a thing, and of a person one of its lists."""
    if dict(parse_qsl(query)).get("secret_token"):
        _refuse(shown, "is private; give its private link, https://soundcloud.com/artist/track/s-...")
    if segments[:1] == [OURSELVES]:
        listed = "/".join(segments[1:])
        own = _list_at(f"/users/{{urn}}/{listed}") or _list_at(f"/{OURSELVES}/{listed}") or _OF_OURSELVES
        return Seed(OURSELVES, "user", reads=own)
    if segments[:1] == [THINGS["station"].collection] and len(segments) == 2:
        return _of_urn(segments[1], shown)
    thing = next((thing for thing in SHOWN if segments[:1] == [thing.table]), None)
    key = segments[1] if len(segments) > 1 else ""
    named = of_urn(key if ":" in key else f"{thing.urn}{key}") if thing else None
    if thing is None or named is None or named[0] is not thing:
        _refuse(shown, "is no address of the API for " + _or(thing.title for thing in SHOWN))
    reads = _list_at(f"/{thing.table}/{{urn}}/{'/'.join(segments[2:])}") if thing.name == "user" else ()
    return Seed(f"{thing.urn}{named[1]}", thing.name, reads=reads)


def _list_at(path: str) -> tuple[str, ...]:
    return tuple(kind.option for kind in OUR_KINDS.values() if kind.path == path and kind.option)


def _or(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}"


def public_address(address: str) -> str:
    """Give a seed's address without the secret of a private link."""
    head, slash, last = address.rpartition("/")
    return (
        f"{head}/s-…"
        if slash and last.startswith("s-") and head.count("/") >= 4 and not head.endswith("/sets")
        else address
    )


def _shown(text: str) -> str:
    """Quote what was typed in one bounded line."""
    line = "".join(character if character.isprintable() else "?" for character in text.strip())
    return f"'{line[:120]}…'" if len(line) > 120 else f"'{line}'"


def _refuse(shown: str, why: str) -> NoReturn:
    raise SeedError(f"{shown} {why}.")


def _split(text: str, shown: str) -> SplitResult:
    if not text:
        raise SeedError(f"The address is empty; give the page of a track, a person or a playlist, {_EXAMPLE}.")
    if len(text) > _LONGEST:
        _refuse(
            shown,
            f"is too long for an address; give the page of a track, a person or a playlist, {_EXAMPLE}",
        )
    if any(character.isspace() for character in text):
        _refuse(shown, "has blanks in it; quote the address and give one at a time")
    if not text.isprintable():
        _refuse(shown, "has characters in it that cannot be seen; copy the address of the page")
    try:
        address = urlsplit(_with_scheme(text))
        port = address.port
    except ValueError:
        _refuse(
            shown,
            f"is not an address; give the page of a track, a person or a playlist, {_EXAMPLE}",
        )
    if address.scheme not in ("http", "https"):
        _refuse(
            shown,
            f"is not a web address; give the page of a track, a person or a playlist, {_EXAMPLE}",
        )
    if address.username is not None or address.password is not None or port is not None:
        _refuse(shown, "carries a login or a port; give the plain address, https://soundcloud.com/artist/track")
    return address


def _with_scheme(text: str) -> str:
    if _SHORTHAND.fullmatch(text):
        return f"https://soundcloud.com/{text}"
    if text.startswith("//"):
        return f"https:{text}"
    if "://" not in text and re.match(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+([/?#:]|$)", text, re.ASCII):
        return f"https://{text}"
    return text


def _short_link(segments: list[str], shown: str) -> Seed:
    if len(segments) != 1 or not _SLUG.fullmatch(segments[0]):
        _refuse(shown, "is not a whole short link; they look like https://on.soundcloud.com/AbCdE")
    return Seed(f"https://{SHORT_HOST}/{segments[0]}", "unknown")


def _page(segments: list[str], shown: str) -> Seed:
    if not segments:
        _refuse(
            shown,
            f"names nothing; give the page of a track, a person or a playlist, {_EXAMPLE}",
        )
    owner = segments[0].lower()
    if owner == "you" and segments[1:] and (reads := _OF_LIBRARY.get(segments[1].lower())):
        return Seed(OURSELVES, "user", reads=reads)
    if [owner, *segments[1:2]] == ["discover", "sets"] and len(segments) == 3:
        return Seed(f"https://soundcloud.com/discover/sets/{segments[2]}", "station")
    if owner in _SITE_PAGES:
        _refuse(
            shown,
            f"is a page of the site and no seed; give the page of a track, a person or a playlist, {_EXAMPLE}",
        )
    profile = f"https://soundcloud.com/{segments[0]}"
    if len(segments) == 1:
        return Seed(profile, "user")
    if segments[1].lower() == "sets" and len(segments) > 2:
        return _playlist_page(segments, shown)
    if segments[1].lower() in _ACCOUNT_PAGES:
        reads = _ACCOUNT_PAGES[segments[1].lower()]
        if not reads or len(segments) > 2:
            _refuse(
                shown, "is a list that the API does not show; give the profile itself, https://soundcloud.com/artist"
            )
        return Seed(profile, "user", reads=reads)
    return _with_secret(f"{profile}/{segments[1]}", segments[2:], "track", shown)


def _playlist_page(segments: list[str], shown: str) -> Seed:
    return _with_secret(f"https://soundcloud.com/{segments[0]}/sets/{segments[2]}", segments[3:], "playlist", shown)


def _with_secret(page: str, rest: list[str], kind: Literal["track", "playlist"], shown: str) -> Seed:
    if not rest:
        return Seed(page, kind)
    if len(rest) == 1 and _SECRET.fullmatch(rest[0]):
        return Seed(f"{page}/{rest[0]}", kind, rest[0])
    _refuse(shown, f"is a page below a {kind}; give {page}")
