"""What came and went: counts, a log when one is wanted, and the connections that are open."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import NamedTuple, Protocol

from harvest.simulator.service.replies import SimRequest


class Logged(NamedTuple):
    """One request as the server saw it: when (monotonic), what, the answer, how many were under way with it."""

    time: float
    method: str
    target: str
    status: int
    in_flight: int


class Droppable(Protocol):
    """A connection that can be ended."""

    def drop(self) -> None:
        """End it without ceremony."""


class Traffic:
    """Counts requests and holds replies back; `open` are the connections, `tasks` the replies that take time."""

    def __init__(self, *, keep_log: bool = False) -> None:
        self.keep_log = keep_log
        self.requests: list[Logged] = []
        self.statuses: Counter[int] = Counter()
        self.total = self.bytes_sent = self.in_flight = self.most_in_flight = self.connections = 0
        self.open: set[Droppable] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self._answered: int | None = None

    def hold_after(self, total: int | None) -> None:
        """Hold the replies back to all requests after so many, until there may be more; None lets all go."""
        self._answered = total

    def is_held(self, number: int) -> bool:
        """Say whether the reply to the n-th request is held back just now."""
        return self._answered is not None and number > self._answered

    def arrived(self) -> int:
        """Count a request that is now under way; give how many are."""
        self.total += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        return self.in_flight

    def left(self, sent: int) -> None:
        """Count a request that is answered."""
        self.in_flight -= 1
        self.bytes_sent += sent

    def note(self, request: SimRequest, target: str, status: int, in_flight: int) -> None:
        """Keep what was asked, when a log is wanted."""
        self.statuses[status] += 1
        if self.keep_log:
            self.requests.append(Logged(time.monotonic(), request.method, target, status, in_flight))
