"""The client on a mocked wire: what it asks, what it sends along, what it makes of the answers."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from random import Random

import httpx
import pytest

from harvest.auth.bearer import Bearer
from harvest.client.budget import Budget
from harvest.client.client import Client
from harvest.client.retry import Retry
from harvest.client.token_transport import TokenDoor
from harvest.client.transport import Sender, open_http
from harvest.errors import (
    Blocked,
    Forbidden,
    Gone,
    Halted,
    ServerTrouble,
    SettingsError,
    TokenRefused,
    UnexpectedReply,
    Unreachable,
)
from harvest.models import SeenAs, Task
from harvest.pacing.limiter import Pace

API = "https://api.soundcloud.com"
LIKERS = f"{API}/tracks/soundcloud:tracks:123/favoriters?limit=200&linked_partitioning=true"
LIKES = (
    f"{API}/users/soundcloud:users:7/likes/tracks?limit=200&linked_partitioning=true&access=playable,preview,blocked"
)
TOKEN = "https://secure.soundcloud.com/oauth/token"
TASK = Task(1, "track_likers", 123)
JSON_404 = {"code": 404, "message": "", "status": "404 - Not Found", "errors": [], "error": None}
EMPTY = {"collection": [], "next_href": None}


class Log:
    """Writes down what an observer is told."""

    def __init__(self):
        self.lines = []

    def sent(self, request):
        self.lines.append(("sent", request))

    def answered(self, request, status, elapsed_ms, size_bytes):
        self.lines.append((status, request))

    def waiting(self, reason, seconds):
        self.lines.append(("waiting", reason))


@pytest.fixture
def log():
    """What the observer heard."""
    return Log()


@pytest.fixture
async def build(clock, log):
    """Make clients as the wiring does; they are closed in the end."""
    opened = []

    def build(
        *, delay=0.5, api_url=API, deadline=60.0, largest_body=64 << 20, profiles="minimal", budget=None, **credentials
    ):
        http = open_http()
        opened.append(http)
        random = Random(5)
        pace = Pace(clock=clock, delay=delay, random=random, on_wait=log.waiting)
        sender = Sender(
            http, pace=pace, clock=clock, observer=log, budget=budget, deadline=deadline, largest_body=largest_body
        )
        retry = Retry(pace=pace, clock=clock, random=random, on_wait=log.waiting)
        door = TokenDoor(sender, retry=retry)
        bearer = Bearer(send=door, clock=clock, **(credentials or {"access_token": "T0KEN"}))
        return Client(sender, bearer=bearer, retry=retry, api_url=api_url, profiles=profiles)

    yield build
    for http in opened:
        await http.aclose()


@pytest.fixture
def client(build):
    """A client with a fixed token."""
    return build()


def sample(name):
    return json.loads((Path(__file__).parents[1] / "samples" / f"{name}.json").read_text(encoding="utf-8"))


async def test_a_page_brings_everything_that_is_recorded_about_it(client, httpx_mock):
    httpx_mock.add_response(url=LIKERS, json=sample("likers_first_page"))
    page = await client.fetch(TASK)
    assert page.request == "/tracks/soundcloud:tracks:123/favoriters?limit=200&linked_partitioning=true"
    assert page.items == (11, 12, 11)
    assert page.next_cursor == (
        "/tracks/soundcloud:tracks:123/favoriters?cursor=1637775162857218&linked_partitioning=true&page_size=200"
    )
    assert page.cursor_time == "2021-11-24T17:32:42Z"
    assert page.fetched_at == "2026-11-21T00:00:00Z"
    assert page.size_bytes > 1000
    assert client.take_tally() == {200: 1}
    assert client.tally == {}


async def test_the_headers_are_honest_and_say_oauth_not_bearer(client, httpx_mock):
    """The predecessor sent Bearer, and before that a client_id in the query."""
    httpx_mock.add_response(url=LIKERS, json=EMPTY)
    await client.fetch(TASK)
    (request,) = httpx_mock.get_requests()
    assert request.headers["authorization"] == "OAuth T0KEN"
    assert request.headers["accept"] == "application/json; charset=utf-8"
    assert request.headers["user-agent"] == "harvest/0.1.0 (SoundCloud listening graph crawler)"
    assert "gzip" in request.headers["accept-encoding"]
    assert "client_id" not in str(request.url)
    assert b"soundcloud:tracks:123" in request.url.raw_path


async def test_blocked_tracks_are_asked_for(client, httpx_mock):
    httpx_mock.add_response(url=LIKES, json=EMPTY)
    await client.fetch(Task(1, "user_likes", 7))


async def test_a_next_page_on_another_host_is_asked_on_ours_and_the_token_stays_home(client, httpx_mock):
    """Issue 309: next_href named an internal host."""
    href = "https://http.api.prod.api-public.srv.db.s-cloud.net/users/7/likes/tracks?cursor=1&page_size=200"
    httpx_mock.add_response(url=LIKES, json={"collection": [], "next_href": href})
    page = await client.fetch(Task(1, "user_likes", 7))
    assert page.next_cursor == (
        "/users/7/likes/tracks?cursor=1&page_size=200&linked_partitioning=true&access=playable,preview,blocked"
    )
    httpx_mock.add_response(url=API + page.next_cursor, json=EMPTY)
    last = await client.fetch(Task(1, "user_likes", 7, cursor=page.next_cursor))
    assert last.next_cursor is None
    assert {request.url.host for request in httpx_mock.get_requests()} == {"api.soundcloud.com"}


async def test_a_short_or_empty_page_does_not_end_the_list(client, httpx_mock):
    """The predecessor took a page of 48 for the last one."""
    href = f"{API}/tracks/soundcloud:tracks:123/favoriters?cursor=5&page_size=200&linked_partitioning=true"
    httpx_mock.add_response(url=LIKERS, json={"collection": [], "next_href": href})
    assert (await client.fetch(TASK)).next_cursor == href.removeprefix(API)


async def test_a_bare_array_is_accepted(client, httpx_mock):
    httpx_mock.add_response(url=LIKERS, json=[{"kind": "user", "id": 5}])
    page = await client.fetch(TASK)
    assert (page.items, page.next_cursor) == ((5,), None)


async def test_a_poisoned_cursor_goes_nowhere(client):
    for cursor in ("@evil.example/x", "https://evil.example/x", ".evil.example/x"):
        with pytest.raises(UnexpectedReply):
            await client.fetch(Task(1, "track_likers", 123, cursor=cursor))


async def test_a_cursor_with_two_slashes_stays_on_our_host(client, httpx_mock):
    httpx_mock.add_response(json=EMPTY)
    await client.fetch(Task(1, "track_likers", 123, cursor="//evil.example/tracks/1"))
    assert httpx_mock.get_requests()[0].url.host == "api.soundcloud.com"


async def test_a_redirect_of_a_list_is_not_followed(client, httpx_mock):
    httpx_mock.add_response(url=LIKERS, status_code=302, headers={"location": "https://evil.example/"})
    with pytest.raises(UnexpectedReply):
        await client.fetch(TASK)


# Errors


async def test_a_deleted_user_costs_one_request(client, httpx_mock, clock):
    """The predecessor asked ten times on two paths, over a minute."""
    httpx_mock.add_response(url=LIKES, status_code=404, json=JSON_404)
    with pytest.raises(Gone) as raised:
        await client.fetch(Task(1, "user_likes", 7))
    assert raised.value.request == (
        "GET /users/soundcloud:users:7/likes/tracks?limit=200&linked_partitioning=true&access=playable,preview,blocked"
    )
    assert (client.take_tally(), clock.naps) == ({404: 1}, [])


async def test_an_error_is_an_error_and_never_an_empty_list(client, httpx_mock):
    """The predecessor returned [] for whatever went wrong."""
    httpx_mock.add_response(url=LIKERS, json={"errors": [{"error_message": "no"}]})
    with pytest.raises(UnexpectedReply) as raised:
        await client.fetch(TASK)
    assert raised.value.request == "GET /tracks/soundcloud:tracks:123/favoriters?limit=200&linked_partitioning=true"
    assert raised.value.reply == '{"errors":[{"error_message":"no"}]}'


async def test_a_plain_404_is_an_outage_and_asked_again(client, httpx_mock):
    """Issue 346: the thing exists."""
    httpx_mock.add_response(url=LIKERS, status_code=404, text="404 page not found")
    httpx_mock.add_response(url=LIKERS, json=EMPTY)
    assert (await client.fetch(TASK)).received == 0
    assert client.take_tally() == {404: 1, 200: 1}


async def test_repeated_trouble_is_asked_with_smaller_pages_and_the_list_goes_on_with_large_ones(client, httpx_mock):
    """Issue 308: pages of 200 likes were answered with 504."""
    httpx_mock.add_response(status_code=504, text="upstream request timeout")
    httpx_mock.add_response(status_code=504, text="upstream request timeout")
    httpx_mock.add_response(status_code=200, content=b'{"collection": [')
    href = f"{API}/tracks/123/favoriters?cursor=9&linked_partitioning=true&page_size=50"
    httpx_mock.add_response(json={"collection": [{"id": 5}], "next_href": href})
    page = await client.fetch(TASK)
    sizes = [request.url.params["limit"] for request in httpx_mock.get_requests()]
    assert sizes == ["200", "200", "100", "50"]
    assert page.request == "/tracks/soundcloud:tracks:123/favoriters?limit=50&linked_partitioning=true"
    assert page.next_cursor == "/tracks/123/favoriters?cursor=9&linked_partitioning=true&page_size=200"


async def test_a_service_in_trouble_fails_the_list_after_five_attempts(client, httpx_mock):
    for _ in range(5):
        httpx_mock.add_response(status_code=503, html="<html><title>Busy</title></html>")
    with pytest.raises(ServerTrouble, match="503: Busy") as raised:
        await client.fetch(TASK)
    assert (raised.value.attempts, raised.value.retryable) == (5, True)


async def test_a_forbidden_list_is_asked_once_more(client, httpx_mock):
    for _ in range(2):
        httpx_mock.add_response(status_code=403, json={"error": "Access to this API has been disallowed"})
    with pytest.raises(Forbidden, match="disallowed"):
        await client.fetch(TASK)


@pytest.mark.parametrize(
    "block",
    [
        {"status_code": 202, "headers": {"x-amzn-waf-action": "challenge"}},
        {"status_code": 403, "html": "<HTML><TITLE>ERROR: The request could not be satisfied</TITLE>"},
        {"status_code": 429, "json": {"error": "Rate Limit Exceeded"}},
    ],
)
async def test_a_block_holds_everybody_and_then_goes_on(client, httpx_mock, clock, block):
    httpx_mock.add_response(**block)
    httpx_mock.add_response(json=EMPTY)
    assert (await client.fetch(TASK)).received == 0
    assert 30 <= clock.seconds - 1000 <= 37


async def test_a_block_that_does_not_end_is_exit_5(client, httpx_mock, clock):
    """After each pause it is asked for the list, and then for something else, which alone may end the block."""
    for _ in range(1 + 2 * 6):
        httpx_mock.add_response(status_code=202)
    with pytest.raises(Blocked) as raised:
        await client.fetch(TASK)
    assert raised.value.exit_code == 5
    assert client.take_tally() == {202: 13}
    assert clock.seconds - 1000 > 30 + 60 + 120 + 240 + 480 + 900


async def test_retry_after_is_obeyed_to_the_second(client, httpx_mock, clock):
    """The predecessor always slept 60 s."""
    httpx_mock.add_response(status_code=429, headers={"retry-after": "3"})
    httpx_mock.add_response(json=EMPTY)
    await client.fetch(TASK)
    assert clock.seconds - 1000 == pytest.approx(3)


async def test_every_attempt_pays_for_its_place(build, httpx_mock, clock):
    """The predecessor limited the outer call, so retries were free."""
    client = build(delay=10)
    starts = []

    def trouble(request):
        starts.append(clock.seconds - 1000)
        return httpx.Response(503 if len(starts) < 4 else 200, json=EMPTY)

    httpx_mock.add_callback(trouble, is_reusable=True)
    await client.fetch(TASK)
    assert starts == [0, 10, 20, 30]


async def test_a_service_that_cannot_be_reached_at_the_start_is_exit_5(client, httpx_mock):
    for _ in range(5):
        httpx_mock.add_exception(httpx.ConnectError("[Errno -2] Name or service not known"))
    with pytest.raises(Blocked, match=r"cannot be reached.*Name or service not known"):
        await client.fetch(TASK)
    assert client.take_tally() == {0: 5}


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
        httpx.ReadError("reset"),
        httpx.DecodingError("bad gzip"),
    ],
)
async def test_a_broken_connection_is_asked_again(client, httpx_mock, error):
    httpx_mock.add_response(json=EMPTY)
    await client.fetch(TASK)
    httpx_mock.add_exception(error)
    httpx_mock.add_response(json=EMPTY)
    assert (await client.fetch(TASK)).received == 0
    assert client.take_tally() == {200: 2, 0: 1}


async def test_a_trickling_reply_meets_the_deadline(build, httpx_mock):
    client = build()

    async def trickle(request):
        await asyncio.Event().wait()

    httpx_mock.add_response(json=EMPTY)
    await client.fetch(TASK)
    httpx_mock.add_callback(trickle, is_reusable=True)
    client._sender._deadline = 0.01
    with pytest.raises(Unreachable, match="No whole answer within"):
        await client.fetch(TASK)


async def test_an_endless_reply_is_refused(build, httpx_mock):
    client = build(largest_body=1 << 20)
    httpx_mock.add_response(content=b"[" + b" " * (2 << 20) + b"]")
    with pytest.raises(UnexpectedReply, match="larger than 1 MB"):
        await client.fetch(TASK)


# Seeds

PAGE = "https://soundcloud.com/x/the-seed"
SEED = Task(1, "resolve", 1, about=PAGE)
RESOLVE = f"{API}/resolve?url=https%3A%2F%2Fsoundcloud.com%2Fx%2Fthe-seed"


async def test_a_seed_is_resolved_by_hand_and_both_requests_carry_the_token(client, httpx_mock):
    httpx_mock.add_response(url=RESOLVE, status_code=302, headers={"location": f"{API}/tracks/123"}, json={})
    httpx_mock.add_response(url=f"{API}/tracks/soundcloud:tracks:123", json=sample("track_full"))
    page = await client.fetch(SEED)
    assert page.items == (123,)
    assert page.tracks[123].seen_as is SeenAs.FULL
    assert list(page.users) == [31]
    assert page.request == "/resolve?url=https%3A%2F%2Fsoundcloud.com%2Fx%2Fthe-seed"
    assert page.next_cursor is None
    assert [request.headers["authorization"] for request in httpx_mock.get_requests()] == ["OAuth T0KEN"] * 2
    assert client.take_tally() == {302: 1, 200: 1}


async def test_the_secret_of_a_private_seed_is_sent_on_and_never_shown(client, httpx_mock, log):
    location = f"{API}/tracks/soundcloud%3Atracks%3A123?secret_token=s-TOPSECRET&client_id=X"
    httpx_mock.add_response(status_code=302, json={"location": location})
    httpx_mock.add_response(
        url=f"{API}/tracks/soundcloud:tracks:123?secret_token=s-TOPSECRET", json=sample("track_full")
    )
    page = await client.fetch(Task(1, "resolve", 1, about=f"{PAGE}/s-TOPSECRET"))
    assert "TOPSECRET" not in repr(page) + repr(log.lines)
    assert page.request == "/resolve?url=https%3A%2F%2Fsoundcloud.com%2Fx%2Fthe-seed%2Fs-***"


@pytest.mark.parametrize("location", ["https://evil.example/tracks/1", "http://api.soundcloud.com/tracks/1"])
async def test_a_seed_that_leads_elsewhere_gets_no_token(client, httpx_mock, location):
    httpx_mock.add_response(url=RESOLVE, status_code=302, headers={"location": location})
    with pytest.raises(UnexpectedReply):
        await client.fetch(SEED)
    assert len(httpx_mock.get_requests()) == 1


async def test_a_seed_may_be_a_person_or_a_playlist(client, httpx_mock):
    for thing, query in (("user", ""), ("playlist", "?show_tracks=false")):
        urn = f"soundcloud:{thing}s:7"
        httpx_mock.add_response(url=RESOLVE, status_code=302, headers={"location": f"{API}/{thing}s/{urn}"})
        httpx_mock.add_response(url=f"{API}/{thing}s/{urn}{query}", json={"kind": thing, "urn": urn})
        page = await client.fetch(SEED)
        assert (page.thing, page.items) == (thing, (7,))
        assert list(getattr(page, f"{thing}s")) == [7]


async def test_a_seed_that_does_not_exist_is_gone(client, httpx_mock):
    httpx_mock.add_response(url=RESOLVE, status_code=404, json=JSON_404)
    with pytest.raises(Gone):
        await client.fetch(SEED)


async def test_a_reply_about_another_track_is_not_believed(client, httpx_mock):
    """Issue 380: a cache served somebody else's reply."""
    httpx_mock.add_response(url=RESOLVE, status_code=302, headers={"location": f"{API}/tracks/999"})
    httpx_mock.add_response(url=f"{API}/tracks/soundcloud:tracks:999", json=sample("track_full"))
    with pytest.raises(UnexpectedReply, match="another track"):
        await client.fetch(SEED)


