"""What a crawl looks like while it runs: a line that moves on a terminal, events elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from rich.console import Console
from rich.live import Live
from rich.text import Text

from harvest.errors import ApiError
from harvest.lists import KINDS
from harvest.logs import printable
from harvest.models import Outcome, Page, Receipt, Task

_SECONDS_BETWEEN_EVENTS = 30.0


class Pulse(Protocol):
    """What the client can tell of itself at any moment."""

    @property
    def in_flight(self) -> int:
        """Requests on the wire."""


@dataclass(slots=True)
class Counts:
    """What has happened since the start of this run."""

    pages: int = 0
    entries: int = 0  # of lists: a like read from both sides counts twice
    ended: int = 0
    failed: int = 0
    phase: str = "resolving the seed"

    def add_page(self, task: Task, receipt: Receipt) -> None:
        """Count a committed page."""
        self.pages += 1
        self.entries += receipt.kept if KINDS[task.kind].edge else 0
        self.ended += receipt.outcome is not None
        self.phase = f"reading {KINDS[task.kind].title}"


class _Witness:
    """What both have in common: numbers, and why we wait."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._pulse: Pulse | None = None
        self._waits_until = 0.0
        self._why = ""

    def watch(self, pulse: Pulse) -> None:
        """Get to know the client."""
        self._pulse = pulse

    def sent(self, request: str) -> None:
        """Ignore a request that starts."""

    def answered(self, request: str, status: int, elapsed_ms: int, size_bytes: int) -> None:
        """Ignore a reply; its page will be told."""

    def waiting(self, reason: str, seconds: float) -> None:
        """Remember until when we wait, and why."""
        self._waits_until, self._why = time.monotonic() + seconds, reason


class EventWitness(_Witness):
    """Tells of the crawl in events: one a page at debug, one every half minute at info."""

    def __init__(self) -> None:
        super().__init__()
        self._log: Any = structlog.get_logger()
        self._started = self._told = time.monotonic()

    def page_committed(self, task: Task, page: Page, receipt: Receipt) -> None:
        """Log one rich line."""
        self.counts.add_page(task, receipt)
        self._log.debug(
            "page.committed",
            list=task.kind,
            subject=task.subject_id,
            page=task.page_number,
            received=page.received,
            kept=receipt.kept,
            skipped=page.skipped,
            outcome=receipt.outcome and receipt.outcome.value,
            ms=page.elapsed_ms,
        )
        now = time.monotonic()
        if now - self._told >= _SECONDS_BETWEEN_EVENTS:
            self._told = now
            self._tell("crawl.progress", now)

    def list_failed(self, task: Task, error: ApiError, outcome: Outcome) -> None:
        """Log why a list ended early."""
        self.counts.failed += 1
        level = self._log.info if outcome in (Outcome.GONE, Outcome.FORBIDDEN) else self._log.warning
        level(
            "list.ended",
            list=task.kind,
            subject=task.subject_id,
            outcome=outcome.value,
            status=error.status,
            why=str(error),
        )

    def level_begun(self) -> None:
        """Log that the crawl goes deeper."""
        self._log.info("level.begun")

    def waiting(self, reason: str, seconds: float) -> None:
        """Log a wait."""
        super().waiting(reason, seconds)
        self._log.info("crawl.waits", why=reason, seconds=round(seconds, 1))

    def __enter__(self) -> EventWitness:
        self._log.info("crawl.started")
        return self

    def __exit__(self, *error: object) -> None:
        self._tell("crawl.ended", time.monotonic())

    def _tell(self, event: str, now: float) -> None:
        self._log.info(
            event,
            pages=self.counts.pages,
            entries=self.counts.entries,
            lists_ended=self.counts.ended,
            lists_failed=self.counts.failed,
            pages_per_second=round(self.counts.pages / max(now - self._started, 0.001), 2),
        )


class LiveWitness(_Witness):
    """Shows the crawl in one line that is redrawn in place, on stderr."""

    def __init__(self) -> None:
        super().__init__()
        self._started = time.monotonic()
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(get_renderable=self._line, console=self._console, refresh_per_second=8, transient=True)

    def page_committed(self, task: Task, page: Page, receipt: Receipt) -> None:
        """Count a page."""
        self.counts.add_page(task, receipt)

    def list_failed(self, task: Task, error: ApiError, outcome: Outcome) -> None:
        """Leave a line behind for what is not normal."""
        self.counts.failed += 1
        if outcome not in (Outcome.GONE, Outcome.FORBIDDEN):
            self._console.print(Text(f"{task.kind} {task.subject_id}: {outcome.value}: {printable(str(error))}"))

    def level_begun(self) -> None:
        """Nothing to show: the phase says it."""

    def __enter__(self) -> LiveWitness:
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def _line(self) -> Text:
        now = time.monotonic()
        seconds = max(now - self._started, 0.001)
        left = self._waits_until - now
        what = f"waiting {left:.0f} s: {printable(self._why)}" if left > 0.5 else self.counts.phase
        return Text(
            f"{what}  ·  {self.counts.pages:,} pages ({self.counts.pages / seconds:.1f}/s)"
            f"  ·  {self.counts.entries:,} list entries  ·  {self.counts.ended:,} lists read"
            f"  ·  {self._pulse.in_flight if self._pulse else 0} in flight",
            no_wrap=True,
            overflow="ellipsis",
        )
