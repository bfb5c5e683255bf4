"""With which credentials a probe asks: the app's own, a person's, or both; each by a client of its own.

They take turns at one pace, and one budget bounds all of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from harvest.auth.credential_chain import Credentials, configured
from harvest.auth.token_store import AppKeeper, Keeper
from harvest.client.budget import Budget
from harvest.client.client import Client
from harvest.client.transport import Observer
from harvest.errors import CredentialsMissing, LoginNeeded
from harvest.probing.probe import APPLICATION, PERSON, TOKEN
from harvest.settings import Settings
from harvest.system.clock import Clock
from harvest.wiring import connect


def at_hand(settings: Settings, keeper: Keeper, wanted: str = "") -> list[str]:
    """List what can be asked with: `person` where a person is signed in, `token` where that cannot be said of what is
    configured, `application` where id and secret are there. `wanted` keeps one of them. Raises LoginNeeded.
    """
    credentials = Credentials.checked(
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        access_token=settings.access_token,
        refresh_token=settings.refresh_token,
    )
    kinds = [chain.kind for chain in configured(credentials, keeper)]
    if not kinds:
        raise CredentialsMissing(credentials.missing)
    found = [{"login": PERSON, "client_credentials": APPLICATION}.get(kinds[0], TOKEN)]
    if "client_credentials" in kinds[1:]:
        found.insert(0, APPLICATION)
    kept = [one for one in found if not wanted or (one == APPLICATION) == (wanted == APPLICATION)]
    if not kept:
        raise LoginNeeded(
            "You are not signed in: run `harvest auth login`."
            if wanted == PERSON
            else "The app itself has no credentials: set SOUNDCLOUD_CLIENT_ID and SOUNDCLOUD_CLIENT_SECRET."
        )
    return kept


@asynccontextmanager
async def clients(
    credentials: list[str],
    settings: Settings,
    keeper: Keeper,
    *,
    clock: Clock,
    budget: Budget,
    delay: float,
    observer: Observer | None = None,
    pace_folder: Path | None = None,
) -> AsyncIterator[dict[str, Client]]:
    """Open a client for each of them."""
    async with AsyncExitStack() as stack:
        opened = {}
        for credential in credentials:
            is_app = credential == APPLICATION
            connection = await stack.enter_async_context(
                connect(
                    replace(settings, access_token=None, refresh_token=None) if is_app else settings,
                    clock=clock,
                    delay=delay,
                    max_in_flight=1,
                    observer=observer,
                    keeper=AppKeeper(keeper) if is_app else keeper,
                    fall_back=False,
                    pace_folder=pace_folder,
                    budget=budget,
                )
            )
            opened[credential] = connection.client
        yield opened
