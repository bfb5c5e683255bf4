"""Put the rooms together: settings in, an open client out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from harvest.auth.bearer import Bearer
from harvest.auth.token_store import FileKeeper, Keeper, MemoryKeeper, Vault
from harvest.client.budget import Budget
from harvest.client.client import Client
from harvest.client.retry import Retry
from harvest.client.token_transport import TokenDoor
from harvest.client.transport import Observer, Sender, open_http
from harvest.errors import ExtraMissing, SettingsError
from harvest.pacing.limiter import Pace
from harvest.pacing.shared import SharedLedger, bucket_of
from harvest.profiles import USUAL
from harvest.settings import Settings, state_folder
from harvest.system.clock import Clock


@dataclass(frozen=True, slots=True)
class Connection:
    """What is open: what asks, what holds the tokens, what leads to the token service, and what all of it leaves by."""

    client: Client
    bearer: Bearer
    door: TokenDoor
    sender: Sender


@asynccontextmanager
async def connect(
    settings: Settings,
    *,
    clock: Clock,
    delay: float = 0.5,
    max_in_flight: int = 32,
    profiles: str = USUAL,
    observer: Observer | None = None,
    keeper: Keeper | None = None,
    fall_back: bool = True,
    pace_folder: Path | None = None,
    budget: Budget | None = None,
) -> AsyncIterator[Connection]:
    """Open everything that is needed to ask. Raises SettingsError, LoginNeeded.

    Without a keeper, tokens end with the process; without a folder for it, the pace is shared with no other process.
    """
    ledger = _shared(settings, clock, delay, pace_folder) if pace_folder else None
    on_wait = observer.waiting if observer else None
    async with (
        Pace(clock=clock, delay=delay, hold_seconds=settings.hold_seconds, ledger=ledger, on_wait=on_wait) as pace,
        open_http(settings.api_url, settings.auth_url, concurrency=max_in_flight) as http,
    ):
        sender = Sender(
            http, pace=pace, clock=clock, observer=observer, budget=budget, deadline=settings.request_seconds
        )
        retry = Retry(pace=pace, clock=clock, base_seconds=settings.retry_seconds, on_wait=on_wait)
        door = TokenDoor(sender, retry=retry, auth_url=settings.auth_url)
        bearer = Bearer(
            send=door,
            clock=clock,
            access_token=settings.access_token,
            refresh_token=settings.refresh_token,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            keeper=keeper,
            fall_back=fall_back,
            clock_trouble=lambda: clock_trouble(sender.clock_ahead),
        )
        client = Client(sender, bearer=bearer, retry=retry, api_url=settings.api_url, profiles=profiles)
        try:
            yield Connection(client, bearer, door, sender)
        finally:
            await bearer.close(patience=10.0 if sender.in_flight else 0.2)  # unsent: no need to wait for it


def _shared(settings: Settings, clock: Clock, delay: float, folder: Path) -> SharedLedger:
    """Stand in one line with all processes of this user that ask the same service as the same client."""
    return SharedLedger(
        folder,
        bucket_of(settings.api_url, settings.client_id),
        clock=clock,
        delay=delay,
        on_trouble=lambda why: structlog.get_logger().warning("pace.not_shared", why=why),
    )


def keeper_for(settings: Settings) -> Keeper:
    """Open the place where this user's sign-ins are kept: the state folder, unless configured otherwise.

    Where a `.env` names an address, what is kept for others stays out of reach, and what is kept goes nowhere else.
    """
    if settings.credential_store == "memory":
        return MemoryKeeper()
    return FileKeeper(
        state_folder() / "credentials",
        client_id=settings.client_id or "",
        auth_url=settings.auth_url,
        api_url=settings.api_url if settings.strange_address else "",
        vault=_keyring() if settings.credential_store == "keyring" else None,
    )


def clock_trouble(seconds_ahead: float | None) -> str:
    """Say so when our clock and the service's are more than five minutes apart."""
    if seconds_ahead is None or abs(seconds_ahead) < 300:
        return ""
    side = "fast" if seconds_ahead > 0 else "slow"
    return f"This computer's clock is {abs(seconds_ahead) / 60:,.0f} minutes {side}: set it right."


def _keyring() -> Vault:
    """Open the system's safe; there is no silent way back to a file."""
    try:
        import keyring
        from keyring.backends import fail
    except ImportError as error:
        raise ExtraMissing("HARVEST_CREDENTIAL_STORE=keyring", "more", "keyring") from error
    if isinstance(keyring.get_keyring(), fail.Keyring):
        raise SettingsError("This system offers no keyring: set HARVEST_CREDENTIAL_STORE=file, or unlock one.")
    vault: Vault = keyring
    return vault
