"""Faults in what a page says: its shape, its items, its next_href. Other replies pass unharmed.

| faults                                     | evidence                                         |
|--------------------------------------------|--------------------------------------------------|
| href_internal_host, href_http, ...         | soundcloud/api issues 309, 368                   |
| href_loop_*, href_endless, href_backwards  | issues 12, 505                                   |
| href_loses_*                               | issues 58, 40, 368                               |
| href_cut                                   | a client of 2026                                 |
| items_*, urn_*, id_*, shape_*              | issues 398, 424; what one must survive           |
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from msgspec.json import decode, encode

from harvest.simulator.faults.base import FaultScene, effect, page_of
from harvest.simulator.service.replies import SimReply, json_reply

INTERNAL_HOST = "http.api.prod.api-public.srv.db.s-cloud.net"
_LARGEST = 2**63 - 1

Page = dict[str, Any]


def _on_page(change: Callable[[FaultScene, Page], Any]) -> Callable[[FaultScene], SimReply]:
    """Make a fault of a function that changes the envelope, or returns what to send instead."""

    def apply(scene: FaultScene) -> SimReply:
        reply = scene.right()
        page, closed = _opened(reply)
        if page is None:
            return reply
        instead = change(scene, page)
        return replace(reply, body=encode(closed(page) if instead is None else instead))

    return apply


def _opened(reply: SimReply) -> tuple[Page | None, Callable[[Page], Any]]:
    """Return the page a reply carries, as an envelope or in one, and how it is put back into what it came in."""
    page = page_of(reply)
    if page is None and reply.status == 200 and reply.body.startswith(b"["):
        return {"collection": decode(reply.body)}, lambda page: page["collection"]
    if page is None and reply.status == 200 and b'"tracks":[' in reply.body:
        station = decode(reply.body)
        return {"collection": station["tracks"]}, lambda page: station | {"tracks": page["collection"]}
    return page, lambda page: page


def _declare(
    name: str, what: str, change: Callable[[FaultScene, Page], Any], changes: str = "", *, memory: bool = False
) -> None:
    effect(what, name=name, changes=changes, memory=memory)(_on_page(change))


def _move(page: Page, *, scheme: str | None = None, host: str | None = None, port: int | None = None) -> None:
    """Point next_href elsewhere, when there is one."""
    if page.get("next_href"):
        parts = urlsplit(page["next_href"])
        netloc = f"{parts.hostname}:{port}" if port else host or parts.netloc
        page["next_href"] = urlunsplit((scheme or parts.scheme, netloc, *parts[2:]))


def _drop(page: Page, *names: str) -> None:
    """Take parameters out of next_href."""
    if page.get("next_href"):
        parts = urlsplit(page["next_href"])
        query = [(name, value) for name, value in parse_qsl(parts.query) if name not in names]
        page["next_href"] = urlunsplit((*parts[:3], urlencode(query, quote_via=quote), ""))


def _point_back(scene: FaultScene, page: Page, back: int) -> None:
    """Let next_href name an earlier page of this list."""
    target = scene.target if back == 0 else scene.memory.earlier(scene.target, back) if scene.memory else None
    if target is not None and page.get("next_href"):
        page["next_href"] = scene.base_url + target


def _become_endless(scene: FaultScene, page: Page, step: int) -> None:
    query = scene.request.query | {"cursor": f"endless-{step}"}
    page["collection"] = []
    page["next_href"] = f"{scene.base_url}{scene.request.path}?{urlencode(query, quote_via=quote)}"


@effect(changes="ends")
def href_endless(scene: FaultScene) -> SimReply:
    """From here on empty pages, each offering another one."""
    cursor = scene.request.query.get("cursor", "")
    page: Page = {}
    if not cursor.startswith("endless-"):
        if page_of(scene.right()) is None:
            return scene.right()
        cursor = "endless-0"
    _become_endless(scene, page, int(cursor.removeprefix("endless-") or 0) + 1)
    return json_reply(200, page)


@effect()
def items_too_many(scene: FaultScene) -> SimReply:
    """A page twice as long as asked for."""
    return scene.handle(replace(scene.request, page_factor=2))


def _cut(scene: FaultScene, page: Page) -> None:
    page["next_href"] = None


def _where_entries_are(change: Callable[[FaultScene, Page], None]) -> Callable[[FaultScene, Page], None]:
    """Leave empty pages empty: those behind the end of an endless list are."""

    def apply(scene: FaultScene, page: Page) -> None:
        if page["collection"]:
            change(scene, page)

    return apply


@_where_entries_are
def _repeat(scene: FaultScene, page: Page) -> None:
    before = scene.memory.last_items(scene.target) if scene.memory else []
    page["collection"][:0] = before
    page["collection"] += page["collection"][:2]


def _reorder(scene: FaultScene, page: Page) -> None:
    page["collection"].reverse()


@_where_entries_are
def _nulls(scene: FaultScene, page: Page) -> None:
    page["collection"].insert(0, None)
    page["collection"].insert(len(page["collection"]) // 2, None)
    page["collection"].append(None)


@_where_entries_are
def _aliens(scene: FaultScene, page: Page) -> None:
    playlist = {"kind": "playlist", "urn": "soundcloud:playlists:77", "title": "not what was asked for"}
    station = {"kind": "system-playlist", "urn": "soundcloud:system-playlists:your-moods:9", "title": "Moods"}
    own = scene.request.path.rpartition("/")[2]  # what a list is of is no alien there
    page["collection"][:0] = [*[playlist] * (own != "playlists"), "a string", 17]
    page["collection"] += [*[station] * (own != "system-playlists"), [], True, {}]


def _with_urn(number: object) -> Callable[[FaultScene, Page], None]:
    """Return a change that adds a copy of the first item under another number."""

    def change(scene: FaultScene, page: Page) -> None:
        items = [item for item in page["collection"] if isinstance(item, dict)]
        if items:
            urn = f"{items[0]['urn'].rpartition(':')[0]}:{number}"
            copy = {name: value for name, value in items[0].items() if name not in ("id", "uri")}
            page["collection"].insert(1, copy | {"urn": urn, "uri": f"https://api.soundcloud.com/things/{urn}"})

    return change


_NAMES = re.compile(rb'"(username|title)":"')


def _in_text(escape: bytes) -> Callable[[FaultScene], SimReply]:
    """Make a fault that puts a JSON escape at the start of every name and title."""

    def apply(scene: FaultScene) -> SimReply:
        reply = scene.right()
        if reply.status != 200:
            return reply
        return replace(reply, body=_NAMES.sub(lambda found: found[0] + escape, reply.body))

    return apply


def _only(path: str, make: Callable[[FaultScene, SimReply], SimReply]) -> Callable[[FaultScene], SimReply]:
    """Make a fault that touches one address only."""

    def apply(scene: FaultScene) -> SimReply:
        reply = scene.right()
        return make(scene, reply) if scene.request.path == path else reply

    return apply


def _elsewhere(scene: FaultScene, reply: SimReply) -> SimReply:
    """Let /resolve point to a foreign host."""
    if reply.status != 302:
        return reply
    location = scene.foreign + urlsplit(reply.headers["location"]).path
    return json_reply(302, {"status": "302 - Found", "location": location}, location=location)


def _somebody_else(scene: FaultScene, reply: SimReply) -> SimReply:
    """Let /me answer as another person (issue 380)."""
    other = scene.handle(replace(scene.request, path="/users", query={"limit": "1"}))
    return replace(other, body=other.body.removeprefix(b"[").removesuffix(b"]"))


def _without_counts(scene: FaultScene, page: dict[str, Any]) -> dict[str, Any]:
    def bare(item: Any) -> Any:
        return {k: v for k, v in item.items() if not k.endswith("_count")} if isinstance(item, dict) else item

    return {**page, "collection": [bare(item) for item in page["collection"]]}


_declare("href_internal_host", "next_href names an internal host", lambda _, page: _move(page, host=INTERNAL_HOST))
_declare(
    "href_foreign_host",
    "next_href names a foreign host; with a number that port of this machine",
    lambda scene, page: _move(page, scheme=urlsplit(scene.foreign).scheme, host=urlsplit(scene.foreign).netloc),
)
_declare(
    "href_http",
    "next_href says http on a host that needs https",
    lambda _, page: _move(page, scheme="http", host="api.soundcloud.com"),
)
_declare(
    "href_other_port", "next_href names another port (1)", lambda scene, page: _move(page, port=int(scene.number(1)))
)
_declare("href_loop_1", "next_href is the page just asked", lambda scene, page: _point_back(scene, page, 0), "ends")
_declare(
    "href_loop_3",
    "next_href is the page two before, so that three follow in a ring",
    lambda scene, page: _point_back(scene, page, 2),
    "ends",
    memory=True,
)
_declare(
    "href_backwards",
    "next_href is the page before",
    lambda scene, page: _point_back(scene, page, 1),
    "ends",
    memory=True,
)
_declare("href_loses_access", "next_href loses access", lambda _, page: _drop(page, "access"))
_declare(
    "href_loses_partitioning", "next_href loses linked_partitioning", lambda _, page: _drop(page, "linked_partitioning")
)
_declare("href_cut", "next_href is null although there is more", _cut, "ends")
_declare(
    "bare_array",
    "a bare array instead of the envelope: the list ends there",
    lambda _, page: page["collection"],
    "ends",
)
_declare(
    "items_none",
    "200, an empty collection that ends there: soundcloud/api issue 69, an outage",
    lambda _, page: {"collection": [], "next_href": None},
    "ends",
)
_declare("counts_hidden", "people and tracks are listed without counts", _without_counts, "texts")
_declare(
    "items_repeated", "the last items of the page before come again, and some of this one twice", _repeat, memory=True
)
_declare("items_reordered", "the items of the page stand in reverse", _reorder, "ranks")
_declare("items_null", "null entries between the items", _nulls)
_declare("items_alien", "entries of other kinds, strings and numbers between the items", _aliens)
_declare("urn_not_numeric", "one more item, whose URN ends in a word", _with_urn("a1b2-c3d4"))
_declare("id_too_large", "one more item, whose number is 2^63", _with_urn(_LARGEST + 1))
_declare("id_largest", "one more item, whose number is 2^63 - 1", _with_urn(_LARGEST), "items")
_declare("shape_list", "200, a list of lists where the envelope should be", lambda _, page: [[1, 2], [3]], "ends")
_declare("shape_string", "200, a JSON string", lambda _, page: "collection", "ends")
_declare(
    "shape_object",
    "collection is an object",
    lambda _, page: {"collection": {"kind": "user"}, "next_href": None},
    "ends",
)
_declare("shape_no_collection", "an envelope without a collection", lambda _, page: {"next_href": None}, "ends")
effect("NUL escapes in names and titles", name="text_nul", changes="texts")(_in_text(rb"\u0000a\u0000"))
effect("lone surrogates in names and titles", name="text_surrogate", changes="texts")(_in_text(rb"\ud83d"))
effect(
    "escape sequences, direction overrides and line breaks in names and titles", name="text_escapes", changes="texts"
)(_in_text(rb"\u001b[2J\u001b]0;owned\u0007\u202e\u009b31m\r\n\u2028"))
effect(
    "/resolve points to a foreign host; with a number that port of this machine",
    name="resolve_foreign",
    changes="ends",
)(_only("/resolve", _elsewhere))
effect("/me answers as another person", name="me_somebody_else", changes="ends")(_only("/me", _somebody_else))
