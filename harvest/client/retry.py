"""Decide whether to ask again, and when. The only place that knows tenacity.

Rule 1. Trouble that may pass (TransientError) is asked again up to five times, after 1, 2, 4, 8, 16 s with full jitter.
Rule 2. Refusals of the whole client are no attempts: the pace holds all requests, and after that we ask again.
Rule 3. A Forbidden is believed the second time: some were incidents of the gateway (soundcloud/api issue 361).
Rule 4. What is permanent or unreadable is never asked again; a 404 costs one request.
Rule 5. A service that was never reached ends the run, and one that is lost in mid-run stops all requests.
Rule 6. Before silence is taken for an outage, something else is asked: where that is answered, the lists are to blame.
Rule 7. A request that is refused again after a pause stops no other request before something else is asked: where that
is answered, the list is to blame and given up. Once that was so, the first refusal is asked about as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from harvest.errors import Blocked, Challenged, Forbidden, NoConnection, RateLimited, TransientError, Unreachable
from harvest.pacing.limiter import Pace
from harvest.system.clock import Clock

Answer = TypeVar("Answer")
Attempt = Callable[[int], Awaitable[Answer]]
Probe = Callable[[], Awaitable[bool]]

ATTEMPTS = 5
TRYING_AGAIN = "a request failed and is tried again"
LONGEST_BACKOFF = 16.0
OUTAGE = 20  # requests in a row, of any task, that got no answer
NOBODY_THERE = 5  # of them, when there was not even a connection


class Retry:
    """How patient we are with one request, and with the service as a whole."""

    def __init__(
        self,
        *,
        pace: Pace,
        clock: Clock,
        attempts: int = ATTEMPTS,
        base_seconds: float = 1.0,
        random: Random | None = None,
        on_wait: Callable[[str, float], None] | None = None,
    ) -> None:
        self.attempts = attempts
        self.base_seconds = base_seconds
        self.reached = False
        self._pace = pace
        self._clock = clock
        self._random = random or Random()
        self._on_wait = on_wait or (lambda reason, seconds: None)
        self._unanswered = 0
        self._probing = asyncio.Lock()
        self.refuses_lists = False  # some request was refused while something else was answered

    async def run(
        self, attempt: Attempt[Answer], *, is_there: Probe | None = None, elsewhere: Probe | None = None
    ) -> Answer:
        """Call `attempt` with the number of failures so far, until it answers or asking again is useless.

        `is_there` asks whether the service answers at all, `elsewhere` whether it answers something else than this.
        With the latter, `attempt` says by `quietly` of an error that no other request was stopped for it.
        """
        patience = _Patience(self)

        async def once() -> Answer:
            try:
                answer = await attempt(patience.failures)
            except Unreachable as error:
                if is_there is not None:
                    await self._look_around(error, patience, is_there)
                raise
            except (RateLimited, Challenged) as error:
                patience.refusals += 1
                if elsewhere is not None and error.quietly:
                    patience.is_to_blame = await self._ask_elsewhere(error, elsewhere)
                raise
            self._heard()
            return answer

        retrying = AsyncRetrying(
            retry=retry_if_exception(patience.may_ask_again), wait=patience.wait, sleep=self._sleep, reraise=True
        )
        try:
            return await retrying(once)
        except Unreachable as error:
            error.attempts = patience.failures
            if not self.reached:
                raise Blocked(f"SoundCloud cannot be reached: {error} Check the connection and try again.") from error
            raise
        except (TransientError, Challenged) as error:
            error.attempts = patience.failures + patience.refusals
            raise

    def pause(self, failures: int) -> float:
        """Say how long to wait after so many failures."""
        return self._random.uniform(0.0, min(LONGEST_BACKOFF, 2.0 ** (failures - 1)) * self.base_seconds)

    def stops_everybody(self, error: BaseException, *, last: bool) -> bool:
        """Say whether this failure is one of an outage, in which case all requests wait and no list is blamed.

        `last` says that the request would be given up; not even then is a list blamed for a service that is not there.
        """
        if not isinstance(error, Unreachable) or error.status:  # what broke off had begun
            self._heard()
            return False
        self._unanswered += 1
        nobody_there = isinstance(error, NoConnection) and (last or self._unanswered >= NOBODY_THERE)
        if not self.reached or not (nobody_there or self._unanswered >= OUTAGE):
            return False
        if not self._pace.holding:
            self._pace.hold(None, "SoundCloud cannot be reached", too_fast=False)
        return True

    async def _look_around(self, error: Unreachable, patience: _Patience, is_there: Probe) -> None:
        """Find out whether it is the service that is silent, when this failure would be taken for that."""

        def in_doubt() -> bool:
            many = self._unanswered + 1 >= OUTAGE
            return not isinstance(error, NoConnection) and (many or (patience.is_last and not self.reached))

        async with self._probing:
            if not error.status and in_doubt() and await is_there():
                self._heard()

    async def _ask_elsewhere(self, error: RateLimited | Challenged, elsewhere: Probe) -> bool:
        """Say whether a refusal is of this request alone; stop all requests where it is not."""
        async with self._probing:
            if await elsewhere():
                self.refuses_lists = True
                return True
            if not self._pace.holding:
                self._pace.refused(error)
        return False

    def _heard(self) -> None:
        self.reached = True
        self._unanswered = 0

    async def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._on_wait(TRYING_AGAIN, seconds)
            await self._clock.sleep(seconds)


class _Patience:
    """What happened to one request so far."""

    def __init__(self, retry: Retry) -> None:
        self._retry = retry
        self._forbidden = False
        self._pause = 0.0
        self.failures = 0
        self.refusals = 0
        self.is_to_blame = False  # refused, while something else was answered

    def may_ask_again(self, error: BaseException) -> bool:
        """Decide, count what counts, and set how long to wait."""
        self._pause = 0.0
        if self.is_to_blame:
            return False
        if self._retry.stops_everybody(error, last=self.is_last) or isinstance(error, (RateLimited, Challenged)):
            return True  # the pace holds us back
        if isinstance(error, Forbidden):
            again, self._forbidden = not self._forbidden, True
            self._pause = 4.0 * self._retry.base_seconds
            return again
        if isinstance(error, TransientError):
            self.failures += 1
            self._pause = self._retry.pause(self.failures)
            return self.failures < self._retry.attempts
        return False

    @property
    def is_last(self) -> bool:
        """Whether the attempt under way is the last one that may fail."""
        return self.failures + 1 >= self._retry.attempts

    def wait(self, state: RetryCallState) -> float:
        """Say how long to wait before the next attempt."""
        return self._pause
