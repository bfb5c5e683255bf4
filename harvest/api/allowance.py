"""Learn how fast the service lets us ask, from what it accepted and what it refused. Pure.

Halving after a refusal and creeping back wastes what is allowed, so a refusal measures: what was accepted between the
last refusal and this one, over the time that took, is what the service grants. We go on just under it, and feel upwards
again: quickly while far below the rate that was refused, slowly close to it.

Rule 1. Never faster than the delay that was asked for.
Rule 2. One refusal changes the rate by half at most, and by three per cent at least.
"""

from __future__ import annotations

from collections import deque

_MARGIN = 0.97  # stay this much under what was refused
_BURST = 2  # what a service lets through on top of its rate after a pause, at least
_WINDOW = 60.0  # seconds of history that say something about today's rate
_STRIDE = 25  # accepted requests between two steps upwards
_CLOSING = 0.05  # part of the distance to the refused rate that one step covers
_SMALLEST_STEP = 0.005
_SHORT_HOLD = 5.0  # after a longer one the pause counts as part of the allowance
_SLOWEST = 60.0  # seconds between requests that we never exceed


class Allowance:
    """How many seconds lie between two requests, as learned so far."""

    def __init__(self, delay: float, learned: float | None = None) -> None:
        self.delay = delay
        self.interval = max(delay, learned or 0.0)
        self._refused_rate: float | None = None
        self._since: float | None = None
        self._accepted: deque[float] = deque(maxlen=4096)
        self._streak = 0

    def accepted(self, started: float) -> None:
        """Count a request, begun at `started`, that was answered without complaint."""
        self._since = started if self._since is None else self._since
        self._accepted.append(started)
        self._streak += 1
        if self.interval > self.delay and self._streak >= _STRIDE:
            self._streak = 0
            self._feel_upwards()

    def refused(self, started: float, now: float, hold_seconds: float) -> None:
        """Learn from a request, begun at `started`, that was refused; we pause for `hold_seconds` from `now`."""
        since = max(started - _WINDOW, self._since if self._since is not None else started)
        seconds = max(started - since, 0.1)
        count = sum(1 for moment in self._accepted if since <= moment <= started)
        asked = 1 / self.interval if self.interval > 0 else max(count + 1, 2) / seconds
        granted = (count - _BURST) / seconds
        self._set_rate(max(asked / 2, min(granted, asked * _MARGIN)))
        self._refused_rate = asked
        self._streak = 0
        self._accepted.clear()
        self._since = now + hold_seconds if hold_seconds <= _SHORT_HOLD else now

    def _feel_upwards(self) -> None:
        rate = 1 / self.interval
        distance = (self._refused_rate or rate) - rate
        self._set_rate(rate + max(rate * _SMALLEST_STEP, distance * _CLOSING))

    def _set_rate(self, rate: float) -> None:
        self.interval = min(max(self.delay, 1 / rate), max(_SLOWEST, self.delay))
