"""Cut what was forgotten from the pages of a crawl whose replies are kept, before anything of them is.

The crawl goes on with what the cut body says, so that the same body, read again by `replay.py`, says the same.

In: a page with its body. Out: the page without what was forgotten, and how many items that were. Never: a commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace

from harvest.api import endpoints, parse
from harvest.errors import ApiError
from harvest.forgetting.bodies import without_gone
from harvest.forgetting.gone import Gone
from harvest.models import Page, Task

Sift = Callable[[Task, Page], tuple[Page, int]]


def page_of(task: Task, body: bytes, thing: str | None, *, full_profiles: bool) -> Page:
    """Read a kept body again, as a page of a list or about one thing of this kind; its place in the list is not in it.
    Raises UnexpectedReply.
    """
    if thing is not None:
        return parse.parse_thing(body, thing, full_profiles=full_profiles)
    return parse.parse_page(body, endpoints.kind_of(task), task.subject_id, full_profiles=full_profiles).page


def whole(task: Task, page: Page) -> tuple[Page, int]:
    """Give a page as it came, of which nothing is left out."""
    return page, 0


class Sieve:
    """Cuts what a file has forgotten."""

    def __init__(self, connection: sqlite3.Connection, *, full_profiles: bool) -> None:
        """Raises KeyMissing."""
        self._gone = Gone(connection, None)
        self._full_profiles = full_profiles

    def __call__(self, task: Task, page: Page) -> tuple[Page, int]:
        """Give what stays of a page, and how many of its items do not; without a body where none of it may be kept."""
        body = page.body
        if body is None or not self._gone.may_stand_in(body):
            return page, 0
        cut = without_gone(body, self._gone)
        if cut == body:
            return page, 0
        try:
            left = page_of(task, cut or b"", page.thing, full_profiles=self._full_profiles)
        except ApiError:  # nothing that can be read is left
            return replace(page, body=None), 0
        lost = len(page.items) - len(left.items)
        left = replace(
            left,
            request=page.request,
            skipped=page.skipped,
            next_cursor=page.next_cursor,
            cursor_time=page.cursor_time,
            fetched_at=page.fetched_at,
            elapsed_ms=page.elapsed_ms,
            size_bytes=page.size_bytes,
            digest=page.digest,
            body=cut,
        )
        return left, lost

    def cut_error(self, error: ApiError) -> None:
        """Let an error lose its reply, the evidence, where anything forgotten may stand in it. Its body is not kept."""
        body = error.body
        if not self._gone.may_stand_in(body or error.reply.encode()):
            return
        if body is None or without_gone(body, self._gone) != body:
            error.reply = ""
