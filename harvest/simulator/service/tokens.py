"""The OAuth side of the service: grants, refreshing, signing out, and which tokens count.

Tokens are signed, so they need no table; only what was used up or signed out is remembered.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from binascii import Error as Base64Error
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec
from msgspec import structs

from harvest.simulator.service.replies import SimReply, SimRequest, json_reply, refusal

DEMO_CLIENT_ID = "harvest-demo-client-0000000000000"
DEMO_CLIENT_SECRET = "harvest-demo-secret-0000000000000"
_KEY = b"a made-up SoundCloud"


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for tokens.

    `credentials` maps the client ids that are known to their secrets; None accepts any. An access token ends after
    `seconds`, or after `requests` requests. `grants` bounds how many client-credentials grants are given at all.
    `redirect_uri` is the one that is registered; None accepts any. `auto_approve` False asks the person first.
    """

    seconds: float = 3599
    requests: int | None = None
    credentials: Mapping[str, str] | None = field(default_factory=lambda: {DEMO_CLIENT_ID: DEMO_CLIENT_SECRET})
    grants: int | None = None
    auto_approve: bool = True
    redirect_uri: str | None = None


class Ticket(msgspec.Struct, frozen=True):
    """What is signed inside a token or code."""

    kind: str
    client: str
    user: bool
    issued: float
    number: int
    redirect: str = ""
    challenge: str = ""
    turn: int = 1


def sign(ticket: Ticket) -> str:
    """Make an opaque string of a ticket."""
    body = base64.urlsafe_b64encode(msgspec.msgpack.encode(ticket)).rstrip(b"=")
    return (body + b"." + _mac(body)).decode()


def unsign(text: str) -> Ticket | None:
    """Read a ticket back, None when it is not ours."""
    body, _, mac = text.encode(errors="replace").partition(b".")
    if not hmac.compare_digest(mac, _mac(body)):
        return None
    try:
        return msgspec.msgpack.decode(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)), type=Ticket)
    except (msgspec.DecodeError, Base64Error):
        return None


def _mac(body: bytes) -> bytes:
    return hmac.new(_KEY, body, hashlib.sha256).hexdigest()[:16].encode()


