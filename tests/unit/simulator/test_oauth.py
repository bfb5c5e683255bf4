from __future__ import annotations

import base64
import hashlib
import json
from urllib.parse import urlencode

import pytest

from harvest.simulator import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Terms
from harvest.simulator.service.replies import SimRequest

BASIC = "Basic " + base64.b64encode(f"{DEMO_CLIENT_ID}:{DEMO_CLIENT_SECRET}".encode()).decode()
WHO = {"client_id": DEMO_CLIENT_ID, "client_secret": DEMO_CLIENT_SECRET}
BACK = "http://127.0.0.1:8765/callback"


def post(caller, form: dict[str, str], authorization: str | None = None, path: str = "/oauth/token"):
    headers = {"authorization": authorization} if authorization else {}
    reply = caller.service.handle(SimRequest.of("POST", path, headers, urlencode(form).encode()))
    return reply.status, json.loads(reply.body)


def status(caller, token: str, target: str = "/tracks?limit=1") -> int:
    return caller.get(target, authorization=f"OAuth {token}").status


def test_credentials_are_granted_a_token_that_opens_the_api(caller):
    code, body = post(caller, {"grant_type": "client_credentials"}, BASIC)
    assert code == 200
    assert set(body) == {"access_token", "expires_in", "refresh_token", "scope", "token_type"}
    assert (body["expires_in"], body["scope"], body["token_type"]) == (3599, "", "bearer")
    assert status(caller, body["access_token"]) == 200


@pytest.mark.parametrize(
    ("form", "authorization"),
    [
        ({"grant_type": "client_credentials"} | WHO, None),
        ({"grant_type": "client_credentials"} | WHO, BASIC),
        ({"grant_type": "client_credentials"}, "Basic !!!"),
        ({"grant_type": "client_credentials"}, None),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, BASIC),
    ],
)
def test_credentials_in_the_wrong_place_are_refused(caller, form, authorization):
    code, body = post(caller, form, authorization)
    assert (code, body["error_code"], body["message"]) == (401, "invalid_client", "invalid_client")


@pytest.mark.parametrize(
    ("credentials", "pair", "expected"),
    [
        ({"me": "mine"}, (DEMO_CLIENT_ID, DEMO_CLIENT_SECRET), 401),
        ({"me": "mine"}, ("me", "mine"), 200),
        (Terms().credentials, (DEMO_CLIENT_ID, "of another app"), 401),
        (Terms().credentials, ("of another app", DEMO_CLIENT_SECRET), 401),
        (None, ("any", "thing"), 200),
    ],
)
def test_only_known_credentials_count(call, world, credentials, pair, expected):
    caller = call(world, terms=Terms(credentials=credentials))
    shown = "Basic " + base64.b64encode(":".join(pair).encode()).decode()
    code, body = post(caller, {"grant_type": "client_credentials"}, shown)
    assert (code, body.get("error_code")) == (expected, "invalid_client" if expected == 401 else None)
    granted = caller.service.tokens.refresh_token(pair[0])
    form = {"grant_type": "refresh_token", "refresh_token": granted, "client_id": pair[0], "client_secret": pair[1]}
    assert post(caller, form)[0] == expected


def test_an_unknown_app_cannot_send_people_to_the_login(caller):
    query = "client_id=x&redirect_uri=http://127.0.0.1/&response_type=code&code_challenge=c&code_challenge_method=S256&state=s"
    assert caller.service.handle(SimRequest.of("GET", f"/authorize?{query}")).status == 401


def test_a_refresh_token_works_once(caller):
    _, first = post(caller, {"grant_type": "client_credentials"}, BASIC)
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]} | WHO
    code, second = post(caller, form)
    assert code == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert status(caller, second["access_token"]) == 200
    assert post(caller, form) == (400, {"error": "invalid_grant"})


def test_an_access_token_is_no_refresh_token(caller):
    form = {"grant_type": "refresh_token", "refresh_token": caller.token} | WHO
    assert post(caller, form) == (400, {"error": "invalid_grant"})


def test_an_unknown_grant_is_refused(caller):
    assert post(caller, {"grant_type": "password"}) == (400, {"error": "unsupported_grant_type"})


