"""Put the service behind a local port, with faults on the wire.

In: bytes on 127.0.0.1. Out: bytes, some of them wrong on purpose. One address serves as API and as token host.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple

from harvest.simulator.fault_base import Scene
from harvest.simulator.fault_replies import throttled_gateway
from harvest.simulator.faults import Fault, Plan, parse_faults
from harvest.simulator.http1 import BadRequest, read_request, write_reply
from harvest.simulator.mixing import MASK, salt
from harvest.simulator.replies import Reply, Request, Wire
from harvest.simulator.service import Service
from harvest.simulator.tokens import DEMO_CLIENT_ID, Terms
from harvest.simulator.world import World

Latency = float | tuple[float, float] | Callable[[Request], float]
_PIECE = 65_536


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
        self.latency, self.gzip, self.keep_log = latency, gzip, keep_log
        self.requests: list[Logged] = []
        self.statuses: Counter[int] = Counter()
        self.total = self.bytes_sent = self.in_flight = self.most_in_flight = self.connections = 0
        self._gate = _Gate(rate)
        self._open: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
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
        self._listener = await loop.create_server(lambda: _Connection(self), "127.0.0.1", port, backlog=1024)
        self.service.base_url = f"http://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._listener is not None:
            self._listener.close()
        for connection in list(self._open):
            connection.drop()
        tasks = list(self._tasks)
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


class _Connection(asyncio.Protocol):
    """One connection: requests are answered in the order they come."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._buffer = bytearray()
        self._busy = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take up a connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections += 1
        self._server._open.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget a connection."""
        self._server._open.discard(self)
        self._writable.set()

    def pause_writing(self) -> None:
        """Wait for the reader."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Take bytes in and answer what is complete."""
        self._buffer += data
        if not self._busy:
            self._go_on()

    def drop(self) -> None:
        """End the connection without ceremony."""
        self._transport.abort()

    def _go_on(self) -> None:
        """Answer requests from the buffer until one needs time."""
        server = self._server
        while not self._busy and not self._transport.is_closing():
            try:
                found = read_request(self._buffer)
            except BadRequest:
                self._transport.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                self._transport.close()
                return
            if found is None:
                return
            request, target, keep = found
            in_flight = server.arrived()
            reply = server.answer(request, target)
            server.note(request, target, reply.status, in_flight)
            zipped = server.gzip and "gzip" in request.headers.get("accept-encoding", "")
            head, body = write_reply(reply, keep=keep, gzip_wanted=zipped)
            wait = server.wait_before(request, reply)
            if wait > 0 or reply.wire is not None:
                self._busy = True
                self._server._tasks.add(task := asyncio.ensure_future(self._slowly(head, body, reply.wire, wait, keep)))
                task.add_done_callback(self._server._tasks.discard)
                return
            self._transport.write(head + body if len(body) < _PIECE else head)
            if len(body) >= _PIECE:
                self._transport.write(body)
            server.left(len(head) + len(body))
            if not keep:
                self._transport.close()

    async def _slowly(self, head: bytes, body: bytes, wire: Wire | None, wait: float, keep: bool) -> None:
        """Answer one request late or wrongly, then go on with the next."""
        try:
            await asyncio.sleep(wait)
            done = await self._send(head, body, wire or Wire())
        finally:
            self._server.left(len(head) + len(body))
        if not (done and keep):
            self._transport.close()
        self._busy = False
        self._go_on()

    async def _send(self, head: bytes, body: bytes, wire: Wire) -> bool:
        """Send a reply as its wire says; return whether the connection is still good."""
        if wire.cut_headers is not None or wire.cut is not None:
            sent = head[: wire.cut_headers] if wire.cut_headers is not None else head + body[: wire.cut]
            await self._write(sent)
            await self._break(reset=wire.reset)
            return False
        await self._write(head)
        if wire.trickle:
            for place in range(len(body)):
                await self._write(body[place : place + 1])
                await asyncio.sleep(wire.trickle)
                if self._transport.is_closing():
                    return False
            return not wire.lengthless
        for _ in range(wire.repeat):
            await self._write(body)
            if self._transport.is_closing():
                return False
        return not wire.lengthless

    async def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)
            await self._writable.wait()

    async def _break(self, *, reset: bool) -> None:
        """End the connection in the middle, after what was sent had time to arrive."""
        await asyncio.sleep(0.02)
        if not reset:
            self._transport.close()
            return
        peer: socket.socket = self._transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


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
