"""Choose how to sign in, from what is configured and what is stored.

in: credentials, a keeper; out: chains of tokens, in the order in which they are used; never: a request.

Rule 1. What the environment or `.env` says comes first, then a stored login, then client credentials.
Rule 2. A refresh token of the environment begins a chain that lives in the store, since each works once. The chain is
recognised by the fingerprint of what it began with: as long as the environment holds that, the stored chain goes on;
another one there begins another chain. `.env` is never written.
Rule 3. A chain that came to its end is passed over, until something new begins another.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

from harvest.auth.grants import Token, is_sendable
from harvest.auth.token_store import Keeper, KeptToken, MemoryStore, TokenStore
from harvest.errors import SettingsError
from harvest.system import redaction

CredentialKind = Literal["access_token", "refresh_token", "login", "imported", "client_credentials"]

LOGIN_NEEDED = (
    "There is nothing to sign in with: set SOUNDCLOUD_CLIENT_ID and SOUNDCLOUD_CLIENT_SECRET (from "
    "soundcloud.com/you/apps), or SOUNDCLOUD_ACCESS_TOKEN, in the environment or in a file named .env here. "
    "`harvest demo` needs no account."
)

# What to say when the last chain came to its end.
ENDED: dict[CredentialKind, str] = {
    "access_token": "SoundCloud does not accept SOUNDCLOUD_ACCESS_TOKEN; such tokens live about an hour. Set a new "
    "one, or SOUNDCLOUD_CLIENT_ID and SOUNDCLOUD_CLIENT_SECRET, which renew it.",
    "refresh_token": "SoundCloud does not accept SOUNDCLOUD_REFRESH_TOKEN any more; each works only once. Run "
    "`harvest auth login`, or set a new pair.",
    "login": "SoundCloud does not accept the stored login any more: run `harvest auth login`.",
    "imported": "SoundCloud does not accept the imported tokens any more: import newer ones, or run "
    "`harvest auth login`.",
    "client_credentials": "SoundCloud gives no token for SOUNDCLOUD_CLIENT_ID and SOUNDCLOUD_CLIENT_SECRET.",
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is configured, checked."""

    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)

    @classmethod
    def checked(
        cls,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        access_token: str | None = None,
        refresh_token: str | None = None,
    ) -> Credentials:
        """Clean what was configured; raise SettingsError for what cannot stand in a header."""
        found = cls(
            _checked("CLIENT_ID", client_id),
            _checked("CLIENT_SECRET", client_secret),
            _checked("ACCESS_TOKEN", access_token),
            _checked("REFRESH_TOKEN", refresh_token),
        )
        redaction.remember(found.client_secret, found.access_token, found.refresh_token)
        return found

    @property
    def client(self) -> tuple[str, str] | None:
        """Id and secret of the app, when both are there."""
        return (self.client_id, self.client_secret) if self.client_id and self.client_secret else None

    @property
    def missing(self) -> str:
        """Say what to configure."""
        if bool(self.client_id) != bool(self.client_secret):
            name = "SOUNDCLOUD_CLIENT_SECRET" if self.client_id else "SOUNDCLOUD_CLIENT_ID"
            return f"{name} is missing beside its other half. {LOGIN_NEEDED}"
        return LOGIN_NEEDED


@dataclass(frozen=True, slots=True)
class Chain:
    """Tokens that follow from one another, and where they are kept."""

    kind: CredentialKind
    store: TokenStore
    given: Token | None = None
    origin: str = ""

    @property
    def can_grant(self) -> bool:
        """Say whether a new beginning needs no person."""
        return self.kind == "client_credentials"

    def kept(self) -> KeptToken:
        """Give where the chain stands: what is stored, or its beginning when the store knows another one or none."""
        kept = self.store.load()
        if kept is None or (self.origin and kept.origin != self.origin):
            return KeptToken(self.given, self.origin)
        return kept

    @property
    def is_alive(self) -> bool:
        """Say whether a token may come of it."""
        kept = self.kept()
        return self.can_grant or (kept.token is not None and not kept.ended)


def configured(credentials: Credentials, keeper: Keeper) -> list[Chain]:
    """List the chains that are alive, the first to be used first."""
    access, renewal = credentials.access_token, credentials.refresh_token
    chains = []
    if renewal and credentials.client:
        given = Token(access or "", renewal)
        chains.append(Chain("refresh_token", keeper.store("refresh_token"), given, fingerprint(renewal)))
    elif access:
        store = keeper.store("access_token") if credentials.client else MemoryStore()
        chains.append(Chain("access_token", store, Token(access), fingerprint(access)))
    if credentials.client_id:
        store = keeper.store("login")
        chains.append(Chain(kind_of_login(store.load()), store))
    if credentials.client:
        chains.append(Chain("client_credentials", keeper.store("client_credentials")))
    return [chain for chain in chains if chain.is_alive]


def kind_of_login(kept: KeptToken | None) -> Literal["login", "imported"]:
    """Tell a person's login from tokens that came out of a file: those may be an app's own, which is no login."""
    return "imported" if kept and kept.origin else "login"


def fingerprint(secret: str) -> str:
    """Give something by which a secret is recognised, and which does not tell it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _checked(name: str, secret: str | None) -> str | None:
    secret = (secret or "").strip()
    if secret and not is_sendable(secret):
        raise SettingsError(f"SOUNDCLOUD_{name} has line breaks or odd characters in it; copy it again.")
    return secret or None
