"""Do something in a process that is killed, really, at one of its SQL statements."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

Hears = Callable[[str], None]


def statements_in_a_child(
    work: Callable[[Hears], object], *, kill_at: int | None, counts: Callable[[str], bool] = lambda statement: True
) -> int:
    """Give how many statements the work ran when it was not killed. It hands what hears of each to its connection;
    `counts` says which of them count.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        ran = 0

        def hear(statement: str) -> None:
            nonlocal ran
            ran += counts(statement)
            if ran == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        work(hear)
        os.write(writing, str(ran).encode())
        os._exit(0)
    _, status = os.waitpid(child, 0)
    os.close(writing)
    told = os.read(reading, 20)
    os.close(reading)
    assert os.WIFSIGNALED(status) == (kill_at is not None)
    return int(told or 0)