def test_grants_can_run_out(call, world):
    caller = call(world, terms=Terms(grants=1))
    assert post(caller, {"grant_type": "client_credentials"}, BASIC)[0] == 200
    assert post(caller, {"grant_type": "client_credentials"}, BASIC) == (429, {"error": "rate_limit_exceeded"})


def test_a_token_ends_with_time(call, world):
    now = [1000.0]
    caller = call(world, terms=Terms(seconds=60), clock=lambda: now[0])
    assert status(caller, caller.token) == 200
    now[0] += 60
    assert status(caller, caller.token) == 401


def test_a_token_ends_with_use(call, world):
    caller = call(world, terms=Terms(requests=2))
    assert [status(caller, caller.token) for _ in range(4)] == [200, 200, 401, 401]


@pytest.mark.parametrize("authorization", ["Bearer {}", "oauth {}", "{}", "OAuth nonsense", "OAuth {}x"])
def test_the_header_must_be_right(caller, authorization):
    reply = caller.get("/tracks", authorization=authorization.format(caller.token))
    assert (reply.status, json.loads(reply.body)["status"]) == (401, "401 - Unauthorized")


def test_without_a_header_the_service_says_what_is_missing(caller):
    reply = caller.service.handle(SimRequest.of("GET", "/tracks"))
    assert reply.status == 401
    assert "Authorization header" in json.loads(reply.body)["message"]


def sign_in(caller, **changes) -> tuple[int, dict]:
    verifier = "v" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "client_id": DEMO_CLIENT_ID,
        "redirect_uri": BACK,
        "response_type": "code",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "state": "s t&ate",
    }
    reply = caller.service.handle(SimRequest.of("GET", f"/authorize?{urlencode(query)}"))
    assert reply.status == 302
    back = SimRequest.of("GET", reply.headers["location"])
    assert (back.path, back.query["state"]) == (BACK, "s t&ate")
    form = {
        "grant_type": "authorization_code",
        "code": back.query["code"],
        "redirect_uri": BACK,
        "code_verifier": verifier,
    }
    return post(caller, form | WHO | changes)


def test_signing_in_opens_me(caller):
    code, body = sign_in(caller)
    assert code == 200
    me = caller.get("/me", authorization=f"OAuth {body['access_token']}")
    assert json.loads(me.body)["urn"] == f"soundcloud:users:{caller.world.me_id}"
    likes = caller.get("/me/likes/tracks?limit=200", authorization=f"OAuth {body['access_token']}")
    assert len(json.loads(likes.body)) == len(caller.world.listing("user_likes", caller.world.me_id))
    assert status(caller, caller.token, "/me") == 401


@pytest.mark.parametrize("changes", [{"code_verifier": "w" * 50}, {"redirect_uri": BACK + "/"}, {"code": "x"}])
def test_a_code_needs_its_verifier_and_its_address(caller, changes):
    assert sign_in(caller, **changes) == (400, {"error": "invalid_grant"})


def test_signing_in_needs_pkce_and_state(caller):
    assert caller.service.handle(SimRequest.of("GET", "/authorize?response_type=code&client_id=x")).status == 400


def test_a_person_can_be_asked_first(call, world):
    caller = call(world, terms=Terms(auto_approve=False, credentials={"x": "y"}))
    query = "client_id=x&redirect_uri=http://127.0.0.1/&response_type=code&code_challenge=c&code_challenge_method=S256&state=s"
    page = caller.service.handle(SimRequest.of("GET", f"/authorize?{query}"))
    assert page.status == 200
    assert b'<button id="allow" name="approve" value="1">Allow</button>' in page.body
    denied = caller.service.handle(SimRequest.of("GET", f"/authorize?{query}&approve=0"))
    assert denied.headers["location"] == "http://127.0.0.1/?error=access_denied&state=s"
    assert caller.service.handle(SimRequest.of("GET", f"/authorize?{query}&approve=1")).status == 302


def test_signing_out_ends_a_token(caller):
    body = json.dumps({"access_token": caller.token}).encode()
    assert caller.service.handle(SimRequest.of("POST", "/sign-out", {}, body)).status == 200
    assert status(caller, caller.token) == 401
    assert caller.service.handle(SimRequest.of("POST", "/sign-out", {}, b"?")).status == 400
