"""Who watches a crawl: the live display on a terminal, events elsewhere, and a log file beside either."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Protocol

from harvest.crawler.engine import Witness
from harvest.crawler.progress import CrawlProgress
from harvest.errors import ApiError
from harvest.models import Outcome, Page, Receipt, Task


class Watcher(Witness, Protocol):
    """All that a crawl tells."""

    def progressed(self, progress: CrawlProgress) -> None:
        """Hear, every second, how it goes."""

    def sent(self, request: str) -> None:
        """Hear of a request that starts."""

    def answered(self, request: str, status: int, elapsed_ms: int, size_bytes: int) -> None:
        """Hear of a reply."""

    def waiting(self, reason: str, seconds: float) -> None:
        """Hear of a wait."""

    def __enter__(self) -> Watcher: ...

    def __exit__(self, *error: object) -> None: ...


class Watchers:
    """Several who watch."""

    def __init__(self, *watchers: Watcher) -> None:
        self._watchers = watchers
        self._stack = ExitStack()

    def progressed(self, progress: CrawlProgress) -> None:
        """Tell all."""
        for watcher in self._watchers:
            watcher.progressed(progress)

    def page_committed(self, task: Task, page: Page, receipt: Receipt) -> None:
        """Tell all."""
        for watcher in self._watchers:
            watcher.page_committed(task, page, receipt)

    def list_failed(self, task: Task, error: ApiError, outcome: Outcome) -> None:
        """Tell all."""
        for watcher in self._watchers:
            watcher.list_failed(task, error, outcome)

    def level_begun(self) -> None:
        """Tell all."""
        for watcher in self._watchers:
            watcher.level_begun()

    def sent(self, request: str) -> None:
        """Tell all."""
        for watcher in self._watchers:
            watcher.sent(request)

    def answered(self, request: str, status: int, elapsed_ms: int, size_bytes: int) -> None:
        """Tell all."""
        for watcher in self._watchers:
            watcher.answered(request, status, elapsed_ms, size_bytes)

    def waiting(self, reason: str, seconds: float) -> None:
        """Tell all."""
        for watcher in self._watchers:
            watcher.waiting(reason, seconds)

    def __enter__(self) -> Watchers:
        for watcher in self._watchers:
            self._stack.enter_context(watcher)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()