# Tokens

CLIENT_PAIR = {"client_id": "id", "client_secret": "s3cret"}


def grant(name, refresh=None):
    return {"access_token": name, "refresh_token": refresh, "expires_in": 3599, "scope": "", "token_type": "bearer"}


async def test_a_token_call_pays_for_its_place_and_is_counted(build, httpx_mock, clock, log):
    client = build(**CLIENT_PAIR)
    httpx_mock.add_response(method="POST", url=TOKEN, json=grant("AAA"), match_content=b"grant_type=client_credentials")
    httpx_mock.add_response(url=LIKERS, json=EMPTY, match_headers={"Authorization": "OAuth AAA"})
    await client.fetch(TASK)
    assert clock.seconds == 1000.5
    assert client.take_tally() == {200: 2}
    assert log.lines[0] == ("sent", "POST /oauth/token")
    token_call = httpx_mock.get_requests()[0]
    assert token_call.headers["authorization"].startswith("Basic ")
    assert token_call.headers["content-type"] == "application/x-www-form-urlencoded"


async def test_many_401_at_once_are_one_renewal(build, httpx_mock):
    client = build(delay=0, access_token="old", refresh_token="r1", **CLIENT_PAIR)

    def answer(request):
        good = request.headers["authorization"] == "OAuth new"
        return httpx.Response(200 if good else 401, json=EMPTY if good else {"code": 401})

    httpx_mock.add_callback(answer, method="GET", is_reusable=True)
    httpx_mock.add_response(method="POST", url=TOKEN, json=grant("new", "r2"))
    pages = await asyncio.gather(*(client.fetch(TASK) for _ in range(10)))
    assert len(pages) == 10
    assert client.take_tally()[200] == 11