def _consent(path: str, query: dict[str, str]) -> SimReply:
    """Return a page that asks the person, with a button for yes and one for no."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in query.items()
    )
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Connect</title>'
        f"<h1>Allow {escape(query['client_id'])} to use your account?</h1>"
        f'<form action="{escape(path)}" method="get">{fields}'
        '<button id="allow" name="approve" value="1">Allow</button> '
        '<button id="deny" name="approve" value="0">Not now</button></form></html>'
    )
    return SimReply(200, {"content-type": "text/html; charset=utf-8"}, page.encode())


class Tokens:
    """Hand out tokens and say which ones count."""

    def __init__(self, terms: Terms, clock: Callable[[], float]) -> None:
        self.terms = terms
        self._clock = clock
        self._spent: set[int] = set()
        self._last = self._revoked_until = 0
        self.handed_out: deque[str] = deque(maxlen=10_000)
        self._uses: Counter[int] = Counter()
        self.granted: Counter[str] = Counter()

    def access_token(self, client: str = DEMO_CLIENT_ID, *, user: bool = False) -> str:
        """Return a fresh access token, as if it had been granted."""
        return self._hand_out(self._ticket("access", client, user))

    def refresh_token(self, client: str = DEMO_CLIENT_ID, *, user: bool = False) -> str:
        """Return a fresh refresh token, as if it had been granted."""
        return self._hand_out(self._ticket("refresh", client, user))

    def revoke_everything(self) -> None:
        """Let no token or code count that was handed out until now."""
        self._revoked_until = self._last

    def check(self, request: SimRequest) -> Ticket | None:
        """Return who is asking, None when the token does not count. Every check uses the token once."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        ticket = unsign(token.strip()) if scheme == "OAuth" else None
        if ticket is None or ticket.kind != "access" or not self._counts(ticket):
            return None
        if self._clock() >= ticket.issued + self.terms.seconds:
            return None
        if self.terms.requests is not None:
            self._uses[ticket.number] += 1
            if self._uses[ticket.number] > self.terms.requests:
                return None
        return ticket

    def grant(self, request: SimRequest) -> SimReply:
        """Answer POST /oauth/token."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        answer = {
            "client_credentials": self._by_credentials,
            "refresh_token": self._by_refresh,
            "authorization_code": self._by_code,
        }.get(form.get("grant_type", ""))
        if answer is None:
            return json_reply(400, {"error": "unsupported_grant_type"})
        return answer(request, form)

    def authorize(self, request: SimRequest) -> SimReply:
        """Answer GET /authorize: back to a known app with a code, or a page with a link that does so."""
        query = request.query
        wanted = ("client_id", "redirect_uri", "code_challenge", "state")
        if query.get("response_type") != "code" or query.get("code_challenge_method") != "S256":
            return json_reply(400, {"error": "invalid_request"})
        if any(not query.get(name) for name in wanted):
            return json_reply(400, {"error": "invalid_request"})
        if self.terms.credentials is not None and query["client_id"] not in self.terms.credentials:
            return refusal(401, "invalid_client", error_code="invalid_client")
        if not (self.terms.auto_approve or query.get("approve")):
            return _consent(request.path, query)
        if self.terms.redirect_uri not in (None, query["redirect_uri"]):
            return refusal(400, "redirect_uri_mismatch")
        if query.get("approve") == "0":
            joint = "&" if "?" in query["redirect_uri"] else "?"
            no = f"{query['redirect_uri']}{joint}error=access_denied&state={quote(query['state'])}"
            return SimReply(302, {"location": no, "content-type": "text/html; charset=utf-8"})
        ticket = self._ticket("code", query["client_id"], True)
        bound = structs.replace(ticket, redirect=query["redirect_uri"], challenge=query["code_challenge"])
        joint = "&" if "?" in query["redirect_uri"] else "?"
        back = f"{query['redirect_uri']}{joint}code={quote(sign(bound))}&state={quote(query['state'])}"
        return SimReply(302, {"location": back, "content-type": "text/html; charset=utf-8"})

    def sign_out(self, request: SimRequest) -> SimReply:
        """Answer POST /sign-out: the token in the body counts no longer."""
        try:
            body = msgspec.json.decode(request.body)
        except msgspec.DecodeError:
            return json_reply(400, {"error": "invalid_request"})
        ticket = unsign(str(body.get("access_token", ""))) if isinstance(body, dict) else None
        if ticket is None:
            return refusal(401)
        self._spent.add(ticket.number)
        return json_reply(200, {})

    def _by_credentials(self, request: SimRequest, form: dict[str, str]) -> SimReply:
        """Grant to an app that shows id and secret as HTTP Basic, and nowhere else (since March 2026)."""
        client = self._basic(request)
        if client is None or "client_secret" in form:
            return refusal(401, "invalid_client", error_code="invalid_client")
        if self.terms.grants is not None and self.granted["client_credentials"] >= self.terms.grants:
            return json_reply(429, {"error": "rate_limit_exceeded"})
        return self._pair("client_credentials", client, user=False)

    def _by_refresh(self, request: SimRequest, form: dict[str, str]) -> SimReply:
        """Swap a refresh token, which works once; id and secret stand in the body."""
        if not self._known(form.get("client_id", ""), form.get("client_secret", "")):
            return refusal(401, "invalid_client", error_code="invalid_client")
        ticket = unsign(form.get("refresh_token", ""))
        if ticket is None or not self._spend(ticket, "refresh", form["client_id"]):
            return json_reply(400, {"error": "invalid_grant"})
        return self._pair("refresh_token", ticket.client, user=ticket.user)

    def _by_code(self, request: SimRequest, form: dict[str, str]) -> SimReply:
        """Swap a code for tokens when redirect and PKCE verifier fit."""
        if not self._known(form.get("client_id", ""), form.get("client_secret", "")):
            return refusal(401, "invalid_client", error_code="invalid_client")
        ticket = unsign(form.get("code", ""))
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if ticket is None or ticket.redirect != form.get("redirect_uri") or ticket.challenge != challenge:
            return json_reply(400, {"error": "invalid_grant"})
        if not self._spend(ticket, "code", form["client_id"]):
            return json_reply(400, {"error": "invalid_grant"})
        return self._pair("authorization_code", ticket.client, user=True)

    def _basic(self, request: SimRequest) -> str | None:
        """Return the client id when HTTP Basic holds known credentials."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            client, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
        except (Base64Error, UnicodeDecodeError):
            return None
        return client if self._known(client, secret) else None

    def _known(self, client: str, secret: str) -> bool:
        if not client or not secret:
            return False
        return self.terms.credentials is None or self.terms.credentials.get(client) == secret

    def _spend(self, ticket: Ticket, kind: str, client: str) -> bool:
        """Use a ticket that works once; False when it is of another kind, another client's, or used."""
        if ticket.kind != kind or ticket.client != client or not self._counts(ticket):
            return False
        self._spent.add(ticket.number)
        return True

    def _pair(self, grant: str, client: str, *, user: bool) -> SimReply:
        """Return a new access token with a new refresh token."""
        self.granted[grant] += 1
        body: dict[str, Any] = {
            "access_token": self.access_token(client, user=user),
            "expires_in": int(self.terms.seconds),
            "refresh_token": self.refresh_token(client, user=user),
            "scope": "",
            "token_type": "bearer",
        }
        return json_reply(200, body)

    def _ticket(self, kind: str, client: str, user: bool) -> Ticket:
        self._last += 1
        return Ticket(kind, client, user, self._clock(), secrets.randbits(48), turn=self._last)

    def _hand_out(self, ticket: Ticket) -> str:
        text = sign(ticket)
        self.handed_out.append(text)
        return text

    def _counts(self, ticket: Ticket) -> bool:
        return ticket.number not in self._spent and ticket.turn > self._revoked_until
