"""Cut from a body what must not be kept: what the profile level leaves out of people, and secrets. Pure.

The usual pages, of public tracks, playlists, comments or people, are cut where they stand: what lies between people is
copied as it is, and they are read as the few fields that may stay. It must be certain that nobody else is in them:
every brace that opens an object is counted. Whatever is odd goes to `cutting.py`, which says what is right.
"""

from __future__ import annotations

import contextlib
from functools import lru_cache
from typing import Literal, NamedTuple

import msgspec

from harvest.replies.cutting import exactly, without_secrets

_Text = str | None
_Number = int | None


class _Person(msgspec.Struct, gc=False, omit_defaults=True):
    """What stays of a person."""

    kind: Literal["user"]
    urn: _Text = None
    id: _Number = None
    uri: _Text = None
    permalink_url: _Text = None
    username: _Text = None
    avatar_url: _Text = None
    created_at: _Text = None
    station_urn: _Text = None
    followers_count: _Number = None
    followings_count: _Number = None
    track_count: _Number = None
    playlist_count: _Number = None
    public_favorites_count: _Number = None
    reposts_count: _Number = None


class _Entry(msgspec.Struct, gc=False, tag_field="kind"):
    """What may have a person in it. Only what is not public has secrets."""

    user: msgspec.Raw = msgspec.Raw(b"null")
    secret_token: None = None
    secret_uri: None = None


class _Comment(_Entry, gc=False, tag="comment"):
    pass


class _Track(_Entry, gc=False, kw_only=True, tag="track"):
    sharing: Literal["public"]


class _Playlist(_Entry, gc=False, kw_only=True, tag="playlist"):
    sharing: Literal["public"]


class _Entries(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    collection: list[_Track | _Playlist | _Comment | None]
    next_href: _Text = None


class _People(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    collection: list[_Person | None]
    next_href: _Text | msgspec.UnsetType = msgspec.UNSET


_entries = msgspec.json.Decoder(_Entries).decode
_people = msgspec.json.Decoder(_People).decode
_person = msgspec.json.Decoder(_Person).decode
_encoder = msgspec.json.Encoder()
_NULL = len(b"null")


def scrubbed(body: bytes, *, full_profiles: bool = False) -> bytes:
    """Give a body as it may be kept; with `full_profiles` the personal fields stay.

    What is no JSON is cut to nothing, a bare value to null.
    """
    for fast in (_with_people_inside, _of_people):
        with contextlib.suppress(msgspec.DecodeError, ValueError, _Odd):
            return fast(body, full_profiles)
    return exactly(body, full_profiles=full_profiles)


class _Odd(Exception):
    """The body needs a closer look."""


def _of_people(body: bytes, full_profiles: bool) -> bytes:
    """Scrub a page of people."""
    page = _people(body)
    _check_address(page.next_href)
    return body if full_profiles else _encoder.encode(page)


def _with_people_inside(body: bytes, full_profiles: bool) -> bytes:
    """Scrub a page of things that each have a person in them."""
    page = _entries(body)
    _check_address(page.next_href)
    there = [entry.user for entry in page.collection if entry is not None]
    pieces: list[bytes] = []
    brace, starts = body.index, body.startswith
    at = brace(b"{")
    cut, braces, objects = 0, 1, 1 + len(there)
    for user in there:
        if len(user) == _NULL:
            continue
        person = bytes(user)
        one = _kept(person)
        at = brace(b"{", at + 1)  # of the thing itself, as a rule; where the person is not found, the braces run out
        while not starts(person, at):
            at = brace(b"{", at + 1)
            braces += 1
        pieces += (body[cut:at], one.text)
        cut = at + len(person)
        at = cut - 1
        objects += one.objects
        braces += one.braces
    pieces.append(body[cut:])
    _check_objects(body, braces + body.count(b"{", cut), objects)
    return body if full_profiles else b"".join(pieces)


class _Kept(NamedTuple):
    """What stays of a person; how many braces and objects there were."""

    text: bytes
    braces: int
    objects: int


@lru_cache(maxsize=4096)  # the same uploaders come back page after page
def _kept(person: bytes) -> _Kept:
    return _Kept(_encoder.encode(_person(person)), person.count(b"{"), _objects(person))


def _check_address(next_href: str | msgspec.UnsetType | None) -> None:
    if next_href and without_secrets(next_href) != next_href:
        raise _Odd


def _check_objects(body: bytes, braces: int, objects: int) -> None:
    """Raise _Odd where there are others than so many. That each brace opens one is the rule, and quickly seen."""
    if braces != objects and _objects(body) != objects:
        raise _Odd


def _objects(body: bytes) -> int:
    """Count the objects in a body; some braces stand in texts.

    No text has a quotation mark behind a brace, unless it ends there: then there are too many. Spaces may stand behind
    both kinds.
    """
    firsts = [piece[:1] for piece in body.split(b"{")[1:]]
    if any(first.isspace() for first in set(firsts)):
        raise _Odd
    return firsts.count(b'"')