async def test_a_new_token_that_is_refused_ends_the_run(build, httpx_mock):
    client = build(**CLIENT_PAIR)
    httpx_mock.add_response(method="POST", url=TOKEN, json=grant("AAA"))
    httpx_mock.add_response(method="GET", status_code=401, json={"code": 401}, is_reusable=True)
    with pytest.raises(TokenRefused):
        await client.fetch(TASK)


async def test_a_401_for_ever_costs_one_renewal_and_no_loop(build, httpx_mock):
    """Endless refreshing burns the quota of tokens."""
    client = build(delay=0, **CLIENT_PAIR)
    for name in ("A", "B"):
        httpx_mock.add_response(method="POST", url=TOKEN, json=grant(name))
    good = Task(2, "track_reposters", 123)
    httpx_mock.add_response(
        url=f"{API}/tracks/soundcloud:tracks:123/reposters?limit=200&linked_partitioning=true", json=EMPTY
    )
    await client.fetch(good)
    httpx_mock.add_response(method="GET", status_code=401, json={"code": 401}, is_reusable=True)
    with pytest.raises(TokenRefused):  # the second token never worked, so far
        await client.fetch(TASK)


async def test_a_401_of_one_list_alone_forbids_that_list(build, httpx_mock):
    client = build(delay=0, **CLIENT_PAIR)
    httpx_mock.add_response(method="POST", url=TOKEN, json=grant("A"))  # it is good: no other one is asked for
    calls = []

    def answer(request):
        calls.append(request.url.path)
        return httpx.Response(401 if request.url.path.endswith("favoriters") else 200, json=EMPTY)

    httpx_mock.add_callback(answer, method="GET", is_reusable=True)
    others = [Task(n, "user_likes", n) for n in range(2, 8)]
    await client.fetch(others[0])
    results = await asyncio.gather(client.fetch(TASK), *(client.fetch(task) for task in others), return_exceptions=True)
    assert isinstance(results[0], Forbidden)
    assert not any(isinstance(result, BaseException) for result in results[1:])


