"""Run commands as copies of a process that has imported the program: most of what a command costs is that import.

A copy is a process of its own all the same, with the arguments, environment, folder, streams, signals and end that
`python -m harvest` has there. `pytest --fresh 1` starts an interpreter for each, `scripts/test --all` for one test in
ten.
"""

from __future__ import annotations

import atexit
import gc
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from harvest.__main__ import main
from harvest.cli.main import COMMANDS
from harvest.store.database import import_without_numpy
from harvest.store.schema import schema_as_shipped

ROOT = Path(__file__).parents[1]
DECIDED_AT_THE_START = ("PYTHON", "LC_", "LANG", "COVERAGE")  # what an interpreter reads before it runs anything
IMPORTED_LATE = (
    "anyio.abc",
    "anyio._backends._asyncio",
    "click._textwrap",
    "dotenv",
    "encodings.ascii",
    "encodings.idna",
    "harvest.simulator",
    "httpcore",
    "importlib.metadata",
    "importlib.readers",
    "platformdirs.unix",
    "psutil",
    "sqlite_utils.migrations",
)
_SERVING = ("datasette.app", "uvicorn.protocols.http.auto")
_ANALYSING = ("graspologic_native", "harvest.explorer.facts", "harvest.report.page", "scipy.fft", "scipy.sparse")
# What these commands import late, and for a second or more.
FOR_ONE_COMMAND = {"serve": _SERVING, **dict.fromkeys(("analyze", "export", "explore", "report"), _ANALYSING)}
TELL_LATE = "TESTS_TELL_LATE"  # in a copy's environment: the file that gets the names of what it imported itself
NUMBER = b"%11d"  # how a template says the number of a process, and how it ended

Process = subprocess.Popen[Any]

fresh = False  # whether every command gets an interpreter of its own


