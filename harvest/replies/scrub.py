"""Cut from a body what must not be kept: what the profile level leaves out of people, and secrets. Pure.

The usual pages, of public tracks, playlists, comments or people, are cut where they stand: what lies between people is
copied as it is, and they are read as the few fields that may stay. It must be certain that no other person is in them:
every brace that opens an object is counted. Whatever is odd goes to `cutting.py`, which says what is right.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Generic, Literal, NamedTuple, TypeVar

import msgspec

from harvest.models import Plain
from harvest.replies.cutting import exactly, without_secrets

_Text = str | None
_Number = int | None
_Read = TypeVar("_Read", bound=msgspec.Struct)


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


class _Product(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    id: _Text = None
    name: _Text = None


class _Subscription(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    product: _Product | None = None


class _WholePerson(_Person, forbid_unknown_fields=True):
    """A person who stays whole: in the fields of a profile there is nothing else that must go."""

    first_name: _Text = None
    last_name: _Text = None
    full_name: _Text = None
    city: _Text = None
    country: _Text = None
    country_code: _Text = None
    description: _Text = None
    website: _Text = None
    website_title: _Text = None
    discogs_name: _Text = None
    myspace_name: _Text = None
    plan: _Text = None
    online: bool | None = None
    likes_count: _Number = None
    comments_count: _Number = None
    last_modified: _Text = None
    permalink: _Text = None
    verified: bool | None = None
    upload_seconds_left: _Number = None
    subscriptions: list[_Subscription] | None = None


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


class _People(msgspec.Struct, Generic[_Read], gc=False, forbid_unknown_fields=True):
    collection: list[_Read | None]
    next_href: _Text | msgspec.UnsetType = msgspec.UNSET


_entries = msgspec.json.Decoder(_Entries).decode
# By whether the personal fields stay: then nothing may stand beside them.
_people: dict[bool, Callable[[bytes], _People[Any]]] = {
    False: msgspec.json.Decoder(_People[_Person]).decode,
    True: msgspec.json.Decoder(_People[_WholePerson]).decode,
}
_person = {
    False: msgspec.json.Decoder(_Person).decode,
    True: msgspec.json.Decoder(_WholePerson).decode,
}
_encoder = msgspec.json.Encoder()
_NULL = len(b"null")
_USER = b'"user":{'


def scrubbed(body: bytes, *, full_profiles: bool = False, plain: Plain | None = None) -> bytes:
    """Give a body as it may be kept; with `full_profiles` the personal fields stay. One that is known to be `plain` is
    not read again.

    What is no JSON is cut to nothing, a bare value to null.
    """
    if plain is not None:
        with contextlib.suppress(msgspec.DecodeError, ValueError, LookupError, _Odd):
            return _of_plain(body, full_profiles, plain)
    for fast in (_with_people_inside, _of_people):
        with contextlib.suppress(msgspec.DecodeError, ValueError, _Odd):
            return fast(body, full_profiles)
    return exactly(body, full_profiles=full_profiles)


class _Odd(Exception):
    """The body needs a closer look."""


def _of_plain(body: bytes, full_profiles: bool, plain: Plain) -> bytes:
    """Scrub a page of things that each have a person in them, where there are no objects but these and what people have
    inside: so each object of that name is a person, and ends with its last brace, or cannot be read.
    """
    _check_address(plain.next_href)
    find, ends, starts, cut, braces = body.find, body.index, body.startswith, 0, 0
    pieces: list[bytes] = []  # by turns what stands outside of people and what stays of one
    add = pieces.append
    at = find(b"{")
    while at >= 0:
        braces += 1
        at += 1
        if starts(_USER, at - len(_USER)):
            end = ends(b"}", at)
            if find(b"{", at, end) >= 0:
                end = _end_of_person(body, at, end)
            add(body[cut:at])
            add(_kept_inside(body[at:end], full_profiles))
            cut = at = end
        at = find(b"{", at)
    add(body[cut:])
    things = 1 + plain.things + plain.people
    if len(pieces) != 1 + 2 * plain.people or (
        braces != things and _openings(b'"'.join(pieces[::2]).split(b"{")) != things
    ):
        raise _Odd
    return body if full_profiles else b"".join(pieces)


def _end_of_person(body: bytes, start: int, end: int) -> int:
    """Give where the last brace of a person stands that has others inside; `end` is the first. Raises ValueError."""
    closed = 0
    while body.count(b"{", start, end) > closed:
        end, closed = body.index(b"}", end + 1), closed + 1
    return end


@lru_cache(maxsize=4096)
def _kept_inside(person: bytes, full_profiles: bool) -> bytes:
    """Give what stays of what stands between the braces of a person."""
    return _encoder.encode(_person[full_profiles](b"{%b}" % person))[1:-1]


def _of_people(body: bytes, full_profiles: bool) -> bytes:
    """Scrub a page of people."""
    page = _people[full_profiles](body)
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
        one = _kept(person, full_profiles)
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
def _kept(person: bytes, full_profiles: bool) -> _Kept:
    return _Kept(_encoder.encode(_person[full_profiles](person)), person.count(b"{"), _objects(person))


def _check_address(next_href: str | msgspec.UnsetType | None) -> None:
    if next_href and without_secrets(next_href) != next_href:
        raise _Odd


def _check_objects(body: bytes, braces: int, objects: int) -> None:
    """Raise _Odd where there are others than so many. That each brace opens one is the rule, and quickly seen."""
    if braces != objects and _objects(body) != objects:
        raise _Odd


def _objects(body: bytes) -> int:
    """Count the objects in a body; some braces stand in texts."""
    return _openings(body.split(b"{"))


def _openings(pieces: list[bytes]) -> int:
    """Count the braces between pieces that open an object.

    No text has a quotation mark behind a brace, unless it ends there: then there are too many. Spaces may stand behind
    both kinds.
    """
    firsts = [piece[:1] for piece in pieces[1:]]
    if any(first.isspace() for first in set(firsts)):
        raise _Odd
    return firsts.count(b'"')
