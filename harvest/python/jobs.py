"""Go through what asks the service, here and now or awaited: the same jobs for `crawl` and `acrawl`.

A job that is interrupted or cancelled finishes the pages in flight; a second time, it ends at once. What was committed
stays, and the same call goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, TypeVar

from harvest.api.seed_urls import public_address
from harvest.crawler.request import CrawlRequest, is_drained
from harvest.errors import SeedError
from harvest.python.worker import Progress, Worker
from harvest.settings import Settings
from harvest.store import status
from harvest.store.database import open_to_read

Result = TypeVar("Result")
Heard = Callable[[Progress], object]


@dataclass(frozen=True, slots=True)
class Job(Generic[Result]):
    """What is to be asked of the service, with whose settings (None: our own), and what comes of it in the end."""

    request: CrawlRequest
    settings: Settings | None
    result: Callable[[], Result]


def run(job: Job[Result], progress: Heard | None = None) -> Result:
    """Do a job, tell of each page, and give what came of it. Raises HarvestError."""
    for page in steps(job):
        if progress is not None:
            progress(page)
    return job.result()


def steps(job: Job[Result]) -> Iterator[Progress]:
    """Do a job page by page. To leave the loop is to stop. Raises HarvestError."""
    if not is_drained(job.request):
        told: SimpleQueue[Progress | None] = SimpleQueue()
        worker = Worker(job.request, job.settings, told.put)
        try:
            worker.start()
            while (page := told.get()) is not None:
                yield page
        finally:
            _end(worker)
        worker.raise_what_ended_it()
    _raise_for_seeds(job.request)


async def arun(job: Job[Result], progress: Heard | None = None) -> Result:
    """Do a job beside whatever else the event loop does. To cancel it is to stop."""
    async with contextlib.aclosing(asteps(job)) as pages:
        async for page in pages:
            if progress is not None:
                progress(page)
    return job.result()


async def asteps(job: Job[Result]) -> AsyncGenerator[Progress, None]:
    """Do a job page by page, beside whatever else the event loop does."""
    if not is_drained(job.request):
        loop, told = asyncio.get_running_loop(), asyncio.Queue[Progress | None]()

        def tell(page: Progress | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nothing listens any more
                loop.call_soon_threadsafe(told.put_nowait, page)

        worker = Worker(job.request, job.settings, tell)
        try:
            worker.start()
            while (page := await told.get()) is not None:
                yield page
        finally:
            await _aend(worker)
        worker.raise_what_ended_it()
    _raise_for_seeds(job.request)


def _end(worker: Worker) -> None:
    worker.stop()
    try:
        worker.join()
    except KeyboardInterrupt:
        worker.abort()
        worker.join()
        raise


async def _aend(worker: Worker) -> None:
    worker.stop()
    ending = asyncio.ensure_future(asyncio.to_thread(worker.join))
    try:
        await asyncio.shield(ending)
    except asyncio.CancelledError:
        worker.abort()
        await ending
        raise


def _raise_for_seeds(request: CrawlRequest) -> None:
    """Say which of the seeds asked for could not be found."""
    asked = {public_address(address) for address in request.addresses}
    if not asked:
        return
    with open_to_read(request.path) as connection:
        seeds = [seed for harvest in status.look(connection).harvests for seed in harvest.seeds]
    lost = {seed.address: seed.reason for seed in seeds if seed.address in asked and seed.reason}
    if lost:
        raise SeedError(f"This could not be found: {'; '.join(f'{seed}: {reason}' for seed, reason in lost.items())}")
