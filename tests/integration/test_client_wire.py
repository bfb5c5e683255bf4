"""The client on a real socket: what connections do to replies."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest

from harvest.auth.bearer import Bearer
from harvest.client.client import Client
from harvest.client.retry import Retry
from harvest.client.transport import Sender, open_http
from harvest.errors import TransientError, UnexpectedReply, Unreachable
from harvest.models import Task
from harvest.pacing.limiter import Pace
from harvest.system.clock import SystemClock

TASK = Task(1, "track_likers", 123)
GOOD = json.dumps({"collection": [{"kind": "user", "id": 5}], "next_href": None}).encode()


def http(body, *, head=b"", length=None, status=b"200 OK"):
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n%b" % (
        status,
        len(body) if length is None else length,
        head,
        body,
    )


@pytest.fixture
async def serve():
    """A server that answers with these bytes, one after the other, and closes the connection after each."""
    servers = []

    async def serve(*answers):
        heard = []

        async def answer(reader, writer):
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answers[len(heard) - 1])
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard

    yield serve
    for server in servers:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def connect():
    """A real client without patience."""
    opened = []

    def connect(url, **limits):
        clock, pool = SystemClock(), open_http()
        opened.append(pool)
        pace = Pace(clock=clock, delay=0, hold_seconds=0.01)
        retry = Retry(pace=pace, clock=clock, base_seconds=0)
        sender = Sender(pool, pace=pace, clock=clock, **limits)

        async def no_tokens(path, headers, form):
            raise AssertionError

        return Client(sender, bearer=Bearer(send=no_tokens, clock=clock, access_token="T"), retry=retry, api_url=url)

    yield connect
    for pool in opened:
        await pool.aclose()


async def test_a_compressed_page_is_read(serve, connect):
    url, heard = await serve(http(gzip.compress(GOOD), head=b"Content-Encoding: gzip\r\n"))
    page = await connect(url).fetch(TASK)
    assert (page.items, page.size_bytes) == ((5,), len(GOOD))
    assert b"GET /tracks/soundcloud:tracks:123/favoriters?limit=200&linked_partitioning=true HTTP/1.1" in heard[0]
    assert b"Authorization: OAuth T\r\n" in heard[0]


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"nonsense\r\n\r\n",
        http(GOOD[:20], length=len(GOOD)),
        http(gzip.compress(GOOD)[:-12], head=b"Content-Encoding: gzip\r\n"),
        http(b"not gzip", head=b"Content-Encoding: gzip\r\n"),
        http(GOOD[:20]),
    ],
    ids=["closed", "no http", "cut short", "half a gzip", "no gzip", "half a json"],
)
async def test_a_broken_reply_is_asked_again(serve, connect, broken):
    url, heard = await serve(http(GOOD), broken, http(GOOD))
    client = connect(url)
    await client.fetch(TASK)
    assert (await client.fetch(TASK)).items == (5,)
    assert len(heard) == 3


async def test_a_reply_that_never_stops_is_given_up(serve, connect):
    url, _ = await serve(http(b"[" + b" " * 3_000_000, length=10_000_000))
    with pytest.raises(UnexpectedReply, match="larger than 1 MB"):
        await connect(url, largest_body=1 << 20).fetch(TASK)


async def test_a_bomb_of_gzip_is_given_up(serve, connect):
    url, _ = await serve(http(gzip.compress(b" " * 50_000_000), head=b"Content-Encoding: gzip\r\n"))
    with pytest.raises(UnexpectedReply, match="larger than 1 MB"):
        await connect(url, largest_body=1 << 20).fetch(TASK)


async def test_an_answer_that_cannot_be_unpacked_is_not_told_as_none(serve, connect):
    url, _ = await serve(http(GOOD), *[http(b"not gzip", head=b"Content-Encoding: gzip\r\n") for _ in range(5)])
    client = connect(url)
    await client.fetch(TASK)
    with pytest.raises(TransientError, match="cannot be unpacked"):
        await client.fetch(TASK)


async def test_a_reply_slower_than_the_deadline_is_given_up(serve, connect):
    url, _ = await serve(http(GOOD), *[http(b"[", length=100) for _ in range(5)])
    client = connect(url)
    await client.fetch(TASK)
    client._sender._deadline = 0.1
    with pytest.raises(Unreachable):
        await client.fetch(TASK)


async def test_a_body_that_announces_200_megabytes_is_refused_before_it_comes(serve, connect):
    url, _ = await serve(http(b'{"collection":[', length=200 << 20))
    with pytest.raises(UnexpectedReply, match="larger than 64 MB"):
        await connect(url).fetch(TASK)


async def test_packings_that_were_not_asked_for_are_asked_again(serve, connect):
    twice = gzip.compress(gzip.compress(b" " * 50_000_000))
    url, heard = await serve(
        http(GOOD),
        http(twice, head=b"Content-Encoding: gzip, gzip\r\n"),
        http(GOOD, head=b"Content-Encoding: br\r\n"),
        http(GOOD),
    )
    client = connect(url)
    await client.fetch(TASK)
    assert (await client.fetch(TASK)).items == (5,)
    assert [b"\r\nAccept-Encoding: gzip\r\n" in request for request in heard] == [True] * 4


async def test_cookies_are_neither_kept_nor_sent(serve, connect):
    cookies = [b"Set-Cookie: c%d=%d; Path=/; Max-Age=9999\r\n" % (n, n) for n in range(3)]
    url, heard = await serve(*[http(GOOD, head=cookie) for cookie in cookies])
    client = connect(url)
    for _ in cookies:
        await client.fetch(TASK)
    assert [b"cookie" in request.lower() for request in heard] == [False] * 3
    assert list(client._sender.http.cookies.jar) == []
