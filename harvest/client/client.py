"""Send one Task's request and return its Page.

From the outside: retry, authorisation, pace, wire. So every attempt and every token call pays for its place.

in: a Task; out: a Page; never: a token to any host but the configured one, a cursor hidden in a generator.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256

from harvest.api import cursors, endpoints, parse, resolving, responses, urns
from harvest.api.endpoints import Request
from harvest.api.responses import Reply
from harvest.auth.bearer import Bearer
from harvest.auth.grants import Token
from harvest.client.retry import Retry
from harvest.client.transport import Sender, ServiceAddress
from harvest.errors import (
    ApiError,
    Challenged,
    Forbidden,
    Gone,
    Halted,
    LoginNeeded,
    PermanentError,
    RateLimited,
    Unauthorized,
    UnexpectedReply,
    Unreachable,
)
from harvest.lists import LOOKUP, RESOLVE
from harvest.models import OURSELVES, Gauge, Page, Task
from harvest.pacing.queue import Slot
from harvest.profiles import USUAL, bare
from harvest.system.clock import as_text
from harvest.things import THINGS, Thing, of_urn

STATION = THINGS["station"]
_TOKENS = 5  # one request tries no more of them

_SOMETHING = endpoints.resolve("https://soundcloud.com/soundcloud")  # asked only to see whether an answer comes
# Something public that stands on no address which a seed or a list is asked at.
_CATALOGUE = Request("/tracks?q=a&limit=1&linked_partitioning=true")
_BRIEFLY = 1  # entries asked for, only to see whether a list is answered

SMALLEST_PAGE = 25  # trouble does not make pages smaller than this


class Client:
    """The API as the crawl sees it."""

    def __init__(
        self,
        sender: Sender,
        *,
        bearer: Bearer,
        retry: Retry,
        api_url: str = "https://api.soundcloud.com",
        profiles: str = USUAL,
    ) -> None:
        self._sender = sender
        self._bearer = bearer
        self._retry = retry
        self._service = ServiceAddress(api_url, "SOUNDCLOUD_API_URL")
        self._full_profiles, self._bare = profiles == "full", profiles == "none"
        self._line = Line()
        self._refused_token = asyncio.Lock()
        self._control: Callable[[Task], Task | None] = lambda task: None
        self._carries_bodies = False

    @property
    def address(self) -> str:
        """The address of the API."""
        return self._service.base

    @property
    def queued(self) -> int:
        """How many requests wait for a token or for their slot."""
        return self._line.length

    @property
    def in_flight(self) -> int:
        """How many requests are on the wire, token calls included."""
        return self._sender.in_flight

    @property
    def tally(self) -> Counter[int]:
        """How many requests ended with which status, 0 where no status arrived."""
        return self._sender.tally

    @property
    def waited_seconds(self) -> float:
        """How long we have waited because the service said so."""
        return self._sender.pace.waited_seconds

    def gauge(self) -> Gauge:
        """Say how the asking goes just now."""
        pace = self._sender.pace
        left = max(0.0, pace.hold_until - self._sender.clock.monotonic())
        return Gauge(self._sender.sent, self.in_flight, pace.interval, left, pace.hold_reason)

    def on_world(self, tell: Callable[[str], None]) -> None:
        """Let `tell` hear which simulated world answers, "" for the real service, before any of its replies is used.

        It hears the first and every other one; what it raises ends the run.
        """
        self._sender.on_world = tell

    def on_doubt(self, control: Callable[[Task], Task | None]) -> None:
        """Let `control` give another list of the same kind that was answered before: asked when one is refused."""
        self._control = control

    def carry_bodies(self) -> None:
        """Let every page have the body of its reply with it, from now on."""
        self._carries_bodies = True

    def take_tally(self) -> Counter[int]:
        """Give the tally since the last time and begin a new one."""
        return self._sender.take_tally()

    async def room(self) -> None:
        """Return when no request waits for a slot: only then is more work worth claiming. After a halt, none does."""
        await self._line.empty()

    def halt(self) -> None:
        """End, at once, every fetch that is not on the wire with Halted; what is in flight may still bring its page."""
        self._line.close()

    async def settle(self) -> None:
        """Wait, when no fetch goes on any more, for a token request on the wire: its answer is kept, and counted."""
        if self.in_flight:
            await self._bearer.close(patience=10.0)

    async def fetch(self, task: Task) -> Page:
        """Ask for the next page of a list, or for the thing a seed stands for.

        Raises ApiError for what is wrong with the list, Halted when nothing more may be asked, other HarvestErrors for
        what ends the run.
        """
        with self._line.fetching():
            alone = task.kind == RESOLVE.name or (task.kind == LOOKUP.name and "," not in (task.about or ""))
            return await (self._seed(task.about or "") if alone else self._list(task))

    async def answers(self, task: Task | None = None) -> ApiError | None:
        """Ask once for the beginning of a list, or for something that no list depends on, only to see what comes; give
        what is wrong, None where it is answered.
        """
        with self._line.fetching():
            token = await self._bearer.token()
            return await self._asked(task, token)

    async def me(self) -> tuple[str, str]:
        """Ask whose token it is; give name and URN."""
        return parse.parse_me((await self.look("/me", self._success)).body)

    async def find(self, page_url: str) -> None:
        """Ask what a page stands for, only to see whether we are answered; raise Gone when there is no such page."""
        await self.look(endpoints.resolve(page_url).path_and_query, self._redirect)

    async def look(self, path_and_query: str, check: Callable[[Reply], object]) -> Reply:
        """Ask for one thing that is no list."""

        async def attempt(failures: int) -> Reply:
            with _named(f"GET {endpoints.redacted(path_and_query)}"):
                return await self._authorised(Request(path_and_query), check)

        return await self._retry.run(attempt, is_there=self._is_there)

    async def listen(self, path_and_query: str, heard: Callable[[Reply], object], *, redirects: bool = False) -> Reply:
        """Ask for what stands at a path, with the patience that a list is asked with; `heard` gets every reply to it,
        refusals too. With `redirects`, one is awaited. Raises what `fetch` raises.
        """
        doubt = self._doubt()

        def check(reply: Reply) -> None:
            heard(reply)
            (self._redirect if redirects else self._success)(reply)

        async def attempt(failures: int) -> Reply:
            with _named(f"GET {endpoints.redacted(path_and_query)}"), doubt:
                return await self._authorised(Request(path_and_query), check, doubt)

        with self._line.fetching():
            return await self._retry.run(attempt, is_there=self._is_there, elsewhere=doubt.answered_elsewhere)

    async def _list(self, task: Task) -> Page:
        kind = endpoints.kind_of(task)

        doubt = self._doubt(task)

        async def attempt(failures: int) -> Page:
            size = _shrunk(endpoints.clamped(task.page_size), failures)
            request = endpoints.request(replace(task, page_size=size) if failures else task, kind)
            shown = endpoints.redacted(request.path_and_query)
            with _named(f"GET {shown}"), doubt:
                reply = await self._authorised(request, self._success, doubt)
                with self._reading(reply):
                    page, next_href = parse.parse_page(
                        reply.body,
                        kind,
                        task.subject_id,
                        full_profiles=self._full_profiles,
                        is_kept=self._carries_bodies,
                    )
                    cursor = cursors.follow(
                        next_href,
                        asked=request.path_and_query,
                        parameters=endpoints.list_parameters(task, kind),
                        api_base=self._service.base,
                    )
            if cursor and size != endpoints.clamped(task.page_size):  # small for the sake of this page only
                cursor = cursors.resized(cursor, endpoints.clamped(task.page_size))
            return self._stamped(page, reply, shown, cursor)

        return await self._retry.run(attempt, is_there=self._is_there, elsewhere=doubt.answered_elsewhere)

    async def _seed(self, address: str) -> Page:
        """Ask what an address stands for, and then for that."""
        urn = of_urn(address)
        if urn is not None:
            return await self._thing(*urn)
        if address.startswith(STATION.urn):
            number = urns.identify(STATION.name, urn=address)
            assert isinstance(number, int)  # the address was read before
            return await self._thing(STATION, number, named=address)
        if address == OURSELVES:
            return await self._ourselves()
        asked = endpoints.resolve(address)
        shown = endpoints.redacted(asked.path_and_query)
        noted = RESOLVE.path if self._bare else shown

        async def resolve(failures: int) -> resolving.Resource:
            with _named(f"GET {shown}"):
                reply = await self._authorised(asked, self._redirect)
                location = responses.redirect(reply, now=self._sender.clock.now())
                return resolving.read_location(location, api_base=self._service.base, seed_url=address)

        resource = await self._retry.run(resolve, is_there=self._is_there)
        return await self._thing(resource.thing, resource.number, resource.secret_token, resource.urn, shown=noted)

    async def _ourselves(self) -> Page:
        """Ask who is signed in. Raises LoginNeeded where no one is."""
        await self._bearer.token()
        if self._bearer.kind == "client_credentials":
            raise LoginNeeded("'me' is the account you are signed in to, and there is none: run `harvest auth login`.")
        reply = await self.look("/me", self._success)
        page = parse.parse_thing(reply.body, "user", full_profiles=self._full_profiles)
        return self._stamped(page, reply, "/me", None)

    async def _thing(
        self,
        thing: Thing,
        number: int,
        secret_token: str | None = None,
        named: str | None = None,
        *,
        shown: str | None = None,
    ) -> Page:
        """Ask for one thing, `named` where its number is no name; `shown` is the request to be noted, if another."""
        request = endpoints.thing(thing, number, secret_token, named)

        doubt = self._doubt()

        async def look(failures: int) -> Page:
            with _named(f"GET {endpoints.redacted(request.path_and_query)}"), doubt:
                reply = await self._authorised(request, self._success, doubt)
                with self._reading(reply):
                    page = parse.parse_thing(reply.body, thing.name, full_profiles=self._full_profiles)
                    if page.items != (number,):  # a cache has served other people's replies (issue 380)
                        raise UnexpectedReply(
                            f"The reply is about another {thing.name}.",
                            status=200,
                            reply=responses.evidence(reply.body),
                        )
            return self._stamped(page, reply, shown or endpoints.redacted(request.path_and_query), None)

        return await self._retry.run(look, is_there=self._is_there, elsewhere=doubt.answered_elsewhere)

    async def _is_there(self) -> bool:
        """Say whether the service answers something that no list depends on; whatever the answer is."""
        with self._line:
            token = await self._bearer.token()
            slot = await self._sender.slot()
        try:
            await self._send(slot, _SOMETHING, token, self._redirect)
        except Unreachable as error:
            return error.status != 0
        except ApiError:
            return True
        return True

    def _doubt(self, task: Task | None = None) -> Doubt:
        """Give the doubt about one request: whether it alone is refused."""

        async def answered(token: Token | None = None) -> bool:
            error = await self._asked(self._control(task) if task else None, token or await self._bearer.token())
            return error is None or isinstance(error, PermanentError | UnexpectedReply)

        return Doubt(answered, lambda: self._retry.refuses_lists)

    async def _asked(self, task: Task | None, token: Token) -> ApiError | None:
        """Ask once, with this very token; give what is wrong with the reply."""
        with self._line:
            slot = await self._sender.slot()
        request, check = _CATALOGUE, self._success
        if task is not None:
            request, check = (
                endpoints.request(replace(task, page_size=_BRIEFLY), endpoints.kind_of(task)),
                self._success,
            )
        try:
            await self._send(slot, request, token, check)
        except ApiError as error:
            return error
        return None

    async def _authorised(
        self, request: Request, check: Callable[[Reply], object], doubt: Doubt | None = None
    ) -> Reply:
        """Send with a token, and once more with another one when the first is not accepted.

        More often only while tokens are refused that were replaced meanwhile, or that another process got for us. A
        token with which something else is answered is good: asked with it again, the request is refused for good.
        """
        token: Token | None = None
        refusal: Unauthorized | None = None
        good: Token | None = None
        for attempt in range(_TOKENS):
            with self._line:
                token = await (self._bearer.renew(token) if token and token is not good else self._bearer.token())
                slot = await self._sender.slot()
            try:
                return await self._send(slot, request, token, check, quietly=doubt is not None and doubt.quietly)
            except Unauthorized as error:
                refusal = error
                if good is not None and token is good:
                    break
                if doubt is not None and await self._is_good(token, doubt):
                    good = token
                elif attempt and self._bearer.is_latest(token):
                    break
        assert token is not None
        assert refusal is not None
        self._bearer.ensure_accepted(token)  # a token that never worked ends the run
        raise Forbidden(str(refusal), status=refusal.status, reply=refusal.reply) from refusal

    async def _is_good(self, token: Token, doubt: Doubt) -> bool:
        """Say whether something else is answered with a refused token; False, unasked, for one that is replaced."""
        async with self._refused_token:
            return self._bearer.is_present(token) and await doubt.answered_elsewhere(token)

    async def _send(
        self, slot: Slot, request: Request, token: Token, check: Callable[[Reply], object], *, quietly: bool = False
    ) -> Reply:
        url = self._service.at(request.path_and_query)
        shown = endpoints.redacted(request.path_and_query)
        headers = {"Authorization": f"OAuth {token.access_token}"}
        with self._sender.pace.judged(slot, quietly=quietly), self._line.on_the_wire():
            reply = await self._sender.send("GET", url, headers=headers, shown=f"GET {shown}")
            try:
                check(reply)
            except Gone:
                self._bearer.accepted(token)
                raise
        self._bearer.accepted(token)
        return reply

    @contextmanager
    def _reading(self, reply: Reply) -> Iterator[None]:
        """Let the error about a reply that cannot be read carry it, where replies are kept."""
        try:
            yield
        except UnexpectedReply as error:
            if self._carries_bodies:
                error.body = reply.body
            raise

    def _success(self, reply: Reply) -> None:
        responses.success(reply, now=self._sender.clock.now())

    def _redirect(self, reply: Reply) -> None:
        responses.redirect(reply, now=self._sender.clock.now())

    def _stamped(self, page: Page, reply: Reply, shown: str, cursor: str | None) -> Page:
        now = self._sender.clock.now()
        if self._bare:
            page = bare(page)
        return replace(
            page,
            request=shown,
            next_cursor=cursor,
            cursor_time=cursors.cursor_time(cursor, now=now),
            fetched_at=as_text(now),
            elapsed_ms=reply.elapsed_ms,
            size_bytes=len(reply.body),
            digest=sha256(reply.body).digest(),
            body=reply.body if self._carries_bodies else None,
        )


class Doubt:
    """Whether a request is refused alone, of all that is asked. As a context it notes how the request was refused.

    `quietly` says that a refusal is to stop no other request, for it may be of this request alone: it was refused
    before, or others were while something else was answered.
    """

    def __init__(self, answered_elsewhere: Callable[..., Awaitable[bool]], others: Callable[[], bool]) -> None:
        self.answered_elsewhere = answered_elsewhere
        self._others = others
        self._refused = False

    @property
    def quietly(self) -> bool:
        """Whether the next refusal is to stop no other request."""
        return self._refused or self._others()

    def __enter__(self) -> None:
        self._was_quiet = self.quietly

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RateLimited | Challenged):
            error.quietly, self._refused = self._was_quiet, True


class Line:
    """Who works on a fetch: some on the wire, some waiting for a token or for their slot."""

    def __init__(self) -> None:
        self._fetching: set[asyncio.Task[object]] = set()
        self._on_the_wire: set[asyncio.Task[object]] = set()
        self._dropped: set[asyncio.Task[object]] = set()
        self._nobody = asyncio.Event()
        self._nobody.set()
        self._closed = False
        self.length = 0

    def __enter__(self) -> None:
        if self._closed:
            raise Halted
        self.length += 1
        self._nobody.clear()

    def __exit__(self, *error: object) -> None:
        self.length -= 1
        if not self.length:
            self._nobody.set()

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """Count the running task among those that `close` may drop; raise Halted in the one that was dropped."""
        task = _running()
        cancelled_before = task.cancelling()
        self._fetching.add(task)
        try:
            yield
        except asyncio.CancelledError:
            # As asyncio.timeout does: the cancellation was ours, unless another caller wants the task to end as well.
            if task in self._dropped and task.uncancel() <= cancelled_before:
                raise Halted from None
            raise
        finally:
            self._fetching.discard(task)
            self._dropped.discard(task)

    @contextmanager
    def on_the_wire(self) -> Iterator[None]:
        """Keep the running task from being dropped while its request is out."""
        task = _running()
        self._on_the_wire.add(task)
        try:
            yield
        finally:
            self._on_the_wire.discard(task)

    async def empty(self) -> None:
        """Return when no request waits."""
        await asyncio.sleep(0)  # let those who were just started take their place
        while self.length:
            await self._nobody.wait()

    def close(self) -> None:
        """Let no more requests in, and cancel those that are not on the wire."""
        self._closed = True
        for task in self._fetching - self._on_the_wire - self._dropped:
            self._dropped.add(task)
            task.cancel()


def _running() -> asyncio.Task[object]:
    task = asyncio.current_task()
    assert task is not None
    return task


@contextmanager
def _named(request: str) -> Iterator[None]:
    """Put the request into every error that comes without one."""
    try:
        yield
    except ApiError as error:
        error.request = error.request or request
        raise


def _shrunk(page_size: int, failures: int) -> int:
    """Ask for less after repeated trouble; long pages were answered with 504 (soundcloud/api issue 308)."""
    return max(min(page_size, SMALLEST_PAGE), page_size >> max(0, failures - 1))
