"""Hold the token, and get another one when it expires or is refused.

Rule 1. One renewal at a time: whoever asks meanwhile waits for the same one; whoever saw an older token gets the newer.
Rule 2. A renewal, once begun, is finished even if nobody waits for it any more: refresh tokens work once.
Rule 3. Refreshing comes before a new grant, of which there are 50 in 12 hours; a spent refresh token costs one grant.
Rule 4. A token is renewed five minutes before it expires. Time is measured on the monotonic clock.
Rule 5. A newly granted token that is refused before it ever worked ends the run: asking for more of them helps nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Literal, Protocol

from harvest.auth import grants
from harvest.auth.grants import InvalidClient, InvalidGrant, Placement, Token, TokenRequest, is_sendable
from harvest.clock import Clock, as_text
from harvest.errors import LoginNeeded, SettingsError, TokenRefused

EARLY = 300.0

Send = Callable[[str, Mapping[str, str], Mapping[str, str]], Awaitable[tuple[int, bytes]]]
CredentialKind = Literal["access_token", "refresh_token", "client_credentials"]

LOGIN_NEEDED = (
    "There is nothing to sign in with: set SOUNDCLOUD_CLIENT_ID and SOUNDCLOUD_CLIENT_SECRET in the environment or in "
    "a file named .env here (from soundcloud.com/you/apps). `harvest demo` needs no account."
)


class TokenStore(Protocol):
    """Where tokens outlive the process."""

    def load(self) -> Token | None:
        """Give what was saved last."""

    def save(self, token: Token) -> None:
        """Keep this token durably, before it is used."""


class Used(Protocol):
    """A token that somebody used, as they give it back."""

    @property
    def access_token(self) -> str:
        """What went into the header."""


class MemoryStore:
    """Tokens that end with the process."""

    def __init__(self, token: Token | None = None) -> None:
        self._token = token

    def load(self) -> Token | None:
        """Give what was saved last."""
        return self._token

    def save(self, token: Token) -> None:
        """Keep this token until the process ends."""
        self._token = token


class Bearer:
    """The one holder of tokens in this process."""

    def __init__(
        self,
        *,
        send: Send,
        clock: Clock,
        access_token: str | None = None,
        refresh_token: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        store: TokenStore | None = None,
    ) -> None:
        self._send = send
        self._clock = clock
        self._store = store or MemoryStore()
        self._client = _client(client_id, client_secret)
        self.kind: CredentialKind = (
            "access_token" if access_token else "refresh_token" if refresh_token else "client_credentials"
        )
        self._token = self._store.load() or _given(access_token, refresh_token)
        self._refresh_token = self._token.refresh_token if self._token else _checked("REFRESH_TOKEN", refresh_token)
        self._renew_at = self._deadline(self._token)
        self._works = False  # some request with the present token was accepted
        self._granted = False  # the present token is one that this process asked for
        self._placements: dict[str, Placement] = {"client_credentials": "basic", "refresh_token": "body"}
        self._renewal: asyncio.Task[Token] | None = None
        if self._token is None and self._client is None:
            raise LoginNeeded(_missing(client_id, client_secret))

    def __repr__(self) -> str:
        return f"<Bearer {self.kind}>"

    async def token(self) -> Token:
        """Give a token that should be good for the next minutes."""
        token = self._token
        if token and (self._clock.monotonic() < self._renew_at or not self._client):
            return token
        return await self._renewed()

    async def renew(self, refused: Used) -> Token:
        """Give another token than the refused one, by asking for it only if nobody has done so yet."""
        if self._token and not self._is_present(refused):
            return self._token
        if self._renewal is None:
            if self._granted:
                self.ensure_accepted(refused)
            if not self._client:
                raise TokenRefused(
                    "SoundCloud does not accept SOUNDCLOUD_ACCESS_TOKEN; such tokens live about an hour. Set a new "
                    "one, or SOUNDCLOUD_CLIENT_ID and SOUNDCLOUD_CLIENT_SECRET, which renew it."
                )
        return await self._renewed()

    def accepted(self, token: Used) -> None:
        """Note that the service took this token."""
        if self._is_present(token):
            self._works = True

    def ensure_accepted(self, token: Used) -> None:
        """Raise TokenRefused when this is the present token and no request with it was ever accepted."""
        if self._is_present(token) and not self._works:
            raise TokenRefused(
                "SoundCloud gave a new token and does not accept it. Check that the app on soundcloud.com/you/apps is "
                "active and may use the API."
            )

    async def close(self, patience: float = 2.0) -> None:
        """Give a renewal that is under way a moment to be saved."""
        if renewal := self._renewal:
            await asyncio.wait({renewal}, timeout=patience)
            renewal.cancel()

    def _is_present(self, token: Used) -> bool:
        return self._token is not None and self._token.access_token == token.access_token

    async def _renewed(self) -> Token:
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._renew())
            self._renewal.add_done_callback(self._forget)
        return await asyncio.shield(self._renewal)

    def _forget(self, renewal: asyncio.Task[Token]) -> None:
        self._renewal = None
        if not renewal.cancelled():
            renewal.exception()  # somebody may have stopped waiting; nothing is lost by looking

    async def _renew(self) -> Token:
        token = await self._granted_token()
        self._store.save(token)
        self._token, self._refresh_token = token, token.refresh_token
        self._renew_at = self._deadline(token)
        self._granted, self._works = True, False
        return token

    async def _granted_token(self) -> Token:
        assert self._client is not None
        client = self._client
        if self._refresh_token:
            spent = self._refresh_token
            with suppress(InvalidGrant):  # used by somebody else, or too old: one new grant takes its place
                return await self._ask("refresh_token", lambda place: grants.refresh(spent, *client, placement=place))
            self._refresh_token = None
        return await self._ask("client_credentials", lambda place: grants.client_credentials(*client, placement=place))

    async def _ask(self, grant: str, build: Callable[[Placement], TokenRequest]) -> Token:
        """Ask with id and secret in the usual place, and once in the other one if that is not understood."""
        first = self._placements[grant]
        try:
            return await self._exchange(build(first))
        except InvalidClient:
            other: Placement = "body" if first == "basic" else "basic"
            token = await self._exchange(build(other))
            self._placements[grant] = other
            return token

    async def _exchange(self, request: TokenRequest) -> Token:
        status, body = await self._send(request.path, request.headers, request.form)
        return grants.read_token(status, body, obtained_at=as_text(self._clock.now()))

    def _deadline(self, token: Token | None) -> float:
        """Say when to renew; a token that does not tell its life is used until it is refused."""
        if token is None or token.expires_in is None:
            return float("inf")
        age = 0.0
        if token.obtained_at:
            age = max(0.0, (self._clock.now() - datetime.fromisoformat(token.obtained_at)).total_seconds())
        early = min(EARLY, token.expires_in / 2)
        return self._clock.monotonic() + token.expires_in - age - early


def _client(client_id: str | None, client_secret: str | None) -> tuple[str, str] | None:
    given = _checked("CLIENT_ID", client_id), _checked("CLIENT_SECRET", client_secret)
    return (given[0], given[1]) if given[0] and given[1] else None


def _given(access_token: str | None, refresh_token: str | None) -> Token | None:
    access = _checked("ACCESS_TOKEN", access_token)
    return Token(access, _checked("REFRESH_TOKEN", refresh_token)) if access else None


def _checked(name: str, secret: str | None) -> str | None:
    secret = (secret or "").strip()
    if secret and not is_sendable(secret):
        raise SettingsError(f"SOUNDCLOUD_{name} has line breaks or odd characters in it; copy it again.")
    return secret or None


def _missing(client_id: str | None, client_secret: str | None) -> str:
    if bool(client_id) != bool(client_secret):
        name = "SOUNDCLOUD_CLIENT_SECRET" if client_id else "SOUNDCLOUD_CLIENT_ID"
        return f"{name} is missing beside its other half. {LOGIN_NEEDED}"
    return LOGIN_NEEDED
