"""The simulator in a process of its own, with a line to it: its log, its limit, its address."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Iterator
from functools import cached_property
from multiprocessing.connection import Connection
from typing import Any

from harvest.simulator import World, run_in_thread
from harvest.simulator.server.traffic import Logged


class Simulated:
    """A served world. `url` is where; the rest asks the other process."""

    def __init__(self, world: dict[str, Any], pipe: Connection, latency: float = 0.0) -> None:
        self._world, self._pipe, self.latency = world, pipe, latency
        self.entries: list[Logged] = []  # a log that was taken before the end
        self.url = str(pipe.recv())

    @cached_property
    def seed_url(self) -> str:
        """The track to begin with."""
        return str(World(**self._world).seed_url())

    def log(self, after: int = 0) -> list[Logged]:
        """Give what was asked so far, from the `after`-th request on. Times are monotonic, the same as ours."""
        return list(self._ask("log", after))

    def limit(self, rate: float) -> None:
        """Allow so many requests per second from now on."""
        self._ask("limit", rate)

    def token(self) -> str:
        """Give an access token that counts."""
        return str(self._ask("token", None))

    def _ask(self, what: str, value: object) -> Any:
        self._pipe.send((what, value))
        return self._pipe.recv()


@contextlib.contextmanager
def simulated(world: dict[str, Any], **options: Any) -> Iterator[Simulated]:
    """Serve a world for the length of a `with`; options are those of the server."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(world, {"gzip": False, **options}, theirs), daemon=True)
    process.start()
    try:
        yield Simulated(world, ours, options.get("latency", 0.0))
        ours.send(("end", None))
        process.join(10)
    finally:
        if process.is_alive():
            process.kill()
            process.join()


def _serve(world: dict[str, Any], options: dict[str, Any], pipe: Connection) -> None:
    with run_in_thread(World(**world), keep_log=True, **options) as server:
        pipe.send(server.url)
        while True:
            what, value = pipe.recv()
            if what == "log":
                pipe.send(server.requests[value:])
            elif what == "limit":
                pipe.send(server.limit(value))
            elif what == "token":
                pipe.send(server.token())
            else:
                return
