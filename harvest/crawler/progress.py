"""Tell how a crawl goes while it runs: to its listeners, every second, and into the file, every few seconds.

In: the file, the client. Out: Progress. Never: a look that takes more than a small share of the time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from harvest.client.client import Client
from harvest.crawler.eta import Estimator
from harvest.models import Gauge
from harvest.store.progress import ProgressRow, write_progress
from harvest.store.standing import Standing, standing
from harvest.system.clock import Clock, as_text
from harvest.system.sqlite_busy import is_locked

EVERY = 1.0
INTO_THE_FILE = 5.0
_OF_LATE = 15.0  # seconds over which a present rate is taken
_SHARE = 0.05  # of the time, for looking


@dataclass(frozen=True, slots=True)
class CrawlProgress:
    """How a crawl goes: what the file holds, how fast it grows, what is left, what we wait for."""

    standing: Standing
    gauge: Gauge
    seconds: float
    edges_per_second: float
    requests_per_second: float
    waited_seconds: float
    seconds_left: float | None
    at_least: bool

    @property
    def allowed_per_second(self) -> float | None:
        """Requests per second that we may start; None when no limit is known."""
        return 1 / self.gauge.interval if self.gauge.interval > 0 else None


class Teller:
    """Looks at the crawl from the side."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        run_id: int,
        client: Client,
        clock: Clock,
        *,
        page_size: int = 200,
        on_progress: Callable[[CrawlProgress], None] | None = None,
    ) -> None:
        self._connection = connection
        self._run_id = run_id
        self._client = client
        self._clock = clock
        self._page_size = page_size
        self._on_progress = on_progress or (lambda progress: None)
        self._began = clock.monotonic()
        self._written = float("-inf")
        self._cost = 0.0
        self._work, self._edges, self._sent = Estimator(), Estimator(), Estimator()

    async def go_on(self) -> None:
        """Tell, again and again, until cancelled. Raises what the listener raises."""
        while True:
            progress = self.look()
            self._on_progress(progress)
            if self._clock.monotonic() - self._written >= INTO_THE_FILE:
                try:
                    write_progress(self._connection, self._row(progress))
                except sqlite3.OperationalError as error:
                    if not is_locked(error):
                        raise
                self._written = self._clock.monotonic()  # in the file, or left for the next time
            await self._clock.sleep(max(EVERY, self._cost / _SHARE))

    def last_word(self) -> CrawlProgress:
        """Write into the file how it ended, inside the caller's transaction; give it for its listeners."""
        progress = self.look()
        write_progress(self._connection, self._row(progress))
        return progress

    def look(self) -> CrawlProgress:
        """See how the crawl goes."""
        began = self._clock.monotonic()
        seen, gauge = standing(self._connection, page_size=self._page_size), self._client.gauge()
        now = self._clock.monotonic()
        self._cost = now - began
        waited = self._client.waited_seconds
        self._work.note(now, seen.asked, waited)
        self._edges.note(now, seen.edges)
        self._sent.note(now, gauge.sent)
        return CrawlProgress(
            standing=seen,
            gauge=gauge,
            seconds=now - self._began,
            edges_per_second=self._edges.rate(now, seen.edges, seconds=_OF_LATE),
            requests_per_second=self._sent.rate(now, gauge.sent, seconds=_OF_LATE),
            waited_seconds=waited,
            seconds_left=self._work.seconds_left(
                now, seen.asked, seen.requests_left, waited=waited, hold_seconds=gauge.hold_seconds
            ),
            at_least=seen.at_least,
        )

    def _row(self, progress: CrawlProgress) -> ProgressRow:
        now, gauge, seen = self._clock.now(), progress.gauge, progress.standing
        holding = gauge.hold_seconds > 0
        return ProgressRow(
            run_id=self._run_id,
            told_at=as_text(now),
            phase=seen.phase,
            depth=seen.depth,
            in_flight=gauge.in_flight,
            per_second=round(progress.requests_per_second, 3),
            allowed_per_second=progress.allowed_per_second,
            waiting_for=gauge.hold_reason if holding else None,
            waiting_until=as_text(now + timedelta(seconds=gauge.hold_seconds)) if holding else None,
            waited_ms=round(progress.waited_seconds * 1000),
            requests_left=seen.requests_left,
            at_least=seen.at_least,
            seconds_left=progress.seconds_left,
        )
