"""Build the token requests and read their replies into a Token. Pure.

in: credentials, or status and body of a reply; out: a TokenRequest or a Token; never: a secret in a repr or an error.

Client credentials travel as HTTP Basic, the other grants carry id and secret in the body (developers.soundcloud.com
guide; both sides changed in March 2026, so `placement` can be turned round).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harvest.errors import AuthError, TokenRefused

TOKEN_PATH = "/oauth/token"

Placement = Literal["basic", "body"]


class InvalidClient(TokenRefused):
    """SoundCloud does not accept SOUNDCLOUD_CLIENT_ID and SOUNDCLOUD_CLIENT_SECRET (invalid_client)."""


class InvalidGrant(TokenRefused):
    """SoundCloud does not accept the refresh token; each works once (invalid_grant)."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a grant brought. Only `repr` is safe to show."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_in: float | None = None
    obtained_at: str | None = None
    scope: str = ""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A form for the token service."""

    headers: Mapping[str, str] = field(repr=False)
    form: Mapping[str, str] = field(repr=False)
    path: str = TOKEN_PATH


def client_credentials(client_id: str, client_secret: str, *, placement: Placement = "basic") -> TokenRequest:
    """Ask for a token in the name of the app."""
    return _placed({"grant_type": "client_credentials"}, client_id, client_secret, placement)


def refresh(refresh_token: str, client_id: str, client_secret: str, *, placement: Placement = "body") -> TokenRequest:
    """Ask for the next pair; the refresh token that is sent is spent."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return _placed(form, client_id, client_secret, placement)


def authorization_code(
    code: str, verifier: str, redirect_uri: str, client_id: str, client_secret: str, *, placement: Placement = "body"
) -> TokenRequest:
    """Swap the code a browser brought back, with the verifier that proves we sent it there."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": redirect_uri,
    }
    return _placed(form, client_id, client_secret, placement)


def read_token(status: int, body: bytes, *, obtained_at: str | None = None) -> Token:
    """Read the reply of the token service; raise the AuthError it means."""
    answer = _mapping(body)
    if status == 200:
        access = answer.get("access_token")
        if not isinstance(access, str) or not is_sendable(access):
            raise AuthError("The sign-in service answered without a token.")
        renewal = answer.get("refresh_token")
        usable = renewal if isinstance(renewal, str) and is_sendable(renewal) else None
        scope = answer.get("scope")
        seconds = _seconds(answer.get("expires_in"))
        return Token(access, usable, seconds, obtained_at, scope if isinstance(scope, str) else "")
    said = {value for key in ("error", "error_code", "message") if isinstance(value := answer.get(key), str)}
    if "invalid_client" in said:
        raise InvalidClient(
            "SoundCloud does not accept SOUNDCLOUD_CLIENT_ID and SOUNDCLOUD_CLIENT_SECRET (invalid_client). "
            "Compare them with those on soundcloud.com/you/apps."
        )
    if "invalid_grant" in said:
        raise InvalidGrant("SoundCloud does not accept the refresh token; each works only once (invalid_grant).")
    raise TokenRefused(f"The sign-in service gives no token ({status}{_code(said)}).")


def is_sendable(secret: str) -> bool:
    """Say whether a secret can stand in a header: printable ASCII, no blanks around it."""
    return bool(secret) and secret.isascii() and secret.isprintable() and secret == secret.strip()


def _placed(form: dict[str, str], client_id: str, client_secret: str, placement: Placement) -> TokenRequest:
    if placement == "body":
        return TokenRequest({}, {**form, "client_id": client_id, "client_secret": client_secret})
    basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode("ascii")
    return TokenRequest({"Authorization": f"Basic {basic}"}, form)


def _mapping(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _seconds(value: object) -> float | None:
    try:
        seconds = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else 0.0
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < 10**9 else None


def _code(said: set[str]) -> str:
    """Quote the service's own code, if it is a code and nothing that could carry a secret."""
    codes = sorted(word for word in said if len(word) <= 40 and word.replace("_", "").isalpha())
    return f", {codes[0]}" if codes else ""
