"""Answer a request as SoundCloud would: every address a crawler reads, and the OAuth ones.

In: a Request. Out: a Reply. Never: the wire; faults are put on top (harvest/simulator/faults/).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import copy
from functools import partial
from urllib.parse import quote, unquote

from harvest.simulator.service.addresses import resolve
from harvest.simulator.service.objects import objects_of
from harvest.simulator.service.pages import ALL, MAX_LIMIT, Pages
from harvest.simulator.service.replies import BadParameter, SimReply, SimRequest, json_reply, not_found, refusal
from harvest.simulator.service.search import MOST_FOUND, Search, read_wanted
from harvest.simulator.service.tokens import Terms, Tokens
from harvest.simulator.world.lists import BY_PATH
from harvest.simulator.world.prng import Shuffle, salt
from harvest.simulator.world.world import World

_NEED_TOKEN = "A request must contain the Authorization header with a valid access token."
_RELATED = 60
_THINGS = {"tracks": "track", "users": "user", "playlists": "playlist"}
_STILL_ANSWERED = ("users/followers", "users/followings")  # 200 and empty for people who are gone, issue 121


class Service:
    """The made-up SoundCloud itself, API and OAuth in one."""

    def __init__(
        self,
        world: World,
        base_url: str = "https://api.soundcloud.com",
        *,
        terms: Terms | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.base_url = base_url
        self.tokens = Tokens(terms or Terms(), clock)
        self._show(world)

    def showing(self, world: World) -> Service:
        """Return the same service, with the same tokens, over another world."""
        other = copy(self)
        other._show(world)
        return other

    def _show(self, world: World) -> None:
        self.world = world
        self.name, self.seed = world.name, world.options.seed
        self.objects = objects_of(world)
        self._search = Search(world, self.objects)
        self._pages = Pages(world, self.objects, lambda: self.base_url)

    def handle(self, request: SimRequest) -> SimReply:
        """Answer one request."""
        if is_oauth(request.path):
            return self._oauth(request)
        ticket = self.tokens.check(request)
        if ticket is None:
            message = "" if "authorization" in request.headers else _NEED_TOKEN
            return refusal(401, message)
        if request.method != "GET":
            return not_found()
        try:
            return self._route(request, [unquote(part) for part in request.path.split("/")[1:]], user=ticket.user)
        except BadParameter as problem:
            return refusal(problem.status, str(problem))

    def _oauth(self, request: SimRequest) -> SimReply:
        """Answer the addresses of the token host."""
        answers = {
            ("POST", "/oauth/token"): self.tokens.grant,
            ("GET", "/authorize"): self.tokens.authorize,
            ("POST", "/sign-out"): self.tokens.sign_out,
        }
        answer = answers.get((request.method, request.path))
        return not_found() if answer is None else answer(request)

    def _route(self, request: SimRequest, parts: list[str], *, user: bool) -> SimReply:
        """Find who answers a path."""
        match parts:
            case ["resolve"]:
                return self._resolve(request)
            case ["me", *rest]:
                return self._me(request, rest) if user else refusal(401)
            case ["system-playlists", reference]:
                return self._station(request, reference)
            case [collection] if collection in _THINGS:
                return self._searched(request, _THINGS[collection])
            case [collection, reference, *rest] if collection in _THINGS:
                thing = _THINGS[collection]
                index = self._find(thing, reference)
                return not_found() if index is None else self._about(request, thing, index, rest)
        return not_found()

    def _find(self, thing: str, reference: str) -> int | None:
        """Read a URN or a bare number."""
        number = reference.removeprefix(f"soundcloud:{thing}s:")
        if not (number.isascii() and number.isdigit() and len(number) < 20):
            return None
        return self.world.facts.ids[thing].index(int(number))

    def _about(self, request: SimRequest, thing: str, index: int, rest: list[str]) -> SimReply:
        """Answer what is asked about one user, track or playlist."""
        path = "/".join([f"{thing}s", *rest])
        denied = self._denied(request, thing, index, path)
        if denied is not None:
            return denied
        if not rest:
            show = request.query.get("show_tracks") not in ("false", "0")
            return json_reply(200, self.objects.bytes_of(thing, index, show_tracks=show))
        if path in BY_PATH:
            return self._pages.page(request, BY_PATH[path], index)
        if rest == ["related"] and thing == "user":
            return self._pages.numbered(request, thing, self._related(thing, index))
        return not_found()

    def _station(self, request: SimRequest, urn: str) -> SimReply:
        """Answer what is asked about a station: all of it, with its tracks."""
        index = self.world.facts.stations.at(urn)
        kind = BY_PATH["stations"]
        if index is None or not self.world.deeds.entries(kind.name, index).items:
            return not_found()
        return self._pages.inside(request, kind, index)

    def _denied(self, request: SimRequest, thing: str, index: int, path: str) -> SimReply | None:
        """Refuse what is gone, forbidden or private."""
        facts = self.world.facts
        if not facts.there(thing, index):
            return self._pages.empty(request) if path in _STILL_ANSWERED else not_found()
        if thing == "user" and facts.forbidden(index) and path != "users":
            return refusal(403)
        if path == "tracks" and facts.private(index) and request.query.get("secret_token") != facts.secret(index):
            return not_found()
        return None

    def _resolve(self, request: SimRequest) -> SimReply:
        """Point to what a page address stands for."""
        found = resolve(self.world, request.query.get("url", ""))
        if found is None:
            return not_found()
        urn = self.objects.urn(found.thing, found.index)
        named = found.thing == "station"
        end = urn.rsplit(":", 1)[-1] if self.world.options.numeric_ids and not named else quote(urn, safe=":")
        secret = f"?secret_token={found.secret}" if found.secret else ""
        location = f"{self.base_url}/{'system-playlist' if named else found.thing}s/{end}{secret}"
        return json_reply(302, {"status": "302 - Found", "location": location}, location=location)

    def _me(self, request: SimRequest, rest: list[str]) -> SimReply:
        """Answer what the logged-in person asks about themselves; blocked tracks are included."""
        me = self.world.index("user", self.world.me_id)
        if not rest:
            return json_reply(200, self.objects.me(me))
        if rest == ["recently-played", "tracks"]:
            return self._pages.played(request, me)
        kind = BY_PATH.get("/".join(["users", *rest]))
        return not_found() if kind is None else self._pages.page(request, kind, me, access=ALL)

    def _searched(self, request: SimRequest, thing: str) -> SimReply:
        """Answer a search, or fetch things by their URNs."""
        if "urns" in request.query and thing != "playlist":
            return self._batch(request, thing)
        wanted = read_wanted(thing, request.query)
        found, stream = self._search.find(wanted), self._search.stream(wanted)
        null, quirks = self.world.deeds.null, self.world.options.quirks
        items = [None if null("search", stream, item) else item for item in found]
        endless = quirks and (len(found) == MOST_FOUND or stream & 1 == 1)
        return self._pages.numbered(request, thing, items, endless=endless)

    def _batch(self, request: SimRequest, thing: str) -> SimReply:
        """Fetch by URN: what is missing is left out, and the order is the service's own."""
        wanted = [urn for urn in request.query["urns"].split(",") if urn]
        if len(wanted) > MAX_LIMIT:
            raise BadParameter("urns")
        found = {index for urn in wanted if (index := self._find(thing, urn)) is not None}
        shown = (item for item in found if self._search.shown(thing, item))
        order = partial(self.world.facts.chance, "batch")
        return self._pages.numbered(request, thing, sorted(shown, key=order))

    def _related(self, thing: str, index: int) -> list[int]:
        """Return things of the same taste, never the thing itself."""
        communities = self.world.options.community_count
        first = index % communities
        members = range(first, self.world.facts.ids[thing].count, communities)
        shuffle = Shuffle(len(members), salt(self.world.options.seed, "related", thing, index))
        found = [members[shuffle.to(place)] for place in range(min(len(members), _RELATED))]
        return [item for item in found if item != index and self._search.shown(thing, item)]


def is_oauth(path: str) -> bool:
    """Say whether a path belongs to the token host rather than to the API."""
    return path in ("/oauth/token", "/authorize", "/sign-out")
