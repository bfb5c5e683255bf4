"""Where a list goes on: `next_href` in, path and query on our own API host out. Pure.

Rule 1. Host, port and scheme of `next_href` are ignored: it has named an internal host (soundcloud/api 309, 368).
Rule 2. Path and query are followed as given; rebuilding them is a known way to loop (offset lists).
Rule 3. Parameters of the first request that got lost are put back (soundcloud/api issues 40, 58).
Rule 4. Credentials are dropped: `client_id` was seen in one (recording of 2018).
Rule 5. A path that names another subject, or another list we know of the same one, is no continuation of this list.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

from harvest.errors import UnexpectedReply
from harvest.lists import KINDS
from harvest.system.clock import as_text

Parameters = tuple[tuple[str, str], ...]

_SIZE = frozenset({"limit", "page_size"})
_CREDENTIALS = frozenset({"oauth_token", "access_token", "client_id", "client_secret", "refresh_token"})
_RESOURCES = frozenset({kind.path.split("/")[1] for kind in KINDS.values() if not kind.looks_up} | {"me"})
_PATH = re.compile(r"(/[A-Za-z0-9_.:%~-]+)+", re.ASCII)
_URN = re.compile(r"soundcloud:[a-z-]+:(\d+)", re.ASCII)
_LISTS = frozenset(kind.path.partition("{urn}/")[2] for kind in KINDS.values()) - {""}
_LONGEST = 4000
_OLDEST = datetime(2007, 8, 1, tzinfo=UTC)  # before SoundCloud there were no likes


def follow(next_href: object, *, asked: str, parameters: Parameters = (), api_base: str = "") -> str | None:
    """Give the path and query of the next page, None at the end of the list.

    `asked` is the path and query that brought this `next_href`; `parameters` are those of the first request.
    """
    if next_href is None or next_href == "":
        return None
    path, query = _split(next_href, api_base)
    (*subject, listed), (*subject_asked, listed_asked) = _named(path), _named(asked.partition("?")[0])
    if subject != subject_asked or (listed != listed_asked and listed in _LISTS):
        raise _unusable(next_href, "names another list")
    parts = [part for part in query.split("&") if part and _name(part) not in _CREDENTIALS]
    return f"{path}?{'&'.join(parts + _lost(parts, parameters))}"


def resized(path_and_query: str, page_size: int) -> str:
    """Ask the same page in another size, under the name of the parameter it already has."""
    path, _, query = path_and_query.partition("?")
    parts = [part for part in query.split("&") if part]
    changed = [f"{_name(part)}={page_size}" if _name(part) in _SIZE else part for part in parts]
    if not any(_name(part) in _SIZE for part in changed):
        changed.append(f"limit={page_size}")
    return f"{path}?{'&'.join(changed)}"


def canonical(path_and_query: str) -> str:
    """Give one spelling to requests that ask for the same place in a list, whatever the size of the page."""
    path, _, query = path_and_query.partition("?")
    segments = [_URN.sub(r"\1", unquote(segment)) for segment in path.split("/") if segment]
    pairs = {(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name not in _SIZE}
    kept = sorted(
        (name, "true" if (name, value) == ("linked_partitioning", "1") else value)
        for name, value in pairs
        if name not in _CREDENTIALS
    )
    return f"/{'/'.join(segments)}?{'&'.join(f'{name}={value}' for name, value in kept)}"


def cursor_time(path_and_query: str | None, *, now: datetime) -> str | None:
    """Read the time in a cursor where it is a plausible one; whole seconds, rounded down.

    Forms seen: 16 digits of microseconds (issue 165), 13 digits of milliseconds (issue 368), an ISO time before a
    comma (issue 309). Staff call cursors opaque, so whatever else stands there is no time.
    """
    query = (path_and_query or "").partition("?")[2]
    values = [value for name, value in parse_qsl(query) if name == "cursor"]
    moment = _moment(values[-1]) if values else None
    return as_text(moment) if moment and _OLDEST <= moment <= now + timedelta(days=1) else None


def _moment(value: str) -> datetime | None:
    try:
        if re.fullmatch(r"\d{16}|\d{13}", value, re.ASCII):
            return datetime.fromtimestamp(int(value[:10]), UTC)
        if re.match(r"\d{4}-\d\d-\d\dT", value, re.ASCII):
            moment = datetime.fromisoformat(value.partition(",")[0])
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _split(next_href: object, api_base: str) -> tuple[str, str]:
    if not isinstance(next_href, str) or len(next_href) > _LONGEST or not next_href.isprintable() or " " in next_href:
        raise _unusable(next_href, "is no address")
    try:
        address = urlsplit(next_href)
    except ValueError as error:
        raise _unusable(next_href, "is no address") from error
    path = address.path
    prefix = urlsplit(api_base).path.rstrip("/")
    if prefix and path.startswith(f"{prefix}/"):
        path = path.removeprefix(prefix)
    segments = unquote(path).split("/")
    if not _PATH.fullmatch(path) or ".." in segments or "." in segments or segments[1] not in _RESOURCES:
        raise _unusable(next_href, "is no path of the API")
    return path, address.query


def _named(path: str) -> tuple[str, str, str]:
    """Name the resource a path is about, whether by URN or by number, encoded or not, and which of its lists."""
    kind, key, *listed = [*(unquote(segment) for segment in path.split("/") if segment), "", ""]
    return kind, _URN.sub(r"\1", key), "/".join(part for part in listed if part)


def _name(part: str) -> str:
    return unquote(part.partition("=")[0])


def _lost(parts: list[str], parameters: Parameters) -> list[str]:
    present = {_name(part) for part in parts}
    if present & _SIZE:
        present |= _SIZE
    return [f"{name}={value}" for name, value in parameters if name not in present]


def _unusable(next_href: object, why: str) -> UnexpectedReply:
    return UnexpectedReply(f"The next page {why}.", status=200, reply=repr(next_href)[:2000])
