"""Ask a service over and over through `wiring.connect`, as a process of its own, until it is killed.

Usage: python tests/paced.py URL STATE_FOLDER NAME DELAY. Prints a line when it begins. Every request says who asks and
when it started by the clock of its slot, which on a busy machine is some time before it arrives.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

import httpx

from harvest.api import responses
from harvest.client.transport import Sender
from harvest.errors import ApiError
from harvest.settings import Settings
from harvest.system.clock import SystemClock
from harvest.wiring import connect

IN_FLIGHT = 4


async def ask(sender: Sender, url: str, name: str) -> None:
    """Send one request in its turn; whatever the answer, the pace hears of it."""
    slot = await sender.slot()
    with suppress(ApiError), sender.pace.judged(slot):
        reply = await sender.send(
            "GET", httpx.URL(f"{url}/who?name={name}&at={slot.started:.6f}"), headers={}, shown="GET /who"
        )
        responses.success(reply, now=sender.clock.now())


async def main(url: str, folder: str, name: str, delay: str) -> None:
    settings = Settings(api_url=url, auth_url=url, client_id="one", client_secret="secret", hold_seconds=0.3)
    clock = SystemClock()
    async with connect(
        settings, clock=clock, delay=float(delay), max_in_flight=IN_FLIGHT, pace_folder=Path(folder)
    ) as connection:
        print("begun", flush=True)

        async def go_on() -> None:
            while True:
                await ask(connection.sender, url, name)

        await asyncio.gather(*(go_on() for _ in range(IN_FLIGHT)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
