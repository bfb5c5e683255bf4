"""Say in acts what was done with the pages and lists of a crawl. Pure.

In: a Task with its Page, or with what ended it. Out: the act. Never: the secret of a private link, which `hide` takes
out of an address.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from harvest.errors import ApiError, Withdrawn
from harvest.lists import KINDS
from harvest.models import Page, Task
from harvest.store.act_kinds import Failed, KeptPage, Withdrew

REPLY_KEPT = 2000  # characters of evidence

Hide = Callable[[str], str]


def kept_page(
    task: Task, page: Page, body_hash: int | None, tally: Mapping[int, int], left_out: int, *, hide: Hide
) -> KeptPage:
    """Tell of a page that was kept."""
    return KeptPage(
        **_named(task, hide),
        number=task.page_number,
        request=page.request,
        fetched_at=page.fetched_at,
        next_cursor=page.next_cursor,
        cursor_time=page.cursor_time,
        elapsed_ms=page.elapsed_ms,
        size=page.size_bytes,
        hash=body_hash,
        left_out=left_out,
        thing=page.thing,
        tally=dict(tally),
    )


def failed(task: Task, error: ApiError, now: str, tally: Mapping[int, int], *, hide: Hide) -> Failed:
    """Tell of a list that failed for good."""
    return Failed(
        **_named(task, hide),
        now=now,
        failure=error.name,
        message=str(error),
        status=error.status,
        reply=error.reply[:REPLY_KEPT],
        attempts=error.attempts,
        named=None if KINDS[task.kind].looks_up else task.about,
        tally=dict(tally),
    )


def withdrew(
    tasks: Collection[Task], error: Withdrawn, now: str, tally: Mapping[int, int], being_read: Collection[int]
) -> Withdrew:
    """Tell of a kind of list that was withdrawn."""
    return Withdrew(
        now=now,
        kind=next(iter(tasks)).kind,
        subjects=[task.subject_id for task in tasks],
        message=str(error),
        status=error.status,
        reply=error.reply[:REPLY_KEPT],
        being_read=list(being_read),
        named=[task.about for task in tasks if task.about is not None],
        tally=dict(tally),
    )


def _named(task: Task, hide: Hide) -> dict[str, Any]:
    """Name a reading of a list."""
    named = {"kind": task.kind, "subject": task.subject_id, "reading": task.reading}
    if KINDS[task.kind].looks_up and task.about is not None:
        return {**named, "about": hide(task.about)}
    return named
