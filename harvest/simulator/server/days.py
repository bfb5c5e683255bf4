"""Let the days of a served world pass by themselves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

_HOUR = 1 / 24


class Movable(Protocol):
    """A server whose world can be seen at another moment."""

    def move(self, moment: float) -> None:
        """Let the world be so many days after its first one."""


async def let_days_pass(
    server: Movable,
    first: float,
    day_lasts: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Move a world on for ever, from day `first`; a day in it lasts so many seconds.

    It moves by whole hours, and by more where an hour is shorter than a second, so that every moment can be seen again.
    """
    step = max(_HOUR, 1 / day_lasts)
    began = clock()
    while True:
        await sleep(step * day_lasts)
        server.move(first + int((clock() - began) / (step * day_lasts)) * step)
