"""The simulator on a real port, asked over real connections."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import socket
import time
import zlib
from base64 import b64encode
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Server, World, run_in_thread, serve
from tests.waiting import PATIENCE, until


@pytest.fixture(scope="module")
def world() -> World:
    """A world with a list of several pages."""
    return World(1, 600, 1500, likes_per_user=20, seed_likers=450, gone=0, forbidden=0)


@pytest.fixture
def start(world):
    """Start servers that end with the test."""
    running = []

    def begin(**options) -> Server:
        context = run_in_thread(world, **options)
        running.append(context)
        return context.__enter__()

    yield begin
    for context in running:
        context.__exit__(None, None, None)


def connect(server: Server) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)


def likers(world: World, limit: int = 200) -> str:
    return f"/tracks/{world.seed_ids(1)[0]}/favoriters?limit={limit}&linked_partitioning=true"


def get(connection, server: Server, target: str, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", target, headers={"Authorization": f"OAuth {server.token()}"} | headers)
    reply = connection.getresponse()
    return reply, reply.read()


def raw(server: Server, *targets: str) -> bytes:
    """Send requests in one go and return every byte that comes until the end."""
    parts = urlsplit(server.url)
    head = f"Host: x\r\nAuthorization: OAuth {server.token()}\r\n\r\n"
    with closing(socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE)) as peer:
        peer.sendall("".join(f"GET {target} HTTP/1.1\r\n{head}" for target in targets).encode())
        received = b""
        while data := peer.recv(65536):
            received += data
    return received


def test_a_whole_list_comes_over_one_connection(world, start):
    server = start(keep_log=True)
    found, target = [], likers(world)
    with closing(connect(server)) as connection:
        while target:
            reply, body = get(connection, server, target)
            assert reply.status == 200
            page = json.loads(body)
            found += [int(user["urn"].rpartition(":")[2]) for user in page["collection"]]
            href = page.get("next_href") or ""
            assert not href or href.startswith(server.url + "/")
            target = href.removeprefix(server.url)
    assert tuple(found) == world.listing("track_likers", world.seed_ids(1)[0])
    assert server.connections == 1
    assert [(logged.method, logged.status, logged.in_flight) for logged in server.requests] == [("GET", 200, 1)] * 3
    assert server.requests[0].target == likers(world)
    assert (server.total, server.statuses[200], server.in_flight) == (3, 3, 0)


def test_bodies_are_zipped_for_those_who_take_it(world, start):
    server, plain = start(), start(gzip=False)
    with closing(connect(server)) as one, closing(connect(plain)) as other:
        reply, zipped = get(one, server, likers(world), Accept_Encoding="gzip, br")
        assert reply.headers["content-encoding"] == "gzip"
        _, body = get(one, server, likers(world), Accept_Encoding="identity")
        assert gzip.decompress(zipped) == body
        reply, _ = get(one, server, "/tracks/1", Accept_Encoding="gzip")
        assert "content-encoding" not in reply.headers
        reply, _ = get(other, plain, likers(world), Accept_Encoding="gzip")
        assert "content-encoding" not in reply.headers


def test_pipelined_requests_are_answered_in_order(world, start):
    server = start(latency=0.01, faults="close_before_headers@4")
    users = [world.id("user", index) for index in range(3)]
    received = raw(server, *(f"/users/{user}" for user in users), "/tracks/1")
    places = [received.index(f'"soundcloud:users:{user}"'.encode()) for user in users]
    assert places == sorted(places)


def test_tokens_are_granted_at_the_same_address(start):
    server = start(token_requests=1)
    with closing(connect(server)) as connection:
        pair = b64encode(f"{DEMO_CLIENT_ID}:{DEMO_CLIENT_SECRET}".encode()).decode()
        basic = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/oauth/token", "grant_type=client_credentials", basic)
        token = json.loads(connection.getresponse().read())["access_token"]
        for status in (200, 401):
            connection.request("GET", "/users?limit=1", headers={"Authorization": f"OAuth {token}"})
            reply = connection.getresponse()
            reply.read()
            assert reply.status == status
    assert server.service.tokens.granted["client_credentials"] == 1


def test_too_many_requests_per_second_are_refused(start):
    """One in 100 seconds, and two at once."""
    server = start(rate=0.01)
    with closing(connect(server)) as connection:
        statuses = [get(connection, server, "/users?limit=1")[0].status for _ in range(4)]
    assert statuses == [200, 200, 429, 429]


@pytest.mark.parametrize("latency", [0.05, (0.05, 0.06), lambda request: 0.05])
def test_latency_holds_replies_back(start, latency):
    server = start(latency=latency)
    with closing(connect(server)) as connection:
        begun = time.monotonic()
        get(connection, server, "/users?limit=1")
        assert time.monotonic() - begun >= 0.05


def test_replies_are_held_back_until_there_may_be_more(start):
    server = start()
    server.hold_after(1)
    with closing(connect(server)) as connection, closing(connect(server)) as other:
        get(connection, server, "/users?limit=1")
        connection.request("GET", "/me")
        until(lambda: server.in_flight == 1)
        other.request("GET", "/me")
        until(lambda: server.in_flight == 2)
        server.hold_after(2)
        assert connection.getresponse().status == 401
        until(lambda: server.in_flight == 1)
        server.hold_after(None)
        assert other.getresponse().status == 401


async def test_requests_on_several_connections_are_under_way_together(world):
    async with serve(world, keep_log=True) as server:
        server.hold_after(0)

        async def ask() -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(server.url).port)
            head = f"Host: x\r\nAuthorization: OAuth {server.token()}\r\nConnection: close\r\n\r\n"
            writer.write(f"GET /users?limit=1 HTTP/1.1\r\n{head}".encode())
            try:
                return await reader.read()
            finally:
                writer.close()
                await writer.wait_closed()

        asked = [asyncio.create_task(ask()) for _ in range(8)]
        while server.in_flight < 8:  # noqa: ASYNC110  the server has no event for it
            await asyncio.sleep(0.001)
        assert server.bytes_sent == 0
        server.hold_after(None)
        replies = await asyncio.gather(*asked)
    assert all(reply.startswith(b"HTTP/1.1 200 OK\r\n") for reply in replies)
    assert server.most_in_flight == 8
    assert max(logged.in_flight for logged in server.requests) == 8


async def test_stopping_drops_what_is_under_way(world):
    async with serve(world, latency=30) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(server.url).port)
        writer.write(b"GET /me HTTP/1.1\r\n\r\n")
        while not server.in_flight:  # noqa: ASYNC110  the server has no event for it
            await asyncio.sleep(0.001)
    assert await reader.read() == b""
    writer.close()
    assert server.in_flight == 0


def test_bytes_that_are_no_request_are_refused(start):
    server = start()
    parts = urlsplit(server.url)
    with closing(socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE)) as peer:
        peer.sendall(b"nonsense\r\n\r\n")
        assert peer.recv(100).startswith(b"HTTP/1.1 400 ")


def test_the_mood_can_change_while_running(start):
    server = start()
    with closing(connect(server)) as connection:
        assert get(connection, server, "/users?limit=1")[0].status == 200
        server.use("error_503_empty*1")
        assert [get(connection, server, "/users?limit=1")[0].status for _ in range(2)] == [503, 200]
    assert server.plan.fired["error_503_empty"] == 1


def test_a_port_in_use_is_reported(world, start):
    taken = urlsplit(start().url).port
    with pytest.raises(OSError, match="in use"), run_in_thread(world, port=taken):
        pass


@pytest.mark.parametrize("fault", ["reset_before_headers", "reset_in_headers", "reset_in_body"])
def test_a_connection_is_reset(world, start, fault):
    server = start(faults=fault, gzip=False)
    with pytest.raises(ConnectionResetError):
        raw(server, likers(world))


@pytest.mark.parametrize(
    ("fault", "least", "most"), [("close_before_headers", 0, 0), ("truncated_with_length", 1000, 10**6)]
)
def test_a_connection_ends_too_early(world, start, fault, least, most):
    received = raw(start(faults=fault), likers(world))
    assert least <= len(received) <= most


def test_a_body_breaks_off(world, start):
    for fault, told in (("truncated_with_length", True), ("truncated_without_length", False)):
        server = start(faults=fault, gzip=False)
        with closing(connect(server)) as connection:
            connection.request("GET", likers(world), headers={"Authorization": f"OAuth {server.token()}"})
            reply = connection.getresponse()
            assert ("content-length" in reply.headers) == told
            if told:
                with pytest.raises(http.client.IncompleteRead):
                    reply.read()
            else:
                body = reply.read()
                with pytest.raises(json.JSONDecodeError):
                    json.loads(body)


def test_a_body_is_zipped_nonsense(world, start):
    server = start(faults="broken_json_gzip@1,broken_gzip@2,broken_json@3")
    with closing(connect(server)) as connection:
        reply, body = get(connection, server, likers(world))
        assert reply.headers["content-encoding"] == "gzip"
        with pytest.raises(json.JSONDecodeError):
            json.loads(gzip.decompress(body))
        reply, body = get(connection, server, likers(world))
        assert reply.headers["content-encoding"] == "gzip"
        with pytest.raises(zlib.error):
            gzip.decompress(body)
        with pytest.raises(json.JSONDecodeError):
            json.loads(get(connection, server, likers(world))[1])


def test_a_body_is_huge(start):
    server = start(faults="huge_body(20)")
    with closing(connect(server)) as connection:
        connection.request("GET", "/users", headers={"Authorization": f"OAuth {server.token()}"})
        reply = connection.getresponse()
        length = 0
        while data := reply.read(1 << 20):
            length += len(data)
    assert length == 20 * 2**20


def test_a_huge_body_may_be_refused_halfway(world, start):
    server = start(faults="huge_body@1")
    with closing(connect(server)) as connection:
        connection.request("GET", "/users", headers={"Authorization": f"OAuth {server.token()}"})
        connection.getresponse().read(1 << 20)
    with closing(connect(server)) as connection:
        assert get(connection, server, likers(world))[0].status == 200


def test_a_reply_trickles_or_starts_late(start):
    server = start(faults="trickle(0.001)@1,slow(0.1)@2")
    with closing(connect(server)) as connection:
        for least in (0.1, 0.1):
            begun = time.monotonic()
            reply, body = get(connection, server, "/tracks/1")
            assert reply.status == 404
            assert json.loads(body)
            assert time.monotonic() - begun >= least


def test_wrong_words_still_come_whole(world, start):
    server = start(
        faults="waf_challenge@1,blocked_html@2,missing_text@3,error_504_text@4,throttled_text(3)@5,redirect_foreign@6"
    )
    with closing(connect(server)) as connection:
        replies = [get(connection, server, likers(world)) for _ in range(7)]
    assert [reply.status for reply, _ in replies] == [202, 403, 404, 504, 429, 302, 200]
    assert replies[0][0].headers["x-amzn-waf-action"] == "challenge"
    assert replies[2][1] == b"404 page not found"
    assert replies[3][1] == b"upstream request timeout"
    assert replies[4][0].headers["retry-after"] == "3"
    assert replies[5][0].headers["location"].startswith("https://evil.example/")


def test_a_zipped_body_breaks_off_too(world, start):
    server = start(faults="truncated_without_length")
    with closing(connect(server)) as connection:
        reply, body = get(connection, server, likers(world), Accept_Encoding="gzip")
        assert reply.headers["content-encoding"] == "gzip"
        with pytest.raises(EOFError):
            gzip.decompress(body)
