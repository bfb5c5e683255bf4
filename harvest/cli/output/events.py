"""A crawl told in events: one a page at debug, one every half minute at info."""

from __future__ import annotations

import time
from typing import Any

import structlog

from harvest.client.retry import TRYING_AGAIN
from harvest.crawler.progress import CrawlProgress
from harvest.errors import ApiError
from harvest.lists import LOOKUP
from harvest.models import Outcome, Page, Receipt, Task
from harvest.store.visited import Visited

_SECONDS_BETWEEN_EVENTS = 30.0


class EventWitness:
    """Tells of the crawl in events, into a log that is passed in or the usual one."""

    def __init__(self, log: Any = None) -> None:
        self._log: Any = log or structlog.get_logger()
        self._told = time.monotonic()
        self._progress: CrawlProgress | None = None

    def progressed(self, progress: CrawlProgress) -> None:
        """Tell how it goes, now and then."""
        self._progress = progress
        now = time.monotonic()
        if now - self._told >= _SECONDS_BETWEEN_EVENTS:
            self._told = now
            self._tell("crawl.progress")

    def page_committed(self, task: Task, page: Page, receipt: Receipt) -> None:
        """Log one rich line."""
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

    def list_failed(self, task: Task, error: ApiError, outcome: Outcome) -> None:
        """Log why a list ended early; that a thing which was looked up is not there is an answer, said to few."""
        refused = outcome in (Outcome.GONE, Outcome.FORBIDDEN)
        looked_up = task.kind == LOOKUP.name
        level = self._log.debug if refused and looked_up else self._log.info if refused else self._log.warning
        level(
            "list.ended",
            list=task.kind,
            subject=task.about if looked_up else task.subject_id,
            outcome=outcome.value,
            status=error.status,
            why=str(error),
        )

    def level_begun(self) -> None:
        """Log that the crawl goes deeper."""
        self._log.info("level.begun")

    def sent(self, request: str) -> None:
        """Ignore a request that starts."""

    def answered(self, request: str, status: int, elapsed_ms: int, size_bytes: int) -> None:
        """Ignore a reply; its page will be told."""

    def waiting(self, reason: str, seconds: float) -> None:
        """Log a wait; those of a single request are only for who wants to know everything."""
        level = self._log.debug if reason == TRYING_AGAIN else self._log.info
        level("crawl.waits", why=reason, seconds=round(seconds, 1))

    def visited(self, read: Visited) -> None:
        """Log whose lists have been read, and how many entries each brought."""
        self._log.info("visit.read", thing=read.thing, who=read.who, lists=", ".join(map(str, read.lists)))

    def __enter__(self) -> EventWitness:
        self._log.info("crawl.started")
        return self

    def __exit__(self, *error: object) -> None:
        self._tell("crawl.ended")

    def _tell(self, event: str) -> None:
        if self._progress is None:
            self._log.info(event)
            return
        progress, seen = self._progress, self._progress.standing
        self._log.info(
            event,
            phase=seen.phase,
            depth=seen.depth,
            done=seen.asked,
            remaining=seen.requests_left,
            at_least=progress.at_least,
            eta_seconds=None if progress.seconds_left is None else round(progress.seconds_left),
            pages=seen.pages,
            users=seen.users,
            tracks=seen.tracks,
            edges=seen.edges,
            lists=seen.outcomes,
            lists_open=seen.open_lists,
            requests=progress.gauge.sent,
            requests_per_second=round(progress.requests_per_second, 2),
            waited_seconds=round(progress.waited_seconds, 1),
        )
