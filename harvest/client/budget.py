"""How much a crawl may spend: requests, failed lists, time. Pure; each spender asks here first.

Rule 1. A request is counted when it gets the right to leave, retries and token requests included; never one too many.
Rule 2. A list that failed twice is one failed list.
Rule 3. What earlier runs of the file spent counts only when a total is asked for.
Rule 4. The first bound that is met names the end, and it stays the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

# What is stored in runs.stop_reason → the option that sets the bound.
REASONS = {
    "max_requests": "--max-requests",
    "max_failures": "--max-failures",
    "max_time": "--for",
    "until": "--until",
}


@dataclass(slots=True)
class Budget:
    """Bounds, and what was spent of them. None is no bound; `for_seconds` are seconds of crawling."""

    max_requests: int | None = None
    max_failures: int | None = None
    for_seconds: float | None = None
    until: datetime | None = None
    total: bool = False
    requests: int = 0
    seconds_before: float = 0.0
    failed: set[int] = field(default_factory=set)
    reason: str | None = None
    on_end: Callable[[], None] = lambda: None

    def count_before(self, requests: int, seconds: float, failed: Iterable[int]) -> None:
        """Count what earlier runs spent, if these are bounds on the total."""
        if self.total:
            self.requests += requests
            self.seconds_before += seconds
            self.failed.update(failed)
        self._look()

    def spend(self) -> bool:
        """Take the right to send one request; False when there is none left."""
        if self.max_requests is not None and self.requests >= self.max_requests:
            return False
        self.requests += 1
        self._look()
        return True

    @property
    def requests_left(self) -> int | None:
        """How many requests may still be sent; None: no bound."""
        return None if self.max_requests is None else max(0, self.max_requests - self.requests)

    def allows_another(self, in_flight: int) -> bool:
        """Say whether one more list may be begun beside so many: each of them may have to be asked for once more, and
        a small bound that is spent on first requests alone would never get to a second.
        """
        return in_flight == 0 or self.requests_left is None or self.requests_left > in_flight

    def fail(self, list_id: int) -> None:
        """Note a list that failed."""
        self.failed.add(list_id)
        self._look()

    def seconds_left(self, running: float, now: datetime) -> float | None:
        """Say how long the crawl may go on, having run for so many seconds; None: no bound."""
        left = [(self.for_seconds - self.seconds_before - running, "max_time")] if self.for_seconds is not None else []
        if self.until is not None:
            left.append(((self.until - now).total_seconds(), "until"))
        if not left:
            return None
        seconds, name = min(left)
        if seconds <= 0:
            self.reason = self.reason or name
        return max(seconds, 0.0)

    def _look(self) -> None:
        if self.max_requests is not None and self.requests >= self.max_requests:
            self.reason = self.reason or "max_requests"
        elif self.max_failures is not None and len(self.failed) >= self.max_failures:
            self.reason = self.reason or "max_failures"
