"""Hold the token, and get another one when it expires or is refused.

Rule 1. One renewal at a time, in this process and among all of them: a caller that asks meanwhile waits for the same
one, and the holder of the lock looks first whether another process has renewed already.
Rule 2. A renewal, once begun, is finished even if no caller waits for it any more: refresh tokens work once. The new
pair is kept before it is used.
Rule 3. Refreshing comes before a new grant, of which there are 50 in 12 hours; a spent refresh token costs one grant.
Rule 4. A token is renewed five minutes before it expires. Time is measured on the monotonic clock.
Rule 5. A newly granted token that is refused before it ever worked ends the run: asking for more is useless.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime

import structlog

from harvest.auth import grants
from harvest.auth.credential_chain import ENDED, Chain, CredentialKind, Credentials, configured
from harvest.auth.exchange import Exchange, Send
from harvest.auth.grants import InvalidGrant, Token
from harvest.auth.token_store import Keeper, KeptToken, MemoryKeeper, TokenStore
from harvest.errors import Blocked, CredentialsMissing, LoginNeeded, TokenRefused
from harvest.system.clock import Clock

EARLY = 300.0
POLL = 0.05
PATIENCE = 1800.0  # another process may be waiting out a refusal of the token service

log = structlog.get_logger()


class Bearer:
    """The one holder of tokens in this process.

    `fall_back` False keeps to the first way of signing in: for what only that person may see. `clock_trouble` gives a
    sentence when the service's clock and ours are far apart.
    """

    def __init__(
        self,
        *,
        send: Send,
        clock: Clock,
        access_token: str | None = None,
        refresh_token: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        keeper: Keeper | None = None,
        fall_back: bool = True,
        clock_trouble: Callable[[], str] = lambda: "",
    ) -> None:
        credentials = Credentials.checked(
            client_id=client_id, client_secret=client_secret, access_token=access_token, refresh_token=refresh_token
        )
        self._client = credentials.client
        self._missing = credentials.missing
        self._clock = clock
        self._clock_trouble = clock_trouble
        self._exchange = Exchange(send, clock)
        self._chains = configured(credentials, keeper or MemoryKeeper())
        if not self._chains:
            raise CredentialsMissing(credentials.missing)
        if not fall_back:
            del self._chains[1:]
        self._token: Token | None = None
        self._renew_at = float("inf")
        self._works = False  # some request with the present token was accepted
        self._granted = False  # the present token is one that this process asked for
        self._renewal: asyncio.Task[Token] | None = None
        self._begin()

    def __repr__(self) -> str:
        return f"<Bearer {self.kind}>"

    @property
    def kind(self) -> CredentialKind:
        """How we are signed in."""
        return self._chains[0].kind

    async def token(self) -> Token:
        """Give a token that should be good for the next minutes."""
        token = self._token
        if token and (self._clock.monotonic() < self._renew_at or not self._client):
            return token
        return await self._renewed()

    async def renew(self, refused: Token) -> Token:
        """Give another token than the refused one, by asking for it only if no caller has done so yet."""
        if self._token and not self.is_present(refused):
            return self._token
        if self._renewal is None and self._granted:
            self.ensure_accepted(refused)
        return await self._renewed()

    async def renew_now(self) -> Token:
        """Give a newer token although the present one may be good; raise LoginNeeded when nothing can renew it."""
        chain = self._chains[0]
        token = chain.kept().token
        if not chain.can_grant and not (token and token.refresh_token):
            raise LoginNeeded(
                "No refresh token came with this sign-in, so it cannot be renewed: run `harvest auth login`."
            )
        return await self._renewed()

    def accepted(self, token: Token) -> None:
        """Note that the service took this token."""
        if self.is_present(token):
            self._works = True

    def is_latest(self, token: Token) -> bool:
        """Say whether this process asked for this token itself and has no newer one: another would be no better."""
        return self._granted and self.is_present(token)

    def ensure_accepted(self, token: Token) -> None:
        """Raise TokenRefused when this is the present token and no request with it was ever accepted."""
        if self.is_present(token) and not self._works:
            trouble = self._clock_trouble() or "Check that the app on soundcloud.com/you/apps is active."
            raise TokenRefused(f"SoundCloud gave a new token and does not accept it. {trouble}")

    async def close(self, patience: float = 2.0) -> None:
        """Give a renewal that is under way a moment to be saved."""
        if renewal := self._renewal:
            await asyncio.wait({renewal}, timeout=patience)
            renewal.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await renewal

    def is_present(self, token: Token) -> bool:
        """Say whether this is the token in use; another one may have replaced it."""
        return self._token is not None and self._token.access_token == token.access_token

    def _begin(self) -> None:
        """Take up the chain where it stands."""
        chain = self._chains[0]
        kept = chain.kept()
        self._exchange.recall(kept.placements)
        if kept.token and kept.token.access_token:
            self._adopt(kept.token)
        if chain.given and kept.token != chain.given:
            log.info("auth.stored_tokens_used", why="those in the environment were used before", kind=chain.kind)

    def _adopt(self, token: Token, *, granted: bool = False) -> Token:
        self._token, self._renew_at = token, self._deadline(token)
        self._granted, self._works = granted, False
        return token

    async def _renewed(self) -> Token:
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._renew())
            self._renewal.add_done_callback(self._forget)
        return await asyncio.shield(self._renewal)

    def _forget(self, renewal: asyncio.Task[Token]) -> None:
        self._renewal = None
        if not renewal.cancelled():
            renewal.exception()  # the caller may have stopped waiting; nothing is lost by looking

    async def _renew(self) -> Token:
        known = self._token.access_token if self._token else ""
        while True:
            chain = self._chains[0]
            async with self._alone(chain.store):
                kept = chain.kept()
                if kept.token and self._is_another(kept.token, known):
                    log.debug("auth.token_adopted", kind=chain.kind)
                    return self._adopt(kept.token)
                token = await self._bought(chain, kept)
                if token:
                    chain.store.save(replace(kept, token=token, ended=False, placements=self._exchange.placements))
                    log.debug("auth.token_renewed", kind=chain.kind, expires_in=token.expires_in)
                    return self._adopt(token, granted=True)
                chain.store.save(replace(kept, token=None, ended=True))
            self._go_on_without(chain)

    def _is_another(self, token: Token, known: str) -> bool:
        """Say whether a stored token is news to us, and worth using."""
        return token.access_token not in ("", known) and self._deadline(token) > self._clock.monotonic()

    async def _bought(self, chain: Chain, kept: KeptToken) -> Token | None:
        """Ask for the next token of a chain; None when the chain is at its end."""
        client, spent = self._client, kept.token.refresh_token if kept.token else None
        if client is None:
            if spent:  # it could be renewed, with the rest of the credentials
                raise CredentialsMissing(self._missing)
            return None
        chain.store.prepare()
        if spent:
            with suppress(InvalidGrant):  # used by another program, or revoked
                token = await self._exchange.ask(
                    "refresh_token", lambda place: grants.refresh(spent, *client, placement=place)
                )
                return token if token.refresh_token else replace(token, refresh_token=spent)
        if not chain.can_grant:
            return None
        return await self._exchange.ask(
            "client_credentials", lambda place: grants.client_credentials(*client, placement=place)
        )

    def _go_on_without(self, chain: Chain) -> None:
        """Use the next way of signing in; raise TokenRefused when there is none."""
        if len(self._chains) == 1:
            raise TokenRefused(ENDED[chain.kind])
        del self._chains[0]
        log.warning("auth.signed_in_otherwise", now=self.kind, why=ENDED[chain.kind])
        self._exchange.recall({**self._chains[0].kept().placements, **self._exchange.placements})

    @asynccontextmanager
    async def _alone(self, store: TokenStore) -> AsyncIterator[None]:
        """Keep all other processes from renewing."""
        waited = 0.0
        while not store.try_lock():
            if waited >= PATIENCE:
                raise Blocked(
                    "Another harvest process has been renewing the sign-in for half an hour; look at it first."
                )
            await self._clock.sleep(POLL)
            waited += POLL
        try:
            yield
        finally:
            store.unlock()

    def _deadline(self, token: Token) -> float:
        """Say when to renew; a token that does not tell its life is used until it is refused."""
        if token.expires_in is None:
            return float("inf")
        age = 0.0
        if token.obtained_at:
            with suppress(ValueError, TypeError):
                age = max(0.0, (self._clock.now() - datetime.fromisoformat(token.obtained_at)).total_seconds())
        early = min(EARLY, token.expires_in / 2)
        return self._clock.monotonic() + token.expires_in - age - early
