"""The client, the bearer and a store that other processes use as well."""

from __future__ import annotations

import json

import pytest

from harvest.auth.bearer import Bearer
from harvest.auth.grants import Token
from harvest.auth.token_store import KeptToken, MemoryKeeper
from harvest.client.client import Client
from harvest.client.retry import Retry
from harvest.client.token_transport import TokenDoor
from harvest.client.transport import Sender, open_http
from harvest.models import Task
from harvest.pacing.limiter import Pace

TASK = Task(1, "track_likers", 123)
EMPTY = {"collection": [], "next_href": None}
REFUSED = {"code": 401, "message": "", "status": "401 - Unauthorized"}


@pytest.fixture
async def build(clock):
    """Make a client whose tokens are in a store that the test can change."""
    opened = []

    def build(keeper):
        http = open_http()
        opened.append(http)
        pace = Pace(clock=clock, delay=0.01)
        sender = Sender(http, pace=pace, clock=clock)
        retry = Retry(pace=pace, clock=clock)
        door = TokenDoor(sender, retry=retry)
        bearer = Bearer(send=door, clock=clock, client_id="id", client_secret="secret", keeper=keeper)
        return Client(sender, bearer=bearer, retry=retry)

    yield build
    for http in opened:
        await http.aclose()


def grants(httpx_mock, *names):
    for name in names:
        body = {"access_token": name, "refresh_token": f"{name}-next", "expires_in": 3599}
        httpx_mock.add_response(method="POST", url="https://secure.soundcloud.com/oauth/token", json=body)


def tokens_sent(httpx_mock):
    return [r.headers["authorization"].removeprefix("OAuth ") for r in httpx_mock.get_requests() if r.method == "GET"]


async def test_a_token_of_another_process_that_is_used_up_as_well_is_replaced(build, httpx_mock):
    """Ours is refused, whatever is asked with it, the one another process left is too: no verdict on the list."""
    keeper = MemoryKeeper()
    keeper.store("login").save(KeptToken(Token("ours", "r1")))
    client = build(keeper)
    keeper.store("login").save(KeptToken(Token("theirs", "r2")))
    for _ in range(4):
        httpx_mock.add_response(method="GET", status_code=401, json=REFUSED)
    grants(httpx_mock, "fresh")
    httpx_mock.add_response(method="GET", json=EMPTY)
    assert (await client.fetch(TASK)).items == ()
    assert tokens_sent(httpx_mock) == ["ours", "ours", "theirs", "theirs", "fresh"]
    (call,) = (r for r in httpx_mock.get_requests() if r.method == "POST")
    assert "refresh_token=r2" in call.content.decode()
    assert keeper.store("login").load().token.access_token == "fresh"


async def test_whose_token_it_is(build, httpx_mock):
    keeper = MemoryKeeper()
    keeper.store("login").save(KeptToken(Token("ours", "r1")))
    httpx_mock.add_response(json={"username": "me", "urn": "soundcloud:users:7", "more": [1]})
    assert await build(keeper).me() == ("me", "soundcloud:users:7")


async def test_a_sign_out_sends_the_token_in_the_body_alone(build, httpx_mock, clock):
    http = open_http()
    pace = Pace(clock=clock, delay=0)
    door = TokenDoor(Sender(http, pace=pace, clock=clock), retry=Retry(pace=pace, clock=clock))
    httpx_mock.add_response(method="POST", url="https://secure.soundcloud.com/sign-out", status_code=200)
    httpx_mock.add_response(method="POST", url="https://secure.soundcloud.com/sign-out", status_code=401)
    assert [await door.sign_out("T0KEN") for _ in range(2)] == [True, False]
    await http.aclose()
    request = httpx_mock.get_requests()[0]
    assert json.loads(request.content) == {"access_token": "T0KEN"}
    assert "T0KEN" not in str(request.url) + str(request.headers)
