"""Keep requests to the allowed rate, and stop them all when the service says so.

The rules of the line are in `queue.py`, what refusals teach in `rate_learning.py`. Here is the waiting: one request of
this process after the other takes its place, sleeps until its turn comes, and looks once more before it goes.

Without a limit that is known, requests open gently: two at once, and one more with each two that were accepted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import Protocol, TypeVar

from harvest.errors import Blocked, Challenged, RateLimited, TransientError
from harvest.pacing.queue import Place, Refusal, Slot, Turns
from harvest.pacing.tuning import USUAL, Tuning
from harvest.system.clock import Clock

Result = TypeVar("Result")
Change = Callable[[Turns, float], Result]


class Busy(Exception):
    """Another process is changing the turns just now; try again in a moment."""


class Ledger(Protocol):
    """Who keeps the turns; several processes may share them."""

    who: str
    look_again: float  # seconds between two looks at what others do; 0 when there are no others

    def change(self, change: Change[Result]) -> Result:
        """Read and change the turns at the present time, as one step; raises Busy."""

    def close(self) -> None:
        """Leave the line."""


class LocalLedger:
    """The turns of one process."""

    who = "we"
    look_again = 0.0

    def __init__(self, now: Callable[[], float], delay: float, turns: Turns | None = None) -> None:
        self._now = now
        self._turns = turns or Turns()
        self._turns.delay = delay

    def change(self, change: Change[Result]) -> Result:
        """Read and change the turns."""
        return change(self._turns, self._now())

    def close(self) -> None:
        """Do nothing: no other process waits."""


class Pace:
    """One line for all requests."""

    def __init__(
        self,
        *,
        clock: Clock,
        delay: float = 0.5,
        hold_seconds: float = 30.0,
        ledger: Ledger | None = None,
        random: Random | None = None,
        on_wait: Callable[[str, float], None] | None = None,
        tuning: Tuning = USUAL,
    ) -> None:
        self._tuning = tuning
        self._clock = clock
        self._ledger = ledger or LocalLedger(clock.monotonic, delay)
        self._hold_seconds = hold_seconds
        self._random = random or Random()
        self._on_wait = on_wait or (lambda reason, seconds: None)
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._untold: list[Change[None]] = []  # what the ledger was too busy to hear
        self._accepted = (0, 0)  # which hold, how many requests since then
        self._gentle = tuning.gentle  # requests that may be out while no limit is known
        self._out = 0
        self._holds = 0
        self._blocked = ""
        self._planned = 0.0
        self.interval = delay
        self.waiting = 0
        self.hold_until = float("-inf")
        self.hold_reason: str | None = None

    @property
    def waited_seconds(self) -> float:
        """Seconds spent in holds until now."""
        return self._planned - max(0.0, self.hold_until - self._clock.monotonic())

    @property
    def holding(self) -> bool:
        """Whether all requests are waiting just now."""
        return self.hold_until > self._clock.monotonic()

    async def __aenter__(self) -> Pace:
        return self

    async def __aexit__(self, *error: object) -> None:
        """Leave the line; others go on."""
        with suppress(Busy):
            self._change_now(self._count_accepted)
        self._ledger.close()

    async def slot(self) -> Slot:
        """Wait until the next request may start; a request cancelled meanwhile takes no place."""
        self.waiting += 1
        try:
            async with self._turn:  # asyncio locks are fair: first come, first served
                while self._opening and self._out >= int(self._gentle):
                    await self._changed.wait()
                slot = await self._start()
                self._out += 1
                return slot
        finally:
            self.waiting -= 1

    @contextmanager
    def judged(self, slot: Slot, *, quietly: bool = False) -> Iterator[None]:
        """Tell from how a request ended whether the service accepted it; every slot is judged once.

        `quietly`: a refusal stops no other request, for it may be of this one alone; the caller asks something else.
        """
        try:
            yield
        except (RateLimited, Challenged) as error:
            if quietly:
                self.failed(slot)
            else:
                self.refused(error, slot)
            raise
        except (TransientError, asyncio.CancelledError):
            self.failed(slot)
            raise
        except BaseException:
            self.succeeded(slot)
            raise
        self.succeeded(slot)

    def refused(self, error: RateLimited | Challenged, slot: Slot | None = None) -> None:
        """Stop all requests, as a refusal asks for; `slot` is the place of the request that was refused."""
        if isinstance(error, RateLimited):
            self.hold(error.wait_seconds, "SoundCloud asks us to slow down", slot=slot)
        else:
            self.hold(None, "SoundCloud blocks us for now", slot=slot)

    def hold(self, seconds: float | None, reason: str, *, slot: Slot | None = None, too_fast: bool = True) -> None:
        """Stop all requests, for as long as the service says or for our own growing time.

        `slot` is the place of the request that was refused; `too_fast` says whether it teaches anything about the rate.
        """
        refusal = Refusal(seconds, reason, self._hold_seconds, self._random.uniform(*self._tuning.jitter), too_fast)
        self._tell(lambda turns, now: turns.refuse(refusal, slot, now, self._tuning))
        self._left(slot)

    def succeeded(self, slot: Slot) -> None:
        """Note a request that the service answered without complaint; after a hold this lets the others go."""
        hold, count = self._accepted
        self._accepted = (slot.hold, count + 1 if hold == slot.hold else 1)
        self._gentle += self._tuning.gentle_growth
        if slot.alone:
            self._tell(lambda turns, now: turns.accept(slot))
        self._left(slot)

    def failed(self, slot: Slot) -> None:
        """Note a request that ended without saying anything about our pace; if it went alone, another one may."""
        if slot.alone:
            self._tell(lambda turns, now: turns.fail(slot))
        self._left(slot)

    @property
    def _opening(self) -> bool:
        return not self.interval and not self._holds and self._gentle < self._tuning.open

    def _left(self, slot: Slot | None) -> None:
        """Count a request that is judged."""
        if slot is not None:
            self._out -= 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def _start(self) -> Slot:
        while True:
            found = await self._change(self._reserve)
            if self._blocked:
                raise Blocked(self._blocked)
            if isinstance(found, float):
                await self._news(found)
                continue
            slot = await self._wait_in(found) if isinstance(found, Place) else found
            if slot is not None:
                return slot

    def _reserve(self, turns: Turns, now: float) -> Slot | Place | float:
        """Take a place, and go at once if it is free; a number says when to ask again."""
        self._count_accepted(turns, now)
        place = turns.reserve(now, self._ledger.who, self._tuning)
        if place is None:
            return max(turns.hold_until - now, 0.0)
        return place if place.wait > 0 else turns.go(now, self._tuning)

    def _count_accepted(self, turns: Turns, now: float) -> None:
        hold, count = self._accepted
        if count and hold == turns.holds:
            turns.allowance.accept(count, now, turns.delay, self._tuning)
            self._accepted = (hold, 0)

    async def _wait_in(self, place: Place) -> Slot | None:
        """Sleep until it is this place's turn; None when a hold came in between."""

        def go(turns: Turns, now: float) -> Slot | float | None:
            if turns.holds != place.hold:
                return None
            return turns.left(now, self._tuning) or turns.go(now, self._tuning)

        left = place.wait
        try:
            while True:
                await self._clock.sleep(left)
                found = await self._change(go)
                if not isinstance(found, float):
                    return found
                left = found
        except BaseException:
            self._tell(lambda turns, now: turns.give_back(place, self._ledger.who))
            raise

    async def _news(self, seconds: float) -> None:
        """Wait while another request goes alone."""
        if self._ledger.look_again:
            await self._clock.sleep(max(seconds, self._ledger.look_again))
        else:
            await self._changed.wait()

    async def _change(self, change: Change[Result]) -> Result:
        while True:
            try:
                return self._change_now(change)
            except Busy:
                await self._clock.sleep(self._tuning.busy_pause)

    def _tell(self, change: Change[None]) -> None:
        """Change the turns now, or with the next change when they are busy."""
        self._untold.append(change)
        with suppress(Busy):
            self._change_now(lambda turns, now: None)

    def _change_now(self, change: Change[Result]) -> Result:
        def everything(turns: Turns, now: float) -> Result:
            for untold in self._untold:
                untold(turns, now)
            result = change(turns, now)
            seen.append((turns, now))
            return result

        seen: list[tuple[Turns, float]] = []
        result = self._ledger.change(everything)
        self._untold.clear()
        self._notice(*seen[-1])
        return result

    def _notice(self, turns: Turns, now: float) -> None:
        """Remember what others ask us about, and report a new hold, even one that another process caused."""
        present = self._clock.monotonic()
        left = turns.hold_until - now
        if left > 0 and (turns.holds != self._holds or present + left > self.hold_until + self._tuning.new_hold):
            self._planned += max(0.0, present + left - max(present, self.hold_until))
            self.hold_until = max(self.hold_until, present + left)
            self._on_wait(turns.hold_reason, left)
        self.interval, self._holds, self._blocked = turns.interval, turns.holds, turns.blocked
        self.hold_reason = turns.hold_reason or None
