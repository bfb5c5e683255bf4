"""Ask one page of every endpoint that is known, with each credential, and keep the shapes of what comes.

In: clients that are open, by credential. Out: a Report. Never: a value of a person or thing, outside of memory.
"""

from __future__ import annotations

import json
from asyncio import CancelledError
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from harvest._version import __version__
from harvest.api.resolving import read_location
from harvest.api.responses import Reply
from harvest.api.seed_urls import normalise_seed
from harvest.client.client import Client
from harvest.errors import ApiError, AppRefused, Blocked, Halted, SeedError, UnexpectedReply
from harvest.models import OURSELVES
from harvest.probing.endpoints import Asked, endpoints_asked
from harvest.probing.facts import official
from harvest.probing.findings import findings
from harvest.probing.onward import goes_on, kind_of, limits_told
from harvest.probing.report import Answer, Endpoint, Report
from harvest.probing.shapes import shape_of
from harvest.probing.targets import Targets
from harvest.things import THINGS, of_urn

APPLICATION, PERSON, TOKEN = "application", "person", "token"
_TRIES = 3  # of things whose list may be empty, or that may be refused alone
_OF_ONE_THING = frozenset({"gone", "forbidden"})
_NOBODY = "nobody is signed in"


def begin_at(address: str) -> tuple[str, str, str]:
    """Read where a probe begins: a thing and its URN, or the address of a page, which is to be resolved.

    Raises SeedError for what stands for no public thing.
    """
    seed = normalise_seed(address)
    if seed.secret or seed.url == OURSELVES or seed.kind.startswith("search"):
        raise SeedError("A probe begins at the page of a track, a person, a playlist or a station that all may see.")
    if seed.url.startswith(THINGS["station"].urn):
        return "station", seed.url, ""
    named = of_urn(seed.url)
    return (named[0].name, seed.url, "") if named else ("", "", seed.url)


def requests_planned(credentials: Sequence[str]) -> int:
    """Say how many requests a probe with these credentials takes, where nothing is refused and no list is empty."""
    every = endpoints_asked()
    public = sum(not one.own for one in every)
    return public * len(credentials) + (len(every) - public) * (set(credentials) != {APPLICATION})


def how_it_ended(error: BaseException | None) -> str:
    """Name the end of a probe as a report does; `error` is what it ended with."""
    if error is None:
        return "whole"
    if isinstance(error, Halted):
        return "max_requests"
    if isinstance(error, KeyboardInterrupt | CancelledError):
        return "interrupted"
    return "blocked" if isinstance(error, Blocked) else "refused"


