"""Put the service behind a local port, with faults on the wire.

In: bytes on 127.0.0.1. Out: bytes, some of them wrong on purpose. One address serves as API and as token host.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from email.utils import formatdate
from typing import Any, NamedTuple

from harvest.simulator.connection import Connection
from harvest.simulator.fault_base import Scene
from harvest.simulator.fault_replies import throttled_gateway
from harvest.simulator.faults import Fault, Plan, parse_faults
from harvest.simulator.mixing import MASK, salt
from harvest.simulator.replies import Reply, Request
from harvest.simulator.service import Service
from harvest.simulator.tokens import DEMO_CLIENT_ID, Terms
from harvest.simulator.world import World

Latency = float | tuple[float, float] | Callable[[Request], float]


class Logged(NamedTuple):
    """One request as the server saw it: when (monotonic), what, the answer, how many were under way with it."""

    time: float
    method: str
    target: str
    status: int
    in_flight: int


class Server:
    """A running simulator: its address, what was asked of it, and the means to change its mood."""

    def __init__(
        self,
        world: World,
        *,
        latency: Latency = 0.0,
        rate: float | None = None,
        faults: str | Iterable[Fault] = (),
        terms: Terms | None = None,
        token_seconds: float = 3599,
        token_requests: int | None = None,
        gzip: bool = True,
        keep_log: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.world = world
        terms = terms or Terms(seconds=token_seconds, requests=token_requests)
        self.service = Service(world, terms=terms, clock=clock)
        self._clock = clock
        self.latency, self.gzip, self.keep_log = latency, gzip, keep_log
        self.requests: list[Logged] = []
        self.statuses: Counter[int] = Counter()
        self.total = self.bytes_sent = self.in_flight = self.most_in_flight = self.connections = 0
        self._answered: int | None = None
        self.limit(rate)
        self.open: set[Connection] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self.plan: Plan
        self.use(faults)

    @property
    def url(self) -> str:
        """Return the base address, for the API and for tokens."""
        return self.service.base_url

    def use(self, faults: str | Iterable[Fault]) -> None:
        """Replace the schedule of faults; counting starts again."""
        wanted = parse_faults(faults) if isinstance(faults, str) else tuple(faults)
        self.plan = Plan(wanted, self.service.handle, seed=self.world.options.seed)

    def limit(self, rate: float | None) -> None:
        """Allow so many requests per second from now on; None allows any number."""
        self._gate = _Gate(rate)

    def hold_after(self, total: int | None) -> None:
        """Hold the replies back to all requests after so many, until there may be more; None lets all go."""
        self._answered = total

    def is_held(self, number: int) -> bool:
        """Say whether the reply to the n-th request is held back just now."""
        return self._answered is not None and number > self._answered

    def token(self, *, user: bool = False) -> str:
        """Return an access token that counts, without asking for one."""
        return self.service.tokens.access_token(DEMO_CLIENT_ID, user=user)

    def answer(self, request: Request, target: str) -> Reply:
        """Answer one request: the gate first, then the faults, then the service."""
        self.total += 1
        if not self._gate.admits(time.monotonic()):
            return throttled_gateway(Scene(request, target, self.url, self.service.handle))
        return self.plan.answer(request, target, self.url)

    def wait_before(self, request: Request, reply: Reply) -> float:
        """Return how long this reply is held back."""
        latency, extra = self.latency, reply.wire.delay if reply.wire else 0.0
        if callable(latency):
            return latency(request) + extra
        if isinstance(latency, tuple):
            low, high = latency
            return low + (high - low) * (salt(self.world.options.seed, "latency", self.total) / MASK) + extra
        return latency + extra

    def date(self) -> str:
        """Return the time as the Date header tells it."""
        return formatdate(self._clock(), usegmt=True)

    def arrived(self) -> int:
        """Count a request that is now under way."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        return self.in_flight

    def left(self, sent: int) -> None:
        """Count a request that is answered."""
        self.in_flight -= 1
        self.bytes_sent += sent

    def note(self, request: Request, target: str, status: int, in_flight: int) -> None:
        """Keep what was asked, when a log is wanted."""
        self.statuses[status] += 1
        if self.keep_log:
            self.requests.append(Logged(time.monotonic(), request.method, target, status, in_flight))

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: Connection(self), "127.0.0.1", port, backlog=1024)
        self.service.base_url = f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._listener is not None:
            self._listener.close()
        for connection in list(self.open):
            connection.drop()
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._listener is not None:
            await self._listener.wait_closed()


class _Gate:
    """Admits so many requests per second, with a second's worth (at least two) at once."""

    def __init__(self, rate: float | None) -> None:
        self._space = 0.0 if rate is None else 1 / rate
        self._slack = max(1.0, 2 * self._space)
        self._due = 0.0

    def admits(self, now: float) -> bool:
        """Say whether a request may pass; a refused one costs nothing."""
        due = max(self._due, now - self._slack + self._space)
        if due > now:
            return False
        self._due = due + self._space
        return True


@asynccontextmanager
async def serve(world: World, port: int = 0, **options: Any) -> AsyncIterator[Server]:
    """Run a server for the length of a `with`; options are those of `Server`."""
    server = Server(world, **options)
    await server.start(port)
    try:
        yield server
    finally:
        await server.stop()


@contextmanager
def run_in_thread(world: World, port: int = 0, **options: Any) -> Iterator[Server]:
    """Run a server in a thread of its own, for callers that are not asynchronous."""
    server = Server(world, **options)
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    trouble: list[BaseException] = []

    def work() -> None:
        try:
            loop.run_until_complete(server.start(port))
        except OSError as error:
            trouble.append(error)
            ready.set()
            return
        loop.call_soon(ready.set)
        loop.run_forever()
        loop.run_until_complete(server.stop())

    thread = threading.Thread(target=work, name="simulator", daemon=True)
    thread.start()
    ready.wait()
    try:
        if trouble:
            raise trouble[0]
        yield server
    finally:
        if thread.is_alive():
            loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
