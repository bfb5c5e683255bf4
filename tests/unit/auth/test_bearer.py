"""Who holds the token, and when another one is asked for."""

from __future__ import annotations

import asyncio
import json

import pytest

from harvest.auth.bearer import Bearer, MemoryStore
from harvest.auth.grants import Token
from harvest.errors import Blocked, LoginNeeded, SettingsError, TokenRefused

CLIENT = {"client_id": "id", "client_secret": "secret"}
INVALID_GRANT = (400, b'{"error":"invalid_grant"}')
INVALID_CLIENT = (401, b'{"error_code":"invalid_client"}')


def granted(name, refresh=None, seconds=3599):
    return 200, json.dumps({"access_token": name, "refresh_token": refresh, "expires_in": seconds}).encode()


class Service:
    """A token service that answers as told and writes down what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.gate = None

    async def __call__(self, path, headers, form):
        self.asked.append((form["grant_type"], form.get("refresh_token"), "Authorization" in headers))
        if self.gate:
            await self.gate.wait()
        await asyncio.sleep(0)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def build(clock):
    """Make a Bearer around a scripted service."""

    def build(*answers, **credentials):
        service = Service(*answers)
        return Bearer(send=service, clock=clock, **credentials), service

    return build


NEW = ("client_credentials", None, True)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "There is nothing to sign in with"),
        ({"client_id": "id"}, "SOUNDCLOUD_CLIENT_SECRET is missing"),
        ({"client_secret": "s"}, "SOUNDCLOUD_CLIENT_ID is missing"),
        ({"refresh_token": "r"}, "nothing to sign in with"),
    ],
)
def test_without_credentials_the_message_says_what_to_set_and_that_the_demo_needs_none(build, given, words):
    with pytest.raises(LoginNeeded, match=words) as raised:
        build(**given)
    for word in ("SOUNDCLOUD_CLIENT_ID", "SOUNDCLOUD_CLIENT_SECRET", ".env", "`harvest demo` needs no account"):
        assert word in str(raised.value)


def test_a_credential_that_cannot_stand_in_a_header_is_named_without_being_shown(build):
    with pytest.raises(SettingsError, match="SOUNDCLOUD_ACCESS_TOKEN") as raised:
        build(access_token="SEC\nRET")
    assert "SEC" not in str(raised.value)


async def test_a_fixed_token_is_used_as_it_is(build):
    bearer, service = build(access_token=" fixed ")
    assert (await bearer.token()).access_token == "fixed"
    assert (bearer.kind, service.asked) == ("access_token", [])


async def test_a_fixed_token_that_is_refused_ends_the_run(build):
    bearer, _ = build(access_token="fixed")
    with pytest.raises(TokenRefused, match="SOUNDCLOUD_ACCESS_TOKEN"):
        await bearer.renew(await bearer.token())


async def test_client_credentials_are_exchanged_once(build):
    bearer, service = build(granted("a"), **CLIENT)
    assert [(await bearer.token()).access_token for _ in range(3)] == ["a"] * 3
    assert (bearer.kind, service.asked) == ("client_credentials", [NEW])


async def test_ten_at_once_are_one_exchange(build):
    bearer, service = build(granted("a"), granted("b"), **CLIENT)
    tokens = await asyncio.gather(*(bearer.token() for _ in range(10)))
    assert {token.access_token for token in tokens} == {"a"}
    bearer.accepted(tokens[0])
    renewed = await asyncio.gather(*(bearer.renew(token) for token in tokens))
    assert {token.access_token for token in renewed} == {"b"}
    assert service.asked == [NEW, NEW]


async def test_who_saw_an_older_token_gets_the_newer_one(build):
    bearer, service = build(granted("a"), granted("b"), **CLIENT)
    first = await bearer.token()
    bearer.accepted(first)
    second = await bearer.renew(first)
    assert await bearer.renew(first) == second
    assert len(service.asked) == 2


async def test_a_token_is_renewed_five_minutes_before_it_expires(build, clock):
    bearer, service = build(granted("a", "r1"), granted("b", "r2"), granted("c"), **CLIENT)
    await bearer.token()
    clock.seconds += 3599 - 301
    assert (await bearer.token()).access_token == "a"
    clock.seconds += 2
    assert (await bearer.token()).access_token == "b"
    clock.seconds += 3599
    assert (await bearer.token()).access_token == "c"
    assert service.asked == [NEW, ("refresh_token", "r1", False), ("refresh_token", "r2", False)]


async def test_a_short_lived_token_is_not_renewed_for_ever(build, clock):
    bearer, service = build(granted("a", seconds=60), **CLIENT)
    await bearer.token()
    clock.seconds += 29
    await bearer.token()
    assert len(service.asked) == 1


async def test_a_refused_new_token_that_never_worked_ends_the_run(build):
    bearer, service = build(granted("a"), granted("b"), **CLIENT)
    with pytest.raises(TokenRefused, match="gave a new token and does not accept it"):
        await bearer.renew(await bearer.token())
    assert len(service.asked) == 1


async def test_a_given_token_that_is_refused_is_renewed(build):
    bearer, service = build(granted("b", "r2"), access_token="old", refresh_token="r1", **CLIENT)
    token = await bearer.renew(await bearer.token())
    assert (token.access_token, service.asked) == ("b", [("refresh_token", "r1", False)])
    with pytest.raises(TokenRefused):
        bearer.ensure_accepted(token)
    bearer.accepted(token)
    bearer.ensure_accepted(token)


async def test_a_token_that_worked_may_be_renewed_again_and_again(build):
    bearer, _ = build(*[granted(str(n)) for n in range(5)], **CLIENT)
    for _ in range(4):
        token = await bearer.token()
        bearer.accepted(token)
        await bearer.renew(token)


async def test_a_spent_refresh_token_costs_one_new_grant(build):
    bearer, service = build(INVALID_GRANT, granted("a"), refresh_token="spent", **CLIENT)
    assert (await bearer.token()).access_token == "a"
    assert service.asked == [("refresh_token", "spent", False), NEW]
    assert bearer.kind == "refresh_token"


async def test_a_client_that_is_not_understood_is_tried_in_the_other_place_once(build):
    bearer, service = build(INVALID_CLIENT, granted("a"), granted("b"), **CLIENT)
    token = await bearer.token()
    bearer.accepted(token)
    await bearer.renew(token)
    other = ("client_credentials", None, False)
    assert service.asked == [NEW, other, other]


async def test_a_wrong_client_ends_the_run_and_names_the_settings(build):
    bearer, service = build(INVALID_CLIENT, INVALID_CLIENT, **CLIENT)
    with pytest.raises(TokenRefused, match="SOUNDCLOUD_CLIENT_ID and SOUNDCLOUD_CLIENT_SECRET"):
        await bearer.token()
    assert len(service.asked) == 2


async def test_trouble_of_the_service_is_no_lost_session(build):
    bearer, service = build(Blocked(), granted("b"), refresh_token="r1", **CLIENT)
    with pytest.raises(Blocked):
        await bearer.token()
    assert (await bearer.token()).access_token == "b"
    assert [asked[1] for asked in service.asked] == ["r1", "r1"]


async def test_the_new_pair_is_saved_before_it_is_used(build, clock):
    class Store(MemoryStore):
        def save(self, token):
            saved.append((token.access_token, token.refresh_token, bearer._token))
            super().save(token)

    saved = []
    store = Store()
    bearer, _ = build(granted("a", "r2"), refresh_token="r1", store=store, **CLIENT)
    await bearer.token()
    assert saved == [("a", "r2", None)]
    assert store.load() == Token("a", "r2", 3599.0, "2026-11-21T00:00:00Z")


async def test_a_stored_token_goes_on_until_it_is_old(build, clock):
    stored = Token("stored", "r1", 3599.0, "2026-11-20T23:30:00Z")
    bearer, service = build(granted("a"), store=MemoryStore(stored), **CLIENT)
    assert (await bearer.token()).access_token == "stored"
    clock.seconds += 1500
    assert (await bearer.token()).access_token == "a"
    assert service.asked == [("refresh_token", "r1", False)]


async def test_a_renewal_is_finished_even_if_nobody_waits_for_it(build):
    """A refresh token works once: what it bought must not be lost by Ctrl-C."""
    bearer, service = build(granted("a", "r2"), refresh_token="r1", **CLIENT)
    service.gate = asyncio.Event()
    waiter = asyncio.create_task(bearer.token())
    await asyncio.sleep(0.001)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    service.gate.set()
    await bearer.close()
    assert (await bearer.token()).access_token == "a"
    assert len(service.asked) == 1


async def test_nothing_secret_shows(build):
    bearer, _ = build(granted("AAA", "BBB"), **CLIENT)
    token = await bearer.token()
    assert "AAA" not in repr(bearer) + repr(token)
    assert "secret" not in repr(bearer)
