"""Wait for what a test needs to happen, however slow the machine is."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable
from contextlib import closing
from typing import IO, TypeVar

Found = TypeVar("Found")

# Seconds after which what should happen never will. Long, since it costs nothing when all is well.
PATIENCE = 240.0


def until(condition: Callable[[], Found], *, every: float = 0.01) -> Found:
    """Wait until something is true, and give it."""
    ends = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(every)
    return found


def read_until(stream: IO[str] | None, words: str) -> str:
    """Read what a process says, line by line, until it says these words; give all of it."""
    assert stream is not None
    said = ""
    while words not in said:
        line = stream.readline()
        assert line, said
        said += line
    return said


def quiet_port() -> int:
    """Find a port that stays free: systems give away ports above 32767 to whoever asks for any."""
    for port in random.sample(range(20_000, 30_000), 100):
        with closing(socket.socket()) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
