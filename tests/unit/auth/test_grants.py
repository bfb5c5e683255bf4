"""Token requests and what their replies mean."""

from __future__ import annotations

import base64
import json

import pytest

from harvest.auth.grants import InvalidClient, InvalidGrant, Token, client_credentials, read_token, refresh
from harvest.errors import AuthError, TokenRefused


def test_client_credentials_travel_as_basic_with_the_grant_alone_in_the_body():
    request = client_credentials("id", "s3cret")
    assert request.path == "/oauth/token"
    assert request.headers == {"Authorization": f"Basic {base64.b64encode(b'id:s3cret').decode()}"}
    assert request.form == {"grant_type": "client_credentials"}


def test_a_refresh_carries_everything_in_the_body():
    request = refresh("r1", "id", "s3cret")
    assert request.headers == {}
    assert request.form == {
        "grant_type": "refresh_token",
        "refresh_token": "r1",
        "client_id": "id",
        "client_secret": "s3cret",
    }


def test_the_placement_can_be_turned_round():
    assert client_credentials("id", "s", placement="body").form["client_secret"] == "s"
    assert "Authorization" in refresh("r", "id", "s", placement="basic").headers


def test_no_secret_shows_in_a_repr():
    shown = (
        repr(Token("AAA", "BBB", 3599.0)) + repr(client_credentials("id", "CCC")) + repr(refresh("DDD", "id", "CCC"))
    )
    assert not any(secret in shown for secret in ("AAA", "BBB", "CCC", "DDD"))


@pytest.mark.parametrize(
    ("answer", "token"),
    [
        ({"access_token": "a", "refresh_token": "r", "expires_in": 3599}, Token("a", "r", 3599.0)),
        ({"access_token": "a"}, Token("a")),
        ({"access_token": "a", "expires_in": "3599", "refresh_token": None}, Token("a", None, 3599.0)),
        ({"access_token": "a", "expires_in": -1}, Token("a")),
        ({"access_token": "a", "expires_in": "soon"}, Token("a")),
        ({"access_token": "a", "expires_in": True, "refresh_token": 5}, Token("a")),
        ({"access_token": "a", "refresh_token": "b\r\nX: y"}, Token("a")),
    ],
)
def test_a_token_is_read(answer, token):
    assert read_token(200, json.dumps(answer).encode()) == token


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"access_token": ""}', b'{"access_token": "a\\nb"}', b'{"access_token": 5}']
)
def test_a_reply_without_a_token_is_an_error(body):
    with pytest.raises(AuthError):
        read_token(200, body)


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (400, b'{"error":"invalid_grant"}', InvalidGrant),
        (401, b'{"code":401,"message":"invalid_grant","error":null,"error_code":"invalid_grant"}', InvalidGrant),
        (401, b'{"code":401,"message":"invalid_client","error_code":"invalid_client"}', InvalidClient),
        (401, b'{"error":"invalid_client"}', InvalidClient),
        (400, b'{"error":"unsupported_grant_type"}', TokenRefused),
        (401, b"", TokenRefused),
        (403, b"{}", TokenRefused),
        (302, b"", TokenRefused),
        (404, b"[]", TokenRefused),
    ],
)
def test_refusals_are_told_apart(status, body, meaning):
    with pytest.raises(AuthError) as raised:
        read_token(status, body)
    assert type(raised.value) is meaning
    assert raised.value.exit_code == 3
    assert str(raised.value).isprintable()


def test_only_codes_of_the_service_are_quoted():
    with pytest.raises(TokenRefused) as raised:
        read_token(400, b'{"error":"unsupported_grant_type","message":"token=SECRET"}')
    assert str(raised.value) == "The sign-in service gives no token (400, unsupported_grant_type)."
