"""Cut lists into pages: limits, cursors, the access filter, bare arrays. Pure.

The access filter works after the cut, as it does at the real service: a page may come short, even empty, and
still offer a next one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from operator import neg
from urllib.parse import quote, urlencode

from msgspec.json import encode

from harvest.simulator.service import cursors
from harvest.simulator.service.objects import Objects
from harvest.simulator.service.replies import BadParameter, SimReply, SimRequest, json_reply, whole_number
from harvest.simulator.world.list_cache import Entries
from harvest.simulator.world.lists import SimList
from harvest.simulator.world.prng import salt
from harvest.simulator.world.world import World

MAX_LIMIT = 200
ALL = "playable,preview,blocked"
_ACCESS = frozenset(ALL.split(","))
_RANGES = tuple(f"{name}[{end}]" for name in ("bpm", "duration", "created_at") for end in ("from", "to"))
_KEPT = ("access", "show_tracks", "sort", "secret_token", "q", "urns", "genres", "tags", *_RANGES)


@dataclass(frozen=True, slots=True)
class Cut:
    """What a request asks for: page size and filters."""

    limit: int
    offset: int
    linked: bool
    access: frozenset[str]
    show_tracks: bool


def read_cut(request: SimRequest, *, access: str = "playable,preview") -> Cut:
    """Read the paging parameters; raise BadParameter for the ones the service refuses."""
    query = request.query
    limit = whole_number(query.get("limit") or query.get("page_size") or "50", "limit")
    if limit > MAX_LIMIT:
        raise BadParameter("", 500)  # https://github.com/soundcloud/api/issues/170
    wanted = frozenset(part for part in (query.get("access") or access).split(",") if part)
    if limit < 1 or not wanted <= _ACCESS:
        raise BadParameter("limit or access")
    return Cut(
        limit * request.page_factor,
        whole_number(query.get("offset") or "0", "offset"),
        query.get("linked_partitioning") in ("true", "1"),
        wanted,
        query.get("show_tracks") not in ("false", "0"),
    )


class Pages:
    """Cut the lists of one world into pages."""

    def __init__(self, world: World, objects: Objects, base_url: Callable[[], str]) -> None:
        self._world = world
        self._objects = objects
        self._base_url = base_url

    def page(self, request: SimRequest, kind: SimList, subject: int, *, access: str = "playable,preview") -> SimReply:
        """Return one page of one list."""
        cut = read_cut(request, access=access)
        entries = self._world.deeds.entries(kind.name, subject)
        if request.query.get("sort") == "asc":
            entries = Entries(entries.items[::-1], entries.times[::-1])
        first = self._first(request, kind, entries, cut)
        last = first + cut.limit
        null, deeds = self._world.options.null_entries > 0, self._world.deeds
        chosen: Iterable[int | None] = entries.items[first:last]
        if null:
            chosen = [None if deeds.null(kind.name, subject, item) else item for item in entries.items[first:last]]
        next_href = None
        if last < len(entries.items):
            place = self._place(kind, subject, entries, last)
            next_href = self._href(request, cut, place)
        if kind.always_bare:
            cut, next_href = replace(cut, linked=False), None
        return self._write(request, kind.item, chosen, next_href, cut, bare=kind.bare)

    def numbered(
        self, request: SimRequest, thing: str, items: Sequence[int | None], *, endless: bool = False
    ) -> SimReply:
        """Return one page of a search or of related things, which are counted by offset.

        Beyond the end of an endless one pages are empty yet offer another, https://github.com/soundcloud/api/issues/505.
        """
        cut = read_cut(request)
        last = cut.offset + cut.limit
        more = endless or last < len(items)
        next_href = self._href(request, cut, {"offset": str(last)}) if more else None
        return self._write(request, thing, items[cut.offset : last], next_href, cut, bare=True)

    def inside(self, request: SimRequest, kind: SimList, subject: int) -> SimReply:
        """Return the object of a subject with the whole list in it."""
        cut, deeds = read_cut(request), self._world.deeds
        items = deeds.entries(kind.name, subject).items
        chosen = [None if deeds.null(kind.name, subject, item) else item for item in items]
        plain = self._objects.bytes_of(kind.subject, subject)
        entries = b",".join(self._encoded(kind.item, item, cut) for item in self._filtered(kind.item, chosen, cut))
        return json_reply(200, plain[:-1] + b',"' + kind.inside.encode() + b'":[' + entries + b"]}")

    def played(self, request: SimRequest, user: int) -> SimReply:
        """Return the tracks a person played last: one page, whatever limit says."""
        null = self._world.deeds.null
        items = [None if null("recently_played", user, item) else item for item in self._world.deeds.heard(user)]
        query = {"access": request.query["access"]} if request.query.get("access") else {}
        return self._write(
            request, "track", items, None, read_cut(replace(request, query=query), access=ALL), bare=False
        )

    def empty(self, request: SimRequest) -> SimReply:
        """Return an empty last page."""
        return self._write(request, "user", (), None, read_cut(request), bare=False)

    def _first(self, request: SimRequest, kind: SimList, entries: Entries, cut: Cut) -> int:
        """Return where in the list the asked page starts."""
        cursor = request.query.get("cursor")
        if kind.cursor == "offset" or not cursor:
            return cut.offset
        place = cursors.read(kind.cursor, cursor)
        if place is None:
            raise BadParameter("cursor")
        if place.item_id is not None:
            item = self._world.facts.ids[kind.item].index(place.item_id)
            if item in entries.items and entries.times[at := entries.items.index(item)] == place.millis:
                return at + 1
        return bisect_right(entries.times, -place.millis, key=neg)

    def _place(self, kind: SimList, subject: int, entries: Entries, end: int) -> dict[str, str]:
        """Return the parameters that say where the next page starts."""
        if kind.cursor == "offset":
            return {"offset": str(end)}
        subject_id = self._world.id(kind.subject, subject)
        item_id = self._world.id(kind.item, entries.items[end - 1])
        return {"cursor": cursors.write(kind.cursor, entries.times[end - 1], subject_id, item_id)}

    def _href(self, request: SimRequest, cut: Cut, place: dict[str, str]) -> str:
        """Return the absolute address of the next page, with the parameters of this one."""
        size = {"limit" if "offset" in place else "page_size": str(cut.limit // request.page_factor)}
        linked = {"linked_partitioning": request.query["linked_partitioning"]} if cut.linked else {}
        kept = {name: request.query[name] for name in _KEPT if name in request.query}
        return f"{self._base_url()}{request.path}?{urlencode(place | linked | size | kept, quote_via=quote)}"

    def _write(
        self,
        request: SimRequest,
        thing: str,
        items: Iterable[int | None],
        next_href: str | None,
        cut: Cut,
        *,
        bare: bool,
    ) -> SimReply:
        """Write a page as JSON: the filter, then the envelope or a bare array."""
        body = b",".join(self._encoded(thing, item, cut) for item in self._filtered(thing, items, cut))
        if bare and not cut.linked:
            return json_reply(200, b"[" + body + b"]")
        if next_href is not None:
            tail = b'],"next_href":' + encode(next_href) + b"}"
        else:
            tail = b'],"next_href":null}' if salt(1, request.path) & 1 else b"]}"
        return json_reply(200, b'{"collection":[' + body + tail)

    def _filtered(self, thing: str, items: Iterable[int | None], cut: Cut) -> Iterable[int | None]:
        """Leave out the tracks that the access filter hides."""
        if thing != "track" or cut.access == _ACCESS:
            return items
        access = self._world.facts.access
        return [item for item in items if item is None or (access(item) or "playable") in cut.access]

    def _encoded(self, thing: str, item: int | None, cut: Cut) -> bytes:
        if item is None:
            return b"null"
        return self._objects.bytes_of(thing, item, show_tracks=cut.show_tracks)
