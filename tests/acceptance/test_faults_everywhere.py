"""Faults that hit everybody: the whole client, the tokens, the seed, the network, the clock.

A run that cannot go on ends with the right exit code and keeps its state; when the fault is gone the same command goes
on to the exact graph. Credentials reach no other host or port, whatever the service says.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from harvest.errors import AuthError, Blocked
from harvest.models import Limits
from harvest.simulator import World
from tests.crawling import read
from tests.faulty import WORLD, JumpingClock, QuickClock, list_of, path_of, play, victim
from tests.repetitions import rows_but, slow_but
from tests.waiting import quiet_port

YEAR = 365 * 86_400.0
VICTIM = victim()


async def goes_on_to_the_exact_graph(scene) -> None:
    """Lift the fault; the same command must do, and ask for no page a second time."""
    before = {row[0] for row in read(scene.path, "SELECT request FROM pages")} if scene.path.exists() else set()
    asked = len(scene.server.requests)
    scene.server.use("")
    assert await scene.crawl() == "drained"
    scene.assert_exact()
    again = {logged.target for logged in scene.server.requests[asked:]}
    assert not again & before


BLOCKS = {
    "throttled_gateway": "throttled_gateway",
    "throttled_gateway with Retry-After": "throttled_gateway(1)",
    "throttled_object": "throttled_object",
    "throttled_object with Retry-After": "throttled_object(1)",
    "throttled_until": "throttled_until",
    "throttled_text": "throttled_text",
    "throttled_text with Retry-After": "throttled_text(1)",
    "waf_challenge": "waf_challenge",
    "blocked_html": "blocked_html",
    "service gone": "close_before_headers",
    "service resets": "reset_before_headers",
}


SOME_BLOCKS = (
    *("throttled_gateway with Retry-After", "throttled_object", "throttled_until"),
    *("waf_challenge", "service gone", "service resets"),
)


@pytest.mark.first_case
@pytest.mark.parametrize("name", slow_but(SOME_BLOCKS[::2], BLOCKS))
@pytest.mark.parametrize("at", [pytest.param(1, marks=pytest.mark.slow), 12])
def test_a_block_that_never_ends_stops_the_run_and_keeps_its_state(name, at, tmp_path):
    async def scene(this):
        ended = await this.crawl()
        assert isinstance(ended, Blocked), ended
        assert ended.exit_code == 5
        assert "harvest resume" in str(ended) or "try again" in str(ended)
        assert this.harvest()[0] == "paused"
        assert read(this.path, "SELECT count(*) FROM readings WHERE state = 'doing'") == [(0,)]
        assert read(this.path, "SELECT count(*) > 0 FROM pages") == [(at > 1,)]
        assert {row[0] for row in this.failures()} <= {"gone", "forbidden"}
        await goes_on_to_the_exact_graph(this)

    play(tmp_path / "t.db", scene, faults=f"{BLOCKS[name]}@{at}*1000000")


def test_a_service_that_is_not_there_ends_the_run_and_one_that_returns_is_harvested(tmp_path):
    async def scene(this):
        await this.server.stop()
        port = quiet_port()
        this.server.service.base_url = f"http://127.0.0.1:{port}"
        ended = await this.crawl()
        assert isinstance(ended, Blocked), ended
        assert this.harvest()[0] == "paused"
        await this.server.start(port)
        await goes_on_to_the_exact_graph(this)

    play(tmp_path / "t.db", scene)


@pytest.mark.first_case
@pytest.mark.parametrize(
    "name",
    slow_but(
        ("error_503_html", "ok_html"),
        ("error_500_empty", "error_503_html", "error_504_text", "missing_text", "ok_html"),
    ),
)
def test_trouble_with_every_list_fails_each_of_them_and_loses_none(name, tmp_path):
    async def scene(this):
        assert await this.crawl() == "drained"
        assert this.harvest()[0] == "drained"
        ((failed, kept),) = read(this.path, "SELECT sum(outcome = 'failed'), sum(pages_read) FROM tasks")
        assert failed > 3
        assert kept > 3
        await this.mend()
        this.assert_exact()

    play(tmp_path / "t.db", scene, faults=f"{name}@12*1000000")


# -- tokens


TOKEN_FAULTS = {
    "token_quota": "token_quota",
    "token_quota_until": "token_quota_until(1)",
    "token_quota for an hour": "token_quota_until(7200)",
    "waf_challenge": "waf_challenge",
    "blocked_html": "blocked_html",
    "error_500_empty": "error_500_empty",
    "error_503_html": "error_503_html",
    "close_before_headers": "close_before_headers",
    "reset_in_body": "reset_in_body",
    "truncated_with_length": "truncated_with_length",
    "broken_json": "broken_json",
    "ok_html": "ok_html",
    "ok_empty": "ok_empty",
    "missing_text": "missing_text",
    "missing_json": "missing_json",
    "forbidden_json": "forbidden_json",
    "bad_request_html": "bad_request_html",
    "unauthorized": "unauthorized",
    "redirect_foreign": "redirect_foreign",
}


OFTEN = ("token_quota", "waf_challenge", "error_503_html", "broken_json", "missing_json", "unauthorized")


@pytest.mark.first_case
@pytest.mark.parametrize("name", slow_but(OFTEN[::2], TOKEN_FAULTS))
def test_a_token_service_that_never_answers_well_stops_the_run_and_keeps_its_state(name, tmp_path):
    """From its second answer on, so in mid-crawl: a token is good for twelve requests."""

    async def scene(this):
        ended = await this.crawl()
        assert isinstance(ended, Blocked | AuthError), ended
        assert this.harvest()[0] == "paused"
        assert read(this.path, "SELECT count(*) > 0 FROM pages") == [(True,)]
        await goes_on_to_the_exact_graph(this)

    play(tmp_path / "t.db", scene, faults=f"{TOKEN_FAULTS[name]}[/oauth/token]@2*1000000", token_requests=12)


@pytest.mark.parametrize(
    "fault",
    slow_but(
        ("token_quota", "close_before_headers"),
        ("token_quota", "waf_challenge", "error_503_html", "close_before_headers", "truncated_with_length"),
    ),
)
def test_a_token_service_with_passing_trouble_is_waited_for(fault, tmp_path):
    async def scene(this):
        assert await this.crawl() == "drained"
        this.assert_exact()

    play(tmp_path / "t.db", scene, faults=f"{fault}[/oauth/token]@1*2,{fault}[/oauth/token]@4*2", token_requests=12)


def test_a_401_for_ever_stops_the_run_with_exit_code_3_and_keeps_its_state(tmp_path):
    async def scene(this):
        ended = await this.crawl()
        assert isinstance(ended, AuthError), ended
        assert ended.exit_code == 3
        assert this.harvest()[0] == "paused"
        assert this.server.service.tokens.granted["client_credentials"] <= 3  # the token quota is not burnt
        await goes_on_to_the_exact_graph(this)

    play(tmp_path / "t.db", scene, faults="unauthorized@12*1000000")


@pytest.mark.parametrize("name", ["unauthorized", "unauthorized_empty"])
def test_a_401_of_one_list_alone_is_that_list_s_or_ends_the_run_but_loses_nothing(name, tmp_path):
    """Whether the new token was accepted elsewhere before this list refused it depends on what else is in flight."""

    async def scene(this):
        ended = await this.crawl()
        if ended == "drained":
            assert list_of(this.path, VICTIM)[1] == "forbidden"
            await this.mend("forbidden")
            this.assert_exact()
        else:
            assert isinstance(ended, AuthError)
            await goes_on_to_the_exact_graph(this)

    play(tmp_path / "t.db", scene, faults=f"{name}[{path_of(VICTIM)}]@2*1000000")


# -- the seed


PAUSED = {
    "error_503_text[/resolve]",
    "error_500_empty[/resolve]",
    "close_before_headers[/resolve]",
    "reset_in_headers[/resolve]",
    "missing_text[/resolve]",
    "ok_html[/resolve]",
    "ok_empty[/resolve]",
    "throttled_text[/resolve]",
    "blocked_html[/resolve]",
    "error_502_html[/tracks/]@1*1000",
    "broken_json[/tracks/]@1*1000",
    "truncated_with_length[/tracks/]@1*1000",
    "ok_html[/tracks/]@1*1000",
}
REFUSED = {
    "missing_json[/resolve]": "gone",
    "missing_errors_only[/resolve]": "gone",
    "forbidden_json[/resolve]": "forbidden",
    "bad_request_html[/resolve]": "bad_request",
    "resolve_foreign": "unexpected_reply",
    "redirect_foreign[/resolve]": "unexpected_reply",
    "huge_body[/resolve]": "unexpected_reply",
    "missing_json[/tracks/]@1*1000": "gone",
    "forbidden_empty[/tracks/]@1*1000": "forbidden",
    "redirect_foreign[/tracks/]@1*1000": "unexpected_reply",
}


SOME_PAUSED = {
    *("error_503_text[/resolve]", "close_before_headers[/resolve]", "ok_html[/resolve]", "throttled_text[/resolve]"),
    *("missing_text[/resolve]", "broken_json[/tracks/]@1*1000", "truncated_with_length[/tracks/]@1*1000"),
}


@pytest.mark.parametrize("faults", slow_but(sorted(SOME_PAUSED)[::3], sorted(PAUSED)))
def test_a_seed_that_the_service_cannot_answer_for_is_kept_for_later(faults, tmp_path):
    async def scene(this):
        ended = await this.crawl()
        assert isinstance(ended, Blocked), ended
        assert this.harvest()[0] == "paused"
        await goes_on_to_the_exact_graph(this)

    play(tmp_path / "t.db", scene, faults=faults)


SOME_REFUSED = {
    *("missing_json[/resolve]", "resolve_foreign", "huge_body[/resolve]", "forbidden_empty[/tracks/]@1*1000"),
    "bad_request_html[/resolve]",
}


@pytest.mark.parametrize("faults", slow_but(sorted(SOME_REFUSED)[::2], REFUSED))
def test_a_seed_that_the_service_refuses_ends_its_harvest_with_the_reason(faults, tmp_path):
    async def scene(this):
        assert await this.crawl() == "drained"
        state, reason = this.harvest()
        assert state == "failed"
        assert reason
        assert [row[0] for row in this.failures()] == [REFUSED[faults]]
        await goes_on_to_the_exact_graph(this)
        assert this.harvest() == ("drained", None)

    play(tmp_path / "t.db", scene, faults=faults)


def test_one_seed_refused_does_not_stop_the_others(tmp_path):
    one, two = WORLD.seed_urls(2)

    async def scene(this):
        assert await this.crawl([one, two]) == "drained"
        assert read(this.path, "SELECT state FROM harvests ORDER BY id") == [("failed",), ("drained",)]

    play(tmp_path / "t.db", scene, faults=f"missing_json[{one.rpartition('/')[2]}]")


# -- other hosts


@asynccontextmanager
async def somebody_else() -> AsyncIterator[tuple[int, list[bytes]]]:
    """Listen on another port and remember whatever arrives."""
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(65536))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n[]")
        writer.close()

    listener = await asyncio.start_server(listen, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1], heard
    finally:
        listener.close()
        await listener.wait_closed()


@pytest.fixture
def looked_up(monkeypatch):
    """Every host whose address somebody looked up."""
    hosts: list[object] = []
    look_up = socket.getaddrinfo

    def note(host, *rest, **more):
        hosts.append(host)
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", note)
    return hosts


ELSEWHERE = [
    ("href_foreign_host({port})", True),
    ("href_foreign_host", True),
    ("href_internal_host", True),
    ("href_other_port({port})", True),
    ("resolve_foreign({port})", False),
    ("href_http", True),
    ("redirect_foreign({port})[/likes/tracks]", False),
    ("redirect_foreign({port})[/resolve]", False),
    ("redirect_foreign({port})[/oauth/token]", False),
    ("redirect_foreign({port})[/favoriters]", False),
]


@pytest.mark.parametrize(
    ("faults", "harmless"),
    rows_but(ELSEWHERE[::2], ELSEWHERE),
)
def test_no_token_reaches_another_host_or_port(faults, harmless, tmp_path, looked_up):
    async def scene(this):
        async with somebody_else() as (port, heard):
            this.server.use(faults.format(port=port))
            await this.crawl()
            assert this.server.plan.strikes
            assert heard == []
        assert set(looked_up) <= {"127.0.0.1", b"127.0.0.1", None}
        if harmless:
            this.assert_exact()

    play(tmp_path / "t.db", scene)


def test_the_other_port_of_these_tests_does_listen():
    """Otherwise its silence would prove nothing."""

    async def knock() -> list[bytes]:
        async with somebody_else() as (port, heard):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await reader.read()
            writer.close()
            return heard

    assert asyncio.run(knock()) == [b"GET / HTTP/1.1\r\n\r\n"]


# -- names and clocks


@pytest.mark.parametrize("failures", [3, 10**6])
def test_a_name_that_cannot_be_found_is_waited_for_and_then_given_up(failures, tmp_path, monkeypatch):
    look_up = socket.getaddrinfo
    refused = 0

    def answer(host, *rest, **more):
        nonlocal refused
        if host in ("localhost", b"localhost") and refused < failures:
            refused += 1
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up("127.0.0.1" if host in ("localhost", b"localhost") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", answer)

    async def scene(this):
        nonlocal failures
        by_name = this.server.service.base_url = this.server.url.replace("127.0.0.1", "localhost")
        ended = await this.crawl(**addresses(by_name))
        assert refused >= 3
        if failures > 3:
            assert isinstance(ended, Blocked), ended
            assert this.harvest()[0] == "paused"
            failures = 0
            ended = await this.crawl(**addresses(by_name))
        assert ended == "drained"
        this.assert_exact()

    play(tmp_path / "t.db", scene)


def addresses(url: str) -> dict[str, str]:
    return {"api_url": url, "auth_url": url}


class QuickJumpingClock(JumpingClock, QuickClock):
    """Both."""


@pytest.mark.first_case
@pytest.mark.parametrize(
    "jumps",
    [
        pytest.param((0.0, 3 * 3600.0), marks=pytest.mark.slow),
        pytest.param((0.0, -3 * 3600.0), marks=pytest.mark.slow),
        (0.0, 2 * YEAR, -5 * YEAR),
        (-30 * YEAR,),
        pytest.param((300 * YEAR, 0.0), marks=pytest.mark.slow),
        tuple(-3600.0 * n for n in range(200)),
    ],
)
def test_a_clock_that_jumps_changes_neither_the_graph_nor_the_waiting(jumps, tmp_path):
    faults = "throttled_until(4)@9,throttled_gateway(1)@20,error_503_html=0.1"
    clock = QuickJumpingClock(*jumps)

    async def scene(this):
        assert await this.crawl(clock=clock) == "drained"
        assert clock.looks > 20
        this.assert_exact()
        assert await this.crawl(clock=clock) == "drained"
        this.assert_exact()

    play(tmp_path / "t.db", scene, faults=faults)


def test_a_wrong_clock_does_not_take_a_short_wait_for_years(tmp_path):
    """`reset_time` is told by the clock of the service; its `Date` says how far ours is off."""
    clock = QuickJumpingClock(-3 * YEAR)

    async def scene(this):
        assert await this.crawl(clock=clock) == "drained"
        this.assert_exact()

    play(tmp_path / "t.db", scene, faults="throttled_until(20)@9")


# -- the size of pages


def sizes_asked(server, path: str) -> list[int]:
    targets = [logged.target for logged in server.requests if path in logged.target]
    return [int(size) for target in targets for size in re.findall(r"[?&](?:limit|page_size)=(\d+)", target)]


@pytest.mark.parametrize(
    ("page_size", "sizes"),
    [
        (200, [200, 200, 200, 100, 50, 25]),
        pytest.param(60, [60, 60, 60, 30, 25, 25], marks=pytest.mark.slow),
        pytest.param(10, [10, 10, 10, 10, 10, 10], marks=pytest.mark.slow),
    ],
)
def test_repeated_504_halves_the_page_down_to_25_before_giving_up(page_size, sizes, tmp_path):
    """soundcloud/api issue 308: pages of 200 were answered with 504, small ones were not."""
    world = World(5, users=450, tracks=60, likes_per_user=1, seed_likers=430, seed_reposters=1)

    async def scene(this):
        this.limits, this.page_size = Limits(max_users=0), page_size
        assert await this.crawl() == "drained"
        rounds = [*sizes, *sizes[1:]]
        assert sizes_asked(this.server, "/favoriters") == rounds
        assert read(this.path, "SELECT outcome, collected FROM tasks WHERE kind = 'track_likers'") == [
            ("failed", page_size)
        ]
        await this.mend()
        this.assert_exact()

    play(tmp_path / "t.db", scene, world=world, faults="error_504_text[/favoriters]@2*1000000")


def test_a_page_that_came_small_is_followed_by_large_ones(tmp_path):
    world = World(5, users=450, tracks=60, likes_per_user=1, seed_likers=430, seed_reposters=1)

    async def scene(this):
        this.limits, this.page_size = Limits(max_users=0), 200
        assert await this.crawl() == "drained"
        assert sizes_asked(this.server, "/favoriters") == [200, 200, 200, 100, 50, 25, 200, 200]
        this.assert_exact()

    play(tmp_path / "t.db", scene, world=world, faults="error_504_text[/favoriters]@2*4")
