"""Say how long the rest will take: requests left, times how fast they went of late, waits included. Pure.

Rule 1. The rate is that of the later half of the crawl so far, waits left out: it follows a service that changes its
mind, and forgets how its limit was found.
Rule 2. Waits are added as they were in that half, but one wait in a short time does not make a habit.
Rule 3. What is left of a wait that is going on comes on top.
Rule 4. Nothing is said before some requests have been answered.
"""

from __future__ import annotations

from collections import deque

_SHORTEST = 5.0  # seconds of work that a rate is taken over
_HABIT = 60.0  # seconds of work without a wait that are taken for granted
_ENOUGH = 5  # requests
_KEPT = 512

Memory = tuple[float, int, float]  # when, how many requests were done, how many seconds had been spent in waits


class Estimator:
    """Remembers how many requests were done when; bounded, however long the crawl."""

    def __init__(self) -> None:
        self._seen: deque[Memory] = deque()
        self._spacing = 0.0

    def note(self, now: float, done: int, waited: float = 0.0) -> None:
        """Remember how many requests are done by now."""
        if self._seen and now - self._seen[-1][0] < self._spacing:
            return
        self._seen.append((now, done, waited))
        if len(self._seen) > _KEPT:
            self._thin()

    def rate(self, now: float, done: int, *, seconds: float) -> float:
        """Give how many per second there were of late, waits included."""
        if not self._seen:
            return 0.0
        then, had, _ = self._at(now - seconds)
        return max(done - had, 0) / (now - then) if now > then else 0.0

    def seconds_left(
        self, now: float, done: int, left: int, *, waited: float = 0.0, hold_seconds: float = 0.0
    ) -> float | None:
        """Estimate the rest; `waited` is the time spent in waits, `hold_seconds` what is left of the present one."""
        if not left:
            return 0.0
        if not self._seen or done - self._seen[0][1] < _ENOUGH:
            return None
        then, had, before = self._at(now - max((now - self._seen[0][0]) / 2, _SHORTEST + waited - self._seen[0][2]))
        if done - had < _ENOUGH:
            then, had, before = self._seen[0]
        work = max(now - then - (waited - before), 0.001)
        return left * work / (done - had) * (1 + (waited - before) / (work + _HABIT)) + hold_seconds

    def _at(self, moment: float) -> Memory:
        """Give the newest memory that is not younger than a moment, else the oldest there is."""
        return next((seen for seen in reversed(self._seen) if seen[0] <= moment), self._seen[0])

    def _thin(self) -> None:
        """Forget every second memory, and take fewer from now on."""
        kept = list(self._seen)[::2]
        self._spacing = (kept[-1][0] - kept[0][0]) / len(kept)
        self._seen = deque(kept)
