"""Put the service behind a local port, with faults on the wire.

In: bytes on 127.0.0.1. Out: bytes, some of them wrong on purpose. One address serves as API and as token host.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from email.utils import formatdate
from typing import Any

from harvest.simulator.faults.base import FaultScene
from harvest.simulator.faults.parse import Fault, FaultPlan, parse_faults
from harvest.simulator.faults.replies import throttled_gateway
from harvest.simulator.recorded.service import Recorded, RecordedService
from harvest.simulator.server.connection import Sending, SimConnection
from harvest.simulator.server.traffic import Traffic
from harvest.simulator.service.replies import SimReply, SimRequest
from harvest.simulator.service.service import Service
from harvest.simulator.service.tokens import DEMO_CLIENT_ID, Terms
from harvest.simulator.world.prng import MASK, salt
from harvest.simulator.world.world import World

Latency = float | tuple[float, float] | Callable[[SimRequest], float]


class Server(Traffic):
    """A running simulator: its address, what was asked of it, and the means to change its mood."""

    def __init__(
        self,
        world: World | Recorded,
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
        terms = terms or Terms(seconds=token_seconds, requests=token_requests)
        self.service: Service | RecordedService
        if isinstance(world, Recorded):
            self.service = RecordedService(world, terms=terms, clock=clock)
        else:
            self.service = Service(world, terms=terms, clock=clock)
        self._clock = clock
        super().__init__(keep_log=keep_log)
        self.latency, self.gzip = latency, gzip
        self.limit(rate)
        self._listener: asyncio.Server | None = None
        self.plan: FaultPlan
        self.use(faults)

    @property
    def url(self) -> str:
        """Return the base address, for the API and for tokens."""
        return self.service.base_url

    @property
    def world(self) -> World:
        """Return the world as it is now; a recording has none."""
        assert isinstance(self.service, Service)
        return self.service.world

    def move(self, moment: float) -> None:
        """Let the world be so many days after its first one, from the next request on; tokens and faults go on."""
        assert isinstance(self.service, Service)
        self.service = self.service.showing(self.world.at(moment))

    def _handle(self, request: SimRequest) -> SimReply:
        return self.service.handle(request)

    def use(self, faults: str | Iterable[Fault]) -> None:
        """Replace the schedule of faults; counting starts again."""
        wanted = parse_faults(faults) if isinstance(faults, str) else tuple(faults)
        self.plan = FaultPlan(wanted, self._handle, seed=self.service.seed)

    def limit(self, rate: float | None) -> None:
        """Allow so many requests per second from now on; None allows any number."""
        self._gate = _Gate(rate)

    def token(self, *, user: bool = False) -> str:
        """Return an access token that counts, without asking for one."""
        return self.service.tokens.access_token(DEMO_CLIENT_ID, user=user)

    def _answer(self, request: SimRequest, target: str) -> Sending:
        """Answer one request: the gate first, then the faults, then the service."""
        if self._gate.admits(time.monotonic()):
            reply = self.plan.answer(request, target, self.url)
        else:
            reply = throttled_gateway(FaultScene(request, target, self.url, self._handle))
        reply = replace(reply, headers={**reply.headers, "x-harvest-world": self.service.name})
        date = formatdate(self._clock(), usegmt=True)
        return Sending(reply, date=date, wait=self._wait_before(request, reply), gzip=self.gzip)

    def _connect(self) -> SimConnection:
        return SimConnection(self, self._answer)

    def _wait_before(self, request: SimRequest, reply: SimReply) -> float:
        """Return how long this reply is held back."""
        latency, extra = self.latency, reply.wire.delay if reply.wire else 0.0
        if callable(latency):
            return latency(request) + extra
        if isinstance(latency, tuple):
            low, high = latency
            return low + (high - low) * (salt(self.service.seed, "latency", self.total) / MASK) + extra
        return latency + extra

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            lambda: SimConnection(self, self._answer), "127.0.0.1", port, backlog=1024
        )
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
async def serve(world: World | Recorded, port: int = 0, **options: Any) -> AsyncIterator[Server]:
    """Run a server for the length of a `with`; options are those of `Server`."""
    server = Server(world, **options)
    await server.start(port)
    try:
        yield server
    finally:
        await server.stop()


@contextmanager
def run_in_thread(world: World | Recorded, port: int = 0, **options: Any) -> Iterator[Server]:
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
