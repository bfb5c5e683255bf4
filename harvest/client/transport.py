"""Put one request on the wire and take the whole reply, bounded in time and size. The only user of httpx in this room.

in: a request that has its slot; out: a Reply or Unreachable; never: a redirect followed, a retry, a secret in an error.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Protocol

import httpx

from harvest._version import __version__
from harvest.api.responses import Reply, one_line
from harvest.client.budget import Budget
from harvest.client.network import LOOPBACK, read_proxies, tls_context
from harvest.client.unpacking import ASKED_FOR, CannotUnpack, Unpacker
from harvest.errors import Halted, NoConnection, SettingsError, UnexpectedReply, Unreachable
from harvest.pacing.limiter import Pace
from harvest.pacing.queue import Slot
from harvest.system.clock import Clock

USER_AGENT = f"harvest/{__version__} (SoundCloud listening graph crawler)"
ACCEPT = "application/json; charset=utf-8"
DEADLINE = 60.0
_LONGEST_WORLD = 200
LARGEST_BODY = 64 * 1024 * 1024


WORLD_HEADER = "X-Harvest-World"  # a simulated service says which world it is; the real one sends no such thing


class Observer(Protocol):
    """What a display or a log may want to know; `request` never carries secrets."""

    def sent(self, request: str) -> None:
        """Notice that a request starts."""

    def answered(self, request: str, status: int, elapsed_ms: int, size_bytes: int) -> None:
        """Notice a reply; status 0 when none came."""

    def waiting(self, reason: str, seconds: float) -> None:
        """Notice that a request, or all of them, waits."""


class Silence:
    """An observer that ignores everything."""

    def sent(self, request: str) -> None:
        """Ignore it."""

    def answered(self, request: str, status: int, elapsed_ms: int, size_bytes: int) -> None:
        """Ignore it."""

    def waiting(self, reason: str, seconds: float) -> None:
        """Ignore it."""


def open_http(*addresses: str, concurrency: int = 32, environ: Mapping[str, str] | None = None) -> httpx.AsyncClient:
    """Build the pool of connections to some addresses: HTTP/1.1, kept alive, with the proxies and certificates that
    the environment names. Raises SettingsError.

    HTTP/2 doubles the price of a large page and gains nothing at the rates that are allowed, so it stays off. Cookies
    are neither kept nor sent: the API knows us by the token, and a front end that sets one more with each reply would
    have all of them back until requests are too large.
    """
    environ = os.environ if environ is None else environ
    connections = concurrency + 2
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=30.0)
    trusted, proxies = tls_context(environ), read_proxies(environ)
    ways = {address: proxy for address in addresses if (proxy := proxies.leading_to(address))}
    return httpx.AsyncClient(
        headers={"User-Agent": USER_AGENT, "Accept": ACCEPT, "Accept-Encoding": ASKED_FOR},
        timeout=httpx.Timeout(20.0, connect=5.0, write=10.0, pool=60.0),
        limits=limits,
        follow_redirects=False,
        trust_env=False,
        verify=trusted,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        mounts={
            f"{httpx.URL(address).scheme}://{httpx.URL(address).netloc.decode()}": httpx.AsyncHTTPTransport(
                verify=trusted, trust_env=False, limits=limits, proxy=way.trusting(trusted)
            )
            for address, way in ways.items()
        },
    )


class ServiceAddress:
    """The address of a service: requests go there and nowhere else."""

    def __init__(self, url: str, name: str) -> None:
        try:
            base = httpx.URL(url.strip())
        except (httpx.InvalidURL, TypeError) as error:
            raise SettingsError(f"{name} is not an address: {one_line(url)}.") from error
        if base.scheme not in ("http", "https") or not base.host or base.userinfo or base.query or base.fragment:
            raise SettingsError(f"{name} must be a plain address such as https://api.soundcloud.com.")
        if base.port is not None and not 0 < base.port < 65536:
            raise SettingsError(f"{name} has a port that does not exist: {base.port}.")
        if base.scheme == "http" and base.host not in LOOPBACK:
            raise SettingsError(f"{name} must begin with https://, or credentials would travel in the open.")
        self._origin = (base.scheme, base.host, base.port)
        self.base = str(base).rstrip("/")

    def at(self, path_and_query: str) -> httpx.URL:
        """Give the address of a path; raise UnexpectedReply for a path that would lead to another host."""
        try:
            url = httpx.URL(self.base + path_and_query)
        except httpx.InvalidURL as error:
            raise UnexpectedReply("The next page is no address.") from error
        if (url.scheme, url.host, url.port) != self._origin or url.userinfo:
            raise UnexpectedReply("The request would leave the configured host.")
        return url


class Sender:
    """Everything that leaves this process passes here, so here it is paced, counted and bounded."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        pace: Pace,
        clock: Clock,
        observer: Observer | None = None,
        budget: Budget | None = None,
        deadline: float = DEADLINE,
        largest_body: int = LARGEST_BODY,
    ) -> None:
        self.http = http
        self.pace = pace
        self.clock = clock
        self.observer = observer or Silence()
        self.budget = budget or Budget()
        self.tally: Counter[int] = Counter()
        self.sent = 0
        self.in_flight = 0
        self.clock_ahead: float | None = None  # seconds our clock is ahead of the service's, as its replies tell
        self.on_world: Callable[[str], None] = lambda world: None
        self._world: str | None = None
        self._deadline = deadline
        self._largest_body = largest_body

    async def slot(self) -> Slot:
        """Wait for the right to start one request; raise Halted when the budget is spent."""
        slot = await self.pace.slot()
        if not self.budget.spend():
            self.pace.failed(slot)
            raise Halted
        if self.budget.reason:  # a moment later, when this last request is on the wire
            asyncio.get_running_loop().call_soon(self.budget.on_end)
        return slot

    async def send(
        self, method: str, url: httpx.URL, *, headers: Mapping[str, str], content: bytes | None = None, shown: str
    ) -> Reply:
        """Send one request and read its reply; the caller has a slot. `shown` is the request without secrets."""
        began = self.clock.monotonic()
        status = size = 0
        self.sent += 1
        self.in_flight += 1
        self.observer.sent(shown)
        try:
            async with asyncio.timeout(self._deadline):
                request = self.http.build_request(method, url, headers=dict(headers), content=content)
                response = await self.http.send(request, stream=True)
                status = response.status_code
                self._compare_clocks(response.headers.get("date", ""))
                body = await self._body(response, shown)
            size = len(body)
            self._hear_world(status, one_line(response.headers.get(WORLD_HEADER, ""))[:_LONGEST_WORLD])
            return Reply(status, response.headers, body, self._since(began))
        except TimeoutError as error:
            raise Unreachable(f"No whole answer within {self._deadline:g} s.", request=shown, status=status) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            nobody = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError)
            why = _why(error, _place_of(url) if nobody else "")
            raise (NoConnection if nobody else Unreachable)(why, request=shown, status=status) from error
        finally:
            self.in_flight -= 1
            self.tally[status] += 1
            self.observer.answered(shown, status, self._since(began), size)

    def take_tally(self) -> Counter[int]:
        """Give how many requests ended with which status since the last time, 0 where no status arrived."""
        taken, self.tally = self.tally, Counter()
        return taken

    async def _body(self, response: httpx.Response, shown: str) -> bytes:
        pieces, size = [], 0
        try:
            announced = response.headers.get("content-length", "")
            if announced.isdecimal() and len(announced) < 20 and int(announced) > self._largest_body:
                raise self._too_large(response, shown)
            unpacker = Unpacker(response.headers.get("content-encoding", ""))
            async for packed in response.aiter_raw():
                for piece in unpacker.pieces(packed):
                    size += len(piece)
                    if size > self._largest_body:
                        raise self._too_large(response, shown)
                    pieces.append(piece)
            pieces.append(unpacker.rest())
        except CannotUnpack as error:
            why = f"The answer cannot be unpacked: {one_line(str(error))}."
            raise Unreachable(why, request=shown, status=response.status_code) from error
        finally:
            await response.aclose()
        return b"".join(pieces)

    def _too_large(self, response: httpx.Response, shown: str) -> UnexpectedReply:
        limit = self._largest_body // 1024 // 1024
        return UnexpectedReply(f"The reply is larger than {limit} MB.", request=shown, status=response.status_code)

    def _hear_world(self, status: int, world: str) -> None:
        """Tell which world answers whenever it is another than before; "" is the real service, as far as a reply tells.

        The listener may raise: the reply is then lost. An error without a name may come from between us and it.
        """
        if world != self._world and (world or status < 400):
            self.on_world(world)
            self._world = world

    def _compare_clocks(self, date: str) -> None:
        with suppress(ValueError, TypeError, IndexError, OverflowError):
            self.clock_ahead = (self.clock.now() - parsedate_to_datetime(date)).total_seconds()

    def _since(self, began: float) -> int:
        return round((self.clock.monotonic() - began) * 1000)


def _why(error: Exception, place: str) -> str:
    """Say in a line what went wrong, and where; a LocalProtocolError may quote a header, so it is not quoted."""
    kind, at = type(error).__name__, f" at {place}" if place else ""
    if isinstance(error, httpx.LocalProtocolError | httpx.InvalidURL) or not str(error):
        return f"The service did not answer{at} ({kind})."
    return f"The service did not answer{at} ({kind}: {one_line(str(error))})."


def _place_of(url: httpx.URL) -> str:
    """Give the host and port of an address, which may be mistyped."""
    return f"{url.host}{f':{url.port}' if url.port else ''}"
