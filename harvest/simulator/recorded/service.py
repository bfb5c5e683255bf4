"""Answer requests as a recorded service did.

In: a request, whatever host it names. Out: what it was answered the first time, the second, ..., then the last again.
A page comes as it was cut when it was recorded, however long a one is asked for; a request for a single entry, by which
crawlers see whether a list is answered at all, does not count as a time.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from urllib.parse import unquote, urlencode

import msgspec

from harvest.simulator.recorded.exchange import Exchange
from harvest.simulator.service.replies import (
    JSON_TYPE,
    SimReply,
    SimRequest,
    error_object,
    json_reply,
    not_found,
)
from harvest.simulator.service.service import is_oauth
from harvest.simulator.service.tokens import Terms, Tokens

_NEXT = re.compile(rb'("next_href":")https?://[^/"?#\\]+')
_BATCH = re.compile(r"/(?:tracks|users|playlists)", re.ASCII)
_BATCHES_READ = 64  # bodies held at once, taken apart
_TOLD = 10_000  # requests that are remembered as told


class Recorded:
    """A recording: its name, what was exchanged, how a body is had by its number.

    `canonical` brings the spellings of one request together; `tell` hears, once each, what was asked for in vain.
    """

    def __init__(
        self,
        name: str,
        exchanges: Iterable[Exchange],
        body: Callable[[int], bytes],
        *,
        canonical: Callable[[str], str],
        tell: Callable[[str], None] = lambda request: None,
    ) -> None:
        self.name = name
        self.body = body
        self.canonical = canonical
        self.tell = tell
        self.replies: dict[int, list[Exchange]] = {}
        self.things: dict[str, int] = {}  # by URN, the latest body that may show it
        for exchange in exchanges:
            self.replies.setdefault(self.key(exchange.request), []).append(exchange)
            if exchange.body is not None:
                self.things.update(dict.fromkeys(exchange.urns, exchange.body))

    def key(self, request: str) -> int:
        """Give what is the same for every spelling of a request."""
        return int.from_bytes(blake2b(self.canonical(request).encode(), digest_size=8).digest())


class RecordedService:
    """A service that knows nothing but what was recorded. It takes any token, and grants one to every client."""

    seed = 0  # of what is drawn: faults, latency

    def __init__(
        self,
        world: Recorded,
        base_url: str = "https://api.soundcloud.com",
        *,
        terms: Terms | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.base_url = base_url
        self.tokens = Tokens(replace(terms or Terms(), credentials=None), clock)
        self.name = world.name
        self._world = world
        self._asked: Counter[int] = Counter()
        self._told: set[str] = set()
        self._shown = lru_cache(_BATCHES_READ)(self._take_apart)

    def handle(self, request: SimRequest) -> SimReply:
        """Answer one request."""
        if is_oauth(request.path):
            answer = self.tokens.grant if (request.method, request.path) == ("POST", "/oauth/token") else None
            return answer(request) if answer else not_found()
        return self._recorded(request) if request.method == "GET" else not_found()

    def _recorded(self, request: SimRequest) -> SimReply:
        target = _target(request)
        exchanges = self._world.replies.get(key := self._world.key(target))
        if exchanges:
            place = self._asked[key]
            if request.query.get("limit", request.query.get("page_size")) != "1":
                self._asked[key] += 1
            return self._reply(_nth(exchanges, place))
        return self._by_name(request, target)

    def _reply(self, exchange: Exchange) -> SimReply:
        if exchange.location:
            location = f"{self.base_url}{exchange.location}"
            return json_reply(302, {"status": "302 - Found", "location": location}, location=location)
        if exchange.body is not None:
            body = _NEXT.sub(rb"\1" + self.base_url.encode(), self._world.body(exchange.body))
            return SimReply(exchange.status, {"content-type": JSON_TYPE}, body)
        text = exchange.evidence
        kind = JSON_TYPE if text.lstrip()[:1] in ("{", "[") else "text/html" if "<" in text[:100] else "text/plain"
        return SimReply(exchange.status, {"content-type": kind}, text.encode())

    def _by_name(self, request: SimRequest, target: str) -> SimReply:
        """Answer what is asked for by URN from what other requests brought, and all else with what was not recorded."""
        if _BATCH.fullmatch(request.path) and (wanted := request.query.get("urns", "")):
            found = {urn: self._thing(urn) for urn in wanted.split(",") if urn}
            for urn in found:
                if urn not in self._world.things:
                    self._tell(f"{request.path}?urns={urn}")
            return json_reply(200, {"collection": [thing for thing in found.values() if thing is not None]})
        thing = self._thing(unquote(request.path).rpartition("/")[2])
        if thing is not None:
            return SimReply(200, {"content-type": JSON_TYPE}, bytes(thing))
        self._tell(target)
        return json_reply(404, error_object(404, f"404 - Not Found: {self.name} has no reply to {target[:300]}"))

    def _thing(self, urn: str) -> msgspec.Raw | None:
        body = self._world.things.get(urn)
        return None if body is None else self._shown(body).get(urn)

    def _take_apart(self, body: int) -> dict[str, msgspec.Raw]:
        """Give the things in a body, or the one that it is, by their URNs."""
        whole = self._world.body(body)
        try:
            found = msgspec.json.decode(whole, type=_Batch | list[msgspec.Raw])
            entries = found if isinstance(found, list) else found.collection or [msgspec.Raw(whole)]
            named = [(msgspec.json.decode(entry), entry) for entry in entries]
        except msgspec.DecodeError:
            return {}
        return {_urn(thing): entry.copy() for thing, entry in named if isinstance(thing, dict)}

    def _tell(self, request: str) -> None:
        if request not in self._told and len(self._told) < _TOLD:
            self._told.add(request)
            self._world.tell(request)


class _Batch(msgspec.Struct):
    collection: list[msgspec.Raw] | None = None


def _urn(thing: dict[str, Any]) -> str:
    """Name a thing, also one from before there were URNs."""
    return str(thing.get("urn") or f"soundcloud:{thing.get('kind')}s:{thing.get('id')}")


def _nth(exchanges: list[Exchange], place: int) -> Exchange:
    for exchange in exchanges:
        if place < exchange.times:
            return exchange
        place -= exchange.times
    return exchanges[-1]


def _target(request: SimRequest) -> str:
    return f"{request.path}?{urlencode(request.query)}" if request.query else request.path
