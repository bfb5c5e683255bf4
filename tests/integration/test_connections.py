"""Our own connections on a real socket: which are used again, and what is said when one fails."""

from __future__ import annotations

import asyncio
import ssl

import httpx
import pytest

from harvest.client.connections import Connections

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b" " * 20_000_000


class Server:
    """Answers each request on any connection with the next of some answers; None hangs up instead of one."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.connections, self.heard, self.writers = 0, [], []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *error):
        for writer in self.writers:
            writer.close()
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        self.connections += 1
        self.writers.append(writer)
        while head := await _head(reader):
            self.heard.append(head)
            answer = self.answers.pop(0)
            if answer is None:
                return writer.close()
            writer.write(answer)
        return None


async def _head(reader):
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def client(*, keep_seconds=30.0, patience=5.0):
    return httpx.AsyncClient(
        transport=Connections(ssl.create_default_context(), keep_seconds), timeout=patience, trust_env=False
    )


@pytest.mark.parametrize(
    "answer",
    [REPLY, CHUNKED, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + REPLY],
    ids=["plain", "in chunks", "after a hint"],
)
async def test_a_connection_is_used_again(answer):
    async with Server(answer, answer, answer) as server, client() as http:
        texts = [(await http.get(f"{server.url}/{n}?a=%20")).text for n in range(3)]
    assert (texts, server.connections) == (["{}"] * 3, 1)
    assert server.heard[2].startswith(b"GET /2?a=%20 HTTP/1.1\r\nHost: 127.0.0.1:")


async def test_requests_at_once_have_connections_of_their_own():
    async with Server(*[REPLY] * 8) as server, client() as http:
        for _ in range(2):
            await asyncio.gather(*(http.get(server.url) for _ in range(4)))
    assert server.connections == 4


async def test_a_request_can_have_a_body():
    async with Server(REPLY) as server, client() as http:
        assert (await http.post(server.url, content=b"grant=1")).status_code == 200
    assert b"Content-Length: 7\r\n" in server.heard[0]


@pytest.mark.parametrize("is_seen", [True, False], ids=["heard of", "not heard of yet"])
async def test_a_connection_that_was_closed_meanwhile_is_not_used_again(is_seen):
    async with Server(REPLY, REPLY) as server, client() as http:
        await http.get(server.url)
        if is_seen:
            server.writers[0].close()
            await asyncio.sleep(0.05)
        else:  # the loop has had no turn in which to hear of the end
            server.writers[0].transport.abort()
            server.writers[0].transport.get_extra_info("socket").shutdown(2)
        await http.get(server.url)
    assert server.connections == 2


@pytest.mark.parametrize(
    "first",
    [REPLY + REPLY, REPLY.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")],
    ids=["an answer too many", "announced"],
)
async def test_a_connection_with_more_or_less_than_a_reply_is_not_used_again(first):
    async with Server(first, REPLY) as server, client() as http:
        await http.get(server.url)
        await http.get(server.url)
    assert server.connections == 2


async def test_what_comes_between_two_requests_ends_a_connection():
    async with Server(REPLY, REPLY) as server, client() as http:
        await http.get(server.url)
        server.writers[0].write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        await asyncio.sleep(0.05)
        assert (await http.get(server.url)).status_code == 200
    assert server.connections == 2


async def test_an_old_connection_is_not_used_again():
    async with Server(REPLY, REPLY) as server, client(keep_seconds=-1) as http:
        await http.get(server.url)
        await http.get(server.url)
    assert server.connections == 2


async def test_a_reply_that_is_not_read_to_its_end_ends_its_connection():
    async with Server(ENDLESS, REPLY) as server, client() as http:
        async with http.stream("GET", server.url) as response:
            await anext(response.aiter_raw())
        await http.get(server.url)
    assert server.connections == 2


async def test_no_more_is_taken_than_is_read():
    async with Server(ENDLESS) as server, client() as http, http.stream("GET", server.url) as response:
        await anext(response.aiter_raw())
        await asyncio.sleep(0.2)
        assert server.writers[0].transport.get_write_buffer_size() > 10_000_000


async def test_what_had_to_wait_is_read_to_its_end():
    long = ENDLESS.replace(b"100000000", b"20000000")
    async with Server(long) as server, client() as http, http.stream("GET", server.url) as response:
        pieces = []
        async for piece in response.aiter_raw():
            pieces.append(piece)
            await asyncio.sleep(0)
    assert sum(map(len, pieces)) == 20_000_000


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (None, httpx.RemoteProtocolError, "without sending a response"),
        (b"nonsense\r\n\r\n", httpx.RemoteProtocolError, "illegal"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"a" * 300_000, httpx.RemoteProtocolError, "too long"),
        (b"", httpx.ReadTimeout, None),
        (REPLY[:-1], httpx.ReadTimeout, None),
    ],
    ids=["none", "no HTTP", "a long head", "silence", "half"],
)
async def test_what_is_wrong_is_said_as_httpx_says_it(answer, error, words):
    async with Server(answer) as server, client(patience=0.3) as http:
        with pytest.raises(error, match=words):
            await http.get(server.url)


async def test_a_reset_is_an_error_of_reading():
    async with Server(REPLY[:-1]) as server, client() as http, http.stream("GET", server.url) as response:
        server.writers[0].transport.abort()
        with pytest.raises(httpx.TransportError):
            await response.aread()


async def test_a_header_that_cannot_be_sent_is_not_sent():
    async with Server() as server, client() as http:
        with pytest.raises(httpx.LocalProtocolError):
            await http.get(server.url, headers={"A": "a\nB: b"})
    assert server.heard == []


async def test_no_connection_is_said_as_httpx_says_it():
    async with Server() as server:
        url = server.url
    async with client() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(url)


async def test_a_server_without_tls_is_not_talked_to_where_tls_is_asked_for():
    heard = []

    async def answer(reader, writer):
        heard.append(await reader.read(1000))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server, client() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert b"GET" not in heard[0]


async def test_a_request_that_is_cancelled_ends_its_connection():
    async with Server(b"", REPLY) as server, client() as http:
        asked = asyncio.ensure_future(http.get(server.url))
        await asyncio.sleep(0.1)
        asked.cancel()
        await asyncio.wait([asked])
        assert (await http.get(server.url)).text == "{}"
    assert server.connections == 2