async def test_a_throttled_token_service_is_waited_for(build, httpx_mock, clock):
    """Issue 517: no lost session."""
    client = build(**CLIENT_PAIR)
    httpx_mock.add_response(method="POST", status_code=429, json={"error": "rate_limit_exceeded"})
    httpx_mock.add_response(method="POST", json=grant("AAA"))
    httpx_mock.add_response(url=LIKERS, json=EMPTY)
    await client.fetch(TASK)
    assert clock.seconds - 1000 > 30
    assert client.take_tally() == {429: 1, 200: 2}


async def test_a_token_service_that_stays_in_trouble_ends_the_run_resumably(build, httpx_mock):
    client = build(**CLIENT_PAIR)
    httpx_mock.add_response(method="POST", status_code=503, text="busy", is_reusable=True)
    with pytest.raises(Blocked, match=r"returned no token.*harvest resume"):
        await client.fetch(TASK)
    assert client.take_tally() == {503: 5}


async def test_no_secret_is_ever_said(build, httpx_mock, log):
    client = build(client_id="IDENT", client_secret="S3CRET", refresh_token="R3FRESH", access_token="T0KEN")
    httpx_mock.add_response(
        method="POST", status_code=400, json={"error": "invalid_grant", "message": "R3FRESH S3CRET"}
    )
    httpx_mock.add_response(method="POST", status_code=401, json={"error": "invalid_client"}, is_reusable=True)
    httpx_mock.add_response(method="GET", status_code=401, json={"message": "bad T0KEN"}, is_reusable=True)
    with pytest.raises(TokenRefused) as raised:
        await client.fetch(TASK)
    said = repr(log.lines) + str(raised.value) + repr(raised.value) + repr(raised.value.__context__)
    assert not any(secret in said for secret in ("IDENT", "S3CRET", "R3FRESH"))


