"""Speak HTTP/1.1 over kept connections, without a proxy: what httpx needs below it, for a third of the CPU.

in: a request of httpx; out: its reply, or the error that httpx itself raises; never: a connection on which anything was
left unread, or that the other side may have closed, used again.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import ssl
import sys
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterator

import h11
import httpx

_LARGEST_HEAD = 100 * 1024  # bytes
_MOST_UNREAD = 1 << 20  # bytes held before the other side has to wait
_STAGGER = 0.25  # seconds between two addresses of one host

Origin = tuple[str, str, int]


class Connections(httpx.AsyncBaseTransport):
    """Connections to any hosts, used again for `keep_seconds`; the caller bounds how many there are at once."""

    def __init__(self, trusted: ssl.SSLContext, keep_seconds: float) -> None:
        self._trusted = trusted
        self._trusted.set_alpn_protocols(["http/1.1"])
        self._keep_seconds = keep_seconds
        self._idle: defaultdict[Origin, deque[_Connection]] = defaultdict(deque)
        self._busy: set[_Connection] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and give the reply as soon as its head is there. Raises httpx.TransportError."""
        url = request.url
        origin = url.scheme, url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
        seconds = request.extensions.get("timeout", {})
        connection = self._kept(origin) or await self._opened(origin, seconds.get("connect"))
        self._busy.add(connection)
        try:
            await connection.send(request, seconds.get("write"))
            head = await connection.head(seconds.get("read"))
        except BaseException:
            self._drop(connection)
            raise
        return httpx.Response(
            head.status_code,
            headers=list(head.headers.raw_items()),
            stream=_Body(self, origin, connection, seconds.get("read")),
            extensions={"http_version": b"HTTP/" + head.http_version, "reason_phrase": head.reason},
        )

    async def aclose(self) -> None:
        """Close all connections."""
        for connection in [*self._busy, *(one for idle in self._idle.values() for one in idle)]:
            self._drop(connection)
        self._idle.clear()
        await asyncio.sleep(0)  # the loop closes them in its next turn

    def give_back(self, origin: Origin, connection: _Connection) -> None:
        """Keep a connection whose reply was read to its end, and close any other."""
        if connection in self._busy and connection.is_whole():
            self._busy.discard(connection)
            self._idle[origin].append(connection)
        else:
            self._drop(connection)

    def _kept(self, origin: Origin) -> _Connection | None:
        """Give the connection that was used last, where there is one that is still good."""
        idle, oldest = self._idle[origin], time.monotonic() - self._keep_seconds
        while idle and idle[0].used_at < oldest:
            idle.popleft().close()
        while idle:
            connection = idle.pop()
            if connection.is_silent():
                return connection
            connection.close()
        return None

    async def _opened(self, origin: Origin, seconds: float | None) -> _Connection:
        scheme, host, port = origin
        try:
            async with asyncio.timeout(seconds):
                _, connection = await asyncio.get_running_loop().create_connection(
                    _Connection,
                    host,
                    port,
                    ssl=self._trusted if scheme == "https" else None,
                    happy_eyeballs_delay=_STAGGER,
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        return connection

    def _drop(self, connection: _Connection) -> None:
        self._busy.discard(connection)
        connection.close()


class _Body(httpx.AsyncByteStream):
    """The body of a reply; to be closed, whether it was read or not."""

    def __init__(self, pool: Connections, origin: Origin, connection: _Connection, seconds: float | None) -> None:
        self._pool, self._origin, self._connection, self._seconds = pool, origin, connection, seconds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._connection.piece(self._seconds):
            yield piece

    async def aclose(self) -> None:
        self._pool.give_back(self._origin, self._connection)


class _Connection(asyncio.Protocol):
    """One connection, which has one request at a time."""

    def __init__(self) -> None:
        self.used_at = time.monotonic()
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEAD)
        self._unread: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._error: Exception | None = None
        self._told = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._unread.append(data)
        self._size += len(data)
        if self._size > _MOST_UNREAD:
            self._transport.pause_reading()
        self._told.set()

    def eof_received(self) -> None:
        self._ended = True
        self._told.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._ended, self._error = True, error
        self._told.set()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def close(self) -> None:
        """Close it, at once."""
        self._transport.abort()

    def is_silent(self) -> bool:
        """Say whether nothing came since the last reply, not even an end, nor is about to be read."""
        if self._ended or self._unread or self._transport.is_closing():
            return False
        return not _is_readable(self._transport.get_extra_info("socket"))

    def is_whole(self) -> bool:
        """Say whether request and reply are at their end and nothing came after; then the next may follow."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        if self._ended or self._unread or self._http.trailing_data[0]:
            return False
        self._http.start_next_cycle()
        self.used_at = time.monotonic()
        return True

    async def send(self, request: httpx.Request, seconds: float | None) -> None:
        """Send a request. One that the other side does not want to read to its end may have an answer all the same."""
        with _complaints():
            head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
            data = [self._http.send(head)]
            data += [self._http.send(h11.Data(data=piece)) async for piece in request.stream]  # type: ignore[union-attr]
            data.append(self._http.send(h11.EndOfMessage()))
        self._transport.write(b"".join(piece for piece in data if piece))
        if not self._writable.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._writable.wait()
            except TimeoutError as error:
                raise httpx.WriteTimeout(str(error)) from error

    async def head(self, seconds: float | None) -> h11.Response:
        """Give the head of the reply."""
        while not isinstance(event := await self._event(seconds), h11.Response):
            if not isinstance(event, h11.InformationalResponse):
                raise httpx.RemoteProtocolError("The reply has no head.")
        return event

    async def piece(self, seconds: float | None) -> bytes:
        """Give what comes next of the body, nothing at its end."""
        event = await self._event(seconds)
        return event.data if isinstance(event, h11.Data) else b""

    async def _event(self, seconds: float | None) -> object:
        with _complaints():
            while (event := self._http.next_event()) is h11.NEED_DATA:
                if not self._unread and not self._ended:
                    await self._news(seconds)
                if not self._unread and self._error is not None:
                    raise httpx.ReadError(str(self._error)) from self._error
                if not self._unread and self._http.their_state is h11.SEND_RESPONSE:
                    raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
                self._http.receive_data(self._taken())
        return event

    async def _news(self, seconds: float | None) -> None:
        self._told.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._told.wait()
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error

    def _taken(self) -> bytes:
        """Take all that came, nothing at the end."""
        data = self._unread[0] if len(self._unread) == 1 else b"".join(self._unread)
        self._unread.clear()
        if self._size > _MOST_UNREAD:
            self._transport.resume_reading()
        self._size = 0
        return data


@contextlib.contextmanager
def _complaints() -> Iterator[None]:
    """Turn what is wrong with what is sent or comes into the errors of httpx."""
    try:
        yield
    except h11.LocalProtocolError as error:
        raise httpx.LocalProtocolError(str(error)) from error
    except h11.RemoteProtocolError as error:
        raise httpx.RemoteProtocolError(str(error)) from error


def _is_readable(connected: socket.socket | None) -> bool:
    """Say whether a read from a socket would return at once, as it does when the other side has closed it."""
    if connected is None or connected.fileno() < 0:
        return True
    if sys.platform == "win32":
        return bool(select.select([connected], [], [], 0)[0])
    poll = select.poll()
    poll.register(connected, select.POLLIN)
    return bool(poll.poll(0))
