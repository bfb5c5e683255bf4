"""What each kind of thing should look like: what we read of it, what the official description has, what was seen. Pure.

A field that is `always` there stands in every thing of its kind. Of what stands inside of something, and of counts that
their owner may hide, that cannot be said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from harvest.probing.facts import official
from harvest.probing.parsers import KINDS, Types, read_fields

NOTHING: Types = frozenset()


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `read` are the types our parser takes, None where it does not look; `described` those that the
    official description names, and that were seen in spite of it. `leads` is the kind of thing that stands there.
    `hidden` ones are missing where their owner wants that.
    """

    read: Types | None
    described: Types
    leads: str = ""
    always: bool = False
    hidden: bool = False


# What the service has sent though its description does not say so, or not so: recordings of 2018 to 2026, and the
# examples beside the description.
SEEN: dict[str, dict[str, str]] = {
    "track": {"policy": "string", "monetization_model": "string", "available_country_codes": "array"},
    "user": {
        "online": "boolean",
        "comments_count": "integer",
        "likes_count": "integer",
        "myspace_name": "string",
        "upload_seconds_left": "integer",
    },
    "playlist": {"user_id": "integer"},
    "station": {},
    "comment": {"timestamp": "number"},
    "link": {"id": "integer"},
    "me": {"myspace_name": "string"},
    "commenter": {"public_favorites_count": "integer", "id": "integer"},
}

# Counts that the owner of a track may hide (`reveal_stats`).
_HIDDEN = frozenset({"playback_count", "favoritings_count", "reposts_count", "comment_count", "download_count"})
# What is not in every thing of a kind though it is described: what is hidden, what we ask not to be shown, what is left
# out where it says nothing. The official example of a track has no `metadata_artist`, a recorded list of people no
# `subscriptions`.
_AT_TIMES: dict[str, frozenset[str]] = {
    "track": _HIDDEN | {"download_url", "metadata_artist"},
    "user": frozenset({"subscriptions"}),
    "playlist": frozenset({"tracks", "user_urn"}),
    "me": frozenset({"upload_seconds_left", "quota", "subscriptions"}),
}
_ALWAYS_INSIDE = frozenset({"avatar_url", "kind", "permalink", "permalink_url", "uri", "urn", "username"})


@cache
def fields_of(kind: str) -> Mapping[str, Field]:
    """Give the fields of a kind of thing, by their path in it.

    Besides the kinds that parsers read there is the `holder` of a thing, a user as it stands inside of others, and the
    `commenter`, as it stands in a comment.
    """
    like = "user" if kind in ("holder", "commenter") else kind
    _, schema, inside = KINDS[like]
    if kind == "commenter":
        schema, inside = "Comment", "user"
    read, described = read_fields(like), _described(schema, inside)
    seen = SEEN.get("user" if kind == "holder" else kind, {})
    return {
        path: Field(
            read.get(path),
            described.get(path, NOTHING) | ({seen[path]} if path in seen else NOTHING),
            _leads(kind, path, described.get(path, NOTHING), read.get(path, NOTHING)),
            _always(kind, path, path in described),
            kind == "track" and path in _HIDDEN,
        )
        for path in sorted({*read, *described, *seen})
    }


def _described(schema: str, inside: str) -> dict[str, Types]:
    before = f"{inside}." if inside else ""
    return {
        path.removeprefix(before): frozenset(types)
        for path, types in official().schemas[schema].items()
        if path and path.startswith(before) and path != inside
    }


def _leads(kind: str, path: str, described: Types, read: Types) -> str:
    """Say which kind of thing stands at a path."""
    if path == "user" and "object" in read:
        return "commenter" if kind == "comment" else "holder"
    if "#Track" in described or path == "tracks[]":
        return "track"
    return "holder" if "#User" in described else ""


def _always(kind: str, path: str, described: bool) -> bool:
    if kind == "holder":
        return path in _ALWAYS_INSIDE
    if kind == "station":
        return path == "urn"
    return described and "." not in path and "[" not in path and path not in _AT_TIMES.get(kind, NOTHING)
