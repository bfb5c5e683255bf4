"""Read where `/resolve` points. Pure.

Redirects are followed by hand, so that the token goes to the configured host only; a redirect to any other place is an
unexpected reply. Numbers and URNs were seen, plain and percent-encoded (soundcloud/api issues 210, 403).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from harvest.api import urns
from harvest.api.endpoints import redacted
from harvest.api.responses import one_line
from harvest.errors import SeedError, UnexpectedReply
from harvest.things import SHOWN, Thing

_BY_COLLECTION = {thing.collection or thing.table: thing for thing in SHOWN}
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Resource:
    """The thing behind an address."""

    thing: Thing
    number: int
    secret_token: str | None = field(default=None, repr=False)
    urn: str | None = None  # where it does not end in the number


def read_location(location: str, *, api_base: str, seed_url: str) -> Resource:
    """Give the thing a redirect names. Raises SeedError when its name is no number, UnexpectedReply when it is none."""
    try:
        target = urlsplit(urljoin(f"{api_base.rstrip('/')}/resolve", location))
        foreign = _origin(location, api_base)
    except ValueError as error:
        raise _unexpected("The seed was resolved to no address.", location) from error
    if foreign:
        raise _unexpected("The seed was resolved to another host.", location)
    path = target.path.removeprefix(urlsplit(api_base).path.rstrip("/"))
    collection, _, key = unquote(path).strip("/").partition("/")
    if collection not in _BY_COLLECTION or not key or "/" in key:
        raise _unexpected("The seed was resolved to something unknown.", location)
    thing = _BY_COLLECTION[collection]
    number = urns.identify(thing.name, uri=f"/{collection}/{key}")
    if not isinstance(number, int):
        raise SeedError(
            f"{redacted(seed_url)} has the name '{one_line(key, 80)}', which is no number; harvest cannot hold it."
        )
    urn = urns.station_urn(key) if thing.by_name else None
    return Resource(thing, number, dict(parse_qsl(target.query)).get("secret_token"), urn)


def _origin(location: str, api_base: str) -> bool:
    """Say whether a redirect leaves the configured scheme, host and port."""
    target, base = urlsplit(urljoin(f"{api_base.rstrip('/')}/resolve", location)), urlsplit(api_base)
    named = [
        (part.scheme, part.hostname, part.port or _PORTS.get(part.scheme), part.username) for part in (target, base)
    ]
    return named[0] != named[1]


def _unexpected(message: str, location: str) -> UnexpectedReply:
    return UnexpectedReply(message, status=302, reply=redacted(location)[:2000])
