"""Run what is awaited in a thread with a loop of its own, since the caller may have one running, as Jupyter does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class Ended(Generic[Result]):
    """How it ended: with a result, or with what was raised."""

    def __init__(self) -> None:
        self.results: list[Result] = []
        self.error: BaseException | None = None

    def result(self) -> Result:
        """Give the result, or raise."""
        if self.error is not None:
            raise self.error
        return self.results[0]


def in_a_thread(run: Callable[[], Coroutine[Any, Any, Result]]) -> Ended[Result]:
    """Run it to its end; interrupted, it is cancelled, and has ended with that."""
    ended: Ended[Result] = Ended()
    begun: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        begun.append((asyncio.get_running_loop(), task))
        ended.results.append(await run())

    def to_the_end() -> None:
        try:
            asyncio.run(work())
        except BaseException as error:
            ended.error = error

    thread = threading.Thread(target=to_the_end, name="harvest", daemon=True)
    try:
        thread.start()
        thread.join()
    except KeyboardInterrupt as interrupted:
        with suppress(RuntimeError):  # the loop has just closed
            for loop, task in begun:
                loop.call_soon_threadsafe(task.cancel)
        thread.join()
        ended.error = interrupted
    return ended
