"""Why nothing is asked just now, and for how long: a hold, a request tried again, or simply our own slow pace."""

from __future__ import annotations

import math
from collections.abc import Callable

from harvest.system.logs import printable

_WORTH_SAYING = 2.0  # seconds between two requests from which on the pace itself is a wait


class Waits:
    """Remembers what we were told to wait for."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._until = float("-inf")
        self._why = ""
        self._sent = float("-inf")

    def begin(self, reason: str, seconds: float) -> None:
        """Note a wait; one that ends earlier than the present one changes nothing."""
        until = self._now() + seconds
        if until >= self._until:
            self._until, self._why = until, reason

    def sent(self) -> None:
        """Note that a request starts: who asks does not wait."""
        self._sent = self._now()

    def words(self, *, in_flight: int, interval: float, hold_reason: str | None) -> str:
        """Say what we wait for, '' when we do not."""
        left = self._until - self._now()
        if left > 0 and not in_flight:
            return f"waiting {math.ceil(left)} s: {printable(self._why)}"
        if hold_reason and in_flight:
            return f"asking whether we may go on: {printable(hold_reason)}"
        turn = self._sent + interval - self._now()
        if interval >= _WORTH_SAYING and not in_flight and turn > 0:
            return f"waiting {math.ceil(turn)} s: our pace is one request in {interval:g} s"
        return ""
