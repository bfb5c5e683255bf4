"""Put the rooms together: settings in, an open client out. It takes a transport, so tests can plug in anything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from harvest.api.client import Client
from harvest.api.pace import Pace
from harvest.api.retry import Retry
from harvest.api.sender import Observer, Sender, open_http
from harvest.api.token_door import TokenDoor
from harvest.auth.bearer import Bearer, CredentialKind
from harvest.clock import Clock
from harvest.models import Page, Task
from harvest.settings import Settings


@dataclass(frozen=True, slots=True)
class Connection:
    """A client with the parts of it that others look at."""

    client: Client
    pace: Pace
    credential_kind: CredentialKind

    async def fetch(self, task: Task) -> Page:
        """Ask for the next page of a list."""
        return await self.client.fetch(task)

    async def room(self) -> None:
        """Return when nobody is queued for a place in the pace."""
        await self.client.room()

    def take_tally(self) -> dict[int, int]:
        """Give the requests sent since the last time, by status."""
        return self.client.take_tally()

    def halt(self) -> None:
        """Cancel every fetch that is not on the wire."""
        self.client.halt()

    @property
    def waited_seconds(self) -> float:
        """How long we have waited because the service said so."""
        return self.pace.waited_seconds

    @property
    def in_flight(self) -> int:
        """Requests on the wire."""
        return self.client.in_flight


@asynccontextmanager
async def connect(
    settings: Settings,
    *,
    clock: Clock,
    delay: float = 0.5,
    max_in_flight: int = 32,
    full_profiles: bool = False,
    observer: Observer | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[Connection]:
    """Open everything that is needed to ask. Raises SettingsError, LoginNeeded."""
    on_wait = observer.waiting if observer else None
    pace = Pace(clock=clock, delay=delay, hold_seconds=settings.hold_seconds, on_wait=on_wait)
    async with open_http(concurrency=max_in_flight, transport=transport) as http:
        sender = Sender(http, pace=pace, clock=clock, observer=observer, deadline=settings.request_seconds)
        retry = Retry(pace=pace, clock=clock, base_seconds=settings.retry_seconds)
        bearer = Bearer(
            send=TokenDoor(sender, retry=retry, auth_url=settings.auth_url),
            clock=clock,
            access_token=settings.access_token,
            refresh_token=settings.refresh_token,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
        )
        client = Client(sender, authority=bearer, retry=retry, api_url=settings.api_url, full_profiles=full_profiles)
        try:
            yield Connection(client, pace, bearer.kind)
        finally:
            await bearer.close()
