"""One connection: requests in, replies out, in the order they came; late or spoiled when told so."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from harvest.simulator.server.http1 import Malformed, read_request, write_reply
from harvest.simulator.server.traffic import Traffic
from harvest.simulator.service.replies import SimReply, SimRequest, Wire

_PIECE = 65_536
_BETWEEN_LOOKS = 0.005
_BAD = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Sending:
    """A reply with how it is to be sent: its Date header, seconds to wait before, whether it may be packed."""

    reply: SimReply
    date: str
    wait: float
    gzip: bool


class SimConnection(asyncio.Protocol):
    """One connection: requests are answered in the order they come."""

    def __init__(self, traffic: Traffic, answer: Callable[[SimRequest, str], Sending]) -> None:
        self._traffic = traffic
        self._find_answer = answer
        self._buffer = bytearray()
        self._busy = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take up a connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._traffic.connections += 1
        self._traffic.open.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget a connection."""
        self._traffic.open.discard(self)
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
        while not self._busy and not self._transport.is_closing():
            try:
                found = read_request(self._buffer)
            except Malformed:
                self._transport.write(_BAD)
                self._transport.close()
                return
            if found is None:
                return
            self._answer(*found)

    def _answer(self, request: SimRequest, target: str, keep: bool) -> None:
        """Answer one request, at once when nothing holds it back."""
        traffic = self._traffic
        in_flight, number = traffic.arrived(), traffic.total
        answer = self._find_answer(request, target)
        reply = answer.reply
        traffic.note(request, target, reply.status, in_flight)
        zipped = answer.gzip and "gzip" in request.headers.get("accept-encoding", "")
        head, body = write_reply(reply, keep=keep, gzip_wanted=zipped, date=answer.date)
        if answer.wait > 0 or reply.wire is not None or traffic.is_held(number):
            self._busy = True
            self._later(self._slowly(head, body, reply.wire, answer.wait, keep, number))
            return
        traffic.left(len(head) + len(body))  # before the other side can know
        self._transport.write(head + body if len(body) < _PIECE else head)
        if len(body) >= _PIECE:
            self._transport.write(body)
        if not keep:
            self._transport.close()

    def _later(self, work: Coroutine[None, None, None]) -> None:
        """Run work beside others; the server knows of it and can call it off."""
        task = asyncio.get_running_loop().create_task(work)
        self._traffic.tasks.add(task)
        task.add_done_callback(self._traffic.tasks.discard)

    async def _slowly(self, head: bytes, body: bytes, wire: Wire | None, wait: float, keep: bool, number: int) -> None:
        """Answer one request late or wrongly, then go on with the next."""
        try:
            await asyncio.sleep(wait)
            while self._traffic.is_held(number):  # noqa: ASYNC110  it may be let go from another thread
                await asyncio.sleep(_BETWEEN_LOOKS)
            done = await self._send(head, body, wire or Wire())
        finally:
            self._traffic.left(len(head) + len(body))
        if not (done and keep):
            self._transport.close()
        self._busy = False
        self._go_on()

    async def _send(self, head: bytes, body: bytes, wire: Wire) -> bool:
        """Send a reply as its wire says; return whether the connection is still good."""
        if wire.cut_headers is not None or wire.cut is not None:
            part = body[: int(len(body) * (wire.cut or 0))]
            sent = head[: wire.cut_headers] if wire.cut_headers is not None else head + part
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
