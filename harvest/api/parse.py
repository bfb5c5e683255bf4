"""Turn the body of a reply into a Page of our own nouns. Pure.

in: bytes and the declaration of the list they are a page of; out: a Page and the untouched `next_href`; never: a guess.
Fast path: the whole body fits the shapes of `schemas.py`. Slow path (`tolerant.py`) otherwise, entry by entry.

Rule 1. Null, unreadable and alien entries are left out of `items` and counted in `skipped`.
Rule 2. Counts that are 0 in an embedded user are unknown (soundcloud/api issues 66, 424, 442).
Rule 3. Of two entries about one thing the first is kept; `items` names it as often as it was listed.
Rule 4. Empty text is unknown, but an empty list of tags is none.
Rule 5. A page with entries of which not one can be read as what it should be has changed its shape: an error, no page.
"""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any, NamedTuple

import msgspec

from harvest.api import tolerant, urns
from harvest.api.responses import evidence
from harvest.api.schemas import (
    Envelope,
    OnlyEnvelope,
    WireComment,
    WireLink,
    WirePlaylist,
    WireProfile,
    WireStation,
    WireStationTracks,
    WireTrack,
    WireUser,
)
from harvest.api.tags import parse_tags
from harvest.errors import UnexpectedReply
from harvest.lists import STAND_INS, ListKind, not_loaded
from harvest.models import MOST, Comment, Page, Plain, Playlist, Row, SeenAs, Station, Track, User, WebProfile
from harvest.own_lists import OwnList
from harvest.system.clock import parse_time

_row = tuple.__new__  # a NamedTuple by position without the price of its Python constructor
_parts = msgspec.structs.astuple
_time = lru_cache(maxsize=8192)(parse_time)  # the same uploaders come back page after page,
_tags = lru_cache(maxsize=8192)(parse_tags)  # and so do tracks
_NUL = b"\\u0000"
_SECRET_END = re.compile(r"(//[^/]+/[^/]+/(?:sets/[^/]+|(?!sets/)[^/]+))/s-[^/]+$", re.ASCII)
_PLAYLIST_TEXTS = Playlist._fields[Playlist._fields.index("title") :]
_STATION_TEXTS = Station._fields[Station._fields.index("title") :]
_WITH_A_PERSON = ("track", "playlist", "comment")  # entries that are about another thing than a person
_LONG_TEXT = 500  # characters; longer ones are not worth remembering
_TEXTS_OF_PROFILE = len(User._fields) - User._fields.index("username") - 1
_NO_PROFILE = (None,) * (len(WireProfile.__struct_fields__) - len(WireUser.__struct_fields__))
_USUAL_URN = {kind: f"soundcloud:{kind}s" for kind in ("user", "track", "playlist", "comment")}
_MOST_DIGITS = 18


class Listing(NamedTuple):
    """A page without its place in the list, and what the service says about the next one."""

    page: Page
    next_href: object


def parse_page(
    body: bytes, kind: ListKind, subject_id: int = 0, *, full_profiles: bool = False, is_kept: bool = False
) -> Listing:
    """Read one page of a list, in an envelope, as a bare array (which is the last page), or inside its subject; say of
    a body that is to be kept whether it is plain.
    """
    gathered, plain = _Gathered(subject_id), None
    if kind.name in STAND_INS:
        raise not_loaded([kind.name])
    if kind.own_rows:
        found, next_href = _listed(body)
        items = gathered.read_own(found, kind.own_rows, kind.name)
        _check_named(items, gathered, found, body)
        return Listing(gathered.page(items, len(found)), next_href)
    if kind.inside:
        entries, next_href, subject = _inside(body, kind, full_profiles)
        _READERS[kind.subject](gathered, [subject], SeenAs.FULL)
    else:
        entries, next_href, plain = _entries(body, kind.item, full_profiles, is_kept=is_kept)
    items = _READERS[kind.item](gathered, entries, SeenAs.FULL if kind.looks_up else SeenAs.LIST)
    _check_named(items, gathered, entries, body)
    page = gathered.page(items, len(entries))
    return Listing(replace(page, plain=plain) if plain else page, next_href)


