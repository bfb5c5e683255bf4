"""The live display of a crawl: a few lines on stderr, redrawn in place and gone when it ends.

What others write to stderr meanwhile appears above it. Lines never wrap, also when the terminal has just become
narrower, so nothing is left behind.
"""

from __future__ import annotations

import time
from collections import deque

from rich.cells import cell_len
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from harvest.cli.output.screen import Moment, frame
from harvest.cli.output.wait_reason import Waits
from harvest.crawler.progress import CrawlProgress
from harvest.errors import ApiError
from harvest.models import Outcome, Page, Receipt, Task
from harvest.system.logs import printable

_PER_SECOND = 4
_ABOVE = 5  # lists that ended badly, told above the display in any second; the rest is in `harvest failures`


class LiveDisplay:
    """Shows the crawl in place."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._progress: CrawlProgress | None = None
        self._looked = self._began = time.monotonic()
        self._waits = Waits(time.monotonic)
        self._in_flight = 0
        self._told: deque[float] = deque(maxlen=_ABOVE)
        self._drawn: tuple[int, list[int]] = (0, [])  # width of the terminal, lengths of the lines
        self._live = Live(
            get_renderable=self._frame,
            console=self._console,
            refresh_per_second=_PER_SECOND,
            transient=True,
            vertical_overflow="crop",
        )

    def progressed(self, progress: CrawlProgress) -> None:
        """Take note of how it goes."""
        self._progress, self._looked = progress, time.monotonic()

    def page_committed(self, task: Task, page: Page, receipt: Receipt) -> None:
        """Wait for the next look at the file: numbers come from there."""

    def list_failed(self, task: Task, error: ApiError, outcome: Outcome) -> None:
        """Leave a line behind for what is not normal."""
        now = time.monotonic()
        crowded = len(self._told) == _ABOVE and now - self._told[0] < 1.0
        if outcome in (Outcome.GONE, Outcome.FORBIDDEN) or crowded:
            return
        self._told.append(now)
        text = f"{task.kind} {task.subject_id}: {outcome.value}: {printable(str(error))}"
        self._console.print(Text(text), soft_wrap=True)

    def level_begun(self) -> None:
        """Nothing to show: the phase says it."""

    def sent(self, request: str) -> None:
        """Count a request that starts."""
        self._in_flight += 1
        self._waits.sent()

    def answered(self, request: str, status: int, elapsed_ms: int, size_bytes: int) -> None:
        """Count a reply."""
        self._in_flight -= 1

    def waiting(self, reason: str, seconds: float) -> None:
        """Remember until when we wait, and why."""
        self._waits.begin(reason, seconds)

    def __enter__(self) -> LiveDisplay:
        self._began = time.monotonic()
        self._live.start(refresh=True)
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def _frame(self) -> Group:
        now = time.monotonic()
        width, height = self._console.size
        gauge = self._progress.gauge if self._progress else None
        wait = self._waits.words(
            in_flight=self._in_flight,
            interval=gauge.interval if gauge else 0.0,
            hold_reason=gauge.hold_reason if gauge else None,
        )
        moment = Moment(self._in_flight, now - self._began, now - self._looked, wait)
        plain = not self._console.encoding.lower().startswith("utf")
        lines = frame(self._progress, moment, width=width, height=height, plain=plain)[: max(height - 1, 1)]
        self._reckon_with_wrapping(width)
        self._drawn = (width, [cell_len(line.plain) for line in lines])
        return Group(*lines)

    def _reckon_with_wrapping(self, width: int) -> None:
        """Correct how far up the last frame began: a terminal that became narrower has wrapped its lines."""
        before, lengths = self._drawn
        if lengths and width < before:
            rows = sum(max(1, -(-length // width)) for length in lengths)
            self._live._live_render._shape = (width, rows)