def python(arguments: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run them in an interpreter of their own, as a person does."""
    command = [sys.executable, "-m", "harvest", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def start(arguments: list[str], **options: Any) -> Process | Copy:
    """Start `harvest ...`, as a copy where one does the same; options are those of `Popen`, pipes are of text."""
    if not may_copy(options["env"]):
        return subprocess.Popen([sys.executable, "-m", "harvest", *arguments], text=True, **options)
    return _template(_kind(arguments)).start(arguments, **options)


def run(arguments: list[str], *, cwd: Path, env: Mapping[str, str], timeout: float) -> subprocess.CompletedProcess[str]:
    """Run `harvest ...` to its end, as a copy where one does the same."""
    if not may_copy(env):
        return python(arguments, cwd=cwd, env=env, timeout=timeout)
    with TemporaryFile() as out, TemporaryFile() as err:
        copy = _template(_kind(arguments)).start(arguments, cwd=cwd, env=env, stdout=out, stderr=err)
        try:
            code = copy.wait(timeout)
        finally:
            copy.kill()
        return subprocess.CompletedProcess(arguments, code, _text(out), _text(err))


def may_copy(env: Mapping[str, str]) -> bool:
    """Say whether a copy does the same as an interpreter that starts in this environment, and from this process."""
    ignored = [number for number in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_IGN]
    return not fresh and not ignored and sys.platform == "linux" and _template("").is_in_time_for(env)


def _kind(arguments: list[str]) -> str:
    return next((word for word in arguments[:1] if word in FOR_ONE_COMMAND), "")


def _template(kind: str) -> Template:
    return _importing(FOR_ONE_COMMAND.get(kind, ()))


@cache
def _importing(more: tuple[str, ...]) -> Template:
    template = Template(*more)
    atexit.register(template.close)
    return template


class Copy:
    """A command under way, to be used as `Popen` is. Streams are text."""

    def __init__(self, arguments: list[str], told: int, streams: Mapping[str, IO[str]]) -> None:
        """`told` is where the template says its number and how it ended, `streams` are our ends of its pipes."""
        self.args = arguments
        self.returncode: int | None = None
        self.stdin, self.stdout, self.stderr = map(streams.get, ("stdin", "stdout", "stderr"))
        self._told = told
        self.pid = self._next_number()

    def poll(self) -> int | None:
        """Say how it ended, None when it goes on."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and say how it was. Raises `TimeoutExpired`."""
        if self.returncode is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("harvest", timeout or 0.0)
            self.returncode = self._next_number()
            os.close(self._told)
        return self.returncode

    def communicate(self, given: str | None = None, timeout: float | None = None) -> tuple[str, str]:
        """Write to it, read to the end what it says, wait. Raises `TimeoutExpired`."""
        ends = None if timeout is None else time.monotonic() + timeout
        heard = {"stdout": "", "stderr": ""}

        def listen(name: str, stream: IO[str]) -> None:
            with stream:
                heard[name] = stream.read()

        open_ones = {name: stream for name in heard if (stream := getattr(self, name)) and not stream.closed}
        listeners = [threading.Thread(target=listen, args=item, daemon=True) for item in open_ones.items()]
        for listener in listeners:
            listener.start()
        if self.stdin and not self.stdin.closed:
            with suppress(BrokenPipeError), self.stdin:
                self.stdin.write(given or "")
        for listener in listeners:
            listener.join(None if ends is None else max(0.0, ends - time.monotonic()))
        self.wait(None if ends is None else max(0.0, ends - time.monotonic()))
        return heard["stdout"], heard["stderr"]

    def send_signal(self, number: int) -> None:
        """Send it a signal; nothing happens when it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it ends just now
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)
        self.wait()

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def _next_number(self) -> int:
        return int(os.read(self._told, len(NUMBER % 0)))


class Template:
    """A process that has imported the program, of which every command is a copy."""

    def __init__(self, *more: str) -> None:
        """Start it; `more` are modules that it imports besides, where they are installed."""
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # A thread is not copied, so what computes with several would find none of them in a copy.
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
        self._decided = _decided(environ)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.copying", str(theirs.fileno()), *more],
                cwd=ROOT,
                env=environ,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )

    def is_in_time_for(self, env: Mapping[str, str]) -> bool:
        """Say whether a copy is in time for all of an environment."""
        return _decided(env) == self._decided

    def start(
        self,
        arguments: list[str],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        terminal: bool = False,
        **streams: Any,
    ) -> Copy:
        """Start `harvest ...`; `terminal` makes that of its stdin the one that it belongs to.

        `stdin`, `stdout` and `stderr` are files, descriptors or `PIPE`; without them nothing is read, and what is
        written is lost.
        """
        told, tell = os.pipe()
        theirs, ours = [tell], {}
        for name in ("stdin", "stdout", "stderr"):
            file = streams.get(name)
            if file == subprocess.PIPE:
                reading, writing = os.pipe()
                ours[name] = open(writing, "w") if name == "stdin" else open(reading)  # noqa: PTH123, SIM115 - a pipe
                theirs.append(reading if name == "stdin" else writing)
            elif file is None:
                theirs.append(os.open(os.devnull, os.O_RDWR))
            else:
                theirs.append(os.dup(file if isinstance(file, int) else file.fileno()))
        job = json.dumps([arguments, str(cwd or Path.cwd()), dict(env), terminal]).encode()
        try:
            socket.send_fds(self._ours, [job], theirs)
        finally:
            for number in theirs:
                os.close(number)
        return Copy(arguments, told, ours)

    def close(self) -> None:
        """End it."""
        self._ours.close()
        self._process.wait()


def _decided(environ: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in environ.items() if k.startswith(DECIDED_AT_THE_START)}


def _text(output: Any) -> str:
    output.seek(0)
    return str(output.read().decode().replace("\r\n", "\n"))


def _make_once() -> None:
    """Make what a process makes once and keeps, as it makes it: the tables of this version, the words of the page."""
    schema_as_shipped()
    if page := sys.modules.get("harvest.report.page"):
        for name in page.templates().list_templates():
            page.templates().get_template(name)


def _next_command(channel: socket.socket) -> bool:
    """Fork for each command that is wanted; give True in the copy, False when no more will come."""
    running: dict[int, tuple[int, int]] = {}  # by a descriptor that is ready when it has ended
    events = select.poll()
    events.register(channel, select.POLLIN)
    while True:
        for ready, _ in events.poll():
            if ready in running:
                events.unregister(ready)
                _tell_its_end(ready, *running.pop(ready))
                continue
            job, files, _, _ = socket.recv_fds(channel, 1 << 18, 4)
            if not job:
                return False
            pid = os.fork()
            if pid == 0:
                channel.close()
                _become(*json.loads(job), files[1:])
                return True
            tell, *others = files
            for file in others:
                os.close(file)
            os.write(tell, NUMBER % pid)
            running[ended := os.pidfd_open(pid)] = pid, tell
            events.register(ended, select.POLLIN)


def _tell_its_end(ended: int, pid: int, tell: int) -> None:
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with suppress(BrokenPipeError):  # nobody cares any more
        os.write(tell, NUMBER % code)
    os.close(tell)
    os.close(ended)


def _become(arguments: list[str], folder: str, environ: dict[str, str], terminal: bool, files: list[int]) -> None:
    """Make a copy what an interpreter is that was started with these."""
    if terminal:
        os.login_tty(os.dup(files[0]))
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.closerange(3, 1024)  # ours, and what the template has of other commands
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = _like(getattr(sys, name), number)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv[1:] = arguments


def _like(stream: Any, number: int) -> io.TextIOWrapper:
    """Open a stream as an interpreter does, which knows from the start whether there is a terminal or a file."""
    buffering = 0 if number and stream.write_through else -1
    file = open(number, "wb" if number else "rb", buffering, closefd=False)  # noqa: SIM115 - for good
    return io.TextIOWrapper(
        file,
        stream.encoding,
        stream.errors,
        "\n" if number else None,
        line_buffering=number == 2 or file.isatty(),
        write_through=stream.write_through,
    )


def _end_with(code: Any) -> None:
    """Do what an interpreter does at its end, but for taking itself apart: that takes it longer than most commands."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    if told := os.environ.get(TELL_LATE):
        Path(told).write_text(" ".join(sorted(sys.modules.keys() - imported)))
    os._exit(code)


if __name__ == "__main__":
    import_without_numpy()
    for module in {f"harvest.cli.commands.{module}" for module, _ in COMMANDS.values()}.union(IMPORTED_LATE):
        import_module(module)
    with suppress(ImportError):
        for module in sys.argv[2:]:
            import_module(module)
    _make_once()
    imported = set(sys.modules)
    gc.freeze()  # what is there is nothing to look through again in every command
    is_copy = False
    with suppress(KeyboardInterrupt):
        is_copy = _next_command(socket.socket(fileno=int(sys.argv[1])))
    if is_copy:
        try:
            main()
        except SystemExit as end:
            _end_with(end.code)
