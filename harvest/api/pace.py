"""Keep requests to the allowed rate, and stop them all when the service says so.

Rule 1. Requests start at least one interval apart, in the order in which they came, whoever sends them.
Rule 2. A refusal stops everybody. A later, shorter hold never shortens an earlier one.
Rule 3. After a hold one request goes alone; the others follow when it is answered without complaint.
Rule 4. Refusals of requests that started before a hold belong to that hold.
Rule 5. After six holds in a row the next refusal ends the run; what is stored stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Protocol

from harvest.api.allowance import Allowance
from harvest.clock import Clock
from harvest.errors import Blocked, Challenged, RateLimited, TransientError

HOLDS = 6
LONGEST_HOLD = 900.0
LONGEST_WISH = 3600.0  # a service that wants more than this is not waited for


@dataclass(frozen=True, slots=True)
class Slot:
    """The right to start one request. `hold` counts the holds that went before it."""

    started: float
    hold: int


class Starts(Protocol):
    """Who may start when: the state that several processes may come to share."""

    def reserve(self, earliest: float, interval: float) -> float:
        """Take the next free start, at `earliest` or after it."""

    def give_back(self, start: float, interval: float) -> None:
        """Return a start that was not used; nobody else may have taken a later one."""


class LocalStarts:
    """The starts of one process."""

    def __init__(self) -> None:
        self._free_at = float("-inf")

    def reserve(self, earliest: float, interval: float) -> float:
        """Take the next free start, at `earliest` or after it."""
        start = max(earliest, self._free_at)
        self._free_at = start + interval
        return start

    def give_back(self, start: float, interval: float) -> None:
        """Return a start that was not used, unless a later one is taken already."""
        if self._free_at == start + interval:
            self._free_at = start


class Pace:
    """One line for all requests."""

    def __init__(
        self,
        *,
        clock: Clock,
        delay: float = 0.5,
        hold_seconds: float = 30.0,
        learned_interval: float | None = None,
        starts: Starts | None = None,
        random: Random | None = None,
        on_wait: Callable[[str, float], None] | None = None,
    ) -> None:
        self._clock = clock
        self._allowance = Allowance(delay, learned_interval)
        self._hold_seconds = hold_seconds
        self._starts = starts or LocalStarts()
        self._random = random or Random()
        self._on_wait = on_wait or (lambda reason, seconds: None)
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._last = float("-inf")  # when the latest request really started, which may be later than planned
        self._alone: Slot | None = None  # the one request that goes first after a hold
        self._testing = False  # a hold was, and nothing was accepted since
        self._holds = 0  # ever
        self._row = 0  # holds without a success between them
        self._planned = 0.0
        self._blocked: str | None = None
        self.waiting = 0
        self.hold_until = float("-inf")
        self.hold_reason: str | None = None

    @property
    def interval(self) -> float:
        """Seconds between two starts, as learned so far."""
        return self._allowance.interval

    @property
    def waited_seconds(self) -> float:
        """Seconds spent in holds until now."""
        return self._planned - max(0.0, self.hold_until - self._clock.monotonic())

    @property
    def holding(self) -> bool:
        """Whether everybody is waiting just now."""
        return self.hold_until > self._clock.monotonic()

    async def slot(self) -> Slot:
        """Wait until the next request may start; who is cancelled meanwhile takes nobody's place."""
        self.waiting += 1
        try:
            async with self._turn:  # asyncio locks are fair: first come, first served
                return await self._start()
        finally:
            self.waiting -= 1

    @contextmanager
    def judged(self, slot: Slot) -> Iterator[None]:
        """Tell from how a request ended whether the service accepted it; every slot is judged once."""
        try:
            yield
        except RateLimited as error:
            self.hold(error.wait_seconds, "SoundCloud asks us to slow down", slot=slot)
            raise
        except Challenged:
            self.hold(None, "SoundCloud blocks us for now", slot=slot)
            raise
        except (TransientError, asyncio.CancelledError):
            self.failed(slot)
            raise
        except BaseException:
            self.succeeded(slot)
            raise
        self.succeeded(slot)

    def hold(self, seconds: float | None, reason: str, *, slot: Slot | None = None, too_fast: bool = True) -> None:
        """Stop everybody, for as long as the service says or for our own growing time.

        `slot` is the place of the request that was refused; `too_fast` says whether it teaches anything about the rate.
        """
        now = self._clock.monotonic()
        if slot is not None and slot.hold < self._holds:  # asked before the hold it is late for
            if seconds is not None and now + seconds > self.hold_until:
                self._stop_until(now + min(seconds, LONGEST_WISH), reason)
            return
        self._holds += 1
        self._row += 1
        self._alone, self._testing = None, True
        length = self._length(seconds)
        if too_fast:
            self._allowance.refused(slot.started if slot else now, now, length)
        if self._row > HOLDS or length > LONGEST_WISH:
            self._give_up(reason, length)
        else:
            self._stop_until(now + length, reason)
        self._wake()

    def succeeded(self, slot: Slot) -> None:
        """Note a request that the service answered without complaint; after a hold this lets the others go."""
        if slot.hold < self._holds:
            return
        self._allowance.accepted(slot.started)
        if self._testing:
            self._alone, self._testing, self._row, self.hold_reason = None, False, 0, None
            self._wake()

    def failed(self, slot: Slot) -> None:
        """Note a request that ended without saying anything about our pace; if it went alone, another one may."""
        if self._alone is slot:
            self._alone = None
            self._wake()

    async def _start(self) -> Slot:
        while True:
            if self._blocked:
                raise Blocked(self._blocked)
            if self._testing and self._alone:
                await self._changed.wait()
                continue
            interval, holds = self.interval, self._holds
            earliest = max(self._clock.monotonic(), self.hold_until, self._last + interval)
            start = self._starts.reserve(earliest, interval)
            try:
                while (left := start - self._clock.monotonic()) > 0:
                    await self._clock.sleep(left)
            except BaseException:
                self._starts.give_back(start, interval)
                raise
            if self._blocked or self._holds != holds or self.holding:
                self._starts.give_back(start, interval)
                continue
            return self._go()

    def _go(self) -> Slot:
        slot = Slot(self._clock.monotonic(), self._holds)
        self._last = slot.started
        self._alone = slot if self._testing else None
        return slot

    def _length(self, seconds: float | None) -> float:
        """Say how long to hold: the service's word, doubled only when obeying it twice was not enough."""
        if seconds is not None:
            longest = max(seconds, LONGEST_HOLD)
            return float(min(max(seconds, 1.0) * 2 ** max(0, self._row - 2), longest))
        grown = min(self._hold_seconds * 2.0 ** (self._row - 1), max(LONGEST_HOLD, self._hold_seconds))
        return grown * self._random.uniform(1.0, 1.2)

    def _stop_until(self, moment: float, reason: str) -> None:
        now = self._clock.monotonic()
        if moment > self.hold_until:
            self._planned += moment - max(now, self.hold_until)
            self.hold_until = moment
        self.hold_reason = reason
        self._on_wait(reason, self.hold_until - now)

    def _give_up(self, reason: str, length: float) -> None:
        if length > LONGEST_WISH:
            why = f"{reason} for {length / 60:.0f} minutes"
        else:
            why = f"{reason}; {HOLDS} pauses in a row did not help"
        self._blocked = f"{why}. Everything fetched so far is kept; go on later with `harvest resume`."

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