def _check_named(items: list[int], gathered: _Gathered, entries: list[Any], body: bytes) -> None:
    """Raise UnexpectedReply by rule 5."""
    if not items and gathered.nameless and gathered.nameless == sum(entry is not None for entry in entries):
        raise UnexpectedReply("No entry of the list says what it is.", status=200, reply=evidence(body))


def parse_thing(body: bytes, kind: str, *, full_profiles: bool = False) -> Page:
    """Read the reply about one thing of this kind: a page of one, seen in full."""
    shape = _shape(kind, full_profiles)
    try:
        entry = _decoder(shape).decode(body) if not _has_nul(body) else None
    except (ValueError, RecursionError):
        entry = None
    entry = entry or tolerant.shaped(shape, tolerant.decode(body))
    gathered = _Gathered()
    items = _READERS[kind](gathered, [entry], SeenAs.FULL)
    if not items and not gathered.unsupported:
        raise UnexpectedReply(f"The reply is no {kind}.", status=200, reply=evidence(body))
    return replace(gathered.page(items, 1), thing=kind)


def parse_me(body: bytes) -> tuple[str, str]:
    """Read name and URN of the person a token belongs to."""
    try:
        found = msgspec.json.decode(body, type=_Me)
    except msgspec.DecodeError as error:
        raise UnexpectedReply("The reply about ourselves has no name in it.", status=200) from error
    return found.username, found.urn


class _Me(msgspec.Struct):
    username: str
    urn: str


def _entries(
    body: bytes, item: str, full_profiles: bool, *, is_kept: bool = False
) -> tuple[list[Any], object, Plain | None]:
    shape = _shape(item, full_profiles)
    if not _has_nul(body):  # everything else that text cannot hold is refused by the decoder
        for envelope in (OnlyEnvelope, Envelope) if is_kept and item in _WITH_A_PERSON else (Envelope,):
            try:
                page = _page_decoder(shape, envelope).decode(body)
            except (ValueError, RecursionError):
                continue
            if isinstance(page, list):
                return page, None, None
            plain = _plain(page.collection, page.next_href) if envelope is OnlyEnvelope else None
            return page.collection, page.next_href, plain
    found, next_href = _listed(body)
    return [tolerant.shaped(shape, entry) for entry in found], next_href, None


def _plain(entries: list[Any], next_href: str | None) -> Plain | None:
    """Say what entries are that are public and tell no secret; None where one of them may be something else."""
    there = [entry for entry in entries if entry is not None]
    for entry in there:
        if entry.kind != "comment" and (
            entry.kind not in ("track", "playlist")
            or getattr(entry, "sharing", None) != "public"  # what is listed as a comment says nothing of it
            or entry.secret_token is not None
            or entry.secret_uri is not None
        ):
            return None
    return Plain(len(there), sum(entry.user is not None for entry in there), next_href)


def _listed(body: bytes) -> tuple[list[Any], object]:
    """Give the entries of a list as JSON says them, and where it goes on."""
    value = tolerant.decode(body)
    found, next_href = (value.get("collection"), value.get("next_href")) if isinstance(value, dict) else (value, None)
    if not isinstance(found, list) or (found and not any(entry is None or isinstance(entry, dict) for entry in found)):
        raise UnexpectedReply("The reply is no list.", status=200, reply=evidence(body))
    return found, next_href


