"""Run commands as copies of a process that has imported the program: most of what a command costs is that import.

A copy is a process of its own all the same, with the arguments, environment, folder, output and end that
`python -m harvest` has there. `pytest --fresh`, and `scripts/test --all`, start an interpreter for each.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import Any

from harvest.__main__ import main
from harvest.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
DECIDED_AT_THE_START = ("PYTHON", "LC_", "LANG", "COVERAGE")  # what an interpreter reads before it runs anything
IMPORTED_LATE = ("anyio.abc", "anyio._backends._asyncio", "harvest.simulator", "httpcore", "importlib.readers")


def python(arguments: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run them in an interpreter of their own, as a person does."""
    command = [sys.executable, "-m", "harvest", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


class Template:
    """A process that has imported the program, of which every command is a copy."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._decided = _decided(environ)
        self._busy = Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.copying", str(theirs.fileno())],
                cwd=ROOT,
                env=environ,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )

    def run(
        self, arguments: list[str], *, cwd: Path, env: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run `harvest ...` to its end, in an interpreter of its own where a copy would differ from it."""
        if _decided(env) != self._decided or not self._busy.acquire(blocking=False):
            return python(arguments, cwd=cwd, env=env, timeout=timeout)
        try:
            with TemporaryFile() as out, TemporaryFile() as err:
                job = json.dumps([arguments, str(cwd), dict(env)]).encode()
                socket.send_fds(self._ours, [job], [out.fileno(), err.fileno()])
                code = self._wait(int(self._ours.recv(100)), timeout)
                return subprocess.CompletedProcess(arguments, code, _text(out), _text(err))
        finally:
            self._busy.release()

    def _wait(self, pid: int, timeout: float) -> int:
        self._ours.settimeout(timeout)
        try:
            return int(self._ours.recv(100))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            self._ours.settimeout(None)
            self._ours.recv(100)
            raise subprocess.TimeoutExpired("harvest", timeout) from None
        finally:
            self._ours.settimeout(None)

    def close(self) -> None:
        """End it."""
        self._ours.close()
        self._process.wait()


def _decided(environ: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in environ.items() if k.startswith(DECIDED_AT_THE_START)}


def _text(output: Any) -> str:
    output.seek(0)
    return str(output.read().decode().replace("\r\n", "\n"))


def _next_command(channel: socket.socket) -> bool:
    """Fork for each command that is wanted; give True in the copy, False when no more will come."""
    while True:
        job, files, _, _ = socket.recv_fds(channel, 1 << 18, 2)
        if not job:
            return False
        pid = os.fork()
        if pid == 0:
            arguments, folder, environ = json.loads(job)
            channel.close()
            for number, file in enumerate(files, 1):
                os.dup2(file, number)
                os.close(file)
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environ)
            sys.argv[1:] = arguments
            return True
        for file in files:
            os.close(file)
        channel.send(b"%d" % pid)
        channel.send(b"%d" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    for module in {f"harvest.cli.commands.{module}" for module, _ in COMMANDS.values()}.union(IMPORTED_LATE):
        import_module(module)
    gc.freeze()  # what is there is nothing to look through again in every command
    is_copy = False
    with suppress(KeyboardInterrupt):
        is_copy = _next_command(socket.socket(fileno=int(sys.argv[1])))
    if is_copy:
        main()
