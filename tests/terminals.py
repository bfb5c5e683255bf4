"""Run the command line on a terminal and act on what it shows, as a person would."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests import copying
from tests.waiting import PATIENCE

# Text to wait for, and what to do then: type something, make the terminal so many columns wide, or call.
Step = tuple[str, str | int | Callable[[], object]]


def on_a_terminal(
    arguments: Sequence[object],
    cwd: Path,
    environ: Mapping[str, str],
    *,
    columns: int = 80,
    lines: int = 24,
    steps: Sequence[Step] = (),
) -> tuple[str, int]:
    """Give all that was shown, and the exit code. Each step waits for what is shown after the one before it."""
    pid, terminal, wait = _start([*map(str, arguments)], cwd, environ, columns, lines)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")  # what is read may end within a character
    shown, seen, waiting, ends = "", 0, list(steps), time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                shown += decoder.decode(os.read(terminal, 65536))
            except OSError:
                break
        if waiting and waiting[0][0] in shown[seen:]:
            seen = len(shown)
            action = waiting.pop(0)[1]
            if isinstance(action, str):
                os.write(terminal, action.encode())
            elif isinstance(action, int):
                _resize(terminal, action, lines)
            else:
                action()
    else:
        os.kill(pid, signal.SIGKILL)
    code = wait()
    os.close(terminal)
    assert not waiting, f"never shown: {waiting[0][0]!r} in {shown!r}"
    return shown, code


def _start(
    arguments: list[str], cwd: Path, environ: Mapping[str, str], columns: int, lines: int
) -> tuple[int, int, Callable[[], int]]:
    """Give the number of the process, our end of its terminal, and how to wait for its exit code."""
    if copying.may_copy(environ):
        terminal, theirs = pty.openpty()
        _resize(theirs, columns, lines)
        copy = copying.start(arguments, cwd=cwd, env=environ, stdin=theirs, stdout=theirs, stderr=theirs, terminal=True)
        os.close(theirs)
        return copy.pid, terminal, copy.wait
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        _resize(0, columns, lines)
        os.execve(sys.executable, [sys.executable, "-m", "harvest", *arguments], dict(environ))
    return pid, terminal, lambda: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _resize(terminal: int, columns: int, lines: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