# The line


async def test_room_is_there_when_nobody_waits_for_a_slot(client, httpx_mock, clock):
    httpx_mock.add_response(json=EMPTY, is_reusable=True)
    await client.room()
    claimed = 0
    fetches = []
    while claimed < 4:
        await client.room()
        fetches.append(asyncio.create_task(client.fetch(TASK)))
        claimed += 1
        await asyncio.sleep(0)
        assert client.queued <= 1
    await asyncio.gather(*fetches)
    assert (client.queued, client.in_flight) == (0, 0)
    assert clock.seconds == 1001.5


async def test_room_lets_a_fetch_that_was_just_started_take_its_place(client, httpx_mock):
    httpx_mock.add_response(json=EMPTY, is_reusable=True)
    first, second = asyncio.create_task(client.fetch(TASK)), asyncio.create_task(client.fetch(TASK))
    await client.room()
    assert first.done() or client.in_flight or not client.queued
    await asyncio.gather(first, second)


async def test_halt_drops_who_waits_and_keeps_who_is_on_the_wire(build, httpx_mock, clock):
    client = build(delay=100)
    gate, arrived = asyncio.Event(), asyncio.Event()

    async def slow(request):
        arrived.set()
        await gate.wait()
        return httpx.Response(200, json=EMPTY)

    httpx_mock.add_callback(slow)
    fetches = [asyncio.create_task(client.fetch(TASK)) for _ in range(3)]
    await arrived.wait()
    client.halt()
    gate.set()
    results = await asyncio.gather(*fetches, return_exceptions=True)
    assert results[0].received == 0
    assert [type(result) for result in results[1:]] == [Halted, Halted]
    with pytest.raises(Halted):
        await client.fetch(TASK)
    assert clock.seconds == 1000