class Probe:
    """One probe, which begins at an address, or with a search. What was learned until now can be told at any time.

    Raises SeedError for an address where none can begin.
    """

    def __init__(self, credentials: Sequence[str], address: str = "") -> None:
        self.credentials = list(credentials)
        self._thing, self._urn, self._page = begin_at(address) if address else ("", "", "")
        self._targets = Targets()
        self._endpoints: dict[str, Endpoint] = {}
        self._world = ""
        self._refused: set[str] = set()
        if self._urn:
            self._targets.begin_with(self._thing, self._urn)

    async def run(self, clients: Mapping[str, Client], on_step: Callable[[str], object] = lambda name: None) -> None:
        """Ask everything, one after the other; `on_step` hears before which endpoint it is.

        Raises what ends a run: Blocked, AuthError, Halted.
        """
        for client in clients.values():
            client.on_world(self._hear_world)
        await self._whose(clients)
        every = endpoints_asked()
        if self._page:  # what it stands for is asked about first
            every = tuple(sorted(every, key=lambda asked: asked.shape != "redirect"))
        for asked in every:
            on_step(asked.name)
            for credential, client in clients.items():
                await self._ask(asked, credential, client)

    @property
    def learned(self) -> bool:
        """Whether anything was answered or refused."""
        return any(endpoint.answers for endpoint in self._endpoints.values())

    def ensure_app_is_answered(self) -> None:
        """Raise AppRefused where the service has refused everything that it was asked."""
        answers = [answer for endpoint in self._endpoints.values() for answer in endpoint.answers.values()]
        if answers and all(answer.problem == "forbidden" for answer in answers):
            raise AppRefused("SoundCloud refuses this app whatever it asks for: look at soundcloud.com/you/apps.")

    def report(self, ended: str, requests: int, now: datetime) -> Report:
        """Give what was learned."""
        return Report(
            made_by=f"harvest {__version__}",
            day=now.date().isoformat(),
            credentials=self.credentials,
            ended=ended,
            requests=requests,
            endpoints=self._endpoints,
            differences=findings(self._endpoints),
            official=official().day,
            world=self._world,
        )

    def _hear_world(self, world: str) -> None:
        self._world = world

    async def _whose(self, clients: Mapping[str, Client]) -> None:
        """Find out whether a token of unknown origin is a person's."""
        if TOKEN not in clients:
            return
        try:
            await clients[TOKEN].listen("/me", lambda reply: None)
        except ApiError:
            self._refused.add(TOKEN)

    async def _ask(self, asked: Asked, credential: str, client: Client) -> None:
        """Ask one endpoint with one credential; where a list is empty or refused, of another thing once more."""
        endpoint = self._endpoints.setdefault(asked.name, Endpoint())
        if asked.own and (credential == APPLICATION or credential in self._refused):
            endpoint.not_asked = "" if endpoint.answers else _NOBODY
            return
        paths = self._paths(asked)
        if not paths:
            endpoint.not_asked = f"no {asked.subject or asked.batch_of or 'page'} was met"
            return
        endpoint.not_asked = ""
        for path_and_query in paths:
            answer = await self._answer(asked, path_and_query, client)
            of_one_thing = answer.problem in _OF_ONE_THING
            if not of_one_thing or credential not in endpoint.answers:
                endpoint.answers[credential] = answer
            if not of_one_thing and (answer.problem or answer.entries != 0):
                break

    def _paths(self, asked: Asked) -> list[str]:
        """Fill in what an endpoint is asked about: several paths where the first may lead to nothing."""
        filled = {"url": self._page or self._targets.page(), "urns": self._targets.together(asked.batch_of or "track")}
        if any(name in filled and not (value or filled[name]) for name, value in asked.query):
            return []
        query = urlencode(
            [(name, value or filled.get(name, "")) for name, value in asked.query], safe=",:", quote_via=quote
        )
        urns = self._targets.of(asked.subject, _TRIES, asked.claimed) if asked.subject else [""]
        return [asked.path.format(urn=urn) + (f"?{query}" if query else "") for urn in urns]

    async def _answer(self, asked: Asked, path_and_query: str, client: Client) -> Answer:
        """Ask once, and take the values out of what comes."""
        replies: list[Reply] = []
        problem = ""
        try:
            await client.listen(path_and_query, replies.append, redirects=asked.shape == "redirect")
        except ApiError as error:
            problem = error.name
        last = replies[-1] if replies else Reply(0)
        limits = limits_told({name: value for reply in replies for name, value in reply.headers.items()})
        value = None if problem else _decoded(last)
        if value is None:
            return Answer(last.status, problem or UnexpectedReply.name, limits=limits)
        if not asked.own:
            self._targets.meet(value)
        if asked.shape == "redirect":
            location = self._followed(last, client)
            return Answer(last.status, fields=shape_of(value), location=location, limits=limits)
        entries, next_href = _entries(asked, value)
        return Answer(
            last.status,
            asked_for=next((int(size) for name, size in asked.query if name == "limit"), None),
            entries=entries,
            fields=shape_of(value),
            goes_on=goes_on(next_href, asked=path_and_query, api_base=client.address),
            limits=limits,
        )

    def _followed(self, reply: Reply, client: Client) -> str:
        """Begin with what an address stands for, and say in what kind of name the redirect ends."""
        location = reply.headers.get("location", "")
        key = unquote(urlsplit(location).path).rpartition("/")[2]
        try:
            resource = read_location(location, api_base=client.address, seed_url="")
        except (ApiError, SeedError):
            return kind_of(key)
        if self._page:
            urn = resource.urn or f"{resource.thing.urn}{resource.number}"
            self._targets.begin_with(resource.thing.name, urn)
        return "number" if key.isdecimal() else kind_of(key)


def _decoded(reply: Reply) -> Any:
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        return None


def _entries(asked: Asked, value: Any) -> tuple[int | None, object]:
    """Count the entries of a list, and find where it goes on."""
    name = "tracks" if asked.shape == "inside" else "collection"
    if asked.shape == "thing":
        return None, None
    found, next_href = (value.get(name), value.get("next_href")) if isinstance(value, dict) else (value, None)
    return len(found) if isinstance(found, list) else None, next_href