def _inside(body: bytes, kind: ListKind, full_profiles: bool) -> tuple[list[Any], object, Any]:
    """Give the entries that stand inside the reply about the subject, where they go on if they do, and the subject."""
    shape, entry = _HOLDERS[kind.subject][_person(full_profiles)], _shape(kind.item, full_profiles)
    try:
        subject = _decoder(shape).decode(body) if not _has_nul(body) else None
    except (ValueError, RecursionError):
        subject = None
    if subject is not None and getattr(subject, kind.inside) is not None:
        return getattr(subject, kind.inside), subject.next_href, subject
    value = tolerant.decode(body)
    found = value.get(kind.inside) if isinstance(value, dict) else None
    if not isinstance(found, list) or not isinstance(value, dict):
        return *_entries(body, kind.item, full_profiles)[:2], None
    plain = tolerant.shaped(_shape(kind.subject, full_profiles), value)
    return [tolerant.shaped(entry, one) for one in found], value.get("next_href"), plain


def _person(full_profiles: bool) -> Any:
    return WireProfile if full_profiles else WireUser


@cache
def _shape(item: str, full_profiles: bool) -> Any:
    person: Any = _person(full_profiles)
    return {
        "user": person,
        "track": WireTrack[person],
        "playlist": WirePlaylist[person],
        "station": WireStation,
        "comment": WireComment[person],
        "link": WireLink,
    }[item]


@cache
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape)


