"""Cut from a body what must not be kept, by reading and writing every value of it, however odd it is. Pure.

Slow, and what is right: `scrub.py` does the same faster to the usual pages.

Rule 1. Of a person only what the tables keep stays: new fields of the service are cut until we know them.
Rule 2. What says that it is a track, a playlist, a comment, a station or a link keeps every field but the personal ones
        and secrets. Whatever does not say what it is counts as a person.
Rule 3. What stays is as it came, so that a parser of both finds the same.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any
from urllib.parse import unquote

# What the tables keep of a person, or need to know who it is.
HARMLESS = frozenset(
    {
        "urn", "kind", "id", "uri", "permalink_url", "created_at", "username", "avatar_url", "station_urn",
        "followers_count", "followings_count", "track_count", "playlist_count", "public_favorites_count",
        "reposts_count",
    }
)  # fmt: skip
# Personal wherever they stand: no other thing has such a field.
PERSONAL = frozenset(
    {
        "first_name", "last_name", "full_name", "city", "country", "country_code", "website", "website_title",
        "discogs_name", "myspace_name", "plan", "subscriptions", "quota", "upload_seconds_left", "locale", "email",
        "primary_email_confirmed", "private_tracks_count", "private_playlists_count", "online", "birthday", "gender",
    }
)  # fmt: skip
SECRETS = frozenset(
    {
        "secret_token", "secret_uri", "client_id", "client_secret", "oauth_token", "access_token", "refresh_token",
        "id_token",
    }
)  # fmt: skip
_OTHERS = ("track", "playlist", "system-playlist", "comment", "web-profile")
_URN_OF_ANOTHER = re.compile(r"soundcloud:(?!users:)[a-z-]+:", re.ASCII)
_ADDRESS_OF_ANOTHER = re.compile(r"/(?:tracks|playlists|system-playlists|comments)/[^/]+/?$", re.ASCII)
_ENTRIES = ("collection", "tracks")  # what holds other things under these names is no person itself
# What no person has, and at least one of which stands in anything else that is worth its place.
_OF_ANOTHER = frozenset(
    {
        "title", "url", "body", "duration", "genre", "tag_list", "artwork_url", "license", "sharing", "access", "user",
        "user_urn", "track_urn", "code", "errors", "location",
    }
)  # fmt: skip
_ADDRESSES = ("uri", "url", "href", "location")  # how the names of addresses end; what people write is no address
_DEEPEST = 32  # nothing that is read stands as deep
_SECRET_PAGE = re.compile(r"(//[^/?#]+/[^/?#]+/(?:sets/[^/?#]+|(?!sets/)[^/?#]+)/s-)[A-Za-z0-9]+", re.ASCII)
_SECRET_PARAMETER = re.compile(
    r"((?:secret_token|client_id|client_secret|(?:oauth|access|refresh|id)_token)=)[^&#]+", re.ASCII
)
_LONGEST_NUMBER = 40  # digits; no longer one is read
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}", re.ASCII)  # how the service names fields
_ENTRIES_SHOWN = 3  # of a list that is cut


def exactly(body: bytes, *, full_profiles: bool = False) -> bytes:
    """Give a body as it may be kept; with `full_profiles` the personal fields stay.

    What is no JSON is cut to nothing, a bare value to null.
    """
    return _cut(body, full_profiles, with_shapes=False)


def with_shapes(body: bytes, *, full_profiles: bool = False) -> bytes:
    """Give a body that cannot be read as it may be kept: what `exactly` cuts keeps its name and type, and no value.

    What is no JSON is cut to nothing.
    """
    return _cut(body, full_profiles, with_shapes=True)


def _cut(body: bytes, full_profiles: bool, *, with_shapes: bool) -> bytes:
    try:
        value = taken_apart(body)
    except ValueError:
        return b""
    if not isinstance(value, dict | list):
        return put_together(_shape_of(value) if with_shapes else None)
    return put_together(_Cut(full_profiles, with_shapes).value(value, "", 0))


def _shape_of(value: Any, depth: int = 0) -> Any:
    """Give a value of the same type that says nothing, of a long list the first few."""
    if isinstance(value, dict | list) and depth > _DEEPEST:
        return None
    if isinstance(value, dict):
        return {_name(name): _shape_of(part, depth + 1) for name, part in value.items()}
    if isinstance(value, list):
        return [_shape_of(entry, depth + 1) for entry in value[:_ENTRIES_SHOWN]]
    return None if value is None else type(value)()


def _name(name: str) -> str:
    """Give the name of a field, not what a person may have written in its place."""
    return name if _FIELD.fullmatch(name) else "*"


def taken_apart(body: bytes) -> Any:
    """Read every value of a body, however odd it is. Raises ValueError where it is no JSON."""
    try:
        return json.loads(
            body.decode("utf-8-sig", errors="replace"),
            strict=False,
            parse_int=_number,
            parse_constant=lambda _: None,
        )
    except RecursionError as error:
        raise ValueError("it stands too deep") from error


def put_together(value: Any) -> bytes:
    """Write values as a body, of which no number is infinite."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # halves of characters stay as they were escaped
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


class _Cut:
    """Cuts values, of which `key` is the name they stand under and `depth` how deep that is."""

    def __init__(self, full_profiles: bool, with_shapes: bool) -> None:
        self._full_profiles = full_profiles
        self._with_shapes = with_shapes

    def value(self, value: Any, key: str, depth: int) -> Any:
        """Give what stays of a value."""
        if isinstance(value, str):
            return without_secrets(value) if key.endswith(_ADDRESSES) else value
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if depth > _DEEPEST:
            return None if isinstance(value, dict | list) else value
        if isinstance(value, list):
            bare = not depth or key in _ENTRIES  # what stands between things may say anything of them
            return ["" if bare and isinstance(entry, str) else self.value(entry, key, depth + 1) for entry in value]
        return self._fields(value, key, depth) if isinstance(value, dict) else value

    def _fields(self, fields: dict[str, Any], key: str, depth: int) -> dict[str, Any]:
        kept = {name: part for name, part in fields.items() if part is None or name not in SECRETS}
        if not self._full_profiles:
            if key == "user" or _is_person(fields):
                kept = {name: part for name, part in kept.items() if name in HARMLESS and part is not None}
            else:
                kept = {name: part for name, part in kept.items() if name not in PERSONAL}
        found = {name: self.value(part, name, depth + 1) for name, part in kept.items()}
        if self._with_shapes:
            found |= {_name(name): _shape_of(part) for name, part in fields.items() if name not in kept}
        return found


def _is_person(fields: dict[str, Any]) -> bool:
    """Say whether an object is a person, or does not say what else it is."""
    kind, urn, uri, number = (fields.get(name) for name in ("kind", "urn", "uri", "id"))
    if kind in ("user", *_OTHERS):
        return bool(kind == "user")
    if any(isinstance(name, str) and _URN_OF_ANOTHER.search(unquote(name)) for name in (urn, number, uri)):
        return False
    if isinstance(kind, str) and kind:
        return True
    if any(isinstance(fields.get(name), list) for name in _ENTRIES):
        return False
    if isinstance(uri, str) and _ADDRESS_OF_ANOTHER.search(unquote(uri).partition("?")[0]):
        return False
    return _OF_ANOTHER.isdisjoint(fields)


def without_secrets(address: str) -> str:
    """Hide the secrets in an address."""
    return _SECRET_PAGE.sub(r"\1***", _SECRET_PARAMETER.sub(r"\1***", address))


def _number(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else None
