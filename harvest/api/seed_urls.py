"""Turn what a person typed into the one address of a seed, or say why it cannot be one. Pure.

in: text; out: a Seed whose `url` is the same for all spellings of one page; never: a request.

The case of the path is kept: slugs are lower case on the site, but nothing seen says that the resolver ignores case,
and the codes of short links do depend on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

from harvest.errors import SeedError

PAGE_HOSTS = frozenset({"soundcloud.com", "www.soundcloud.com", "m.soundcloud.com"})
SHORT_HOST = "on.soundcloud.com"

_SLUG = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_SHORTHAND = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)+/?([?#].*)?", re.ASCII)
_SECRET = re.compile(r"s-[A-Za-z0-9]+", re.ASCII)
_LONGEST = 2000

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
# Second segments that are a list of the account and no track.
# fmt: off
_ACCOUNT_PAGES = frozenset({
    "albums", "comments", "followers", "following", "likes", "playlists", "popular-tracks", "reposts", "spotlight",
    "stations", "toptracks", "tracks",
})
# fmt: on


@dataclass(frozen=True, slots=True)
class Seed:
    """Where a harvest starts. `kind` is unknown for short links, which only the service can resolve."""

    url: str
    kind: Literal["track", "user", "playlist", "unknown"]
    secret: str | None = field(default=None, repr=False)


def normalise_seed(text: str) -> Seed:
    """Give the one spelling of this address; raise SeedError with what to do when it cannot be a seed."""
    shown = _shown(text)
    address = _split(text.strip(), shown)
    host = address.hostname or ""
    segments = [unquote(segment) for segment in address.path.split("/") if segment]
    if host == SHORT_HOST:
        return _short_link(segments, shown)
    if host not in PAGE_HOSTS:
        _refuse_host(host, shown)
    if not all(_SLUG.fullmatch(segment) for segment in segments):
        _refuse(shown, "has characters that no address there has; copy the address of the page")
    return _page(segments, shown)


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


def _refuse_host(host: str, shown: str) -> NoReturn:
    if host.startswith("api") and host.endswith("soundcloud.com"):
        _refuse(shown, "is an address of the API; give the page of a track, a person or a playlist")
    _refuse(
        shown,
        "is not on soundcloud.com; give the page of a track, a person or a playlist, https://soundcloud.com/artist/track",
    )


def _split(text: str, shown: str) -> SplitResult:
    if not text:
        raise SeedError(
            "The address is empty; give the page of a track, a person or a playlist, https://soundcloud.com/artist/track."
        )
    if len(text) > _LONGEST:
        _refuse(
            shown,
            "is too long for an address; give the page of a track, a person or a playlist, https://soundcloud.com/artist/track",
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
            "is not an address; give the page of a track, a person or a playlist, https://soundcloud.com/artist/track",
        )
    if address.scheme not in ("http", "https"):
        _refuse(
            shown,
            "is not a web address; give the page of a track, a person or a playlist, https://soundcloud.com/artist/track",
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
            "names nothing; give the page of a track, a person or a playlist, https://soundcloud.com/artist/track",
        )
    if segments[0].lower() in _SITE_PAGES:
        _refuse(
            shown,
            "is a page of the site and no seed; give the page of a track, a person or a playlist, https://soundcloud.com/artist/track",
        )
    if len(segments) == 1:
        return Seed(f"https://soundcloud.com/{segments[0]}", "user")
    if segments[1].lower() == "sets":
        return _playlist_page(segments, shown)
    if segments[1].lower() in _ACCOUNT_PAGES:
        _refuse(shown, "is a list on a profile; give the profile itself, https://soundcloud.com/artist")
    return _with_secret(f"https://soundcloud.com/{segments[0]}/{segments[1]}", segments[2:], "track", shown)


def _playlist_page(segments: list[str], shown: str) -> Seed:
    if len(segments) == 2:
        _refuse(shown, "is a list on a profile; give a playlist's page, https://soundcloud.com/artist/sets/playlist")
    return _with_secret(f"https://soundcloud.com/{segments[0]}/sets/{segments[2]}", segments[3:], "playlist", shown)


def _with_secret(page: str, rest: list[str], kind: Literal["track", "playlist"], shown: str) -> Seed:
    if not rest:
        return Seed(page, kind)
    if len(rest) == 1 and _SECRET.fullmatch(rest[0]):
        return Seed(f"{page}/{rest[0]}", kind, rest[0])
    _refuse(shown, f"is a page below a {kind}; give {page}")