@cache
def _page_decoder(shape: Any, envelope: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(envelope[shape] | list[shape | None])


def _number(urn: str, kind: str) -> int | None:
    """Give the number in a URN of the usual form, None in any other."""
    before, _, number = urn.rpartition(":")
    if before != _USUAL_URN[kind] or not number.isdigit() or not number.isascii() or number[0] == "0":
        return None
    return int(number) if len(number) <= _MOST_DIGITS else None


def _has_nul(body: bytes) -> bool:
    return body.rfind(_NUL) >= 0  # in half the time of `in`: backslashes are rare, and noughts are not


@dataclass(slots=True)
class _Gathered:
    """What the entries of one reply, about this subject, bring together."""

    subject_id: int = 0
    users: dict[int, User] = field(default_factory=dict)
    tracks: dict[int, Track] = field(default_factory=dict)
    tags: dict[int, tuple[str, ...]] = field(default_factory=dict)
    playlists: dict[int, Playlist] = field(default_factory=dict)
    stations: dict[int, Station] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    links: dict[int, WebProfile] = field(default_factory=dict)
    own_rows: dict[int, Row] = field(default_factory=dict)
    unsupported: list[str] = field(default_factory=list)
    nameless: int = 0

    def page(self, items: list[int], received: int) -> Page:
        """Close the page."""
        return Page(
            request="",
            items=tuple(items),
            received=received,
            skipped=received - len(items),
            users=self.users,
            tracks=self.tracks,
            tags=self.tags,
            playlists=self.playlists,
            stations=self.stations,
            comments=self.comments,
            links=self.links,
            own_rows=self.own_rows,
            unsupported_urns=tuple(dict.fromkeys(self.unsupported)),
        )

    def identify(
        self, expected: str, urn: str | None, kind: str | None, number: int | None = None, uri: str | None = None
    ) -> int | None:
        """Give the number of an entry, None when it has none that can be kept."""
        if urn and kind == expected and (number_in_urn := _number(urn, expected)):  # nearly always
            return number_in_urn
        found = urns.identify(expected, urn=urn, kind=kind, number=number, uri=uri)
        if isinstance(found, int):
            return found
        if isinstance(found, urns.Unsupported):
            self.unsupported.append(found)
        elif found == "unreadable":
            self.nameless += 1
        return None

    def read_own(self, entries: list[Any], own: OwnList, table: str) -> list[int]:
        """Let a plug-in read entries; give their ids, which are made of the subject and its key. Raises PluginError."""
        items = []
        for entry in entries:
            row = own.row(table.split("_")[1], entry) if isinstance(entry, dict) else None
            if row is None:
                self.nameless += entry is not None
                continue
            key, values = row
            items.append(urns.id_of_text(f"{table} {self.subject_id} {key}"))
            texts = (tolerant.clean(value) if isinstance(value, str) else value for value in values)
            self.own_rows.setdefault(items[-1], (items[-1], self.subject_id, *texts))
        return items

    def person(self, user: WireUser | None, seen_as: SeenAs, urn: str | None = None) -> int | None:
        """Keep a user and give its number; `urn` names the user where no object came along."""
        if user is None:
            return self.identify("user", urn, "user") if urn else None
        # fmt: off
        (own_urn, kind, number, uri, url, created, followers, followings, tracks, playlists, likes, reposts,
         *texts) = _parts(user)
        # fmt: on
        user_id = self.identify("user", own_urn or urn, kind, number, uri)
        if user_id is None or user_id in self.users:
            return user_id
        if seen_as is SeenAs.EMBEDDED:
            followers, followings, tracks = followers or None, followings or None, tracks or None
            playlists, likes, reposts = playlists or None, likes or None, reposts or None
        known = (followers, followings, tracks, playlists, likes, reposts, *[text or None for text in texts])
        rest = _NO_PROFILE if len(texts) < _TEXTS_OF_PROFILE else ()
        self.users[user_id] = _row(User, (user_id, _page_url(url), _time(created), *known, *rest, seen_as))
        return user_id


def _read_users(gathered: _Gathered, entries: Iterable[WireUser | None], seen_as: SeenAs) -> list[int]:
    found = (gathered.person(entry, seen_as) for entry in entries if entry is not None)
    return [user_id for user_id in found if user_id is not None]


def _read_tracks(gathered: _Gathered, entries: Iterable[Any], seen_as: SeenAs) -> list[int]:
    items: list[int] = []
    tracks, tags, person, identify = gathered.tracks, gathered.tags, gathered.person, gathered.identify
    for entry in entries:
        if entry is None:
            continue
        # fmt: off
        (urn, kind, number, uri, _, _, user, tag_list, countries, url, created, year, month, day,
         duration, plays, likes, reposts, comments, downloads, downloadable, revealed, *texts) = _parts(entry)
        track_id = identify("track", urn, kind, number, uri)
        if track_id is None:
            continue
        items.append(track_id)
        if track_id in tracks:
            continue
        tracks[track_id] = _row(Track, (
            track_id, person(user, SeenAs.EMBEDDED) if user else None, _page_url(url), _time(created),
            _date(year, month, day) if year else None, _codes(countries) if countries else None,
            duration, plays, likes, reposts, comments, downloads, downloadable, revealed,
            *[text or None for text in texts], seen_as,
        ))
        # fmt: on
        if tag_list is not None:  # empty is known to be none
            tags[track_id] = _tags(tag_list) if len(tag_list) < _LONG_TEXT else parse_tags(tag_list)
    return items


def _read_playlists(gathered: _Gathered, entries: Iterable[Any], seen_as: SeenAs) -> list[int]:
    items: list[int] = []
    for entry in entries:
        playlist_id = gathered.identify("playlist", entry.urn, entry.kind, entry.id, entry.uri) if entry else None
        if playlist_id is None:
            continue
        items.append(playlist_id)
        if playlist_id not in gathered.playlists:
            gathered.playlists[playlist_id] = Playlist(
                id=playlist_id,
                owner_id=gathered.person(entry.user, SeenAs.EMBEDDED, entry.user_urn),
                permalink_url=_page_url(entry.permalink_url),
                created_at=_time(entry.created_at),
                track_count=entry.track_count,
                likes_count=entry.likes_count,
                duration_ms=entry.duration,
                playlist_type=entry.playlist_type or entry.type or None,
                **{name: getattr(entry, name) or None for name in _PLAYLIST_TEXTS},
            )
    return items


def _read_stations(gathered: _Gathered, entries: Iterable[Any], seen_as: SeenAs) -> list[int]:
    items: list[int] = []
    for entry in entries:
        if entry is None:
            continue
        urn = urns.station_urn(entry.urn, entry.id if isinstance(entry.id, str) else None, entry.uri)
        station_id = gathered.identify("station", urn or entry.urn, entry.kind, None, entry.uri)
        if station_id is None or urn is None:
            continue
        items.append(station_id)
        if station_id not in gathered.stations:
            gathered.stations[station_id] = Station(
                id=station_id,
                urn=urn,
                permalink_url=_page_url(entry.permalink_url),
                updated_at=_time(entry.last_updated or entry.last_modified),
                track_count=entry.track_count,
                likes_count=entry.likes_count,
                **{name: getattr(entry, name) or None for name in _STATION_TEXTS},
            )
    return items


def _read_comments(gathered: _Gathered, entries: Iterable[Any], seen_as: SeenAs) -> list[int]:
    items: list[int] = []
    for entry in entries:
        comment_id = gathered.identify("comment", entry.urn, entry.kind, entry.id, entry.uri) if entry else None
        if comment_id is None:
            continue
        items.append(comment_id)
        if comment_id not in gathered.comments:
            gathered.comments[comment_id] = Comment(
                id=comment_id,
                track_id=gathered.identify("track", entry.track_urn, "track"),
                user_id=gathered.person(entry.user, SeenAs.EMBEDDED, entry.user_urn),
                created_at=_time(entry.created_at),
                timestamp_ms=_milliseconds(entry.timestamp),
                body=entry.body or None,
            )
    return items


def _read_links(gathered: _Gathered, entries: Iterable[Any], seen_as: SeenAs) -> list[int]:
    items: list[int] = []
    for entry in entries:
        if entry is None or entry.kind not in (None, "", "web-profile"):
            continue
        if not entry.url:
            gathered.nameless += 1
            continue
        link_id = urns.id_of_text(f"{gathered.subject_id} {entry.service or ''} {entry.url}")
        items.append(link_id)
        if link_id not in gathered.links:
            texts = (entry.url, entry.service or None, entry.title or None, entry.username or None)
            gathered.links[link_id] = WebProfile(link_id, gathered.subject_id, _time(entry.created_at), *texts)
    return items


_HOLDERS: dict[str, Any] = {"station": WireStationTracks}
_READERS: dict[str, Callable[[_Gathered, list[Any], SeenAs], list[int]]] = {
    "user": _read_users,
    "track": _read_tracks,
    "playlist": _read_playlists,
    "station": _read_stations,
    "comment": _read_comments,
    "link": _read_links,
}


def _page_url(url: str | None) -> str | None:
    """Give the one spelling of a page: https, without the parameters added since 2025 (soundcloud/api issue 424), nor
    the secret at the end of a private link.
    """
    if not url:
        return None
    plain = url.partition("?")[0]
    if "#" in plain:
        plain = plain.partition("#")[0]
    if "/s-" in plain:
        plain = _SECRET_END.sub(r"\1", plain)
    if plain.startswith("https://"):
        return plain
    return f"https://{plain[7:]}" if plain.startswith("http://") else None


def _codes(countries: str | list[str | None]) -> str | None:
    """Write country codes in one text, whether they came as one or in an array (soundcloud/api: both seen)."""
    return countries if isinstance(countries, str) else ",".join(code for code in countries if code) or None


@lru_cache(maxsize=4096)
def _date(year: int, month: int | None, day: int | None) -> str | None:
    """Write a release date as far as it is known; its parts may be null one by one."""
    if not 1000 <= year <= 9999:
        return None
    if not month or not 1 <= month <= 12:
        return f"{year}"
    return f"{year}-{month:02}-{day:02}" if day and 1 <= day <= monthrange(year, month)[1] else f"{year}-{month:02}"


def _milliseconds(timestamp: float | str | None) -> int | None:
    try:
        number = float(timestamp) if timestamp is not None else math.nan
    except ValueError:
        return None
    return int(number) if 0 <= number <= MOST else None