async def test_a_halt_is_no_cancellation_so_the_task_goes_on(build, httpx_mock):
    """Timeouts and task groups count the cancellations of a task; one that nobody takes back confuses the next."""
    client = build(delay=100)
    httpx_mock.add_response(json=EMPTY)
    await client.fetch(TASK)

    async def fetch():
        with pytest.raises(Halted):
            await client.fetch(TASK)
        async with asyncio.timeout(60):
            await asyncio.sleep(0)
        return asyncio.current_task().cancelling()

    fetching = asyncio.create_task(fetch())
    await client_has(client, queued=1)
    client.halt()
    client.halt()
    await client.room()
    assert await fetching == 0


async def test_who_is_cancelled_as_well_as_halted_stays_cancelled(build, httpx_mock):
    client = build(delay=100)
    httpx_mock.add_response(json=EMPTY)
    await client.fetch(TASK)
    fetching = asyncio.create_task(client.fetch(TASK))
    await client_has(client, queued=1)
    client.halt()
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching


async def test_a_budget_that_is_spent_halts_every_fetch_and_ends_no_task(build, httpx_mock):
    client = build(budget=Budget(max_requests=1))
    httpx_mock.add_response(json=EMPTY)
    async with asyncio.TaskGroup() as group:
        fetches = [group.create_task(outcome(client.fetch(TASK))) for _ in range(3)]
    assert sorted(fetch.result() for fetch in fetches) == ["Halted", "Halted", "Page"]
    assert not any(fetch.cancelling() for fetch in fetches)


async def test_a_budget_that_is_spent_halts_whoever_waits_for_a_token(build, httpx_mock):
    client = build(budget=Budget(max_requests=0), client_id="IDENT", client_secret="S3CRET")
    assert [await outcome(client.fetch(TASK)) for _ in range(2)] == ["Halted", "Halted"]
    await client.settle()


async def outcome(fetch):
    """Give the name of what a fetch brings or raises."""
    try:
        return type(await fetch).__name__
    except Halted as error:
        return type(error).__name__


async def client_has(client, *, queued):
    """Wait until so many fetches stand in the line."""
    for _ in range(10):
        await asyncio.sleep(0)
    assert client.queued == queued


async def test_an_observer_hears_of_every_request_and_every_wait(client, httpx_mock, log):
    httpx_mock.add_response(status_code=429)
    httpx_mock.add_response(json=EMPTY)
    await client.fetch(TASK)
    request = "GET /tracks/soundcloud:tracks:123/favoriters?limit=200&linked_partitioning=true"
    assert log.lines == [
        ("sent", request),
        (429, request),
        ("waiting", "SoundCloud asks us to slow down"),
        ("sent", request),
        (200, request),
    ]


@pytest.mark.parametrize(
    "url",
    [
        "http://api.soundcloud.com",
        "ftp://x",
        "https://user:pw@api.soundcloud.com",
        "nonsense",
        "https://x/?a=1",
        "http://[bad",
    ],
)
async def test_a_service_address_that_would_leak_the_token_is_refused(build, url):
    with pytest.raises(SettingsError, match="SOUNDCLOUD_API_URL"):
        build(api_url=url)


async def test_plain_http_is_fine_on_this_machine(build, httpx_mock):
    client = build(api_url="http://127.0.0.1:8123/")
    httpx_mock.add_response(json=EMPTY)
    await client.fetch(TASK)
    assert str(httpx_mock.get_requests()[0].url).startswith("http://127.0.0.1:8123/tracks/")
